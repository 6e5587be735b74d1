"""In: a message, the library. Out: the route it takes and why. Writes nothing, calls no language model."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from assistant.events import Route, RouteChosen
from assistant.sentences import say
from assistant.small_talk import is_small_talk
from knowledge import Passage, Turn

if TYPE_CHECKING:
    from knowledge.library import Library

_LOOKED_AT = 3  # passages
NEAR = 0.35  # cosine of question and passage
FAR = 0.15
_MARK = re.compile(r"\[\d{1,2}\]")


def choose(
    question: str, *, history: Sequence[Turn], documents: Collection[int] | None, library: Library, language: str
) -> RouteChosen:
    """`documents`: those of the conversation; `language`: of the reason."""

    def route(to: Route, key: str, confidence: float, **values: object) -> RouteChosen:
        return RouteChosen(to, say(key, language, **values), round(confidence, 2))

    searchable = {document.id for document in library.documents() if document.status.searchable}
    mine = searchable & set(documents or ())
    if is_small_talk(question):
        return route(Route.CHAT, "small_talk", 0.95)
    if mine:
        return route(Route.DOCUMENTS, "attached", 0.95)
    if not searchable:
        return route(Route.CHAT, "empty", 1.0)
    best = _nearest(library.search(question, k=_LOOKED_AT))
    if best is not None and best.dense >= NEAR:
        return route(Route.DOCUMENTS, "near", min(0.95, 0.5 + best.dense), title=best.title, page=best.page)
    if (best is not None and best.dense >= FAR) or _goes_on(history):
        return route(Route.DOCUMENTS, "perhaps", 0.5)
    return route(Route.CHAT, "far", min(0.95, 1.0 - (best.dense if best else 0.0)))


def _nearest(passages: Sequence[Passage]) -> Passage | None:
    return max(passages, key=lambda passage: passage.dense, default=None)


def _goes_on(history: Sequence[Turn]) -> bool:
    """Did the last answer cite documents? Then "and the year before?" asks them too."""
    answers = [turn.text for turn in history if turn.role == "assistant"]
    return bool(answers) and _MARK.search(answers[-1]) is not None
