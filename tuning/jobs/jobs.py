"""In: versions, recipes. Out: jobs in processes of their own, one at a time; the others wait in a queue.

A job's process is not a child that dies with the app: closed or killed, the app finds it again by the lock in its
folder. A process that died itself is started again and goes on from its newest valid checkpoint, three times at most.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.store.transactions import now
from tuning import rows
from tuning.datasets import Datasets, Version
from tuning.datasets.splitting import TRAIN, VALIDATION
from tuning.errors import ForOperator, ForPerson
from tuning.jobs.values import Job
from tuning.store.tables import JobRow
from tuning.store.transactions import Transactions
from tuning.training import devices, recipes
from tuning.training.folder import CONFIG, STOP, Folder, State, Status, written
from tuning.training.settings import Settings

log = logging.getLogger(__name__)
ATTEMPTS = 3  # of a process that ends without a word
LOOK = 1.0  # seconds between two looks at what runs
_CHILDREN: list[subprocess.Popen[bytes]] = []  # of this process, that still run: they outlive any Jobs
ROOT = Path(__file__).parent.parent.parent  # where `python -m tuning.training` finds this package


class Jobs(Transactions):
    """Safe to use from any thread. Only the owner of the data folder may open it: it starts what waits."""

    def __init__(self, datasets: Datasets, home: Path, weights: Path) -> None:
        super().__init__(datasets.engine)
        self._datasets, self._place, self._weights = datasets, home / "jobs", weights
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        self._turn = threading.Lock()

    def start(
        self, version: Version, *, name: str = "", recipe: str = "lora", said: Mapping[str, Any] | None = None
    ) -> Job:
        """`said`: fields of Settings that win over the recipe's. Its folder is whole before it waits in the queue."""
        settings = self.settings(recipe, said or {})
        with self._write() as session:
            row = JobRow(
                name=(name.strip() or f"{version.name}-{settings.method}")[:80],
                version_id=version.id,
                dataset=version.label,
                fingerprint=version.fingerprint,
                base=settings.base,
                method=settings.method,
                settings=settings.model_dump(mode="json"),
                folder="",
                created_at=now(),
            )
            session.add(row)
            session.flush()
            row.folder = f"{row.id:04d}-{version.label}-{settings.method}"
            number, folder = row.id, self._place / row.folder
            self._laid_out(folder, version, settings)
        self.look()
        return self.get(number)

    def settings(self, recipe: str, said: Mapping[str, Any]) -> Settings:
        """ForPerson where a field is not known or out of range."""
        from pydantic import ValidationError

        try:
            device = devices.of_recipe(str(said.get("device", "auto")))
            return recipes.settings(recipe, device=device, weights=str(self._weights), **said)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise ForPerson(
                f"These settings cannot be used ({what}).", spanish=f"Estos ajustes no sirven ({what})."
            ) from None

    def all(self) -> list[Job]:
        """The newest first."""
        query = select(JobRow).where(JobRow.deleted_at.is_(None)).order_by(JobRow.id.desc())
        with self._read() as session:
            return [self._job(row) for row in session.scalars(query)]

    def get(self, number: int) -> Job:
        with self._read() as session:
            return self._job(self._row(session, number))

    def cancel(self, number: int) -> Job:
        """Within seconds, its best checkpoint kept; one that waits is simply taken out of the queue."""
        job = self.get(number)
        if job.state.status.over:
            raise ForPerson("This job has ended already.", spanish="Este trabajo ya ha terminado.")
        folder = Folder(job.place)
        folder.file(STOP).touch()
        if job.state.status is Status.QUEUED or not running(job.place):
            folder.say(status=Status.STOPPED, reason=_WAITED)
        return self.get(number)

    def resume(self, number: int, minutes: float | None = None) -> Job:
        """From its newest valid checkpoint, or from the start. `minutes`: of learning, from now on; one whose time was
        up gets as much again where none are given."""
        job = self.get(number)
        if job.state.status is Status.DONE:
            raise ForPerson("This job is done.", spanish="Este trabajo ya está hecho.")
        if not job.state.status.over:
            raise ForPerson("This job has not ended.", spanish="Este trabajo no ha terminado.")
        if minutes is not None or job.time_up:
            self._capped(job, job.state.seconds + (60 * minutes if minutes is not None else job.settings["time_cap"]))
        Folder(job.place).file(STOP).unlink(missing_ok=True)
        self._attempt(number, 0)
        Folder(job.place).say(status=Status.QUEUED, reason={}, pid=None)
        self.look()
        return self.get(number)

    def remove(self, number: int) -> Job:
        """With its folder; what was published from it has a copy of its own."""
        job = self.get(number)
        if running(job.place):
            raise ForPerson("This job is running: cancel it first.", spanish="Este trabajo está en marcha: cancélalo.")
        with self._write() as session:
            self._row(session, number).deleted_at = now()
        shutil.rmtree(job.place, ignore_errors=True)
        return job

    def follow(self, number: int, stop: threading.Event) -> Iterator[tuple[State, list[dict[str, Any]]]]:
        """(state, rows of metrics that are new) whenever one of them changes, until it is over."""
        seen, before = 0, None
        while not stop.is_set():
            job = self.get(number)
            found = Folder(job.place).metrics()
            if len(found) < seen:  # gone back to a checkpoint
                seen = 0
            if found[seen:] or job.state != before:
                yield job.state, found[seen:]
                seen, before = len(found), job.state
            if job.state.status.over:
                return
            stop.wait(0.5)

    def published(self, number: int, persona: int, evaluation: Mapping[str, Any] | None = None) -> Job:
        with self._write() as session:
            row = self._row(session, number)
            row.persona_id = persona
            row.evaluation = {**row.evaluation, **(evaluation or {})}
        return self.get(number)

    def evaluated(self, number: int, measured: Mapping[str, Any]) -> Job:
        with self._write() as session:
            row = self._row(session, number)
            row.evaluation = {**row.evaluation, **measured}
        return self.get(number)

    # ── what runs ────────────────────────────────────────────────────────────────────────────────────────────────

    def watch(self) -> None:
        """From now on: start what waits, take up again what died. Ends with `close`."""
        if self._watch is None:
            self._watch = threading.Thread(target=self._watching, name="jobs", daemon=True)
            self._watch.start()

    def close(self) -> None:
        """Jobs go on without the app."""
        self._closing.set()
        if self._watch is not None:
            self._watch.join(5)

    def look(self) -> None:
        """Once."""
        with self._turn:
            _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]  # what has ended is let go
            jobs = self.all()[::-1]
            if any(running(job.place) for job in jobs):
                return
            for job in jobs:
                if not job.state.status.over:
                    self._begin(job)
                    return

    def _watching(self) -> None:
        while not self._closing.wait(LOOK):
            try:
                self.look()
            except Exception:
                log.exception("the jobs could not be looked at")

    def _begin(self, job: Job) -> None:
        if job.attempts >= ATTEMPTS:
            Folder(job.place).say(status=Status.FAILED, reason=_DIED)
            return
        self._attempt(job.id, job.attempts + 1)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        out = (job.place / "output").open("ab")
        with out:
            begun = subprocess.Popen(
                [sys.executable, "-m", "tuning.training", str(job.place)],
                cwd=job.place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # neither Ctrl-C nor the app's end reaches it
            )
        _CHILDREN.append(begun)
        _wait_for(lambda: running(job.place) or begun.poll() is not None, 10.0)

    def _capped(self, job: Job, seconds: float) -> None:
        """Its time cap from now on; a checkpoint does not depend on it."""
        settings = Settings.model_validate({**job.settings, "time_cap": round(seconds, 1)})
        with self._write() as session:
            self._row(session, job.id).settings = settings.model_dump(mode="json")
        written(job.place / CONFIG, settings.model_dump_json(indent=1))

    def _attempt(self, number: int, attempts: int) -> None:
        with self._write() as session:
            self._row(session, number).attempts = attempts

    def _laid_out(self, folder: Path, version: Version, settings: Settings) -> None:
        try:
            folder.mkdir(parents=True)
            for side in (TRAIN, VALIDATION):
                lines = [_line(row.example) for row in self._datasets.rows(version, side)]
                if lines or side == TRAIN:
                    (folder / f"{side}.jsonl").write_bytes(b"".join(lines))
            (folder / CONFIG).write_text(settings.model_dump_json(indent=1), encoding="utf-8")
            Folder(folder).say(status=Status.QUEUED)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ForOperator(
                f"The job's folder could not be written ({error.strerror}). Check the free space.",
                spanish=f"No se pudo escribir la carpeta del trabajo ({error.strerror}). Comprueba el espacio libre.",
            ) from error

    def _job(self, row: JobRow) -> Job:
        place = self._place / row.folder
        return Job(
            row.id, row.name, row.backend, row.dataset, row.fingerprint, row.base, row.method, row.settings, place,
            Folder(place).state(), row.attempts, row.persona_id, row.evaluation, row.created_at,
        )  # fmt: skip

    @staticmethod
    def _row(session: Session, number: int) -> JobRow:
        row = session.get(JobRow, number)
        if row is None or row.deleted_at is not None:
            raise ForPerson(
                f"There is no job {number}: `afina tune list` shows those there are.",
                spanish=f"No hay ningún trabajo {number}: `afina tune list` muestra los que hay.",
            )
        return row


def running(place: Path) -> bool:
    """Whether a process has the folder: it holds a lock that ends with it, however it ends."""
    if not place.is_dir():
        return False
    try:
        with FileLock(place / ".lock", timeout=0):
            return False
    except Timeout:
        return True


def _wait_for(true: Callable[[], bool], seconds: float) -> None:
    ends = threading.Event()
    for _ in range(round(seconds / 0.1)):
        if true():
            return
        ends.wait(0.1)


def _line(example: Any) -> bytes:
    return json.dumps(rows.to_row(example), ensure_ascii=False).encode() + b"\n"


_WAITED = {
    "en": "Cancelled before it began; nothing was learned.",
    "es": "Cancelado antes de empezar; no se aprendió nada.",
}
_DIED = {
    "en": "The process ended without a word, three times. Its log may say why; then resume it.",
    "es": "El proceso terminó sin decir nada, tres veces. Su registro puede decir por qué; después reanúdalo.",
}
