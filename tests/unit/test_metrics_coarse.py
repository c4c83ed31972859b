"""Resamples of many scores, drawn by cells of neighbours, against those drawn one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from sklearn.metrics import average_precision_score

from pytest_clip.metrics import _coarse, _weighted, ood_intervals
from pytest_clip.metrics.ood import aupr_in
from pytest_clip.metrics.resampling import weights_of


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_cells_of_equal_scores_lose_nothing(own, theirs):
    own, theirs = np.array(own, float), np.array(theirs, float)
    counts = _coarse._cells(own, theirs)
    labels = np.r_[np.ones(own.size), np.zeros(theirs.size)]
    assert _coarse._precision(counts[0][None], counts[1][None], counts[2])[0] == pytest.approx(
        average_precision_score(labels, np.r_[own, theirs])
    )
    assert (counts[0].sum(), counts[1].sum()) == (own.size, theirs.size)


@pytest.mark.parametrize(
    ("n", "m", "apart", "step"), [(4000, 3000, 1.0, None), (9000, 300, 0.5, None), (300, 9000, 2.0, None), (5000, 5000, 1.0, 0.5)]
)
def test_they_spread_as_those_drawn_one_by_one(n, m, apart, step):
    rng = np.random.default_rng(n)
    own, theirs = rng.normal(apart, 1, n), rng.normal(0, 1, m)
    if step:
        own, theirs = np.round(own / step), np.round(theirs / step)
    about, drawn = _coarse.average_precisions(own, theirs, seed=1, resamples=1000)
    weighing = _weighted.average_precision(own, theirs)
    exact = logit(np.concatenate([weighing(w, v) for w, v in weights_of(n, m, seed=2, resamples=1000)]))
    found, scaled = aupr_in(own, theirs), logit(drawn)
    assert about == pytest.approx(found, abs=0.02 * exact.std())
    assert scaled.std() == pytest.approx(exact.std(), rel=0.1)
    assert scaled.mean() - logit(about) == pytest.approx(exact.mean() - logit(found), abs=0.15 * exact.std())


def test_the_interval_is_the_same_within_chance_whichever_draws(monkeypatch):
    rng = np.random.default_rng(0)
    own, theirs = rng.normal(1, 1, 3000), rng.normal(0, 1, 3000)
    one_by_one = np.array(ood_intervals.aupr_interval(own, theirs, seed=1))
    monkeypatch.setattr(ood_intervals, "FINE", 5000)
    together = np.array(ood_intervals.aupr_interval(own, theirs, seed=1))
    assert not np.array_equal(one_by_one, together)
    assert np.ptp(together) == pytest.approx(np.ptp(one_by_one), rel=0.1)
    assert together.mean() == pytest.approx(one_by_one.mean(), abs=0.1 * np.ptp(one_by_one))


def test_sets_that_are_apart_and_scores_that_are_one_have_the_interval_of_a_share(monkeypatch):
    monkeypatch.setattr(ood_intervals, "FINE", 0)
    rng = np.random.default_rng(0)
    low, high = ood_intervals.aupr_interval(rng.uniform(2, 3, 50), rng.uniform(0, 1, 80), seed=1)
    assert 0.9 < low < high == 1.0
    low, high = ood_intervals.aupr_interval(np.ones(50), np.ones(50), seed=1)
    assert low < 0.5 < high
