"""What a tool is: a name, a typed schema, a function. One file per tool; `assistant.tools` gathers them.

In: arguments checked by pydantic, and what the turn lends it (`Work`). Out: a Result. A tool never raises for what a
person can meet: it raises ToolError with one sentence, which the model and the person read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from assistant.errors import ForPerson
from knowledge import Passage

if TYPE_CHECKING:
    from knowledge.library import Library

SHOWN = 2_000  # characters of a result on the page; the model reads up to READ
READ = 16_000


class ToolError(ForPerson):
    """What went wrong and what to do, one sentence. It goes back to the model as the call's result."""


class Effect(StrEnum):
    """What a call does to the world: decides whether a person is asked first."""

    NONE = "none"  # computes, or reads what is the person's own
    REACHES = "reaches"  # sends something out: asks until it is allowed for the chat
    WRITES = "writes"  # changes something: asks each time, unless allowed for the chat


class Arguments(BaseModel):
    """Every tool's schema begins here: unknown fields are refused, descriptions are written for the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Work:
    """What one turn lends its tools."""

    language: str = "en"  # "en" | "es", of what a person reads
    now: datetime | None = None  # aware; None: the clock's
    stop: threading.Event = field(default_factory=threading.Event)
    library: Library | None = None
    documents: tuple[int, ...] | None = None  # where to look; None: everywhere
    ask_persona: Callable[[str, str], str] | None = None  # (name, question) → answer


@dataclass(frozen=True, slots=True)
class Result:
    """`text` is what the model reads. `passages` can be cited: passage i of the turn is [i + 1]."""

    text: str
    passages: tuple[Passage, ...] = ()
    spoken: str = ""  # the answer as a sentence, for a model that cannot write it itself: "12 × 3 = 36"
    value: Any = None  # plain JSON, for the command line


@dataclass(frozen=True, slots=True)
class Tool:
    name: str  # snake_case; what the model calls
    title: Mapping[str, str]  # {"en", "es"}: what a person reads
    description: str  # for the model: when to use it, what comes back
    arguments: type[BaseModel] | Mapping[str, Any]  # pydantic, or a JSON schema that an MCP server gave
    run: Callable[[Any, Work], Result]
    effect: Effect = Effect.NONE
    untrusted: bool = False  # its result is a stranger's text: after it, every tool asks
    needs_web: bool = False  # offered only while the person has turned the web on
    source: str = ""  # the MCP server it comes from; "": ours

    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        if isinstance(self.arguments, Mapping):
            return dict(self.arguments)
        return self.arguments.model_json_schema()


def names(tools: Sequence[Tool]) -> tuple[str, ...]:
    return tuple(tool.name for tool in tools)
