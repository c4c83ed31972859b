"""Ratios and medians tested at every size of the drop, ratios of a part by their labels; against enumeration and seeded simulations."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from pytest_clip.metrics import _inverted, _labels, _pairs, paired
from pytest_clip.metrics.outcomes import Outcomes

quick = settings(derandomize=True, deadline=None, max_examples=25)


def ratios(rng, n, wrong_before, wrong_after):
    return [
        Outcomes("error_ratio", {"before": rng.random(n) >= before, "correct": rng.random(n) >= after})
        for before, after in zip(wrong_before, wrong_after, strict=True)
    ]


def medians(base, now, **how):
    return [Outcomes("median", {"rank": np.asarray(each)}, **how) for each in (base, now)]


def hypotheses(base, now, sign=1, resamples=400):
    pair = _pairs.Pair.of(base, now, sign)
    return _inverted.of(pair, np.random.default_rng(0), resamples), sign * (now.value - base.value)


@quick
@given(st.integers(0, 10_000), st.sampled_from(["error_ratio", "median"]), st.sampled_from([-1, 1]))
def test_what_is_tested_is_0_at_the_observed_drop_and_bounds_are_where_p_is_the_tail(seed, kind, sign):
    rng = np.random.default_rng(seed)
    base, now = ratios(rng, 60, (0.3, 0.4), (0.4, 0.5)) if kind == "error_ratio" else medians(*rng.exponential(size=(2, 60)))
    tested, observed = hypotheses(base, now, sign)
    assert tested.at(observed)[0] == pytest.approx(0, abs=1e-9 if kind == "error_ratio" else 1.0)
    lower, upper = tested.ends(observed, 20, 1.0)
    assert lower < observed < upper
    step = 1e-6 * (upper - lower)
    assert upper == max(upper, replace(tested, plain=None).ends(observed, 20, 1.0)[1])
    assert tested.chance(lower - step) <= 21 / 401 < tested.chance(lower + step) + 1 / 401


def test_only_ratios_of_unlike_bottoms_and_medians_are_tested_at_every_size():
    rng = np.random.default_rng(0)
    same = [Outcomes("mean", {"nll": rng.random(20)}) for _ in range(2)]
    assert hypotheses(*same)[0] is None
    before = rng.random(20) < 0.5
    alike = [Outcomes("error_ratio", {"before": before, "correct": rng.random(20) < 0.5}) for _ in range(2)]
    assert hypotheses(*alike)[0] is None


@pytest.mark.parametrize("clustered", [False, True])
def test_the_exchange_of_a_ratio_is_studentised_each_by_itself(clustered):
    """Against all 1,024 ways to exchange ten images (or scenes of two), each with a standard error of its own, unit by unit."""
    rng = np.random.default_rng(7)
    scenes = np.repeat(np.arange(10), 2) if clustered else np.arange(10)
    base, now = ratios(rng, len(scenes), (0.4, 0.4), (0.4, 0.9))
    base, now = (Outcomes("error_ratio", each.arrays, clusters=scenes if clustered else None) for each in (base, now))
    sums = [np.stack([np.bincount(scenes, 1.0 - each.arrays[name]) for name in ("correct", "before")], axis=1) for each in (base, now)]

    def t(one, two):
        (a, b), (c, d) = one.sum(axis=0), two.sum(axis=0)
        adds = two[:, 0] * b + c * one[:, 1] - one[:, 0] * d - a * two[:, 1]
        return (c * b - a * d) / math.sqrt(((adds - adds.mean()) ** 2).sum())

    ways = []
    for swap in itertools.product((False, True), repeat=10):
        turned = np.array(swap)[:, None]
        ways.append(t(np.where(turned, sums[1], sums[0]), np.where(turned, sums[0], sums[1])))
    ways, observed = np.array(ways), t(*sums)
    middle = float(np.mean(ways > observed + 1e-9) + np.mean(np.abs(ways - observed) < 1e-9) / 2)
    tested, _ = hypotheses(base, now)
    assert tested.exchange(np.random.default_rng(1), 20_000) == pytest.approx(middle, abs=0.012)


def alarms(pairs, resamples=200):
    return sum(
        now.value > base.value and paired.bootstrap(base, now, seed=seed, sign=1, resamples=resamples).lower > 0
        for seed, (base, now) in enumerate(pairs)
    )


def test_equal_error_ratios_of_50_images_are_found_different_about_as_often_as_they_may():
    """1,000 pairs of copies, 15 errors before and 19 after: 48 alarms. Compared with resampled ratios, 26."""
    rng = np.random.default_rng(3)

    def copy(easy):
        answers = [np.where(rng.random(50) < 0.5, rng.random(50), each) for each in easy]
        return Outcomes("error_ratio", {"before": answers[0] >= 0.3, "correct": answers[1] >= 0.38})

    def copies():
        easy = rng.random((2, 50))
        return [copy(easy) for _ in range(2)]

    assert 30 <= alarms(copies() for _ in range(1000)) <= 65


def test_equal_medians_of_50_images_are_found_different_about_as_often_as_they_may():
    """500 pairs, the second scattering twice as far: 33 alarms. When resampled medians themselves were compared, 15."""
    rng = np.random.default_rng(5)

    def pair():
        hard = rng.normal(size=50)
        return medians(np.exp(hard + 0.5 * rng.normal(size=50)), np.exp(2 * hard + rng.normal(size=50)))

    assert 20 <= alarms(pair() for _ in range(500)) <= 36


def test_ranks_that_all_tie_have_bounds_and_no_alarm():
    ones = np.ones(40, dtype=int)
    base, now = medians(ones, np.r_[ones[:-3], 2, 3, 9])
    got = paired.bootstrap(base, now, seed=0, sign=1)
    assert got.lower <= 0 < got.upper
    assert got.p > 0.05


def test_a_median_that_surely_rose_is_found_and_bounded():
    rng = np.random.default_rng(0)
    base = rng.integers(1, 40, size=300)
    got = paired.bootstrap(*medians(base, base + 5), seed=0, sign=1)
    assert 0 < got.lower <= 5 <= got.upper
    assert got.p < 1e-3


def parted(errors_in, errors_out, n=190):
    """Both models' errors inside and outside of the part; those of the second are other images than those of the first."""
    start, found = [0, 0], []
    for inside, outside in zip(errors_in, errors_out, strict=True):
        sides = []
        for side, count in enumerate((inside, outside)):
            right = np.ones(n)
            right[start[side] : start[side] + count] = 0
            start[side] += count
            sides.append(right)
        found.append(Outcomes("part_error_ratio", {"correct": sides[0]}, others={"correct": sides[1]}))
    return found


def test_few_errors_that_all_lie_in_the_part_are_no_proof_that_it_became_harder():
    """65 errors, 52 of them in the part, then nine, all there: one sample in ten of models that are equal. A bootstrap was sure."""
    base, now = parted((52, 9), (13, 0))
    got = paired.bootstrap(base, now, seed=0, sign=1)
    expected = hypergeom(74, 61, 9).pmf(9) / 2
    assert got.p == pytest.approx(expected, abs=0.02)
    assert got.lower == 0.0
    back = paired.bootstrap(now, base, seed=0, sign=1)
    assert back.upper >= 0 > back.lower
    many = paired.bootstrap(*parted((40, 80), (40, 5)), seed=0, sign=1)
    assert many.lower > 0
    assert many.p < 1e-5  # no fewer than the draws can tell


def test_labels_of_images_that_err_are_drawn_as_often_as_observed():
    """Middle p of Fisher's test where no image is answered wrongly by both models."""
    base, now = parted((12, 15), (14, 6))
    up, down = _labels.chances(_pairs.Pair.of(base, now, 1), np.random.default_rng(0), 50_000)
    law = hypergeom(47, 27, 21)
    assert up == pytest.approx(law.sf(15) + law.pmf(15) / 2, abs=0.006)
    assert down == pytest.approx(law.cdf(14) + law.pmf(15) / 2, abs=0.006)
    assert _labels.chances(_pairs.Pair.of(*medians([1, 2], [2, 3]), 1), np.random.default_rng(0), 10) is None


def test_images_of_one_scene_that_err_together_count_once():
    rng = np.random.default_rng(0)
    base, now = parted((20, 30), (20, 12), n=60)
    scenes = np.arange(60) // 10
    clustered = [replace(each, clusters=scenes, other_clusters=scenes) for each in (base, now)]
    alone, together = (_labels.chances(_pairs.Pair.of(*each, 1), rng, 5000) for each in ((base, now), clustered))
    assert alone[0] < 0.1 < together[0]
