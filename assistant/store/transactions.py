"""In: an SQL engine. Out: write transactions that tick the clock, and rows by their id. Knows no meaning.

Every write is one transaction that first moves the clock on. That takes the database's write lock before anything is
read, so writers queue up instead of failing half-way, on SQLite as on a server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from assistant.errors import ForPerson
from assistant.store.tables import ClockRow, ConversationRow, MessageRow
from knowledge.store import database

# For an update whose rows its session does not read again: looking for them takes longer than the statement.
UNSEEN = {"synchronize_session": False}


class UnknownConversation(ForPerson):
    pass


class UnknownMessage(ForPerson):
    pass


class Transactions:
    """What every store of the assistant stands on. Safe to use from any thread."""

    def __init__(self, engine: Engine) -> None:
        """Migrates the tables; so only the owner of the data folder may open it."""
        database.migrate(engine, Path(__file__).parent / "migrations", "assistant_version")
        self._engine = engine
        self._lock = threading.Lock()  # fairness between our own threads; SQLite's own queue polls

    def version(self, conversation: int | None = None) -> int:
        """A number that grows whenever anything shown changes, of one conversation or of all. -1: it is gone."""
        query = select(ClockRow.version)
        if conversation is not None:
            query = select(ConversationRow.version).where(
                ConversationRow.id == conversation, ConversationRow.deleted_at.is_(None)
            )
        with self._engine.connect() as connection:
            found = connection.scalar(query)
        return -1 if found is None else int(found)

    def _read(self) -> Session:
        return Session(self._engine)

    @contextmanager
    def _write(self) -> Iterator[tuple[Session, int]]:
        with self._lock, Session(self._engine, expire_on_commit=False) as session, session.begin():
            session.execute(update(ClockRow).values(version=ClockRow.version + 1), execution_options=UNSEEN)
            yield session, session.scalars(select(ClockRow.version)).one()

    @staticmethod
    def _conversation(session: Session, number: int) -> ConversationRow:
        row = session.get(ConversationRow, number)
        if row is None or row.deleted_at is not None:
            raise unknown_conversation(number)
        return row

    @staticmethod
    def _message(session: Session, number: int) -> MessageRow:
        row = session.get(MessageRow, number)
        if row is None:
            raise unknown_message(number)
        return row


def unknown_conversation(number: int) -> UnknownConversation:
    return UnknownConversation(
        f"There is no conversation {number}: it may have been deleted. Choose another one.",
        spanish=f"No hay ninguna conversación {number}: quizá se borró. Elige otra.",
    )


def unknown_message(number: int) -> UnknownMessage:
    return UnknownMessage(
        f"There is no message {number} here: reload the conversation.",
        spanish=f"No hay ningún mensaje {number} aquí: recarga la conversación.",
    )


def now() -> datetime:
    return datetime.now(UTC)
