"""Laws of reading text and Markdown: nothing is lost, pages stay small, whatever is no text is refused."""

from __future__ import annotations

import codecs
import random
import unicodedata
from pathlib import Path

import pytest

from knowledge import readers
from knowledge.readers import Ended, Limits, Opened
from knowledge.values import Page, Status


def read(path: Path, data: bytes, kind: str = "text") -> tuple[list[Page], Ended]:
    path.write_bytes(data)
    items = list(readers.read(path, kind))
    last = items[-1]
    assert isinstance(last, Ended)
    pages = [item for item in items if isinstance(item, Page)]
    assert not pages or items[0] == Opened(len(pages))
    assert last.pages_read == len(pages)
    return pages, last


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_text_is_read_in_the_encoding_it_was_written_in(tmp_path: Path, encoding: str) -> None:
    pages, last = read(tmp_path / "a.txt", "El niño pidió café.\r\nSegunda línea.".encode(encoding))
    assert last.status is Status.READY
    assert [page.text for page in pages] == ["El niño pidió café.\nSegunda línea."]


def test_big_endian_with_its_mark_is_read(tmp_path: Path) -> None:
    pages, _ = read(tmp_path / "a.txt", codecs.BOM_UTF16_BE + "cañón".encode("utf-16-be"))
    assert pages[0].text == "cañón"


@pytest.mark.parametrize("seed", range(8))
def test_no_word_is_lost_and_no_page_is_long(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    words = [chance.choice(["word", "e\u0301tude", "longer-word", "x" * 50, "# "]) for _ in range(8000)]
    text = "".join(word + chance.choice([" ", " ", " ", "\n", "\n\n", "\n\n\n"]) for word in words)
    pages, _ = read(tmp_path / "a.md", text.encode(), "markdown")
    assert "".join("".join(page.text.split()) for page in pages) == unicodedata.normalize("NFC", "".join(text.split()))
    for page in pages:
        assert 0 < len(page.text) <= 4000
        assert unicodedata.is_normalized("NFC", page.text)
    assert sum(page.text.count("\n") for page in pages) > 100


def test_pages_end_where_paragraphs_do(tmp_path: Path) -> None:
    paragraph = "A sentence of some length that ends here. " * 20
    pages, _ = read(tmp_path / "a.txt", "\n\n".join([paragraph.strip()] * 20).encode())
    assert len(pages) > 3
    assert all(page.text.endswith("here.") and page.text.startswith("A sentence") for page in pages)


def test_a_heading_opens_a_page_of_markdown(tmp_path: Path) -> None:
    part = "## Part {}\n" + "Some words on the matter. " * 60 + "\n"
    pages, _ = read(tmp_path / "a.md", "".join(part.format(number) for number in range(6)).encode(), "markdown")
    assert all(page.text.startswith("## Part") for page in pages)


def test_one_endless_line_is_cut_at_spaces(tmp_path: Path) -> None:
    pages, _ = read(tmp_path / "a.txt", b"seven77 " * 100_000)
    assert len(pages) > 100
    assert all(set(page.text.split()) == {"seven77"} for page in pages)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"), (b" \n\n\t ", "no_text_plain"), (b"\x89PNG\r\n\x1a\n\x00\x00", "not_text"),
        (bytes(range(256)) * 20, "not_text"), (b"PK\x03\x04\x14\x00\x00\x00", "not_text"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_with_a_reason(tmp_path: Path, data: bytes, code: str) -> None:
    pages, last = read(tmp_path / "a.txt", data)
    assert (pages, last.code) == ([], code)


def test_a_text_too_big_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"word " * 1000)
    (last,) = readers.read(path, "text", limits=Limits(text_bytes=1000))
    assert isinstance(last, Ended)
    assert last.status is Status.TOO_BIG
