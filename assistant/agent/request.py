"""In: nothing. Out: one message on its way through the agent, and who speaks. Frozen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assistant.agent.limits import Clock
from assistant.choice import AUTO, Choice
from assistant.history import Conversation
from assistant.models.catalogue import Capabilities
from assistant.models.inference import UNSAID, Inference
from knowledge import Turn

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.personas import Persona

CHAT_TOKENS = 512  # at most, of a plain answer
HISTORY_CHARACTERS = 6_000  # of earlier messages, newest kept: some 2,000 tokens, under a second of reading
QUESTION_CHARACTERS = 12_000  # some 4,000 tokens: half of the default model's 8,192
CHARACTERS_PER_TOKEN = 3.0  # Spanish with the default model's tokenizer; English has more


class ModelSource(Protocol):
    def get(self, name: str = ...) -> BaseChatModel: ...

    def capabilities(self, name: str = ..., language: str = ...) -> Capabilities: ...


@dataclass(frozen=True, slots=True)
class Who:
    """Who speaks, by which model, with which settings."""

    model: str = ""  # "": the app's
    settings: Inference = UNSAID
    persona: Persona | None = None  # None: Afina itself
    reason: str = ""  # key of the sentence that says why this persona

    @property
    def name(self) -> str:
        return self.persona.name if self.persona else ""

    @property
    def adapter(self) -> Path | None:
        return Path(self.persona.adapter) if self.persona and self.persona.adapter else None

    @property
    def template(self) -> str:
        return self.persona.template if self.persona else ""


@dataclass(frozen=True, slots=True)
class Request:
    question: str
    history: tuple[Turn, ...]  # earlier messages, oldest first
    documents: tuple[int, ...] | None  # where to look; None: everywhere
    language: str  # "en" | "es", of the answer
    stop: threading.Event
    attempt: int  # 0: the first answer; later ones are to differ from it
    choice: Choice = AUTO
    who: Who = field(default_factory=Who)
    conversation: Conversation | None = None
    message: int = 0  # the answer's id, by which a person's yes or no finds it
    clock: Clock | None = None  # of what is written

    @property
    def chat(self) -> int | None:
        return self.conversation.id if self.conversation else None

    def changed(self, **values: object) -> Request:
        return replace(self, **values)  # type: ignore[arg-type]


def room(context: int | None) -> tuple[int, int]:
    """Characters of history, and of the question, for a model that reads so many tokens."""
    if not context:
        return HISTORY_CHARACTERS, QUESTION_CHARACTERS
    characters = int(context * CHARACTERS_PER_TOKEN)
    return min(60_000, max(1_000, characters // 4)), max(1_000, characters // 2)
