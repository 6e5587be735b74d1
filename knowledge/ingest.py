"""In: a stored file, or the pages of one already read. Out: its chunks in SQL, words and vectors; Progress meanwhile.

reader (a child process) → pages → chunk → embed (all cores) → write (SQL, then words, then vectors)

Each stage runs ahead of the next in a thread of its own. The document's status is written last, so that a kill at any
moment leaves one that is visibly unfinished, and doing it again from the start gives the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from knowledge import chunking, language, readers
from knowledge.ahead import ahead
from knowledge.embedders import Embedder
from knowledge.errors import KnowledgeError
from knowledge.readers import Ended, Limits, Opened
from knowledge.readers.outcomes import ended as ended_as
from knowledge.shelf import Shelf
from knowledge.values import Document, FloatMatrix, Outcome, Page, Progress, Span, Status

PAGES_AHEAD = 64  # a page of text is some 5 KB; enough to never starve the embedder
BATCH = 64  # chunks embedded and written together: half a second's work, so that progress moves
_UNSTORABLE = {0: " ", **dict.fromkeys(range(0xD800, 0xE000), "�")}  # same length: offsets stay
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Batch:
    pages: list[Page]
    spans: list[Span]
    vectors: FloatMatrix  # (len(spans), dimensions)


class Ingest:
    """One document on its way in. Goes on when nobody follows it any more."""

    def __init__(
        self, shelf: Shelf, document: Document, *, password: str | None, turn: threading.Semaphore, limits: Limits
    ) -> None:
        self.document = document
        self._shelf, self._password, self._turn, self._limits = shelf, password, turn, limits
        self._from_pages = document.status is Status.INDEXING  # every page is stored; only what follows is to be done
        self._stop = threading.Event()
        self._closing = False
        self._moved = threading.Condition()
        self._started = time.monotonic()
        self._ended: Ended | None = None
        self._progress = Progress(document.id, document.title, Status.QUEUED, pages=document.pages)
        self._thread = threading.Thread(target=self._run, name=f"ingest-{document.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """The person does not want it: it ends as `cancelled`."""
        self._stop.set()

    def leave(self) -> None:
        """The app closes: the next start goes on with it, unless it was cancelled before."""
        self._closing = not self._stop.is_set()
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def follow(self, stop: threading.Event | None = None) -> Iterator[Progress]:
        """At least two a second, until the document's status is final or the app closes. Who goes away with `stop` set,
        or by Ctrl-C, cancels.
        """
        try:
            yield from self._steps(stop)
        except KeyboardInterrupt:
            self.cancel()
            raise
        finally:
            if stop is not None and stop.is_set():
                self.cancel()

    def _steps(self, stop: threading.Event | None) -> Iterator[Progress]:
        seen: Progress | None = None
        while True:
            with self._moved:
                if self._progress is seen and self._thread.is_alive():
                    self._moved.wait(0.25)
                seen = self._progress
            over = not self._thread.is_alive()
            if over:
                seen = self._progress
            yield replace(seen, seconds=time.monotonic() - self._started)
            if seen.status.final or over:
                return
            if stop is not None and stop.is_set():
                self.cancel()

    # in the thread

    def _run(self) -> None:
        try:
            while not self._turn.acquire(timeout=0.25):
                if self._stop.is_set():
                    self._over(ended_as("cancelled"))
                    return
            try:
                self._ingest()
            finally:
                self._turn.release()
        except KnowledgeError as error:
            self._failed(str(error), Outcome(error.key, error.values) if error.key else None)
        except Exception as error:
            _log.exception("bringing in document %d failed", self.document.id)
            outcome = Outcome("not_stored", {"reason": type(error).__name__})
            self._failed(outcome.said(), outcome)
        finally:
            with self._moved:
                self._moved.notify_all()

    def _ingest(self) -> None:
        id_, store = self.document.id, self._shelf.store
        self._shelf.forget(id_)
        if self._from_pages:
            store.clear_chunks(id_)
        else:
            store.clear(id_)
            store.update(id_, status=Status.READING, message="")
        self._report(status=Status.READING, pages_ready=0)
        chunks, vectors, known = self._write()
        ended = self._ended
        assert ended is not None
        if self._closing or not ended.status.searchable:
            self._over(ended)
            return
        embedder = self._shelf.embedder()
        whole = ended.status is Status.READY and ended.code == "ready"  # nothing to say
        message, outcome = ("", None) if whole else (ended.message, _outcome(ended))
        with self._shelf.lock:  # whoever loads the matrix just now either sees this document in SQL or gets it here
            if self._shelf.matrix is not None:
                self._shelf.matrix.put(id_, chunks, _joined(vectors, embedder.dimensions))
            if self._password is not None:
                self._shelf.passwords[id_] = self._password
            done = {"embedder": embedder.name, "language": known, "status": ended.status}
            store.update(id_, message=message, outcome=outcome, **done)
        self._report(status=ended.status, message=message, outcome=outcome)

    def _write(self) -> tuple[list[int], list[FloatMatrix], str]:
        """The last stage. Ids and vectors are kept for the matrix: 1.5 KB a chunk, 30 MB for 5,000 pages."""
        id_, shelf = self.document.id, self._shelf
        ids: list[int] = []
        vectors: list[FloatMatrix] = []
        known = self.document.language if self._from_pages else ""
        with closing(ahead(self._batches(), 2, f"embed-{id_}")) as batches:
            for batch in batches:
                if self._stop.is_set():
                    self._ended = ended_as("cancelled", self._progress.pages_ready)
                    break
                known = known or language.detect("\n".join(page.text for page in batch.pages))
                texts = {page.number: page for page in batch.pages}
                chunks = shelf.store.append(id_, [] if self._from_pages else batch.pages, batch.spans, texts)
                shelf.add_words(id_, chunks, known)
                shelf.vectors.add(id_, [chunk.id for chunk in chunks], batch.vectors)
                ids += [chunk.id for chunk in chunks]
                vectors.append(batch.vectors)
                self._report(pages_ready=self._progress.pages_ready + len(batch.pages))
        return ids, vectors, known

    def _batches(self) -> Iterator[_Batch]:
        """Pages cut into chunks, a batch of them embedded. Batches depend on the file alone, not on timing."""
        embedder: Embedder | None = None
        pages: list[Page] = []
        spans: list[Span] = []
        with closing(ahead(self._pages(), PAGES_AHEAD, f"read-{self.document.id}")) as read:
            for page in read:
                embedder = embedder or self._shelf.embedder()
                pages.append(page)
                size = chunking.SIZES.get(language.detect(page.text), chunking.SIZE)
                spans += chunking.spans(page, embedder.tokens, size=size, limit=embedder.max_tokens)
                if len(spans) >= BATCH or len(pages) >= 4 * BATCH:
                    yield _embedded(embedder, pages, spans)
                    pages, spans = [], []
        if pages:
            yield _embedded(embedder or self._shelf.embedder(), pages, spans)

    def _pages(self) -> Iterator[Page]:
        if self._from_pages:
            self._ended = _as_before(self.document)
            yield from self._shelf.store.pages(self.document.id)
            return
        path = self._shelf.files.path(self.document.sha256)
        items = readers.read(path, self.document.kind, password=self._password, limits=self._limits, stop=self._stop)
        for item in items:
            if isinstance(item, Opened):
                self._shelf.store.update(self.document.id, pages=item.pages)
                self._report(pages=item.pages)
            elif isinstance(item, Ended):
                self._ended = item
                if item.status.searchable:
                    self._report(status=Status.INDEXING)
            else:
                yield replace(item, text=item.text.translate(_UNSTORABLE))

    def _over(self, ended: Ended) -> None:
        """It ended without a document to search; when the app closes, the next start goes on instead."""
        if not self._closing:
            self._give_up(ended.status, ended.message, _outcome(ended))

    def _give_up(self, status: Status, message: str, outcome: Outcome | None) -> None:
        """Leave nothing of it but its file, its row and the reason."""
        self._shelf.forget(self.document.id)
        self._shelf.store.clear(self.document.id)
        self._shelf.store.update(
            self.document.id, status=status, message=message, outcome=outcome, pages=self._progress.pages
        )
        self._report(status=status, message=message, outcome=outcome, pages_ready=0)

    def _failed(self, message: str, outcome: Outcome | None) -> None:
        if self._closing:
            return
        try:
            self._give_up(Status.FAILED, message, outcome)
        except Exception:  # the disk is full, say: the next start tries again
            _log.exception("document %d could not be marked as failed", self.document.id)
            self._report(status=Status.FAILED, message=message, outcome=outcome)

    def _report(self, **changes: object) -> None:
        with self._moved:
            self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
            self._moved.notify_all()
        self._shelf.changed()


def _embedded(embedder: Embedder, pages: list[Page], spans: list[Span]) -> _Batch:
    texts = {page.number: page.text for page in pages}
    return _Batch(pages, spans, embedder.embed([texts[span.page][span.start : span.end] for span in spans]))


def _joined(parts: list[FloatMatrix], dimensions: int) -> FloatMatrix:
    return np.concatenate(parts) if parts else np.zeros((0, dimensions), np.float32)


def _as_before(document: Document) -> Ended:
    """The outcome of a document that is only indexed anew."""
    status = Status.READY if document.pages_ready >= document.pages else Status.READY_PARTIAL
    known = document.outcome or Outcome("")
    return Ended(status, document.message, document.pages_ready, known.code, dict(known.values))


def _outcome(ended: Ended) -> Outcome | None:
    return ended.outcome if ended.code else None
