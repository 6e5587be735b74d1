"""In: nothing. Out: the closed set of things that can happen while a message is answered.

An agent yields these; a page, the command line and the log render them with `match … case _: assert_never(event)`.
A turn begins with `RouteChosen` and ends with exactly one of `Answered`, `Failed`, `Stopped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from knowledge import Basis, Citation, Passage, Usage


class Route(StrEnum):
    DOCUMENTS = "documents"
    TOOL = "tool"
    PERSONA = "persona"
    CHAT = "chat"


class Decision(StrEnum):
    ONCE = "once"
    ALWAYS = "always"  # for this tool in this chat
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class RouteChosen:
    route: Route
    reason: str  # one sentence, in the person's language
    confidence: float  # 0..1
    tool: str = ""  # with Route.TOOL
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)  # of that tool
    persona: str = ""  # who speaks, by name; "": Afina itself


@dataclass(frozen=True, slots=True)
class PassagesFound:
    passages: tuple[Passage, ...]  # best first; passage i is [i + 1] in the prompt
    seconds: float


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call: str  # names this call within the turn
    tool: str
    arguments: dict[str, Any] = field(hash=False)
    parent: str = ""  # the call inside which this one happens (a persona that was asked)


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """`result`: what the model reads, cut for the page; a failure is one sentence (`ok` is False then)."""

    call: str
    result: str
    ok: bool
    seconds: float  # of the tool; not the time a person took to say yes


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """The turn waits for a person. It goes on with ApprovalGiven, or ends by Stopped."""

    call: str  # of a ToolStarted before
    tool: str
    arguments: dict[str, Any] = field(hash=False)
    reason: str = ""  # one sentence: why it asks


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    call: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer, and the citations whose [n] stand in it for the first time.

    `Answered.text` replaces all pieces.
    """

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    text: str  # Markdown, with [n] where a citation stands
    citations: tuple[Citation, ...]
    basis: Basis | None  # None: plain talk, no documents asked
    usage: Usage
    draft: str = ""  # what the model wrote, where it was replaced
    settings: dict[str, Any] = field(default_factory=dict, hash=False)  # inference settings the model was asked with


@dataclass(frozen=True, slots=True)
class Failed:
    """`message`: what happened and what to do, for a person. The partial text stays."""

    message: str
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class Stopped:
    """The person stopped it. What was written so far stays."""

    text: str


Step = ToolStarted | ToolFinished | ApprovalNeeded | ApprovalGiven  # what is kept of an answer's way
Event = RouteChosen | PassagesFound | Step | TextDelta | Answered | Failed | Stopped

TERMINAL = (Answered, Failed, Stopped)

_TYPES: dict[str, type[Event]] = {
    "route_chosen": RouteChosen,
    "passages_found": PassagesFound,
    "tool_started": ToolStarted,
    "tool_finished": ToolFinished,
    "approval_needed": ApprovalNeeded,
    "approval_given": ApprovalGiven,
    "text_delta": TextDelta,
    "answered": Answered,
    "failed": Failed,
    "stopped": Stopped,
}
_NAMES = {kind: name for name, kind in _TYPES.items()}

_Value = TypeVar("_Value")


def to_row(event: Event) -> dict[str, Any]:
    """`TextDelta("a")` → `{"type": "text_delta", "text": "a"}`: plain JSON, values inside as nested objects."""
    row = {"type": _NAMES[type(event)], **asdict(event)}
    if isinstance(event, TextDelta) and not event.citations:
        del row["citations"]  # a row per word: it says what it has to
    return row


def from_row(row: Mapping[str, Any]) -> Event:
    """The event that `to_row` wrote. ValueError names an unknown type and lists the known ones."""
    name = row.get("type")
    kind = _TYPES.get(str(name))
    if kind is None:
        raise ValueError(f"unknown event type {name!r}; known: {', '.join(_TYPES)}")
    given = dict(row)
    if "route" in given:
        given["route"] = Route(given["route"])
    if "decision" in given:
        given["decision"] = Decision(given["decision"])
    if given.get("basis") is not None:
        given["basis"] = Basis(given["basis"])
    if "passages" in given:
        given["passages"] = values(Passage, given["passages"])
    if "citations" in given:
        given["citations"] = values(Citation, given["citations"])
    if "usage" in given:
        given["usage"] = value(Usage, given["usage"])
    return value(kind, given)


def steps(rows: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """What a stored answer did."""
    return tuple(event for event in map(from_row, rows) if isinstance(event, Step))


def value(kind: type[_Value], row: Mapping[str, Any]) -> _Value:
    """A dataclass from a stored object. What an older or newer release wrote besides is left out."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: given for name, given in row.items() if name in known})


def values(kind: type[_Value], rows: list[dict[str, Any]]) -> tuple[_Value, ...]:
    return tuple(value(kind, row) for row in rows)
