"""In: nothing. Out: the SQL tables of the chats. Knows nothing of documents but their numbers.

conversations ─< messages (tree by parent) ─< ratings (the newest one counts)
     └─< attachments (a document's id in the library)
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Always UTC, always aware. SQLite keeps no zone: what comes back without one is UTC, nothing else goes in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        time: datetime = value
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ClockRow(Table):
    """One row. Every write moves it on; `History.version` reads it."""

    __tablename__ = "chat_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class ConversationRow(Table):
    __tablename__ = "conversations"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text, default="")
    title_folded: Mapped[str] = mapped_column(Text, default="")  # lower case, no accents: what a search reads
    renamed: Mapped[bool] = mapped_column(default=False)  # by a person: the first question no longer names it
    chosen: Mapped[int | None] = mapped_column(default=None)  # the first question that is shown
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)

    __table_args__ = (
        {"sqlite_autoincrement": True},
    )  # a number is never given twice: an old tab must not meet another


class MessageRow(Table):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    # Checked at the commit, never cascading: down a thread of 1,000 messages SQLite's cascade hits its trigger depth.
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("messages.id", deferrable=True, initially="DEFERRED"), index=True
    )
    chosen: Mapped[int | None] = mapped_column(default=None)  # the child that is shown
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text, default="")
    text_folded: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), index=True)
    route: Mapped[str | None] = mapped_column(String(16), default=None)
    reason: Mapped[str] = mapped_column(Text, default="")
    confidence: Mapped[float] = mapped_column(default=0.0)
    basis: Mapped[str | None] = mapped_column(String(16), default=None)
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    passages: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    model: Mapped[str] = mapped_column(String(255), default="")
    draft: Mapped[str] = mapped_column(Text, default="")
    failure: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)

    __table_args__ = ({"sqlite_autoincrement": True},)


class AttachmentRow(Table):
    __tablename__ = "attachments"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    document_id: Mapped[int] = mapped_column(primary_key=True)  # the library's; no foreign key across packages
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RatingRow(Table):
    """A person's word on an answer. Never changed, only followed by a newer one: what was taken back is data too."""

    __tablename__ = "ratings"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    liked: Mapped[bool | None]
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_ratings_newest", "message_id", "id"),)
