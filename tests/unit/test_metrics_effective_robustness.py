"""Effective robustness against statsmodels' robust regression, published reference points and worked examples."""

import dataclasses
import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from pytest_clip.metrics import effective_robustness as er

quick = settings(derandomize=True, deadline=None, max_examples=60)
DIAGONAL = er.Line(slope=1.0, intercept=0.0, r=1.0, n_models=3)

# accuracy and effective robustness of OpenAI's ViT-B/32 and RN50 on ImageNet-X (top factor, prototypes removed)
OVERALL = {"vit": 0.6164606376057254, "rn": 0.5765343743222728}
FACTORS = {
    "pose": (0.6731, -0.0255, 0.6344, -0.0256),
    "background": (0.6040, 0.0056, 0.5718, 0.0121),
    "pattern": (0.6430, 0.0039, 0.5892, -0.0076),
    "color": (0.5678, 0.0126, 0.5099, -0.0024),
    "smaller": (0.4731, 0.0560, 0.4710, 0.1012),
    "shape": (0.4624, 0.0273, 0.4212, 0.0262),
    "partial_view": (0.5784, -0.0142, 0.5329, -0.0170),
    "subcategory": (0.4838, 0.0795, 0.4462, 0.0685),
    "texture": (0.3723, 0.0773, 0.3050, 0.0450),
    "larger": (0.5667, -0.0075, 0.5600, 0.0205),
}
SHIFTS = {  # against the whole validation set: .6330 and .5981
    "imagenetv2-matched-frequency": (0.5577, 0.0572, 0.5253, 0.0590),
    "imagenetv2-threshold-0.7": (0.6328, 0.0432, 0.5963, 0.0432),
    "imagenetv2-top-images": (0.6881, 0.0290, 0.6502, 0.0244),
    "imagenet-sketch": (0.4237, 0.2831, 0.3538, 0.2316),
    "imagenet-r": (0.6926, 0.4426, 0.6046, 0.3789),
    "objectnet": (0.4396, 0.2388, 0.4028, 0.2296),
    "imagenet-vid-robust-pm0": (0.8224, 0.2733, 0.7556, 0.2431),
    "ytbb-robust-pm0": (0.6700, 0.1599, 0.6399, 0.1485),
}


@pytest.mark.parametrize("factor", FACTORS)
def test_published_points_of_imagenet_x(factor):
    line, (vit, vit_er, rn, rn_er) = er.IMAGENET_X_LINES[factor], FACTORS[factor]
    for accuracy, overall, expected in ((vit, OVERALL["vit"], vit_er), (rn, OVERALL["rn"], rn_er)):
        got = er.effective_robustness(accuracy, overall, line=line, n_overall=46_110)
        assert type(got) is float
        assert got == pytest.approx(expected, abs=2e-4)  # four decimals in, four out


@pytest.mark.parametrize("shift", SHIFTS)
def test_published_points_of_the_shifts(shift):
    line, (vit, vit_er, rn, rn_er) = er.IMAGENET_SHIFT_LINES[shift], SHIFTS[shift]
    assert er.effective_robustness(vit, 0.6330, line=line, n_overall=50_000) == pytest.approx(vit_er, abs=2e-4)
    assert er.effective_robustness(rn, 0.5981, line=line, n_overall=50_000) == pytest.approx(rn_er, abs=2e-4)


def test_the_tables_are_complete_and_read_only():
    assert (set(er.IMAGENET_X_LINES), set(er.IMAGENET_SHIFT_LINES)) == (set(FACTORS), set(SHIFTS))
    assert all(er.published(name) is line for name, line in er.IMAGENET_SHIFT_LINES.items())
    with pytest.raises(TypeError, match="does not support item assignment"):
        er.IMAGENET_X_LINES["pose"] = DIAGONAL
    with pytest.raises(dataclasses.FrozenInstanceError):
        er.IMAGENET_X_LINES["pose"].slope = 1.0


def test_by_hand():
    steep = er.Line(slope=2.0, intercept=0.0, r=1.0, n_models=3)
    # odds 3 squared are 9: an overall accuracy of .75 lets expect .9
    assert er.expected(0.75, line=steep, n=1000) == pytest.approx(0.9)
    assert er.effective_robustness(0.8, 0.75, line=steep, n_overall=1000) == pytest.approx(-0.1)
    assert er.effective_robustness(0.6, 0.6, line=DIAGONAL, n_overall=1000) == pytest.approx(0)


@pytest.mark.parametrize("n", [1, 10, 5000])
def test_0_and_1_are_clipped_by_half_an_image(n):
    assert er.expected(1.0, line=DIAGONAL, n=n) == pytest.approx(1 - 1 / (2 * n))
    assert er.expected(0.0, line=DIAGONAL, n=n) == pytest.approx(1 / (2 * n))
    assert er.effective_robustness(1.0, 1.0, line=DIAGONAL, n_overall=n) == pytest.approx(1 / (2 * n))


def test_a_shift_whose_line_is_no_line_has_none():
    with pytest.raises(KeyError):
        er.published("imagenet-a")
    assert "models above 80 % on the validation set lie 7 to 15 points above" in er.WITHDRAWN["imagenet-a"]


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@quick
@given(counts, counts, st.sampled_from([0.8, 0.95]))
def test_interval_on_the_diagonal_is_newcombes(first, second, level):
    """Where the overall accuracy itself is expected, the number is a difference of two proportions, or 1 - w times one."""
    line = dataclasses.replace(DIAGONAL, intercept=0.0)
    (k, n), (j, m) = first, second
    if 0 < j < m:
        got = er.interval(k, n, j, m, line=line, level=level)
        ends = confint_proportions_2indep(k, n, j, m, method="newcomb", compare="diff", alpha=1 - level)
        assert got == pytest.approx(ends, abs=0.5 / m)  # Wilson's limits within half an image of 0 and 1 are clipped
    part = er.interval(k, n, j, m, line=line, part=True, level=level)
    ends = confint_proportions_2indep(k, n, j, m, method="newcomb", compare="diff", alpha=1 - level)
    assert part == pytest.approx([m / (n + m) * end for end in ends], abs=1 / (n + m))


lines = st.builds(er.Line, st.floats(0.3, 2), st.floats(-3, 1), st.just(0.9), st.just(80))


@quick
@given(counts, counts, lines, st.booleans())
def test_interval_holds_the_value_and_is_never_a_point(first, second, line, part):
    (k, n), (j, m) = first, second
    overall, seen = ((k + j) / (n + m), n + m) if part else (j / m, m)
    low, high = er.interval(k, n, j, m, line=line, part=part)
    value = er.effective_robustness(k / n, overall, line=line, n_overall=seen)
    assert -1 <= low <= value + 1e-12
    assert value - 1e-12 <= high <= 1
    assert high - low > 1e-4
    assert [type(low), type(high)] == [float, float]


@pytest.mark.parametrize("part", [False, True])
def test_interval_covers_what_it_says(part):
    """By enumeration of both samples. The shift's sampling error alone covers 64 to 91 % here, and 76 to 100 % for a part."""
    line, n, m = er.Line(1.1, -0.9, 0.99, 80), 40, 50
    table = np.array([[er.interval(k, n, j, m, line=line, part=part) for j in range(m + 1)] for k in range(n + 1)])
    for p, q in [(0.3, 0.6), (0.5, 0.8), (0.9, 0.9), (0.1, 0.5), (0.7, 0.3), (0.97, 0.97)]:
        overall = (n * p + m * q) / (n + m) if part else q
        truth = p - er.expected(overall, line=line, n=10**9)
        weights = np.outer(binom.pmf(range(n + 1), n, p), binom.pmf(range(m + 1), m, q))
        covered = float(weights[(table[..., 0] <= truth) & (truth <= table[..., 1])].sum())
        assert 0.93 <= covered <= 0.995, (p, q, covered)


def test_numbers_behind_a_value():
    line = er.published("objectnet")
    told = er.told(0.4396, 0.6330, line=line, n_overall=50_000)
    assert told["accuracy"] - told["expected"] == pytest.approx(SHIFTS["objectnet"][1], abs=2e-4)
    assert told["expected_95"][0] < told["expected"] < told["expected_95"][1]
    low, high = told["baseline_models_95"]
    assert -0.05 < low < -0.02 < 0.02 < high < 0.05
    assert "continued" not in told
    assert er.told(0.2, 0.3, line=line, n_overall=50_000)["continued"] == "no baseline model outside 0.56 to 0.85 overall"
    bare = er.told(0.2, 0.3, line=dataclasses.replace(DIAGONAL, lowest=0, highest=1), n_overall=50)
    assert bare == {"accuracy": 0.2, "overall": 0.3, "expected": 0.3}


def test_band_and_interval_of_a_least_squares_line_are_statsmodels():
    overall, accuracy = crowd(1, 0)
    line = er.fit_line(overall, accuracy, n_overall=50_000, n_accuracy=50_000, tuning=1e9)
    frame = sm.OLS(logit(accuracy), sm.add_constant(logit(overall))).fit()
    for at in (0.35, 0.6, 0.95):
        told = er.around(at, line=line, n=50_000)
        exact = frame.get_prediction([[1.0, logit(at)]]).summary_frame(alpha=0.05).iloc[0]
        assert logit(told.line) == pytest.approx((exact.mean_ci_lower, exact.mean_ci_upper), abs=1e-6)
        assert logit(told.models) == pytest.approx((exact.obs_ci_lower, exact.obs_ci_upper), abs=1e-6)
        assert told.expected == er.expected(at, line=line, n=50_000)
        assert told.continued == (at == 0.95)


def test_band_of_published_lines_is_two_to_three_points_where_models_scatter():
    """Residual scatter of 2 to 2.8 points: texture and larger of ImageNet-X, and the shifts that are no copies of the validation set."""
    for name, points in [("imagenet-x/larger", 2.8), ("imagenet-x/texture", 1.95), ("objectnet", 2.3), ("imagenet-r", 2.6)]:
        line = er.published(name)
        told = er.around(float(expit(line.centre)), line=line, n=50_000)
        assert 100 * (told.models[1] - told.models[0]) / 2 / 1.99 == pytest.approx(points, abs=0.25), name
        assert told.line[1] - told.line[0] < (told.models[1] - told.models[0]) / 6


def test_errors_over_models():
    overall, accuracy = crowd(4, 2)
    plain = er.fit_line(overall, accuracy, n_overall=50_000, n_accuracy=50_000)
    drawn = er.over_models(overall, accuracy, n_overall=50_000, n_accuracy=50_000, seed=0, resamples=200)
    assert dataclasses.replace(drawn, level_error=plain.level_error, slope_error=plain.slope_error) == plain
    again = er.over_models(overall, accuracy, n_overall=50_000, n_accuracy=50_000, seed=0, resamples=200)
    assert (again.level_error, again.slope_error) == (drawn.level_error, drawn.slope_error)
    rng, x, y = np.random.default_rng(5), logit(overall), logit(accuracy)
    slopes = []
    for _ in range(200):
        rows = rng.integers(30, size=30)
        slopes.append(huber_of_statsmodels(x[rows], y[rows], 1.345)[0])
    assert drawn.slope_error == pytest.approx(np.std(slopes), rel=0.3)
    with pytest.raises(ValueError, match="hardly ever finds a line: use more models"):
        er.over_models([0.5, 0.6, 0.6], [0.4, 0.5, 0.52], n_overall=50, n_accuracy=50, seed=0, resamples=100)


def huber_of_statsmodels(x, y, c):
    norm = sm.robust.norms.HuberT(t=c)
    fit = sm.RLM(y, sm.add_constant(x), M=norm).fit(scale_est="mad", maxiter=2000, tol=1e-13, conv="coefs")
    return fit.params[1], fit.params[0]


def crowd(seed, outliers):
    """Accuracies of 30 models near a line, some far off."""
    rng = np.random.default_rng(seed)
    overall = rng.uniform(0.3, 0.9, 30)
    shifted = 0.9 * logit(overall) - 0.6 + 0.05 * rng.standard_t(3, 30)
    shifted[:outliers] += rng.uniform(1, 3, outliers)
    return overall, expit(shifted)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("outliers", [0, 1, 6])
@pytest.mark.parametrize("tuning", [1.345, 2.5])
def test_fit_equals_statsmodels(seed, outliers, tuning):
    overall, accuracy = crowd(seed, outliers)
    line = er.fit_line(overall, accuracy, n_overall=50_000, n_accuracy=50_000, tuning=tuning)
    assert (line.slope, line.intercept) == pytest.approx(huber_of_statsmodels(logit(overall), logit(accuracy), tuning), abs=1e-8)
    assert line.r == pytest.approx(np.corrcoef(logit(overall), logit(accuracy))[0, 1])
    assert line.n_models == 30
    assert [type(value) for value in dataclasses.astuple(line)] == [float, float, float, int, str] + [float] * 6
    residuals = logit(accuracy) - line.slope * logit(overall) - line.intercept
    assert line.scatter == pytest.approx(np.sqrt(np.sum(residuals**2) / 28))
    assert (line.lowest, line.highest) == (overall.min(), overall.max())


def test_outliers_hardly_move_the_line():
    overall, accuracy = crowd(0, 3)
    line = er.fit_line(overall, accuracy, n_overall=50_000, n_accuracy=50_000)
    assert (line.slope, line.intercept) == pytest.approx((0.9, -0.6), abs=0.12)
    least_squares = er.fit_line(overall, accuracy, n_overall=50_000, n_accuracy=50_000, tuning=1e9)
    assert (least_squares.slope, least_squares.intercept) == pytest.approx(np.polyfit(logit(overall), logit(accuracy), 1))
    assert least_squares.intercept > -0.45


@quick
@given(st.lists(st.floats(0.05, 0.95), min_size=3, max_size=12), st.floats(-2, 2), st.floats(-2, 2))
def test_models_on_a_line_give_that_line(overall, slope, intercept):
    x = logit(np.array(overall))
    if np.ptp(x) < 1e-3:
        return
    line = er.fit_line(overall, expit(slope * x + intercept), n_overall=10**9, n_accuracy=10**9)
    assert (line.slope, line.intercept) == pytest.approx((slope, intercept), abs=1e-6)
    reference = dataclasses.replace(line, slope=slope, intercept=intercept)
    for accuracy in overall:
        assert er.expected(accuracy, line=line, n=10**9) == pytest.approx(er.expected(accuracy, line=reference, n=10**9), abs=1e-6)


@quick
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=10))
def test_any_few_models_settle(rows):
    overall, accuracy = ([k / 20 for k in column] for column in zip(*rows, strict=True))
    if len(set(overall)) == 1:
        with pytest.raises(ValueError, match="a line needs at least 3 models with different overall accuracies"):
            er.fit_line(overall, accuracy, n_overall=20, n_accuracy=20)
        return
    line = er.fit_line(overall, accuracy, n_overall=20, n_accuracy=20)
    assert math.isfinite(line.slope)
    assert math.isfinite(line.intercept)
    assert math.isnan(line.r) == (len(set(accuracy)) == 1)


def test_fit_clips_each_axis_by_its_own_n():
    line = er.fit_line([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], n_overall=5, n_accuracy=50)
    assert line.slope == pytest.approx(float(logit(0.99) / logit(0.9)))


def test_refuses():
    fit = {"n_overall": 10, "n_accuracy": 10}
    for call, message in [
        (lambda: er.fit_line([0.5, 0.6], [0.5, 0.6], **fit), "at least 3 models with different overall accuracies; got 2, 2 different"),
        (lambda: er.fit_line([0.5] * 4, [0.1, 0.2, 0.3, 0.4], **fit), "got 4, 1 different"),
        (lambda: er.fit_line([0.5, 0.6], [0.5], **fit), "accuracy has 1 values where 2 are needed, one per model"),
        (lambda: er.fit_line([50, 60, 70], [0.5, 0.6, 0.7], **fit), r"overall must be in \[0, 1\]; found 50 to 70"),
        (lambda: er.fit_line([0.5, 0.6, math.nan], [0.5, 0.6, 0.7], **fit), "1 of 3 values in overall are NaN"),
        (lambda: er.fit_line([], [], **fit), "overall is empty"),
        (lambda: er.fit_line([0.5, 0.6, 0.7], [0.5, 0.6, 0.7], **fit, tuning=0), "tuning must be a finite number above 0"),
        (lambda: er.effective_robustness(60, 0.5, line=DIAGONAL, n_overall=10), "accuracy must be between 0 and 1, not 60"),
        (lambda: er.expected(math.nan, line=DIAGONAL, n=10), "overall must be between 0 and 1, not nan"),
        (lambda: er.expected(0.5, line=DIAGONAL, n=0), "n must be a whole number of at least 1, not 0"),
        (lambda: er.interval(11, 10, 5, 10, line=DIAGONAL), "k must be at most n; got k = 11, n = 10"),
        (lambda: er.interval(1, 10, 1, 0, line=DIAGONAL), "n must be a whole number of at least 1, not 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
