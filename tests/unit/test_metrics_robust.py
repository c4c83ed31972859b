"""Robust regression against statsmodels' RLM, on rows that count several times, and what rows can tell at all."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics.robust import estimable, huber


def sample(seed: int, n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    y = design @ rng.normal(size=p) + rng.standard_t(2, size=n)
    return design, y


@given(seed=st.integers(0, 10_000), n=st.integers(12, 60), p=st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_huber_is_statsmodels_rlm(seed, n, p):
    design, y = sample(seed, n, p)
    oracle = sm.RLM(y, design, M=sm.robust.norms.HuberT()).fit(maxiter=2000, tol=1e-12).params
    np.testing.assert_allclose(huber(design, y), oracle, atol=1e-6)


def test_a_row_that_counts_twice_is_a_row_that_stands_twice():
    design, y = sample(1, 20, 3)
    times = np.random.default_rng(2).integers(0, 3, size=(5, 20)).astype(float)
    together = huber(design, y, weights=times)
    for row, found in zip(times, together, strict=True):
        again = np.repeat(np.arange(20), row.astype(int))
        np.testing.assert_allclose(found, huber(design[again], y[again]), atol=1e-5)  # resamples settle to 1e-6


def test_an_outlier_moves_least_squares_and_not_the_robust_fit():
    x = np.linspace(0, 1, 30)
    y = 2 * x + 0.01 * np.sin(40 * x)
    y[29] += 50
    design = np.column_stack([np.ones(30), x])
    assert huber(design, y)[1] == pytest.approx(2, abs=0.1)
    assert np.linalg.lstsq(design, y, rcond=None)[0][1] > 5


def test_values_on_a_plane_give_the_plane():
    design, _ = sample(3, 10, 3)
    np.testing.assert_allclose(huber(design, design @ [1.0, -2.0, 3.0]), [1, -2, 3], atol=1e-9)


def test_what_two_equal_columns_share_is_not_estimable_and_their_sum_is():
    one = np.array([1.0, 1, 0, 0, 0])
    design = np.column_stack([np.ones(5), one, one])
    assert not estimable(design, [0.0, 1, 0])
    assert estimable(design, [0.0, 1, 1])
    assert estimable(design, [1.0, 0, 0])
    assert not estimable(np.column_stack([np.ones(5), one, 1 - one]), [0.0, 1, 0])


@pytest.mark.parametrize(
    ("design", "y", "weights", "says"),
    [
        ([[1.0, np.nan], [1, 2], [1, 3]], [1.0, 2, 3], None, "design"),
        ([[1.0, 2], [1, 3]], [1.0], None, "a row for each"),
        ([[1.0, 2]], [1.0], None, "as many rows as columns"),
        ([[1.0], [1], [1]], [1.0, 2, 3], [1.0, -1, 1], "0 or more"),
        ([[1.0], [1], [1]], [1.0, 2, 3], [1.0, 1], "one for each of 3"),
    ],
)
def test_bad_input_is_one_sentence(design, y, weights, says):
    with pytest.raises(ValueError, match=says):
        huber(design, y, weights=weights)
