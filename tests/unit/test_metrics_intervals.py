"""Intervals against scipy, statsmodels, published tables, brute force and seeded coverage simulations."""

import itertools
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom, binomtest, norm
from scipy.stats import t as student
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from pytest_clip.metrics import calibration, factors, intervals, ood, resampling

quick = settings(derandomize=True, deadline=None, max_examples=80)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.99])


@st.composite
def counted(draw):
    n = draw(st.integers(1, 300))
    return draw(st.integers(0, n)), n


@quick
@given(st.floats(0, 1), st.floats(0.5, 1000), levels)
def test_wilson_of_an_effective_number(share, n, level):
    low, high = intervals.wilson_share(share, n, level=level)
    assert 0 <= low <= share <= high <= 1
    assert low < high
    for end in (low, high):  # the shares that a score test at this level does not refuse
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(norm.ppf((1 + level) / 2) * math.sqrt(end * (1 - end) / n), abs=1e-6)


@quick
@given(counted(), levels)
def test_wilson_of_a_whole_number_is_wilsons(kn, level):
    k, n = kn
    assert intervals.wilson_share(k / n, n, level=level) == pytest.approx(intervals.wilson(k, n, level=level), abs=1e-12)


@pytest.mark.parametrize(
    ("share", "n", "message"), [(1.1, 5, "share must be between 0 and 1"), (0.5, 0, "n must be a finite number above 0")]
)
def test_wilson_of_an_effective_number_refuses(share, n, message):
    with pytest.raises(ValueError, match=message):
        intervals.wilson_share(share, n)


@quick
@given(counted(), levels)
def test_proportions_equal_scipy_and_statsmodels(kn, level):
    k, n = kn
    for function, scipys, statsmodels in [
        (intervals.wilson, "wilson", "wilson"),
        (intervals.clopper_pearson, "exact", "beta"),
    ]:
        got = function(k, n, level=level)
        expected = binomtest(k, n).proportion_ci(level, method=scipys)
        assert got == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert got == pytest.approx(proportion_confint(k, n, alpha=1 - level, method=statsmodels), abs=1e-12)
        assert 0 <= got[0] <= k / n <= got[1] <= 1
        assert got[0] < got[1]
        assert [type(x) for x in got] == [float, float]


def test_one_sample_says_almost_nothing():
    assert intervals.wilson(1, 1) == pytest.approx((0.2065, 1.0), abs=1e-4)
    assert intervals.wilson(0, 1) == pytest.approx((0.0, 0.7935), abs=1e-4)
    assert intervals.clopper_pearson(1, 1) == pytest.approx((0.025, 1.0))


@pytest.mark.parametrize("function", [intervals.wilson, intervals.clopper_pearson])
def test_proportions_refuse(function):
    with pytest.raises(ValueError, match="n must be a whole number of at least 1, not 0"):
        function(0, 0)
    with pytest.raises(ValueError, match="k must be at most n; got k = 4, n = 3"):
        function(4, 3)
    with pytest.raises(ValueError, match="k must be a whole number of at least 0, not -1"):
        function(-1, 3)
    with pytest.raises(ValueError, match=r"k must be a whole number of at least 0, not 0\.5"):
        function(0.5, 3)
    with pytest.raises(ValueError, match=r"level must be between 0 and 1, for example 0\.95, not 95\.0"):
        function(1, 3, level=95)


def binomial_coverage(function, n, p):
    return sum(binom.pmf(k, n, p) for k in range(n + 1) if function(k, n)[0] <= p <= function(k, n)[1])


def test_coverage_of_proportions():
    exact = [binomial_coverage(intervals.clopper_pearson, 20, p) for p in np.linspace(0.01, 0.99, 40)]
    score = [binomial_coverage(intervals.wilson, 20, p) for p in np.linspace(0.01, 0.99, 40)]
    assert min(exact) >= 0.95
    assert 0.94 < np.mean(score) < 0.97
    assert min(score) > 0.83


def table(both, first, second, neither):
    return np.repeat([1, 1, 0, 0], [both, first, second, neither]), np.repeat([1, 0, 1, 0], [both, first, second, neither])


cells = st.tuples(*[st.integers(0, 40)] * 4).filter(any)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((36, 12, 2, 0), (0.0569, 0.3404)),  # Newcombe 1998, table II
        ((1, 1, 7, 12), (-0.507, -0.026)),  # Fagerland et al. 2014, airway hyper-responsiveness
    ],
)
def test_paired_difference_as_published(counts, expected):
    low, high = intervals.paired_difference(*table(*counts))
    digits = 4 if expected[0] > 0 else 3
    assert (round(low, digits), round(high, digits)) == expected


def newcombe_10(a, b, c, d, z):
    """By hand, in Newcombe's letters: quadratic roots for Wilson, phi with the correction in its three cases."""
    n = a + b + c + d

    def roots(k):  # (p - k/n)^2 = z^2 p (1 - p) / n
        return sorted(np.roots([1 + z * z / n, -(2 * k / n + z * z / n), (k / n) ** 2]).real)

    (l2, u2), (l3, u3) = roots(a + b), roots(a + c)
    dl2, du2, dl3, du3 = (a + b) / n - l2, u2 - (a + b) / n, (a + c) / n - l3, u3 - (a + c) / n
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    e = a * d - b * c
    if e > n / 2:
        e -= n / 2
    elif e >= 0:
        e = 0
    phi = e / math.sqrt(margins) if margins else 0
    delta = math.sqrt(max(0, dl2**2 - 2 * phi * dl2 * du3 + du3**2))
    epsilon = math.sqrt(max(0, du2**2 - 2 * phi * du2 * dl3 + dl3**2))
    return max((b - c) / n - delta, -1), min((b - c) / n + epsilon, 1)


@quick
@given(cells, levels)
def test_paired_difference_equals_the_hand_version(counts, level):
    first, second = table(*counts)
    got = intervals.paired_difference(first, second, level=level)
    assert got == pytest.approx(newcombe_10(*counts, norm.ppf(0.5 + level / 2)), abs=2e-6)
    assert got[0] <= factors.paired_drop(first, second) <= got[1]
    assert got[0] < got[1]
    turned = intervals.paired_difference(second, first, level=level)
    assert got == pytest.approx((-turned[1], -turned[0]), abs=1e-12)


def test_paired_difference_without_a_disagreement_still_has_width():
    low, high = intervals.paired_difference([1] * 50, [1] * 50)
    assert (round(low, 3), round(high, 3)) == (-0.071, 0.071)
    low, high = intervals.paired_difference([1], [0])
    assert low < 0.5
    assert high == 1.0


def paired_draws(n, count, seed):
    """(first, second) with P(first) = 0.8, P(second) = 0.72, positively correlated; difference 0.08, ratio 1.111."""
    rng = np.random.default_rng(seed)
    cell = rng.choice(4, p=[0.66, 0.14, 0.06, 0.14], size=(count, n))
    return zip((cell == 0) | (cell == 1), (cell == 0) | (cell == 2), strict=True)


def test_coverage_of_paired_intervals():
    hits = np.zeros(2)
    for first, second in paired_draws(60, 1000, seed=3):
        low, high = intervals.paired_difference(first, second)
        hits[0] += low <= 0.08 <= high
        low, high = intervals.ratio_interval(first, second, paired=True)
        hits[1] += low <= 0.80 / 0.72 <= high
    assert ((hits / 1000 > 0.93) & (hits / 1000 < 0.975)).all(), hits


def test_coverage_of_the_error_ratio():
    hits = 0
    for first, second in paired_draws(100, 1000, seed=4):
        low, high = intervals.ratio_interval(~second, ~first, paired=True)
        hits += low <= 0.28 / 0.20 <= high
    assert 0.93 < hits / 1000 < 0.98


def test_coverage_of_the_ratio_of_two_sets():
    rng, hits = np.random.default_rng(5), 0
    for _ in range(1000):
        low, high = intervals.ratio_interval(rng.random(80) < 0.45, rng.random(120) < 0.9, paired=False)
        hits += low <= 0.5 <= high
    assert 0.93 < hits / 1000 < 0.97


def bonett_price(a, b, c, z):
    """By hand, in the letters of their paper: n* pairs with at least one success, Wilson limits from the quadratic."""
    x1, x2, n = a + b, a + c, a + b + c
    shrink = math.sqrt((b + c + 2) / ((x1 + 1) * (x2 + 1)))
    shrink /= math.sqrt((1 - (x1 + 1) / (n + 2)) / (x1 + 1)) + math.sqrt((1 - (x2 + 1) / (n + 2)) / (x2 + 1))
    k = (z * shrink) ** 2

    def limits(x):
        root = math.sqrt(k) * math.sqrt(k + 4 * x * (1 - x / n))
        return (2 * x + k - root) / (2 * (n + k)), (2 * x + k + root) / (2 * (n + k))

    return limits(x1)[0] / limits(x2)[1], limits(x1)[1] / limits(x2)[0]


@quick
@given(cells.filter(lambda c: c[0] + c[2] > 0), levels)
def test_paired_ratio_equals_the_hand_version(counts, level):
    first, second = table(*counts)
    got = intervals.ratio_interval(first, second, paired=True, level=level)
    assert got == pytest.approx(bonett_price(*counts[:3], norm.ppf(0.5 + level / 2)), rel=1e-6, abs=1e-12)
    assert 0 <= got[0] <= first.mean() / second.mean() <= got[1] < math.inf
    assert got[0] < got[1]


@quick
@given(counted(), counted().filter(lambda kn: kn[0] > 0), levels)
def test_two_set_ratio_holds_the_estimate(top, bottom, level):
    first, second = np.arange(top[1]) < top[0], np.arange(bottom[1]) < bottom[0]
    low, high = intervals.ratio_interval(first, second, paired=False, level=level)
    assert 0 <= low <= first.mean() / second.mean() * (1 + 1e-12)
    assert first.mean() / second.mean() * (1 - 1e-12) <= high < math.inf
    assert low < high


@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), [(40, 80, 100, 120), (10, 50, 30, 60), (300, 500, 900, 1000)])
def test_two_set_ratio_is_near_the_score_interval(k1, n1, k2, n2):
    expected = confint_proportions_2indep(k1, n1, k2, n2, compare="ratio", method="score")
    got = intervals.ratio_interval(np.arange(n1) < k1, np.arange(n2) < k2, paired=False)
    assert got == pytest.approx(expected, rel=0.02)


def test_ratio_edges_and_errors():
    assert all(math.isnan(x) for x in intervals.ratio_interval([1, 0], [0, 0], paired=True))
    assert all(math.isnan(x) for x in intervals.ratio_interval([1, 0], [0, 0], paired=False))
    low, high = intervals.ratio_interval([0] * 50, [1] * 5 + [0] * 45, paired=True)  # no error on the factor: not (0, 0)
    assert low == 0
    assert 0.4 < high < 1.5
    with pytest.raises(ValueError, match="bottom has 3 values where 2 are needed"):
        intervals.ratio_interval([1, 0], [1, 0, 1], paired=True)
    with pytest.raises(ValueError, match="second has 1 values where 2 are needed"):
        intervals.paired_difference([1, 0], [1])
    with pytest.raises(ValueError, match="first must be True/False or 0/1; 1 of 2 values are neither"):
        intervals.paired_difference([1, 0.5], [1, 1])


small_scores = st.lists(st.integers(-4, 4).map(float), min_size=2, max_size=25)


def pair_loop_delong(inside, outside, z):
    """DeLong from all n * m comparisons, logit scale; None where the variance is 0."""
    kernel = np.array([[(a > b) + (a == b) / 2 for b in outside] for a in inside])
    area = kernel.mean()
    variance = kernel.mean(axis=1).var(ddof=1) / len(inside) + kernel.mean(axis=0).var(ddof=1) / len(outside)
    if variance < 1e-20:
        return None
    reach = z * math.sqrt(variance) / (area * (1 - area))
    return expit(logit(area) - reach), expit(logit(area) + reach)


def exponential_areas(area, n, m, z):
    """The areas at most z of their own standard errors (Hanley & McNeil 1982, both sizes taken for their mean) from `area`, on a grid."""
    h = np.linspace(0, 1, 100_001)
    q1, q2, size = h / (2 - h), 2 * h**2 / (1 + h), (n + m) / 2
    variance = (h * (1 - h) + (size - 1) * (q1 - h**2) + (size - 1) * (q2 - h**2)) / (n * m)
    inside = h[np.abs(area - h) <= z * np.sqrt(np.maximum(variance, 0)) + 1e-12]
    return float(inside.min(initial=area)), float(inside.max(initial=area))


@quick
@given(small_scores, small_scores, levels)
def test_auroc_interval_equals_all_pairs(inside, outside, level):
    expected = pair_loop_delong(inside, outside, student.ppf(0.5 + level / 2, min(len(inside), len(outside)) - 1))
    got = intervals.auroc_interval(inside, outside, level=level)
    area = ood.auroc(inside, outside)
    if expected is None:
        n = min(len(inside), len(outside))
        assert got == pytest.approx(proportion_confint(area * n, n, alpha=1 - level, method="wilson"), abs=1e-9)
    else:
        low, high = exponential_areas(area, len(inside), len(outside), student.ppf(0.5 + level / 2, min(len(inside), len(outside)) - 1))
        assert got == pytest.approx((min(expected[0], low), max(expected[1], high)), abs=2e-5)
    assert 0 <= got[0] <= area <= got[1] <= 1
    assert got[0] < got[1]


def test_auroc_interval_of_perfect_and_equal_scores():
    low, high = intervals.auroc_interval(np.arange(100.0, 200), np.arange(30.0))
    assert (round(low, 3), high) == (0.886, 1.0)
    low, high = intervals.auroc_interval(np.arange(30.0), np.arange(100.0, 200))
    assert (low, round(high, 3)) == (0.0, 0.114)
    assert intervals.auroc_interval([1.0] * 20, [1.0] * 20) == pytest.approx(intervals.wilson(10, 20))
    with pytest.raises(ValueError, match="an AUROC interval needs at least 2 ID and 2 OOD scores; got 1 and 3"):
        intervals.auroc_interval([1.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="1 of 2 values in id_scores are NaN"):
        intervals.auroc_interval([1.0, math.nan], [1.0, 2.0])


def test_auroc_interval_is_near_the_bootstrap():
    rng = np.random.default_rng(1)
    inside, outside = rng.normal(1, 1, 400).round(2), rng.normal(0, 1, 200).round(2)
    expected = intervals.two_sample_bootstrap(ood.auroc, inside, outside, seed=1)
    assert intervals.auroc_interval(inside, outside) == pytest.approx(expected, abs=0.006)


def test_coverage_of_the_auroc_interval():
    truth, rng, hits = norm.cdf(1.5 / math.sqrt(2)), np.random.default_rng(2), 0
    for _ in range(500):
        low, high = intervals.auroc_interval(rng.normal(1.5, 1, 40), rng.normal(0, 1, 25))
        hits += low <= truth <= high
    assert 0.93 < hits / 500 < 0.98


def test_where_few_scores_overlap_the_auroc_interval_covers():
    """50 scores and 200 half as wide, AUROC 0.996: DeLong's interval alone held it in 247 of 300."""
    truth, rng, hits = norm.cdf(3 / math.sqrt(1.25)), np.random.default_rng(5), 0
    for _ in range(300):
        low, high = intervals.auroc_interval(rng.normal(3, 1, 50), rng.normal(0, 0.5, 200))
        hits += low <= truth <= high
    assert hits >= 280


def test_seed_from_depends_on_the_text_only():
    assert resampling.seed_from("") == 0xE4A6A0577479B2B4 >> 1  # blake2b-64 of nothing
    assert intervals.seed_from("ood/auroc[near]") != intervals.seed_from("ood/auroc[far]")
    code = "from pytest_clip.metrics.intervals import seed_from; print(seed_from('ood/auroc[near] é'))"
    seeds = {
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code], env={**os.environ, "PYTHONHASHSEED": s}, capture_output=True, check=True
        ).stdout
        for s in ("0", "1")
    }
    assert seeds == {b"%d\n" % intervals.seed_from("ood/auroc[near] é")}


def plain_bootstrap(statistic, n, seed, resamples):
    """The same drawing, written as a loop over indices."""
    rng = np.random.default_rng(seed)
    return [statistic(rng.integers(n, size=n)) for _ in range(resamples)]


def test_bootstrap_draws_the_arrays_jointly():
    x = np.arange(30.0)
    low, high = intervals.bootstrap(lambda a, b: float(np.abs(a - b).max()), x, x, seed=0, resamples=50)
    assert low == high == 0.0
    values = plain_bootstrap(lambda i: x[i].mean(), 30, seed=7, resamples=200)
    got = intervals.bootstrap(lambda a: float(a.mean()), x, seed=7, resamples=200, level=0.8)
    tail = resampling.expanded(0.1, 30)
    assert got == pytest.approx(np.quantile(values, [tail, 1 - tail]))
    assert [type(v) for v in got] == [float, float]


def test_bootstrap_is_seeded():
    x = np.random.default_rng(0).normal(size=(40, 3))
    runs = [intervals.bootstrap(lambda a: float(a.mean()), x, seed=s, resamples=100) for s in (5, 5, 6)]
    assert runs[0] == runs[1] != runs[2]


def test_groups_are_drawn_whole():
    groups = np.repeat(np.arange(10), 4)
    rng = np.random.default_rng(0)
    rng.shuffle(groups)
    seen = set()

    def record(g):
        counts = np.bincount(g, minlength=10)
        seen.update((counts % 4).tolist())
        return float(counts.max())

    intervals.bootstrap(record, groups, seed=0, resamples=50, groups=groups)
    assert seen == {0}


def test_groups_widen_the_interval():
    values = np.repeat(np.random.default_rng(0).normal(size=30), 20)  # 30 independent values, each 20 times
    groups = np.repeat(np.arange(30), 20)
    narrow = intervals.mean_interval(values, seed=1)
    wide = intervals.mean_interval(values, seed=1, groups=groups)
    assert 3.5 < (wide[1] - wide[0]) / (narrow[1] - narrow[0]) < 5.5  # sqrt(20) = 4.5
    assert wide == pytest.approx(intervals.mean_interval(values[::20], seed=1))


def test_totals_do_not_depend_on_the_chunks_being_one():
    columns = np.ones((300_000, 1))  # 2**21 / 300,000: 6 resamples at a time
    sums = resampling.totals(columns, seed=0, resamples=8, groups=None)
    assert sums.tolist() == [[300_000.0]] * 8


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_ece_interval_is_the_range_of_scales_not_rejected(adaptive, power):
    rng = np.random.default_rng(0)
    confidence = rng.random(120).round(2)
    correct = rng.random(120) < confidence**power
    # the same draws as a loop; the bin of a sample from the definition
    if adaptive:
        bin_of = [int((confidence < c).sum()) * 10 // 120 for c in confidence]
    else:
        bin_of = [next(b for b in range(10) if c <= (b + 1) / 10) for c in confidence]
    gaps = np.array([sum(c - y for c, y, w in zip(confidence, correct, bin_of, strict=True) if w == b) for b in range(10)]) / 120
    noise = []
    for rows in np.random.default_rng(11).integers(120, size=(100, 120)):
        drawn = [sum(confidence[i] - correct[i] for i in rows if bin_of[i] == b) / 120 for b in range(10)]
        noise.append(np.array(drawn) - gaps)
    point = (calibration.adaptive_ece if adaptive else calibration.ece)(confidence, correct, bins=10)
    scales = np.arange(0, 4, 0.004)
    kept = []
    for t in scales:
        values = np.sort([np.abs(t * gaps + e).sum() for e in noise])
        if np.quantile(values, 0.025) <= point <= np.quantile(values, 0.975):
            kept.append(t * point)
    low, high = intervals.ece_interval(confidence, correct, bins=10, seed=11, resamples=100, adaptive=adaptive)
    assert (low, high) == pytest.approx((min([*kept, point]), max([*kept, point])), abs=0.005 * point)
    assert type(low) is type(high) is float


@pytest.mark.parametrize("gap", [0.0, 0.08])
def test_coverage_of_the_ece_interval(gap):
    # confidence 0.75 or 0.9, right `gap` less often: the true ECE is `gap`
    rng, hits = np.random.default_rng(0), 0
    for seed in range(300):
        confidence = rng.choice([0.75, 0.9], size=1000)
        low, high = intervals.ece_interval(confidence, rng.random(1000) < confidence - gap, seed=seed, resamples=200)
        hits += low <= gap <= high
    assert 0.91 < hits / 300 < 0.99


def test_ece_interval_of_a_calibrated_model_holds_the_estimate_and_reaches_0():
    rng = np.random.default_rng(4)
    confidence = rng.random(600)
    correct = rng.random(600) < confidence
    low, high = intervals.ece_interval(confidence, correct, seed=0)
    percentile = intervals.bootstrap(calibration.ece, confidence, correct, seed=0, resamples=200)
    assert low == 0.0
    assert high >= calibration.ece(confidence, correct) > 0.02
    assert percentile[0] > 0.02  # what the percentile interval would wrongly say of a true value of 0


def test_ece_interval_edges():
    assert intervals.ece_interval([1.0] * 20, [1] * 20, seed=0) == (0.0, 0.0)
    low, high = intervals.ece_interval([1.0] * 20, [0] * 20, seed=0)
    assert (low, high) == (1.0, 1.0)
    low, high = intervals.ece_interval([1.0] * 20, [0] * 19 + [1], seed=0)
    assert low < 0.95 <= high <= 1.0


def test_two_samples_are_drawn_apart():
    inside, outside = np.arange(12.0), np.arange(5.0)
    rng = np.random.default_rng(9)
    values = [inside[rng.integers(12, size=12)].mean() - outside[rng.integers(5, size=5)].mean() for _ in range(100)]
    got = intervals.two_sample_bootstrap(lambda a, b: float(a.mean() - b.mean()), inside, outside, seed=9, resamples=100)
    tail = resampling.expanded(0.025, 5)
    assert got == pytest.approx(np.quantile(values, [tail, 1 - tail]))


def test_expanded_percentiles_are_as_wide_as_students_t():
    for n in (2, 5, 20, 50, 1900):
        wide = -norm.ppf(resampling.expanded(0.025, n)) * math.sqrt((n - 1) / n)
        assert wide == pytest.approx(student.ppf(0.975, n - 1))


def mean(*arrays):
    return float(arrays[0].mean())


def test_resampling_refuses():
    two, groups = [0.5, 1.0], np.array([0, 0])
    for call in [
        lambda: intervals.bootstrap(mean, [1.0], seed=0),
        lambda: intervals.mean_interval([1.0], seed=0),
        lambda: intervals.ece_interval([0.5], [1], seed=0),
        lambda: intervals.two_sample_bootstrap(mean, two, [1.0], seed=0),
    ]:
        with pytest.raises(ValueError, match="a bootstrap needs at least 2 samples; got 1"):
            call()
    for call in [
        lambda: intervals.bootstrap(mean, two, seed=0, groups=groups),
        lambda: intervals.mean_interval(two, seed=0, groups=groups),
        lambda: intervals.ece_interval(two, [1, 0], seed=0, groups=groups),
    ]:
        with pytest.raises(ValueError, match="a bootstrap needs at least 2 groups; got 1"):
            call()
    with pytest.raises(ValueError, match=r"arrays must have one length; got \[2, 3\]"):
        intervals.bootstrap(mean, two, [1, 2, 3], seed=0)
    with pytest.raises(ValueError, match="bootstrap needs at least one array"):
        intervals.bootstrap(mean, seed=0)
    with pytest.raises(ValueError, match="groups has 3 values where 2 are needed"):
        intervals.bootstrap(mean, two, seed=0, groups=np.arange(3))
    with pytest.raises(ValueError, match="resamples must be a whole number of at least 1, not 0"):
        intervals.bootstrap(mean, two, seed=0, resamples=0)
    with pytest.raises(ValueError, match=r"level must be between 0 and 1"):
        intervals.mean_interval(two, seed=0, level=1.0)


def test_a_statistic_without_a_value_is_an_error_with_a_count():
    calls = itertools.count()
    with pytest.raises(ValueError, match="the statistic is NaN or infinite on 5 of 50 resamples: too few samples for an interval"):
        intervals.bootstrap(lambda a: math.nan if next(calls) % 10 == 0 else 1.0, np.arange(3), seed=0, resamples=50)
