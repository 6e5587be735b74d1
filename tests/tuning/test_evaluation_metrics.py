"""Metrics give the figures that can be checked by hand, and read Spanish as well as English."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from tuning.errors import ForPerson
from tuning.evaluation.metrics import DEFAULTS, metric, metrics
from tuning.evaluation.metrics.accuracy import chosen, contained, equal, exact, normalised, options
from tuning.evaluation.metrics.likelihood import Likelihood, likelihood, likelihoods, total
from tuning.evaluation.metrics.rouge import common, rouge
from tuning.evaluation.metrics.translation import bleu, chrf, sentence
from tuning.evaluation.values import Answered, question
from tuning.rows import fingerprint
from tuning.values import Answer, Call, Example, Kind, Role, Turn, conversation, preference

USER, ASSISTANT, SYSTEM, TOOL = Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.TOOL


def answered(text: str, *references: str, prompt: str = "") -> Answered:
    return Answered("k", prompt, references, text)


# ── what is asked ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_asks_for_its_last_learned_answer_and_sends_all_before_it() -> None:
    turns = (
        Turn(SYSTEM, "Be brief."),
        Turn(USER, "Hi"),
        Turn(ASSISTANT, "Hello."),
        Turn(USER, "Bye"),
        Turn(ASSISTANT, "See you."),
        Turn(USER, "Wait"),
        Turn(ASSISTANT, "What?", learn=False),
    )
    asked = question(conversation(*turns))
    assert asked
    assert (asked.turns, asked.references, asked.prompt) == (turns[:4], ("See you.",), "Bye")
    assert asked.key == fingerprint(conversation(*turns))


def test_a_preference_is_measured_by_its_better_answer_and_a_disliked_one_by_nothing() -> None:
    prompt = (Turn(USER, "My house is too hot."),)
    good, bad = (Answer((Turn(ASSISTANT, text),)) for text in ("Open a window.", "So what."))
    liked = question(preference(prompt, good, bad))
    assert liked
    assert liked.references == ("Open a window.",)
    scored = question(Example(Kind.SCORE, prompt, (Answer(bad.turns, scores={"like": 0.0}),)))
    assert scored
    assert scored.references == ()


@pytest.mark.parametrize(
    "example",
    [
        Example(Kind.TEXT, text="A page."),
        conversation(Turn(USER, "Hi")),
        conversation(Turn(SYSTEM, "Be."), Turn(ASSISTANT, "I am.")),
        conversation(Turn(USER, "Hi"), Turn(ASSISTANT, calls=(Call("clock"),))),
    ],
)
def test_what_asks_nothing_is_no_question(example: Example) -> None:
    assert question(example) is None


# ── accuracy ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The Moon", "moon!"),
        ("¡La Canción!", "cancion"),
        ("384,400 km", "384.400 km"),
        ("384 400 km", "384400 km"),
        ("384\u202f400 km", "384400 km"),
        ("3,14", "3.14"),
        ("twenty-one", "Twenty one"),
        ("An  apple a day", "apple day"),
        ("«Los Ángeles»", "angeles"),
        ("cafe\u0301", "café"),
    ],
)
def test_how_it_is_written_does_not_count(text: str, other: str) -> None:
    assert equal(text, [other])
    assert not exact(text, [other])


@pytest.mark.parametrize(("text", "other"), [("año", "ano"), ("3.14", "314"), ("12", "1 2"), ("", ""), ("...", "!")])
def test_what_differs_in_more_than_writing_is_not_equal(text: str, other: str) -> None:
    assert not equal(text, [other])


def test_an_article_alone_is_an_answer() -> None:
    assert normalised("A") == "a"
    assert not equal("A", ["The"])


def test_contained_goes_by_whole_words() -> None:
    assert contained("The capital of France is Paris.", ["Paris"])
    assert contained("It is the United Kingdom", ["Great Britain", "United Kingdom"])
    assert not contained("A Parisian café", ["Paris"])
    assert not contained("anything", [""])


LISTED = "Which is nearest?\nA) Mars\nB) Venus\n(c) Earth and Moon\nD. Moon"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("B", 1),
        ("b)", 1),
        ("**B**", 1),
        ("B) Venus", 1),
        ("The answer is B.", 1),
        ("Answer: (d)", 3),
        ("La respuesta correcta es la C", 2),
        ("Let me think.\nB", 1),
        ("It is Venus, I think.", 1),
        ("Earth and Moon", 2),
        ("A planet called Venus", 1),
        ("A Venus", 1),
        ("Mars or Venus", None),
        ("I think A is wrong", None),
        ("", None),
    ],
)
def test_a_choice_is_read_by_its_letter_or_its_words(text: str, taken: int | None) -> None:
    assert options(LISTED) == ("Mars", "Venus", "Earth and Moon", "Moon")
    assert chosen(text, options(LISTED)) == taken


def test_a_choice_counts_only_where_there_is_one() -> None:
    choice = metric("choice").of
    assert choice(answered("Venus", "B", prompt=LISTED)) == 1.0
    assert choice(answered("Mars", "B) Venus", prompt=LISTED)) == 0.0
    assert choice(answered("no idea", "B", prompt=LISTED)) == 0.0
    assert choice(answered("Venus", "Venus", prompt="Which is nearest?")) is None


# ── ROUGE ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rouge_1_is_matching_unigrams_over_those_of_the_reference_and_of_the_output() -> None:
    found = rouge("rouge1", "the cat sat", ["the cat is on the mat"])
    assert (found.recall, found.precision, found.f1) == pytest.approx((2 / 6, 2 / 3, 4 / 9))


def test_a_repeated_word_matches_no_oftener_than_the_reference_has_it() -> None:
    found = rouge("rouge1", "the the the the the the the", ["the cat is on the mat"])
    assert (found.recall, found.precision) == pytest.approx((2 / 6, 2 / 7))


@pytest.mark.parametrize(
    ("kind", "recall", "precision"),
    [("rouge1", 6 / 9, 6 / 8), ("rouge2", 2 / 8, 2 / 7), ("rougeL", 5 / 9, 5 / 8)],
)
def test_the_figures_of_the_package_rouge_score_come_out(kind: str, recall: float, precision: float) -> None:
    """Its own example: precision 0.75 and recall 0.67 for unigrams, 0.625 and 0.56 for ROUGE-L."""
    output = "The quick brown dog jumps on the log."
    found = rouge(kind, output, ["The quick brown fox jumps over the lazy dog"])
    assert (found.recall, found.precision) == pytest.approx((recall, precision))


def test_a_spanish_word_is_one_word_and_an_accent_tells() -> None:
    assert rouge("rouge1", "La canción", ["la CANCIO\u0301N"]).f1 == 1.0
    assert rouge("rouge1", "el papa", ["el papá"]).f1 == 0.5


def test_the_best_of_several_references_counts_and_nothing_matches_nothing() -> None:
    assert rouge("rouge1", "a b", ["c d", "a b"]).f1 == 1.0
    assert rouge("rouge2", "a", ["a"]).f1 == rouge("rouge1", "", ["a"]).f1 == rouge("rougeL", "a", []).f1 == 0.0


def test_the_longest_common_subsequence_is_that_of_the_table_in_every_textbook() -> None:
    def slowly(first: Sequence[str], second: Sequence[str]) -> int:
        row = [0] * (len(second) + 1)
        for one in first:
            before = list(row)
            for at, other in enumerate(second):
                row[at + 1] = before[at] + 1 if one == other else max(before[at + 1], row[at])
        return row[-1]

    random_ = random.Random(5)
    for _ in range(300):
        first, second = (random_.choices("abcd", k=random_.randint(0, 40)) for _ in range(2))
        assert common(first, second) == slowly(first, second)


# ── BLEU and chrF ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bleu_is_the_mean_of_the_precisions_over_n_gram_sizes() -> None:
    """Of 7 words and marks 6 match, of 6 pairs 4, of 5 threes 2, of 4 fours 1: the geometric mean is 48.89."""
    found = bleu(["The cat sat on the mat."], [["The cat is on the mat."]])
    assert found.precisions == pytest.approx((600 / 7, 400 / 6, 200 / 5, 100 / 4))
    assert found.score == pytest.approx(100 * (6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25)
    assert "tok:13a" in found.signature


def test_bleu_punishes_what_is_too_short() -> None:
    found = bleu(["The cat is on"], [["The cat is on the mat"]])
    assert found.precisions == (100.0, 100.0, 100.0, 100.0)
    assert found.score == pytest.approx(100 * math.exp(1 - 6 / 4))
    assert found.brevity == pytest.approx(math.exp(-0.5))


def test_chrf_is_the_f_score_of_character_n_grams() -> None:
    """Of one character 2 of 3 match, of two 1 of 2, of three none: a third of 2/3 + 1/2 + 0, recall as precision."""
    assert chrf(["abc"], [["abd"]]).score == pytest.approx(100 * (2 / 3 + 1 / 2) / 3)


def test_outputs_may_have_different_numbers_of_references() -> None:
    one = bleu(["The cat is on the mat", "Good day to all of you"], [["A cat"], ["Hello", "Good day to all of you"]])
    two = bleu(["The cat is on the mat", "Good day to all of you"], [["A cat"], ["Hello"]])
    assert one.score > two.score


def test_a_short_answer_that_is_right_has_full_marks() -> None:
    assert sentence("bleu", "Paris", ["Paris"]) == pytest.approx(100)
    assert sentence("chrf", "Paris", ["Paris"]) == pytest.approx(100)


# ── likelihood ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Halves:
    """A model to which every token of an answer, a letter each, has the same probability."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def log_likelihoods(self, example: Example) -> list[float]:
        learned = "".join(turn.text for turn in example.turns if turn.role is ASSISTANT and turn.learn)
        return [math.log(self.probability)] * len(learned)


def test_perplexity_is_e_to_the_mean_loss_of_a_token() -> None:
    found = likelihood([math.log(1 / 2), math.log(1 / 4), math.log(1 / 8)])
    assert (found.loss, found.perplexity) == pytest.approx((math.log(4), 4.0))


def test_a_long_example_counts_for_more() -> None:
    examples = [conversation(Turn(USER, "?"), Turn(ASSISTANT, "x" * n)) for n in (1, 3)]
    found = dict(likelihoods(Halves(0.5), examples)) | {"other": likelihood([math.log(1 / 32)] * 4)}
    assert total(found.values()).perplexity == pytest.approx(2 ** ((4 * 1 + 4 * 5) / 8))
    assert set(found) == {fingerprint(example) for example in examples} | {"other"}


@pytest.mark.parametrize("wrong", [math.nan, -math.inf])
def test_no_number_never_looks_like_a_good_one(wrong: float) -> None:
    assert likelihood([-0.1, wrong]).perplexity == math.inf
    assert math.isnan(Likelihood().perplexity)
    assert likelihood([-5000.0]).perplexity == math.inf


# ── form ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("json", '{"a": [1, 2]}', 1.0),
        ("json", '```json\n{"a": 1}\n```', 1.0),
        ("json", 'Here it is: {"a": 1}', 0.0),
        ("json", '{"a": NaN}', 0.0),
        ("json", "[" * 100_000, 0.0),
        ("json", "", 0.0),
        ("max_words:3", "one two three", 1.0),
        ("max_words:3", "one two three four", 0.0),
        ("max_words:3", "", 0.0),
        ("max_characters:3", " abc ", 1.0),
        ("max_characters:3", "abcd", 0.0),
        (r"regex:^\d+$", "42\n", 1.0),
        (r"regex:^\d+$", "42 of them", 0.0),
        ("language:es", "La capital de Francia es París.", 1.0),
        ("language:es", "The capital of France is Paris.", 0.0),
        ("language:es", "París.", None),
    ],
)
def test_a_form_is_kept_or_not(name: str, text: str, value: float | None) -> None:
    assert metric(name).of(answered(text)) == value


def test_the_language_is_that_of_the_question_where_the_reference_does_not_tell() -> None:
    language = metric("language").of
    assert language(answered("Es la ciudad de París.", "París", prompt="¿Cuál es la capital?")) == 1.0
    assert language(answered("It is the city of Paris.", "París", prompt="¿Cuál es la capital?")) == 0.0


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_metric_is_between_0_and_1_and_gives_1_to_the_reference_itself() -> None:
    names = [*DEFAULTS, "exact", "bleu", "rouge1_recall", "rougeL_precision"]
    right, wrong = (answered(text, "The cat is on the mat today") for text in ("The cat is on the mat today", "No."))
    for one in metrics(names):
        assert one.of(right) == pytest.approx(1.0), one.name
        assert one.of(wrong) == pytest.approx(0.0, abs=0.1), one.name
        assert one.of(answered("Hello")) is None, one.name
        assert one.title("en")
        assert one.title("es")


@pytest.mark.parametrize("name", ["rouge", "max_words:many", "max_words:0", "regex:(", "language:fr", ""])
def test_an_unknown_metric_says_which_there_are_in_both_languages(name: str) -> None:
    with pytest.raises(ForPerson) as error:
        metric(name)
    assert error.value.said("es") != error.value.said("en")
    if ":" not in name:
        assert "rougeL" in str(error.value)
