"""In: a CSV or TSV file. Out: its columns and rows; or pages in which each row is a line of "column: value" pairs.

    table = opened(path)
    table.columns → ("Ciudad", "Ventas")    table.decimal → ","    table.rows() → ("Madrid", "1.234,5"), …

What is sniffed: the encoding, the delimiter (, ; tab |) and whether a first row names the columns. A file that is no
table whatever its name (one column, a quote that never ends) raises NotATable and is read as plain text.
Knows nothing of SQL.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from knowledge.readers import plain
from knowledge.readers.outcomes import Ended, Limits, Opened, ended
from knowledge.values import Page

COLUMNS = 1_000
CELL = 100_000  # characters of one cell; a quote that never ends would swallow the file
_DELIMITERS = ",;\t|"
_SAMPLE = 64_000  # characters looked at
_LONG = 4_000  # characters a page has at most
_NUMBER = re.compile(r"[-+]?[$€£]?\s?\d[\d.,\s]*%?\s?[$€£]?")
_COMMA = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})*,\d+|[-+]?\d+,\d+")


class NotATable(ValueError):  # noqa: N818 - the name says what it is
    pass


@dataclass(frozen=True, slots=True)
class Table:
    path: Path
    encoding: str
    delimiter: str
    header: bool  # the first row names the columns
    columns: tuple[str, ...]  # unique, none empty
    decimal: str  # "." or ","

    def rows(self) -> Iterator[tuple[str, ...]]:
        """As many cells each as there are columns; rows without anything are left out. Raises NotATable."""
        width = len(self.columns)
        first = self.header
        for cells in _cells(self.path, self.encoding, self.delimiter):
            if first:
                first = False
                continue
            if any(cells):
                yield (*cells[:width], *[""] * (width - len(cells)))


def opened(path: Path) -> Table:
    """Raises NotATable, OSError."""
    encoding = plain.encoding_of(path)
    if encoding is None:
        raise NotATable("no text")
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(_SAMPLE)
        whole = not file.read(1)
    lines = sample.splitlines()
    if not whole and len(lines) > 1:
        lines.pop()  # cut in its middle
    declared = re.fullmatch(r"sep=([,;|\t])", lines[0].strip()) if lines else None  # as Excel writes it
    delimiter = declared[1] if declared else _delimiter(lines)
    sampled = [row for row, _ in zip(_cells(path, encoding, delimiter), range(100), strict=False) if any(row)]
    if not sampled or max(len(row) for row in sampled) < 2 or len(sampled[0]) > COLUMNS:
        raise NotATable("one column")
    header = _is_header(sampled)
    width = max(len(sampled[0]), max(len(row) for row in sampled[1:4]) if len(sampled) > 1 else 0)
    names = sampled[0] if header else []
    commas = sum(bool(_COMMA.fullmatch(cell)) for row in sampled for cell in row)
    decimal = "," if delimiter != "," and commas else "."
    return Table(path, encoding, delimiter, header, _named(names, min(width, COLUMNS)), decimal)


def read(path: Path, limits: Limits, stop: Event | None) -> Iterator[Opened | Page | Ended]:
    """Pages like those of plain text. Read twice: once to count, once to yield."""
    try:
        table = opened(path)
        total = 0
        for _ in _pages(table):
            total += 1
            if total > limits.pages or (stop is not None and stop.is_set()):
                break
    except (NotATable, OSError):
        yield from plain.read(path, "text", limits, stop)
        return
    if total > limits.pages:
        yield ended("too_many_pages", pages=total, limit=limits.pages)
        return
    if not total:
        yield from plain.read(path, "text", limits, stop)
        return
    yield Opened(total)
    for number, text in enumerate(_pages(table), 1):
        if stop is not None and stop.is_set():
            yield ended("cancelled", number - 1, pages=total)
            return
        yield Page(number, text)
    yield ended("ready", total, pages=total)


def _pages(table: Table) -> Iterator[str]:
    page = ""
    for cells in table.rows():
        said = "; ".join(f"{name}: {cell}" for name, cell in zip(table.columns, cells, strict=True) if cell)
        line = plain.normal(" ".join(said.split()))
        if page and len(page) + len(line) + 1 > _LONG:
            yield page
            page = ""
        while len(line) > _LONG:  # one row longer than a page
            cut = line.rfind("; ", 0, _LONG) + 1 or line.rfind(" ", 0, _LONG) + 1 or _LONG
            yield line[:cut].rstrip()
            line = line[cut:].lstrip()
        page = f"{page}\n{line}" if page else line
    if page.strip():
        yield page


def _cells(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = (line.replace("\0", "") for line in _bounded(file))
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for number, row in enumerate(reader):
                if number == 0 and "".join(row).strip() == "sep=":  # the delimiter itself was cut at
                    continue
                if any(len(cell) > CELL for cell in row) or len(row) > COLUMNS * 10:
                    raise NotATable("a cell without end")
                yield [cell.strip() for cell in row]
        except csv.Error as error:
            raise NotATable(str(error)) from None


def _bounded(file: Iterator[str]) -> Iterator[str]:
    """Lines; one of many megabytes is no row of a table."""
    for line in file:
        if len(line) > CELL * 10:
            raise NotATable("a line without end")
        yield line


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts most rows into the same number of cells, more than one."""
    best, most = ",", 0.0
    for sign in _DELIMITERS:
        try:
            counts = [len(row) for row in csv.reader(lines[:200], delimiter=sign) if row]
        except csv.Error:
            continue
        wide = [count for count in counts if count > 1]
        if not wide:
            continue
        usual = max(set(wide), key=wide.count)
        score = wide.count(usual) / len(counts) * (1 + min(usual, 50) / 1_000)
        if score > most:
            best, most = sign, score
    return best


def _is_header(rows: list[list[str]]) -> bool:
    """Names, not values: no number among them, none twice, mostly filled. One row alone is a header too."""
    first = [cell for cell in rows[0] if cell]
    if not first or len(first) * 2 < len(rows[0]) or any(_NUMBER.fullmatch(cell) for cell in first):
        return False
    return len({cell.casefold() for cell in first}) == len(first) and all(len(cell) <= 200 for cell in first)


def _named(names: list[str], width: int) -> tuple[str, ...]:
    """Every column has a name of its own: "column 3" where it has none, "total 2" where it was taken."""
    found: list[str] = []
    taken: set[str] = set()
    for number in range(width):
        given = " ".join(plain.normal(names[number]).split())[:100] if number < len(names) else ""
        name = given or f"column {number + 1}"
        again = 2
        while name.casefold() in taken:
            name, again = f"{given or f'column {number + 1}'} {again}", again + 1
        taken.add(name.casefold())
        found.append(name)
    return tuple(found)
