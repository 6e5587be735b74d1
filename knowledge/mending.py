"""In: an open library's parts. Out: what SQL, words, vectors and files disagree on, mended from SQL where asked.

SQL is the truth: what it holds and another store lacks is made again; what another holds and SQL does not is removed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from knowledge.errors import KnowledgeError
from knowledge.index import Matrix, Unreadable
from knowledge.ingest import BATCH
from knowledge.shelf import Shelf
from knowledge.values import Document, Finding, Status

_log = logging.getLogger(__name__)


def check(shelf: Shelf, repair: bool, busy: Collection[int] = ()) -> list[Finding]:
    """`busy`: documents on their way in just now, which are left alone. Without an embedder the vectors are left alone
    as well: that it cannot be loaded says nothing of them.
    """
    documents = [document for document in shelf.store.all() if document.id not in busy]
    findings: list[Finding] = []
    for one in (_unfinished, _pages, _chunks):
        findings += one(shelf, documents, repair)
    findings += _words(shelf, repair)
    try:
        shelf.embedder()
    except KnowledgeError as error:
        findings.append(Finding("vectors_unchecked", f"The vectors were not looked at. {error}"))
    else:
        findings += _vectors(shelf, repair)
    findings += _files(shelf, documents, repair)
    return findings


# words


def refill_words(shelf: Shelf) -> None:
    """Fill a new, empty file: the old one was lost or could not be read (100,000 chunks: 15 s)."""
    for document in shelf.store.all():
        if document.status.searchable:
            _add_words(shelf, document, None)


def agree_words(shelf: Shelf) -> None:
    """Quietly, at every start: a power cut may have taken the last commits of the words, which are not synced.

    Only numbers of chunks are compared; `check` looks closer.
    """
    counts = shelf.words.counts()
    if any(counts.get(document, 0) != len(ids) for document, ids in shelf.store.chunk_ids().items()):
        for finding in _words(shelf, repair=True):
            _log.warning("mended at start: %s", finding.message)


def _add_words(shelf: Shelf, document: Document, ids: Collection[int] | None) -> None:
    chunks = shelf.store.chunks(document.id, ids)
    while batch := list(islice(chunks, 500)):
        shelf.add_words(document.id, batch, document.language)


def _words(shelf: Shelf, repair: bool) -> Iterator[Finding]:
    if not shelf.words.healthy():
        if repair:
            shelf.words.clear()
            refill_words(shelf)
        yield Finding("words_damaged", "The word index is damaged; it is rebuilt from the text.", None, repair)
        return
    for id_, document, missing, extra in _differences(shelf, shelf.words.chunks()):
        if missing and document is not None:
            if repair:
                _add_words(shelf, document, missing)
            message = f"{len(missing)} chunks of {document.title} are not in the word index."
            yield Finding("words_missing", message, id_, repair)
        if extra:
            if repair:
                shelf.words.remove_chunks(extra)
            yield Finding("words_extra", f"The word index holds {len(extra)} chunks that no document has.", id_, repair)


# vectors


def load_matrix(shelf: Shelf) -> list[int]:
    """Fill the matrix from Chroma. Out: the documents some of whose vectors were not there, none of which is in it."""
    embedder = shelf.embedder()
    matrix = Matrix(embedder.dimensions)
    missing: list[int] = []
    wanted = shelf.store.chunk_ids()
    try:
        for document, ids in wanted.items():
            present, rows = shelf.vectors.get(ids)
            if len(present) < len(ids) or (ids and rows.shape[1] != embedder.dimensions):
                missing.append(document)
            elif ids:
                matrix.put(document, ids, rows)
    except Unreadable as error:
        _log.warning("the vectors cannot be read and are rebuilt: %s", error)
        shelf.vectors.quarantine()
        matrix, missing = Matrix(embedder.dimensions), list(wanted)
    shelf.matrix = matrix
    return missing


def embed_missing(shelf: Shelf, documents: Collection[int], stop: threading.Event | None = None) -> None:
    """Embed what Chroma lacks of these, and put them in the matrix."""
    embedder = shelf.embedder()
    wanted = shelf.store.chunk_ids()
    for document in documents:
        ids = wanted.get(document, [])
        present, rows = shelf.vectors.get(ids)
        good = rows.shape[1] == embedder.dimensions
        chunks = shelf.store.chunks(document, set(ids) - set(present) if good or not present else None)
        while batch := list(islice(chunks, BATCH)):
            if stop is not None and stop.is_set():
                return
            shelf.vectors.add(document, [chunk.id for chunk in batch], embedder.embed([chunk.text for chunk in batch]))
        present, rows = shelf.vectors.get(ids)
        if shelf.matrix is not None and len(present) == len(ids) > 0 and shelf.store.get(document) is not None:
            shelf.matrix.put(document, present, rows)


def _vectors(shelf: Shelf, repair: bool) -> Iterator[Finding]:
    wanted = shelf.store.chunk_ids()
    try:
        there = shelf.vectors.chunks() if wanted or shelf.vectors.exists() else {}
    except Unreadable:
        if repair:
            shelf.vectors.quarantine()
            embed_missing(shelf, list(wanted))
        yield Finding(
            "vectors_unreadable", "The vector index cannot be read; it is rebuilt from the text.", None, repair
        )
        return
    for id_, document, missing, extra in _differences(shelf, there):
        if extra:
            if repair:
                shelf.vectors.remove_chunks(extra)
            yield Finding(
                "vectors_extra", f"The vector index holds {len(extra)} chunks that no document has.", id_, repair
            )
        if missing and document is not None:
            if repair:
                embed_missing(shelf, [id_])
            message = f"{len(missing)} chunks of {document.title} are not in the vector index."
            yield Finding("vectors_missing", message, id_, repair)


def _differences(
    shelf: Shelf, there: Mapping[int, set[int]]
) -> Iterator[tuple[int, Document | None, set[int], set[int]]]:
    """(document id, document, missing, extra). Documents on their way are passed over: `there` was read before SQL is,
    so that one which arrived in between can look incomplete, which mending makes good, but never superfluous.
    """
    wanted = {id_: set(chunks) for id_, chunks in shelf.store.chunk_ids().items()}
    for id_ in sorted({*there, *wanted}):
        document = shelf.store.get(id_)
        if document is None or document.status.final:
            has, needs = there.get(id_, set()), wanted.get(id_, set())
            yield id_, document, needs - has, has - needs


# SQL and files


def _unfinished(shelf: Shelf, documents: Sequence[Document], repair: bool) -> Iterator[Finding]:
    for document in documents:
        if not document.status.final:
            yield Finding("unfinished", f"{document.title} was never read to its end.", document.id, repair)
    for leftover in shelf.store.leftovers():
        yield Finding("leftover", "A removed document was not cleared everywhere.", leftover.document, repair)


def _pages(shelf: Shelf, documents: Sequence[Document], repair: bool) -> Iterator[Finding]:
    """Pages are read from the file again: `resume` does it once the document counts as unfinished."""
    counts = shelf.store.page_counts()
    for document in documents:
        lost = document.pages_ready - counts.get(document.id, 0)
        if not document.status.searchable or lost == 0:
            continue
        can = shelf.files.path(document.sha256).exists()
        if repair and can:
            shelf.store.update(document.id, status=Status.READING)
        yield Finding("pages_missing", f"{lost} pages of {document.title} are missing.", document.id, repair and can)


def _chunks(shelf: Shelf, documents: Sequence[Document], repair: bool) -> Iterator[Finding]:
    """Every character that is not white space belongs to a chunk that lies on its page."""
    for document in documents:
        if not document.status.searchable or _covered(shelf, document.id):
            continue
        if repair:
            shelf.store.update(document.id, status=Status.INDEXING)  # `resume` cuts it anew from its pages
        yield Finding("chunks_wrong", f"The chunks of {document.title} do not cover its text.", document.id, repair)


def _covered(shelf: Shelf, document: int) -> bool:
    spans = shelf.store.offsets(document)
    for page in shelf.store.pages(document):
        end = 0
        for start, stop in sorted(spans.get(page.number, [])):
            if not 0 <= start < stop <= len(page.text) or page.text[end:start].strip():
                return False
            end = max(end, stop)
        if page.text[end:].strip():
            return False
    return True


def _files(shelf: Shelf, documents: Sequence[Document], repair: bool) -> Iterator[Finding]:
    for document in documents:
        found = shelf.files.hash(document.sha256)
        if found is None:
            message = (
                f"The file of {document.title} is missing. Add it again to see its pages; its text is still searched."
            )
            yield Finding("file_missing", message, document.id, False)
        elif found != document.sha256:
            if repair:  # so that adding the file again stores it anew
                shelf.files.remove(document.sha256)
            message = f"The stored file of {document.title} was changed. Add it again to see its pages."
            yield Finding("file_changed", message, document.id, False)
    for name in shelf.files.names():
        look = shelf.files.discard if repair else shelf.files.ownerless
        if not name.startswith(".") and look(name, partial(shelf.store.has, name)):
            yield Finding("file_extra", f"The file {name[:12]}… belongs to no document.", None, repair)
