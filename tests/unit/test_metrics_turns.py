"""Drops of resamples and exchanges: extremes of groups, ratios of few errors, ties; against enumeration and seeded simulations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics import _pairs, _turns, paired
from pytest_clip.metrics.outcomes import Outcomes

quick = settings(derandomize=True, deadline=None, max_examples=40)


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
            off, _ = paired._off(_pairs.Pair.of(base, now, -1), np.random.default_rng(seed), 300)
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


@quick
@given(st.integers(0, 10_000), st.sampled_from([-1, 1]))
def test_crosswise_the_drop_is_the_drop_and_turns_when_all_are_exchanged(seed, sign):
    base, now = ratios(np.random.default_rng(seed), 60, (0.2, 0.4), (0.3, 0.5))
    pair = _pairs.Pair.of(base, now, sign)
    found = _turns.crossed(pair)
    assert found is not None
    drawn, exchanged = found
    none, every, nobody = np.zeros((1, 60)), np.ones((1, 60)), np.zeros((1, 0))
    drop = sign * (now.value - base.value)
    assert drawn(every, nobody)[0] == pytest.approx(drop)
    assert exchanged(none, nobody)[0] == pytest.approx(drop)
    assert exchanged(every, nobody)[0] == pytest.approx(-drop)


def test_only_ratios_of_unlike_bottoms_are_taken_crosswise():
    rng = np.random.default_rng(0)
    same = Outcomes("mean", {"nll": rng.random(20)}), Outcomes("mean", {"nll": rng.random(20)})
    assert _turns.crossed(_pairs.Pair.of(*same, 1)) is None
    assert _turns.crossed(_pairs.Pair.of(*grouped(rng, 20, [0.5]), -1)) is None


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
    p = paired._by_exchange(pair, rng, lost.mean(), paired._off(pair, rng, 20_000)[1], 20_000, 10)
    assert middle + 0.03 < np.mean(ways >= lost.sum())
    assert p == pytest.approx(middle, abs=0.01)


def test_one_image_that_differs_is_even_odds():
    """Of a statistic with no exact test: exchanged or not, so p is at least 1/2."""
    nll = np.linspace(0.1, 3.0, 200)
    base, now = (Outcomes("mean", {"nll": each}) for each in (nll, np.r_[nll[:-1], 9.0]))
    assert paired.bootstrap(base, now, seed=0, sign=1).p >= 0.5


def test_bounds_of_a_ratio_of_few_errors_hold():
    """200 pairs of equal error ratios, each bound nominally 95 %. Of the bootstrap-t the upper one held in 177 of them."""
    rng = np.random.default_rng(2)
    found = [paired.bootstrap(*ratios(rng, 190, (0.08, 0.08), (0.2, 0.2)), seed=seed, sign=1, resamples=300) for seed in range(200)]
    assert sum(each.lower <= 0 for each in found) >= 185
    assert sum(each.upper >= 0 for each in found) >= 185
