"""In: nothing. Out: the SQL tables of the assistant. Knows nothing of documents but their numbers.

conversations ─< messages (tree by parent) ─< ratings (the newest one counts)
     │                    └─< corrections (the route a person wanted instead)
     ├─< attachments (a document's id in the library)
     └─< approvals (a tool that need not ask again in this chat)
personas, models, mcp_servers, switches: what a person has set up
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


NAMING = {  # of indexes and constraints, so that a migration can name them on every database
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


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
    persona_id: Mapped[int | None] = mapped_column(default=None)  # of a persona; one that is deleted keeps its row
    model: Mapped[str] = mapped_column(String(255), default="")  # "": the persona's, else the app's
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # assistant.models.inference.Inference
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
    tool: Mapped[str] = mapped_column(String(64), default="")  # of the route
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # of that tool
    persona: Mapped[str] = mapped_column(String(64), default="")  # who spoke, by the name it had then
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # rows of assistant.events, in order
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # inference settings the answer was made with
    basis: Mapped[str | None] = mapped_column(String(16), default=None)
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    passages: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    model: Mapped[str] = mapped_column(String(255), default="")
    draft: Mapped[str] = mapped_column(Text, default="")
    failure: Mapped[str] = mapped_column(Text, default="")
    edited_from: Mapped[int | None] = mapped_column(default=None)  # the answer whose words a person corrected
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


class CorrectionRow(Table):
    """ "This should have gone there": data for the router, used from the next message on."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    text: Mapped[str] = mapped_column(Text)  # the message that was routed
    was: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # {route, tool, arguments, persona, confidence}
    route: Mapped[str] = mapped_column(String(16))
    tool: Mapped[str] = mapped_column(String(64), default="")
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    persona: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ApprovalRow(Table):
    __tablename__ = "approvals"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    tool: Mapped[str] = mapped_column(String(128), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PersonaRow(Table):
    """`card`: assistant.personas.card.Persona as JSON; its name is also a column, to be found by."""

    __tablename__ = "personas"

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(64), index=True)  # of the name; one among those not deleted
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)

    __table_args__ = ({"sqlite_autoincrement": True},)


class ModelRow(Table):
    """A model that a person added by its name or address."""

    __tablename__ = "models"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)  # "http://host/v1#model", "hf:folder", …
    title: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # what its last test found out
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class McpServerRow(Table):
    __tablename__ = "mcp_servers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SwitchRow(Table):
    """What a person turned on or off, by name: "web" (may tools reach out?), "tool.calculator", …"""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
