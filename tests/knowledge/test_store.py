"""The truth in SQL: migrations agree with the tables, ids are never given twice, offsets cut back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from knowledge.errors import ForOperator
from knowledge.store import lines, migrations, tables
from knowledge.store.database import connect, migrate, writing
from knowledge.store.documents import DocumentStore
from knowledge.values import Box, Line, Outcome, Page, Span, Status


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    migrate(engine, migrations.FOLDER, migrations.VERSION_TABLE)
    yield engine
    engine.dispose()


def _insert(store: DocumentStore, letter: str = "a") -> int:
    return store.insert(sha256=letter * 64, title=f"{letter}.pdf", kind="pdf", size=3)[0].id


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    id_ = _insert(DocumentStore(engine))
    migrate(engine, migrations.FOLDER, migrations.VERSION_TABLE)
    assert DocumentStore(engine).get(id_) is not None


def test_a_database_of_a_newer_release_is_refused_with_a_sentence(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ForOperator, match="newer release"):
        migrate(engine, migrations.FOLDER, migrations.VERSION_TABLE)


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "b.sqlite3").write_bytes(b"not a database at all" * 100)
    engine = connect(f"sqlite:///{tmp_path / 'b.sqlite3'}")
    with pytest.raises(ForOperator, match="cannot be opened"):
        migrate(engine, migrations.FOLDER, migrations.VERSION_TABLE)
    engine.dispose()


def test_sqlite_keeps_its_promises(engine: Engine) -> None:
    with engine.connect() as connection:
        asked = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in _PROMISES}
    assert asked == _PROMISES


_PROMISES = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_an_id_is_never_given_twice(engine: Engine) -> None:
    store = DocumentStore(engine)
    first = _insert(store)
    store.remove(first)
    assert _insert(store) > first


def test_the_same_bytes_are_one_document(engine: Engine) -> None:
    store = DocumentStore(engine)
    assert store.insert(sha256="a" * 64, title="x", kind="pdf", size=1)[1]
    document, new = store.insert(sha256="a" * 64, title="y", kind="pdf", size=1)
    assert not new
    assert document.title == "x"


def test_chunks_cut_back_to_their_page(engine: Engine) -> None:
    store = DocumentStore(engine)
    id_ = _insert(store)
    page = Page(1, "Ñandú y cigüeña.\nAnother line.")
    made = store.append(id_, [page], [Span(1, 0, 16, 5), Span(1, 17, 30, 3)])
    assert [chunk.text for chunk in made] == ["Ñandú y cigüeña.", "Another line."]
    assert list(store.chunks(id_)) == made
    assert store.chunks_by_id([made[1].id]) == {made[1].id: made[1]}


def test_removing_leaves_no_row_and_a_note_of_what_else_to_clear(engine: Engine) -> None:
    store = DocumentStore(engine)
    id_ = _insert(store)
    store.append(id_, [Page(1, "words")], [Span(1, 0, 5, 1)])
    store.remove(id_)
    assert store.get(id_) is None
    assert store.page_counts() == {}
    assert store.chunk_ids(searchable=False) == {}
    assert [left.document for left in store.leftovers()] == [id_]


def test_lines_come_back_as_they_were_to_a_65535th_of_the_page() -> None:
    given = (Line(0, 12, Box(0.1, 0.25, 0.9, 0.27)), Line(13, 90_000, Box(0.0, 0.5, 1.0, 0.52)))
    back = lines.unpack(lines.pack(given))
    assert [(line.start, line.end) for line in back] == [(0, 12), (13, 90_000)]
    for one, other in zip(given, back, strict=True):
        assert other.box.left == pytest.approx(one.box.left, abs=1e-5)
        assert other.box.bottom == pytest.approx(one.box.bottom, abs=1e-5)
    assert lines.unpack(lines.pack(())) == ()


def test_writers_in_many_threads_wait_for_each_other(engine: Engine) -> None:
    store = DocumentStore(engine)
    ids = [_insert(store, letter) for letter in "abcd"]
    errors: list[Exception] = []

    def write(id_: int) -> None:
        try:
            for n in range(1, 16):
                store.append(id_, [Page(n, "one two")], [Span(n, 0, 3, 1), Span(n, 4, 7, 1)])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(id_,)) for id_ in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.page_counts() == dict.fromkeys(ids, 15)
    store.update(ids[0], status=Status.READY)
    assert [len(found) for found in store.chunk_ids().values()] == [30]


def test_a_database_of_the_first_release_keeps_its_documents(tmp_path: Path) -> None:
    """0001 had no outcomes: its messages stay as they were written."""
    engine = connect(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    old = tmp_path / "first"
    shutil.copytree(migrations.FOLDER, old, ignore=shutil.ignore_patterns("v0002*", "__pycache__"))
    migrate(engine, old, migrations.VERSION_TABLE)
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO documents (sha256, title, kind, status, message, pages, pages_ready, language, size,"
                " embedder, added_at) VALUES ('a', 'a.pdf', 'pdf', 'damaged', 'Broken.', 0, 0, '', 3, '', :now)"
            ),
            {"now": "2026-01-02 00:00:00"},
        )
    migrate(engine, migrations.FOLDER, migrations.VERSION_TABLE)
    (document,) = DocumentStore(engine).all()
    assert (document.message, document.outcome, document.said("es")) == ("Broken.", None, "Broken.")
    engine.dispose()


def test_a_message_and_its_outcome_change_together(engine: Engine) -> None:
    store = DocumentStore(engine)
    id_ = _insert(store)
    outcome = Outcome("cancelled", {"read": 3})
    store.update(id_, message=outcome.said(), outcome=outcome)
    assert getattr(store.get(id_), "outcome", None) == outcome
    store.update(id_, pages=3)
    assert getattr(store.get(id_), "outcome", None) == outcome
    store.update(id_, message="")
    assert getattr(store.get(id_), "outcome", outcome) is None


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql+pg8000://u@localhost/a", "pip install pg8000"),
        ("mysql://u@localhost/a", "pip install mysqlclient"),
        ("nosuchbase://localhost/a", "no kind of database"),
    ],
)
def test_a_missing_driver_is_a_sentence_that_names_it(url: str, advice: str) -> None:
    with pytest.raises(ForOperator, match=advice):
        connect(url)


@pytest.mark.skipif(find_spec("psycopg") is not None, reason="the driver is installed")
def test_postgresql_without_its_driver_says_what_to_install() -> None:
    with pytest.raises(ForOperator, match=r"pip install 'psycopg\[binary\]'"):
        connect("postgresql://user@localhost/afina")
