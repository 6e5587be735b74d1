"""In: files and questions. Out: documents, pages, passages. The front door of everything below it.

    library = Library.open(home, engine, lambda: embedders.load("all-minilm-l6-v2", weights))
    for step in library.add(Path("report.pdf")): print(step.status, step.pages_ready, step.pages)
    library.search("capital expenditure in 2018")  →  [Passage(document=1, page=60, text=…, score=0.93, …), …]

home/  files/<sha256>   vectors/ (Chroma)   words.sqlite3          SQL (the engine) is the truth; the rest follows it.

Opening loads no model: the first document or question does. Methods may be called from any thread.
"""

from __future__ import annotations

import logging
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from knowledge import mending, readers
from knowledge.embedders import Embedder
from knowledge.errors import ForOperator, ForPerson, KnowledgeError
from knowledge.files import Files, Stopped
from knowledge.index import Matrix, Scored, Unreadable, Vectors
from knowledge.ingest import Ingest
from knowledge.readers import Limits
from knowledge.readers.outcomes import empty, ended
from knowledge.search import CANDIDATES, Hit, fuse, lexical_weight, question_stems, spread
from knowledge.shelf import Shelf
from knowledge.store import migrations
from knowledge.store.database import migrate
from knowledge.store.documents import DocumentStore
from knowledge.values import Chunk, Document, Finding, FloatMatrix, Outcome, Page, Passage, Progress, Status
from knowledge.words import SqliteWords

AT_ONCE = 2  # documents on their way in: a short one need not wait for a book
REACH = 20  # hits looked at beyond the k asked for
_log = logging.getLogger(__name__)


class Library:
    """Made by `open`; `close` when done. One process per home: the caller holds the lock."""

    def __init__(self, shelf: Shelf, limits: Limits) -> None:
        self._shelf = shelf
        self._limits = limits
        self._version = 0
        self._changing = threading.Lock()
        self._running: dict[int, Ingest] = {}
        self._beginning = threading.Lock()
        self._turn = threading.Semaphore(AT_ONCE)
        self._catalogue: dict[int, Document] | None = None
        self._mender: threading.Thread | None = None
        self._closing = threading.Event()

    @classmethod
    def open(
        cls,
        home: Path,
        engine: Engine,
        embedder: Callable[[], Embedder],
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> Library:
        """Make or migrate the tables and open what is in `home`. ForOperator when that cannot be done."""
        home.mkdir(parents=True, exist_ok=True)
        migrate(engine, migrations.FOLDER, migrations.VERSION_TABLE)
        loaded = _Once(embedder)
        files = Files(home / "files")
        files.sweep()  # only now does nobody copy
        vectors = Vectors(home / "vectors", lambda: loaded().name)
        words = SqliteWords(home / "words.sqlite3")
        shelf = Shelf(DocumentStore(engine), files, words, vectors, loaded, lambda: None)
        library = cls(shelf, limits)
        shelf.changed = library._changed
        if words.fresh:
            mending.refill_words(shelf)
        return library

    # bringing in

    def add(
        self,
        path: Path | str,
        *,
        title: str | None = None,
        password: str | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Progress]:
        """Copy the bytes, then read, chunk, embed and index them. The last Progress is final; nothing raises for a bad
        file. Bytes that are here already make no second copy (`duplicate`), unless they failed before: then they are
        tried again. Closing the iterator does not stop the work; `stop` does.
        """
        path = Path(path)
        title = title or path.name
        started = time.monotonic()
        yield Progress(None, title, Status.QUEUED)
        kind, refusal = self._kind(path, title)
        if refusal is not None:
            yield Progress(None, title, refusal.status, message=refusal.message, outcome=refusal.outcome)
            return
        try:
            document, new = self._taken(path, title, kind, stop)
        except Stopped:
            gone = ended("cancelled")
            yield Progress(None, title, gone.status, message=gone.message, outcome=gone.outcome)
            return
        except KnowledgeError as error:
            outcome = Outcome(error.key, error.values) if error.key else None
            yield Progress(None, title, Status.FAILED, message=str(error), outcome=outcome)
            return
        self._changed()
        if document.status.searchable:
            yield replace(_now(document), duplicate=True, seconds=time.monotonic() - started)
            return
        again = not new and document.id in self._busy()
        for step in self._follow(document, password, stop):
            yield replace(step, duplicate=again, seconds=time.monotonic() - started)

    def retry(
        self, document: int, password: str | None = None, *, stop: threading.Event | None = None
    ) -> Iterator[Progress]:
        """Try a document again, with a password where it needs one. One that is ready only learns the password."""
        known = self.document(document)
        if not known.status.searchable:
            yield from self._follow(known, password, stop)
            return
        if password is not None:
            self._shelf.passwords[document] = password
        yield _now(known)

    def resume(self) -> Iterator[Progress]:
        """Finish what a crash or a closed app left half-way: removals, torn copies, documents on their way."""
        for leftover in self._shelf.store.leftovers():
            self._sweep(leftover.document, leftover.sha256)
        mending.agree_words(self._shelf)
        busy = self._busy()
        waiting = [d for d in self._shelf.store.unfinished() if d.id not in busy]
        for document in waiting:
            self._begin(document, None)
        for document in waiting:
            yield from self._follow(document, None, None)

    # looking

    def documents(self) -> list[Document]:
        """Newest first."""
        return self._shelf.store.all()

    def document(self, document: int) -> Document:
        found = self._shelf.store.get(document)
        if found is None:
            raise ForPerson(key="no_document", document=document)
        return found

    def page(self, document: int, number: int) -> Page:
        found = self._shelf.store.page(document, number)
        if found is None:
            known = self.document(document)
            raise ForPerson(key="no_page", title=known.title, page=number, pages=known.pages)
        return found

    def chunks(self, document: int) -> Iterator[Chunk]:
        """In reading order."""
        self.document(document)
        return self._shelf.store.chunks(document)

    def file(self, document: int) -> Path:
        """Our own copy of its bytes, to be read and never changed. Raises ForPerson where it is missing."""
        known = self.document(document)
        path = self._shelf.files.path(known.sha256)
        if not path.exists():
            raise ForPerson(key="no_file", title=known.title)
        return path

    def page_image(self, document: int, number: int, width: int = 1200, password: str | None = None) -> bytes:
        """PNG. A password that opened the document is remembered while the process lives, and only in memory."""
        known = self.document(document)
        if known.kind != "pdf":
            raise ForPerson(key="no_pictures", title=known.title)
        password = password or self._shelf.passwords.get(document)
        image = readers.render(self.file(document), number, width=width, password=password)
        if password is not None:
            self._shelf.passwords[document] = password
        return image

    def remove(self, document: int) -> None:
        """Its rows, words, vectors and file; a crash on the way is finished at the next start."""
        known = self.document(document)
        running = self._running.get(document)
        if running is not None:
            running.cancel()
            running.join()
        self._shelf.store.remove(document)
        self._changed()
        self._sweep(document, known.sha256)

    # searching

    def search(
        self,
        query: str,
        k: int = 8,
        documents: Collection[int] | None = None,
        *,
        vector: FloatMatrix | None = None,
    ) -> list[Passage]:
        """The `k` best passages, best first; among `documents` only, where given. Never raises for odd words.

        `vector`: the query's own, (dimensions,), where the caller has embedded it already.

        While vectors are being loaded or rebuilt, and where the embedder cannot be had, words alone answer.
        """
        catalogue = self._known()
        ready = {id_ for id_, document in catalogue.items() if document.status.searchable}
        wanted = ready if documents is None else ready & set(documents)
        if not query.strip() or not wanted or k < 1:
            return []
        languages = {catalogue[id_].language for id_ in wanted}
        scope = None if wanted == ready else wanted
        arriving = any(not document.status.final for document in catalogue.values())  # their words are there already
        stems = question_stems(query, languages)
        lexical = self._shelf.words.search(stems, CANDIDATES * (4 if arriving else 1), scope)
        scored = self._scores(query, scope, vector)
        hits = fuse(scored, [hit for hit in lexical if hit.document in wanted], lexical_weight(query, languages))
        return self._passages(hits[: k + REACH], k, catalogue)

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        """(len(texts), dimensions) float32, unit length."""
        return self._shelf.embedder().embed(texts)

    def embedder(self) -> Embedder:
        """The library's own; loaded at the first call. ForOperator when it cannot be had."""
        return self._shelf.embedder()

    def warm(self) -> None:
        """Load the embedder and the vectors now, so that the first question need not wait for them."""
        with suppress(KnowledgeError):
            self._loaded()

    def check(self, repair: bool = False) -> list[Finding]:
        """What SQL, words, vectors and files disagree on; mended from SQL where asked. Nothing where all is well."""
        if self._mender is not None:
            self._mender.join()
        findings = mending.check(self._shelf, repair, busy=self._busy())
        if repair:
            for _ in self.resume():
                pass
            self._changed()
        return findings

    @property
    def version(self) -> int:
        """Changes whenever anything a person can see has changed."""
        return self._version

    def close(self) -> None:
        """Documents on their way stay unfinished; the next `resume` goes on with them."""
        self._closing.set()
        running = list(self._running.values())
        for ingest in running:
            ingest.leave()
        for ingest in running:
            ingest.join(timeout=30)
        if self._mender is not None:
            self._mender.join(timeout=30)
        self._shelf.vectors.close()
        self._shelf.words.close()

    # inside

    def _kind(self, path: Path, title: str) -> tuple[str, readers.Ended | None]:
        """Refused before a byte is copied: what is missing, too big, or no document at all."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return "", ended("gone")
        if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for ever
            return "", ended("not_a_file")
        size = found.st_size
        kind = readers.kind_of(path, path.name) or readers.kind_of(path, title)
        if kind is None:
            return "", ended("not_text")
        most = self._limits.bytes if kind == "pdf" else self._limits.text_bytes
        if size > most:
            return kind, ended("too_big", megabytes=-(-size // 1_000_000), limit=most // 1_000_000)
        return kind, empty(kind) if size == 0 else None

    def _taken(self, path: Path, title: str, kind: str, stop: threading.Event | None) -> tuple[Document, bool]:
        """The bytes copied and their row written; in between, nobody takes the copy for one that is left over."""
        files = self._shelf.files
        kept = files.take(path, stop)
        try:
            return self._shelf.store.insert(sha256=kept.sha256, title=title, kind=kind, size=kept.size)
        finally:
            files.settle(kept)

    def _begin(self, document: Document, password: str | None) -> Ingest:
        """The one ingest of this document: the one that runs, or a new one."""
        with self._beginning:
            running = self._running.get(document.id)
            if running is None or not running.running:
                running = Ingest(self._shelf, document, password=password, turn=self._turn, limits=self._limits)
                self._running[document.id] = running
                running.start()
            return running

    def _follow(self, document: Document, password: str | None, stop: threading.Event | None) -> Iterator[Progress]:
        ingest = self._begin(document, password)
        yield from ingest.follow(stop)
        if not ingest.running:
            with self._beginning:
                if self._running.get(document.id) is ingest:
                    del self._running[document.id]

    def _busy(self) -> set[int]:
        return {id_ for id_, ingest in list(self._running.items()) if ingest.running}

    def _sweep(self, document: int, sha256: str) -> None:
        with suppress(Unreadable):  # a broken vector folder is rebuilt without it
            self._shelf.forget(document)
        self._shelf.passwords.pop(document, None)
        # the same bytes may have been added again meanwhile
        self._shelf.files.discard(sha256, lambda: self._shelf.store.has(sha256))
        self._shelf.store.swept(document)
        self._changed()

    def _known(self) -> dict[int, Document]:
        """The documents by id, read from SQL once per change."""
        catalogue = self._catalogue
        if catalogue is None:
            version = self._version
            catalogue = {document.id: document for document in self._shelf.store.all()}
            if version == self._version:
                self._catalogue = catalogue
        return catalogue

    def _changed(self) -> None:
        with self._changing:
            self._version += 1
            self._catalogue = None

    def _scores(
        self, query: str, documents: Collection[int] | None, vector: FloatMatrix | None = None
    ) -> Scored | None:
        try:
            matrix = self._loaded()
            if vector is None:
                vector = np.asarray(self._shelf.embedder().embed([query])[0], np.float32)
        except KnowledgeError:
            _log.warning("the embedder is not there; words alone answer", exc_info=True)
            return None
        return matrix.scores(vector, documents)

    def _loaded(self) -> Matrix:
        """The matrix, read from Chroma on the first call. What Chroma lacks is embedded again in the background."""
        with self._shelf.lock:
            if self._shelf.matrix is None:
                missing = mending.load_matrix(self._shelf)
                if missing:
                    self._mend(missing)
            assert self._shelf.matrix is not None
            return self._shelf.matrix

    def _mend(self, missing: list[int]) -> None:
        def work() -> None:
            try:
                mending.embed_missing(self._shelf, missing, self._closing)
                self._changed()
            except Exception:
                _log.exception("the vectors could not be rebuilt; words alone answer until the next start")

        self._mender = threading.Thread(target=work, name="mend-vectors", daemon=True)
        self._mender.start()

    def _passages(self, hits: list[Hit], k: int, catalogue: dict[int, Document]) -> list[Passage]:
        chunks = self._shelf.store.chunks_by_id([hit.chunk for hit in hits])
        there = [hit for hit in hits if hit.chunk in chunks and chunks[hit.chunk].document == hit.document]
        best = spread(there, {id_: chunk.page for id_, chunk in chunks.items()}, k)
        return [_passage(hit, chunks[hit.chunk], catalogue[hit.document].title) for hit in best]


class _Once:
    """Calls the loader once, whoever asks first; a failure is not kept. Whatever a loader of models raises, it is the
    operator's to mend, and no fault of what is stored.
    """

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load, self._lock = load, threading.Lock()
        self._loaded: Embedder | None = None

    def __call__(self) -> Embedder:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    try:
                        self._loaded = self._load()
                    except KnowledgeError:
                        raise
                    except Exception as error:
                        _log.exception("the embedder could not be loaded")
                        raise ForOperator(key="no_embedder", reason=type(error).__name__) from error
        return self._loaded


def _passage(hit: Hit, chunk: Chunk, title: str) -> Passage:
    return Passage(
        document=hit.document,
        title=title,
        page=chunk.page,
        chunk=chunk.id,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        score=hit.score,
        dense=hit.dense,
        lexical=hit.lexical,
    )


def _now(document: Document) -> Progress:
    """How far a document is that nothing is done with."""
    how = (document.status, document.pages_ready, document.pages, document.message)
    return Progress(document.id, document.title, *how, outcome=document.outcome)
