"""Below an answer in the chat: into a dataset, whole or alone, compared or to be ranked; pressed where it was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.chat_page.wording import words_in
from assistant.history import History
from assistant.personas import Personas
from assistant.tools import Toolbox
from knowledge.store.database import connect
from tests.tuning.chats import STOPPED, chat, exchange, reply, say
from tuning.datasets import Datasets, Status
from tuning.errors import ForPerson
from tuning.pages import WORDS
from tuning.pages.keep import Keep
from tuning.values import Kind

EN, ES = words_in("en", WORDS), words_in("es", WORDS)


@dataclass
class Desk:
    keep: Keep
    history: History
    datasets: Datasets


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    history, toolbox = History(engine), Toolbox(engine)
    datasets = Datasets(engine, history)
    yield Desk(Keep(datasets, history, Personas(engine), toolbox), history, datasets)
    toolbox.close()
    engine.dispose()


def test_an_answer_goes_into_a_new_dataset_and_its_button_is_pressed(desk: Desk) -> None:
    c = chat(desk.history)
    exchange(desk.history, c, "One?", "1")
    answer = exchange(desk.history, c, "Two?", "2")
    assert 'value="chats"' in desk.keep.form(answer, EN)
    assert desk.keep.act(answer, {"dataset": "", "name": "mine", "turns": "conversation"}, EN) == "Added to mine."
    (one,) = desk.datasets.every(desk.datasets.get("mine").id)
    assert [turn.text for turn in one.example.turns[1:]] == ["One?", "1", "Two?", "2"]
    assert one.status is Status.DRAFT
    assert desk.keep.held([answer]) == {answer}
    again = desk.keep.act(answer, {"dataset": "mine", "name": "", "turns": "conversation"}, ES)
    assert again == "mine ya lo tiene."
    desk.datasets.remove(one.dataset)
    assert desk.keep.held([answer]) == frozenset()


def test_it_can_be_approved_at_once_and_alone(desk: Desk) -> None:
    c = chat(desk.history)
    exchange(desk.history, c, "One?", "1")
    answer = exchange(desk.history, c, "Two?", "2")
    desk.keep.act(answer, {"name": "mine", "turns": "exchange", "approve": "yes"}, EN)
    (one,) = desk.datasets.every(desk.datasets.get("mine").id)
    assert [turn.text for turn in one.example.turns[1:]] == ["Two?", "2"]
    assert one.status is Status.APPROVED


def test_several_answers_can_be_compared_or_ranked(desk: Desk) -> None:
    c = chat(desk.history)
    asked = say(desk.history, c, "A joke?")
    first = reply(desk.history, c, asked, "No.")
    assert "keep_ranking" not in desk.keep.form(first, EN)
    assert "to be ranked" not in desk.keep.form(first, EN)
    second = reply(desk.history, c, asked, "Knock knock.")
    assert "to be ranked" in desk.keep.form(first, EN)
    desk.history.rate(second, True)
    desk.keep.act(first, {"name": "mine", "turns": "preference"}, EN)
    desk.keep.act(first, {"name": "mine", "turns": "ranking", "approve": "yes"}, EN)
    pair, ranking = (one for one in desk.datasets.every(desk.datasets.get("mine").id))
    assert [one.text for one in pair.example.answers] == ["Knock knock.", "No."]
    assert (ranking.example.kind, ranking.status) == (Kind.RANKING, Status.DRAFT)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dataset": "", "name": " "}, "Choose a dataset"),
        ({"name": "a/b"}, "name begins with"),
        ({"name": "mine", "turns": "everything"}, EN("bad_request")),
        ({"name": "mine", "more": "x"}, EN("bad_request")),
    ],
)
def test_what_cannot_be_done_is_said(desk: Desk, given: dict[str, str], said: str) -> None:
    answer = exchange(desk.history, chat(desk.history), "One?", "1")
    with pytest.raises(ForPerson, match=said[:20]):
        desk.keep.act(answer, given, EN)


def test_a_broken_off_answer_is_nothing_to_keep(desk: Desk) -> None:
    answer = exchange(desk.history, chat(desk.history), "One?", "half of", status=STOPPED)
    with pytest.raises(ForPerson, match="nothing to keep"):
        desk.keep.act(answer, {"name": "mine"}, EN)
    assert desk.datasets.all() == []


def test_the_dataset_worked_on_last_is_offered_first(desk: Desk) -> None:
    answer = exchange(desk.history, chat(desk.history), "One?", "1")
    for name in ("b", "c", "a"):
        desk.datasets.create(name)
    desk.datasets.change(desk.datasets.get("c").id, note="newer")
    assert '<option value="c" selected>' in desk.keep.form(answer, EN)
