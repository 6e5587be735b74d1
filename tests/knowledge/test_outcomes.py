"""What became of a document, and what was wrong with a question, is said in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge.embedders import Embedder
from knowledge.errors import ForPerson
from knowledge.library import Library
from knowledge.pages import documents_view
from knowledge.pages.arrivals import Arrival
from knowledge.pages.documents_page import Documents
from knowledge.pages.wording import words
from knowledge.store.database import connect
from knowledge.store.documents import DocumentStore
from knowledge.values import Outcome, Progress, Status
from knowledge.verbs import docs_add, docs_list, docs_show
from tests import hostile

PARTIAL = Outcome("partial_damaged", {"read": 4, "pages": 5})


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    home.mkdir()
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    yield engine
    engine.dispose()


@pytest.fixture
def library(home: Path, engine: Engine, embedder: Embedder) -> Iterator[Library]:
    library = Library.open(home, engine, lambda: embedder)
    yield library
    library.close()


@pytest.mark.model
def test_an_outcome_is_stored_and_said_in_both_languages(library: Library, engine: Engine, tmp_path: Path) -> None:
    bad = tmp_path / "cut.pdf"
    bad.write_bytes(b"%PDF-1.7\n1 0 obj <<")
    added = {language: list(docs_add(library, paths=[str(bad)], language=language))[-1] for language in ("en", "es")}
    (document,) = DocumentStore(engine).all()
    listed = {language: next(iter(docs_list(library, language=language))) for language in ("en", "es")}
    shown = {language: next(iter(docs_show(library, document=document.id, language=language))) for language in listed}
    for rows in (added, listed, shown):
        assert rows["en"]["message"] == document.message == document.said("en")
        assert rows["es"]["message"] == document.said("es")
        assert rows["es"]["message"].startswith("El PDF está dañado")


@pytest.mark.model
def test_the_page_says_the_very_outcome_in_spanish(library: Library, make_pdf: Callable[..., Path]) -> None:
    locked = make_pdf(["The vault holds 4711."], password="abc")
    list(docs_add(library, paths=[str(locked)]))
    list(docs_add(library, paths=[str(locked)], password="wrong"))
    page = Documents(library, _Nobody(), Path()).answer({"do": "show"}, words("es"))  # type: ignore[arg-type]
    assert "La contraseña no es correcta" in page["regions"]["list"]


class _Nobody:
    stamp = 0

    def everywhere(self) -> list[Arrival]:
        return []


@pytest.mark.model
@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "There is no document 3."), ("es", "No hay ningún documento 3.")]
)
def test_a_refusal_on_the_page_is_in_its_language(library: Library, language: str, sentence: str) -> None:
    documents = Documents(library, _Nobody(), Path())  # type: ignore[arg-type]
    answer = documents.answer({"do": "page", "document": 3, "number": 1}, words(language))
    assert answer["error"].startswith(sentence)


@pytest.mark.model
def test_the_same_bytes_again_are_said_to_be_here_and_how_much_of_them(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "one.pdf"
    path.write_bytes(hostile.one_bad_page())
    first = list(docs_add(library, paths=[str(path)]))[-1]
    again = list(docs_add(library, paths=[str(path)], title="two.pdf"))[-1]
    spanish = list(docs_add(library, paths=[str(path)], language="es"))[-1]
    assert (again["status"], again["duplicate"]) == ("ready_partial", True)
    assert again["message"] == f"It is in the library already, as one.pdf. {first['message']}"
    assert spanish["message"].startswith("Ya está en la biblioteca, como one.pdf. Se han podido leer 4 de 5 páginas")


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "4 of 5 pages could be read"), ("es", "leer 4 de 5 páginas")]
)
def test_the_chip_of_known_bytes_says_that_they_were_read_in_part(language: str, sentence: str) -> None:
    known = Progress(3, "a.pdf", Status.READY_PARTIAL, 4, 5, PARTIAL.said(), duplicate=True, outcome=PARTIAL)
    say = words(language)
    chip = documents_view.chip(Arrival(1, "chat:1", known, done=True), say)
    assert say("duplicate") in chip
    assert sentence in chip


def test_an_error_with_a_key_is_said_in_both_languages_and_one_without_in_its_own() -> None:
    error = ForPerson(key="no_page", title="{a}.pdf", page=9, pages=3)
    assert str(error) == error.said("en") == "{a}.pdf has no page 9 that could be read; it has 3 pages."
    assert error.said("es").startswith("{a}.pdf no tiene una página 9")
    assert ForPerson("Shorten it.").said("es") == "Shorten it."
