"""In: nothing. Out: the closed set of things that can happen while a message is answered.

An agent yields these; a page, the command line and the log render them with `match … case _: assert_never(event)`.
A turn begins with `RouteChosen` and ends with exactly one of `Answered`, `Failed`, `Stopped`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from knowledge import Basis, Citation, Passage, Usage


class Route(StrEnum):
    DOCUMENTS = "documents"
    TOOL = "tool"
    PERSONA = "persona"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class RouteChosen:
    route: Route
    reason: str  # one sentence, in the person's language
    confidence: float  # 0..1


@dataclass(frozen=True, slots=True)
class PassagesFound:
    passages: tuple[Passage, ...]  # best first; passage i is [i + 1] in the prompt
    seconds: float


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolFinished:
    call: str
    result: str
    ok: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    call: str
    tool: str
    arguments: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the draft. `Answered.text` replaces the whole draft."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    text: str  # Markdown, with [n] where a citation stands
    citations: tuple[Citation, ...]
    basis: Basis | None  # None: plain talk, no documents asked
    usage: Usage
    draft: str = ""  # what the model wrote, where it was replaced


@dataclass(frozen=True, slots=True)
class Failed:
    """`message`: what happened and what to do, for a person. The partial text stays."""

    message: str
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class Stopped:
    """The person stopped it. What was written so far stays."""

    text: str


Event = (
    RouteChosen | PassagesFound | ToolStarted | ToolFinished | ApprovalNeeded | TextDelta | Answered | Failed | Stopped
)
