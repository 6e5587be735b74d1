"""In: nothing. Out: the SQL tables of the datasets. Knows nothing of chats but a conversation's number.

datasets ─< examples (what is curated: one row each, its content as JSON)
   │   │         └ imports (where a whole file came in; can be undone)
   │   └─< edits (what was done, to be undone: the newest first)
   └─< versions (frozen, named by fingerprint) ─< version_rows >─ contents (each content once, by its SHA-256)
            └─< jobs (a version on its way to a model)

published_models (what a persona's model was, version by version; neither jobs nor personas take it with them)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.store.tables import NAMING, UtcDateTime

VERSION_TABLE = "tuning_version"


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class ClockRow(Table):
    """One row. Every write moves it on. `chats`: the chat clock's hand when deleted chats were last looked for."""

    __tablename__ = "dataset_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    chats: Mapped[int] = mapped_column(default=-1)


class DatasetRow(Table):
    __tablename__ = "datasets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), index=True)  # one among those not deleted
    note: Mapped[str] = mapped_column(Text, default="")
    licence: Mapped[str] = mapped_column(Text, default="")
    recipe: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # what was added, with which filters
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)

    __table_args__ = ({"sqlite_autoincrement": True},)


class ImportRow(Table):
    __tablename__ = "dataset_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(40), default="")
    status: Mapped[str] = mapped_column(String(16))  # "running" | "done" | "undone" | "failed"
    read: Mapped[int] = mapped_column(default=0)  # examples that came in
    known: Mapped[int] = mapped_column(default=0)  # left out: the dataset has them already
    skipped: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # the first of what was skipped
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = ({"sqlite_autoincrement": True},)


class ExampleRow(Table):
    """`content`: tuning.rows.to_row without its tags. The other columns are read off it, to filter and sort by."""

    __tablename__ = "examples"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    import_id: Mapped[int | None] = mapped_column(
        ForeignKey("dataset_imports.id", ondelete="SET NULL"), index=True, default=None
    )
    position: Mapped[float]
    status: Mapped[str] = mapped_column(String(16), default="draft")  # "draft" | "approved" | "dropped"
    kind: Mapped[str] = mapped_column(String(16))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    findings: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True), default=None)
    fingerprint: Mapped[str] = mapped_column(String(64))
    folded: Mapped[str] = mapped_column(Text, default="")  # all its texts, lower case, no accents: what a search reads
    origin: Mapped[str] = mapped_column(String(16))
    how: Mapped[str] = mapped_column(String(24), default="")
    language: Mapped[str] = mapped_column(String(8), default="")
    turns: Mapped[int] = mapped_column(default=0)
    characters: Mapped[int] = mapped_column(default=0)
    tokens: Mapped[int | None] = mapped_column(default=None)  # of the default model's tokenizer, once counted
    unranked: Mapped[bool] = mapped_column(default=False)  # a ranking that waits for a person
    conversation_id: Mapped[int | None] = mapped_column(index=True, default=None)
    withdrawn: Mapped[bool] = mapped_column(default=False)  # its chat was deleted: out of sight, in no new version
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_examples_place", "dataset_id", "withdrawn", "position", "id"),
        Index("ix_examples_status", "dataset_id", "status", "position"),
        Index("ix_examples_fingerprint", "dataset_id", "fingerprint"),
        {"sqlite_autoincrement": True},
    )


class EditRow(Table):
    """`before`: of each example that changed {"id", column: value, …}; {"id", "made": true}: it was not there."""

    __tablename__ = "dataset_edits"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    what: Mapped[str] = mapped_column(String(24))  # "approve" | "edit" | "split" | …
    before: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VersionRow(Table):
    __tablename__ = "dataset_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContentRow(Table):
    __tablename__ = "dataset_contents"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class VersionExampleRow(Table):
    __tablename__ = "dataset_version_rows"

    version_id: Mapped[int] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    split: Mapped[str] = mapped_column(String(16))  # "train" | "validation"
    fingerprint: Mapped[str] = mapped_column(ForeignKey("dataset_contents.fingerprint"), index=True)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    source: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    conversation_id: Mapped[int | None] = mapped_column(index=True, default=None)


class JobRow(Table):
    """What is asked and where its folder lies; what happens stands in the folder (tuning.training.folder)."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    backend: Mapped[str] = mapped_column(String(16), default="local")
    version_id: Mapped[int | None] = mapped_column(ForeignKey("dataset_versions.id", ondelete="SET NULL"))
    dataset: Mapped[str] = mapped_column(String(160))  # the version's label, as it was
    fingerprint: Mapped[str] = mapped_column(String(64))  # the version's
    base: Mapped[str] = mapped_column(String(255))
    method: Mapped[str] = mapped_column(String(40))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    folder: Mapped[str] = mapped_column(Text)  # below the data folder's "jobs"
    attempts: Mapped[int] = mapped_column(default=0)  # processes that were started for it
    persona_id: Mapped[int | None] = mapped_column(default=None)  # it was published as
    evaluation: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)

    __table_args__ = ({"sqlite_autoincrement": True},)


class PublishedRow(Table):
    """One version of a persona's model. `card`: those fields of its card that make it speak so.

    `facts`: for a model card. Personas are another package's rows, and jobs may go: neither is a foreign key."""

    __tablename__ = "published_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    persona_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[int]  # 1, 2, … of this persona
    kind: Mapped[str] = mapped_column(String(16))  # "tuned" | "imported" | "written": as a person had set it
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    job_id: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = ({"sqlite_autoincrement": True},)
