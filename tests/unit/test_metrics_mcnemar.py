"""Score bounds against likelihoods maximised by scipy, and coverage by enumeration of every outcome."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, ndtri, xlogy
from scipy.stats import skew

from pytest_clip.metrics import paired
from pytest_clip.metrics.mcnemar import score_bounds, tail

quick = settings(derandomize=True, deadline=None, max_examples=60)
RATES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2)


def outcomes(n, *, most=0.4):
    """All counts (worse, better) of n pairs that the rates `most` make likely enough to matter."""
    worse, better = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    end = n * most + 8 * np.sqrt(n * most) + 20
    kept = worse + better <= min(n, end)
    return worse[kept], better[kept]


def chances(worse, better, n, p01, p10):
    rest = n - worse - better
    log = gammaln(n + 1) - gammaln(worse + 1) - gammaln(better + 1) - gammaln(rest + 1)
    log = log + xlogy(worse, p01) + xlogy(better, p10) + xlogy(rest, 1 - p01 - p10)
    return np.exp(log)


def bounds(worse, better, n):
    """`paired.mcnemar` of many counts; that the two are one is tested below."""
    low, high = score_bounds(worse, better, n)
    p, other = (np.array([tail(a, b) for a, b in zip(*pair, strict=True)]) for pair in ((worse, better), (better, worse)))
    return np.where(p <= 0.05, low, np.minimum(low, 0)), np.where(other <= 0.05, high, np.maximum(high, 0))


def coverage(n, rates):
    """The least coverage of the lower and of the upper bound over all pairs of rates."""
    worse, better = outcomes(n)
    low, high = bounds(worse, better, n)
    least = [1.0, 1.0]
    for p01 in rates:
        for p10 in rates:
            weight, drop = chances(worse, better, n, p01, p10), p01 - p10
            assert weight.sum() == pytest.approx(1, abs=1e-6)
            least = [min(least[0], weight[low <= drop + 1e-12].sum()), min(least[1], weight[high >= drop - 1e-12].sum())]
    return least


@pytest.mark.parametrize("n", [1, 2, 5, 20, 50, 190])
def test_each_bound_covers_its_95_percent(n):
    """The conditional bounds that these replace covered 0.010, 0.039, 0.095 and 0.316 of n = 5, 20, 50 and 190."""
    assert min(coverage(n, RATES)) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("n", [*range(3, 41), 64, 100, 128, 300, 513])
def test_each_bound_covers_its_95_percent_everywhere(n):
    assert min(coverage(n, (*RATES, 0.0005, 0.001, 0.003, 0.015, 0.03, 0.05, 0.13, 0.16))) >= 0.949


@pytest.mark.slow
def test_each_bound_covers_its_95_percent_of_1900():
    assert min(coverage(1900, (0.0, 0.001, 0.005, 0.02, 0.1))) >= 0.949


@pytest.mark.parametrize(("n", "p01", "p10"), [(190, 0.04, 0.01), (513, 0.02, 0.0), (1900, 0.10, 0.0)])
def test_coverage_where_the_conditional_bounds_failed(n, p01, p10):
    """They covered 0.86 above (n = 190), 0.45 above (513), 0.67 below and 0.51 above (1900)."""
    worse, better = outcomes(n, most=p01 + p10)
    weight, (low, high) = chances(worse, better, n, p01, p10), bounds(worse, better, n)
    assert 0.95 <= weight[low <= p01 - p10].sum() < 0.99
    assert 0.95 <= weight[high >= p01 - p10].sum() < 0.99


@quick
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200))
def test_bounds_are_those_of_the_whole_procedure(worse, better, rest):
    n = max(worse + better + rest, 1)
    got = paired.mcnemar(worse, better, n=n)
    low, high = bounds(np.array([worse]), np.array([better]), n)
    assert (got.lower, got.upper) == (low[0], high[0])
    turned = paired.mcnemar(better, worse, n=n)
    assert (turned.lower, turned.upper) == pytest.approx((-got.upper, -got.lower), abs=1e-12)
    assert -1 <= got.lower < got.upper <= 1
    assert got.lower <= (worse - better) / n <= got.upper


@quick
@given(st.integers(0, 25), st.integers(0, 25), st.integers(1, 150), st.sampled_from([0.9, 0.95, 0.975, 0.999]))
def test_at_its_ends_the_corrected_score_is_at_z(worse, better, rest, level):
    """The likelihood with p01 - p10 held is maximised by scipy, variance and skewness come from the law itself."""
    n = worse + better + rest
    d, z = (worse - better) / n, ndtri(level)
    for side, end in zip((1, -1), score_bounds(worse, better, n, level=level), strict=True):
        theta = float(end)
        if abs(theta) > 0.999:
            continue

        def unlikely(p10, theta=theta):
            return -float(xlogy(worse, p10 + theta) + xlogy(better, p10) + xlogy(rest, 1 - theta - 2 * p10))

        first, last = max(0.0, -theta), (1 - theta) / 2
        p10 = minimize_scalar(unlikely, bounds=(first, last), method="bounded", options={"xatol": 1e-12}).x
        p10 = min((p10, first, last), key=unlikely)
        law = np.array([1.0, -1.0, 0.0]), np.array([p10 + theta, p10, 1 - theta - 2 * p10])
        mean = law[0] @ law[1]
        deviation = np.sqrt((law[0] - mean) ** 2 @ law[1])
        skewness = (law[0] - mean) ** 3 @ law[1] / deviation**3 / np.sqrt(n)
        score = (side * (d - theta) - 0.5 / n) / (deviation / np.sqrt(n))
        assert score == pytest.approx(z + side * skewness * (z * z - 1) / 6, abs=2e-4)


def test_a_stricter_level_is_wider():
    one, two = paired.mcnemar(30, 14, n=1000), paired.mcnemar(30, 14, n=1000, level=0.999)
    assert two.lower < one.lower < one.upper < two.upper
    assert two.lower <= 0 < one.lower  # p = 0.011


def test_skewness_is_that_of_a_sample():
    """At the observed rates, V and the skewness are those of the outcomes themselves."""
    from pytest_clip.metrics.mcnemar import _restricted

    d = np.repeat([1.0, -1.0, 0.0], [9, 3, 88])
    variance, third = _restricted(np.array(9.0), np.array(3.0), 100, np.array(0.06))
    assert float(variance) == pytest.approx(d.var() / 100)
    assert float(third) == pytest.approx(skew(d) / 10)
