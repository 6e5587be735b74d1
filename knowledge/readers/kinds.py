"""In: bytes or a file, and the name it came with. Out: what it is. Trusts the bytes before the name."""

from __future__ import annotations

from pathlib import Path, PurePath

_HEAD = 4096  # bytes looked at
_TEXT = {".txt", ".text", ".log", ".rst", ".srt"}
_TABLE = {".csv", ".tsv"}
_MARKDOWN = {".md", ".markdown", ".mdown", ".mkd"}
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def kind_of(source: Path | str | bytes, name: str) -> str | None:
    """ "pdf", "text", "markdown", "csv", or None for what cannot be read.

    A file that calls itself .pdf and is none stays "pdf": reading it then says what is wrong.
    """
    suffix = PurePath(name).suffix.lower()
    head = _head(source)
    if b"%PDF-" in head[:1024] or suffix == ".pdf":
        return "pdf"
    if binary(head):
        return None
    if suffix in _MARKDOWN:
        return "markdown"
    if suffix in _TABLE:
        return "csv"
    return "text" if suffix in _TEXT or suffix == "" else None


def binary(head: bytes) -> bool:
    """True where these first bytes are no text in any of the encodings that are read here."""
    if head.startswith(_BOMS):
        return False
    controls = sum(byte < 9 or 14 <= byte < 27 or 27 < byte < 32 for byte in head)
    return b"\0" in head or controls * 50 > len(head)


def _head(source: Path | str | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:_HEAD]
    try:
        with Path(source).open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
