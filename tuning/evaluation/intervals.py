"""In: numbers of single examples. Out: their mean with an interval, and whether a change is more than chance. Pure.

    mean, difference      bootstrap: examples drawn again with replacement, 2,000 times (Efron 1979); seeded
    ratio                 the same for sums over sums: nats over tokens
    wilson                a share: 9 of 10 → 0.90, 0.60 to 0.98 (Wilson 1927); says something of 10 of 10, too
    paired_shares         a difference of two shares of the same examples (Bonett and Price 2012)
    sign_test, mcnemar    exact, two-sided: of those that changed, as many for better as for worse?

A bootstrap of few examples is too narrow: it is widened by √(n/(n−1)) and as Student's t is wider than the normal curve
(Hesterberg 2015, "What Teachers Should Know About the Bootstrap"). A single example says nothing: −inf to inf.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 2000
_TOGETHER = 2_000_000  # numbers drawn at a time: 16 MB

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    value: float
    low: float
    high: float
    n: int  # examples
    level: float = LEVEL

    def row(self) -> dict[str, float | int | None]:
        """An open end is None: JSON has no infinity."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {**{name: end if math.isfinite(end) else None for name, end in ends.items()}, "n": self.n}


@dataclass(frozen=True, slots=True)
class Sign:
    better: int
    worse: int
    same: int
    p: float  # 1: nothing speaks against chance


def mean(values: Sequence[float], *, seed: int = 0, level: float = LEVEL) -> Interval:
    return ratio(values, [1.0] * len(values), seed=seed, level=level)


def difference(before: Sequence[float], after: Sequence[float], *, seed: int = 0, level: float = LEVEL) -> Interval:
    """Of the means, after − before, the same examples in the same order: an example is drawn with both its numbers."""
    return mean([b - a for a, b in zip(before, after, strict=True)], seed=seed, level=level)


def ratio(above: Sequence[float], below: Sequence[float], *, seed: int = 0, level: float = LEVEL) -> Interval:
    """Sum over sum; an example is drawn with both."""
    n = len(above)
    if not n or not math.fsum(below):
        return Interval(math.nan, -math.inf, math.inf, n, level)
    value = math.fsum(above) / math.fsum(below)
    if n == 1 or not math.isfinite(value):
        return Interval(value, -math.inf, math.inf, n, level)
    drawn = np.concatenate(list(_drawn(np.asarray(above, float), np.asarray(below, float), seed)))
    if not drawn.size:  # every draw was of examples without anything below
        return Interval(value, -math.inf, math.inf, n, level)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    wider = math.sqrt(n / (n - 1)) * _student(n - 1, level)
    return Interval(value, value - (value - float(low)) * wider, value + (float(high) - value) * wider, n, level)


def wilson(hits: int, n: int, *, level: float = LEVEL) -> Interval:
    if not n:
        return Interval(math.nan, 0.0, 1.0, 0, level)
    z, share = _z(level), hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return Interval(share, low, 1.0 if hits == n else min(1.0, middle + half), n, level)


def paired_shares(before: Sequence[bool], after: Sequence[bool], *, level: float = LEVEL) -> Interval:
    """after − before. One imagined example changed in each direction: without any change it still is no certainty."""
    found = mcnemar(before, after)
    n = len(before)
    if not n:
        return Interval(math.nan, -1.0, 1.0, 0, level)
    up, down = (found.better + 1) / (n + 2), (found.worse + 1) / (n + 2)
    half = _z(level) * math.sqrt(max(0.0, (up + down - (up - down) ** 2) / (n + 2)))
    value = (found.better - found.worse) / n
    return Interval(value, max(-1.0, up - down - half), min(1.0, up - down + half), n, level)


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> Sign:
    return sign_test([float(b) - float(a) for a, b in zip(before, after, strict=True)])


def sign_test(changes: Sequence[float]) -> Sign:
    better, worse = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    return Sign(better, worse, len(changes) - better - worse, binomial(better, better + worse))


def binomial(hits: int, n: int) -> float:
    """How likely a fair coin is to be at least as uneven, both ways; exact."""
    fewer, ways, one = min(hits, n - hits), 0, 1
    for at in range(fewer + 1):
        ways += one
        one = one * (n - at) // (at + 1)
    return min(1.0, float(2 * ways / 2**n))


def _drawn(above: Numbers, below: Numbers, seed: int) -> Iterator[Numbers]:
    generator, left = np.random.default_rng(seed), RESAMPLES
    while left:
        rows = min(left, max(1, _TOGETHER // len(above)))
        chosen = generator.integers(0, len(above), (rows, len(above)))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = above[chosen].sum(axis=1) / below[chosen].sum(axis=1)
        yield found[np.isfinite(found)]
        left -= rows


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _student(freedom: int, level: float) -> float:
    """Student's quantile over the normal one, by the first terms of its series; 1.15 for 9, 1 for many."""
    z = _z(level)
    first, second = (z**3 + z) / (4 * freedom), (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return (z + first + second) / z
