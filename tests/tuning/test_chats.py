"""From the chat history to examples: on a real history, written as the app writes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assistant.events import Route
from assistant.history import History
from knowledge.store.database import connect
from tests.tuning.chats import STOPPED, chat, documents, exchange, reply, say, used
from tuning.sources.chats import ChatFilter, Shape, gather
from tuning.sources.speech import Cast
from tuning.values import Example, Kind, Role

CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
CAST = Cast({"Marv": "Marv is sarcastic."}, {"clock": CLOCK, "web_page": CLOCK}, frozenset({"web_page"}))


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    yield History(engine)
    engine.dispose()


def found(
    history: History, kind: str = "conversation", shape: dict[str, Any] | None = None, **only: Any
) -> list[Example]:
    return list(gather(history, ChatFilter(**only), Shape(kind=kind, **(shape or {})), CAST))  # type: ignore[arg-type]


def texts(example: Example) -> list[str]:
    return [turn.text for turn in example.turns if turn.role is not Role.SYSTEM]


def test_a_chat_is_one_example_and_only_what_was_chosen_is_learned(history: History) -> None:
    c = chat(history)
    exchange(history, c, "One?", "1")
    liked = exchange(history, c, "Two?", "2")
    exchange(history, c, "Three?", "3")
    history.rate(liked, True, ["clear"])
    (example,) = found(history, rating="liked")
    assert texts(example) == ["One?", "1", "Two?", "2"]
    assert [turn.learn for turn in example.turns if turn.role is Role.ASSISTANT] == [False, True]
    source = example.source
    assert (source.conversation, source.messages, source.how, source.group) == (c, (liked,), "liked", f"chat:{c}")
    (whole,) = found(history)
    assert [turn.learn for turn in whole.turns if turn.role is Role.ASSISTANT] == [True] * 3


def test_an_exchange_stands_alone_where_that_is_wanted(history: History) -> None:
    c = chat(history)
    exchange(history, c, "One?", "1")
    exchange(history, c, "Two?", "2")
    assert [texts(one) for one in found(history, shape={"turns": "exchange"})] == [["One?", "1"], ["Two?", "2"]]


def test_a_liked_answer_that_is_not_shown_any_more_counts_too(history: History) -> None:
    c = chat(history)
    asked = say(history, c, "Best colour?")
    blue = reply(history, c, asked, "Blue.")
    reply(history, c, asked, "Red.")
    history.rate(blue, True)
    assert [texts(one) for one in found(history, rating="liked")] == [["Best colour?", "Blue."]]


def test_what_failed_or_was_broken_off_is_no_data(history: History) -> None:
    c = chat(history)
    exchange(history, c, "One?", "half of an", status=STOPPED)
    exchange(history, c, "Two?", "2")
    assert [texts(one) for one in found(history)] == [["Two?", "2"]]


def test_a_persona_speaks_with_its_voice_and_without_the_others_words_learned(history: History) -> None:
    c = chat(history)
    exchange(history, c, "Capital of France?", "It is Paris.")
    exchange(history, c, "@Marv And of Spain?", "Madrid. Groundbreaking.", persona="Marv")
    (example,) = found(history, persona="marv")
    assert example.turns[0].text == "Marv is sarcastic."
    assert [turn.learn for turn in example.turns if turn.role is Role.ASSISTANT] == [False, True]
    assert [turn.text for turn in example.turns if turn.role is Role.USER] == ["Capital of France?", "And of Spain?"]
    assert example.source.persona == "Marv"
    assert len(found(history)) == 2


def test_a_tool_that_was_used_is_called_answered_and_declared(history: History) -> None:
    c = chat(history)
    steps = used("clock", "12:00", zone="Europe/Madrid")
    exchange(history, c, "¿Qué hora es?", "Son las doce.", route=Route.TOOL, steps=steps)
    (example,) = found(history)
    assert [turn.role for turn in example.turns] == [Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT]
    (call,) = example.turns[2].calls
    assert (call.name, call.arguments) == ("clock", '{"zone": "Europe/Madrid"}')
    assert example.turns[3].call_id == call.id
    assert example.tools == (CLOCK,)
    (plain,) = found(history, shape={"tools": False})
    assert [turn.role for turn in plain.turns] == [Role.SYSTEM, Role.USER, Role.ASSISTANT]
    assert example.source.untrusted == ()


@pytest.mark.parametrize("tool", ["web_page", "notes__search"])
def test_what_a_strangers_page_went_into_is_marked_in_all_that_follows(history: History, tool: str) -> None:
    c = chat(history)
    exchange(history, c, "Read it.", "It says x.", route=Route.TOOL, steps=used(tool, "x", url="https://a.invalid"))
    exchange(history, c, "Sure?", "Yes.")
    (example,) = found(history)
    assert example.source.untrusted == (tool,)


def test_an_answer_from_documents_keeps_its_passages_or_loses_its_marks(history: History) -> None:
    c = chat(history)
    whole = "The bridge was opened in 1931. It was built by Ana Ruiz."
    exchange(history, c, "Who built it?", **documents("Ana Ruiz built it [1].", "It was built by Ana Ruiz.", whole))
    (example,) = found(history)
    assert f"[1] {whole}" in example.turns[1].text
    assert "[2] Another page about bridges." in example.turns[1].text
    assert example.turns[1].text.endswith("Question: Who built it?")
    assert example.turns[2].text == "Ana Ruiz built it [1]."
    (plain,) = found(history, shape={"grounding": "plain"})
    assert texts(plain) == ["Who built it?", "Ana Ruiz built it."]


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ({}, 3),
        ({"rating": "liked"}, 1),
        ({"rating": "disliked"}, 1),
        ({"rating": "rated"}, 2),
        ({"rating": "unrated"}, 1),
        ({"reason": "style"}, 1),
        ({"reason": "wrong"}, 0),
        ({"persona": "Afina"}, 2),
        ({"route": "persona"}, 1),
        ({"language": "es"}, 1),
        ({"search": "MADRID castana"}, 1),
        ({"shortest": 30}, 1),
        ({"longest": 29}, 2),
        ({"since": NOW - timedelta(hours=1)}, 3),
        ({"until": NOW - timedelta(hours=1)}, 0),
        ({"conversations": (1,)}, 1),
        ({"edited": True}, 0),
    ],
)
def test_a_filter_lets_through_what_it_says(history: History, only: dict[str, Any], expected: int) -> None:
    history.rate(exchange(history, chat(history), "Where?", "There, of course."), True, ["style"])
    history.rate(
        exchange(history, chat(history), "¿Y la castaña?", "En Madrid, como todo lo que es de la casa."), False
    )
    exchange(history, chat(history), "And you?", "Fine.", persona="Marv", route=Route.PERSONA)
    assert len(found(history, shape={"turns": "exchange"}, **only)) == expected


def test_a_corrected_answer_beats_its_original(history: History) -> None:
    c = chat(history)
    wrong = exchange(history, c, "Capital of Australia?", "Sydney.")
    right = history.correct(wrong, "Canberra.")
    assert right.edited_from == wrong
    (pair,) = found(history, "preference")
    assert [one.text for one in pair.answers] == ["Canberra.", "Sydney."]
    assert pair.source.how == "edited"
    assert [texts(one) for one in found(history, edited=True)] == [["Capital of Australia?", "Canberra."]]


def test_the_shown_answer_beats_those_it_replaced_and_a_like_beats_a_dislike(history: History) -> None:
    c = chat(history)
    asked = say(history, c, "A joke?")
    first = reply(history, c, asked, "No.")
    second = reply(history, c, asked, "Knock knock.")
    (pair,) = found(history, "preference")
    assert [one.text for one in pair.answers] == ["Knock knock.", "No."]
    assert pair.source.how == "regenerated"
    history.rate(first, True)
    history.rate(second, False)
    (pair,) = found(history, "preference")
    assert [one.text for one in pair.answers] == ["No.", "Knock knock."]
    assert pair.source.how == "rated"


def test_the_answer_a_conversation_went_on_from_is_the_chosen_one(history: History) -> None:
    c = chat(history)
    asked = say(history, c, "A joke?")
    first = reply(history, c, asked, "Knock knock.")
    say(history, c, "Who is there?", first)
    reply(history, c, asked, "No.")
    (pair,) = found(history, "preference")
    assert [one.text for one in pair.answers] == ["Knock knock.", "No."]


def test_a_like_in_one_chat_beats_a_dislike_of_the_same_question_in_another(history: History) -> None:
    one, other = chat(history), chat(history)
    history.rate(exchange(history, one, "What is RAG?", "Retrieval first."), True)
    history.rate(exchange(history, other, "what is  RAG?", "A cloth."), False)
    (pair,) = found(history, "preference")
    assert [answer.text for answer in pair.answers] == ["Retrieval first.", "A cloth."]


def test_all_answers_to_a_question_wait_to_be_ranked(history: History) -> None:
    c = chat(history)
    asked = say(history, c, "My house is too hot")
    for text in ("Open a window.", "Move.", "Close the blinds.", "Move."):
        reply(history, c, asked, text)
    (ranking,) = found(history, "ranking")
    assert ranking.kind is Kind.RANKING
    assert sorted(one.text for one in ranking.answers) == ["Close the blinds.", "Move.", "Open a window."]
    assert {one.rank for one in ranking.answers} == {0}


def test_a_rating_is_a_score(history: History) -> None:
    c = chat(history)
    history.rate(exchange(history, c, "One?", "1"), True)
    history.rate(exchange(history, c, "Two?", "2"), False)
    exchange(history, c, "Three?", "3")
    scores = [dict(one.answers[0].scores) for one in found(history, "score")]
    assert scores == [{"like": 1.0}, {"like": 0.0}]


def test_a_deleted_chat_is_no_source(history: History) -> None:
    c = chat(history)
    exchange(history, c, "One?", "1")
    history.delete(c)
    assert found(history) == []


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="liked_by"):
        ChatFilter(liked_by="me")  # type: ignore[call-arg]
