"""In: a path. Out: its parts (itself, or the files of an archive that matter), each as a stream of text.

Whatever a stranger's file may do stops here: archives are read without unpacking to disk and up to a limit, encrypted
ones are refused, encodings are found out. Reading raises `Stopped` when the person stops it, `TooMuch` when an archive
unpacks without end, `Torn` when a file inside one is damaged; a disk that fails is a sentence for a person.
Knows nothing of JSON or of who wrote the file.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Event
from typing import IO, TextIO

from tuning.errors import ForPerson

FREE = 256 << 20  # bytes any archive may unpack to
RATIO = 200  # times its own size that an archive may unpack to beyond FREE: JSON packs 5 to 30 times
MOST = 16 << 30  # bytes no archive may unpack to
FILES = 10_000  # of an archive that are looked at
_HEAD = 1 << 16  # bytes that an encoding is judged by
_SMALL = 64 << 20  # bytes of a file that stands beside the conversations

_CONVERSATIONS = re.compile(r"conversations(-\d+)?\.json", re.IGNORECASE)
_READABLE = re.compile(r".+\.(json|jsonl|ndjson|csv|tsv|txt|md|markdown)", re.IGNORECASE)
# What stands beside the conversations in the archives of ChatGPT and Claude.
_BESIDE = re.compile(
    r"(users?|user_settings|projects|memories|message_feedback|model_comparisons|shared_conversations|group_chats|"
    r"shopping|sora|export_manifest|library_files|conversation_asset_file_names)\.json",
    re.IGNORECASE,
)


class Stopped(Exception):  # noqa: N818 - none of these three is an error to whoever imports
    pass


class TooMuch(Exception):  # noqa: N818
    pass


class Torn(Exception):  # noqa: N818
    pass


@dataclass
class Meter:
    """How far reading is, and whether it may go on."""

    stop: Event = field(default_factory=Event)
    read: int = 0  # bytes, unpacked
    allowed: int | None = None  # None: a plain file may be as long as it is


@dataclass(frozen=True, slots=True)
class Part:
    name: str  # inside the archive, without folders; "" for a plain file
    size: int  # bytes, unpacked, as far as the archive says the truth
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Opened:
    parts: tuple[Part, ...]  # those to be read, in order
    beside: Callable[[str], bytes]  # a small file of the archive by its name, b"" where there is none
    allowed: int | None = None  # bytes that reading all parts may unpack to


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    try:
        size = 0 if path.is_dir() else path.stat().st_size
        if not size:
            raise _person(_EMPTY)
        archive = zipfile.ZipFile(path) if zipfile.is_zipfile(path) else None
    except OSError as error:
        raise unreadable(error) from error
    except _TORN as error:
        raise _person(_DAMAGED) from error
    if archive is None and _begins_an_archive(path):
        raise _person(_DAMAGED)
    if archive is None:
        yield Opened((Part("", size, lambda: path.open("rb")),), lambda name: b"")
        return
    with archive:
        allowed = min(MOST, max(FREE, RATIO * size))
        yield Opened(_chosen(archive), lambda name: _beside(archive, name), allowed)


@contextmanager
def text(part: Part, meter: Meter, newline: str | None = None) -> Iterator[TextIO]:
    """A part as text: UTF-8 unless it says or shows otherwise; what cannot be decoded becomes �."""
    try:
        raw = part.open()
    except OSError as error:
        raise unreadable(error) from error
    except _TORN as error:
        raise Torn from error
    with raw:
        metered = _Metered(raw, meter, packed=bool(part.name))
        head = metered.head(_HEAD)
        buffered = io.BufferedReader(metered, 1 << 16)  # type: ignore[type-var]
        yield io.TextIOWrapper(buffered, encoding=encoding(head), errors="replace", newline=newline)


def encoding(head: bytes) -> str:
    """What the first bytes of a file are written in.

    A byte order mark says it. UTF-16 without one shows by its zeros. Anything else is UTF-8, unless most of its
    letters beyond ASCII are no UTF-8: then it is what Windows writes in the west, cp1252.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) >= 8:
        for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
            if zeros.count(0) > 0.4 * len(zeros):
                return name
    decoded = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
    bad = decoded.count("\ufffd")
    good = sum(letter > "\x7f" for letter in decoded) - bad
    return "cp1252" if bad > good else "utf-8"


def is_export(name: str) -> bool:
    """Whether that is what ChatGPT and Claude call the file with the conversations."""
    return _CONVERSATIONS.fullmatch(name) is not None


def unreadable(error: OSError) -> ForPerson:
    return ForPerson(
        f"The file could not be read ({error.strerror or error}): check that it still exists and may be opened.",
        spanish=f"No se pudo leer el archivo ({error.strerror or error}): comprueba que existe y se puede abrir.",
    )


_EMPTY = (
    "There is nothing in this file: choose the file that the other product exported.",
    "En este archivo no hay nada: elige el archivo que exportó el otro producto.",
)
_LOCKED = (
    "This archive is protected by a password: unpack it first, then import the file inside.",
    "Este archivo comprimido está protegido con contraseña: descomprímelo e importa el archivo que lleva dentro.",
)
_DAMAGED = (
    "This archive is damaged or was not downloaded whole: download it again.",
    "Este archivo comprimido está dañado o no se descargó entero: descárgalo otra vez.",
)
_NOTHING = (
    "There are no conversations in this archive: import the one that ChatGPT or Claude sent you, or a file by itself.",
    "En este archivo comprimido no hay conversaciones: importa el que te envió ChatGPT o Claude, o un archivo suelto.",
)
# A file inside an archive: damaged, packed by a method that is not known, or ended too soon.
_TORN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _begins_an_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\3\4"


def _chosen(archive: zipfile.ZipFile) -> tuple[Part, ...]:
    infos = archive.infolist()[:FILES]
    named = [(PurePosixPath(info.filename).name, info) for info in infos if not _junk(info)]
    exported = [one for one in named if is_export(one[0])]
    others = [one for one in named if _READABLE.fullmatch(one[0]) and not _BESIDE.fullmatch(one[0])]
    chosen = sorted(exported or others, key=lambda one: one[1].filename)
    if not chosen:
        raise _person(_NOTHING)
    if any(info.flag_bits & 0x1 for _, info in chosen):
        raise _person(_LOCKED)
    return tuple(Part(name, info.file_size, partial(archive.open, info)) for name, info in chosen)


def _beside(archive: zipfile.ZipFile, name: str) -> bytes:
    for info in archive.infolist()[:FILES]:
        if PurePosixPath(info.filename).name == name and info.file_size <= _SMALL:
            try:
                with archive.open(info) as file:
                    return file.read(_SMALL)
            except (OSError, *_TORN):
                return b""
    return b""


def _junk(info: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(info.filename)
    return info.is_dir() or info.file_size == 0 or "__MACOSX" in name.parts or name.name.startswith(".")


def _person(said: tuple[str, str]) -> ForPerson:
    return ForPerson(said[0], spanish=said[1])


class _Metered(io.RawIOBase):
    """Counts what passes, stops when asked, and refuses to go on without end."""

    def __init__(self, raw: IO[bytes], meter: Meter, *, packed: bool) -> None:
        self.raw, self.meter, self.packed = raw, meter, packed
        self.kept = b""

    def head(self, size: int) -> bytes:
        self.kept = self._next(size)
        return self.kept

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        got = self.kept[: len(buffer)] or self._next(len(buffer))
        self.kept = self.kept[len(buffer) :]
        buffer[: len(got)] = got
        self.meter.read += len(got)
        return len(got)

    def _next(self, size: int) -> bytes:
        if self.meter.stop.is_set():
            raise Stopped
        if self.meter.allowed is not None and self.meter.read > self.meter.allowed:
            raise TooMuch
        try:
            return self.raw.read(size)
        except OSError as error:
            raise unreadable(error) from error
        except _TORN as error:
            if not self.packed:
                raise
            raise Torn from error
