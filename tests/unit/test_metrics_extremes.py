"""The worst of several groups: the definition written out, coverage where all are equal, and agreement with one group's own interval."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from pytest_clip.metrics import extremes, intervals
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.spread import deviation, spread


def apart(groups):
    """Units of groups that share no image."""
    starts = np.cumsum([0, *(len(each) for each in groups)])
    return [np.arange(a, b) for a, b in pairwise(starts)]


def test_one_group_has_its_own_interval():
    right = np.arange(200) % 10 > 1
    assert extremes.lowest_share([right], units=apart([right]), seed=0) == pytest.approx(intervals.wilson(160, 200), abs=0.01)
    after = right & (np.arange(200) % 4 > 0)
    got = extremes.largest_drop([right], [after], units=apart([right]), seed=0)
    assert got == pytest.approx(intervals.paired_difference(right, after), abs=0.01)


def test_a_group_far_below_decides_alone():
    rng = np.random.default_rng(0)
    groups = [rng.random(190) < p for p in [0.3, *[0.95] * 9]]
    got = extremes.lowest_share(groups, units=apart(groups), seed=0)
    assert got == pytest.approx(intervals.wilson(int(groups[0].sum()), 190), abs=0.01)


def test_the_lower_end_is_the_lowest_of_all_groups():
    small, large = np.array([1] * 20 + [0] * 2), np.array([1] * 900 + [0] * 100)
    low, high = extremes.lowest_share([small, large], units=apart([small, large]), seed=0)
    assert low == pytest.approx(intervals.wilson(20, 22)[0])  # fewer images, and a lower one is not excluded
    assert low < 0.9 < high < 0.93


def test_coverage_of_the_worst_of_ten_equal_groups():
    rng, hits, old, times = np.random.default_rng(2), 0, 0, 300
    for seed in range(times):
        groups = rng.random((10, 190)) < 0.9
        low, high = extremes.lowest_share(groups, units=apart(groups), seed=seed, resamples=300)
        hits += low <= 0.9 <= high
        low, high = intervals.wilson(int(groups.sum(axis=1).min()), 190)
        old += low <= 0.9 <= high
    assert hits / times >= 0.92
    assert old / times < 0.85  # the interval of the group that was chosen


def answers(rng, n, shift):
    return np.sqrt(0.9) * rng.normal(size=(n, 1)) + np.sqrt(0.1) * rng.normal(size=(n, len(shift))) < norm.ppf(0.9) + shift


@pytest.mark.parametrize("shift", [np.zeros(7), np.r_[-0.3, np.zeros(6)]])
def test_coverage_of_spreads_of_seven_templates(shift):
    truths, times = norm.cdf(norm.ppf(0.9) + shift), 150
    rng, hits, old = np.random.default_rng(3), np.zeros(3), np.zeros(2)
    for seed in range(times):
        right = answers(rng, 190, shift)
        values, noise = extremes.resampled_columns("mean", Outcomes("mean_std", {"correct": right}), seed=seed, resamples=300)
        found = (
            (extremes.share_spread(right, seed=seed, resamples=300), np.ptp(truths)),
            (extremes.deviation_interval(values, noise), truths.std()),
            (extremes.lowest_share(right.T, units=[np.arange(190)] * 7, seed=seed, resamples=300), truths.min()),
        )
        hits += [low <= truth + 1e-12 and truth - 1e-12 <= high for (low, high), truth in found]
        chosen = intervals.paired_difference(right[:, values.argmax()], right[:, values.argmin()])
        percentile = np.quantile((values + noise).std(axis=1), [0.025, 0.975])
        old += [low <= truth <= high for (low, high), truth in ((chosen, np.ptp(truths)), (percentile, truths.std()))]
    assert (hits / times >= [0.9, 0.87, 0.9]).all()  # nominal 0.95, 150 repeats
    if not shift.any():
        assert (old / times < 0.9).all()
        assert old[1] == 0  # a percentile interval of a deviation of nothing lies above 0


def test_spreads_of_nothing_reach_0_and_are_no_point():
    right = np.tile(np.arange(400) % 8 > 0, (5, 1)).T
    low, high = extremes.share_spread(right, seed=0)
    assert low == 0 < high < 0.02
    moved = right.copy()
    moved[:4, 1] = ~moved[:4, 1]
    moved[4:8, 2] = ~moved[4:8, 2]
    values, noise = extremes.resampled_columns("mean", Outcomes("mean_std", {"correct": moved}), seed=0)
    low, high = extremes.deviation_interval(values, noise)
    assert low == 0 < deviation(values) <= high
    same, noise = np.full(3, 0.5), np.random.default_rng(0).normal(0, 0.01, (500, 3))
    low, high = extremes.deviation_interval(same, noise)
    assert low == 0 < high == pytest.approx(np.quantile((noise - noise.mean(axis=0)).std(axis=1), 0.975))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(5, 60), st.floats(0.1, 1))
def test_every_interval_holds_its_number(seed, k, n, p):
    rng = np.random.default_rng(seed)
    right = rng.random((n, k)) < p
    values, noise = extremes.resampled_columns("mean", Outcomes("mean_std", {"correct": right}), seed=seed, resamples=50)
    assert values == pytest.approx(right.mean(axis=0))
    for (low, high), number in [
        (extremes.share_spread(right, seed=seed, resamples=50), spread(values)),
        (extremes.spread_interval(values, noise), spread(values)),
        (extremes.deviation_interval(values, noise), deviation(values)),
        (extremes.lowest_share(right.T, units=[np.arange(n)] * k, seed=seed, resamples=50), values.min()),
    ]:
        assert -1e-12 <= low <= number + 1e-12
        assert number - 1e-12 <= high


def test_groups_that_share_images_are_drawn_together():
    rng = np.random.default_rng(0)
    one = rng.random(300) < 0.8
    same = extremes.resampled_means([one, one], units=[np.arange(300)] * 2, seed=0, resamples=200)
    assert (same[:, 0] == same[:, 1]).all()
    different = extremes.resampled_means([one, one], units=[np.arange(300), np.arange(300, 600)], seed=0, resamples=200)
    assert abs(np.corrcoef(different.T)[0, 1]) < 0.3
    assert same.std(axis=0) == pytest.approx(math.sqrt(0.8 * 0.2 / 300), rel=0.15)


def test_columns_are_those_of_the_statistics():
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(1, 1, (50, 3)), rng.normal(0, 1, (40, 3))
    of = Outcomes("auroc_std", {"score": known}, others={"score": unknown})
    values, noise = extremes.resampled_columns("auroc", of, seed=0, resamples=100)
    assert deviation(values) == pytest.approx(of.value)
    assert noise.shape == (100, 3)
    assert noise.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.01)  # nothing pushes an AUROC


def test_refusals():
    with pytest.raises(ValueError, match="noise has 2 columns where 3 are needed, one per value"):
        extremes.largest([1.0, 2.0, 3.0], np.zeros((5, 2)), low=lambda z: [0], high=lambda z: [0])
    with pytest.raises(ValueError, match="groups and their units must be equally many, and at least one; got 2 and 1"):
        extremes.resampled_means([[1.0], [2.0]], units=[[0]], seed=0)
    assert all(math.isnan(end) for end in extremes.spread_interval([0.5], np.zeros((5, 1))))


def test_noise_that_pushes_small_calibration_errors_farther_than_large_ones_is_known():
    """Seven calibration errors, one 5 points higher: as observed their deviation is too small, and its interval missed 9 of 60."""
    rng, truths, held = np.random.default_rng(9), np.r_[0.1, np.full(6, 0.05)], 0
    for seed in range(60):
        sure = 0.5 + 0.5 * norm.cdf(np.sqrt(0.9) * rng.normal(size=(500, 1)) + np.sqrt(0.1) * rng.normal(size=(500, 7)))
        latent = np.sqrt(0.9) * rng.normal(size=(500, 1)) + np.sqrt(0.1) * rng.normal(size=(500, 7))
        of = Outcomes("ece_std", {"confidence": sure, "correct": norm.cdf(latent) < sure - truths}, params={"bins": 15})
        low, high = extremes.deviation_interval(*extremes.resampled_columns("ece", of, seed=seed, resamples=100))
        held += low <= truths.std() <= high
    assert held >= 56
