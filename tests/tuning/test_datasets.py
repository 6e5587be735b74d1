"""Drafts and what is done to them: in SQL, on a real database, with every step taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant.history import History
from knowledge.store.database import connect
from tuning.datasets import Datasets, Filter, Status
from tuning.datasets.drafts import UnknownExample
from tuning.errors import ForPerson
from tuning.values import Answer, Example, Kind, Role, Source, Turn, conversation

U, A, S = Role.USER, Role.ASSISTANT, Role.SYSTEM


def talk(n: int, **source: object) -> Example:
    given = Source(**{"origin": "import", "group": f"g:{n}", "line": n, "name": "talks.jsonl", **source})  # type: ignore[arg-type]
    return conversation(Turn(U, f"Question number {n}?"), Turn(A, f"This is the answer to {n}."), source=given)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    yield engine
    engine.dispose()


@pytest.fixture
def history(engine: Engine) -> History:
    return History(engine)


@pytest.fixture
def datasets(engine: Engine, history: History) -> Datasets:
    return Datasets(engine, history)


@pytest.fixture
def marv(datasets: Datasets) -> int:
    number = datasets.create("marv").id
    datasets.add(number, map(talk, range(12)))
    return number


def test_an_example_is_kept_once_however_often_it_comes(datasets: Datasets, marv: int) -> None:
    again = datasets.add(marv, [talk(3), talk(40), talk(40), replace(talk(4), tags=("new",))])
    assert (again.added, again.known) == (1, 3)
    assert datasets.get(marv).draft == 13


def test_what_comes_out_is_what_went_in(datasets: Datasets, marv: int) -> None:
    odd = conversation(
        Turn(S, "Eres Marv. 🙄"), Turn(U, "¿Qué?\n\n¿Sí?"), Turn(A, "  Nada.\t", learn=False), tags=("voz", "niño")
    )
    number = datasets.add(marv, [odd]).ids[0]
    stored = datasets.example(number)
    assert stored.example == odd
    assert stored.language == "es"


def test_half_a_character_never_keeps_an_example_from_being_stored(datasets: Datasets, marv: int) -> None:
    broken = conversation(Turn(U, "cut \ud83d"), Turn(A, "whole"))
    assert datasets.example(datasets.add(marv, [broken]).ids[0]).example.turns[0].text == "cut \ufffd"


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (Filter(), 14),
        (Filter(search="number 7"), 1),
        (Filter(search="NUMBER cuestión"), 0),
        (Filter(search="cuestion ANO"), 1),
        (Filter(search="100%"), 0),
        (Filter(tag="ñandú"), 1),
        (Filter(tag="ñan"), 0),
        (Filter(kind=Kind.RANKING), 1),
        (Filter(unranked=True), 1),
        (Filter(language="es"), 1),
        (Filter(origin="hand"), 2),
        (Filter(status=Status.APPROVED), 0),
        (Filter(shortest=44, longest=45), 2),
    ],
)
def test_a_filter_lets_through_what_it_says(datasets: Datasets, marv: int, only: Filter, expected: int) -> None:
    spanish = conversation(Turn(U, "Una cuestión de este año: ¿qué hay?"), Turn(A, "Nada de nada."), tags=("ñandú",))
    ranking = Example(Kind.RANKING, (Turn(U, "Which?"),), (Answer((Turn(A, "a"),)), Answer((Turn(A, "b"),))))
    datasets.add(marv, [spanish, ranking])
    page = datasets.page(marv, only, limit=5)
    assert page.total == expected
    assert len(page.examples) == min(expected, 5)
    assert datasets.ids(marv, only)[:5] == [one.id for one in page.examples]


def test_pages_follow_one_another_without_a_gap(datasets: Datasets, marv: int) -> None:
    pages = [datasets.page(marv, offset=at, limit=5).examples for at in (0, 5, 10)]
    found = [one.example.source.line for page in pages for one in page]
    assert found == list(range(12))
    ids = datasets.ids(marv)
    assert datasets.place(ids[0]) == (None, ids[1])
    assert datasets.place(ids[6], Filter(search="number 1")) == (ids[1], ids[10])


@dataclass
class Step:
    name: str

    def do(self, datasets: Datasets, dataset: int, ids: list[int]) -> None:
        match self.name:
            case "approve":
                datasets.set_status(dataset, Filter(), Status.APPROVED)
            case "drop":
                datasets.set_status(dataset, ids[2], Status.DROPPED)
            case "tag":
                datasets.tag(dataset, ids[:3], "good")
            case "edit":
                example = datasets.example(ids[1]).example
                datasets.edit(ids[1], replace(example, turns=(example.turns[0], Turn(A, "Better."))))
            case "mask":
                datasets.mask(ids[0], 1, learn=False)
            case "split":
                datasets.split(ids[-1], 3)
            case "merge":
                datasets.merge(ids[0], ids[1])
            case "mend":
                datasets.mend(dataset, Filter(), lambda one: replace(one.example, turns=one.example.turns[:2]))
            case "add":
                datasets.add(dataset, [talk(90), talk(91)])
            case "rank":
                datasets.rank(datasets.ids(dataset, Filter(unranked=True))[0], [2, 1])


STEPS = ["approve", "drop", "tag", "edit", "mask", "split", "merge", "mend", "add", "rank"]


def everything(datasets: Datasets, dataset: int) -> list[object]:
    return [
        (one.id, one.status, one.example, one.fingerprint, one.findings, one.language, one.unranked, one.tokens)
        for one in datasets.every(dataset)
    ]


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_taken_back(datasets: Datasets, marv: int, name: str) -> None:
    ranking = Example(Kind.RANKING, (Turn(U, "Which?"),), (Answer((Turn(A, "a"),)), Answer((Turn(A, "b"),))))
    long = conversation(Turn(S, "Be brief."), Turn(U, "One?"), Turn(A, "1"), Turn(U, "Two?"), Turn(A, "2"))
    datasets.add(marv, [ranking, long])
    list(datasets.review(marv, lambda one: [{"code": "seen"}], lambda one: 7))
    before = everything(datasets, marv)
    Step(name).do(datasets, marv, datasets.ids(marv))
    assert everything(datasets, marv) != before
    assert datasets.undoable(marv) == name
    assert datasets.undo(marv) == name
    assert everything(datasets, marv) == before


def test_steps_are_taken_back_in_the_reverse_order_to_the_very_beginning(datasets: Datasets) -> None:
    number = datasets.create("all").id
    ranking = Example(Kind.RANKING, (Turn(U, "Which?"),), (Answer((Turn(A, "a"),)), Answer((Turn(A, "b"),))))
    long = conversation(Turn(S, "Be brief."), Turn(U, "One?"), Turn(A, "1"), Turn(U, "Two?"), Turn(A, "2"))
    datasets.add(number, [*map(talk, range(4)), ranking, long])
    states = [everything(datasets, number)]
    for name in STEPS:
        Step(name).do(datasets, number, datasets.ids(number))
        states.append(everything(datasets, number))
    for state in reversed(states):
        assert everything(datasets, number) == state
        datasets.undo(number)
    assert everything(datasets, number) == []
    assert datasets.undo(number) is None


def test_a_split_heads_both_with_the_systems_words_and_stands_in_place(datasets: Datasets, marv: int) -> None:
    long = conversation(Turn(S, "Be brief."), Turn(U, "One?"), Turn(A, "1"), Turn(U, "Two?"), Turn(A, "2"))
    number = datasets.add(marv, [long]).ids[0]
    datasets.add(marv, [talk(99)])
    first, second = datasets.split(number, 3)
    assert [turn.text for turn in first.example.turns] == ["Be brief.", "One?", "1"]
    assert [turn.text for turn in second.example.turns] == ["Be brief.", "Two?", "2"]
    assert datasets.ids(marv)[-3:-1] == [first.id, second.id]
    merged = datasets.merge(first.id, second.id)
    assert merged.example == long


@pytest.mark.parametrize("at", [0, 1, 2, 4, 9])
def test_a_split_that_makes_no_sense_is_refused(datasets: Datasets, marv: int, at: int) -> None:
    long = conversation(Turn(S, "Be brief."), Turn(U, "One?"), Turn(A, "1"), Turn(U, "Two?"), Turn(A, "2"))
    number = datasets.add(marv, [long]).ids[0]
    with pytest.raises(ForPerson):
        datasets.split(number, at)


def test_approving_many_leaves_out_what_is_unranked_or_excluded(datasets: Datasets, marv: int) -> None:
    ranking = Example(Kind.RANKING, (Turn(U, "Which?"),), (Answer((Turn(A, "a"),)), Answer((Turn(A, "b"),))))
    waiting = datasets.add(marv, [ranking]).ids[0]
    strange = datasets.ids(marv)[5]
    stranger = datasets.example(strange).example
    list(datasets.review(marv, lambda one: [{"code": "untrusted"}] if one == stranger else []))
    done = datasets.set_status(marv, Filter(), Status.APPROVED, frozenset({"untrusted"}))
    assert (done.changed, done.left) == (11, 2)
    assert datasets.set_status(marv, strange, Status.APPROVED, frozenset({"untrusted"})).changed == 1
    with pytest.raises(ForPerson, match="rank them"):
        datasets.set_status(marv, waiting, Status.APPROVED)
    datasets.rank(waiting, [3, 1])
    assert [one.rank for one in datasets.example(waiting).example.answers] == [2, 1]
    assert datasets.set_status(marv, waiting, Status.APPROVED).changed == 1


def test_what_was_found_is_forgotten_when_the_words_change(datasets: Datasets, marv: int) -> None:
    steps = list(datasets.review(marv, lambda one: [{"code": "seen"}]))
    assert steps[-1] == (12, 12)
    number = datasets.ids(marv)[0]
    example = datasets.example(number).example
    edited = datasets.edit(number, replace(example, turns=(example.turns[0], Turn(A, "Other words."))))
    assert edited.findings is None
    assert list(datasets.review(marv, lambda one: []))[-1] == (1, 1)
    assert datasets.statistics(marv).findings == {"seen": 11}


def test_an_example_without_an_answer_is_refused(datasets: Datasets, marv: int) -> None:
    number = datasets.ids(marv)[0]
    with pytest.raises(ForPerson, match="needs an answer"):
        datasets.edit(number, conversation(Turn(U, "Question?"), Turn(A, " ")))


@pytest.mark.parametrize("name", ["", "  ", "../up", "a/b", "-x", "x" * 61, ".hidden"])
def test_a_name_is_fit_for_a_file(datasets: Datasets, name: str) -> None:
    with pytest.raises(ForPerson):
        datasets.create(name)


def test_a_name_is_taken_once_and_free_after_it_was_removed(datasets: Datasets, marv: int) -> None:
    with pytest.raises(ForPerson, match="already"):
        datasets.create("marv")
    datasets.remove(marv)
    other = datasets.create("marv").id
    with pytest.raises(ForPerson, match="already"):
        datasets.restore(marv)
    datasets.remove(other)
    assert datasets.restore(marv).draft == 12


# ── deleted chats ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def chat(history: History) -> int:
    number = history.create().id
    question = history.ask(number, "Where?", None)
    answer = history.begin(number, question.id)
    history.finish(answer.id, text="There.")
    return number


def test_a_deleted_chat_takes_its_examples_along_and_brings_them_back(
    datasets: Datasets, history: History, marv: int, chat: int
) -> None:
    number = datasets.add(marv, [talk(50, origin="chat", conversation=chat)]).ids[0]
    datasets.set_status(marv, number, Status.APPROVED)
    version = datasets.freeze(marv)
    assert version.deleted_chats == 0
    history.delete(chat)
    assert number not in datasets.ids(marv) or datasets.page(marv).total == 12
    assert datasets.get(marv).examples == 12
    with pytest.raises(UnknownExample):
        datasets.example(number)
    assert datasets.versions(marv)[0].deleted_chats == 1
    history.restore(chat)
    assert datasets.example(number).status is Status.APPROVED
    assert datasets.versions(marv)[0].deleted_chats == 0


def test_a_purged_chat_leaves_no_word_in_a_draft_nor_in_what_could_be_undone(
    datasets: Datasets, history: History, marv: int, chat: int, tmp_path: Path
) -> None:
    secret = conversation(Turn(U, "My secret is xyzzy-plugh?"), Turn(A, "I see."))
    number = datasets.add(marv, [replace(secret, source=Source("chat", conversation=chat))]).ids[0]
    datasets.edit(number, replace(datasets.example(number).example, turns=(Turn(U, "Nothing."), Turn(A, "I see."))))
    history.delete(chat)
    history.purge(timedelta(0))
    assert datasets.get(marv).examples == 12
    assert datasets.undoable(marv) is None
    with datasets._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"xyzzy-plugh" not in (tmp_path / "db.sqlite3").read_bytes()


# ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Hole:
    line: int

    def said(self, language: str) -> str:
        return f"line {self.line}"


def plain(hole: Hole) -> dict[str, object]:
    return {"line": hole.line, "message": hole.said("en")}


def test_the_recipe_tells_that_a_gathering_was_taken_back(datasets: Datasets, marv: int) -> None:
    datasets.add(marv, [talk(100), talk(101)], what="build")
    datasets.noted(marv, {"what": "chats", "examples": 2})
    datasets.undo(marv)
    *_, told, back = datasets.get(marv).recipe
    assert (told["what"], back["what"], back["was"], back["examples"]) == ("chats", "taken back", "build", 2)


def test_an_import_is_counted_and_undone_as_one(datasets: Datasets, marv: int) -> None:
    items = [talk(100), Hole(2), talk(101), talk(3), Hole(5)]
    last = list(datasets.take_in(marv, "talks.jsonl", "openai", items, row=plain))[-1]
    assert (last.status, last.read, last.known, last.skipped) == ("done", 2, 1, 2)
    assert [one["line"] for one in last.problems] == [2, 5]
    assert datasets.page(marv, Filter(batch=last.id)).total == 2
    assert datasets.get(marv).recipe[-1]["file"] == "talks.jsonl"
    undone, gone = datasets.undo_import(last.id)
    assert gone == 2
    assert datasets.get(marv).recipe[-1]["what"] == "taken back"
    assert datasets.get(marv).examples == 12
    with pytest.raises(ForPerson):
        datasets.undo_import(undone.id)


def test_an_import_that_breaks_leaves_nothing(datasets: Datasets, marv: int) -> None:
    def broken() -> Iterator[Example]:
        yield from map(talk, range(200, 1400))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk"):
        list(datasets.take_in(marv, "x", "openai", broken(), row=plain))
    assert datasets.get(marv).examples == 12
    assert datasets.imports(marv)[0].status == "failed"


def test_a_stopped_import_leaves_nothing(datasets: Datasets, marv: int) -> None:
    stop = threading.Event()
    states = datasets.take_in(marv, "x", "openai", map(talk, range(200, 2000)), row=plain, stop=stop)
    assert next(states).read == 500
    assert datasets.get(marv).examples == 12  # nothing of it is seen before it is whole
    stop.set()
    assert next(states).status == "undone"
    assert datasets.get(marv).examples == 12


def test_an_import_that_a_crash_left_half_done_is_none(
    engine: Engine, history: History, datasets: Datasets, marv: int
) -> None:
    next(datasets.take_in(marv, "x", "openai", map(talk, range(200, 2000)), row=plain))
    again = Datasets(engine, history)
    assert again.get(marv).examples == 12
    assert again.imports(marv)[0].status == "failed"
    assert again.add(marv, [talk(200)]).added == 1


def test_what_came_in_one_by_one_goes_with_one_undo(datasets: Datasets, marv: int) -> None:
    ids = [number for n in (70, 71, 72) for number in datasets.add(marv, [talk(n)], what="").ids]
    datasets.added(marv, "propose", ids)
    datasets.added(marv, "propose", [])
    assert datasets.undo(marv) == "propose"
    assert datasets.get(marv).examples == 12
