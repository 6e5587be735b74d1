"""The library on real files: what goes in is found, once; what is removed is gone; a failure harms nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import cast

import pytest

from knowledge.embedders import Embedder
from knowledge.errors import ForPerson
from knowledge.library import AT_ONCE, Library
from knowledge.store.database import connect
from knowledge.values import Progress, Status
from knowledge.verbs import docs_add
from tests.pdfs import handbook

pytestmark = pytest.mark.model

Opener = Callable[[Path], Library]


@pytest.fixture
def opened(embedder: Embedder) -> Iterator[Opener]:
    """Opens libraries and closes them, with their engines, at the end."""
    libraries, engines = [], []

    def open_(home: Path) -> Library:
        home.mkdir(parents=True, exist_ok=True)
        engines.append(connect(f"sqlite:///{home / 'afina.sqlite3'}"))
        libraries.append(Library.open(home, engines[-1], lambda: embedder))
        return libraries[-1]

    yield open_
    for library in libraries:
        library.close()
    for engine in engines:
        engine.dispose()


@pytest.fixture
def library(opened: Opener, home: Path) -> Library:
    return opened(home)


def last(steps: Iterator[Progress]) -> Progress:
    *_, final = steps
    assert final.status.final
    return final


def shown(library: Library, *questions: str) -> list[list[tuple[str, int, int, int]]]:
    """What a person would see, without ids, which may differ."""
    return [[(p.title, p.page, p.start, p.end) for p in library.search(question, k=5)] for question in questions]


QUESTIONS = ("How many wind turbines does Brenmoor Energy operate?", "Tarn Hill battery capacity", "safety training")


def test_a_fact_is_found_on_its_page_and_cuts_back_to_it(library: Library, tmp_path: Path) -> None:
    steps = list(library.add(handbook(tmp_path / "handbook.pdf")))
    assert steps[-1].status is Status.READY
    assert (steps[-1].pages_ready, steps[-1].pages) == (30, 30)
    first = library.search(QUESTIONS[0])[0]
    assert first.page == 7
    assert "212 wind turbines" in " ".join(first.text.split())
    assert library.page(first.document, first.page).text[first.start : first.end] == first.text
    assert -1.0 <= first.dense <= 1.0
    assert library.document(first.document).language == "en"


def test_spanish_is_found_by_another_form_of_the_word(library: Library, make_pdf: Callable[..., Path]) -> None:
    pages = [f"La empresa publica el informe número {n} sobre el tiempo en la costa y los vientos." for n in range(6)]
    pages[3] = "Cada acción da derecho a un voto en la junta general de la empresa."
    last(library.add(make_pdf(pages)))
    for question in ("¿Qué derechos dan las acciones?", "acciones", "accion"):
        assert library.search(question)[0].page == 4, question


def test_the_same_bytes_make_no_second_copy_and_change_nothing(library: Library, home: Path, tmp_path: Path) -> None:
    path = handbook(tmp_path / "one.pdf", pages=8)
    first = last(library.add(path))
    before = shown(library, *QUESTIONS)
    again = last(library.add(path, title="two.pdf"))
    assert again.duplicate
    assert again.document == first.document
    assert "one.pdf" in again.said()
    assert len(library.documents()) == len(list((home / "files").iterdir())) == 1
    assert shown(library, *QUESTIONS) == before
    assert library.check() == []


def test_removing_leaves_no_file_no_text_no_vector_no_word(
    library: Library, home: Path, tmp_path: Path, make_pdf: Callable[..., Path]
) -> None:
    kept = last(library.add(handbook(tmp_path / "kept.pdf", pages=8)))
    secret = last(library.add(make_pdf(["The vault opens with the word Quetzalcoatl."], name="secret.pdf")))
    assert library.search("Quetzalcoatl vault")[0].document == secret.document
    assert secret.document is not None
    library.remove(secret.document)
    assert all(passage.document == kept.document for passage in library.search("Quetzalcoatl vault"))
    assert len(list((home / "files").iterdir())) == 1
    assert library.check() == []
    library.close()
    assert not [path for path in home.rglob("*") if path.is_file() and b"uetzalcoatl" in path.read_bytes()]
    with pytest.raises(ForPerson, match="no document"):
        library.document(secret.document)


def test_what_was_removed_can_be_added_again_under_a_new_id(library: Library, tmp_path: Path) -> None:
    path = handbook(tmp_path / "a.pdf", pages=8)
    first = last(library.add(path))
    assert first.document is not None
    library.remove(first.document)
    second = last(library.add(path))
    assert not second.duplicate
    assert second.document is not None
    assert second.document > first.document
    assert library.search(QUESTIONS[0])[0].document == second.document


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("empty.pdf", b"", Status.NOT_A_PDF),
        ("fake.pdf", b"<html>no</html>" * 50, Status.NOT_A_PDF),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj <<", Status.DAMAGED),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0" * 9, Status.NOT_A_PDF),
    ],
)
def test_a_bad_file_has_a_named_outcome_and_harms_nothing(
    library: Library, tmp_path: Path, name: str, content: bytes, status: Status
) -> None:
    last(library.add(handbook(tmp_path / "good.pdf", pages=8)))
    before = shown(library, *QUESTIONS)
    (tmp_path / name).write_bytes(content)
    outcome = last(library.add(tmp_path / name))
    assert outcome.status is status
    assert len(outcome.message) > 20
    assert shown(library, *QUESTIONS) == before
    assert library.check() == []


def test_a_missing_file_is_said_so(library: Library, tmp_path: Path) -> None:
    outcome = last(library.add(tmp_path / "nowhere.pdf"))
    assert outcome.status is Status.FAILED
    assert "exists" in outcome.message
    assert library.documents() == []


def test_a_password_opens_a_document_and_is_written_nowhere(
    library: Library, opened: Opener, home: Path, make_pdf: Callable[..., Path]
) -> None:
    password = "correct-horse-battery"
    path = make_pdf(["The locked ledger lists nine debtors."], password=password)
    locked = last(library.add(path))
    assert locked.status is Status.NEEDS_PASSWORD
    assert locked.document is not None
    assert last(library.retry(locked.document, password="wrong")).status is Status.NEEDS_PASSWORD
    assert last(library.retry(locked.document, password=password)).status is Status.READY
    assert library.page_image(locked.document, 1, width=200).startswith(b"\x89PNG")
    library.close()
    assert not [p for p in home.rglob("*") if p.is_file() and password.encode() in p.read_bytes()]
    later = opened(home)
    assert later.search("locked ledger")[0].document == locked.document  # its text stays
    with pytest.raises(ForPerson):
        later.page_image(locked.document, 1)  # its picture asks again
    assert later.page_image(locked.document, 1, password=password).startswith(b"\x89PNG")


def test_stop_ends_as_cancelled_and_leaves_nothing_to_find(library: Library, tmp_path: Path) -> None:
    stop = threading.Event()
    steps = library.add(handbook(tmp_path / "long.pdf", pages=250), stop=stop)
    for step in steps:
        if step.pages_ready:
            stop.set()
            break
    final = last(steps)
    assert final.status is Status.CANCELLED
    assert library.search(QUESTIONS[0]) == []
    assert library.check() == []
    assert last(library.add(tmp_path / "long.pdf")).status is Status.READY


def test_adding_and_searching_at_once_disturb_neither(library: Library, tmp_path: Path) -> None:
    last(library.add(handbook(tmp_path / "first.pdf")))
    expected = [library.search(question)[0].page for question in QUESTIONS[:2]]
    paths = [handbook(tmp_path / f"more{n}.pdf", pages=9 + n, language="es") for n in range(3)]
    outcomes: list[Progress] = []
    threads = [threading.Thread(target=lambda p=path: outcomes.append(last(library.add(p)))) for path in paths]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert [library.search(question)[0].page for question in QUESTIONS[:2]] == expected
    assert [outcome.status for outcome in outcomes] == [Status.READY] * 3
    assert library.check() == []


def test_the_version_changes_with_every_change(library: Library, tmp_path: Path) -> None:
    seen = {library.version}
    done = last(library.add(handbook(tmp_path / "a.pdf", pages=3)))
    assert library.version not in seen
    seen.add(library.version)
    library.search("anything")
    assert library.version in seen
    assert done.document is not None
    library.remove(done.document)
    assert library.version not in seen


def test_a_search_stays_within_the_documents_it_is_given(library: Library, tmp_path: Path) -> None:
    one = last(library.add(handbook(tmp_path / "one.pdf", pages=9))).document
    two = last(library.add(handbook(tmp_path / "two.pdf", pages=12))).document
    assert one is not None
    assert {passage.document for passage in library.search(QUESTIONS[0])} == {one, two}
    assert {passage.document for passage in library.search(QUESTIONS[0], documents=[one])} == {one}
    assert library.search(QUESTIONS[0], documents=[]) == []
    assert library.search("   ") == []
    assert library.search('"" OR NOT ( * NEAR', k=3) is not None


def test_a_reopened_library_answers_the_same(opened: Opener, home: Path, tmp_path: Path) -> None:
    library = opened(home)
    last(library.add(handbook(tmp_path / "a.pdf")))
    before = shown(library, *QUESTIONS)
    library.close()
    assert shown(opened(home), *QUESTIONS) == before


def test_text_and_markdown_are_documents_too(library: Library, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n\nThe heron nests above the old sluice.\n", "utf-8")
    done = last(library.add(tmp_path / "notes.md"))
    assert done.status is Status.READY
    assert library.search("Where does the heron nest?")[0].title == "notes.md"
    assert done.document is not None
    with pytest.raises(ForPerson, match="no page images"):
        library.page_image(done.document, 1)


def test_a_document_that_waits_its_turn_can_be_cancelled(library: Library, tmp_path: Path) -> None:
    long = [library.add(handbook(tmp_path / f"long{n}.pdf", pages=200 + n)) for n in range(AT_ONCE)]
    for steps in long:
        next(step for step in steps if step.status is Status.READING)
    stop = threading.Event()
    waiting = library.add(handbook(tmp_path / "waits.pdf", pages=3), stop=stop)
    next(step for step in waiting if step.document is not None)
    stop.set()
    assert last(waiting).status is Status.CANCELLED
    assert [last(steps).status for steps in long] == [Status.READY] * AT_ONCE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_what_is_no_file_is_refused_at_once(library: Library, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "folder.txt").mkdir()
    outcomes: list[Progress] = []

    def add() -> None:
        outcomes.extend(last(library.add(tmp_path / name)) for name in ("pipe.pdf", "folder.txt"))

    adding = threading.Thread(target=add, daemon=True)
    adding.start()
    adding.join(timeout=10)
    assert [(outcome.status, "not a file" in outcome.message) for outcome in outcomes] == [(Status.FAILED, True)] * 2


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30])
def test_a_number_no_document_can_have_is_a_sentence(library: Library, number: int) -> None:
    with pytest.raises(ForPerson, match=f"There is no document {number}"):
        library.document(number)
    with pytest.raises(ForPerson, match="There is no document"):
        library.page(number, 10**30)


def test_an_empty_text_holds_no_text(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    outcome = last(library.add(tmp_path / "empty.txt"))
    assert outcome.status is Status.NO_TEXT
    assert "empty" in outcome.message


def test_rows_nobody_waits_for_any_more_end_as_cancelled_before_the_library_closes(
    library: Library, tmp_path: Path
) -> None:
    rows = docs_add(library, paths=[str(handbook(tmp_path / "long.pdf", pages=250))])
    next(row for row in rows if row["pages_ready"])
    cast("Generator[object, None, None]", rows).close()
    library.close()
    assert [document.status for document in library.documents()] == [Status.CANCELLED]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_in_the_middle_ends_as_cancelled(home: Path, tmp_path: Path, weights: Path, opened: Opener) -> None:
    path = handbook(tmp_path / "long.pdf", pages=250)
    command = [sys.executable, "-c", _ADD, str(home), str(path), str(weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line):
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert [document.status for document in opened(home).documents()] == [Status.CANCELLED]


_ADD = """
import sys, time
from contextlib import closing
from pathlib import Path
from knowledge import embedders
from knowledge.library import Library
from knowledge.store.database import connect
from knowledge.verbs import docs_add

home, path, weights = map(Path, sys.argv[1:4])
home.mkdir(exist_ok=True)
engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
with closing(Library.open(home, engine, lambda: embedders.load("all-minilm-l6-v2", weights))) as library:
    for row in docs_add(library, paths=[str(path)]):
        print(row.get("pages_ready", 0), flush=True)
"""
