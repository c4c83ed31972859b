"""FPR95 by empirical likelihood and AUPR by a bootstrap: definitions written out, coverage at small n, edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from pytest_clip.metrics import intervals, ood
from pytest_clip.metrics._scores import score_interval
from pytest_clip.metrics.ood_intervals import aupr_interval, fpr95_interval

SCORES = st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=60)


def by_hand(kept, passing, z=1.959963984540054):
    """The union of Wilson's intervals over every threshold that may keep 95 %."""
    ends = []
    for t in [*sorted(set(kept) | set(passing)), math.inf]:
        most, least = np.mean([k >= t for k in kept]), np.mean([k > t for k in kept])
        p = min(max(0.95, least), most)
        spent = sum(share * math.log(share / at) for share, at in ((p, 0.95), (1 - p, 0.05)) if share > 0)
        left = z * z - 2 * len(kept) * spent
        if left > 0:
            ends.append(score_interval(float(np.mean([s >= t for s in passing])), len(passing), math.sqrt(left)))
    return min(low for low, _ in ends), max(high for _, high in ends)


@given(SCORES, SCORES)
def test_fpr95_interval_is_the_union_over_thresholds(kept, passing):
    low, high = fpr95_interval(kept, passing)
    assert (low, high) == pytest.approx(by_hand(kept, passing), abs=1e-9)
    assert low <= ood.fpr95_id_positive(kept, passing) <= high
    assert low < high


def test_the_other_orientation_by_turning_the_scores():
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(2, 1, 300), rng.normal(0, 1, 80)
    low, high = fpr95_interval(-unknown, -known)
    assert low < ood.fpr95_ood_positive(known, unknown) < high


def test_of_few_kept_samples_the_upper_end_is_open():
    rng = np.random.default_rng(0)
    assert fpr95_interval(rng.normal(9, 1, 37), rng.normal(0, 1, 500))[1] == 1.0
    assert fpr95_interval(rng.normal(9, 1, 38), rng.normal(0, 1, 500))[1] < 0.1


def test_of_a_known_threshold_it_is_wilsons():
    # a million kept samples know the threshold
    kept, passing = np.arange(1_000_000.0), np.r_[np.zeros(30), np.full(70, 1e6)]
    assert fpr95_interval(kept, passing) == pytest.approx(intervals.wilson(70, 100), abs=1e-9)


@pytest.mark.parametrize(("n", "apart"), [(20, 1.0), (20, 3.0), (50, 2.0)])
def test_coverage_of_fpr95_where_percentiles_fail(n, apart):
    truth, rng, hits, old, times = norm.sf(norm.ppf(0.05) + apart), np.random.default_rng(n), 0, 0, 300
    for seed in range(times):
        known, unknown = rng.normal(apart, 1, n), rng.normal(0, 1, n)
        low, high = fpr95_interval(known, unknown)
        hits += low <= truth <= high
        if seed < 150 and n == 20:
            values = [ood.fpr95_id_positive(*(x[rng.integers(n, size=n)] for x in (known, unknown))) for _ in range(150)]
            low, high = np.quantile(values, [0.025, 0.975])
            old += low <= truth <= high
    assert hits / times >= 0.93
    if n == 20:
        assert old / 150 < 0.93


@pytest.mark.parametrize(("n", "apart", "truth"), [(20, 1.5, 0.8541), (20, 3.0, 0.9815), (50, 1.5, 0.8541)])
def test_coverage_of_aupr(n, apart, truth):
    rng, hits, times = np.random.default_rng(n), 0, 300
    for seed in range(times):
        low, high = aupr_interval(rng.normal(apart, 1, n), rng.normal(0, 1, n), seed=seed, resamples=200)
        hits += low <= truth <= high
    assert hits / times >= (0.93 if n == 50 else 0.89)


@given(SCORES, SCORES, st.integers(0, 3))
def test_aupr_interval_holds_the_number(positive, negative, seed):
    if min(len(positive), len(negative)) < 2:
        with pytest.raises(ValueError, match="an AUPR interval needs at least 2 samples of each kind"):
            aupr_interval(positive, negative, seed=seed)
        return
    low, high = aupr_interval(positive, negative, seed=seed, resamples=50)
    assert 0 <= low <= ood.aupr_in(positive, negative) <= high <= 1
    assert low < high


def test_perfectly_apart_is_no_point():
    assert aupr_interval(np.arange(10.0, 30), np.arange(5.0), seed=0) == pytest.approx(intervals.wilson(5, 5))
