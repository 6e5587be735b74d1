"""In: chunks as stems, a question as stems. Out: chunks by bm25. Knows nothing of languages or vectors.

The lexical half of the search: SQLite's FTS5 in a file of its own, which can always be rebuilt from SQL. The text is
stemmed before it comes here, so one index serves several languages. Chosen over bm25s because it grows and shrinks with
each document; equal in ranking (measured elsewhere on SQuAD, same stop words).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from knowledge.errors import ForOperator

_SCHEMA = """
CREATE TABLE IF NOT EXISTS owners (chunk INTEGER PRIMARY KEY, document INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS owners_document ON owners (document, chunk);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (stems, tokenize = "unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab (words, row);
"""

_SEARCH = """
SELECT chunk, (SELECT document FROM owners WHERE owners.chunk = hits.chunk), rank
FROM (SELECT rowid AS chunk, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?) AS hits
"""
_SEARCH_WITHIN = """
SELECT words.rowid, owners.document, words.rank FROM words CROSS JOIN owners ON owners.chunk = words.rowid
WHERE words MATCH ? AND words.rowid BETWEEN ? AND ? AND owners.document IN ({marks}) ORDER BY words.rank LIMIT ?
"""
_BUDGET = 20_000  # chunks scored per search; 100,000 chunks: p95 115 ms without a budget, 46 ms with it


@dataclass(frozen=True, slots=True)
class WordHit:
    chunk: int
    document: int
    score: float  # bm25, higher is better, above 0


class Words(Protocol):
    """What the search needs of a lexical index. One per library."""

    def add(self, document: int, chunks: Sequence[tuple[int, Sequence[str]]]) -> None: ...

    def remove(self, document: int) -> None: ...

    def search(self, stems: Collection[str], k: int, documents: Collection[int] | None = None) -> list[WordHit]: ...

    def chunks(self) -> dict[int, set[int]]: ...

    def close(self) -> None: ...


class SqliteWords:
    """FTS5. Reading threads have a connection each; writing is one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        self.fresh = not path.exists()  # nothing in it yet, or what was in it could not be read
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            self.close()
            quarantine(path)
            self.fresh = True
            self._prepare()

    def add(self, document: int, chunks: Sequence[tuple[int, Sequence[str]]]) -> None:
        """Upsert; one transaction."""
        with self._writing, self._connection() as connection:
            ids = [(chunk,) for chunk, _ in chunks]
            connection.executemany("DELETE FROM words WHERE rowid = ?", ids)
            connection.executemany("INSERT OR REPLACE INTO owners VALUES (?, ?)", [(id_, document) for (id_,) in ids])
            rows = [(chunk, " ".join(stems)) for chunk, stems in chunks]
            connection.executemany("INSERT INTO words (rowid, stems) VALUES (?, ?)", rows)

    def remove(self, document: int) -> None:
        """Its words leave the file too, not only the answers: what a person removes must not be readable in it."""
        connection = self._connection()
        with self._writing:
            with connection:
                query = "DELETE FROM words WHERE rowid IN (SELECT chunk FROM owners WHERE document = ?)"
                gone = connection.execute(query, (document,)).rowcount
                connection.execute("DELETE FROM owners WHERE document = ?", (document,))
                if gone and not self._secure:
                    connection.execute("INSERT INTO words (words) VALUES ('optimize')")  # about a second at 100,000
            if gone:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def remove_chunks(self, chunks: Iterable[int]) -> None:
        ids = [(chunk,) for chunk in chunks]
        with self._writing, self._connection() as connection:
            connection.executemany("DELETE FROM words WHERE rowid = ?", ids)
            connection.executemany("DELETE FROM owners WHERE chunk = ?", ids)

    def search(self, stems: Collection[str], k: int, documents: Collection[int] | None = None) -> list[WordHit]:
        """The best `k` chunks holding any of the stems, best first."""
        connection = self._connection()
        kept = self._affordable(connection, [stem for stem in dict.fromkeys(stems) if '"' not in stem])
        if not kept or (documents is not None and not documents):
            return []
        match = " OR ".join(f'"{stem}"' for stem in kept)
        if documents is None:
            rows = connection.execute(_SEARCH, (match, k)).fetchall()
        else:
            first, last = self._range(connection, documents)
            within = _SEARCH_WITHIN.format(marks=_marks(documents))
            rows = connection.execute(within, (match, first, last, *documents, k)).fetchall()
        return [WordHit(chunk, document, -rank) for chunk, document, rank in rows if document is not None]

    def _affordable(self, connection: sqlite3.Connection, stems: Sequence[str]) -> list[str]:
        """The stems worth reading. FTS5 scores every chunk that holds any of them, so the frequent ones, which weigh
        least, cost most: beyond the budget they are left out, most frequent first, the two rarest never.
        """
        query = "SELECT doc FROM vocabulary WHERE term = ?"
        counts = [(connection.execute(query, (stem,)).fetchone() or (0,))[0] for stem in stems]
        found = sorted((count, stem) for count, stem in zip(counts, stems, strict=True) if count)
        kept: list[str] = []
        spent = 0
        for count, stem in found:
            spent += count
            if spent <= _BUDGET or len(kept) < 2:
                kept.append(stem)
        return kept

    def chunks(self) -> dict[int, set[int]]:
        """Document → ids of its chunks, as they really stand in the index."""
        found: dict[int, set[int]] = {}
        query = "SELECT owners.document, words.rowid FROM words LEFT JOIN owners ON owners.chunk = words.rowid"
        for document, chunk in self._connection().execute(query):
            found.setdefault(-1 if document is None else document, set()).add(chunk)
        return found

    def counts(self) -> dict[int, int]:
        """Document → number of its chunks."""
        return dict(self._connection().execute("SELECT document, count(*) FROM owners GROUP BY document"))

    def healthy(self) -> bool:
        """Whether the file is whole and the index agrees with its own text."""
        try:
            with self._writing, self._connection() as connection:
                connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
                return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
        except sqlite3.DatabaseError:
            return False

    def clear(self) -> None:
        """Start again with an empty file."""
        with self._writing:
            self.close()
            remove_database(self._path)
            self._prepare()

    def close(self) -> None:
        for connection in self._open:
            with suppress(sqlite3.Error):
                connection.close()
        self._open.clear()
        self._local = threading.local()

    def _prepare(self) -> None:
        connection = self._connection()
        try:
            with connection:
                connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            if "no such module" in str(error):
                raise ForOperator("This Python's SQLite has no FTS5; install a Python built with it.") from error
            raise
        self._secure = sqlite3.sqlite_version_info >= (3, 42)  # FTS5 can overwrite deleted words from then on
        if self._secure:
            with connection:
                connection.execute("INSERT INTO words (words, rank) VALUES ('secure-delete', 1)")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=30.0, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")  # rebuilt from SQL if a power cut takes the last commit
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA cache_size=-32000")  # 32 MB
            self._local.connection = connection
            self._open.append(connection)
        return connection

    @staticmethod
    def _range(connection: sqlite3.Connection, documents: Collection[int]) -> tuple[int, int]:
        """A document's chunks have neighbouring ids, and FTS5 skips what lies outside a range of ids."""
        query = f"SELECT min(chunk), max(chunk) FROM owners WHERE document IN ({_marks(documents)})"
        first, last = connection.execute(query, tuple(documents)).fetchone()
        return (0, -1) if first is None else (first, last)


def _marks(values: Collection[int]) -> str:
    return ", ".join("?" * len(values))


def quarantine(path: Path) -> Path:
    """Put a broken file or folder aside under a name of its own, so that nothing is destroyed by a mistake of ours."""
    target = next(p for n in range(1, 10_000) if not (p := path.with_name(f"{path.name}.broken-{n}")).exists())
    path.replace(target)
    for suffix in _BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return target


def remove_database(path: Path) -> None:
    for suffix in ("", *_BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside its file
