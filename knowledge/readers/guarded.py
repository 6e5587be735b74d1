"""In: a PDF nobody trusts. Out: its pages and a named outcome, or one page as PNG. PDFium runs in a child process.

A page that takes its child down (hang, abort, memory) is given up and a new child goes on with the page after it, a few
times at most. What a child says is checked here: offsets lie in the text and boxes on the page.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

from knowledge.readers import process
from knowledge.readers.outcomes import CannotDraw, Ended, Limits, Opened, ended
from knowledge.values import Box, Line, Page

_SCALE = 100_000  # as in `pdf.SCALE`, which lies behind the vendor's import
_REFUSALS = frozenset({"gone", "damaged", "password", "wrong_password", "security"})
Row = dict[str, Any]


def read(path: Path, password: str | None, limits: Limits, stop: Event | None) -> Iterator[Opened | Page | Ended]:
    yield from _Reading(path, password, limits, stop).items()


def render(path: Path, page: int, width: int, password: str | None, limits: Limits) -> bytes:
    """PNG of page `page` (from 1). Raises CannotDraw."""
    asked = _request("render", path, password, limits, page=page, width=max(16, min(width, 4000)))
    try:
        with process.Child(asked) as child:
            row = child.row(limits.seconds)
    except process.NotStarted:
        raise CannotDraw("failed") from None
    except process.TimedOut:
        raise CannotDraw("timed_out", seconds=round(limits.seconds)) from None
    except process.OutOfMemory:
        raise CannotDraw("memory", megabytes=limits.memory >> 20) from None
    except process.Ended:
        raise CannotDraw("crashed") from None
    refused = row.get("refused")
    if refused is not None:
        raise CannotDraw(refused if refused in _REFUSALS else "page")
    try:
        return base64.b64decode(str(row.get("png", "")), validate=True)
    except ValueError:
        raise CannotDraw("page") from None


class _Reading:
    """One document being read: what was read so far, and why the rest was not."""

    def __init__(self, path: Path, password: str | None, limits: Limits, stop: Event | None) -> None:
        self._path, self._password, self._limits, self._stop = path, password, limits, stop
        self._pages = 0  # 0 until the child has opened the file
        self._next = 1
        self._read = self._with_text = self._characters = 0
        self._waited = 0.0  # seconds; what the consumer does with a page in between is not the file's fault
        self._spent = 0.0  # seconds of the limit that was met last: a page's own or the whole file's
        self._cause = ""  # why a page is missing: "damaged", "crashed", "memory", "timed_out"

    def items(self) -> Iterator[Opened | Page | Ended]:
        strikes = 0
        while True:
            code = ""
            try:
                with process.Child(self._ask()) as child:
                    yield from self._pages_of(child)
                code = self._final()
            except process.Stopped:
                code = "cancelled"
            except process.NotStarted:
                code = "failed"
            except process.TimedOut:
                self._cause = "timed_out"
            except process.OutOfMemory:
                self._cause = "memory"
            except process.Ended:
                self._cause = "crashed"
            except _Refused as refused:
                code = str(refused)
            if code:
                break
            strikes += 1
            self._next += 1
            spent = self._waited >= self._limits.wall(self._pages)
            if not self._pages or self._next > self._pages or spent or strikes > self._limits.restarts:
                code = self._final()
                break
        yield self._ended(code)

    def _pages_of(self, child: process.Child) -> Iterator[Opened | Page]:
        """Pages until the child is done; raises as `Child.row` does."""
        while True:
            row = self._row(child)
            if "page" in row or "unreadable" in row:
                page = self._page(row)
                if page is not None:
                    yield page
            elif "pages" in row:
                if not self._pages:
                    yield Opened(self._opened(row))
            elif "refused" in row:
                raise _Refused(row["refused"] if row["refused"] in _REFUSALS else "failed")
            else:
                return

    def _row(self, child: process.Child) -> Row:
        wall = self._limits.wall(self._pages)
        left = wall - self._waited
        page_alone = self._pages > 0 and self._limits.page_seconds < left
        started = time.monotonic()
        try:
            return child.row(self._limits.page_seconds if page_alone else left, self._stop)
        except process.TimedOut:
            self._spent = self._limits.page_seconds if page_alone else wall
            raise
        finally:
            self._waited += time.monotonic() - started

    def _opened(self, row: Row) -> int:
        pages = row["pages"]
        if not isinstance(pages, int) or pages < 1:
            raise process.Ended
        self._pages = pages
        if pages > self._limits.pages:
            raise _Refused("too_many_pages")
        return pages

    def _page(self, row: Row) -> Page | None:
        if row.get("unreadable") == self._next:
            self._cause = self._cause or "damaged"
            self._next += 1
            return None
        if row.get("page") != self._next:
            raise process.Ended
        page = _checked(row)
        self._characters += len(page.text)
        if self._characters > self._limits.characters:
            raise _Refused("partial_too_long" if self._with_text else "too_many_pages")
        self._next += 1
        self._read += 1
        self._with_text += not (page.text == "" or page.text.isspace())
        return page

    def _final(self) -> str:
        """The outcome's code once nothing more will be read."""
        if self._read == self._pages and self._pages:
            if not self._with_text:
                return "no_text"
            return "ready" if self._with_text * 2 >= self._pages else "mostly_without_text"
        cause = self._cause or "damaged"
        if cause == "timed_out" and self._with_text and self._spent < self._limits.wall(self._pages):
            return "partial_slow"  # a page's own limit
        if self._with_text:
            return "partial_damaged" if cause == "crashed" else f"partial_{cause}"
        return cause

    def _ended(self, code: str) -> Ended:
        limits = self._limits
        return ended(
            code,
            self._read,
            pages=self._pages,
            with_text=self._with_text,
            seconds=round(self._spent or limits.wall(self._pages)),
            megabytes=limits.memory >> 20,
            characters=limits.characters,
            limit=limits.pages,
        )

    def _ask(self) -> Row:
        first = {"first": self._next, "pages": self._limits.pages}
        return _request("read", self._path, self._password, self._limits, **first)


class _Refused(Exception):  # noqa: N818 - an outcome with a name
    """Reading ends here; `str(error)` is the message code."""


def _request(verb: str, path: Path, password: str | None, limits: Limits, **more: int) -> Row:
    seconds = int(limits.seconds_at_most + limits.seconds) + 1
    return {"verb": verb, "path": str(path), "password": password, "memory": limits.memory, "seconds": seconds, **more}


def _checked(row: Row) -> Page:
    """A row of the child as a page; raises process.Ended where it is not one."""
    text, numbers = row.get("text"), row.get("lines")
    if not isinstance(text, str) or not isinstance(numbers, list) or len(numbers) % 6:
        raise process.Ended
    lines = []
    at, size = 0, len(text)
    try:
        for start, end, left, top, right, bottom in zip(*[iter(numbers)] * 6, strict=True):
            if not (at <= start < end <= size and 0 <= left <= right <= _SCALE and 0 <= top <= bottom <= _SCALE):
                raise process.Ended
            at = end
            lines.append(Line(start, end, Box(left / _SCALE, top / _SCALE, right / _SCALE, bottom / _SCALE)))
    except TypeError:
        raise process.Ended from None
    return Page(row["page"], text, tuple(lines))
