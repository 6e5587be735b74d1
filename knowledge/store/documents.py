"""In: an engine. Out: documents, pages and chunks as values; every write is one transaction.

The repository of the library. Knows nothing of readers, vectors or words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from knowledge.store import lines as line_bytes
from knowledge.store.database import writing
from knowledge.store.tables import chunks, documents, leftovers, pages
from knowledge.values import Chunk, Document, Outcome, Page, Span, Status

_ON_THE_WAY = [status.value for status in Status if not status.final]
_SEARCHABLE = [status.value for status in Status if status.searchable]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A removed document whose file, words or vectors may still be there."""

    document: int
    sha256: str


class DocumentStore:
    """All SQL of the library."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # documents

    def insert(self, *, sha256: str, title: str, kind: str, size: int) -> tuple[Document, bool]:
        """The document with these bytes, and whether it is new."""
        row = {"sha256": sha256, "title": title, "kind": kind, "size": size, "embedder": ""}
        row |= {"status": Status.QUEUED.value, "message": "", "language": "", "added_at": datetime.now(UTC)}
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(documents).values(**row, pages=0, pages_ready=0))
            new = True
        except IntegrityError:  # another thread had the same bytes
            new = False
        found = self.by_sha256(sha256)
        assert found is not None
        return found, new

    def update(self, document: int, *, outcome: Outcome | None = None, **values: Any) -> None:
        """A message goes with its outcome: whoever writes one writes, or empties, the other."""
        if "message" in values:
            values["outcome"] = None if outcome is None else {**outcome.values, "code": outcome.code}
        if "status" in values:
            values["status"] = Status(values["status"]).value
        with writing(self._engine) as connection:
            connection.execute(update(documents).where(documents.c.id == document).values(**values))

    def all(self) -> list[Document]:
        """Newest first."""
        with self._engine.connect() as connection:
            return [_document(row) for row in connection.execute(select(documents).order_by(documents.c.id.desc()))]

    def get(self, document: int) -> Document | None:
        if not _storable(document):
            return None
        with self._engine.connect() as connection:
            row = connection.execute(select(documents).where(documents.c.id == document)).first()
        return _document(row) if row else None

    def by_sha256(self, sha256: str) -> Document | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(documents).where(documents.c.sha256 == sha256)).first()
        return _document(row) if row else None

    def has(self, sha256: str) -> bool:
        return self.by_sha256(sha256) is not None

    def unfinished(self) -> list[Document]:
        """Oldest first: what a crash left on its way."""
        with self._engine.connect() as connection:
            query = select(documents).where(documents.c.status.in_(_ON_THE_WAY)).order_by(documents.c.id)
            return [_document(row) for row in connection.execute(query)]

    def remove(self, document: int) -> Leftover | None:
        """Delete the rows and note, in the same transaction, what is left to clear elsewhere."""
        with writing(self._engine) as connection:
            row = connection.execute(select(documents.c.sha256).where(documents.c.id == document)).first()
            if row is None:
                return None
            self._clear(connection, document)
            connection.execute(delete(documents).where(documents.c.id == document))
            connection.execute(insert(leftovers).values(document=document, sha256=row.sha256))
        if self._engine.dialect.name == "sqlite":  # what was removed is not to be read in the log beside the file
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Leftover(document, row.sha256)

    def leftovers(self) -> list[Leftover]:
        with self._engine.connect() as connection:
            return [Leftover(row.document, row.sha256) for row in connection.execute(select(leftovers))]

    def swept(self, document: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(leftovers).where(leftovers.c.document == document))

    # pages and chunks

    def clear(self, document: int) -> None:
        """Forget what was read of it; the document stays."""
        with writing(self._engine) as connection:
            self._clear(connection, document)
            connection.execute(
                update(documents).where(documents.c.id == document).values(pages=0, pages_ready=0, language="")
            )

    def clear_chunks(self, document: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(chunks).where(chunks.c.document == document))

    @staticmethod
    def _clear(connection: Connection, document: int) -> None:
        connection.execute(delete(chunks).where(chunks.c.document == document))
        connection.execute(delete(pages).where(pages.c.document == document))

    def append(
        self, document: int, read: Sequence[Page], spans: Sequence[Span], texts: Mapping[int, Page] | None = None
    ) -> list[Chunk]:
        """Store pages and the chunks cut from them in one transaction; the chunks come back with their ids.

        `texts`: the pages the spans cut, where those are stored already.
        """
        texts = texts or {page.number: page for page in read}
        with writing(self._engine) as connection:
            if read:
                connection.execute(insert(pages), [_page_row(document, page) for page in read])
                ready = documents.c.pages_ready + len(read)
                connection.execute(update(documents).where(documents.c.id == document).values(pages_ready=ready))
            if not spans:
                return []
            last = connection.execute(select(func.max(chunks.c.ordinal)).where(chunks.c.document == document)).scalar()
            first = 0 if last is None else last + 1
            connection.execute(insert(chunks), [_chunk_row(document, first + i, span) for i, span in enumerate(spans)])
            query = select(chunks.c.id).where(chunks.c.document == document, chunks.c.ordinal >= first)
            ids = list(connection.execute(query.order_by(chunks.c.ordinal)).scalars())
        return [
            Chunk(id_, document, span.page, span.start, span.end, texts[span.page].text[span.start : span.end])
            for id_, span in zip(ids, spans, strict=True)
        ]

    def page(self, document: int, number: int) -> Page | None:
        if not _storable(document, number):
            return None
        with self._engine.connect() as connection:
            query = select(pages).where(pages.c.document == document, pages.c.number == number)
            row = connection.execute(query).first()
        return Page(row.number, row.text, line_bytes.unpack(row.lines)) if row else None

    def pages(self, document: int) -> Iterator[Page]:
        """In order, without their lines (text alone is what mending needs)."""
        with self._engine.connect() as connection:
            query = select(pages.c.number, pages.c.text).where(pages.c.document == document).order_by(pages.c.number)
            for row in connection.execution_options(yield_per=200).execute(query):
                yield Page(row.number, row.text)

    def chunks(self, document: int, ids: Iterable[int] | None = None) -> Iterator[Chunk]:
        """In reading order, with their text; only those with an id in `ids` where given."""
        wanted = None if ids is None else set(ids)
        with self._engine.connect() as connection:
            query = _CHUNK_WITH_TEXT.where(chunks.c.document == document).order_by(chunks.c.ordinal)
            for row in connection.execution_options(yield_per=500).execute(query):
                if wanted is None or row.id in wanted:
                    yield _chunk(row)

    def chunks_by_id(self, ids: Sequence[int]) -> dict[int, Chunk]:
        """At most a few hundred at a time: those of one search."""
        with self._engine.connect() as connection:
            return {row.id: _chunk(row) for row in connection.execute(_CHUNK_WITH_TEXT.where(chunks.c.id.in_(ids)))}

    def chunk_ids(self, *, searchable: bool = True) -> dict[int, list[int]]:
        """Document → ids of its chunks in reading order."""
        query = select(chunks.c.document, chunks.c.id).order_by(chunks.c.document, chunks.c.ordinal)
        if searchable:
            query = query.join(documents, documents.c.id == chunks.c.document).where(
                documents.c.status.in_(_SEARCHABLE)
            )
        found: dict[int, list[int]] = {}
        with self._engine.connect() as connection:
            for document, id_ in connection.execute(query):
                found.setdefault(document, []).append(id_)
        return found

    def offsets(self, document: int) -> dict[int, list[tuple[int, int]]]:
        """Page → (start, end) of its chunks."""
        query = select(chunks.c.page, chunks.c.start, chunks.c.end).where(chunks.c.document == document)
        found: dict[int, list[tuple[int, int]]] = {}
        with self._engine.connect() as connection:
            for page, start, end in connection.execute(query):
                found.setdefault(page, []).append((start, end))
        return found

    def page_counts(self) -> dict[int, int]:
        """Document → number of pages stored."""
        query = select(pages.c.document, func.count()).group_by(pages.c.document)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


_CHUNK_WITH_TEXT = select(chunks, pages.c.text).join(
    pages, and_(pages.c.document == chunks.c.document, pages.c.number == chunks.c.page)
)


def _storable(*numbers: int) -> bool:
    """What no database column can hold is nobody's number."""
    return all(0 < number < 2**31 for number in numbers)


def _document(row: Row[Any]) -> Document:
    values = dict(row._mapping)
    values.pop("embedder")
    added = values["added_at"]
    outcome = values["outcome"]
    values["outcome"] = Outcome(outcome.pop("code"), outcome) if outcome else None
    values["added_at"] = added if added.tzinfo else added.replace(tzinfo=UTC)  # SQLite keeps no zone
    return Document(**{**values, "status": Status(values["status"])})


def _chunk(row: Row[Any]) -> Chunk:
    return Chunk(row.id, row.document, row.page, row.start, row.end, row.text[row.start : row.end])


def _page_row(document: int, page: Page) -> dict[str, Any]:
    return {"document": document, "number": page.number, "text": page.text, "lines": line_bytes.pack(page.lines)}


def _chunk_row(document: int, ordinal: int, span: Span) -> dict[str, Any]:
    row = {"document": document, "ordinal": ordinal, "page": span.page}
    return row | {"start": span.start, "end": span.end, "tokens": span.tokens}
