"""In: rows, filters. Out: the frozen values of `values.py`, conditions of a query, and what is read off an example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, literal, select
from sqlalchemy.orm import Session

from assistant.history.words import folded, whole
from knowledge.language import detect
from tuning import rows
from tuning.datasets.values import Dataset, Filter, Import, Status, Stored, Version
from tuning.store.tables import DatasetRow, ExampleRow, ImportRow, VersionRow
from tuning.values import Example, Kind

_SEARCHED = 20_000  # characters of an example that a search reads


def derived(example: Example) -> dict[str, Any]:
    """The columns that are read off an example: all but its place, status and times."""
    content = rows.to_row(example)
    fingerprint = rows.fingerprint_of(content)
    tags = content.pop("tags", [])
    said = "\n".join(example.texts)
    source = example.source
    return {
        "kind": example.kind.value,
        "content": content,
        "tags": tags,
        "findings": None,
        "fingerprint": fingerprint,
        "folded": folded(whole(said[:_SEARCHED])),
        "origin": source.origin[:16],
        "how": source.how[:24],
        "language": detect(said),
        "turns": len(example.turns) + sum(len(answer.turns) for answer in example.answers),
        "characters": len(said),
        "tokens": None,
        "unranked": example.kind is Kind.RANKING and any(answer.rank < 1 for answer in example.answers),
        "conversation_id": source.conversation,
    }


def sound(example: Example) -> Example:
    """Half a character (a lone surrogate) is no text that could be stored or sent: it becomes a \ufffd."""
    row = rows.to_row(example)
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return rows.from_row(json.loads(whole(text)))
    return example


def example(row: ExampleRow) -> Example:
    return rows.from_row({**row.content, **({"tags": row.tags} if row.tags else {})})


def stored(row: ExampleRow) -> Stored:
    return Stored(
        id=row.id,
        dataset=row.dataset_id,
        status=Status(row.status),
        example=example(row),
        fingerprint=row.fingerprint,
        language=row.language,
        characters=row.characters,
        tokens=row.tokens,
        findings=None if row.findings is None else tuple(row.findings),
        unranked=row.unranked,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def dataset(row: DatasetRow, counts: dict[str, int], versions: int) -> Dataset:
    return Dataset(
        row.id,
        row.name,
        row.note,
        row.licence,
        tuple(row.recipe),
        row.created_at,
        row.updated_at,
        **{status.value: counts.get(status.value, 0) for status in Status},
        versions=versions,
    )


def import_(row: ImportRow) -> Import:
    return Import(
        row.id, row.dataset_id, row.name, row.format, row.status, row.read, row.known, row.skipped,  # type: ignore[arg-type]
        tuple(row.problems), row.created_at,
    )  # fmt: skip


def version(row: VersionRow, name: str, deleted_chats: int) -> Version:
    return Version(
        row.id, row.dataset_id, name, row.number, row.fingerprint, row.card, row.created_at, deleted_chats
    )  # fmt: skip


def conditions(dataset: int, only: Filter) -> Iterator[ColumnElement[bool]]:
    yield ExampleRow.dataset_id == dataset
    yield ExampleRow.withdrawn.is_(False)
    if only.status is not None:
        yield ExampleRow.status == only.status.value
    if only.kind is not None:
        yield ExampleRow.kind == only.kind.value
    for column, wanted in (
        (ExampleRow.origin, only.origin),
        (ExampleRow.how, only.how),
        (ExampleRow.language, only.language),
    ):
        if wanted:
            yield column == ("" if wanted == "other" else wanted)
    if only.unranked is not None:
        yield ExampleRow.unranked.is_(only.unranked)
    if only.batch is not None:
        yield ExampleRow.import_id == only.batch
    if only.shortest is not None:
        yield ExampleRow.characters >= only.shortest
    if only.longest is not None:
        yield ExampleRow.characters <= only.longest
    if only.tag:
        yield _holds(ExampleRow.tags, json.dumps(only.tag))
    yield from _found(only.finding)
    for word in folded(only.search).split():
        yield ExampleRow.folded.contains(word, autoescape=True)


def _found(code: str) -> Iterator[ColumnElement[bool]]:
    if code in ("any", "none"):
        some = func.length(cast(ExampleRow.findings, String)) > len("[]")
        yield some if code == "any" else ExampleRow.findings.is_not(None) & ~some
    elif code == "unseen":
        yield ExampleRow.findings.is_(None)
    elif code:
        yield _holds(ExampleRow.findings, f'"code": "{code}"')


def _holds(column: Any, text: str) -> ColumnElement[bool]:
    """JSON as SQLAlchemy writes it, read as text: works on every database, and a dataset has few codes and tags."""
    return cast(column, String).contains(text, autoescape=True)


def counts(session: Session) -> dict[int, dict[str, int]]:
    query = (
        select(ExampleRow.dataset_id, ExampleRow.status, func.count())
        .where(ExampleRow.withdrawn.is_(False))
        .group_by(ExampleRow.dataset_id, ExampleRow.status)
    )
    found: dict[int, dict[str, int]] = {}
    for number, status, count in session.execute(query):
        found.setdefault(number, {})[status] = count
    return found


def next_position(session: Session, dataset: int) -> float:
    query = select(func.coalesce(func.max(ExampleRow.position), literal(0.0))).where(ExampleRow.dataset_id == dataset)
    return float(session.scalar(query) or 0.0) + 1.0


def stamped(columns: dict[str, Any], time: datetime) -> dict[str, Any]:
    return {**columns, "created_at": time, "updated_at": time}
