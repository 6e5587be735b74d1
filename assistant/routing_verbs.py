"""In: the parts, plain JSON arguments. Out: rows of plain JSON: what `afina route` prints. Nothing is answered.

The positional parameters are parts (attributes of Parts), the keyword-only ones are JSON; see assistant.service.verbs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from assistant.events import RouteChosen
from assistant.routing.corrections import Correction, Corrections
from assistant.routing.router import Router
from assistant.small_talk import language_of
from knowledge.language import detect

Row = dict[str, Any]


def route(router: Router, *, lines: list[str], language: str = "en") -> Iterator[Row]:
    """{text, route, tool, arguments, persona, reason, confidence} per message; an empty line is none. Each message
    stands alone, as the first of a conversation."""
    for line in lines:
        if text := line.strip():
            yield routed(text, router.choose(text, language=detect(text) or language_of(text) or language))


def routed(text: str, chosen: RouteChosen) -> Row:
    return {
        "text": text,
        "route": chosen.route.value,
        "tool": chosen.tool,
        "arguments": dict(chosen.arguments),
        "persona": chosen.persona,
        "reason": chosen.reason,
        "confidence": chosen.confidence,
    }


def route_corrections(corrections: Corrections, *, forget: Sequence[int] = ()) -> Iterator[Row]:
    """{correction, text, route, tool, arguments, persona, was, message, created_at}, newest first; those in `forget`
    are forgotten before."""
    for one in forget:
        corrections.forget(one)
    yield from map(_row, corrections.all())


def _row(one: Correction) -> Row:
    return {
        "correction": one.id,
        "text": one.text,
        "route": one.route.value,
        "tool": one.tool,
        "arguments": dict(one.arguments),
        "persona": one.persona,
        "was": dict(one.was),
        "message": one.message,
        "created_at": one.created_at.isoformat(),
    }
