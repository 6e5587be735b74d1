"""In: a text or Markdown file. Out: pages of a few thousand characters that end where paragraphs do, and the outcome.

Knows nothing of PDF. The file is read twice, a piece at a time: once to learn its encoding, that it is text and how
many pages it makes, once to yield them; memory stays small whatever the file's size.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from knowledge.readers.kinds import binary
from knowledge.readers.outcomes import Ended, Limits, Opened, ended
from knowledge.values import Page

_PIECE = 1 << 20  # bytes read at a time
_LONG = 4000  # characters a page has at most
_SHORT = 1000  # a heading opens a new page once this much stands on the one before
_CONTROLS = dict.fromkeys((*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0xFEFF, *range(0xD800, 0xE000)))
_HEADING = re.compile(r"#{1,6} ")


def read(path: Path, kind: str, limits: Limits, stop: Event | None) -> Iterator[Opened | Page | Ended]:
    try:
        encoding = encoding_of(path)
        if encoding is None:
            yield ended("not_text")
            return
        total = words = 0
        for text in _pages(path, encoding, kind):
            total += 1
            words += not text.isspace()
            if total > limits.pages or (stop is not None and stop.is_set()):
                break
        if total > limits.pages:
            yield ended("too_many_pages", pages=total, limit=limits.pages)
        elif not words:
            yield ended("no_text_plain")
        else:
            yield from _read(path, encoding, kind, total, stop)
    except OSError:
        yield ended("gone")


def _read(path: Path, encoding: str, kind: str, total: int, stop: Event | None) -> Iterator[Opened | Page | Ended]:
    yield Opened(total)
    number = 0
    for text in _pages(path, encoding, kind):
        if stop is not None and stop.is_set():
            yield ended("cancelled", number, pages=total)
            return
        number += 1
        yield Page(number, text)
    yield ended("ready", number, pages=number)


def encoding_of(path: Path) -> str | None:
    """How to read the file; None where it is not text. Latin-1 fits everything, so it is asked last."""
    with path.open("rb") as file:
        head = file.read(4096)
    if binary(head):
        return None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16" if _decodes(path, "utf-16") else None
    return "utf-8-sig" if _decodes(path, "utf-8-sig") else "cp1252"


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
    return True


def _pages(path: Path, encoding: str, kind: str) -> Iterator[str]:
    """Texts of at most `_LONG` characters, NFC, cut at empty lines, else at line ends, else at spaces."""
    page = ""
    for block in _blocks(path, encoding):
        opens = kind == "markdown" and len(page) >= _SHORT and _HEADING.match(block) is not None
        if page and (opens or len(page) + len(block) > _LONG):
            yield from _finished(page)
            page = ""
        page += block
    yield from _finished(page)


def _finished(page: str) -> Iterator[str]:
    text = normal(page).strip("\n")
    if text.strip():
        yield text


def normal(text: str) -> str:
    """NFC, without control characters."""
    return unicodedata.normalize("NFC", text.translate(_CONTROLS))


def _blocks(path: Path, encoding: str) -> Iterator[str]:
    """Paragraphs with the empty lines after them; a longer one than `_LONG` comes in parts."""
    block = ""
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        # `readline` with a limit: a file may be one line of 50 MB
        while line := file.readline(_LONG // 2):
            empty = line.isspace()
            heading = _HEADING.match(line) is not None and block.endswith("\n")
            if block and (heading or len(block) + len(line) > _LONG or (block.endswith("\n\n") and not empty)):
                cut = len(block) if block.endswith(("\n", " ")) else _cut(block)
                yield block[:cut]
                block = block[cut:]
            block = block + ("\n" if empty and line.endswith("\n") else line)
            if block.count("\n") == len(block) > 2:
                block = "\n\n"
    if block:
        yield block


def _cut(block: str) -> int:
    """Where to break a block that ends inside a line: after its last space, never before a combining mark."""
    space = block.rfind(" ", len(block) // 2)
    if space >= 0:
        return space + 1
    cut = len(block)
    while cut > 1 and not unicodedata.is_normalized("NFC", block[cut - 1 : cut]):
        cut -= 1
    return cut
