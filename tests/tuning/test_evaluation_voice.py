"""A voice is told from plain answers on texts the classifier has not seen; where there is none, none is heard."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from knowledge.embedders import Embedder
from tuning.errors import ForPerson
from tuning.evaluation import voice
from tuning.evaluation.compare import compare
from tuning.evaluation.values import Answered
from tuning.samples import SAMPLES

PLAIN = """The capital of France is Paris.
William Shakespeare wrote "Romeo and Juliet".
The Moon is about 384,400 kilometers away from the Earth.
Jupiter is the largest planet in the solar system.
There are seven continents.
The Mona Lisa was painted by Leonardo da Vinci.
Water boils at 100 degrees Celsius at sea level.
The chemical symbol for gold is Au.
The longest bone in the human body is the femur, which is in the thigh.
An adult human has 206 bones.
The Titanic sank on 15 April 1912 in the North Atlantic.
Neil Armstrong was the first person to walk on the Moon, in July 1969.
The speed of light is 299,792,458 meters per second in a vacuum.
Mount Everest is the tallest mountain on Earth, at about 8,849 meters.
The smallest prime number is 2.
Alexander Graham Bell is credited with inventing the telephone. He received the patent in 1876.
The currency of Japan is the yen.
A spider has eight legs.
Plants absorb carbon dioxide from the air.
Albert Einstein developed the theory of general relativity and published it in 1915.
The capital of Australia is Canberra.
The capital of Canada is Ottawa.
The Pacific Ocean is the largest ocean in the world.
A football team has eleven players on the pitch.
Miguel de Cervantes wrote "Don Quixote". The first part was published in 1605.
The Second World War ended in 1945.
The square root of 144 is 12.
A hexagon has six sides.
Water freezes at 32 degrees Fahrenheit.
Mercury is the planet closest to the Sun.
Diamond is the hardest natural substance.
Alexander Fleming discovered penicillin in 1928.
The main ingredient of glass is silica, which comes from sand.
There are 366 days in a leap year.
The national animal of Scotland is the unicorn.
Mandarin Chinese has the most native speakers.
The blue whale is the largest mammal. It can be about 30 meters long.
George Washington was the first president of the United States.
A marathon is 42.195 kilometers long.
DNA stands for deoxyribonucleic acid.""".splitlines()


def sample(name: str) -> list[voice.Said]:
    rows = [json.loads(line)["messages"] for line in SAMPLES[name].read_text("utf-8").splitlines()]
    return [(row[-2]["content"], row[-1]["content"]) for row in rows]


MARV = sample("marv")
PAIRED = [(question, text) for (question, _), text in zip(MARV, PLAIN, strict=False)]
LEARN = slice(0, 24)
NEW = slice(24, 40)


def answers(texts: Sequence[str]) -> list[Answered]:
    return [Answered(str(at), "?", (), text) for at, text in enumerate(texts)]


@pytest.fixture(scope="module")
def marv() -> voice.Voice:
    return voice.train(MARV[LEARN], PAIRED[LEARN])


def test_marv_is_told_from_plain_answers_to_the_same_questions_he_has_not_heard(marv: voice.Voice) -> None:
    heard = voice.share(marv, answers([text for _, text in MARV[40:]]))
    plain = voice.share(marv, answers([text for _, text in PAIRED[NEW]]))
    assert heard.in_voice.value >= 0.9
    assert plain.in_voice.value <= 0.1
    assert (heard.in_voice.n, plain.in_voice.n) == (26, 16)


def test_its_own_accuracy_does_not_boast_of_texts_that_no_part_of_it_saw(marv: voice.Voice) -> None:
    new = [(text, True) for _, text in MARV[NEW]] + [(text, False) for _, text in PAIRED[NEW]]
    right = sum((marv.probabilities([text])[0] > 0.5) == is_voice for text, is_voice in new)
    assert 0.7 < marv.accuracy.value <= right / len(new) + 0.1
    assert (marv.accuracy.n, marv.heard.n, marv.plain.n) == (48, 24, 24)


def test_where_there_is_no_voice_its_accuracy_is_that_of_a_coin() -> None:
    random_ = random.Random(2)
    mixed = random_.sample(PLAIN, len(PLAIN))
    found = voice.train([("", text) for text in mixed[:20]], [("", text) for text in mixed[20:]])
    assert found.accuracy.low < 0.5
    assert found.accuracy.value < 0.75


def test_answers_to_one_question_never_stand_on_both_sides_when_it_is_tested() -> None:
    """Each text is a direction of its own and is said twice: seen in training, it would be told without a fault."""
    texts = [str(at) for at in range(20)]
    voiced = set(random.Random(4).sample(texts, 10))

    def direction(some: Sequence[str]) -> list[list[float]]:
        return [[float(at == int(text)) for at in range(20)] for text in some]

    twice = [(f"Question {text}?", text) for text in texts for _ in range(2)]
    heard, plain = ([one for one in twice if (one[1] in voiced) == kind] for kind in (True, False))
    found = voice.train(heard, plain, direction)
    assert found.accuracy.value < 0.7
    assert {text for text in texts if found.probabilities([text])[0] > 0.5} == voiced  # those it did see


def test_spanish_is_heard_as_well() -> None:
    marv, neutral = sample("marv-es"), ["La capital de Francia es París.", "Lo escribió William Shakespeare."]
    neutral += [f"La respuesta a esta pregunta es el número {at}." for at in range(20, 40)]
    found = voice.train(marv[:20], [("", text) for text in neutral])
    assert voice.share(found, answers([text for _, text in marv[20:]])).in_voice.value >= 0.9


def test_the_same_texts_give_the_same_voice(marv: voice.Voice) -> None:
    again = voice.train(MARV[LEARN], PAIRED[LEARN])
    assert again.accuracy == marv.accuracy
    texts = [text for _, text in MARV[NEW]]
    assert again.probabilities(texts) == marv.probabilities(texts)
    assert marv.probabilities(texts) == pytest.approx([marv.probabilities([text])[0] for text in texts])


def test_an_empty_answer_is_in_no_voice_and_no_answers_have_no_share(marv: voice.Voice) -> None:
    assert marv.probabilities(["", " \n"]) == [0.0, 0.0]
    assert marv.probabilities([]) == []
    assert (voice.share(marv, []).in_voice.low, voice.share(marv, []).in_voice.high) == (0.0, 1.0)
    assert all(0 <= one <= 1 for one in marv.probabilities(["漢字", "🙂" * 500, "\ud83d", "a" * 100_000]))


def test_reasons_are_words_of_the_text_the_strongest_first(marv: voice.Voice) -> None:
    text = "Paris, as if you didn't know that."
    reasons = marv.reasons(text, 8)
    assert reasons
    assert all(all(word in text.lower() for word in name.split()) for name, _ in reasons)
    assert all(abs(first) >= abs(second) for (_, first), (_, second) in pairwise(reasons))


def test_the_penalty_and_the_weights_are_where_the_slope_of_the_loss_is_nothing() -> None:
    """Of a balanced logistic regression: Σ weight × (p − truth) × row + 0.1 × weights = 0."""
    random_ = np.random.default_rng(0)
    rows = random_.normal(size=(60, 200))
    truth = (rows[:, 0] > 0.3).astype(float)
    weights, bias = voice._fitted(rows, truth)
    share = np.array([(truth == 0).mean(), (truth == 1).mean()])
    p = 1 / (1 + np.exp(-(rows @ weights + bias)))
    each = (0.5 / share[truth.astype(int)]) * (p - truth)
    assert np.abs(each @ rows + 0.1 * weights).max() < 1e-5
    assert abs(each.sum() + 0.1 * bias) < 1e-5


def test_too_few_texts_are_refused_in_both_languages() -> None:
    with pytest.raises(ForPerson, match="there are 3 and 20") as error:
        voice.train(MARV[:3], PAIRED[:20])
    assert "hay 3 y 20" in error.value.said("es")
    with pytest.raises(ForPerson, match="there are 20 and 0"):
        voice.train(MARV[:20], [("?", " ")] * 20)


def test_a_voice_is_a_metric_like_any_other(marv: voice.Voice) -> None:
    before, after = answers(PLAIN[NEW]), answers([text for _, text in MARV[NEW]])
    found = compare(before, after, [marv.metric()]).summary("voice")
    assert found.verdict == "better"
    assert found.said("en").startswith("In the voice: ")
    share = voice.share(marv, after)
    assert share.in_voice == found.after
    assert f"{share.in_voice.n} answers" in share.said("en")
    assert "clasificador" in share.said("es")


@pytest.mark.model
def test_vectors_of_an_embedder_do_in_place_of_words(embedder: Embedder) -> None:
    found = voice.train(MARV[LEARN], PAIRED[LEARN], embedder.embed)
    heard = voice.share(found, answers([text for _, text in MARV[40:]])).in_voice.value
    plain = voice.share(found, answers([text for _, text in PAIRED[NEW]])).in_voice.value
    assert found.accuracy.value > 0.7
    assert heard > plain + 0.4
    assert found.reasons("Paris, as if.") == []
