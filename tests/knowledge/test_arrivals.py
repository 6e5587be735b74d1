"""Laws of files on their way: the upload is deleted, a failure stays until it is seen, a success is told once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.pages.arrivals import Arrivals
from knowledge.store.database import connect
from knowledge.values import Status
from tests.pdfs import handbook

pytestmark = pytest.mark.model


@pytest.fixture
def arrivals(home: Path, embedder: Embedder) -> Iterator[Arrivals]:
    home.mkdir()
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    library = Library.open(home, engine, lambda: embedder)
    arrivals = Arrivals(library)
    yield arrivals
    arrivals.close()
    library.close()
    engine.dispose()


def _done(arrivals: Arrivals, place: str = "chat:1") -> None:
    deadline = time.monotonic() + 30
    while arrivals.busy(place):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_file_that_is_in_is_told_once_and_its_upload_is_gone(
    arrivals: Arrivals, make_pdf: Callable[..., Path]
) -> None:
    told: list[int] = []
    file = make_pdf(["The ferry leaves at seven."])
    arrivals.add(file, "ferry.pdf", "chat:1", told.append)
    _done(arrivals)
    (document,) = arrivals._library.documents()
    assert (told, document.status, document.title) == ([document.id], Status.READY, "ferry.pdf")
    assert not file.exists()
    assert arrivals.here("chat:1") == []


def test_the_same_bytes_again_are_said_to_be_there_and_told_again(arrivals: Arrivals, tmp_path: Path) -> None:
    told: list[int] = []
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("The same text, twice.\n")
        arrivals.add(tmp_path / name, name, "chat:1", told.append)
        _done(arrivals)
    (again,) = arrivals.here("chat:1")
    assert again.progress.duplicate
    assert len(arrivals._library.documents()) == 1
    assert told == [again.progress.document] * 2


def test_a_failure_stays_until_it_is_dismissed(arrivals: Arrivals, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.4 nothing here")
    number = arrivals.add(bad, "bad.pdf", "chat:1")
    _done(arrivals)
    (shown,) = arrivals.here("chat:1")
    assert shown.done
    assert not shown.progress.status.searchable
    arrivals.dismiss(number)
    assert arrivals.here("chat:1") == []


def test_a_cancelled_file_says_so_and_is_in_no_library(arrivals: Arrivals, make_pdf: Callable[..., Path]) -> None:
    told: list[int] = []
    file = make_pdf(["page"] * 400)
    number = arrivals.add(file, "long.pdf", "chat:1", told.append)
    arrivals.cancel(number)
    _done(arrivals)
    (shown,) = arrivals.here("chat:1")
    assert shown.progress.status is Status.CANCELLED
    assert told == []
    arrivals.close()
    assert not file.exists()


def test_a_locked_file_opens_with_its_password(arrivals: Arrivals, make_pdf: Callable[..., Path]) -> None:
    told: list[int] = []
    arrivals.add(make_pdf(["The vault holds 4711."], password="abc"), "vault.pdf", "chat:1")
    _done(arrivals)
    (shown,) = arrivals.here("chat:1")
    assert shown.progress.status is Status.NEEDS_PASSWORD
    assert shown.progress.document
    arrivals.retry(shown.progress.document, "chat:1", "abc", told.append)
    _done(arrivals)
    assert told == [shown.progress.document]
    assert arrivals.here("chat:1") == []


def test_a_clean_stop_leaves_what_is_on_its_way_to_the_next_start(
    home: Path, embedder: Embedder, tmp_path: Path
) -> None:
    """One that is read, one that waits its turn: neither is cancelled, both are brought in later."""
    home.mkdir()
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    library = Library.open(home, engine, lambda: embedder)
    arrivals = Arrivals(library)
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        arrivals.add(handbook(tmp_path / name, pages=150 + ord(name[0])), name, "documents")
    deadline = time.monotonic() + 30
    while not any(arrival.progress.pages_ready for arrival in arrivals.everywhere()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    arrivals.close()
    library.close()
    assert [document.status.final for document in library.documents()] == [False] * 3
    again = Library.open(home, engine, lambda: embedder)
    assert [step.status for step in again.resume() if step.status.final] == [Status.READY] * 3
    again.close()
    engine.dispose()
