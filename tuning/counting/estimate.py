"""In: examples, or numbers of them; a model. Out: what learning them takes: tokens, steps, money, time, memory.

    1,084,170 words × 0.75 = 813,127.5 tokens × $8.00 / 1,000,000 = $6.51 an epoch, $26.04 for 4
    10,000 examples in batches of 100, 2 epochs: 2 × ceil(10,000 / 100) = 200 steps

An epoch's price is rounded to cents and then multiplied, as in the notes; under a cent it is not rounded. What is cut
off an example that is too long is not paid for. Examples are read one by one, none is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tuning.counting import facts
from tuning.counting.notes import Note
from tuning.counting.probe import Probe
from tuning.counting.shown import TokensOf, of_example
from tuning.counting.tokens import Counter, Rule, by_rule
from tuning.errors import ForPerson
from tuning.values import Example

EPOCHS = 4  # of the notes
BATCH = 8  # examples
CENT = Decimal("0.01")
Measure = Callable[[int, int], Probe]  # (batch, tokens of an example) → what a few steps of that took


@dataclass(frozen=True, slots=True)
class Estimate:
    """None: not known. `price` is of all epochs."""

    examples: int | None
    tokens: Decimal  # of one epoch, after cutting
    epochs: int
    batch: int
    steps: int | None
    truncated: int | None  # examples that are cut
    price: Decimal | None
    currency: str | None
    seconds: float | None
    memory_bytes: int | None
    rule: Rule
    notes: tuple[Note, ...] = ()
    learned: int | None = None  # tokens of one epoch that carry loss
    longest: int | None = None  # tokens

    def row(self, language: str = "en") -> dict[str, Any]:
        """As `data estimate --json` prints it."""
        return {
            "examples": self.examples,
            "tokens": _number(self.tokens),
            "epochs": self.epochs,
            "batch": self.batch,
            "steps": self.steps,
            "truncated": self.truncated,
            "price": None if self.price is None else float(self.price),
            "currency": self.currency,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "memory_bytes": self.memory_bytes,
            "rule": self.rule.said(language),
        }


@dataclass(slots=True)
class _Sum:
    examples: int | None = 0
    tokens: Decimal = Decimal(0)
    learned: int | None = 0
    truncated: int | None = 0
    longest: int | None = 0
    rule: Rule = Rule.OWN
    notes: list[Note] = field(default_factory=list)


def estimate(
    examples: Iterable[Example | TokensOf] | int | None = None,
    *,
    model: str,
    counter: Counter | None = None,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    words: int | None = None,
    tokens: int | None = None,
    rule: Rule = Rule.WORDS_TIMES,
    price: Decimal | None = None,
    currency: str = "USD",
    measure: Measure | None = None,
    today: date | None = None,
) -> Estimate:
    """`examples`: they themselves, how many tokens each has, or how many there are, with `words` or `tokens` in all.
    `counter`: needed where examples are counted. `rule`: of words. `price`: for a million tokens; else that of
    prices.json. `measure`: a probe of this machine. ForPerson where the numbers make no sense."""
    _checked(epochs, batch, words, tokens, price)
    limits = facts.limits(model)
    if words is not None or tokens is not None or isinstance(examples, int) or examples is None:
        found = _of_numbers(None if not isinstance(examples, int) else examples, words, tokens, rule)
    else:
        found = _of_examples(examples, counter, limits)
    steps = None if found.examples is None else epochs * math.ceil(found.examples / batch)
    cost, unit = _cost(found, model, epochs, price, currency)
    seconds, memory = _measured(found, epochs, batch, steps, measure)
    found.notes += _warnings(found, model, limits, today or date.today())
    return Estimate(
        found.examples, found.tokens, epochs, batch, steps, found.truncated, cost, unit, seconds, memory, found.rule,
        tuple(found.notes), found.learned, found.longest,
    )  # fmt: skip


def _checked(epochs: int, batch: int, words: int | None, tokens: int | None, price: Decimal | None) -> None:
    if epochs < 1 or batch < 1:
        raise ForPerson(
            "Epochs and batch are whole numbers from 1 on.",
            spanish="Las épocas y el lote son números enteros a partir de 1.",
        )
    if (words or 0) < 0 or (tokens or 0) < 0 or (price or 0) < 0:
        raise ForPerson(
            "Words, tokens and price cannot be negative.",
            spanish="Las palabras, los tokens y el precio no pueden ser negativos.",
        )


def _of_numbers(examples: int | None, words: int | None, tokens: int | None, rule: Rule) -> _Sum:
    if words is None and tokens is None and examples is None:
        raise ForPerson(
            "There is nothing to count: give a file, or a number of words or tokens.",
            spanish="No hay nada que contar: indica un archivo o un número de palabras o de tokens.",
        )
    found = _Sum(examples=examples, learned=None, truncated=None, longest=None, rule=Rule.GIVEN)
    if tokens is not None:
        found.tokens = Decimal(tokens)
    elif words is not None:
        found.tokens, found.rule = by_rule(rule, words), rule
        other = Rule.WORDS_OVER if rule is Rule.WORDS_TIMES else Rule.WORDS_TIMES
        found.notes.append(Note("other_rule", {"rule": other, "tokens": by_rule(other, words)}))
    return found


def _of_examples(
    examples: Iterable[Example | TokensOf], counter: Counter | None, limits: facts.Limits
) -> _Sum:  # fmt: skip
    """`tokens`: what is left after cutting."""
    total, learned, cut, longest, many = 0, 0, 0, 0, 0
    for one in examples:
        if isinstance(one, Example):
            if counter is None:
                raise ForPerson("There is no tokenizer to count with.", spanish="No hay tokenizador con el que contar.")
            one = of_example(one, counter, turns=False)
        many += 1
        lengths = one.lengths or (one.total,)
        output = one.learned // len(lengths)
        cut += any(limits.over(length, output) for length in lengths)
        total += sum(limits.kept(length, output) for length in lengths)
        learned += one.learned
        longest = max(longest, one.longest)
    found = _Sum(many, Decimal(total), learned, cut, longest, counter.rule if counter else Rule.OWN)
    if counter and counter.note("en"):
        found.notes.append(Note("said", {"en": counter.note("en"), "es": counter.note("es")}))
    return found


def _cost(
    found: _Sum, model: str, epochs: int, price: Decimal | None, currency: str
) -> tuple[Decimal | None, str | None]:
    if price is None:
        known = facts.price(model)
        if known is None:
            found.notes.append(Note("no_price", {"model": model}) if model else Note("price_missing"))
            return None, None
        price, currency = known.price, known.currency
        if price:
            values = {"price": price, "currency": currency, "source": known.source, "date": known.date}
            found.notes.append(Note("price", values))
    epoch = found.tokens * price / 1_000_000
    if epoch >= CENT:
        epoch = epoch.quantize(CENT, ROUND_HALF_UP)
    return epochs * epoch, currency


def _measured(
    found: _Sum, epochs: int, batch: int, steps: int | None, measure: Measure | None
) -> tuple[float | None, int | None]:
    if measure is None or not found.tokens:
        return None, None
    many = found.examples or 1
    mean = max(1, math.ceil(found.tokens / many)) if found.examples else 256
    together = min(batch, many) if found.examples else batch
    probe = measure(together, mean)
    found.notes.append(Note("probe", {"steps": probe.steps, "tokens": probe.tokens, "precision": probe.precision}))
    return probe.cost(float(found.tokens) * epochs, steps, together * (found.longest or mean))


def _warnings(found: _Sum, model: str, limits: facts.Limits, today: date) -> list[Note]:
    notes = []
    if limits.ends:
        notes.append(Note("ended" if limits.ends <= today else "ends", {"model": model, "date": limits.ends}))
    if limits.jobs and (limits.ends or date.max) > today:
        notes.append(Note("no_jobs" if limits.jobs < today else "jobs", {"date": limits.jobs}))
    if found.truncated:
        most = limits.tokens or limits.input or 0
        notes.append(Note("cut", {"n": found.truncated, "limit": most}))
    if found.examples is not None and limits.least and found.examples < limits.least:
        notes.append(Note("few", {"n": found.examples, "least": limits.least}))
    if found.examples is not None and limits.most and found.examples > limits.most:
        notes.append(Note("many", {"n": found.examples, "most": limits.most}))
    return notes


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
