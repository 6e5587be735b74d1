"""In: a message, the library. Out: the route it takes, with which tool and arguments, why, and how sure that is.

router        corrections, persona, tool, then documents or chat     corrections   what a person put right
classifier    examples.jsonl → what a message is about               nearness      how near the documents come
signals       what words alone tell                                  named         which persona is spoken to
tool_calls    the tool that is asked for: sums, units, when, web     spelled, text numbers and words made plain
stories       a sum told in words

Writes nothing but corrections, calls no language model, opens no address.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from assistant.events import RouteChosen
from knowledge import Turn

if TYPE_CHECKING:
    from knowledge.library import Library


def choose(
    question: str, *, history: Sequence[Turn], documents: Collection[int] | None, library: Library, language: str
) -> RouteChosen:
    """By the library alone: no personas, no tools, no corrections. `documents`: those of the conversation."""
    from assistant.routing.router import Router

    router = Router(library, library.embedder, tools=lambda: ())
    return router.choose(question, history=history, documents=documents, language=language)
