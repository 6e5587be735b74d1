"""The parts of an open library, for those that work on them together. Holds them; decides nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from knowledge import language
from knowledge.embedders import Embedder
from knowledge.files import Files
from knowledge.index import Matrix, Vectors
from knowledge.store.documents import DocumentStore
from knowledge.values import Chunk
from knowledge.words import SqliteWords

FALLBACK: Final = "en"  # how a text of unknown language is stemmed


@dataclass(slots=True)
class Shelf:
    store: DocumentStore
    files: Files
    words: SqliteWords
    vectors: Vectors
    embedder: Callable[[], Embedder]  # loads it on the first call
    changed: Callable[[], None]  # something a person can see is different now
    matrix: Matrix | None = None  # None until the first search has loaded it
    passwords: dict[int, str] = field(default_factory=dict, repr=False)  # of this process only, never written
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)  # around loading the matrix

    def add_words(self, document: int, chunks: list[Chunk], known: str) -> None:
        self.words.add(document, [(chunk.id, language.stems(chunk.text, known or FALLBACK)) for chunk in chunks])

    def forget(self, document: int) -> None:
        """All that was derived from a document, outside SQL. Order: what is searched first goes first."""
        if self.matrix is not None:
            self.matrix.remove(document)
        self.words.remove(document)
        self.vectors.remove(document)
