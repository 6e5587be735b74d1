"""Intervals are those of the papers, hold the truth as often as they say, and never claim more than the data."""

from __future__ import annotations

import math
import random

import pytest

from tuning.evaluation.intervals import binomial, difference, mcnemar, mean, paired_shares, ratio, sign_test, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(9, 10, 0.5958, 0.9821), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 2, 0.0945, 0.9055)],
)
def test_wilson_gives_the_published_figures(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert found.value == hits / n


def test_of_nothing_everything_is_possible() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert (mean([]).low, mean([]).high) == (mean([0.5]).low, mean([0.5]).high) == (-math.inf, math.inf)
    assert mean([0.5]).row() == {"value": 0.5, "low": None, "high": None, "n": 1}


def test_a_bootstrap_is_the_same_every_time_and_turns_with_its_numbers() -> None:
    random_ = random.Random(1)
    values = [random_.gauss(0, 1) for _ in range(40)]
    assert mean(values) == mean(values)
    assert mean(values) != mean(values, seed=1)
    found, turned = mean(values), mean([-value for value in values])
    assert (turned.low, turned.value, turned.high) == pytest.approx((-found.high, -found.value, -found.low), abs=1e-9)


def test_a_bootstrap_holds_the_truth_about_as_often_as_it_says() -> None:
    random_ = random.Random(7)
    held = 0
    for seed in range(300):
        found = mean([random_.gauss(3, 2) for _ in range(15)], seed=seed)
        held += found.low <= 3 <= found.high
    assert 0.91 <= held / 300 <= 0.985


def test_a_paired_difference_sees_what_two_separate_intervals_cannot() -> None:
    random_ = random.Random(3)
    before = [random_.random() for _ in range(50)]
    after = [value + 0.05 + random_.gauss(0, 0.02) for value in before]
    assert mean(after).low < mean(before).high
    found = difference(before, after)
    assert 0.04 < found.low < found.value < found.high < 0.06


def test_a_ratio_is_sum_over_sum_not_the_mean_of_ratios() -> None:
    found = ratio([1.0, 30.0] * 30, [1.0, 10.0] * 30)
    assert found.value == pytest.approx(31 / 11)
    assert 2.6 < found.low < found.value < found.high < 3.0
    assert ratio([0.0, 2.0], [0.0, 1.0]).value == 2.0
    assert ratio([math.inf, 2.0], [1.0, 1.0]).high == math.inf


def test_the_sign_test_counts_a_fair_coin() -> None:
    """9 better, 1 worse: 2 × (1 + 10) of 1,024."""
    found = sign_test([1.0] * 9 + [-0.2] + [0.0] * 5)
    assert (found.better, found.worse, found.same) == (9, 1, 5)
    assert found.p == pytest.approx(22 / 1024)
    assert binomial(5, 10) == binomial(0, 0) == 1.0
    assert binomial(0, 3000) == 0.0
    assert binomial(1450, 3000) == pytest.approx(0.0708, abs=1e-3)  # by the normal curve with its correction: 0.0707


def test_mcnemar_looks_only_at_what_changed() -> None:
    few = mcnemar([False] * 9 + [True], [True] * 9 + [False])
    many = mcnemar([False] * 9 + [True] * 101, [True] * 9 + [False] + [True] * 100)
    assert few.p == many.p == pytest.approx(22 / 1024)


def test_a_paired_share_has_the_figures_of_bonett_and_price() -> None:
    """12 of 40 better, 2 worse: 10/42 ± 1.96 × √((16/42 − (10/42)²)/42)."""
    before = [False] * 12 + [True] * 2 + [True] * 26
    after = [True] * 12 + [False] * 2 + [True] * 26
    found = paired_shares(before, after)
    half = 1.959964 * math.sqrt((16 / 42 - (10 / 42) ** 2) / 42)
    assert (found.low, found.high) == pytest.approx((10 / 42 - half, 10 / 42 + half))
    assert found.value == 0.25


def test_no_change_in_ten_is_no_proof_that_nothing_changes() -> None:
    found = paired_shares([True] * 10, [True] * 10)
    assert found.low < 0 < found.high
    assert found.high - found.low < paired_shares([True] * 3, [True] * 3).high * 2
