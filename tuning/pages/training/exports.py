"""In: the data folder. Out: the exports that lie in it, by version and kind; one of them as a ZIP, piece by piece.

exports/7-marv-v3-gguf-q8_0/       persona 7, its version 3: what `tuning.exporting.export` wrote there
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tuning.errors import ForPerson
from tuning.exporting.stage import room, size

PIECE = 3 << 20  # bytes handed out at once
LARGEST = 2 << 30  # bytes that a browser is asked to hold: what is larger is told where it lies
_NAME = re.compile(r"(?P<persona>\d+)-.*?-v(?P<version>\d+)-(?P<way>adapter|merged|gguf-f16|gguf-q8_0)")


@dataclass(frozen=True, slots=True)
class Exported:
    name: str
    persona: int
    version: int
    way: str  # "adapter" | "merged" | "gguf:f16" | "gguf:q8_0"
    place: Path
    size: int  # bytes

    @property
    def fetchable(self) -> bool:
        return self.size <= LARGEST


class Exports:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._scratch: Path | None = None

    def all(self) -> list[Exported]:
        """Whole ones; what is being written has another name."""
        found = []
        for folder in sorted(self._place.iterdir()) if self._place.is_dir() else ():
            if (named := _NAME.fullmatch(folder.name)) and folder.is_dir():
                way = named["way"].replace("gguf-", "gguf:")
                ids = int(named["persona"]), int(named["version"])
                found.append(Exported(folder.name, *ids, way, folder, size(folder)))
        return found

    def free(self, persona: int, slug: str, version: int, way: str) -> Path:
        """Where it is to be; ForPerson where it is there already."""
        place = self._place / f"{persona}-{slug}-v{version}-{way.replace(':', '-')}"
        if place.exists():
            raise ForPerson("This export is there already.", spanish="Esta exportación ya existe.")
        self._place.mkdir(parents=True, exist_ok=True)
        return place

    def get(self, name: str) -> Exported:
        for one in self.all():
            if one.name == name:
                return one
        raise ForPerson("This export is gone: make it anew.", spanish="Esa exportación ya no está: hazla de nuevo.")

    def remove(self, name: str) -> None:
        shutil.rmtree(self.get(name).place, ignore_errors=True)

    def packed(self, name: str) -> Path:
        """As a ZIP, its files as they are: weights do not get smaller."""
        one = self.get(name)
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="afina-exports-"))
        file = self._scratch / f"{name}.zip"
        if not file.exists():
            room(file, one.size)
            half = file.with_suffix(".part")
            with zipfile.ZipFile(half, "w", zipfile.ZIP_STORED) as packed:
                for each in sorted(one.place.iterdir()):
                    packed.write(each, f"{name}/{each.name}")
            half.replace(file)
        return file

    def piece(self, file: str, offset: int) -> tuple[bytes, int | None]:
        """(bytes, where the next piece begins, None at the end) of a ZIP that was packed here."""
        known = {one.name: one for one in self._scratch.glob("*.zip")} if self._scratch else {}
        if file not in known:
            raise ForPerson("This file is gone: fetch it again.", spanish="Ese archivo ya no está: pídelo otra vez.")
        with known[file].open("rb") as opened:
            opened.seek(offset)
            data = opened.read(PIECE)
        end = offset + len(data)
        return data, end if data and end < known[file].stat().st_size else None

    def close(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
