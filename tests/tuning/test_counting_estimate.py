"""The figures of the notes come out; what is cut is not paid for; every fact has a date and a source."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tuning.counting import facts
from tuning.counting.estimate import Estimate, estimate
from tuning.counting.probe import Probe
from tuning.counting.shown import TokensOf
from tuning.counting.tokens import Rule, RuleCounter
from tuning.counting.vocabularies import Tokenizers
from tuning.errors import ForPerson
from tuning.values import Answer, Role, Turn, conversation, preference

TODAY = date(2026, 11, 20)
KEYS = [
    "examples", "tokens", "epochs", "batch", "steps", "truncated", "price", "currency", "seconds", "memory_bytes",
    "rule",
]  # fmt: skip
PROBE = Probe(
    model="local:smollm2-135m", batch=2, length=232, machine="this", steps=5, seconds=4.32, peak=1432 * 10**6,
    small_seconds=0.32, small_peak=10**9, load=3.0, precision="bfloat16", device="cpu",
)  # fmt: skip


def of(*args: Any, model: str = "gpt-3.5-turbo", **more: Any) -> Estimate:
    return estimate(*args, model=model, today=TODAY, **more)


def codes(found: Estimate) -> set[str]:
    return {note.code for note in found.notes}


# ── the figures of the notes ─────────────────────────────────────────────────────────────────────────────────────────


def test_words_at_eight_dollars_cost_651_an_epoch_and_2604_for_the_default_four() -> None:
    once = of(words=1_084_170, epochs=1)
    assert once.tokens == Decimal("813127.5")
    assert once.price == Decimal("6.51")
    four = of(words=1_084_170)
    assert (four.epochs, four.price, four.currency) == (4, Decimal("26.04"), "USD")
    row = four.row()
    assert (row["tokens"], row["price"], row["rule"]) == (813127.5, 26.04, "words × 0.75 (the notes' rule)")


def test_the_other_rule_gives_145_million_and_is_always_said_beside() -> None:
    other = of(words=1_084_170, rule=Rule.WORDS_OVER)
    assert other.tokens == 1_445_560
    note = next(note for note in of(words=1_084_170).notes if note.code == "other_rule")
    assert note.said("en") == "By words ÷ 0.75 it would be 1,445,560 tokens."
    assert note.said("es") == "Con palabras ÷ 0,75 serían 1.445.560 tokens."
    back = next(note for note in other.notes if note.code == "other_rule")
    assert "813,127.5" in back.said("en")


def test_a_hundred_thousand_tokens_over_three_epochs_cost_240() -> None:
    found = of(tokens=100_000, epochs=3)
    assert found.price == Decimal("2.40")
    assert found.rule is Rule.GIVEN
    assert of(tokens=100_000, epochs=3, model="", price=Decimal(8)).price == Decimal("2.40")


def test_ten_thousand_examples_in_batches_of_a_hundred_for_two_epochs_are_two_hundred_steps() -> None:
    assert of(10_000, epochs=2, batch=100).steps == 200
    assert of((TokensOf(10, 5) for _ in range(10_000)), epochs=2, batch=100).steps == 200


@pytest.mark.parametrize(("examples", "batch", "epochs", "steps"), [(1, 8, 4, 4), (17, 8, 1, 3), (16, 8, 3, 6)])
def test_the_last_batch_of_an_epoch_may_be_smaller(examples: int, batch: int, epochs: int, steps: int) -> None:
    assert of(examples, epochs=epochs, batch=batch, tokens=1).steps == steps


# ── examples ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_row_has_the_keys_of_the_command_line_in_order_and_is_json() -> None:
    for found in (of(words=10), of([TokensOf(10, 5)]), of(5, tokens=100, model="nobody:here")):
        row = found.row("es")
        assert list(row) == KEYS
        assert json.loads(json.dumps(row)) == row


def test_real_tokens_are_counted_where_a_tokenizer_is_at_hand(weights: Path) -> None:
    counter = Tokenizers(weights).counter()
    said = [conversation(Turn(Role.USER, f"What is {n} and {n}?"), Turn(Role.ASSISTANT, str(2 * n))) for n in range(20)]
    found = estimate(iter(said), model=counter.model, counter=counter, today=TODAY)
    assert found.rule is Rule.OWN
    assert found.examples == 20
    assert found.tokens > sum(counter.count(text) for one in said for text in one.texts)  # the template is counted too
    assert found.learned
    assert found.price == 0
    assert "said" not in codes(found)


def test_where_none_is_at_hand_the_rule_is_named_and_the_reason_given() -> None:
    counter = RuleCounter("openai:gpt-4o", Rule.WORDS_OVER, ("It is not here.", "No está aquí."))
    example = conversation(Turn(Role.USER, "one two three"), Turn(Role.ASSISTANT, "four"))
    found = of([example] * 12, counter=counter, model="openai:gpt-4o")
    assert found.row()["rule"] == "words ÷ 0.75"
    assert "No está aquí." in [note.said("es") for note in found.notes]
    with pytest.raises(ForPerson):
        of([example])


@pytest.mark.parametrize(
    ("model", "inside", "over", "kept"),
    [
        ("gpt-3.5-turbo-0125", TokensOf(16_385, 9), TokensOf(16_386, 9), 16_385),
        ("openai:gpt-3.5-turbo-0613", TokensOf(4_096, 9), TokensOf(5_000, 9), 4_096),
        ("gpt-4o-mini-2024-07-18", TokensOf(65_536, 9), TokensOf(70_000, 9), 65_536),
        ("gpt-4o-2024-08-06", TokensOf(65_536, 9), TokensOf(65_537, 9), 65_536),
        ("gpt-4.1-mini-2025-04-14", TokensOf(65_536, 9), TokensOf(65_537, 9), 65_536),
        ("text-bison@002", TokensOf(8_192 + 1_024, 1_024), TokensOf(2_000, 1_025), 1_999),
        ("text-bison@002", TokensOf(8_192, 0), TokensOf(9_000, 10), 8_202),
        ("vertex:text-bison-32k", TokensOf(32_768, 8_192), TokensOf(32_769, 100), 32_768),
        ("vertex:text-bison-32k", TokensOf(10_000, 8_192), TokensOf(10_000, 9_000), 9_192),
        ("vertex:gemini-2.5-flash", TokensOf(131_072, 9), TokensOf(131_073, 9), 131_072),
        ("local:smollm2-135m", TokensOf(8_192, 9), TokensOf(8_193, 9), 8_192),
    ],
)
def test_an_example_over_the_models_limit_is_cut_and_what_is_cut_is_not_paid_for(
    model: str, inside: TokensOf, over: TokensOf, kept: int
) -> None:
    assert of([inside], model=model).truncated == 0
    assert of([inside], model=model).tokens == inside.total
    found = of([inside, over], model=model)
    assert found.truncated == 1
    assert found.tokens == inside.total + kept
    assert "cut" in codes(found)


def test_of_a_pair_each_sequence_has_the_limit_for_itself() -> None:
    fits = TokensOf(120_000, 20, lengths=(60_000, 60_000))
    assert of([fits], model="gpt-4o").truncated == 0
    longer = TokensOf(130_000, 20, lengths=(60_000, 70_000))
    found = of([longer], model="gpt-4o")
    assert (found.truncated, found.tokens) == (1, 60_000 + 65_536)
    turns = (Turn(Role.USER, "?"),)
    pair = preference(turns, *(Answer((Turn(Role.ASSISTANT, text),)) for text in ("a", "b")))
    assert of([pair], counter=RuleCounter("x", Rule.CHARACTERS)).tokens == 4


def test_under_a_cent_nothing_is_rounded_away() -> None:
    assert of(tokens=100, epochs=4).price == Decimal("0.0032")
    assert of(tokens=0, epochs=4).price == 0


def test_examples_are_read_one_by_one() -> None:
    """A hundred thousand of them, each gone before the next: at no time are two alive."""
    alive = [0, 0]

    class Counted(TokensOf):
        def __init__(self) -> None:
            super().__init__(10, 5)
            alive[0] += 1
            alive[1] = max(alive)

        def __del__(self) -> None:
            alive[0] -= 1

    found = of(Counted() for _ in range(100_000))
    assert found.tokens == 1_000_000
    assert alive[1] <= 3


@pytest.mark.parametrize(
    "given", [{}, {"words": -1}, {"tokens": -5}, {"words": 1, "epochs": 0}, {"words": 1, "batch": 0},
              {"words": 1, "price": Decimal(-1)}],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_a_sentence_in_both_languages(given: dict[str, Any]) -> None:
    with pytest.raises(ForPerson) as refused:
        of(**given)
    assert refused.value.said("en") != refused.value.said("es")


# ── what is said beside ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_that_is_shut_down_or_will_be_is_told_by_its_date() -> None:
    gone = of(words=10, model="gpt-3.5-turbo-0125")
    assert "ended" in codes(gone)
    assert "2026-10-23" in next(note for note in gone.notes if note.code == "ended").said("en")
    assert "jobs" not in codes(gone)
    going = of(words=10, model="gpt-4o-mini-2024-07-18")
    assert {"ends", "jobs"} <= codes(going)
    said = [note.said("es") for note in going.notes]
    assert any("2027-01-14" in one for one in said)
    assert any("2027-01-06" in one for one in said)
    late = estimate(words=10, model="gpt-4o-mini-2024-07-18", today=date(2027, 1, 8))
    assert {"ends", "no_jobs"} <= codes(late)
    assert not codes(of(words=10, model="local:smollm2-135m")) & {"ends", "ended", "jobs", "no_jobs"}


def test_too_few_and_too_many_examples_are_told() -> None:
    assert "few" in codes(of(9, model="gpt-4o", tokens=9))
    assert "few" not in codes(of(10, model="gpt-4o", tokens=9))
    assert "many" in codes(of(10_001, model="text-bison", tokens=9))
    assert "many" not in codes(of(10_000, model="text-bison", tokens=9))


def test_a_price_nobody_knows_is_not_made_up() -> None:
    found = of(words=10, model="vertex:gemini-3.5-flash")
    assert (found.price, found.currency) == (None, None)
    assert "no_price" in codes(found)
    assert of(words=1_000_000, model="vertex:gemini-3.5-flash", price=Decimal(2), currency="EUR").currency == "EUR"


def test_every_note_is_a_sentence_in_both_languages() -> None:
    seen = set()
    for found in (
        of(words=10), of(9, model="gpt-4o", tokens=5), of(10_001, model="text-bison", tokens=9), of(words=1, model=""),
        of([TokensOf(70_000, 9)], model="gpt-4o"), estimate(words=1, model="gpt-4o", today=date(2027, 1, 8)),
        of([TokensOf(100, 9)], model="local:smollm2-135m", measure=lambda batch, length: PROBE),
        of([conversation()], counter=RuleCounter("x", Rule.CHARACTERS, ("A.", "B.")), model="ollama:x"),
    ):  # fmt: skip
        for note in found.notes:
            seen.add(note.code)
            english, spanish = note.said("en"), note.said("es")
            assert english.endswith(".")
            assert spanish.endswith(".")
            assert english != spanish
            assert "{" not in english + spanish
    assert len(seen) == 13


# ── time and memory ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_time_and_memory_follow_what_was_measured() -> None:
    """0.01 s a token (4.0 s more for 432 tokens more), nothing beside; 1 MB a token over a gigabyte; 3 s to load."""
    asked = []

    def measure(batch: int, length: int) -> Probe:
        asked.append((batch, length))
        return PROBE.model_copy(update={"small_seconds": 0.32, "seconds": 4.64})

    found = of([TokensOf(100, 9)] * 9 + [TokensOf(300, 9)], model="local:smollm2-135m", batch=4, measure=measure)
    assert asked == [(4, 120)]
    assert found.seconds == pytest.approx(3 + 4 * 1200 * 0.01)
    assert found.memory_bytes == 10**9 + (4 * 300 - 32) * 10**6
    assert of([TokensOf(100, 9)], model="local:smollm2-135m").seconds is None


def test_what_a_step_takes_before_any_token_is_counted_per_step() -> None:
    probe = PROBE.model_copy(update={"small_seconds": 0.5, "seconds": 0.5})
    assert probe.cost(10_000, 100, 100)[0] == pytest.approx(3 + 100 * 0.5)
    assert probe.cost(464 * 10, None, 100)[0] == pytest.approx(3 + 10 * 0.5)


# ── the files of facts ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "kind"), [("models.json", facts.Limits), ("prices.json", facts.Price)])
def test_every_fact_has_a_date_and_a_source_and_no_unknown_field(name: str, kind: Any) -> None:
    rows = json.loads((Path(facts.__file__).parent / name).read_text())["rows"]
    for row in rows:
        made = kind.model_validate(row)
        assert date(2023, 1, 1) < made.date <= date(2026, 12, 31)
        assert len(made.source) > 10
    with pytest.raises(ValidationError):
        kind.model_validate({**rows[0], "more": 1})


def test_limits_and_prices_of_the_notes() -> None:
    assert facts.limits("gpt-3.5-turbo-0125").tokens == 16_385
    assert facts.limits("gpt-3.5-turbo-0613").tokens == 4_096
    bison, large = facts.limits("text-bison@002"), facts.limits("text-bison-32k")
    assert (bison.input, bison.output, bison.most) == (8_192, 1_024, 10_000)
    assert (large.tokens, large.output) == (32_768, 8_192)
    assert facts.limits("openai:gpt-4o").least == 10
    assert facts.limits("openai:gpt-4o").file == 512_000_000
    price = facts.price("openai:gpt-3.5-turbo-0125")
    assert price
    assert (price.price, price.currency) == (Decimal("8.00"), "USD")
    assert facts.limits("nobody:here") is facts.UNKNOWN


def test_a_name_without_a_provider_finds_it() -> None:
    assert facts.canonical("gpt-4o") == "openai:gpt-4o"
    assert facts.canonical("ft:gpt-4o:me::1") == "openai:ft:gpt-4o:me::1"
    assert facts.canonical("text-bison@002") == "vertex:text-bison@002"
    assert facts.canonical("gemini-3.5-flash") == "vertex:gemini-3.5-flash"
    assert facts.canonical("local:smollm2-135m") == "local:smollm2-135m"
