"""Our own rows: whatever `tuning.rows` cannot read back is wrong, by its own words."""

from __future__ import annotations

from typing import Any

from tuning.checking.values import Note, short
from tuning.rows import from_row
from tuning.values import Example

Row = dict[str, Any]


def example(row: Row, note: Note) -> None:
    try:
        from_row(row)
    except ValueError as error:
        field, _, found = str(error).partition(": ")
        note(short(field)[1:-1], "not_an_example", found=short(found)[1:-1])


def example_texts(row: Row) -> tuple[list[str], list[str]]:
    try:
        one: Example = from_row(row)
    except ValueError:
        return [], []
    answers = [[turn.text for turn in answer.turns] for answer in one.answers] or [[one.text]]
    return [turn.text for turn in one.turns], max(answers, key=lambda said: sum(map(len, said)))
