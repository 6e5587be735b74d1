"""In: a PDF file. Out: pages as plain text with line boxes, or one page as PNG. The one home of PDFium.

Runs in the child process only: a hostile file can make PDFium hang or abort. Imports nothing of ours but `repair`, so
that the child starts in about 60 ms. PDFium is called through its C interface because `pypdfium2`'s own helpers
ask for every rectangle and character one object at a time.
"""

from __future__ import annotations

import ctypes
import mmap
import re
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdfium2_raw as pdfium

from knowledge.readers import repair

SCALE = 100_000  # boxes travel as whole numbers: fractions of the displayed page times this
_PAGE_CHARACTERS = 500_000  # more than any page of print; a page beyond it is not read
_PAGE_LINES = 20_000
_RECTANGLES = 12  # asked for per line at most: some files make every letter its own rectangle (490,000 in 160 pages)
_PIXELS = 16_000_000  # of a rendered page
_LINE = re.compile("[^\r\n\ufffe]+\ufffe?")  # PDFium ends lines with \r\n, and with U+FFFE inside a hyphenated word
_REFUSALS = {2: "gone", 3: "damaged", 4: "password", 5: "security"}

Rectangle = tuple[float, float, float, float]


class Refused(Exception):  # noqa: N818 - an outcome with a name, not a fault
    """PDFium does not open the file; `str(error)` is the message code."""


class File:
    """An open PDF. Never closed by hand: its process ends with it."""

    def __init__(self, path: Path, password: str | None) -> None:
        pdfium.FPDF_InitLibrary()
        with path.open("rb") as file:
            # Private pages: what `from_buffer` asks for; nothing is written back.
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        buffer = (ctypes.c_char * len(self._bytes)).from_buffer(self._bytes)
        secret = None if password is None else password.encode("utf-8", "replace") + b"\0"
        self._document = pdfium.FPDF_LoadMemDocument64(buffer, len(self._bytes), secret)
        if not self._document:
            raise Refused(_REFUSALS.get(pdfium.FPDF_GetLastError(), "damaged"))
        self._words: set[str] = set()  # of the pages so far, learned when the first broken line asks for them
        self._unlearned: list[str] = []
        self.pages = int(pdfium.FPDF_GetPageCount(self._document))
        if self.pages < 1:
            raise Refused("damaged")

    def text(self, number: int) -> tuple[str, list[int]] | None:
        """Text of page `number` (from 1) and six numbers a line: start, end, left, top, right, bottom (times SCALE).

        None where the page cannot be read.
        """
        page = pdfium.FPDF_LoadPage(self._document, number - 1)
        if not page:
            return None
        sheet = pdfium.FPDFText_LoadPage(page)
        try:
            return self._text(page, sheet) if sheet else None
        finally:
            if sheet:
                pdfium.FPDFText_ClosePage(sheet)
            pdfium.FPDF_ClosePage(page)

    def _text(self, page: Any, sheet: Any) -> tuple[str, list[int]] | None:
        count = pdfium.FPDFText_CountChars(sheet)
        if count > _PAGE_CHARACTERS:
            return None
        if count < 1:
            return "", []
        raw = _characters(sheet, count)
        lines: list[str] = []
        boxes: list[Rectangle | None] = []
        show = _Display(page)
        for match in _LINE.finditer(raw):
            if match.group().isspace():
                continue
            box = None
            if len(lines) < _PAGE_LINES:
                box = _place(sheet, raw, *match.span(), same=len(raw) == count)
            shown = None if box is None else show(box)
            if box is not None and shown is None:
                continue  # wholly outside of what the page shows
            lines.append(match.group())
            boxes.append(shown)
        self._unlearned.append(raw)
        if any(map(repair.broken, lines)):
            self._learn()
        elif len(self._unlearned) > 100:
            del self._unlearned[0]
        text, rows = repair.join(lines, _spaced(boxes), self._words)
        return text, _flat(rows, boxes)

    def _learn(self) -> None:
        for text in self._unlearned:
            if len(self._words) < 200_000:
                self._words |= repair.words(text)
        self._unlearned.clear()

    def png(self, number: int, width: int) -> bytes | None:
        """Page `number` (from 1) at `width` pixels, annotations drawn; None where the page cannot be read."""
        page = pdfium.FPDF_LoadPage(self._document, number - 1)
        if not page:
            return None
        wide, high = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
        if not (wide > 0 and high > 0):
            return None
        shape = high / wide
        width = max(1, min(width, int((_PIXELS / shape) ** 0.5)))
        height = max(1, min(round(width * shape), _PIXELS // width))
        bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_BGR, None, 0)
        if not bitmap:
            raise MemoryError
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
        stride = pdfium.FPDFBitmap_GetStride(bitmap)
        pixels = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * height)
        return _png(pixels, width, height, stride)


class _Display:
    """From PDF points to fractions of the displayed page: rotation and crop box are PDFium's business."""

    def __init__(self, page: Any) -> None:
        size = 1 << 20  # PDFium answers in whole device pixels, so the device is large
        self._corners = []
        x, y = ctypes.c_int(), ctypes.c_int()
        for across, up in ((0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0)):
            pdfium.FPDF_PageToDevice(page, 0, 0, size, size, 0, across, up, ctypes.byref(x), ctypes.byref(y))
            self._corners.append((x.value / size, y.value / size))
        (self._x, self._y), right, up_ = self._corners
        self._xx, self._yx = (right[0] - self._x) / 1000, (right[1] - self._y) / 1000
        self._xy, self._yy = (up_[0] - self._x) / 1000, (up_[1] - self._y) / 1000

    def __call__(self, box: Rectangle) -> Rectangle | None:
        """left, bottom, right, top in points → left, top, right, bottom in 0..1; None when nothing of it shows."""
        left, bottom, right, top = box
        x1 = self._x + self._xx * left + self._xy * bottom
        x2 = self._x + self._xx * right + self._xy * top
        y1 = self._y + self._yx * left + self._yy * bottom
        y2 = self._y + self._yx * right + self._yy * top
        if x1 > x2:
            x1, x2 = x2, x1
        if y1 > y2:
            y1, y2 = y2, y1
        if x2 <= 0 or y2 <= 0 or x1 >= 1 or y1 >= 1:
            return None
        return max(x1, 0.0), max(y1, 0.0), min(x2, 1.0), min(y2, 1.0)


def _characters(sheet: Any, count: int) -> str:
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = pdfium.FPDFText_GetText(sheet, 0, count, buffer)
    return ctypes.string_at(buffer, max(0, written - 1) * 2).decode("utf-16-le", "surrogatepass")


_LEFT, _TOP, _RIGHT, _BOTTOM = (ctypes.c_double() for _ in range(4))
_SIDES = tuple(ctypes.byref(side) for side in (_LEFT, _TOP, _RIGHT, _BOTTOM))
_LOOSE = pdfium.FS_RECTF()


def _place(sheet: Any, raw: str, start: int, end: int, *, same: bool) -> Rectangle | None:
    """Where `raw[start:end]` stands. `same`: characters and text indices agree; PDFium may have left characters out."""
    if same:
        return _sampled(sheet, raw, start, end) or _box(sheet, start, end)
    first = pdfium.FPDFText_GetCharIndexFromTextIndex(sheet, start)
    return _box(sheet, first, pdfium.FPDFText_GetCharIndexFromTextIndex(sheet, end - 1) + 1)


def _sampled(sheet: Any, raw: str, start: int, end: int) -> Rectangle | None:
    """The box of an ordinary line from about eight of its characters: they run left to right at one height.

    None where they do not, and for short lines: `_box` looks closer. A filing that places every letter by itself
    is read at 237 pages a CPU second so, at 202 with `_box` alone; one line in 300 comes out more than 3 points short.
    """
    line = raw[start:end].rstrip(" \ufffe")
    size = len(line)
    if size < 12:
        return None
    left, right, bottom, top = float("inf"), float("-inf"), float("inf"), float("-inf")
    highest = 0.0
    for index in (0, *range(size // 7, size - 1, size // 7), size - 1):
        if line[index] == " ":
            continue
        if not pdfium.FPDFText_GetLooseCharBox(sheet, start + index, _LOOSE):
            return None
        height = _LOOSE.top - _LOOSE.bottom
        if not 2 < height < 40 or _LOOSE.right < right:
            return None
        left, right = min(left, _LOOSE.left), _LOOSE.right
        bottom, top, highest = min(bottom, _LOOSE.bottom), max(top, _LOOSE.top), max(highest, height)
    return (left, bottom, right, top) if top - bottom < 1.5 * highest and left < right else None


def _box(sheet: Any, start: int, end: int) -> Rectangle | None:
    """The union of a line's rectangles in points: left, bottom, right, top. None where nothing has a place."""
    count = pdfium.FPDFText_CountRects(sheet, start, end - start)
    step = 1 if count <= _RECTANGLES else count // _RECTANGLES
    left = bottom = float("inf")
    right = top = float("-inf")
    for index in [*range(0, count, step), count - 1] if count else ():
        pdfium.FPDFText_GetRect(sheet, index, *_SIDES)
        left, right = min(left, _LEFT.value), max(right, _RIGHT.value)
        bottom, top = min(bottom, _BOTTOM.value), max(top, _TOP.value)
    tight = top - bottom
    for index in (start, end - 1):  # the font's own height, so that a line without tall letters is as high as the next
        if pdfium.FPDFText_GetLooseCharBox(sheet, index, _LOOSE) and 0 < _LOOSE.top - _LOOSE.bottom <= 3 * tight:
            left, right = min(left, _LOOSE.left), max(right, _LOOSE.right)
            bottom, top = min(bottom, _LOOSE.bottom), max(top, _LOOSE.top)
    return (left, bottom, right, top) if left <= right and bottom <= top else None


def _spaced(boxes: list[Rectangle | None]) -> list[bool]:
    """True for a line that stands clearly further below the one before it than lines of this page usually do."""
    gaps: list[float | None] = [None]
    for above, below in pairwise(boxes):
        gaps.append(None if above is None or below is None or below[1] < above[1] else max(0.0, below[1] - above[3]))
    known = sorted(gap for gap in gaps if gap is not None)
    if not known:
        return [False] * len(boxes)
    usual = known[len(known) // 2]
    return [
        gap is not None and box is not None and gap > usual + (box[3] - box[1]) / 2
        for gap, box in zip(gaps, boxes, strict=True)
    ]


def _flat(rows: list[tuple[int, int, int]], boxes: list[Rectangle | None]) -> list[int]:
    flat: list[int] = []
    for index, start, end in rows:
        box = boxes[index]
        if box is not None and start < end:
            # Outward to the next step, so that the printed line stays inside.
            left, top = int(box[0] * SCALE), int(box[1] * SCALE)
            flat += (start, end, left, top, min(SCALE, int(box[2] * SCALE) + 1), min(SCALE, int(box[3] * SCALE) + 1))
    return flat


def _png(pixels: bytes, width: int, height: int, stride: int) -> bytes:
    """RGB rows → PNG; a page without colour takes one byte a pixel. Text compresses well without row filters."""
    depth = 3
    if stride == width * 3 and pixels[0::3] == pixels[1::3] == pixels[2::3]:
        pixels, stride, depth = pixels[0::3], width, 1
    rows = b"".join(b"\0" + pixels[at : at + width * depth] for at in range(0, stride * height, stride))
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if depth == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 5)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
