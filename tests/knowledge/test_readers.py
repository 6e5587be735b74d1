"""Laws of reading a PDF: offsets cut lines out of the text, boxes stand where the ink is, words come out whole."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas

from knowledge import readers
from knowledge.readers import Ended, Opened, kind_of, repair
from knowledge.values import Page, Status
from tests import hostile


def pages_of(path: Path) -> list[Page]:
    items = list(readers.read(path, "pdf"))
    assert isinstance(items[0], Opened)
    assert isinstance(items[-1], Ended)
    assert items[-1].status is Status.READY
    return [item for item in items if isinstance(item, Page)]


def printed(page: Page) -> list[str]:
    return [page.text[line.start : line.end] for line in page.lines]


def draw(path: Path, lines: list[str], *, font: str = "Helvetica", leading: float = 14) -> Path:
    drawing = canvas.Canvas(str(path))
    drawing.setFont(font, 10)
    for number, line in enumerate(lines):
        drawing.drawString(72, 750 - number * leading, line)
    drawing.save()
    return path


def test_each_line_is_cut_out_of_the_text_by_its_offsets(make_pdf: Callable[..., Path]) -> None:
    first = "Alpha one\nBeta  two \nGamma, (three)\nDelta four"
    pages = pages_of(make_pdf([first, "naïve café — “quoted”"]))
    assert printed(pages[0]) == ["Alpha one", "Beta two", "Gamma, (three)", "Delta four"]
    assert pages[0].text == "\n".join(printed(pages[0]))
    assert [page.number for page in pages] == [1, 2]
    for page in pages:
        assert unicodedata.is_normalized("NFC", page.text)
        ends = [0, *(line.end for line in page.lines)]
        assert all(line.start >= end for line, end in zip(page.lines, ends, strict=False))


def test_lines_follow_one_another_down_the_page(make_pdf: Callable[..., Path]) -> None:
    (page,) = pages_of(make_pdf(["one\ntwo\nthree"]))
    tops = [line.box.top for line in page.lines]
    assert tops == sorted(tops)
    assert len(set(tops)) == 3


def test_words_broken_at_line_ends_come_out_whole(tmp_path: Path) -> None:
    lines = ["This is infor-", "mation, a well-", "known thing of Anglo-", "Saxon make: COVID-", "19, long-"]
    (page,) = pages_of(
        draw(tmp_path / "a.pdf", [*lines, "and short-term, year-over-", "year. A dash -", "stays; ends-"])
    )
    assert page.text == (
        "This is information, a well-known thing of Anglo-Saxon make: COVID-19, long-\n"
        "and short-term, year-over-year. A dash -\nstays; ends-"
    )
    assert printed(page)[:3] == ["This is infor", "mation, a well-", "known thing of Anglo-"]
    assert len(page.lines) == 8


def test_two_words_of_the_document_keep_the_hyphen_between_them(tmp_path: Path) -> None:
    (page,) = pages_of(
        draw(tmp_path / "a.pdf", ["One vendor focused on it.", "We are vendor-", "focused, and info-", "focused."])
    )
    assert page.text == "One vendor focused on it.\nWe are vendor-focused, and infofocused."


def test_a_compound_the_document_writes_elsewhere_keeps_its_hyphen(tmp_path: Path) -> None:
    (page,) = pages_of(draw(tmp_path / "a.pdf", ["We refer to carve-", "outs often."]))
    assert page.text == "We refer to carveouts often."
    drawing = canvas.Canvas(str(tmp_path / "b.pdf"))
    drawing.drawString(72, 700, "Several (carve-outs) exist.")
    drawing.showPage()
    drawing.drawString(72, 700, "We refer to carve-")
    drawing.drawString(72, 686, "outs often.")
    drawing.save()
    assert pages_of(tmp_path / "b.pdf")[1].text == "We refer to carve-outs often."


@pytest.mark.parametrize(
    ("left", "right", "mark"),
    [
        ("the infor", "mation", ""), ("self", "service", "-"), ("twenty", "five", "-"), ("strong", "er one", ""),
        ("long", "er", ""), ("e", "mail", "-"), ("state-of-the", "art", "-"), ("two", "year-old", "-"),
        ("over", "Europe", "-"), ("short", "and", "-\n"), ("corto", "y", "-\n"), ("inter", "national", ""),
        ("ex", "ample", ""), ("pro", "visión", ""),
    ],
)  # fmt: skip
def test_a_simple_rule_tells_a_hyphen_from_a_broken_word(left: str, right: str, mark: str) -> None:
    assert repair.hyphen(left, right) == mark


def test_ligatures_open_and_accents_compose_and_controls_go(tmp_path: Path) -> None:
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    (page,) = pages_of(draw(tmp_path / "a.pdf", ["eﬃcient ﬁles ﬂow", "plain"], font="Vera"))
    assert "files flow" in page.text
    assert repair.clean("e\u0301 o\ufb03ce\u00a0 x\x07y \ud800z\u200b \u202eabc") == "é office xy z abc"


@pytest.mark.parametrize(
    "lines", [["a\ufffe", "\u0301b"], ["x-", "", "  ", "y"], ["", "\ufffe"], ["\x00", "a\x00\ufffe"], []]
)
def test_offsets_and_composed_form_survive_odd_lines(lines: list[str]) -> None:
    text, rows = repair.join(lines)
    assert unicodedata.is_normalized("NFC", text)
    assert all(0 <= start < end <= len(text) for _, start, end in rows)
    assert "".join(text[start:end] for _, start, end in rows) == text.replace("\n", "")


def test_an_empty_line_stands_where_the_page_leaves_a_gap(tmp_path: Path) -> None:
    drawing = canvas.Canvas(str(tmp_path / "a.pdf"))
    for y, text in (
        (700, "First line"),
        (686, "second line."),
        (672, "third line."),
        (640, "New paragraph"),
        (626, "goes on."),
    ):
        drawing.drawString(72, y, text)
    drawing.save()
    (page,) = pages_of(tmp_path / "a.pdf")
    assert page.text == "First line\nsecond line.\nthird line.\n\nNew paragraph\ngoes on."


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox[40 500 400 760]"])
@pytest.mark.parametrize("words", ["Typography", "Typography (by) hand, gently", "A  b"])
def test_a_box_covers_the_ink_of_its_line_as_the_page_is_shown(
    tmp_path: Path, rotation: int, crop: str, words: str
) -> None:
    content = f"BT /F 20 Tf 60 600 Td ({words}) Tj ET"
    path = tmp_path / "a.pdf"
    path.write_bytes(hostile.simple(content, more=f"/MediaBox[0 0 600 800]/Rotate {rotation}{crop}"))
    (page,) = pages_of(path)
    (line,) = page.lines
    picture = (
        Image.open(io.BytesIO(readers.render(path, 1, width=800))).convert("L").point(lambda value: 255 * (value < 128))
    )
    left, top, right, bottom = picture.getbbox() or (0, 0, 0, 0)
    wide, high = picture.size
    box = line.box
    assert 0 <= box.left < box.right <= 1
    assert 0 <= box.top < box.bottom <= 1
    assert box.left * wide <= left + 1
    assert box.right * wide >= right - 1
    assert box.top * high <= top + 1
    assert box.bottom * high >= bottom - 1
    ink, area = (right - left) * (bottom - top), (box.right - box.left) * (box.bottom - box.top) * wide * high
    assert area < 2 * ink


def test_what_lies_outside_the_shown_page_is_not_read(tmp_path: Path) -> None:
    content = "BT /F 20 Tf 60 600 Td (Shown) Tj 0 -500 Td (Hidden) Tj ET"
    path = tmp_path / "a.pdf"
    path.write_bytes(hostile.simple(content, more="/MediaBox[0 0 600 800]/CropBox[40 500 400 760]"))
    (page,) = pages_of(path)
    assert page.text == "Shown"


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_page_image_has_the_width_asked_for_and_the_pages_shape(tmp_path: Path, rotation: int) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(hostile.simple(more=f"/MediaBox[0 0 600 800]/Rotate {rotation}"))
    size = Image.open(io.BytesIO(readers.render(path, 1, width=300))).size
    assert size == ((300, 400) if rotation == 0 else (300, 225))


def test_a_page_image_is_bounded_and_keeps_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(hostile.simple("1 0 0 rg 0 0 600 800 re f"))
    picture = Image.open(io.BytesIO(readers.render(path, 1, width=10**9)))
    assert picture.size[0] * picture.size[1] <= 16_000_000
    assert picture.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    with pytest.raises(readers.CannotDraw):
        readers.render(path, 2, width=100)


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7", "a.txt", "pdf"), (b"<html>", "a.pdf", "pdf"), (b"# Title", "a.md", "markdown"),
        (b"words", "a.TXT", "text"), (b"words", "README", "text"), (b"\x89PNG\r\n\x1a\n\0\0", "a.txt", None),
        (b"PK\x03\x04\0\0", "a.docx", None), (b"words", "a.exe", None), ("hé".encode("utf-16"), "a.txt", "text"),
    ],
)  # fmt: skip
def test_the_bytes_say_what_a_file_is_before_its_name_does(data: bytes, name: str, kind: str | None) -> None:
    assert kind_of(data, name) == kind
