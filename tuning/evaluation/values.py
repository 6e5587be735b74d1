"""In: an example. Out: the question it asks a model, frozen, and later what the model answered.

    conversation   system, user, assistant, user, assistant*    → the turns before *, the reference is *'s text
    preference     user; answers ranked 2, 1                     → the user's turn, the reference is the better answer
    text           nothing is asked

* the last assistant's turn that carries loss and says something. Earlier answers stay as they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tuning.rows import fingerprint
from tuning.values import Example, Kind, Role, Turn


@dataclass(frozen=True, slots=True)
class Question:
    key: str  # the same question has the same key in every run: an example's fingerprint, "general-en-07"
    turns: tuple[Turn, ...]  # what is sent
    references: tuple[str, ...] = ()  # answers that are right, the first one shown; none: there is none to compare with

    @property
    def prompt(self) -> str:
        """The last thing a person said."""
        return next((turn.text for turn in reversed(self.turns) if turn.role is Role.USER), "")


@dataclass(frozen=True, slots=True)
class Answered:
    key: str
    prompt: str
    references: tuple[str, ...]
    text: str
    seconds: float = 0.0
    tokens: int = 0  # written, the model's own
    problem: str = ""  # why there is no answer; then `text` is empty
    spanish: str = ""  # the same

    @property
    def reference(self) -> str:
        return self.references[0] if self.references else ""

    def said(self, language: str) -> str:
        """Why there is no answer; "" where there is one."""
        return self.spanish if language == "es" and self.spanish else self.problem

    def row(self) -> dict[str, Any]:
        return asdict(self)


class AnsweredRow(BaseModel):
    """A line of a file with answers."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1)
    prompt: str
    references: tuple[str, ...]
    text: str
    seconds: float = Field(ge=0)
    tokens: int = Field(ge=0)
    problem: str = ""
    spanish: str = ""

    def value(self) -> Answered:
        return Answered(**self.model_dump())


def question(example: Example) -> Question | None:
    """None where nothing is asked (a text), or nobody answers."""
    if example.kind is Kind.TEXT:
        return None
    if example.answers:
        turns, best = example.turns, example.chosen
        liked = best is not None and (not best.scores or max(best.scores.values()) > 0)
        references = (best.text,) if best and liked and best.text else ()
    else:
        at = _last(example.turns)
        if at is None:
            return None
        turns, references = example.turns[:at], (example.turns[at].text,)
    if not any(turn.role is Role.USER for turn in turns):
        return None
    return Question(fingerprint(example), turns, references)


def questions(examples: Iterable[Example]) -> Iterator[Question]:
    return (asked for example in examples if (asked := question(example)))


def by_key(answers: Iterable[Answered]) -> Mapping[str, Answered]:
    return {answer.key: answer for answer in answers}


def _last(turns: tuple[Turn, ...]) -> int | None:
    answers = [at for at, turn in enumerate(turns) if turn.role is Role.ASSISTANT and turn.text.strip()]
    learned = [at for at in answers if turns[at].learn]
    return next(iter(reversed(learned or answers)), None)
