"""In: rows of JSON, or text. Out: examples, and what could not be read. One file for each product or way of writing.

ROWS["chatgpt"].fits(row)                    whether a row looks like one of it
ROWS["chatgpt"].read(row, place, origin)     its examples and losses
TEXTS["csv"].fits(head), .read(text, origin)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from tuning.formats import FORMATS
from tuning.rows import Row
from tuning.sources.origin import Origin
from tuning.sources.readers import chatgpt, claude, known, own, pairs, prose, tables
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example

Found = Iterator[Example | Skipped]


@dataclass(frozen=True, slots=True)
class RowReader:
    fits: Callable[[Row], bool]  # the first glance
    read: Callable[[Row, Place, Origin], Found]
    title: Callable[[Row], str] = lambda row: ""


@dataclass(frozen=True, slots=True)
class TextReader:
    fits: Callable[[str], bool]  # by the beginning of the text
    read: Callable[[TextIO, Origin, str], Found]
    newline: str | None = None  # as `open` takes it: a table keeps the line breaks of its cells


ROWS: Mapping[str, RowReader] = {  # in the order in which they are asked: the narrowest first
    "chatgpt": RowReader(chatgpt.fits, chatgpt.read, chatgpt.title),
    "claude": RowReader(claude.fits, claude.read, claude.title),
    "afina-chats": RowReader(own.fits, own.read, own.title),
    "alpaca": RowReader(pairs.alpaca, pairs.read),
    **{name: RowReader(one.fits, known.read) for name, one in FORMATS.items()},
    "pairs": RowReader(pairs.fits, pairs.read),
}
TEXTS: Mapping[str, TextReader] = {
    "csv": TextReader(tables.fits, tables.read, newline=""),
    "text": TextReader(prose.fits, prose.read),
}
KINDS = (*ROWS, *TEXTS)


def of_rows(rows: Iterable[Any]) -> str:
    """The reader that most of some rows fit, "" where none fits any."""
    some = [row for row in rows if isinstance(row, dict)]
    fitting = {name: sum(reader.fits(row) for row in some) for name, reader in ROWS.items()}
    best = max(fitting, key=lambda name: fitting[name])  # the first of equals
    return best if fitting[best] else ""


def of_text(head: str) -> str:
    return next((name for name, reader in TEXTS.items() if reader.fits(head)), "")
