"""In: the rows a job would learn from, its settings. Out: what it takes: tokens, steps, time, memory, disk. No money.

Rows are counted as the run will read them; a few of its own first steps are measured in a process of their own, with
its method, its batch, its lengths, its looks at held-out rows and its samples (engine.timing). Both are kept in
HOME/estimates.json: asked again with the same rows and the same step, it is told at once.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tuning.counting.probe import SECONDS, machine, measured
from tuning.datasets import Datasets, Version
from tuning.datasets.splitting import TRAIN, VALIDATION
from tuning.datasets.versions import APPROVED, Alike
from tuning.errors import ForPerson, TryAgain
from tuning.training import bases, packing, plan
from tuning.training.rows import Row, of_example
from tuning.training.settings import Settings
from tuning.values import Example

Told = dict[str, Any]
T = TypeVar("T", bound=BaseModel)
FILE, KEPT = "estimates.json", 200  # results that are kept, the newest
_FORMAT = "afina-estimates/1"
_SHOWN = 500  # rows between two words about how far it is
STEPS = 6  # at most that are measured
HELD = 8  # held-out rows that are looked at, of these
_FREE = (  # settings that change nothing of a step
    "recipe", "weights", "format", "seed", "epochs", "max_steps", "learning_rate", "schedule", "warmup", "weight_decay",
    "clip", "eval_every", "eval_rows", "save_every", "sample_every", "sample_tokens", "keep", "time_cap",
    "validation_share",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """`fingerprint`: of all of it. Each side can be read again."""

    fingerprint: str
    train: Callable[[], Iterator[Example]]
    held: Callable[[], Iterator[Example]]


def of_version(datasets: Datasets, version: Version) -> Given:
    def side(name: str) -> Iterator[Example]:
        return (row.example for row in datasets.rows(version, name))

    return Given(version.fingerprint, lambda: side(TRAIN), lambda: side(VALIDATION))


def of_approved(datasets: Datasets, dataset: int, alike: Alike) -> Given:
    """What is approved now, divided as the version that it becomes at the start."""
    sides = {one.id: side for one, side in datasets.divided(dataset, alike=alike)}
    ends = hashlib.sha256()

    def side(name: str) -> Iterator[Example]:
        return (one.example for one in datasets.every(dataset, APPROVED) if sides.get(one.id) == name)

    for one in datasets.every(dataset, APPROVED):
        ends.update(f"{sides.get(one.id)} {one.fingerprint}\n".encode())
    return Given(ends.hexdigest(), lambda: side(TRAIN), lambda: side(VALIDATION))


class Counted(BaseModel):
    """Of all rows, cut as the run cuts them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    examples: int
    rows: int  # to learn from
    held: int  # rows
    tokens: int  # of one pass over the rows
    learned: int  # of these
    held_tokens: int
    cut: int  # rows that are too long
    empty: int  # examples of which nothing would be learned
    longest: int  # tokens


class Measured(BaseModel):
    """What the child says. Zeros where it was `refused` before a step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int
    free: int | None  # bytes of memory, before
    whole: bool
    refused: dict[str, str] | None = None
    disk: int = 0  # bytes
    trained: int = 0  # parameters
    device: str = ""
    precision: str = ""
    load: float = 0.0  # seconds
    first: float = 0.0  # seconds that the first step takes more than another
    rows: int = 0  # of a measured step
    tokens: int = 0  # of all measured steps
    seconds: float = 0.0
    most: int = 0  # tokens that were read at once
    peak: int = 0  # bytes
    small: int = 0  # the same of the smallest step
    small_peak: int = 0
    held_tokens: int = 0
    held_seconds: float = 0.0
    token_seconds: float = 0.0  # of one token of a sample


@dataclass(frozen=True, slots=True)
class Takes:
    """What a job takes."""

    counted: Counted
    measured: Measured
    epochs: float
    batch: int
    steps: int
    seconds: float | None  # with loading; None: not measured
    memory: int | None  # bytes
    memory_free: int | None
    disk: int
    disk_free: int
    capped: bool  # its time cap ends it before its last step

    @property
    def enough_memory(self) -> bool:
        if self.measured.refused:
            return False
        return self.memory is None or self.memory_free is None or self.memory < self.memory_free

    @property
    def enough_disk(self) -> bool:
        return self.disk < self.disk_free

    def row(self, language: str) -> Told:
        """As `tune estimate --json` prints it."""
        counted, found = self.counted, self.measured
        speed = round(found.tokens / found.seconds, 1) if found.tokens else None
        return {
            "examples": counted.examples, "rows": counted.rows, "held": counted.held, "tokens": counted.tokens,
            "learned": counted.learned, "epochs": self.epochs, "batch": self.batch, "steps": self.steps,
            "truncated": counted.cut, "empty": counted.empty, "longest": counted.longest,
            "price": 0.0, "currency": "USD", "seconds": None if self.seconds is None else round(self.seconds, 1),
            "memory_bytes": self.memory, "memory_free": self.memory_free, "disk_bytes": self.disk,
            "disk_free": self.disk_free, "enough_memory": self.enough_memory, "enough_disk": self.enough_disk,
            "capped": self.capped, "measured_steps": found.steps, "measured_rows": found.rows,
            "tokens_per_second": speed, "trained": found.trained, "precision": found.precision,
            "device": found.device, "problem": (found.refused or {}).get(language, ""),
        }  # fmt: skip


def estimate(
    given: Given, settings: Settings, home: Path, stop: Event, *, seconds: float = SECONDS
) -> Generator[Told, None, Takes]:
    """Yields {done, of, what: count | measure} as it goes. `seconds`: of measured steps. ForPerson where nothing would
    be learned, TryAgain once `stop` is set, otherwise what the child could not."""
    base = bases.find(settings.base, Path(settings.weights))
    rows = _Rows(given, settings, base.counter, stop)
    counting = _key("count", given.fingerprint, settings.base, settings.max_length, settings.learn)
    counted = _known(home, counting, Counted)
    if counted is None:
        counted = yield from rows.counted()
        _keep(home, counting, counted)
    if not counted.rows:
        raise ForPerson(
            "There is nothing to learn from: no example has an answer that is learned. Approve examples with answers.",
            spanish="No hay nada que aprender: ningún ejemplo tiene una respuesta que se aprenda. Aprueba ejemplos con "
            "respuestas.",
        )
    settings = plan.by_rows(settings, counted.rows, counted.tokens)
    shape = settings.model_dump(mode="json", exclude=set(_FREE) | {"samples"})
    measuring = _key("measure", given.fingerprint, shape, bool(settings.samples), machine())
    found = _known(home, measuring, Measured)
    if found is None:
        yield {"done": 0, "of": 0, "what": "measure"}
        asked = {"settings": settings.model_dump(mode="json"), "place": str(home), "seconds": seconds}
        found = Measured.model_validate(measured({**asked, **rows.first(counted)}, stop))
        if found.refused is None:
            _keep(home, measuring, found)
    return _taken(counted, found, settings, home)


def _taken(counted: Counted, found: Measured, settings: Settings, home: Path) -> Takes:
    """Time for each token of the run, of the looks at held-out rows, of the samples; memory of its largest pack."""
    rows, held = _sides(counted, settings)
    steps = packing.steps_of(rows, settings.batch, settings.epochs, settings.max_steps)
    seconds = memory = None
    capped = False
    if found.steps:
        mean = counted.tokens / counted.rows
        learned = steps * min(settings.batch, rows / math.ceil(rows / settings.batch)) * mean
        looks = 1 + (math.ceil(steps / settings.eval_every) if settings.eval_every else 1)
        asked = 2 + (max(0, math.ceil(steps / settings.sample_every) - 1) if settings.sample_every else 0)
        seconds = found.first + learned * found.seconds / found.tokens
        seen = min(held, settings.eval_rows) * (counted.held_tokens / counted.held if counted.held else mean)
        if held and found.held_tokens:
            seconds += looks * seen * found.held_seconds / found.held_tokens
        seconds += asked * len(settings.samples) * settings.sample_tokens * found.token_seconds
        capped = settings.time_cap is not None and seconds > settings.time_cap
        seconds = found.load + min(seconds, settings.time_cap or math.inf)
        most = max(counted.longest, min(settings.pack_tokens, round(settings.batch * mean)))
        grows = max(0, found.peak - found.small_peak) / max(1, found.most - found.small)
        memory = round(found.peak + max(0, most - found.most) * grows)
    free = _free_memory() if found.device in ("", "cpu") else None
    return Takes(
        counted, found, settings.epochs, settings.batch, steps, seconds, memory, found.free if free is None else free,
        found.disk, shutil.disk_usage(home).free, capped,
    )  # fmt: skip


def _sides(counted: Counted, settings: Settings) -> tuple[int, int]:
    """(rows to learn from, held out): where none came apart, the run sets some aside."""
    if counted.held or not settings.validation_share or counted.rows < 2:
        return counted.rows, counted.held
    held = min(counted.rows - 1, max(1, round(settings.validation_share * counted.rows)))
    return counted.rows - held, held


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Rows:
    """Read twice: once to count, once for those of the first steps; never held all at once."""

    def __init__(self, given: Given, settings: Settings, counter: Any, stop: Event) -> None:
        self._given, self._settings, self._counter, self._stop = given, settings, counter, stop

    def counted(self) -> Generator[Told, None, Counted]:
        sides: list[dict[str, int]] = []
        for read in (self._given.train, self._given.held):
            side = dict.fromkeys(("examples", "rows", "tokens", "learned", "cut", "empty", "longest"), 0)
            for example in read():
                self._go_on()
                found, cut = self._of(example)
                side["examples"] += 1
                side["rows"] += len(found)
                side["tokens"] += sum(map(len, found))
                side["learned"] += sum(row.learned for row in found)
                side["cut"] += cut
                side["empty"] += not found
                side["longest"] = max(side["longest"], *map(len, found), 0)
                if side["examples"] % _SHOWN == 0:
                    yield {"done": side["examples"], "of": 0, "what": "count"}
            sides.append(side)
        train, held = sides
        return Counted(
            **{**train, "longest": max(train["longest"], held["longest"])},
            held=held["rows"],
            held_tokens=held["tokens"],
        )

    def first(self, counted: Counted) -> Told:
        """{"rows", "held"}: of the first steps, in their order, and some that are held out."""
        settings = self._settings
        order = packing.order(counted.rows, settings.seed, 0)[: STEPS * settings.batch]
        wanted = {place: at for at, place in enumerate(order)}
        rows: list[Any] = [None] * len(order)
        for place, row in enumerate(self._each(self._given.train)):
            if place in wanted:
                rows[wanted[place]] = _sent(row)
        held = [_sent(row) for row, _ in zip(self._each(self._given.held), range(HELD), strict=False)]
        return {"rows": rows, "held": held or rows[:HELD]}

    def _each(self, read: Callable[[], Iterator[Example]]) -> Iterator[Row]:
        for example in read():
            self._go_on()
            yield from self._of(example)[0]

    def _of(self, example: Example) -> tuple[list[Row], bool]:
        return of_example(
            example, self._counter, longest=self._settings.max_length, everything=self._settings.learn == "all"
        )

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise TryAgain(
                "The estimate was stopped. Start it again.", spanish="El cálculo se detuvo. Vuelve a iniciarlo."
            )


def _sent(row: Row) -> list[list[int]]:
    return [list(row.ids), list(map(int, row.learn))]


# ── what is known already ────────────────────────────────────────────────────────────────────────────────────────────


def _key(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _kept(home: Path) -> dict[str, Any]:
    """Empty where the file is missing or no longer understood: it can always be counted again."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads((home / FILE).read_text(encoding="utf-8"))
        if content["format"] == _FORMAT:
            return dict(content["rows"])
    return {}


def _known(home: Path, key: str, kind: type[T]) -> T | None:
    with suppress(ValidationError, KeyError):
        return kind.model_validate(_kept(home)[key])
    return None


def _keep(home: Path, key: str, made: BaseModel) -> None:
    rows = {**_kept(home), key: made.model_dump(mode="json")}
    half = home / f".{FILE}.{os.getpid()}.part"
    with suppress(OSError):  # what cannot be kept is measured again
        half.write_text(
            json.dumps({"format": _FORMAT, "rows": dict(list(rows.items())[-KEPT:])}, indent=1), encoding="utf-8"
        )
        half.replace(home / FILE)


def _free_memory() -> int | None:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
    return None
