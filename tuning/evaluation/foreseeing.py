"""In: a model before and after, examples neither has learned from. Out: how well each foresees their answers.

perplexity       e to the mean loss of a learned token: among how many it wavers, so to speak; less is better
token_accuracy   the share of learned tokens that it would have written itself, each after the right ones before it

By the engine that answers in the chat, which has the model in memory and changes adapters; torch stays in there. Both
sides read the same tokens: the base's, as it was trained with (counting.shown). Cut at `longest`, as training is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any

from tuning.counting.shown import shown
from tuning.counting.tokens import Counter
from tuning.evaluation import intervals
from tuning.evaluation.compare import Verdict, likelier
from tuning.evaluation.intervals import Interval, Sign
from tuning.evaluation.metrics.likelihood import Likelihood, likelihood
from tuning.evaluation.run import Speaker
from tuning.evaluation.sentences import percent, points, say
from tuning.rows import fingerprint
from tuning.values import Example

if TYPE_CHECKING:
    from assistant.models import Models

TOGETHER = 32  # examples between two words on how far it is
LONGEST = 1024  # tokens


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Of an example."""

    likelihood: Likelihood
    hits: int  # learned tokens that were the likeliest

    @property
    def tokens(self) -> int:
        return self.likelihood.tokens


@dataclass(frozen=True, slots=True)
class Told:
    """One number over all examples, as `compare.Summary` tells it of answers."""

    metric: str  # perplexity | token_accuracy
    before: Interval
    after: Interval
    change: Interval
    sign: Sign  # over single examples
    verdict: Verdict
    sentence: Callable[[str], str]

    def said(self, language: str) -> str:
        return self.sentence(language)

    def title(self, language: str) -> str:
        return say(self.metric, language)

    def row(self) -> dict[str, Any]:
        """{"metric", "before": {"value", "low", "high", "n"}, "after", "change", "better", "worse", "same", "p",
        "verdict", "share"}"""
        counts = {"better": self.sign.better, "worse": self.sign.worse, "same": self.sign.same, "p": self.sign.p}
        parts = {"before": self.before.row(), "after": self.after.row(), "change": self.change.row()}
        share = self.metric == "token_accuracy"
        return {"metric": self.metric, **parts, **counts, "verdict": self.verdict, "share": share}


def foreseen(
    models: Models, speaker: Speaker, counter: Counter, examples: Iterable[Example], stop: Event, longest: int = LONGEST
) -> Generator[int, None, dict[str, Foreseen]]:
    """Yields how many are done; returns each by its fingerprint, fewer once stopped. Empty where the model does not run
    here by an engine that tells, or its tokenizer is not at hand."""
    found = dict[str, Foreseen]()
    if not models.loading.knows(speaker.model):
        return found
    engine: Any = models.loading.engine(speaker.model, speaker.adapter)
    if not hasattr(engine, "scored"):
        return found
    waiting = iter(examples)
    while not stop.is_set() and (some := list(islice(waiting, TOGETHER))):
        rows = [_row(example, counter, longest) for example in some]
        if any(row is None for row in rows):
            return found
        for example, said in zip(some, engine.scored(rows, stop, speaker.adapter), strict=False):  # none once stopped
            logarithms = [logarithm for logarithm, _ in said]
            found[fingerprint(example)] = Foreseen(likelihood(logarithms), sum(likeliest for _, likeliest in said))
        yield len(found)
    return found


def told(before: Mapping[str, Foreseen], after: Mapping[str, Foreseen], *, seed: int = 0) -> tuple[Told, ...]:
    """Perplexity and token accuracy of the examples of both sides; none where there is none."""
    both = [key for key in before if key in after and before[key].tokens and after[key].tokens]
    if not both:
        return ()
    sides = [before[key] for key in both], [after[key] for key in both]
    return _perplexity(both, *sides, seed), _accuracy(*sides, seed)


def _perplexity(keys: Sequence[str], before: Sequence[Foreseen], after: Sequence[Foreseen], seed: int) -> Told:
    first, second = (
        {key: one.likelihood for key, one in zip(keys, side, strict=True)} for side in (before, after)
    )  # fmt: skip
    found = likelier(first, second, seed=seed)
    start, times = found.before.value, found.times
    moved = Interval(
        found.after.value - start, start * (times.low - 1), start * (times.high - 1), times.n, times.level
    )  # fmt: skip
    sign = intervals.sign_test([a.likelihood.loss - b.likelihood.loss for a, b in zip(before, after, strict=True)])
    return Told("perplexity", found.before, found.after, moved, sign, found.verdict, found.said)


def _accuracy(before: Sequence[Foreseen], after: Sequence[Foreseen], seed: int) -> Told:
    tokens = [float(one.tokens) for one in before]
    hits = [[float(one.hits) for one in side] for side in (before, after)]
    gained = [b - a for a, b in zip(*hits, strict=True)]
    first, second, change = (intervals.ratio(above, tokens, seed=seed) for above in (*hits, gained))
    sign = intervals.sign_test(gained)
    verdict: Verdict = "same" if not (sign.better or sign.worse) else "unclear"
    verdict = "better" if change.low > 0 else "worse" if change.high < 0 else verdict

    def said(language: str) -> str:
        return say(
            "change", language, title=say("token_accuracy", language), n=change.n, verdict=say(verdict, language),
            before=percent(first.value, language), after=percent(second.value, language),
            change=points(change.value, language), low=points(change.low, language), high=points(change.high, language),
        )  # fmt: skip

    return Told("token_accuracy", first, second, change, sign, verdict, said)


def _row(example: Example, counter: Counter, longest: int) -> tuple[list[int], list[bool]] | None:
    """Token ids, and which of them carry loss; None where the tokenizer is not at hand."""
    tokens = shown(example, counter)[:longest]
    ids = [token.id for token in tokens if token.id is not None]
    return (ids, [token.learn for token in tokens]) if len(ids) == len(tokens) else None
