"""Sentences: offsets that cut back to the text, in English and Spanish, in prose and in tables."""

from __future__ import annotations

from itertools import pairwise

import pytest

from knowledge.answers.sentences import is_row, split


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


TEXTS = [
    "One. Two! Three? «¿Cuatro?» Cinco… (Six.) Seven",
    "A heading\n\nA paragraph that goes\nover two lines. And another.\n\n- item one\n- item two\n\n1. first\n2. second",
    "Net sales $ 3,226.8 $ 2,729.4\nProse that follows the table, in 2022, and ends here.\r\nNext line.",
    "   \n\n  ",
    "",
    "...",
    "no stop at all",
]


@pytest.mark.parametrize("text", TEXTS)
def test_offsets_are_in_order_and_lose_no_letter(text: str) -> None:
    spans = split(text)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(not text[a].isspace() and not text[b - 1].isspace() for a, b in spans)
    kept = "".join("".join(text[a:b].split()) for a, b in spans)
    assert kept == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Smith paid $3.5 million in the U.S. on Jan. 5. He left.", 2),
        ("J. Robert Oppenheimer was born in 1904. He died in 1967.", 2),
        ("She said no. Then she left. See No. 5 and Fig. 3.", 3),
        ("Llegaron por mar. El barco era viejo. Véase art. 5.", 3),
        ("El Sr. Pérez llegó a las 5. La casa, p. ej. esta, vale 1.000,50 euros.", 2),
        ("EE. UU. firmó el acuerdo. ¿Qué pasó después? ¡Nada!", 3),
        ("Véase la pág. 12. La Dra. Ruiz lo explica.", 2),
        ("“Really?” she said. “Yes.” He nodded.", 3),
        ("It grew by 2.5 percent. Then it fell.", 2),
        ("The plant opened in 2016 [1]. It employs ninety people. [2] It is red.", 3),
    ],
)
def test_abbreviations_initials_and_decimals_end_nothing(text: str, sentences: int) -> None:
    assert len(cut(text)) == sentences, cut(text)


def test_a_mark_after_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    assert cut("It opened. [1] It closed. [2]") == ["It opened. [1]", "It closed. [2]"]


def test_a_line_broken_by_the_margin_is_one_sentence_and_a_heading_is_its_own() -> None:
    text = (
        "Results of operations\nNet sales rose because prices did, and because the\n"
        "weather was kind to us. Costs fell.\n"
    )
    assert cut(text) == [
        "Results of operations",
        "Net sales rose because prices did, and because the\nweather was kind to us.",
        "Costs fell.",
    ]


def test_each_row_of_a_table_is_a_sentence() -> None:
    text = (
        "(Millions) 2018 2017 2016\n"
        "Depreciation and amortization 1,488 1,544 1,474\n"
        "Purchases of property, plant and equipment (PP&E) (1,577) (1,373) (1,420)\n"
        "Operating margin 16.1% 15.0% —\n"
    )
    assert cut(text) == text.splitlines()
    assert all(is_row(line) for line in text.splitlines())


@pytest.mark.parametrize("line", ["It opened on 14 March 2016.", "In 2018 and 2017 sales fell", "Section 3", "Notes:"])
def test_prose_with_a_number_is_no_row(line: str) -> None:
    assert not is_row(line)
