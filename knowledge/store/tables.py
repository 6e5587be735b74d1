"""In: nothing. Out: the tables of the library, as the newest migration leaves them (a test compares the two).

A chunk is stored as offsets into its page, never as text: what is shown cannot disagree with what was read.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(20), nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("pages", Integer, nullable=False, default=0),
    Column("pages_ready", Integer, nullable=False, default=0),
    Column("language", String(8), nullable=False, default=""),
    Column("size", Integer, nullable=False),  # bytes
    Column("embedder", Text, nullable=False, default=""),  # whose tokens the chunks were sized in
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("outcome", JSON(none_as_null=True)),  # {"code": …, its values}: the message, to be said in any language
    sqlite_autoincrement=True,  # an id is never given twice: an old citation must not open another document
)

pages = Table(
    "pages",
    metadata,
    Column("document", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("text", Text, nullable=False),
    Column("lines", LargeBinary, nullable=False),  # knowledge.store.lines
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),  # from 0, in reading order
    Column("page", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    UniqueConstraint("document", "ordinal"),
    Index(None, "document", "page"),
    sqlite_autoincrement=True,
)

# What a removal still has to clear outside SQL: written in the transaction that deletes the document.
leftovers = Table(
    "leftovers",
    metadata,
    Column("document", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
)
