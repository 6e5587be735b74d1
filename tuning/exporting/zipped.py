"""In: a ZIP from elsewhere. Out: its files in a folder; none outside it, no more than they may be, no links."""

from __future__ import annotations

import stat
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from tuning.errors import ForPerson
from tuning.exporting.stage import room
from tuning.training.foreign import LARGEST

MOST_FILES = 200
_PIECE = 8 << 20  # bytes between two looks at `stop`


def unpacked(file: Path, into: Path, stop: threading.Event) -> Iterator[dict[str, Any]]:
    """{what, done, of} in bytes. ForPerson where it is no ZIP, or not one of a model."""
    if not file.is_file():
        raise ForPerson(
            f"There is no folder and no file {file}: check the name.",
            spanish=f"No existe la carpeta ni el archivo {file}: comprueba el nombre.",
        )
    try:
        with zipfile.ZipFile(file) as packed:
            yield from _unpacked(packed, file, into, stop)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError):  # RuntimeError: a password
        raise _refused(file, "it is no ZIP that can be read", "no es un ZIP que se pueda leer") from None


def _unpacked(packed: zipfile.ZipFile, file: Path, into: Path, stop: threading.Event) -> Iterator[dict[str, Any]]:
    entries = [one for one in packed.infolist() if not one.is_dir()]
    if len(entries) > MOST_FILES or sum(one.file_size for one in entries) > LARGEST:
        raise _refused(file, "it holds too much", "contiene demasiado")
    for one in entries:
        path = PurePosixPath(one.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in one.filename or stat.S_ISLNK(one.external_attr >> 16):
            raise _refused(file, f"{one.filename[:80]} points elsewhere", f"{one.filename[:80]} apunta a otro sitio")
    total, done = sum(one.file_size for one in entries), 0
    room(into, total)
    for one in entries:
        target = into / PurePosixPath(one.filename.replace("\\", "/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        with packed.open(one) as source, target.open("wb") as out:
            while piece := source.read(_PIECE):
                if stop.is_set():
                    return
                out.write(piece)
                done += len(piece)
                yield {"what": "unpack", "done": done, "of": total}


def _refused(file: Path, why: str, spanish: str) -> ForPerson:
    return ForPerson(
        f"{file.name} is not taken in: {why}. Choose a folder, or a ZIP of one.",
        spanish=f"No se acepta {file.name}: {spanish}. Elige una carpeta o un ZIP de una.",
    )
