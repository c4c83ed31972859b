"""Quantiles with values that are only known to be large: against numpy, scipy and the coverage that they promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from pytest_clip.metrics.quantiles import quantile, quantile_interval

VALUES = st.lists(st.one_of(st.floats(0, 10), st.just(math.inf)), min_size=1, max_size=60)


@settings(deadline=None)
@given(VALUES, st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]))
def test_the_quantile_is_numpys_inverted_cdf(values, share):
    finite = np.where(np.isinf(values), 1e300, values)  # numpy interpolates nothing here, but makes NaN of inf
    expected = float(np.quantile(finite, share, method="inverted_cdf"))
    assert quantile(values, share) == (math.inf if expected == 1e300 else expected)


@settings(deadline=None)
@given(st.integers(1, 300), st.sampled_from([0.1, 0.5, 0.9]))
def test_the_interval_covers_by_the_binomial_distribution(n, share):
    """P(the quantile lies between the ordered values L and U) = P(L <= Bin(n, share) < U), at least 0.95; one rank less is not enough."""
    low, high = quantile_interval(np.arange(1, n + 1), share)
    first, last = (0 if low == -math.inf else int(low)), (n + 1 if high == math.inf else int(high))
    assert binom.cdf(last - 1, n, share) - (binom.cdf(first - 1, n, share) if first else 0) >= 0.95 - 1e-9
    assert binom.cdf(first, n, share) > 0.025
    assert last == 1 or binom.cdf(last - 2, n, share) < 0.975


def test_it_covers_in_simulation():
    rng = np.random.default_rng(0)
    hits = [low <= np.log(2) <= high for low, high in (quantile_interval(rng.exponential(size=60), 0.5) for _ in range(2000))]
    assert 0.94 <= np.mean(hits) <= 0.99


def test_edges():
    assert quantile([3.0], 0.5) == 3.0
    assert quantile([1, math.inf, math.inf], 0.5) == math.inf
    assert quantile([1, 2], 0.5) == 1
    assert quantile_interval([3.0], 0.5) == (-math.inf, math.inf)
    for wrong in ([], [math.nan, 1.0], [[1.0]]):
        with pytest.raises(ValueError, match="values must be a list of at least one number, without NaN"):
            quantile(wrong, 0.5)
    with pytest.raises(ValueError, match="share"):
        quantile([1.0], 1.5)
