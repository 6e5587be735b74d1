"""In: answers before and after, to the same questions. Out: a table by example, sorted by change; each metric in sum.

    rouge1   before 0.21   after 0.46   change +0.25 (+0.18 to +0.32)   31 better, 4 worse, 5 the same, p < 0.001

Answers belong together by their key. What stands on one side only is counted and left out; what failed counts as empty.
A share (right or wrong) has a Wilson interval and a paired one for its change; a score a bootstrap. Pure; the table is
held in memory, as it is sorted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tuning.evaluation import intervals
from tuning.evaluation.intervals import Interval, Sign
from tuning.evaluation.metrics import DEFAULTS, Metric, metrics
from tuning.evaluation.metrics.likelihood import Likelihood
from tuning.evaluation.sentences import number, percent, points, say
from tuning.evaluation.values import Answered, by_key

Verdict = Literal["better", "worse", "same", "unclear"]
Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Compared:
    """One question."""

    before: Answered
    after: Answered
    scores: Mapping[str, Pair]  # metric → before, after; None where it does not apply
    change: float | None  # of the metric the table is sorted by

    def row(self) -> dict[str, Any]:
        """{"key", "prompt", "reference", "before", "after", "scores": {metric: [before, after]}, "change"}"""
        return {
            "key": self.before.key,
            "prompt": self.before.prompt,
            "reference": self.before.reference,
            "before": self.before.text,
            "after": self.after.text,
            "scores": {name: list(pair) for name, pair in self.scores.items()},
            "change": self.change,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric over all questions it applies to."""

    metric: Metric
    before: Interval
    after: Interval
    change: Interval
    sign: Sign  # over single questions

    @property
    def verdict(self) -> Verdict:
        """Better or worse where the whole interval says so."""
        if self.change.low > 0:
            return "better"
        if self.change.high < 0:
            return "worse"
        return "same" if self.change.n and not (self.sign.better or self.sign.worse) else "unclear"

    def said(self, language: str) -> str:
        title = self.metric.title(language)
        if not self.change.n:
            return say("nothing", language, title=title)
        amount, moved = (percent, points) if self.metric.share else (number, _signed)
        return say(
            "change", language, title=title, n=self.change.n, verdict=say(self.verdict, language),
            before=amount(self.before.value, language), after=amount(self.after.value, language),
            change=moved(self.change.value, language),
            low=moved(self.change.low, language), high=moved(self.change.high, language),
        )  # fmt: skip

    def row(self) -> dict[str, Any]:
        """{"metric", "before": {"value", "low", "high", "n"}, "after", "change", "better", "worse", "same", "p",
        "verdict"}"""
        return {
            "metric": self.metric.name,
            "before": self.before.row(),
            "after": self.after.row(),
            "change": self.change.row(),
            "better": self.sign.better,
            "worse": self.sign.worse,
            "same": self.sign.same,
            "p": self.sign.p,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    rows: tuple[Compared, ...]  # the largest gain first, those without a number last
    summaries: tuple[Summary, ...]  # in the order of the metrics
    sorted_by: str  # a metric
    unmatched: int = 0  # keys that stand on one side only

    def summary(self, name: str) -> Summary:
        return next(one for one in self.summaries if one.metric.name == name)

    @property
    def failed(self) -> tuple[int, int]:
        """Questions without an answer, before and after."""
        return sum(bool(one.before.problem) for one in self.rows), sum(bool(one.after.problem) for one in self.rows)

    def said(self, language: str) -> list[str]:
        before, after = self.failed
        notes = [say("failed", language, before=before, after=after)] if before or after else []
        notes += [say("unmatched", language, n=self.unmatched)] if self.unmatched else []
        return [*(one.said(language) for one in self.summaries), *notes]


def compare(
    before: Iterable[Answered],
    after: Iterable[Answered],
    names: Sequence[str | Metric] = DEFAULTS,
    *,
    sort_by: str = "",
    seed: int = 0,
) -> Comparison:
    """`sort_by`: one of the metrics; "": the first. ForPerson where there is no such metric."""
    known, tuned, chosen = by_key(before), by_key(after), metrics(names)
    sort_by = sort_by or chosen[0].name
    both = [key for key in known if key in tuned]
    rows = [_compared(known[key], tuned[key], chosen, sort_by) for key in both]
    rows.sort(key=lambda row: math.inf if row.change is None else -row.change)
    summaries = tuple(_summary(one, [row.scores[one.name] for row in rows], seed) for one in chosen)
    return Comparison(tuple(rows), summaries, sort_by, len(known) + len(tuned) - 2 * len(both))


@dataclass(frozen=True, slots=True)
class Likelier:
    """How well a text is foreseen, before and after."""

    before: Interval  # perplexity
    after: Interval
    times: Interval  # after ÷ before: under 1 is better

    @property
    def verdict(self) -> Verdict:
        if self.times.high < 1:
            return "better"
        if self.times.low > 1:
            return "worse"
        return "same" if self.times.value == 1 else "unclear"

    def said(self, language: str) -> str:
        values = {"before": self.before.value, "after": self.after.value, "times": self.times.value}
        ends = {"low": self.times.low, "high": self.times.high}
        told = {name: number(value, language) for name, value in (values | ends).items()}
        return say("likelier", language, n=self.times.n, verdict=say(self.verdict, language), **told)

    def row(self) -> dict[str, Any]:
        """{"metric": "perplexity", "before": {…}, "after": {…}, "times": {…}, "verdict"}"""
        parts = {"before": self.before.row(), "after": self.after.row(), "times": self.times.row()}
        return {"metric": "perplexity", **parts, "verdict": self.verdict}


def likelier(before: Mapping[str, Likelihood], after: Mapping[str, Likelihood], *, seed: int = 0) -> Likelier:
    """By an example's fingerprint; those of both sides count."""
    both = [key for key in before if key in after and before[key].tokens and after[key].tokens]
    tokens = [float(before[key].tokens) for key in both]
    nats = [before[key].nats for key in both], [after[key].nats for key in both]
    finite = all(map(math.isfinite, (*nats[0], *nats[1])))
    moved = [b - a for a, b in zip(*nats, strict=True)] if finite else [math.nan] * len(both)
    first, second, times = (_exp(intervals.ratio(above, tokens, seed=seed)) for above in (*nats, moved))
    return Likelier(first, second, times)


def _compared(before: Answered, after: Answered, chosen: Sequence[Metric], sort_by: str) -> Compared:
    scores: dict[str, Pair] = {one.name: (one.of(before), one.of(after)) for one in chosen}
    first, second = scores[sort_by]
    return Compared(before, after, scores, None if first is None or second is None else second - first)


def _summary(one: Metric, scores: Sequence[Pair], seed: int) -> Summary:
    told = [(first, second) for first, second in scores if first is not None and second is not None]
    before, after = [first for first, _ in told], [second for _, second in told]
    sign = intervals.sign_test([second - first for first, second in told])
    if one.share:
        n, hits = len(told), (sum(before), sum(after))
        change = intervals.paired_shares([x > 0 for x in before], [x > 0 for x in after])
        return Summary(one, intervals.wilson(int(hits[0]), n), intervals.wilson(int(hits[1]), n), change, sign)
    first, second = (intervals.mean(values, seed=seed) for values in (before, after))
    return Summary(one, first, second, intervals.difference(before, after, seed=seed), sign)


def _signed(value: float, language: str) -> str:
    return number(value, language, sign=True)


def _exp(found: Interval) -> Interval:
    def grown(value: float) -> float:
        try:
            return math.exp(value)
        except OverflowError:
            return math.inf

    return Interval(grown(found.value), grown(found.low), grown(found.high), found.n, found.level)
