"""In: nothing. Out: what a page or an exporter reads of the chats, frozen. Knows nothing of SQL.

A conversation is a tree of messages by `parent`. Edits and retries are siblings and are kept; one path through the tree
is the shown thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from assistant.events import Route, Step
from knowledge import Basis, Citation, Passage, Usage


class MessageStatus(StrEnum):
    """Where a message stands. `WRITING` is on the way, every other one is final. A user's message is `COMPLETE`."""

    COMPLETE = "complete"
    WRITING = "writing"
    STOPPED = "stopped"  # by the person
    FAILED = "failed"  # `Message.failure` says what happened and what to do
    INTERRUPTED = "interrupted"  # the app went away while it was written; the text so far is kept

    @property
    def final(self) -> bool:
        return self is not MessageStatus.WRITING


@dataclass(frozen=True, slots=True)
class Conversation:
    id: int
    title: str  # of its first question until it is renamed; "" before the first question
    created_at: datetime  # UTC, as every time here
    updated_at: datetime  # last message or answer
    messages: int = 0  # all of the tree
    persona: int | None = None  # who answers here; None: Afina itself
    model: str = ""  # chosen for this chat; "": the persona's, else the app's
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # inference settings chosen for this chat


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is shown. In a stored answer every [n] in `text` has exactly one citation with that n."""

    id: int
    conversation: int
    parent: int | None  # None: a first question
    role: str  # "user" | "assistant"
    text: str  # Markdown for an assistant's
    status: MessageStatus
    created_at: datetime
    siblings: tuple[int, ...] = ()  # same parent and role, oldest first, this one among them
    route: Route | None = None
    reason: str = ""  # of the route
    confidence: float = 0.0  # of the route, 0..1
    basis: Basis | None = None
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    usage: Usage | None = None
    model: str = ""
    draft: str = ""  # what the model wrote, where it was replaced
    failure: str = ""  # one sentence, when the status is FAILED
    liked: bool | None = None
    reasons: tuple[str, ...] = ()  # of the like or dislike
    note: str = ""
    tool: str = ""  # of the route
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of that tool
    persona: str = ""  # who spoke, by the name it had then
    steps: tuple[Step, ...] = ()  # what was done, in order
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # inference settings it was made with
    edited_from: int | None = None  # the answer whose words a person corrected to these


@dataclass(frozen=True, slots=True)
class Line:
    """What was said, and by whom: as much of a message as whoever answers the next one reads."""

    role: str
    text: str
    persona: str = ""  # who spoke, by the name it had then


@dataclass(frozen=True, slots=True)
class Opened:
    """A turn as it begins: the question is stored, its answer is empty and "writing"."""

    question: int
    answer: int
    text: str  # the question's
    attempt: int  # answers the question had before this one
    earlier: tuple[Line, ...]  # from the first question to the one before this, oldest first
    conversation: Conversation
    documents: tuple[int, ...]  # attached to the conversation, in that order
