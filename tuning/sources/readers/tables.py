"""In: a table as text, CSV with any of the usual separators. Out: an example per line.

    pregunta;respuesta                    question,answer,system                 prompt<tab>chosen<tab>rejected

The first line names the columns (`readers.pairs`). A table whose first line names none is taken, where a person says
that it is one, as question and answer. Fields may hold line breaks, inside quotation marks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TextIO

from tuning.sources.origin import Origin
from tuning.sources.readers.pairs import Columns, columns, read_as
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example

LONGEST = 1 << 24  # characters of a cell: what a forgotten quotation mark may swallow


def fits(head: str) -> bool:
    return _separator(head) != ""


def read(text: TextIO, origin: Origin, file: str = "") -> Iterator[Example | Skipped]:
    head = text.read(_HEAD)
    separator = _separator(head) or _busiest(head)
    rows = _records(csv.reader(_Joined(head, text), delimiter=separator), file)
    named: Columns | None = None
    names: tuple[str, ...] = ()
    for place, cells in rows:
        if isinstance(cells, Skipped):
            yield cells
            continue
        if named is None:
            names = tuple(cells)
            named = columns(names)
            if named.enough:
                continue
            names = ("1", "2", *(f"{at + 3}" for at in range(len(cells) - 2)))
            named = Columns(question="1", answer="2")
        if len(cells) < len(names):
            yield place.skipped("columns", found=len(cells), expected=len(names))
        else:
            if any("\ufffd" in cell for cell in cells):
                yield place.skipped("replaced", whole=False)
            yield from read_as(named, dict(zip(names, cells, strict=False)), place, origin)


_HEAD = 1 << 16
_LIMIT = Lock()
_SEPARATORS = ",;\t|"


def _records(reader: Iterator[list[str]], file: str) -> Iterator[tuple[Place, list[str] | Skipped]]:
    index = 0
    while True:
        line = reader.line_num + 1  # type: ignore[attr-defined]
        place = Place(index, line, file)
        try:
            with _long_cells():
                cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            index += 1
            yield place, place.skipped("table")
            continue
        if any(cell.strip(" \t:-") for cell in cells):  # no blank line, nor the dashes of a Markdown table
            index += 1
            yield place, cells


@contextmanager
def _long_cells() -> Iterator[None]:
    """The limit is one for the whole process: it is raised for a read and put back, by one thread at a time."""
    with _LIMIT:
        before = csv.field_size_limit(LONGEST)
        try:
            yield
        finally:
            csv.field_size_limit(before)


class _Joined:
    """The lines of what was read already, then those of the rest."""

    def __init__(self, head: str, rest: TextIO) -> None:
        self.head, self.rest = io.StringIO(head, newline=""), rest

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.head.readline()
        if not line.endswith(("\n", "\r")):
            line += self.rest.readline(LONGEST)
        if not line:
            raise StopIteration
        return line


def _separator(head: str) -> str:
    """The one by which the first line names question and answer, or a text and something else; "": none does."""
    first = head.lstrip("\ufeff \r\n")[:_FIRST]
    for separator in _SEPARATORS:
        try:
            names = next(csv.reader(io.StringIO(first, newline=""), delimiter=separator), [])
        except csv.Error:
            continue
        if columns(tuple(names)).enough and max(map(len, names)) <= _NAME:
            return separator
    return ""


def _busiest(head: str) -> str:
    first = head.lstrip("\ufeff \r\n").partition("\n")[0]
    return max(_SEPARATORS, key=first.count)


_FIRST = 10_000  # characters that a line of names may have
_NAME = 60  # characters that the name of a column may have
