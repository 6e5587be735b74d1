"""Documents as data: their text whole and in order; questions that the passage answers, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from knowledge import Turn
from knowledge.library import Library
from knowledge.store.database import connect
from tuning.sources.documents import Unusable, passages, questions
from tuning.sources.teacher import Silence, answers, ideas, listed
from tuning.values import Example, Kind, Role

TEXT = "\n\n".join(
    f"Chapter {n}. The bridge number {n} over the river Olmo was built by Ana Ruiz in {1900 + n}. It is {n * 10} "
    "metres long and made of stone from the quarry nearby; a toll was taken on it until the road was moved. "
    "Nobody knows who paid for the lamps that stand on both of its ends."
    for n in range(1, 13)
)


@pytest.fixture
def library(tmp_path: Path, embedder: object) -> Iterator[Library]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    library = Library.open(tmp_path, engine, lambda: embedder)  # type: ignore[arg-type,return-value]
    (tmp_path / "bridges.txt").write_text(TEXT)
    assert [step.status.searchable for step in library.add(tmp_path / "bridges.txt")][-1]
    yield library
    library.close()
    engine.dispose()


def test_a_documents_text_comes_whole_in_order_and_in_one_group(library: Library) -> None:
    (document,) = library.documents()
    found = list(passages(library, [document.id], characters=900))
    assert len(found) > 2
    assert all(one.kind is Kind.TEXT for one in found)
    said = " ".join(" ".join(one.text for one in found).split())
    at = [said.index(f"Chapter {n}.") for n in range(1, 13)]
    assert at == sorted(at)
    assert {one.source.group for one in found} == {f"document:{document.sha256[:12]}"}


def writer(lines: Sequence[str]) -> Iterator[str]:
    yield from lines
    while True:
        yield lines[-1]


def test_what_the_passage_does_not_say_is_left_out_with_its_reason(library: Library) -> None:
    (document,) = library.documents()
    said = iter(
        [
            "Question: Who built the bridge over the Olmo?\nAnswer: Ana Ruiz built the bridge.",
            "Question: Who built the bridge over the Olmo?\nAnswer: Ana Ruiz.",
            "I would rather not.",
            "Question: When does the train leave tomorrow?\nAnswer: The express departs at noon from platform seven.",
        ]
    )
    prompts = list[Sequence[Turn]]()

    def write(turns: Sequence[Turn]) -> str:
        prompts.append(turns)
        return next(said, "")

    found = list(questions(library, [document.id], write, model="m", most=4))
    examples = [one for one in found if isinstance(one, Example)]
    assert [one.code for one in found if isinstance(one, Unusable)] == ["again", "no_pair", "unsupported"]
    (one,) = examples
    assert [turn.role for turn in one.turns] == [Role.SYSTEM, Role.USER, Role.ASSISTANT]
    assert "[1] Chapter" in one.turns[1].text
    assert one.turns[2].text == "Ana Ruiz built the bridge [1]."
    assert (one.source.origin, one.source.how, one.source.model) == ("document", "proposed", "m")
    assert all(
        "bridges.txt" in left.said(language)
        for left in found
        if isinstance(left, Unusable)
        for language in ("en", "es")
    )
    asked = {turns[-1].text for turns in prompts}
    assert len(asked) == len(prompts)  # each passage once


def test_few_questions_are_spread_over_the_whole_document(library: Library) -> None:
    (document,) = library.documents()
    seen = list[str]()

    def write(turns: Sequence[Turn]) -> str:
        seen.append(turns[-1].text)
        return ""

    list(questions(library, [document.id], write, model="m", most=2))
    assert len(seen) == 2
    chapters = [int(text.split("Chapter ")[1].split(".")[0]) for text in seen if "Chapter " in text]
    assert chapters == sorted(chapters)
    assert chapters[-1] > 5


def test_a_teachers_ideas_are_new_ones_and_end_where_there_are_none() -> None:
    replies = writer(["1. Why is the sky blue?\n2) Where is Lima?\n- Where is Lima?\nBest wishes", "1. Where is Lima?"])
    found = list(ideas(lambda turns: next(replies), "geography", most=10, like=["why is the sky BLUE?"]))
    assert found == ["Where is Lima?"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. One thing\n2. “Two things”\n\n10) Ten", ["One thing", "Two things", "Ten"]),
        ("* ¿Qué hora es?\n• ¿Y tú?", ["¿Qué hora es?", "¿Y tú?"]),
        ("Here is what I think.\nNo list.", []),
        ("1. x", []),
    ],
)
def test_a_list_is_its_lines(text: str, expected: list[str]) -> None:
    assert listed(text) == expected


def test_a_teachers_answer_is_kept_with_what_both_hear() -> None:
    replies = iter(["Paris.", "  "])
    found = list(
        answers(["Capital of France?", " ", "And?"], lambda turns: next(replies), teacher="t", system="Be brief.")
    )
    one, silent = found
    assert isinstance(one, Example)
    assert [turn.text for turn in one.turns] == ["Be brief.", "Capital of France?", "Paris."]
    assert one.source.model == "t"
    assert isinstance(silent, Silence)
