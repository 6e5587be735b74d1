"""In: something that yields rows of plain JSON, and takes its time. Out: jobs: how far each is, what came of it.

    job = work.start("import", 3, lambda stop: run("data.import", {…}, stop))      in a thread of its own
    work.wait(job.id, 1.0)                                    what is quick is done before a page is drawn
    work.of(3) → Job(state="running", row={"done": 512, "of": 4096}), …
    work.cancel(job.id), work.dismiss(job.id)

The newest row is kept, as every tab and every reload sees it. Knows nothing of datasets, pages or SQL.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from knowledge import KnowledgeError
from tuning.errors import TryAgain

log = logging.getLogger(__name__)
Row = Mapping[str, Any]
Rows = Callable[[threading.Event], Iterator[Row]]
KEPT = 20  # finished jobs that nobody dismissed


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    what: str  # "import"
    dataset: int  # 0: of none
    about: Row = field(default_factory=dict, hash=False)  # what it was started with: a file's name, a format
    state: Literal["running", "done", "stopped", "failed"] = "running"
    row: Row = field(default_factory=dict, hash=False)  # the newest one
    failure: KnowledgeError | None = None  # None of a failed one: a fault of ours

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def share(self) -> float | None:
        """How much of it is done, None where it does not say."""
        done, of = self.row.get("done"), self.row.get("of")
        return min(1.0, done / of) if done is not None and of else None


@dataclass
class _Run:
    job: Job
    stop: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Work:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._runs: dict[int, _Run] = {}
        self._version = 0
        self._closed = False

    def version(self) -> int:
        """Grows with every row."""
        return self._version

    def start(self, what: str, dataset: int, rows: Rows, *, about: Row | None = None) -> Job:
        """TryAgain where the same is running there already."""
        with self._lock:
            if self._closed or any(
                run.job.running and (run.job.what, run.job.dataset) == (what, dataset) for run in self._runs.values()
            ):
                raise TryAgain(
                    "The same is running here already: wait until it is done, or cancel it.",
                    spanish="Ya se está haciendo lo mismo aquí: espera a que termine o cancélalo.",
                )
            run = _Run(Job(next(self._numbers), what, dataset, about or {}))
            self._runs[run.job.id] = run
            self._forget_old()
            self._version += 1
        run.thread = threading.Thread(target=self._go, args=(run, rows), name=f"work-{what}", daemon=True)
        run.thread.start()
        return run.job

    def wait(self, number: int, seconds: float) -> Job | None:
        """As it stands then."""
        run = self._runs.get(number)
        if run is None:
            return None
        run.over.wait(seconds)
        return run.job

    def of(self, dataset: int) -> list[Job]:
        """The oldest first."""
        with self._lock:
            return [run.job for run in self._runs.values() if run.job.dataset == dataset]

    def get(self, number: int) -> Job | None:
        run = self._runs.get(number)
        return run.job if run else None

    def cancel(self, number: int) -> None:
        if run := self._runs.get(number):
            run.stop.set()

    def dismiss(self, number: int) -> None:
        """A finished one is out of sight."""
        with self._lock:
            if (run := self._runs.get(number)) and not run.job.running:
                del self._runs[number]
                self._version += 1

    def close(self) -> None:
        """All are told to stop, and waited for a little."""
        with self._lock:
            self._closed = True
            runs = list(self._runs.values())
        for run in runs:
            run.stop.set()
        for run in runs:
            if run.thread is not None:
                run.thread.join(5)

    def _go(self, run: _Run, rows: Rows) -> None:
        try:
            for row in rows(run.stop):
                self._told(run, row=row)
            self._told(run, state="stopped" if run.stop.is_set() else "done")
        except KnowledgeError as error:
            self._told(run, state="failed", failure=error)
        except Exception:
            log.exception("%s broke off", run.job.what)
            self._told(run, state="failed")
        finally:
            run.over.set()

    def _told(self, run: _Run, **changes: Any) -> None:
        with self._lock:
            run.job = replace(run.job, **changes)
            self._version += 1

    def _forget_old(self) -> None:
        over = [number for number, run in self._runs.items() if not run.job.running]
        for number in over[: max(0, len(over) - KEPT)]:
            del self._runs[number]
