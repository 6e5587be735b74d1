"""`check` names each disagreement of the stores, `repair` mends it from SQL, and a healthy library says nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge.embedders import Embedder
from knowledge.errors import ForOperator
from knowledge.library import Library
from knowledge.store.database import connect
from knowledge.words import SqliteWords
from tests.pdfs import handbook

pytestmark = pytest.mark.model

QUESTIONS = ("How many wind turbines does Brenmoor Energy operate?", "noise near homes", "Who founded it?")
Hits = list[list[tuple[int, int, int]]]


@pytest.fixture
def home(home: Path, embedder: Embedder, tmp_path: Path) -> Path:
    """A closed library with two documents."""
    with _Opened(home, embedder) as library:
        for name, pages in (("one.pdf", 12), ("two.pdf", 9)):
            for _ in library.add(handbook(tmp_path / name, pages=pages)):
                pass
    return home


class _Opened:
    def __init__(self, home: Path, embedder: Embedder | Exception) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")

        def load() -> Embedder:
            if isinstance(embedder, Exception):
                raise embedder
            return embedder

        self.library = Library.open(home, self.engine, load)

    def __enter__(self) -> Library:
        return self.library

    def __exit__(self, *_: object) -> None:
        self.library.close()
        self.engine.dispose()


def _hits(library: Library) -> Hits:
    return [[(p.document, p.page, p.start) for p in library.search(question, k=6)] for question in QUESTIONS]


def _sql(home: Path, *statements: str, name: str = "afina.sqlite3") -> None:
    connection = sqlite3.connect(home / name)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def _lose_words(home: Path) -> None:
    words = SqliteWords(home / "words.sqlite3")
    words.remove_chunks([2, 3])
    words.close()


def _strange_words(home: Path) -> None:
    words = SqliteWords(home / "words.sqlite3")
    words.add(77, [(70_001, ["turbin"])])
    words.close()


def _break_words(home: Path) -> None:
    path = home / "words.sqlite3"
    data = bytearray(path.read_bytes())
    data[6000:] = b"\x7f" * (len(data) - 6000)
    path.write_bytes(bytes(data))


def _lose_vectors(home: Path) -> None:
    _chroma(home).delete(ids=["1", "2"])


def _strange_vectors(home: Path) -> None:
    _chroma(home).add(ids=["70001"], embeddings=[[1.0] + [0.0] * 383], metadatas=[{"document": 77}])


def _chroma(home: Path):  # type: ignore[no-untyped-def]
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(home / "vectors"), settings=Settings(anonymized_telemetry=False))
    (collection,) = client.list_collections()
    return collection


def _lose_all_vectors(home: Path) -> None:
    shutil.rmtree(home / "vectors")


def _break_chroma(home: Path) -> None:
    (home / "vectors" / "chroma.sqlite3").write_bytes(b"no database" * 999)


def _lose_a_page(home: Path) -> None:
    _sql(
        home,
        "DELETE FROM chunks WHERE document = 1 AND page = 7",
        "DELETE FROM pages WHERE document = 1 AND number = 7",
    )


def _lose_chunks(home: Path) -> None:
    _sql(home, "DELETE FROM chunks WHERE document = 2 AND page = 3")


def _unfinish(home: Path) -> None:
    _sql(home, "UPDATE documents SET status = 'reading' WHERE id = 2")


def _strange_file(home: Path) -> None:
    (home / "files" / ("f" * 64)).write_bytes(b"left behind")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "words lost": (_lose_words, "words_missing"),
    "words too many": (_strange_words, "words_extra"),
    "word file broken": (_break_words, "words_damaged"),
    "vectors lost": (_lose_vectors, "vectors_missing"),
    "vectors too many": (_strange_vectors, "vectors_extra"),
    "all vectors lost": (_lose_all_vectors, "vectors_missing"),
    "Chroma broken": (_break_chroma, "vectors_unreadable"),
    "a page lost": (_lose_a_page, "pages_missing"),
    "chunks lost": (_lose_chunks, "chunks_wrong"),
    "never finished": (_unfinish, "unfinished"),
    "a file too many": (_strange_file, "file_extra"),
}


@pytest.fixture
def forget_chroma() -> Iterator[None]:
    """The damage is done in this process, by a client that has to be forgotten before the library opens its own."""
    yield
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.usefixtures("forget_chroma")
def test_a_damage_is_named_and_mended_from_sql(name: str, home: Path, embedder: Embedder) -> None:
    from chromadb.api.shared_system_client import SharedSystemClient

    with _Opened(home, embedder) as library:
        assert library.check() == []
        before = _hits(library)
    damage, code = DAMAGES[name]
    damage(home)
    SharedSystemClient.clear_system_cache()
    with _Opened(home, embedder) as library:
        found = library.check()
        if code == "words_damaged" and not found:
            assert _hits(library) == before  # it was found and rebuilt when the library was opened
            return
        assert code in {finding.code for finding in found}
        assert not any(finding.repaired for finding in found)
        assert all(finding.repaired for finding in library.check(repair=True))
        assert library.check() == []
        assert _hits(library) == before or name in ("a page lost", "chunks lost", "never finished")
        assert [[hit[:2] for hit in hits] for hits in _hits(library)] == [[hit[:2] for hit in hits] for hits in before]


@pytest.mark.usefixtures("forget_chroma")
def test_while_the_vectors_are_rebuilt_words_answer_and_afterwards_all_is_as_before(
    home: Path, embedder: Embedder
) -> None:
    with _Opened(home, embedder) as library:
        before = _hits(library)
    _break_chroma(home)
    with _Opened(home, embedder) as library:
        assert library.search(QUESTIONS[0])[0].page == 7  # at once, by words alone if need be
        assert library.check() == []  # waits until the vectors are there again
        assert _hits(library) == before
    assert list(home.glob("vectors.broken-*"))


@pytest.mark.parametrize(
    ("error", "said"),
    [(ForOperator("The model is damaged."), "The model is damaged."), (OSError("torn header"), "Run `afina doctor`")],
)
def test_a_broken_embedder_harms_no_vector(home: Path, embedder: Embedder, error: Exception, said: str) -> None:
    with _Opened(home, embedder) as library:
        before = _hits(library)
    with _Opened(home, error) as library:
        (finding,) = library.check(repair=True)
        assert (finding.code, finding.repaired) == ("vectors_unchecked", False)
        assert said in finding.message
        assert library.search(QUESTIONS[0])  # by words
    assert not list(home.glob("vectors.broken-*"))
    with _Opened(home, embedder) as library:
        assert library.check() == []
        assert _hits(library) == before


def test_a_file_on_its_way_in_is_neither_swept_nor_left_over(home: Path, embedder: Embedder, tmp_path: Path) -> None:
    """Mended while the bytes are copied, and again between the copy and its row."""
    with _Opened(home, embedder) as library:
        files = library._shelf.files
        arriving = home / "files" / ".arriving-now"
        arriving.write_bytes(b"half")
        list(library.resume())
        assert library.check(repair=True) == []
        assert arriving.exists()
        (tmp_path / "new.txt").write_text("The heron nests above the old sluice.")
        kept = files.take(tmp_path / "new.txt")
        assert library.check() == library.check(repair=True) == []
        assert files.path(kept.sha256).exists()
        files.settle(kept)
        (finding,) = library.check(repair=True)
        assert finding.code == "file_extra"
        assert not files.path(kept.sha256).exists()
    with _Opened(home, embedder):
        assert not arriving.exists()  # nobody copies while a library is opened


def test_a_missing_file_cannot_be_mended_but_adding_it_again_does(
    home: Path, embedder: Embedder, tmp_path: Path
) -> None:
    with _Opened(home, embedder) as library:
        document = library.document(1)
        (home / "files" / document.sha256).unlink()
        (finding,) = library.check(repair=True)
        assert (finding.code, finding.repaired) == ("file_missing", False)
        assert library.search(QUESTIONS[0], documents=[1])
        for _ in library.add(tmp_path / "one.pdf"):
            pass
        assert library.check() == []


def test_a_removal_cut_short_is_finished_at_the_next_start(home: Path, embedder: Embedder) -> None:
    with _Opened(home, embedder) as library:
        sha256 = library.document(1).sha256
    _sql(
        home,
        "DELETE FROM chunks WHERE document = 1",
        "DELETE FROM pages WHERE document = 1",
        "DELETE FROM documents WHERE id = 1",
        f"INSERT INTO leftovers VALUES (1, '{sha256}')",
    )
    with _Opened(home, embedder) as library:
        assert all(passage.document == 2 for passage in library.search(QUESTIONS[0]))
        assert list(library.resume()) == []
        assert library.check() == []
        assert not (home / "files" / sha256).exists()
