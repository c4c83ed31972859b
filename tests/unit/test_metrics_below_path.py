"""The gap to the best of a path: the definition written out, worked cases, and the coverage of an interval that knows of the choice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics.below_path import MARGIN, gap, interval
from pytest_clip.metrics.few import TooFewError

quick = settings(derandomize=True, deadline=None, max_examples=40)


def rights(*shares, n=100):
    """Right answers of models, each to its first images: of two models the better one is right wherever the other is."""
    return np.arange(n)[:, None] < np.round(np.array(shares) * n)[None, :]


def written_out(clean, shifted, margin):
    """Every model in turn."""
    best = 0.0
    for k in range(clean.shape[1]):
        if sum(clean[:, k]) / len(clean) >= sum(clean[:, -1]) / len(clean) - margin - 1e-9:
            best = max(best, sum(shifted[:, k]) / len(shifted) - sum(shifted[:, -1]) / len(shifted))
    return best


@quick
@given(st.integers(0, 2**32 - 1), st.integers(5, 60), st.integers(5, 60), st.integers(2, 6), st.sampled_from([0.0, MARGIN, 0.1]))
def test_the_gap_is_that_of_the_definition(seed, n, m, k, margin):
    rng = np.random.default_rng(seed)
    clean, shifted = rng.random((n, k)) < rng.random(k), rng.random((m, k)) < rng.random(k)
    found = gap(clean, shifted, margin=margin)
    low, high = interval(clean, shifted, margin=margin, seed=seed, resamples=50)
    assert found.value == pytest.approx(written_out(clean, shifted, margin), abs=1e-12)
    assert 0 <= low <= found.value <= high
    assert low < high
    assert found.best in found.as_good
    assert found.as_good[-1] == k - 1


def test_a_model_below_its_path():
    """Half way the clean accuracy is the same and 20 points more are right under the shift."""
    arrays = rights(0.7, 0.9, 0.9, n=2000), rights(0.9, 0.6, 0.4, n=2000)
    found, ends = gap(*arrays), interval(*arrays, seed=0)
    assert (found.value, found.best, found.as_good) == (pytest.approx(0.2), 1, (1, 2))  # BASE has more, but not on clean images
    assert 0.15 < ends[0] < 0.2 < ends[1] < 0.25


def test_a_model_that_is_not_below_its_path():
    arrays = rights(0.7, 0.85, 0.9, n=2000), rights(0.9, 0.6, 0.4, n=2000)
    found, ends = gap(*arrays), interval(*arrays, seed=0)
    assert (found.value, found.best, found.as_good) == (0.0, 2, (2,))
    assert ends[0] == 0.0
    assert 0 < ends[1] < 0.01
    assert gap(rights(0.7, 0.9, 0.9), rights(0.3, 0.35, 0.4)).value == 0.0


def test_clean_accuracy_may_be_less_by_the_margin():
    clean, shifted = rights(0.895, 0.9, n=1000), rights(0.6, 0.4, n=1000)
    assert gap(clean, shifted).value == pytest.approx(0.2)
    assert gap(clean, shifted, margin=0.004).value == 0.0
    assert interval(clean, shifted, margin=0.004, seed=0)[1] > 0.2  # it may be as good all the same
    assert interval(clean, shifted, seed=0)[0] == 0.0  # and may be not


def latent(rng, n, shares, together):
    """Answers with true shares, to images that are hard for all models alike (`together`) or for each by itself."""
    from scipy.stats import norm

    hard = np.sqrt(together) * rng.normal(size=(n, 1)) + np.sqrt(1 - together) * rng.normal(size=(n, len(shares)))
    return hard < norm.ppf(np.array(shares))


@pytest.mark.parametrize(
    ("clean", "shift", "true"),
    [
        ([0.9, 0.9, 0.9, 0.9, 0.9], [0.5, 0.5, 0.5, 0.5, 0.5], 0.0),  # the best is chosen among equals
        ([0.9, 0.9, 0.9, 0.9, 0.9], [0.56, 0.56, 0.55, 0.53, 0.5], 0.06),
        ([0.88, 0.894, 0.896, 0.9, 0.9], [0.6, 0.6, 0.58, 0.53, 0.5], 0.08),  # who is as good is hardly known
        ([0.8, 0.85, 0.87, 0.88, 0.9], [0.6, 0.6, 0.6, 0.6, 0.5], 0.0),
    ],
)
def test_the_interval_covers_the_true_gap(clean, shift, true):
    rng, hits, naive, times = np.random.default_rng(5), 0, 0, 80
    for seed in range(times):
        known, moved = latent(rng, 600, clean, 0.9), latent(rng, 400, shift, 0.9)
        low, high = interval(known, moved, seed=seed, resamples=200)
        hits += low <= true <= high
        naive += gap(known, moved).value <= 1e-9
    assert hits / times >= 0.95
    if len({*clean}) == len({*shift}) == 1:
        assert naive / times < 0.5  # of equals the best is seldom the last: the value alone would blame most of them


@pytest.mark.parametrize(
    ("clean", "shifted", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 3)), "the same models, two or more; got 2 and 3"),
        (np.ones((3, 1)), np.ones((3, 1)), "two or more; got 1 and 1"),
        (np.ones(3), np.ones((3, 2)), "clean"),
        (np.full((3, 2), 0.5), np.ones((3, 2)), "clean"),
    ],
)
def test_other_shapes_and_values_are_refused(clean, shifted, message):
    with pytest.raises(ValueError, match=message):
        gap(clean, shifted)


def test_one_shifted_image_has_no_interval():
    assert gap(np.ones((9, 2)), np.ones((1, 2))).value == 0.0
    with pytest.raises(TooFewError):
        interval(np.ones((9, 2)), np.ones((1, 2)), seed=0)


def test_the_same_seed_gives_the_same_interval():
    clean, shifted = rights(0.9, 0.9), rights(0.6, 0.4)
    assert interval(clean, shifted, seed=3) == interval(clean, shifted, seed=3)
