"""Gaps and worst calibration errors of groups against a few lines of numpy, and intervals that know what was chosen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from pytest_clip.metrics import calibration, groups
from pytest_clip.metrics.extremes import lowest_share
from pytest_clip.metrics.intervals import ece_interval, unpaired_difference

quick = settings(derandomize=True, deadline=None, max_examples=25)


def drawn(seed, sizes, chances):
    rng = np.random.default_rng(seed)
    return [rng.random(n) < p for n, p in zip(sizes, chances, strict=True)]


@quick
@given(st.integers(0, 999), st.integers(2, 6))
def test_numbers_equal_those_of_a_loop(seed, many):
    rng = np.random.default_rng(seed)
    right = [rng.random(rng.integers(1, 60)) < rng.random() for _ in range(many)]
    sure = [rng.integers(0, 9, each.size) / 8 for each in right]
    shares = [np.mean(each) for each in right]
    assert groups.gap(right) == pytest.approx(max(shares) - min(shares))
    worst = 0.0
    for held, hits in zip(sure, right, strict=True):
        bins = np.ceil(held * 15 - 1e-9).astype(int).clip(1, 15)
        worst = max(worst, sum(abs((held[bins == b] - hits[bins == b]).sum()) for b in range(1, 16)) / hits.size)
    assert groups.worst_ece(sure, right) == pytest.approx(worst)


@quick
@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 30), st.integers(1, 30))
def test_difference_of_two_samples_is_newcombes(k, n, j, m):
    k, j = min(k, n), min(j, m)
    one, two = np.arange(n) < k, np.arange(m) < j
    expected = confint_proportions_2indep(k, n, j, m, method="newcomb", compare="diff")
    assert unpaired_difference(one, two) == pytest.approx(expected, abs=1e-9)


def test_intervals_hold_their_number_and_are_no_points():
    for chances in ([1.0] * 3, [0.0] * 3, [1.0, 0.0, 0.5]):
        right = drawn(3, [100, 150, 200], chances)
        low, high = groups.gap_interval(right, seed=1)
        assert 0 <= low <= groups.gap(right) <= high <= 1
        assert high > low
        sure = [np.full(each.size, 0.7) for each in right]
        low, high = groups.worst_ece_interval(sure, right, seed=1)
        assert 0 <= low <= groups.worst_ece(sure, right) <= high <= 1


def test_an_interval_that_was_chosen_is_wider_and_reaches_what_is_equal():
    right = drawn(6, [120] * 24, [0.8] * 24)
    low, _ = groups.gap_interval(right, seed=2)
    order = sorted(right, key=np.mean)
    assert low == 0.0, "equal groups"
    assert unpaired_difference(order[-1], order[0])[0] > 0.0, "the two that were chosen by looking say that they differ"
    assert lowest_share(right, units=groups.apart(right), seed=2)[1] > 0.8
    sure = [np.full(each.size, 0.8) for each in right]
    worst = max(range(24), key=lambda g: calibration.ece(sure[g], right[g]))
    assert groups.worst_ece_interval(sure, right, seed=2)[0] <= ece_interval(sure[worst], right[worst], seed=2 + worst)[0]


def test_the_seed_is_all_chance_there_is():
    right = drawn(7, [100, 130], [0.7, 0.9])
    assert groups.gap_interval(right, seed=4) == groups.gap_interval(right, seed=4)


def test_one_group_has_no_gap():
    assert np.isnan(groups.gap([np.ones(3)]))
    with pytest.raises(ValueError, match=r"right\[1\]"):
        groups.gap([np.ones(3), np.array([])])
