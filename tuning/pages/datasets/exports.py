"""In: a frozen version, a format. Out: its files, written and checked in the background, then handed out in pieces.

    exports.wanted(dataset, version, "openai", "en")     Export once it is there; None while it is being written
    exports.piece(export.files[0].name, offset)          (bytes, next offset or None)

Files lie in a folder of their own until the app is closed. What is checked is the very file that is handed out.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuning.datasets import Dataset, Version
from tuning.errors import ForPerson, TryAgain
from tuning.pages.work import Job, Work

Row = Mapping[str, Any]
Run = Callable[[str, Mapping[str, Any], threading.Event, str], Iterator[dict[str, Any]]]  # verb, arguments, …, language
PIECE = 3 << 20  # bytes handed out at once
PROBLEMS = 200  # of a file, kept to be read
WHOLE = "zip"  # the folder of a version, in one file
SIDES = ("train", "validation")
_FEW = ("few_examples", "few_advised")  # what asks for more examples asks it of the training file


@dataclass(frozen=True, slots=True)
class File:
    split: str  # "train" | "validation"; "": the whole
    name: str  # what it is called when it is saved
    path: Path
    size: int  # bytes
    row: Row  # of data.export: rows, examples, lost, left_out
    problems: Sequence[Row] = ()  # of data.check, the first ones
    errors: int = 0
    warnings: int = 0
    checked: bool = False

    @property
    def sound(self) -> bool:
        return self.checked and not self.errors


@dataclass(frozen=True, slots=True)
class Export:
    format: str
    files: tuple[File, ...]


class Exports:
    def __init__(self, work: Work, run: Run) -> None:
        self._work, self._run = work, run
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._made: dict[tuple[str, str, str, str], Export] = {}
        self._jobs: dict[tuple[str, str, str, str], int] = {}

    def wanted(self, dataset: Dataset, version: Version, format: str, language: str) -> Export | Job | None:  # noqa: A002
        """The files, or the job that writes them; where that failed, the job says why."""
        key = (version.label, version.fingerprint, format, language)
        with self._lock:
            if key in self._made:
                return self._made[key]
            job = self._work.get(self._jobs.get(key, 0))
        if job is not None and job.state in ("running", "failed"):
            return job
        return self._begin(key, dataset, version)

    def again(self, dataset: Dataset, version: Version, format: str, language: str) -> None:  # noqa: A002
        """One that failed is tried once more."""
        with self._lock:
            self._jobs.pop((version.label, version.fingerprint, format, language), None)

    def piece(self, name: str, offset: int) -> tuple[bytes, int | None]:
        """`name`: of a file's path, of those that were made here; ForPerson where it is none of them."""
        with self._lock:
            files = {file.path.name: file for made in self._made.values() for file in made.files}
        if name not in files or not files[name].path.is_file():
            raise ForPerson(
                "This file is gone: choose the format again.",
                spanish="Ese archivo ya no está: elige el formato otra vez.",
            )
        with files[name].path.open("rb") as file:
            file.seek(offset)
            data = file.read(PIECE)
        end = offset + len(data)
        return data, end if end < files[name].size else None

    def close(self) -> None:
        with self._lock:
            folder, self._folder = self._folder, None
            self._made.clear()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _begin(self, key: tuple[str, str, str, str], dataset: Dataset, version: Version) -> Job | Export | None:
        def rows(stop: threading.Event) -> Iterator[Row]:
            yield from self._written(key, dataset, version, stop)

        try:
            job = self._work.start(f"export {key[2]} {version.number}", dataset.id, rows, about={"quiet": True})
        except TryAgain:
            return None
        with self._lock:
            self._jobs[key] = job.id
        self._work.wait(job.id, 0.6)
        with self._lock:
            return self._made.get(key) or self._work.get(job.id)

    def _written(
        self, key: tuple[str, str, str, str], dataset: Dataset, version: Version, stop: threading.Event
    ) -> Iterator[Row]:
        _, _, kind, language = key
        sides = [""] if kind == WHOLE else [one for one in SIDES if version.card["split"].get(one)]
        steps, files = 2 * len(sides), list[File]()
        for side in sides:
            yield {"done": len(files), "of": steps}
            files.append(self._file(dataset, version, kind, side, language, stop))
        others = [file.path for file in files[1:]]
        for at, file in enumerate(files):
            yield {"done": len(files) + at, "of": steps}
            if kind != WHOLE:
                files[at] = self._checked(file, kind, others[0] if others and not at else None, language, stop)
        with self._lock:
            self._made[key] = Export(kind, tuple(files))
        yield {"done": steps, "of": steps}

    def _file(
        self, dataset: Dataset, version: Version, kind: str, side: str, language: str, stop: threading.Event
    ) -> File:
        name = f"{version.label}-{kind}-{side}.jsonl" if side else f"{version.label}.zip"
        path = self._place() / f"{language}-{dataset.id}-{name}"
        wanted = {"name": dataset.name, "number": version.number, "to": kind, "out": str(path)}
        *_, row = self._run("data.export", {**wanted, **({"split": side} if side else {})}, stop, language)
        return File(side, name, path, path.stat().st_size, row)

    def _checked(
        self, file: File, kind: str, validation: Path | None, language: str, stop: threading.Event
    ) -> File:  # fmt: skip
        asked: dict[str, Any] = {"path": str(file.path), "format": kind}
        if validation is not None:
            asked["validation"] = str(validation)
        problems, counts = list[Row](), Counter[str]()
        for row in self._run("data.check", asked, stop, language):
            if "code" not in row or (file.split == "validation" and row["code"] in _FEW):
                continue
            counts[row["severity"]] += 1
            if len(problems) < PROBLEMS:
                problems.append(row)
        return replace(file, problems=problems, errors=counts["error"], warnings=counts["warning"], checked=True)

    def _place(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="afina-exports-"))
            return self._folder
