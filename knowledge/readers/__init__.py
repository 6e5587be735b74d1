"""The front door of reading: a file goes in; `Opened`, pages and one named outcome come out, as they are read.

    for item in read(path, kind_of(path, "report.pdf"), password=None, limits=Limits(), stop=None):
        Opened(pages=12), Page(1, "…", lines), Page(2, …), …, Ended(Status.READY, "The whole file was read; …", 12)

A file nobody trusts never harms the process: PDFium runs in a child with limits on memory and time. Nothing raises for
a bad file; the last item is always `Ended`, and its `code` with its `values` gives the sentence in another language.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from knowledge.messages import sentence
from knowledge.readers.kinds import kind_of
from knowledge.readers.outcomes import CannotDraw, Ended, Limits, Opened, empty, ended
from knowledge.values import Page

__all__ = ["CannotDraw", "Ended", "Limits", "Opened", "kind_of", "read", "render", "sentence"]


def read(
    path: Path | str,
    kind: str,
    *,
    password: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    stop: Event | None = None,
) -> Iterator[Opened | Page | Ended]:
    """Read a document of `kind` ("pdf", "text", "markdown", "csv"). Setting `stop` ends it within a second.

    Closing the iterator ends the child too. Pages that could not be read are left out; `Ended` says how many.
    """
    path = Path(path).absolute()
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        yield ended("not_a_file")
        return
    most = limits.bytes if kind == "pdf" else limits.text_bytes
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(1024)
    except OSError:
        yield ended("gone")
        return
    if size == 0:
        yield empty(kind)
    elif size > most:
        yield ended("too_big", megabytes=-(-size // 1_000_000), limit=most // 1_000_000)
    elif kind == "pdf" and b"%PDF-" not in head:
        yield ended("not_a_pdf")
    elif kind == "pdf":
        from knowledge.readers import guarded

        yield from guarded.read(path, password, limits, stop)
    elif kind in ("text", "markdown"):
        from knowledge.readers import plain

        yield from plain.read(path, kind, limits, stop)
    elif kind == "csv":
        from knowledge.readers import table

        yield from table.read(path, limits, stop)
    else:
        yield ended("not_text")


def render(
    path: Path | str,
    page: int,
    *,
    width: int = 1200,
    password: str | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> bytes:
    """PNG of one page of a PDF, `page` from 1, `width` in pixels (16 to 4,000). Raises CannotDraw."""
    from knowledge.readers import guarded

    return guarded.render(Path(path).absolute(), page, width, password, limits)
