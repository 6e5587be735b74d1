"""Questions that measure a voice stand in no sample, and none of them both teaches the judge and is asked."""

from __future__ import annotations

import json

import pytest

from benchmarks import hearing
from benchmarks.unseen import Unseen, system, unseen
from tuning.evaluation.metrics.accuracy import normalised
from tuning.evaluation.values import Answered
from tuning.samples import SAMPLES
from tuning.values import Role


def learned(sample: str) -> set[str]:
    rows = [json.loads(line)["messages"] for line in SAMPLES[sample].read_text(encoding="utf-8").splitlines()]
    return {normalised(turn["content"]) for row in rows for turn in row if turn["role"] != "system"}


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_no_question_and_no_answer_stands_in_a_sample_or_in_both_uses(sample: str) -> None:
    known = learned(sample)
    judge, ask = (unseen(sample, use) for use in ("judge", "ask"))  # type: ignore[arg-type]
    texts = [normalised(text) for one in judge + ask for text in (one.question, one.voice, one.plain)]
    assert len(texts) == len(set(texts))
    assert not set(texts) & known
    assert len(ask) == 40
    assert len(judge) >= 60


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_a_plain_answer_holds_its_fact_and_an_example_begins_as_the_samples_do(sample: str) -> None:
    rows = unseen(sample, "ask")
    assert all(one.knows(one.plain) is not False for one in rows)
    assert sum(one.knows("") is False for one in rows) == sum(bool(one.fact) for one in rows) >= 35
    turns = rows[0].example(system(sample)).turns
    assert [turn.role for turn in turns] == [Role.SYSTEM, Role.USER, Role.ASSISTANT]


def test_symbols_and_digits_are_whole_words() -> None:
    def knows(fact: str, text: str) -> bool | None:
        return Unseen("?", "", "", (fact,)).knows(text)

    assert knows("Ag", "It is Ag.")
    assert knows("Ag", "A long time ago, silvering.") is False
    assert knows("3", "There are 30.") is False
    assert knows("breath", "Breathing, mostly.")
    assert Unseen("?", "", "").knows("anything") is None


def test_what_is_wrong_with_an_answer_is_told() -> None:
    def answer(text: str, tokens: int = 9) -> Answered:
        return Answered("1", "?", (), text, tokens=tokens)

    example = unseen("marv", "ask")[0].example("Be Marv.")
    copied = example.turns[-1].text
    assert hearing.faults(answer(" …"), []) == ["empty"]
    assert hearing.faults(answer(copied.upper()), [example]) == ["copy"]
    assert hearing.faults(answer("Rome, of course."), [example]) == []
    assert hearing.faults(answer("it is as it is now and " * 3, 80), []) == ["endless", "repeats"]
    assert hearing.borrowed(answer("Paris. " + copied.split(". ", 1)[1]), [example])
    assert not hearing.borrowed(answer("Rome."), [example])
