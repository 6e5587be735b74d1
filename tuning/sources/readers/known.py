"""In: a row of a format that datasets are written in (`tuning.formats`). Out: its example, or why it is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tuning.formats import FORMATS, BadRow
from tuning.sources.origin import Origin
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example, Kind, Role, Source


def read(row: Mapping[str, Any], place: Place, origin: Origin) -> Iterator[Example | Skipped]:
    try:
        example = FORMATS[origin.format].read(dict(row))
    except BadRow as error:
        yield place.skipped("shape", reason=str(error), reason_es=error.said("es"))
        return
    if example.kind is Kind.CONVERSATION and (code := _nothing(example)):
        yield place.skipped(code)
    elif example.kind is Kind.TEXT and not example.text.strip():
        yield place.skipped("silent")
    else:
        yield replace(example, source=_source(example, place, origin))


def _nothing(example: Example) -> str:
    if any(turn.role is Role.ASSISTANT and (turn.text.strip() or turn.calls) for turn in example.turns):
        return ""
    return "no_answer" if any(turn.text.strip() for turn in example.turns) else "silent"


def _source(example: Example, place: Place, origin: Origin) -> Source:
    """Our own rows know where they once came from: that stays, but for what names rows of a database.

    The group stays too: the chat it names may be here as well, and must not part from it.
    """
    ours = origin.source(place)
    if example.source.origin == "hand" and not example.source.group:
        return ours
    return replace(
        example.source,
        origin=ours.origin,
        name=ours.name,
        group=example.source.group or ours.group,
        line=ours.line,
        conversation=None,
        messages=(),
    )
