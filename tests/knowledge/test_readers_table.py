"""Laws of reading CSV: every cell is on a page with its column's name; what is no table is read as text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from knowledge import readers
from knowledge.readers import Ended, Limits, table
from knowledge.values import Page, Status


def read(path: Path, data: bytes) -> tuple[list[str], Ended]:
    path.write_bytes(data)
    assert readers.kind_of(path, path.name) == "csv"
    *items, last = readers.read(path, "csv")
    assert isinstance(last, Ended)
    return [item.text for item in items if isinstance(item, Page)], last


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_row_is_a_line_of_named_cells(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [["Ciudad", "Año"], ["Málaga", "2024"], [f"Alcalá{delimiter} la Real", "2023"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    pages, last = read(tmp_path / "a.csv", text.encode(encoding))
    town = " ".join(f"Alcalá{delimiter} la Real".split())  # a tab within a cell is a space
    assert pages == [f"Ciudad: Málaga; Año: 2024\nCiudad: {town}; Año: 2023"]
    assert last.status is Status.READY


@pytest.mark.parametrize("seed", range(4))
def test_no_cell_is_lost_and_no_page_is_long(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows = [[f"v{chance.randrange(10**6)}" * chance.randrange(1, 40) for _ in range(5)] for _ in range(300)]
    text = "a,b,c,d,e\n" + "\n".join(",".join(row) for row in rows)
    pages, _ = read(tmp_path / "a.csv", text.encode())
    joined = " ".join(pages)
    assert all(cell in joined for row in rows for cell in row)
    assert all(0 < len(page) <= 4_000 for page in pages)


def test_columns_without_a_name_get_one_and_none_has_two(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Total,,total \n1,2,3\n")
    assert table.opened(path).columns == ("Total", "column 2", "total 2") or not table.opened(path).header
    path.write_text("1,2,3\n4,5,6\n")
    opened = table.opened(path)
    assert opened.columns == ("column 1", "column 2", "column 3")
    assert list(opened.rows()) == [("1", "2", "3"), ("4", "5", "6")]


def test_the_mark_of_excel_is_obeyed_and_the_decimal_comma_known(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nname;price\na;1,5\nb;1.234,5\n")
    opened = table.opened(path)
    assert (opened.delimiter, opened.decimal, opened.columns) == (";", ",", ("name", "price"))


@pytest.mark.parametrize(
    "data",
    [
        b"just one column\nof words\n",
        b'a,b\n"never closed,' + b"x" * 300_000,
        b"a,b\n" + b"y," * 300_000,
        b"z" * 2_000_000,
    ],
    ids=["one column", "open quote", "too wide", "one line"],
)
def test_what_is_no_table_is_read_as_text(tmp_path: Path, data: bytes) -> None:
    pages, last = read(tmp_path / "a.csv", data)
    assert last.status is Status.READY
    assert pages
    assert all(len(page) <= 4_000 for page in pages)


def test_what_is_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 50_000)
    assert list(readers.read(path, "csv", limits=Limits(pages=3)))[-1].code == "too_many_pages"  # type: ignore[union-attr]
    path.write_bytes(b"PK\x03\x04\x00\x00")
    assert readers.kind_of(path, "a.csv") is None
    (last,) = readers.read(path, "csv")
    assert isinstance(last, Ended)
    assert last.code == "not_text"
