"""In: a reading of a file, example by example. Out: its examples in a draft, all of them or none; what was left out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from sqlalchemy import delete, func, select, update

from assistant.store.transactions import now
from tuning.datasets import reading
from tuning.datasets.examples import AT_ONCE
from tuning.datasets.statistics import Statistical
from tuning.datasets.values import Import
from tuning.errors import ForPerson
from tuning.store.tables import ExampleRow, ImportRow
from tuning.store.transactions import in_parts
from tuning.values import Example

PROBLEMS = 200  # of what was left out, kept to be read; all are counted


class Left(Protocol):
    """Something of a file that could not be read: tuning.sources.Skipped."""

    def said(self, language: str) -> str: ...


class Importing(Statistical):
    def take_in(
        self,
        dataset: int,
        name: str,
        format: str,  # noqa: A002
        items: Iterable[Example | Left],
        *,
        row: Any,
        stop: threading.Event | None = None,
    ) -> Iterator[Import]:
        """What became of it so far, after every few hundred; the last one is final.

        Nothing is seen of it before it is whole; stopped, or broken off by an error, nothing of it stays.
        `row`: what is left out → plain JSON, to be kept.
        """
        state, stop = self._begin(dataset, name, format), stop or threading.Event()
        try:
            for part in in_parts(items, AT_ONCE):
                if stop.is_set():
                    break
                self._took(dataset, state, part, row)
                yield self.import_(state)
        except BaseException:
            self._gone(state, "failed")
            raise
        if stop.is_set():  # what was being read may have ended early because of it
            self._gone(state, "undone")
        else:
            self._done(dataset, state)
        yield self.import_(state)

    def imports(self, dataset: int) -> list[Import]:
        """The newest first."""
        query = select(ImportRow).where(ImportRow.dataset_id == dataset).order_by(ImportRow.id.desc())
        with self._read() as session:
            return [reading.import_(row) for row in session.scalars(query)]

    def import_(self, number: int) -> Import:
        with self._read() as session:
            row = session.get(ImportRow, number)
            if row is None:
                raise ForPerson(f"There is no import {number}.", spanish=f"No hay ninguna importación {number}.")
            return reading.import_(row)

    def undo_import(self, number: int) -> tuple[Import, int]:
        """Take out what it brought in and is still there, edited or not. Versions made since keep what they hold."""
        found = self.import_(number)
        if found.status != "done":
            raise ForPerson(
                "This import is not in the dataset any more.", spanish="Esta importación ya no está en el conjunto."
            )
        gone = self._gone(number, "undone")
        self.noted(found.dataset, {"what": "taken back", "was": "import", "file": found.name, "examples": gone})
        return found, gone

    def _begin(self, dataset: int, name: str, kind: str) -> int:
        with self._write() as session:
            self._dataset(session, dataset)
            row = ImportRow(dataset_id=dataset, name=name[:500], format=kind, status="running", created_at=now())
            session.add(row)
            session.flush()
            return row.id

    def _took(self, dataset: int, state: int, part: list[Example | Left], plain: Any) -> None:
        examples = [one for one in part if isinstance(one, Example)]
        left = [one for one in part if not isinstance(one, Example)]
        done = self.add(dataset, examples, batch=state, hidden=True)
        with self._write() as session:
            row = session.get_one(ImportRow, state)
            row.read, row.known = row.read + done.added, row.known + done.known
            row.skipped += len(left)
            room = PROBLEMS - len(row.problems)
            if left and room > 0:
                row.problems = [*row.problems, *(plain(one) for one in left[:room])]

    def _done(self, dataset: int, state: int) -> None:
        with self._write() as session:
            shown = update(ExampleRow).where(ExampleRow.import_id == state).values(withdrawn=False)
            session.execute(shown, execution_options={"synchronize_session": False})
            session.get_one(ImportRow, state).status = "done"
        done = self.import_(state)
        step: Mapping[str, Any] = {"what": "import", "file": done.name, "format": done.format, "examples": done.read}
        self.noted(dataset, step)

    def _gone(self, state: int, status: str) -> int:
        with self._write() as session:
            count = session.scalar(select(func.count()).where(ExampleRow.import_id == state)) or 0
            session.execute(delete(ExampleRow).where(ExampleRow.import_id == state))
            session.get_one(ImportRow, state).status = status
            return count
