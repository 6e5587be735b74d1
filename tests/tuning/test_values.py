"""What an example is: nothing is lost as JSON, a ranking gives its pairs, the preferred one first."""

from __future__ import annotations

import json

import pytest

from tuning.rows import fingerprint, from_row, to_row
from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn, conversation, pairs

USER, ASSISTANT, SYSTEM, TOOL = Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.TOOL
MARV = (Turn(SYSTEM, "Marv is a factual chatbot that is also sarcastic."), Turn(USER, "What's the capital of France?"))


def answer(text: str, rank: int = 0) -> Answer:
    return Answer((Turn(ASSISTANT, text),), rank)


EXAMPLES = [
    conversation(*MARV, Turn(ASSISTANT, "Paris.", learn=False), tags=("marv",), source=Source("sample", line=3)),
    conversation(
        Turn(USER, "¿Qué hora es? 🕰"),
        Turn(ASSISTANT, calls=(Call("clock", '{"zone": "Europe/Madrid"}', "c1"),)),
        Turn(TOOL, "12:00", call_id="c1", name="clock"),
        Turn(ASSISTANT, "Las doce."),
        tools=({"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}},),
    ),
    Example(Kind.SCORE, MARV, (Answer((Turn(ASSISTANT, "Paris."),), scores={"like": 1.0, "voice": 0.2}),)),
    Example(Kind.TEXT, text="Una página entera.\n"),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.kind.value)
def test_as_json_and_back_nothing_is_lost(example: Example) -> None:
    assert from_row(json.loads(json.dumps(to_row(example)))) == example


def test_an_unknown_field_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"turns.0.weight"):
        from_row({"kind": "conversation", "turns": [{"role": "user", "text": "hi", "weight": 1}]})


def test_the_fingerprint_is_of_what_is_learned_and_of_nothing_else() -> None:
    one = EXAMPLES[0]
    tagged = conversation(*one.turns, tags=("other",), source=Source("chat", conversation=4))
    assert fingerprint(tagged) == fingerprint(one)
    unmasked = conversation(*MARV, Turn(ASSISTANT, "Paris."))
    assert fingerprint(unmasked) != fingerprint(one)


def test_three_answers_ranked_2_1_3_give_three_pairs_the_preferred_first() -> None:
    prompt = (Turn(USER, "My house is too hot."),)
    ranked = Example(Kind.RANKING, prompt, (answer("one", 2), answer("two", 1), answer("three", 3)))
    found = [tuple(one.text for one in pair.answers) for pair in pairs(ranked)]
    assert found == [("two", "one"), ("one", "three"), ("two", "three")]
    assert all([one.rank for one in pair.answers] == [1, 2] for pair in pairs(ranked))


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_n_ranked_answers_give_n_times_n_minus_1_over_2_pairs(n: int) -> None:
    ranked = Example(Kind.RANKING, MARV, tuple(answer(str(at), at + 1) for at in range(n)))
    assert len(list(pairs(ranked))) == n * (n - 1) // 2


def test_an_answer_without_a_rank_is_in_no_pair_and_is_not_the_best() -> None:
    ranked = Example(Kind.RANKING, MARV, (answer("a"), answer("b", 2), answer("c", 1)))
    assert [tuple(one.text for one in pair.answers) for pair in pairs(ranked)] == [("c", "b")]
    assert ranked.chosen is ranked.answers[2]
    assert Example(Kind.RANKING, MARV, (answer("a"), answer("b"))).chosen == answer("a")


def test_a_tie_is_no_preference() -> None:
    ranked = Example(Kind.RANKING, MARV, (answer("a", 1), answer("b", 1), answer("c", 2)))
    assert [tuple(one.text for one in pair.answers) for pair in pairs(ranked)] == [("a", "c"), ("b", "c")]
