"""In: vectors by document. Out: the chunks most like a question's vector. Chroma's only home.

Chroma keeps the vectors on disk, one collection per embedder, and can always be rebuilt from SQL. Queries go to a
matrix in this process: exact, 0.5 ms at 10,000 vectors and 5 ms at 100,000, and a document is a slice of it, where
Chroma's `where` took 47 ms at 56,000. Only finished documents are put in the matrix. Knows nothing of text.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError
from knowledge.values import FloatMatrix
from knowledge.words import quarantine

_BATCH = 5000  # Chroma refuses more than 5,461 at once
_log = logging.getLogger(__name__)

Integers = NDArray[np.int64]


class Unreadable(Exception):  # noqa: N818 - the caller rebuilds; no person ever sees it
    """Chroma's folder cannot be opened or read."""


class Vectors:
    """The vectors on disk. One process at a time: two writers lose vectors. `embedder` gives the embedder's name."""

    def __init__(self, folder: Path, embedder: Callable[[], str]) -> None:
        self._folder = folder
        self._embedder = embedder
        self._lock = threading.RLock()
        self._client: Any = None
        self._collection: Any = None

    def add(self, document: int, chunks: Sequence[int], vectors: FloatMatrix) -> None:
        """Upsert. vectors: (len(chunks), dimensions) float32, unit length."""
        for first in range(0, len(chunks), _BATCH):
            part = chunks[first : first + _BATCH]
            rows = vectors[first : first + _BATCH]
            owner = [{"document": document}] * len(part)
            self._call("upsert", ids=[str(chunk) for chunk in part], embeddings=rows, metadatas=owner)

    def get(self, chunks: Sequence[int]) -> tuple[list[int], FloatMatrix]:
        """Those of `chunks` that are there, in their order, with their vectors (4 s for 100,000)."""
        found: dict[int, Any] = {}
        for first in range(0, len(chunks), _BATCH):
            ids = [str(chunk) for chunk in chunks[first : first + _BATCH]]
            answer = self._call("get", ids=ids, include=["embeddings"])
            found |= {int(id_): row for id_, row in zip(answer["ids"], answer["embeddings"], strict=True)}
        present = [chunk for chunk in chunks if chunk in found]
        rows = np.array([found[chunk] for chunk in present], dtype=np.float32)
        return present, rows.reshape(len(present), rows.shape[1] if present else 0)

    def chunks(self) -> dict[int, set[int]]:
        """Document → ids of its chunks, as they really stand in Chroma."""
        owners: dict[int, set[int]] = {}
        for offset in range(0, self._call("count"), _BATCH):
            answer = self._call("get", include=["metadatas"], limit=_BATCH, offset=offset)
            for id_, metadata in zip(answer["ids"], answer["metadatas"], strict=True):
                owners.setdefault(int((metadata or {}).get("document", -1)), set()).add(int(id_))
        return owners

    def exists(self) -> bool:
        return self._folder.exists()

    def remove(self, document: int) -> None:
        """From every collection, those of earlier embedders too; needs no embedder."""
        if not self._folder.exists():
            return
        with _as_unreadable():
            for collection in self._opened_client().list_collections():
                collection.delete(where={"document": document})

    def remove_chunks(self, chunks: Iterable[int]) -> None:
        ids = [str(chunk) for chunk in chunks]
        for first in range(0, len(ids), _BATCH):
            self._call("delete", ids=ids[first : first + _BATCH])

    def quarantine(self) -> None:
        """Put a broken folder aside and start an empty one."""
        with self._lock:
            self.close()
            _forget_clients()
            if self._folder.exists():
                _log.warning("the vectors could not be read; put aside as %s", quarantine(self._folder).name)

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._collection = None

    def _call(self, method: str, **arguments: Any) -> Any:
        embedder = self._embedder()  # what goes wrong there is not Chroma's fault
        with _as_unreadable():
            return getattr(self._opened(embedder), method)(**arguments)

    def _opened(self, embedder: str) -> Any:
        with self._lock:
            if self._collection is None:
                name = "chunks-" + re.sub(r"[^a-zA-Z0-9._-]+", "-", embedder).strip("-._")[:80]
                self._collection = self._opened_client().get_or_create_collection(
                    name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
                )
            return self._collection

    def _opened_client(self) -> Any:
        with self._lock:
            if self._client is None:
                import chromadb  # 0.6 s: not before a vector is needed
                from chromadb.config import Settings

                settings = Settings(anonymized_telemetry=False)
                self._client = chromadb.PersistentClient(str(self._folder), settings=settings)
            return self._client


@contextmanager
def _as_unreadable() -> Iterator[None]:
    """Every error of Chroma's, its Rust panics included, becomes Unreadable."""
    try:
        yield
    except (Unreadable, KnowledgeError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _forget_clients() -> None:
    """Chroma keeps a failed system by its path and would hand it out again."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


@dataclass(frozen=True, slots=True)
class Scored:
    """Cosines of one question with every row of the matrix as it stood. Rows of a document are neighbours."""

    chunks: Integers  # (rows,) chunk ids, ascending within a document
    documents: Integers  # (rows,)
    cosines: NDArray[np.float32]  # (rows,)
    places: Mapping[int, tuple[int, int]]  # document → first row, end

    def best(self, k: int) -> list[tuple[int, int, float]]:
        """(chunk, document, cosine), best first."""
        k = min(k, len(self.cosines))
        top = np.argpartition(-self.cosines, k - 1)[:k] if 0 < k < len(self.cosines) else np.arange(k)
        top = top[np.lexsort((self.chunks[top], -self.cosines[top]))]
        return [(int(self.chunks[i]), int(self.documents[i]), float(self.cosines[i])) for i in top]

    def of(self, chunk: int, document: int) -> float | None:
        first, end = self.places.get(document, (0, 0))
        row = first + int(np.searchsorted(self.chunks[first:end], chunk))
        return float(self.cosines[row]) if row < end and self.chunks[row] == chunk else None


class Matrix:
    """The vectors of all finished documents: (rows, dimensions) float32. Searching never waits for adding."""

    def __init__(self, dimensions: int) -> None:
        self._lock = threading.Lock()
        self._rows: FloatMatrix = np.zeros((0, dimensions), np.float32)  # grows by doubling; only the first _used count
        self._chunks: Integers = np.zeros(0, np.int64)
        self._documents: Integers = np.zeros(0, np.int64)
        self._places: dict[int, tuple[int, int]] = {}  # replaced, never changed
        self._used = 0

    def put(self, document: int, chunks: Sequence[int], vectors: FloatMatrix) -> None:
        """Replace the rows of a document. Rows beyond a reader's view are free to write."""
        order = np.argsort(np.asarray(chunks, np.int64))
        with self._lock:
            if document in self._places:
                self._drop(document)
            end = self._used + len(chunks)
            self._reserve(end)
            self._rows[self._used : end] = np.asarray(vectors, np.float32)[order]
            self._chunks[self._used : end] = np.asarray(chunks, np.int64)[order]
            self._documents[self._used : end] = document
            self._places = {**self._places, document: (self._used, end)}
            self._used = end

    def remove(self, document: int) -> None:
        with self._lock:
            if document in self._places:
                self._drop(document)

    def scores(self, vector: NDArray[np.float32], documents: Collection[int] | None = None) -> Scored:
        """vector: (dimensions,) unit length."""
        with self._lock:
            rows, chunks, owners = self._rows[: self._used], self._chunks[: self._used], self._documents[: self._used]
            places = self._places
        if documents is None:
            return Scored(chunks, owners, _cosines(rows, vector), places)
        wanted = [(document, *places[document]) for document in sorted(documents) if document in places]
        within: dict[int, tuple[int, int]] = {}
        used = 0
        for document, first, end in wanted:
            within[document] = (used, used + end - first)
            used += end - first
        pick = np.concatenate([np.arange(first, end) for _, first, end in wanted]) if wanted else np.zeros(0, np.int64)
        cosines = [_cosines(rows[first:end], vector) for _, first, end in wanted]
        joined = np.concatenate(cosines) if cosines else np.zeros(0, np.float32)
        return Scored(chunks[pick], owners[pick], joined, within)

    def __len__(self) -> int:
        return self._used

    def __contains__(self, document: int) -> bool:
        return document in self._places

    def _reserve(self, needed: int) -> None:
        if needed <= len(self._rows):
            return
        room = max(needed, 2 * len(self._rows), 1024)
        self._rows = _grown(self._rows, room, self._used)
        self._chunks = _grown(self._chunks, room, self._used)
        self._documents = _grown(self._documents, room, self._used)

    def _drop(self, document: int) -> None:
        """New arrays, so that a search that is under way keeps its own (100,000 rows: 50 ms)."""
        first, end = self._places[document]
        gone = end - first
        for name in ("_rows", "_chunks", "_documents"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old[:first], old[end : self._used]]))
        self._used -= gone
        places = {d: (a, b) if a < first else (a - gone, b - gone) for d, (a, b) in self._places.items()}
        del places[document]
        self._places = places


def _cosines(rows: FloatMatrix, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """One thread. BLAS splits even this among threads that spin: on a busy machine 10,000 rows took it 7 times the
    processor time (3.2 ms for 0.44) and 36 ms of wall time; at 100,000 rows both wait for memory alike (5 ms).
    """
    cosines: NDArray[np.float32] = np.einsum("ij,j->i", rows, vector)
    return cosines


def _grown(old: Any, room: int, used: int) -> Any:
    new = np.zeros((room, *old.shape[1:]), old.dtype)
    new[:used] = old[:used]
    return new
