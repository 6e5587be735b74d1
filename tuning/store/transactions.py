"""In: an SQL engine. Out: write transactions that tick the datasets' clock. Knows no meaning.

As in assistant.store: every write is one transaction that first moves the clock on, so writers queue up instead of
failing half-way. The clock is another one: a dataset's page need not be drawn again for every word of a chat.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from knowledge.store import database
from tuning.store.tables import VERSION_TABLE, ClockRow

Item = TypeVar("Item")


def in_parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while part := list(islice(waiting, size)):
        yield part


class Transactions:
    """What every store of datasets stands on. Safe to use from any thread."""

    def __init__(self, engine: Engine) -> None:
        """Migrates the tables; so only the owner of the data folder may open it."""
        database.migrate(engine, Path(__file__).parent / "migrations", VERSION_TABLE)
        self._engine = engine
        self._lock = threading.RLock()  # fairness between our own threads; SQLite's own queue polls

    @property
    def engine(self) -> Engine:
        return self._engine

    def version(self) -> int:
        """A number that grows whenever anything of a dataset changes."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(ClockRow.version)) or 0)

    def _read(self) -> Session:
        return Session(self._engine)

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._lock, Session(self._engine, expire_on_commit=False) as session, session.begin():
            session.execute(
                update(ClockRow).values(version=ClockRow.version + 1), execution_options={"synchronize_session": False}
            )
            yield session
