"""In: titles, searches, document ids. Out: conversations. Reads messages only to find and count them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from assistant.history import reading
from assistant.history.reading import AT_ONCE
from assistant.history.values import Conversation
from assistant.history.words import folded, title_of
from assistant.store.tables import AttachmentRow, ConversationRow, MessageRow
from assistant.store.transactions import Transactions, now, unknown_conversation


class Conversations(Transactions):
    def create(self, title: str = "") -> Conversation:
        title, time = " ".join(title.split()), now()
        with self._write() as (session, version):
            row = ConversationRow(title=title, title_folded=folded(title), renamed=bool(title), version=version)
            row.created_at = row.updated_at = time
            session.add(row)
            session.flush()
            return reading.conversation(row, 0)

    def conversations(self, search: str = "", *, limit: int | None = None, offset: int = 0) -> list[Conversation]:
        """Newest first. `search`: each word stands in the title or in a message; case and accents do not matter."""
        counted = (
            select(func.count()).where(MessageRow.conversation_id == ConversationRow.id).correlate(ConversationRow)
        ).scalar_subquery()
        query = select(ConversationRow, counted).where(ConversationRow.deleted_at.is_(None))
        for word in folded(search).split():
            in_message = exists().where(
                MessageRow.conversation_id == ConversationRow.id, _holds(MessageRow.text_folded, word)
            )
            query = query.where(_holds(ConversationRow.title_folded, word) | in_message)
        query = query.order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())
        with self._read() as session:
            found = session.execute(query.limit(limit).offset(offset))
            return [reading.conversation(row, count) for row, count in found]

    def conversation(self, conversation: int) -> Conversation:
        with self._read() as session:
            row = self._conversation(session, conversation)
            count = select(func.count()).where(MessageRow.conversation_id == conversation)
            return reading.conversation(row, session.scalar(count) or 0)

    def rename(self, conversation: int, title: str) -> Conversation:
        """An empty title gives the first question's back."""
        title = " ".join(title.split())
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            row.renamed = bool(title)
            row.title = title or title_of(self._first_question(session, conversation))
            row.title_folded, row.version = folded(row.title), version
        return self.conversation(conversation)

    def set_up(
        self,
        conversation: int,
        *,
        persona: int | None = None,
        model: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> Conversation:
        """Who answers in this chat from now on, with which model and inference settings: all three at once."""
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            row.persona_id, row.model, row.settings = persona, model, dict(settings or {})
            row.version = version
        return self.conversation(conversation)

    def delete(self, conversation: int) -> None:
        """Out of sight, until `restore` or `purge`."""
        with self._write() as (session, version):
            row = self._conversation(session, conversation)
            row.deleted_at, row.version = now(), version

    def restore(self, conversation: int) -> Conversation:
        """Undo `delete`."""
        with self._write() as (session, version):
            row = session.get(ConversationRow, conversation)
            if row is None:
                raise unknown_conversation(conversation)
            row.deleted_at, row.version = None, version
        return self.conversation(conversation)

    def purge(self, older_than: timedelta = timedelta(0)) -> int:
        """Really delete what was deleted at least `older_than` ago, messages and ratings too. Returns how many."""
        with self._write() as (session, _):
            gone = ConversationRow.deleted_at <= now() - older_than
            ids = list(session.scalars(select(ConversationRow.id).where(gone)))
            session.execute(delete(ConversationRow).where(ConversationRow.id.in_(ids)))  # the rest cascades
            return len(ids)

    def standing(self, conversations: Collection[int]) -> dict[int, bool]:
        """Of those that exist, whether they can be seen: a deleted one may come back, a missing one will not."""
        found: dict[int, bool] = {}
        wanted = sorted(conversations)
        with self._read() as session:
            for first in range(0, len(wanted), AT_ONCE):
                part = ConversationRow.id.in_(wanted[first : first + AT_ONCE])
                rows = session.execute(select(ConversationRow.id, ConversationRow.deleted_at).where(part))
                found.update((number, deleted is None) for number, deleted in rows)
        return found

    def attach(self, conversation: int, document: int) -> None:
        with self._write() as (session, version):
            self._conversation(session, conversation).version = version
            if session.get(AttachmentRow, (conversation, document)) is None:
                row = AttachmentRow(conversation_id=conversation, document_id=document, created_at=now())
                session.add(row)

    def detach(self, conversation: int, document: int) -> None:
        with self._write() as (session, version):
            self._conversation(session, conversation).version = version
            mine = AttachmentRow.conversation_id == conversation, AttachmentRow.document_id == document
            session.execute(delete(AttachmentRow).where(*mine))

    def attached(self, conversation: int) -> list[int]:
        """Document ids, in the order they were attached."""
        with self._read() as session:
            return reading.attached(session, conversation)

    @staticmethod
    def _first_question(session: Session, conversation: int) -> str:
        mine = MessageRow.conversation_id == conversation, MessageRow.role == "user"
        return session.scalar(select(MessageRow.text).where(*mine).order_by(MessageRow.id).limit(1)) or ""


def _holds(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return column.contains(word, autoescape=True)
