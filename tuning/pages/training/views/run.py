"""In: a job, its folder. Out: Run: its metrics as points of curves, its samples, the end of its log. Knows no HTML."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.jobs import Job
from tuning.training.folder import LOG, Folder

Point = tuple[float, float]
Sample = Mapping[str, str]  # {"prompt": "…", "system": "…", "text": "…"}
TAIL = 16_000  # bytes of a log that are read
LINES = 60


@dataclass(frozen=True, slots=True)
class Run:
    job: Job
    metrics: tuple[Mapping[str, Any], ...] = ()
    log: str = ""

    def points(self, name: str, times: float = 1.0) -> list[Point]:
        """(step, value) of each row that has it."""
        return [(float(row["step"]), float(row[name]) * times) for row in self.metrics if _number(row.get(name))]

    def last(self, name: str) -> float | None:
        return next((float(row[name]) for row in reversed(self.metrics) if _number(row.get(name))), None)

    @property
    def answers(self) -> list[tuple[int, list[Sample]]]:
        """(step, what each prompt was answered with), the first first; of a step that came twice, the later."""
        found = {row["step"]: [*map(_sample, row["samples"])] for row in self.metrics if _samples(row)}
        return sorted(found.items())


def read(job: Job) -> Run:
    folder = Folder(job.place)
    return Run(job, tuple(folder.metrics()), _tail(folder.file(LOG)))


def stamp(job: Job) -> str:
    """Other than before as soon as there is something new to read."""
    seen = []
    for name in ("state.json", "metrics.jsonl", LOG, "evaluation/plan.json", "evaluation/report.json"):
        with suppress(OSError):
            found = (job.place / name).stat()
            seen.append(f"{found.st_mtime_ns:x}-{found.st_size:x}")
    return ".".join(seen)


def _tail(file: Path) -> str:
    """The last whole lines."""
    with suppress(OSError), file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - TAIL))
        lines = opened.read(TAIL).decode(errors="replace").splitlines()
        return "\n".join(lines[1 if size > TAIL else 0 :][-LINES:])
    return ""


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _samples(row: Mapping[str, Any]) -> bool:
    given = row.get("samples")
    return isinstance(given, list) and bool(given) and all(isinstance(one, dict) for one in given)


def _sample(one: Mapping[str, Any]) -> Sample:
    return {name: str(one.get(name, "")) for name in ("prompt", "system", "text")}
