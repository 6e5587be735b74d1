"""In: a file that another product exported, or that someone wrote. Out: its examples one by one, and what was skipped.

    reading = open_source(Path("export.zip"))          ForPerson where it is nothing that can be imported
    for one in reading:                                once; Example or Skipped, never an error but for a failing disk
        …
    reading.format, reading.read, reading.total        "chatgpt", 1_000_000, 52_000_000 bytes: for a bar
    reading.stop.set()                                 from another thread: the next turn ends it

What a file is, is found out from what stands in it, not from its name. Nothing of it is in memory but the row at hand.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Literal

from tuning.errors import ForPerson
from tuning.sources import files, readers, streams
from tuning.sources.origin import Origin
from tuning.sources.readers import chatgpt
from tuning.sources.skipped import Place, Skipped
from tuning.values import Example


@dataclass
class Reading:
    path: Path
    name: str  # of the file, as the person knows it
    format: str  # one of `readers.KINDS`: of the first part that could be told
    total: int  # bytes to be read; of an archive, unpacked, as far as it says the truth
    key: str
    auto: bool = True
    siblings: bool = False
    origin: str = "import"
    stop: Event = field(default_factory=Event)
    examples: int = 0
    skipped: Counter[str] = field(default_factory=Counter)  # code → how many
    begun: bool = False
    meter: files.Meter = field(default_factory=files.Meter, repr=False)

    @property
    def read(self) -> int:
        """Bytes, unpacked."""
        return self.meter.read

    def __iter__(self) -> Iterator[Example | Skipped]:
        if self.begun:
            raise RuntimeError("a Reading is read once: open the file again")
        self.begun = True
        try:
            for one in self._all():
                if self.stop.is_set():
                    return
                if isinstance(one, Skipped):
                    self.skipped[one.code] += 1
                else:
                    self.examples += 1
                yield one
        except files.Stopped:
            return

    def _all(self) -> Iterator[Example | Skipped]:
        self.meter.stop = self.stop
        with files.opened(self.path) as opened:
            self.meter.allowed = opened.allowed
            liked = chatgpt.liked(opened.beside(chatgpt.FEEDBACK)) if self.format == "chatgpt" else {}
            origin = Origin(self.name, self.key, self.format, self.origin, self.siblings, liked)
            several = len(opened.parts) > 1
            for part in opened.parts:
                file = part.name if several else ""
                try:
                    yield from self._part(part, file, origin)
                except files.Torn:
                    yield Skipped(None, part.name, "member")
                except files.TooMuch:
                    yield Skipped(None, part.name, "bomb")
                    return

    def _part(self, part: files.Part, file: str, origin: Origin) -> Iterator[Example | Skipped]:
        looked_at = self.auto and file and not files.is_export(part.name)  # the numbered files of one export are alike
        kind = _kind(part) if looked_at else self.format
        if not kind:
            yield Skipped(None, file, "unknown")
            return
        if kind in readers.TEXTS:
            reader = readers.TEXTS[kind]
            with files.text(part, self.meter, reader.newline) as text:
                yield from reader.read(text, replace(origin, format=kind), file)
        else:
            with files.text(part, self.meter) as text:
                yield from _rows(streams.values(text), file, replace(origin, format=kind), auto=self.auto)


def open_source(
    path: Path,
    *,
    format: str = "auto",  # noqa: A002
    sha256: str = "",
    name: str = "",
    siblings: bool = False,
    origin: Literal["import", "sample"] = "import",
    stop: Event | None = None,
) -> Reading:
    """`name`: the file's own, where it lies under another. `sha256`: of its bytes, where it is known.

    `siblings`: an answer that was asked for again becomes the worse one of a preference. Nobody voted on it, so that
    is a guess, and is off.
    """
    if format != "auto" and format not in readers.KINDS:
        known = ", ".join(("auto", *readers.KINDS))
        raise ForPerson(
            f"There is no way to read {format!r}: choose one of {known}.",
            spanish=f"No se sabe leer {format!r}: elige entre {known}.",
        )
    with files.opened(path) as opened:
        found = format if format != "auto" else _first_kind(opened.parts)
        total = sum(part.size for part in opened.parts)
    return Reading(
        path,
        name or path.name,
        found,
        total,
        (sha256 or _sha256(path))[:12],
        auto=format == "auto",
        siblings=siblings,
        origin=origin,
        stop=stop or Event(),
    )


_UNKNOWN = (
    "This file is nothing that can be imported. Choose an export of ChatGPT or Claude (the archive or its "
    "conversations.json), chats of Afina, ShareGPT, Alpaca, OpenAI, Vertex or TRL as JSON or JSONL, a table whose "
    "first line says question and answer, or text with Q: and A:.",
    "Este archivo no se puede importar. Elige una exportación de ChatGPT o Claude (el comprimido o su "
    "conversations.json), conversaciones de Afina, ShareGPT, Alpaca, OpenAI, Vertex o TRL en JSON o JSONL, una tabla "
    "cuya primera línea diga pregunta y respuesta, o un texto con P: y R:.",
)
_SAMPLE = 50  # rows that a file is judged by
_GLANCE = 8 << 20  # bytes read for that, unless one row is longer
_HEAD = 1 << 16  # characters of a text that it is judged by


def _first_kind(parts: Iterable[files.Part]) -> str:
    torn = None
    for part in parts:
        try:
            if kind := _kind(part):
                return kind
        except files.Torn:
            torn = Skipped(None, part.name, "member")
    if torn:
        raise ForPerson(torn.said("en"), spanish=torn.said("es"))
    raise ForPerson(_UNKNOWN[0], spanish=_UNKNOWN[1])


def _kind(part: files.Part) -> str:
    """What a part is, "" where it is nothing we know. `Torn` where nothing of it can be read."""
    meter = files.Meter(allowed=files.FREE)
    try:
        with files.text(part, meter) as text:
            head = text.read(_HEAD)
        if streams.is_json(head):
            with files.text(part, meter) as text:
                found = readers.of_rows(_sample(streams.values(text), meter))
            if found:
                return found
        return readers.of_text(head)
    except files.TooMuch:
        return ""


def _sample(values: Iterator[streams.Value | streams.Broken], meter: files.Meter) -> Iterator[object]:
    try:
        for value in islice(values, _SAMPLE):
            if isinstance(value, streams.Value):
                yield value.row
            if meter.read > _GLANCE:
                return
    except (files.Torn, files.TooMuch):  # the rows before it say what it is
        return


def _rows(
    values: Iterator[streams.Value | streams.Broken], file: str, origin: Origin, *, auto: bool
) -> Iterator[Example | Skipped]:
    reader = readers.ROWS[origin.format]
    for value in values:
        place = Place(value.index, value.line, file)
        if isinstance(value, streams.Broken):
            yield place.skipped(value.code, limit=streams.LONGEST >> 20)
        elif not isinstance(value.row, dict):
            yield place.skipped("not_object")
        else:
            yield from _row(value, place, origin, reader, auto=auto)


def _row(
    value: streams.Value, place: Place, origin: Origin, reader: readers.RowReader, *, auto: bool
) -> Iterator[Example | Skipped]:
    """One row. In a file of several kinds, which is found by looking, each is read as what it is."""
    if auto and not reader.fits(value.row) and (other := readers.of_rows([value.row])):
        origin, reader = replace(origin, format=other), readers.ROWS[other]
    place = replace(place, title=reader.title(value.row))
    if value.replaced:
        yield place.skipped("replaced", whole=False)
    try:
        yield from list(reader.read(value.row, place, origin))
    except RecursionError:
        yield place.skipped("too_deep")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise files.unreadable(error) from error
