"""In: a path. Out: what is wrong with the file before its first line is read: not there, not text, not lines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO

from tuning.checking.values import Note

_HEAD = 2**16  # bytes looked at
_BOM = b"\xef\xbb\xbf"
_WIDE = {  # byte order marks, the longer first
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_SIGNATURES = {
    b"PK\x03\x04": "ZIP",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"%PDF": "PDF",
    b"SQLite format 3": "SQLite",
    b"\x89PNG": "PNG",
}
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13})


def opened(path: Path, note: Note) -> BinaryIO | None:
    """The file, open; None where it cannot be."""
    try:
        if path.is_dir():
            note("", "file_directory", name=path.name)
        elif not path.exists():
            note("", "file_missing", name=path.name)
        elif not path.is_file():  # a pipe would be waited on for ever
            note("", "file_not_regular", name=path.name)
        elif not path.stat().st_size:
            note("", "file_empty", name=path.name)
        else:
            return path.open("rb", buffering=2**18)
    except (OSError, ValueError) as error:  # ValueError: a null in the name
        unreadable(path, error, note)
    return None


def unreadable(path: Path, error: Exception, note: Note) -> None:
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    note("", "file_unreadable", name=path.name, reason=reason)


def begins_well(file: BinaryIO, note: Note) -> bool:
    """Whether lines of text follow. A UTF-8 byte order mark is noted and passed over."""
    head = file.read(_HEAD)
    file.seek(0)
    wide = next((name for mark, name in _WIDE.items() if head.startswith(mark)), "") or _wide_by_zeros(head)
    if wide:
        note("", "utf16", found=wide)
        return False
    found = next((name for mark, name in _SIGNATURES.items() if head.startswith(mark)), "") or _binary(head)
    if found:
        note("", "not_text", found=found)
        return False
    if head.startswith(_BOM):
        note("", "bom")
        file.seek(len(_BOM))
    if _is_array(head.removeprefix(_BOM)):
        note("", "json_array")
        return False
    return True


def _wide_by_zeros(head: bytes) -> str:
    """UTF-16 without a mark: every second byte of plain text is zero."""
    even, odd = head[0:64:2], head[1:64:2]
    if len(odd) > 1 and ((not any(even) and all(odd)) or (not any(odd) and all(even))):
        return "UTF-16"
    return ""


def _binary(head: bytes) -> str:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return "binary" if controls > len(head) / 10 else ""


def _is_array(head: bytes) -> bool:
    """One list for all, not a list on each line."""
    start = head.lstrip()
    if not start.startswith(b"["):
        return False
    first, _, more = start.partition(b"\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return not more.strip()
