"""Drops of resamples and exchanges: extremes, ratios of few errors, ties; against enumeration and seeded simulations."""

import itertools

import numpy as np
import pytest
from scipy.stats import foldnorm

from pytest_clip.metrics import _exchange, _pairs, _turns, paired
from pytest_clip.metrics.outcomes import Outcomes


def grouped(rng, n, chances, copies=2):
    """Copies that are equally good in each of as many groups as there are chances, and disagree on one image in six."""
    group = np.arange(n) % len(chances)
    easy = rng.random(n)
    right = [np.where(rng.random(n) < 0.2, rng.random(n), easy) < np.asarray(chances)[group] for _ in range(copies)]
    return [Outcomes("lowest_group", {"correct": each, "group": group}) for each in right]


def test_which_group_is_the_lowest_is_no_noise_of_the_drop():
    """Five equal groups: resampled drops scatter as drops do, 1.06 times as far; plain ones 1.23 times."""
    rng = np.random.default_rng(3)
    drops, widths = [], []
    for seed in range(3000):
        base, now = grouped(rng, 1000, [0.7] * 5)
        drops.append(base.value - now.value)
        if seed < 60:
            off, _, _ = paired._off(_pairs.Pair.of(base, now, -1), np.random.default_rng(seed), 300, 0.0)
            widths.append(off.std())
    assert np.mean(widths) == pytest.approx(np.std(drops), rel=0.12)


def test_of_a_group_that_is_surely_the_lowest_resamples_are_the_plain_ones():
    base, now = grouped(np.random.default_rng(0), 1000, [0.3, 0.9, 0.95, 0.9])
    pair = _pairs.Pair.of(base, now, -1)
    for _, _, w, v in pair.draws(np.random.default_rng(1), 200, _pairs.with_replacement):
        np.testing.assert_allclose(_turns.resampled(pair)(w, v), pair.drops()(w, v), atol=1e-12)


def ratios(rng, n, wrong_before, wrong_after):
    base, now = (
        Outcomes("error_ratio", {"before": rng.random(n) >= before, "correct": rng.random(n) >= after})
        for before, after in zip(wrong_before, wrong_after, strict=True)
    )
    return base, now


def test_a_ratio_of_few_errors_that_rose_is_found():
    """190 images, 15 errors before, 23 after and 38 now: found in 40 of 150. Compared with resampled ratios, the exchange found 23."""
    rng = np.random.default_rng(1)
    found = 0
    for seed in range(150):
        base, now = ratios(rng, 190, (0.08, 0.08), (0.12, 0.2))
        found += now.value > base.value and paired.bootstrap(base, now, seed=seed, sign=1, resamples=300).lower > 0
    assert found >= 32


def test_half_of_the_ties_of_an_exchange_count():
    """Ten images whose drops of accuracy differ by whole numbers: p is the mid-p of all 1,024 ways, not the whole one."""
    lost = np.array([1, 1, 1, -1, 1, 0, 1, 0, 1, -1])
    base = Outcomes("drop", {"before": np.ones(10), "correct": np.ones(10)})
    now = Outcomes("drop", {"before": np.where(lost < 0, 0, 1), "correct": np.where(lost > 0, 0, 1)})
    ways = np.array([np.dot(lost, signs) for signs in itertools.product((1, -1), repeat=10)])
    middle = float(np.mean(ways > lost.sum()) + np.mean(ways == lost.sum()) / 2)
    pair = _pairs.Pair.of(base, now, 1)
    rng = np.random.default_rng(0)
    p = _exchange.by_exchange(pair, rng, lost.mean(), paired._off(pair, rng, 20_000, 0.0)[0], 20_000)
    assert middle + 0.03 < np.mean(ways >= lost.sum())
    assert p == pytest.approx(middle, abs=0.01)


def test_one_image_that_differs_is_even_odds():
    """Of a statistic with no exact test: exchanged or not, so p is at least 1/2."""
    nll = np.linspace(0.1, 3.0, 200)
    base, now = (Outcomes("mean", {"nll": each}) for each in (nll, np.r_[nll[:-1], 9.0]))
    assert paired.bootstrap(base, now, seed=0, sign=1).p >= 0.5


def test_bounds_of_a_ratio_of_few_errors_hold():
    """400 pairs of equal error ratios, each bound nominally 95 %. Of the bootstrap-t of the ratio the upper one held in 88 %."""
    rng = np.random.default_rng(2)
    found = [paired.bootstrap(*ratios(rng, 190, (0.08, 0.08), (0.2, 0.2)), seed=seed, sign=1, resamples=300) for seed in range(400)]
    assert sum(each.lower <= 0 for each in found) >= 370
    assert sum(each.upper >= 0 for each in found) >= 370


def test_how_far_noise_pushes_two_values_apart():
    """The distance of two values d apart under normal noise is |d + noise|: a folded normal. The two models have noise 1 and 2.4 times."""
    rng, distance = np.random.default_rng(0), 1.3
    widths = (0.7, 0.7 * 2.4)
    means = [foldnorm.mean(distance / each, scale=each) for each in widths]
    values = [np.array([0.0, -mean]) for mean in means]  # what is observed on the average
    drawn = [np.stack([np.zeros(40_000), rng.normal(0, each, 40_000)], axis=1) for each in widths]
    reach = lambda each: np.ptp(each, axis=1)  # noqa: E731
    assert _turns.pushed_apart(values, drawn, reach) == pytest.approx(means[1] - means[0], abs=0.03)
    assert _turns.pushed_apart(values[::-1], drawn[::-1], reach) == pytest.approx(means[0] - means[1], abs=0.03)
    first, second = (np.abs(each).mean() * 2 for each in drawn)
    assert _turns.pushed_apart([np.zeros(2)] * 2, drawn, reach) == pytest.approx(second - first, rel=0.03)


def test_noise_pushes_the_noisier_of_two_equal_spreads_farther():
    """Accuracies of three wordings as far apart for both models, whose answers to the second scatter: alarms in 14 of 150 before."""
    rng, alarms = np.random.default_rng(4), 0
    for seed in range(150):
        latent = rng.normal(size=(100, 1))
        base = latent + 0.3 * rng.normal(size=(100, 3)) < np.array([0.6, 0.7, 0.8])
        now = rng.normal(size=(100, 3)) < np.array([0.6, 0.7, 0.8]) / np.sqrt(1.09)
        one, two = (Outcomes("mean_std", {"correct": each}) for each in (base, now))
        alarms += two.value > one.value and paired.bootstrap(one, two, seed=seed, sign=1, resamples=200).lower > 0
    assert alarms <= 9


def test_noise_pushes_the_largest_of_several_drops_out():
    """Groups as far apart as noise makes them: of five normal values the largest is 1.163 of their deviation too large."""
    rng = np.random.default_rng(0)
    widths = (0.05, 0.12)
    values = [np.zeros(5)] * 2
    drawn = [rng.normal(0, each, size=(40_000, 5)) for each in widths]
    largest = lambda each: each.max(axis=1)  # noqa: E731
    assert _turns.pushed_out(values, drawn, largest) == pytest.approx(1.163 * (0.12 - 0.05), abs=0.002)
    scattered = [values[0], np.array([0.0, 0.9, 0.0, 0.0, 0.0])]
    drawn[1] = drawn[1] + scattered[1]
    assert _turns.pushed_out(scattered, drawn, largest) == pytest.approx(1.163 * (0.12 - 0.05), abs=0.002)  # as if all were equal


def test_the_noisier_of_two_equal_largest_drops_is_no_alarm():
    """Three groups of 20 images, drops alike in all and both models; the second answers at random more often. 33 of 300 before."""
    rng, alarms = np.random.default_rng(1), 0
    group = np.arange(60) % 3
    for seed in range(300):
        models = []
        for scatter in (0.1, 0.9):
            before = rng.random(60) < 0.6
            models.append((before, np.where(rng.random(60) < scatter, rng.random(60) < 0.6, before)))
        one, two = (Outcomes("largest_group_drop", {"before": b, "correct": c, "group": group}) for b, c in models)
        alarms += two.value > one.value and paired.bootstrap(one, two, seed=seed, sign=1, resamples=200).lower > 0
    assert alarms <= 20
