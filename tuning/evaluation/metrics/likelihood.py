"""In: a model that says how likely each learned token was. Out: loss and perplexity, of an example and of many.

    tokens of probability 1/2, 1/4, 1/8    loss ln 4 = 1.386    perplexity 4

Perplexity is e to the mean loss of a token, over all tokens of all examples: a long example counts for more. It
compares two states of one model; with another tokenizer it is another number. Knows nothing of weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuning.rows import fingerprint
from tuning.values import Example


class Scorer(Protocol):
    """A model, with its template and its adapter."""

    def log_likelihoods(self, example: Example) -> Sequence[float]:
        """Natural logarithms, one per token that carries loss, in order; empty where none does."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    nats: float = 0.0  # the sum of −ln p; infinite where a token was impossible, or the model said no number
    tokens: int = 0

    @property
    def loss(self) -> float:
        """Of a token. Not a number where nothing was learned."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def perplexity(self) -> float:
        try:
            return math.exp(self.loss)
        except OverflowError:
            return math.inf

    def __add__(self, other: Likelihood) -> Likelihood:
        return Likelihood(self.nats + other.nats, self.tokens + other.tokens)


def likelihood(logarithms: Sequence[float]) -> Likelihood:
    total = -math.fsum(logarithms) if all(map(math.isfinite, logarithms)) else math.inf
    return Likelihood(total, len(logarithms))


def likelihoods(
    scorer: Scorer, examples: Iterable[Example], stopped: Callable[[], bool] = lambda: False
) -> Iterator[tuple[str, Likelihood]]:
    """(an example's fingerprint, its likelihood), as they come."""
    for example in examples:
        if stopped():
            return
        yield fingerprint(example), likelihood(scorer.log_likelihoods(example))


def total(found: Iterable[Likelihood]) -> Likelihood:
    return sum(found, Likelihood())
