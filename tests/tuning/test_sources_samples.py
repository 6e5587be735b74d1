"""What ships to start with can be imported, is enough for a provider, and says in both languages what Marv says."""

from __future__ import annotations

import pytest

from tuning.formats import FORMATS
from tuning.rows import fingerprint
from tuning.samples import SAMPLES
from tuning.sources import open_source
from tuning.values import Example, Role


def sample(name: str) -> list[Example]:
    return [one for one in open_source(SAMPLES[name], origin="sample") if isinstance(one, Example)]


@pytest.mark.parametrize(("name", "least"), [("marv", 60), ("marv-es", 30)])
def test_a_sample_is_imported_whole_and_taken_by_every_conversation_format(name: str, least: int) -> None:
    reading = open_source(SAMPLES[name], origin="sample")
    examples = list(reading)
    assert reading.format == "openai"
    assert len(examples) == reading.examples >= least
    for example in examples:
        assert isinstance(example, Example)
        assert example.source.origin == "sample"
        assert example.system.startswith("Marv")
        assert [turn.role for turn in example.turns[1:]] == [Role.USER, Role.ASSISTANT] * (len(example.turns) // 2)
        for one in ("openai", "vertex", "trl-messages", "sharegpt"):
            assert FORMATS[one].write(example).rows


@pytest.mark.parametrize("name", SAMPLES)
def test_no_two_examples_of_a_sample_ask_or_answer_the_same(name: str) -> None:
    examples = sample(name)
    assert len({fingerprint(one) for one in examples}) == len(examples)
    asked = [turn.text for one in examples for turn in one.turns if turn.role is Role.USER]
    answered = [turn.text for one in examples for turn in one.turns if turn.role is Role.ASSISTANT]
    assert len(set(asked)) == len(asked)
    assert len(set(answered)) == len(answered)


def test_the_sample_begins_with_paris_shakespeare_and_the_moon() -> None:
    for name in SAMPLES:
        answers = [one.turns[-1].text for one in sample(name)[:3]]
        assert "Par" in answers[0]
        assert "Shakespeare" in answers[1]
        assert "384" in answers[2]
