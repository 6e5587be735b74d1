"""In: a version, a place. Out: one folder (or the same as a ZIP) that holds all of it, and back.

    marv-v2-3f9a1c2b/
      card.json            counts, sources, filters, cleaning, licence, seed; its fingerprint is that of the examples
      README.md            the card for people
      train.jsonl          examples as they are (tuning.rows), one a line
      validation.jsonl     where the split has one

What comes back has the same fingerprint, or it is refused: a folder that was changed is no longer that version.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tuning import rows
from tuning.datasets import Datasets, Version, VersionRow
from tuning.datasets.card import FORMAT, markdown
from tuning.datasets.splitting import TRAIN, VALIDATION
from tuning.datasets.versions import version_fingerprint
from tuning.errors import ForOperator, ForPerson
from tuning.values import Example

CARD, README = "card.json", "README.md"
LARGEST = 2 * 1024**3  # bytes of one file that is read back


class _Card(BaseModel):
    """What of a card is needed to take a version back; the rest is kept as it is."""

    model_config = ConfigDict(extra="allow")

    format: str
    name: str = Field(min_length=1, max_length=80)
    number: int = Field(ge=1)
    fingerprint: str = Field(pattern=r"^[0-9a-f]{64}$")
    note: str = Field(default="", max_length=10_000)
    licence: str = Field(default="", max_length=10_000)


def write(datasets: Datasets, version: Version, place: Path) -> Path:
    """Make the folder inside `place`; ForPerson where it is there already. Whole or not at all."""
    folder = place / version.label
    if folder.exists():
        raise ForPerson(
            f"{folder} is there already: remove it, or choose another place.",
            spanish=f"{folder} ya existe: bórrala o elige otro lugar.",
        )
    making = place / f".{version.label}.part"
    try:
        making.mkdir(parents=True, exist_ok=True)
        for name, lines in _files(datasets, version):
            with (making / name).open("wb") as file:
                file.writelines(lines)
        making.rename(folder)
    except OSError as error:
        raise ForOperator(
            f"{folder} could not be written ({error.strerror}). Check the place and its free space.",
            spanish=f"No se pudo escribir {folder} ({error.strerror}). Comprueba el lugar y su espacio libre.",
        ) from error
    return folder


def zipped(datasets: Datasets, version: Version) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in _files(datasets, version):
            with archive.open(f"{version.label}/{name}", "w") as file:
                file.writelines(lines)
    return made.getvalue()


def is_version(place: Path) -> bool:
    """Whether a file is a ZIP that looks like one of ours."""
    try:
        with zipfile.ZipFile(place) as archive:
            return any(name.rpartition("/")[2] == CARD for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def read(datasets: Datasets, place: Path, name: str = "") -> Version:
    """A folder or ZIP that `write` made → a dataset of its own with that version. `name`: else its card's."""
    files = _Zip(place) if place.is_file() else _Folder(place)
    card = _card(files)
    kept: list[tuple[str, Example]] = []
    for side in (TRAIN, VALIDATION):
        kept += [(side, example) for example in _examples(files, f"{side}.jsonl")]
    order = card.model_extra.get("order", []) if card.model_extra else []
    kept = _ordered(kept, order)
    found = version_fingerprint((side, rows.fingerprint(example)) for side, example in kept)
    if found != card.fingerprint:
        raise ForPerson(
            f"{place.name} was changed since it was written: its examples are not those of its card. Import its "
            "train.jsonl as a file instead.",
            spanish=f"{place.name} ha cambiado desde que se escribió: sus ejemplos no son los de su ficha. Importa su "
            "train.jsonl como archivo.",
        )
    return datasets.adopt(name or card.name, card.model_dump(), kept)


def _files(datasets: Datasets, version: Version) -> Iterator[tuple[str, Iterable[bytes]]]:
    order = [row.split[0] for row in datasets.rows(version)]  # "t" | "v" each: puts both files in one order again
    card = {**version.card, "order": "".join(order)}
    yield CARD, [json.dumps(card, ensure_ascii=False, indent=2).encode(), b"\n"]
    yield README, [markdown(version.card).encode()]
    for side in (TRAIN, VALIDATION):
        if side[0] in order:
            yield f"{side}.jsonl", map(_line, datasets.rows(version, side))


def _line(row: VersionRow) -> bytes:
    return json.dumps(rows.to_row(row.example), ensure_ascii=False).encode() + b"\n"


def _ordered(kept: list[tuple[str, Example]], order: Any) -> list[tuple[str, Example]]:
    if not isinstance(order, str) or len(order) != len(kept):
        return kept
    waiting = {side[0]: iter([one for one in kept if one[0] == side]) for side in (TRAIN, VALIDATION)}
    found = [next(waiting[letter], None) if letter in waiting else None for letter in order]
    return kept if None in found else [one for one in found if one is not None]


def _card(files: _Folder | _Zip) -> _Card:
    try:
        card = _Card.model_validate_json(files.read(CARD))
    except (KeyError, ValidationError):
        raise _no_dataset(files.place) from None
    if card.format != FORMAT:
        raise _no_dataset(files.place)
    return card


def _examples(files: _Folder | _Zip, name: str) -> Iterator[Example]:
    try:
        lines = files.read(name).splitlines()
    except KeyError:
        return
    for number, line in enumerate(lines, 1):
        try:
            yield rows.from_row(json.loads(line))
        except (ValueError, RecursionError) as wrong:
            raise ForPerson(
                f"{name}, line {number}: this is no example ({wrong}).",
                spanish=f"{name}, línea {number}: esto no es un ejemplo ({wrong}).",
            ) from None


def _no_dataset(place: Path) -> ForPerson:
    return ForPerson(
        f"{place.name} is no dataset of ours: a folder with {CARD} and train.jsonl was expected.",
        spanish=f"{place.name} no es un conjunto de datos nuestro: se esperaba una carpeta con {CARD} y train.jsonl.",
    )


class _Folder:
    def __init__(self, place: Path) -> None:
        self.place = place

    def read(self, name: str) -> bytes:
        file = self.place / name
        if not file.is_file() or file.stat().st_size > LARGEST:
            raise KeyError(name)
        return file.read_bytes()


class _Zip:
    """By the files' last names: whoever unpacks and packs again may have another folder above them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            self._archive = zipfile.ZipFile(place)
        except (OSError, zipfile.BadZipFile):
            raise _no_dataset(place) from None

    def read(self, name: str) -> bytes:
        for info in self._archive.infolist():
            if info.filename.rpartition("/")[2] == name and info.file_size <= LARGEST:
                try:
                    return self._archive.read(info)
                except (RuntimeError, zipfile.BadZipFile, NotImplementedError):  # a password, damage, an odd method
                    raise _no_dataset(self.place) from None
        raise KeyError(name)
