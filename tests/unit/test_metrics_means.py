"""Intervals of means against the same bootstrap written as a loop, and their coverage of skewed terms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip.metrics import intervals, means

POSITIVE = (0.0, math.inf)


def by_hand(part, whole, *, seed, resamples, level):
    """Bootstrap-t of a ratio of sums, one resample at a time."""
    n, ratio = len(part), part.sum() / whole.sum()
    off = part - ratio * whole

    def error(p, w, r):
        return math.sqrt(n / (n - 1) * np.sum((p - r * w) ** 2)) / w.sum()

    t = []
    for rows in np.random.default_rng(seed).integers(n, size=(resamples, n)):
        p, w = part[rows], whole[rows]
        r = p.sum() / w.sum()
        t.append((r - ratio) / error(p, w, r))
    skewness = np.mean((off - off.mean()) ** 3) / np.std(off) ** 3
    tail = (1 - level) / 2 / (1 + 8 * skewness**2 / n)
    low, high = np.quantile(t, [tail, 1 - tail], method="nearest")
    return ratio - high * error(part, whole, ratio), ratio - low * error(part, whole, ratio)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_is_that_of_a_loop(level):
    rng = np.random.default_rng(0)
    terms = rng.exponential(size=75)
    got = intervals.mean_interval(terms, seed=3, resamples=400, level=level)
    assert got == pytest.approx(by_hand(terms, np.ones(75), seed=3, resamples=400, level=level), rel=1e-9)
    part, whole = rng.poisson(3, 60).astype(float), rng.poisson(8, 60) + 1.0
    got = intervals.ratio_interval_of_sums(part, whole, seed=4, resamples=400, level=level)
    assert got == pytest.approx(by_hand(part, whole, seed=4, resamples=400, level=level), rel=1e-9)
    assert [type(end) for end in got] == [float, float]


def test_of_normal_terms_it_is_nearly_students():
    terms = np.random.default_rng(2).normal(size=400)
    reach = 1.966 * terms.std(ddof=1) / 20
    assert intervals.mean_interval(terms, seed=0) == pytest.approx((terms.mean() - reach, terms.mean() + reach), abs=0.012)


def test_groups_count_by_their_samples():
    groups = np.repeat(np.arange(40), np.arange(1, 41))
    rng = np.random.default_rng(2)
    values = groups / 10 + rng.normal(size=groups.size)
    order = rng.permutation(groups.size)
    sums = [np.array([each[groups == g].sum() for g in range(40)]) for each in (values, np.ones_like(values))]
    got = intervals.mean_interval(values[order], seed=3, resamples=200, groups=groups[order])
    assert got == pytest.approx(intervals.ratio_interval_of_sums(*sums, seed=3, resamples=200))


def misses(draw, truth, n, *, times=200, within=POSITIVE):
    rng, missed, old = np.random.default_rng(n), 0, 0
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=400) / n
    for seed in range(times):
        terms = draw(n, rng)
        low, high = intervals.mean_interval(terms, seed=seed, within=within)
        missed += not low <= truth <= high
        low, high = np.quantile(drawn @ terms, [0.025, 0.975])
        old += not low <= truth <= high
    return missed / times, old / times


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda n, rng: np.exp(rng.normal(0, 1.5, n)), math.exp(1.125)),
        (lambda n, rng: np.where(rng.random(n) < 0.1, 0.7 + rng.exponential(2.5, n), rng.exponential(0.05, n)), 0.365),
    ],
)
def test_skewed_losses_are_covered_where_percentiles_are_not(draw, truth):
    missed, by_percentiles = misses(draw, truth, 50)
    assert missed <= 0.1  # nominal 0.05, and three standard errors of 200 repeats
    assert by_percentiles > 0.12


def test_too_few_terms_have_no_interval():
    terms = np.random.default_rng(0).exponential(size=means.FEWEST)
    assert intervals.mean_interval(terms[1:], seed=0) == (-math.inf, math.inf)
    assert intervals.mean_interval(terms[1:], seed=0, within=POSITIVE) == POSITIVE
    low, high = intervals.mean_interval(terms, seed=0, within=POSITIVE)
    assert 0 < low < terms.mean() < high < math.inf


def test_equal_terms_are_no_point():
    assert intervals.mean_interval([2.5] * 100, seed=0) == (-math.inf, math.inf)
    assert intervals.mean_interval([1] * 100, seed=0, within=(1, math.inf)) == (1, math.inf)
    assert intervals.mean_interval([1.0] * 100, seed=0, within=(0, 1)) == pytest.approx(intervals.wilson(100, 100))
    low, high = intervals.mean_interval([0.5] * 100, seed=0, within=(0, 2))
    assert (low, high) == pytest.approx(tuple(2 * end for end in intervals.wilson(25, 100)))


def test_a_spread_of_one_term_is_open():
    # one term in 40 differs: in a third of the resamples none does
    assert intervals.mean_interval([0.0] * 39 + [1.0], seed=0, within=POSITIVE)[1] == math.inf
    low, high = intervals.mean_interval([1.0] * 39 + [0.0], seed=0, within=(0, 1))
    assert (low, high <= 1) == (0.0, True)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=80), st.integers(0, 5))
def test_it_holds_the_mean_and_stays_within(terms, seed):
    low, high = intervals.mean_interval(terms, seed=seed, resamples=200, within=(0, 1))
    assert 0 <= low <= np.mean(terms) + 1e-12
    assert np.mean(terms) - 1e-12 <= high <= 1
    assert low < high


def test_refusals():
    for call, said in [
        (lambda: intervals.mean_interval([1.0, 2.0], seed=0, within=(0, 1)), r"the mean 1\.5 is outside of its range, 0 to 1"),
        (lambda: intervals.ratio_interval_of_sums([1, 2], [0, 0], seed=0), "whole must hold 2 numbers of 0 or more that are not all 0"),
        (lambda: intervals.ratio_interval_of_sums([1, 2], [1, 2, 3], seed=0), "whole must hold 2 numbers"),
        (lambda: intervals.mean_interval([1.0, math.nan], seed=0), "1 of 2 values in part are NaN|1 of 2 values in values are NaN"),
    ]:
        with pytest.raises(ValueError, match=said):
            call()
