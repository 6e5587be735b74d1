"""In: comparisons. Out: the two questions people have: did it learn, or learn by heart; and what did it forget. Pure.

                    unseen better   unseen worse   neither
    trained better  learned         harmed         by heart
    else            learned         harmed         not learned

Better and worse are a metric's verdicts: the whole interval of the change says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tuning.evaluation.compare import Comparison, compare
from tuning.evaluation.intervals import Interval, wilson
from tuning.evaluation.metrics import Metric, metric
from tuning.evaluation.metrics.accuracy import normalised
from tuning.evaluation.sentences import number, percent, points, say
from tuning.evaluation.values import Answered

TOLERANCE = 0.10  # of a share: a loss smaller than this is no forgetting. 60 questions tell no finer


@dataclass(frozen=True, slots=True)
class Learning:
    """Prompts of the training and unseen ones, before and after."""

    trained: Comparison
    unseen: Comparison
    by: str  # the metric that decides
    copied: Interval | None = None  # share of unseen prompts that got an answer of the training, word for word

    @property
    def verdict(self) -> Literal["learned", "by_heart", "harmed", "not_learned"]:
        match self.trained.summary(self.by).verdict, self.unseen.summary(self.by).verdict:
            case _, "better":
                return "learned"
            case _, "worse":
                return "harmed"
            case "better", _:
                return "by_heart"
        return "not_learned"

    def said(self, language: str) -> str:
        sentence = say(self.verdict, language)
        if self.copied and self.copied.value > 0:
            sentence += " " + say("copied", language, share=percent(self.copied.value, language))
        return sentence


@dataclass(frozen=True, slots=True)
class Forgetting:
    """The general set, before and after."""

    comparison: Comparison
    by: str = "contained"

    @property
    def verdict(self) -> Literal["forgot", "kept", "maybe_forgot", "no_questions"]:
        change = self.comparison.summary(self.by).change
        if not change.n:
            return "no_questions"
        if change.high < 0:
            return "forgot"
        return "kept" if change.low > -TOLERANCE else "maybe_forgot"

    def said(self, language: str) -> str:
        found = self.comparison.summary(self.by)
        return say(
            self.verdict, language, n=found.change.n,
            before=number(found.before.value * found.change.n, language, 0),
            after=number(found.after.value * found.change.n, language, 0),
            most=points(max(0.0, -found.change.low), language, sign=False),
        )  # fmt: skip


def learning(
    trained: tuple[Iterable[Answered], Iterable[Answered]],
    unseen: tuple[Iterable[Answered], Iterable[Answered]],
    by: str | Metric = "rouge1",
    *,
    others: Sequence[str | Metric] = (),
    seed: int = 0,
) -> Learning:
    """Each (before, after). `by`: the metric that decides; a voice's, where a voice was to be learned."""
    deciding = metric(by) if isinstance(by, str) else by
    names = [deciding, *others]
    known = list(trained[0])
    taught = {normalised(right) for answer in known for right in answer.references}
    seen = compare(known, trained[1], names, seed=seed)
    new = compare(*unseen, names, seed=seed)
    given = [normalised(row.after.text) for row in new.rows]
    return Learning(seen, new, deciding.name, wilson(sum(text in taught for text in given if text), len(given)))


def forgetting(before: Iterable[Answered], after: Iterable[Answered], *, seed: int = 0) -> Forgetting:
    """Of answers to `general.questions()`."""
    return Forgetting(compare(before, after, ("contained", "rouge1"), seed=seed))
