"""In: a message, the library, what was corrected. Out: RouteChosen: route, tool and arguments, persona, why, how sure.

Asks no language model and opens no address. Safe to call from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from assistant.events import RouteChosen
from assistant.routing.corrections import Corrections
from knowledge import Turn

if TYPE_CHECKING:
    from assistant.personas.card import Persona
    from knowledge.embedders import Embedder
    from knowledge.library import Library

TOOLS = ("calculator", "clock", "convert", "web_page", "web_search")  # what a message can be routed to


class Router:
    def __init__(
        self,
        library: Library,
        embedder: Callable[[], Embedder],
        corrections: Corrections | None = None,
        personas: Callable[[], Sequence[Persona]] = lambda: (),
        tools: Callable[[], Collection[str]] = lambda: TOOLS,
    ) -> None:
        """`tools`: those that may be chosen now. A tool that needs the web is best left in while the web is off: the
        agent then says how to turn it on."""
        self._library = library
        self._embedder = embedder
        self._corrections = corrections
        self._personas = personas
        self._tools = tools

    def choose(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        documents: Collection[int] | None = None,
        language: str = "en",
    ) -> RouteChosen:
        """`documents`: those of the conversation; `language`: of the reason."""
        from assistant.routing import choose

        return choose(question, history=history, documents=documents, library=self._library, language=language)
