"""In: nothing. Out: a fixed set of general questions with short answers, to see what a model forgets while it learns.

    {"id": "general-en-01", "language": "en", "question": "What is the capital of France?", "answers": ["Paris"]}

Our own words; facts that do not change with the year. `answers`: any one that stands in what the model says is right
(the metric "contained"). A question's id never changes its meaning: a changed question gets another id.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tuning.evaluation.values import Question
from tuning.values import Example, Role, Source, Turn, conversation

FILE = Path(__file__).with_name("general.jsonl")
_SYSTEM = {"en": "Answer briefly and truthfully.", "es": "Responde con brevedad y sin inventar."}


class GeneralRow(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^general-(en|es)-\d\d$")
    language: Literal["en", "es"]
    question: str = Field(min_length=1)
    answers: tuple[str, ...] = Field(min_length=1)


def rows() -> Iterator[GeneralRow]:
    for line in FILE.read_text(encoding="utf-8").splitlines():
        yield GeneralRow.model_validate_json(line)


def questions(language: str = "") -> Iterator[Question]:
    """`language`: "en", "es"; "": both."""
    for row in rows():
        if language in ("", row.language):
            yield Question(row.id, _turns(row), row.answers)


def examples(language: str = "") -> Iterator[Example]:
    """The same as conversations, for a Scorer: the first answer carries loss."""
    for row in rows():
        if language in ("", row.language):
            source = Source("sample", "general", group=row.id)
            yield conversation(*_turns(row), Turn(Role.ASSISTANT, row.answers[0]), source=source)


def _turns(row: GeneralRow) -> tuple[Turn, ...]:
    return Turn(Role.SYSTEM, _SYSTEM[row.language]), Turn(Role.USER, row.question)
