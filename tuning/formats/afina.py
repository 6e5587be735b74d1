"""In: an example of any kind. Out: one row that holds all of it (`tuning.rows`), and back."""

from __future__ import annotations

from collections.abc import Iterator

from tuning.formats.form import BadRow, Format, Lose
from tuning.rows import Row, from_row, to_row
from tuning.values import Example, Kind


def _rows(example: Example, lose: Lose) -> Iterator[Row]:
    yield to_row(example)


def _example(row: Row) -> Example:
    try:
        return from_row(row)
    except ValueError as error:
        field, _, found = str(error).partition(": ")
        raise BadRow("afina", field, found=found) from None


def _looks_like(row: Row) -> bool:
    kind = row.get("kind")
    return isinstance(kind, str) and kind in set(Kind)


AFINA = Format("afina", tuple(Kind), _rows, _example, _looks_like, frozenset({"tags", "provenance", "scores"}))
