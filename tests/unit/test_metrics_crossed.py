"""Two-way clustering against statsmodels, and its coverage of a crossed design."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from pytest_clip.metrics import intervals
from pytest_clip.metrics._scores import score_interval
from pytest_clip.metrics.crossed import crossed_interval


def crossed(rng, *, shapes=40, textures=12, n=250, of_shape=1.0, of_texture=0.7, repeats=1):
    shape, texture = np.divmod(np.repeat(rng.choice(shapes * textures, n, replace=False), repeats), textures)
    leaning = of_shape * rng.normal(size=shapes)[shape] + of_texture * rng.normal(size=textures)[texture] - 0.5
    whole = rng.random(len(shape)) < 0.8
    return whole & (leaning + rng.normal(size=len(shape)) > 0), whole, shape, texture


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_variance_is_that_of_statsmodels(repeats):
    for seed in range(20):
        part, whole, shape, texture = crossed(np.random.default_rng(seed), repeats=repeats)
        fit = sm.OLS(part[whole].astype(float), np.ones(whole.sum())).fit()
        both, *one_way = (float(each[0, 0]) for each in cov_cluster_2groups(fit, shape[whole], texture[whole]))
        n, share = whole.sum(), part.sum() / whole.sum()
        pairs = np.unique(shape[whole] * 12 + texture[whole]).size
        # statsmodels has (n - 1) / (n - 1) = 1 for one parameter; its third is that of pairs
        variance = max(both, *one_way, one_way[0] + one_way[1] - both)
        assert pairs <= n
        reach = student.ppf(0.975, np.unique(texture[whole]).size - 1)
        expected = score_interval(share, share * (1 - share) / variance, reach)
        assert crossed_interval(part, whole, first=shape, second=texture) == pytest.approx(expected, rel=1e-9)
        assert crossed_interval(part, whole, first=texture, second=shape) == pytest.approx(expected, rel=1e-9)


def test_images_of_their_own_are_wilsons_but_for_students_t():
    part = np.random.default_rng(0).random(500) < 0.3
    rows = np.arange(500)
    low, high = crossed_interval(part, np.ones(500), first=rows, second=rows)
    assert (low, high) == pytest.approx(intervals.wilson(int(part.sum()), 500), abs=0.001)


def test_coverage_where_wilson_fails():
    rng, hits, old, times = np.random.default_rng(1), 0, 0, 400
    truth = norm.cdf(-0.5 / np.sqrt(1 + 1 + 0.49))
    for _ in range(times):
        part, whole, shape, texture = crossed(rng, shapes=80, textures=30, n=900)
        low, high = crossed_interval(part, whole, first=shape, second=texture)
        hits += low <= truth <= high
        low, high = intervals.wilson(int(part.sum()), int(whole.sum()))
        old += low <= truth <= high
    assert hits / times > 0.91
    assert old / times < 0.75


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_never_a_point_and_inside_0_1(rows):
    part, whole, shape, texture = (np.array(each) for each in zip(*rows, strict=True))
    whole[0] = True
    part &= whole
    low, high = crossed_interval(part, whole, first=shape, second=texture)
    assert 0 <= low <= part.sum() / whole.sum() <= high <= 1
    assert low < high


def test_all_for_the_shape_counts_as_many_images_as_textures():
    shape, texture = np.divmod(np.arange(60), 6)
    assert crossed_interval(np.ones(60), np.ones(60), first=shape, second=texture)[0] == pytest.approx(
        score_interval(1, 6, student.ppf(0.975, 5))[0]
    )


def test_refusals():
    one = [0, 1]
    with pytest.raises(ValueError, match="part must be part of whole, and whole must not be empty"):
        crossed_interval([1, 0], [0, 1], first=one, second=one)
    with pytest.raises(ValueError, match="part must be part of whole"):
        crossed_interval([0, 0], [0, 0], first=one, second=one)
    with pytest.raises(ValueError, match="second has 3 values where 2 are needed"):
        crossed_interval([0, 0], [1, 1], first=one, second=[0, 1, 2])
