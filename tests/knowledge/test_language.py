"""Languages and stems: who types a word in another form, or without its accent, finds the same."""

from __future__ import annotations

import pytest

from knowledge import language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the capital of France?", "en"),
        ("¿Cuál es la capital de Francia?", "es"),
        ("cuantos empleados tiene la empresa", "es"),
        ("Who founded Brenmoor?", "en"),
        ("EBITDA 2018", ""),
        ("", ""),
    ],
)
def test_a_question_of_a_few_words_shows_its_language(text: str, expected: str) -> None:
    assert language.detect(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("acciones", "acción"), ("acciones", "accion"), ("años", "año"), ("empresas", "empresa"), ("CÁMARAS", "cámara")],
)
def test_spanish_forms_share_a_stem_with_and_without_accents(one: str, other: str) -> None:
    assert language.stems(one, "es") == language.stems(other, "es") != []


def test_n_with_tilde_is_a_letter_of_its_own() -> None:
    assert language.stems("año", "es") != language.stems("ano", "es")


@pytest.mark.parametrize("written", ["1,577.00", "1.577,00", "1577.00"])
def test_a_number_is_one_word_however_its_thousands_are_parted(written: str) -> None:
    assert language.stems(f"${written}", "en") == ["157700"]


def test_a_word_of_letters_and_digits_is_also_found_by_its_parts() -> None:
    assert "2018" in language.stems("FY2018", "en")


def test_question_words_are_stopped() -> None:
    assert language.stems("Who, what, when and how did it?", "en") == []
    assert language.stems("¿Qué, cuál, cuándo y quién fue?", "es") == []


def test_composed_and_decomposed_letters_are_the_same_word() -> None:
    assert language.stems("acci\u006f\u0301n", "es") == language.stems("acción", "es")
