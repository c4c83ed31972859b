"""Calibration metrics and temperature scaling against slow loops, scikit-learn, pytorch-ood and worked examples."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_ood.metrics.functional import calibration_error
from sklearn.metrics import brier_score_loss, log_loss

from pytest_clip.metrics import calibration, temperature

quick = settings(derandomize=True, deadline=None, max_examples=80)

confidences = st.one_of(
    st.floats(0, 1),
    st.integers(0, 15).map(lambda k: k / 15),  # exactly on an edge
    st.sampled_from([0.0, 1.0, 5e-324, math.nextafter(0.2, 1), math.nextafter(0.2, 0)]),
)
outcomes = st.lists(st.tuples(confidences, st.booleans()), min_size=1, max_size=40)


def slow_ece(confidence, correct, bins):
    """Walk the bins from the definition: low < c <= high, and 0 belongs to the first."""
    total = 0.0
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = [(c, y) for c, y in zip(confidence, correct, strict=True) if low < c <= high or (b == 0 and c == 0)]
        if inside:
            mean, share = math.fsum(c for c, _ in inside) / len(inside), sum(y for _, y in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(mean - share)
    return total


@quick
@given(outcomes, st.sampled_from([1, 2, 10, 15]))
def test_ece_equals_the_slow_loop(pairs, bins):
    confidence, correct = [c for c, _ in pairs], [y for _, y in pairs]
    got = calibration.ece(confidence, correct, bins=bins)
    assert type(got) is float
    assert got == pytest.approx(slow_ece(confidence, correct, bins), abs=1e-12)


def test_ece_by_hand():
    # bin (0.6, 0.667]: 0.65 right, 0.65 wrong -> gap 0.15; bin (0.933, 1]: 0.95 right, 1.0 wrong -> gap 0.475
    assert calibration.ece([0.65, 0.65, 0.95, 1.0], [1, 0, 1, 0]) == pytest.approx(0.5 * 0.15 + 0.5 * 0.475)
    assert calibration.ece([0.3], [0]) == pytest.approx(0.3)
    assert calibration.ece([0.0, 1.0], [0, 1]) == 0.0


@pytest.mark.parametrize("k", range(1, 15))
def test_an_edge_belongs_to_the_bin_below(k):
    edge = k / 15
    table = calibration.reliability([edge, math.nextafter(edge, 1)], [True, False])
    assert table.count[k - 1] == 1
    assert table.count[k] == 1
    assert table.high[k - 1] == table.low[k] == edge


def test_reliability_table():
    table = calibration.reliability([0.0, 0.1, 1.0, 0.9], [0, 1, 1, 1], bins=4)
    assert table.count == (2, 0, 0, 2)
    assert table.confidence == (pytest.approx(0.05), None, None, pytest.approx(0.95))
    assert table.accuracy == (0.5, None, None, 1.0)
    assert table.low == (0.0, 0.25, 0.5, 0.75)
    assert all(type(c) is int for c in table.count)


@quick
@given(outcomes)
def test_the_table_adds_up_to_the_ece(pairs):
    confidence, correct = [c for c, _ in pairs], [y for _, y in pairs]
    t = calibration.reliability(confidence, correct)
    gaps = [n * abs(c - a) for n, c, a in zip(t.count, t.confidence, t.accuracy, strict=True) if n]
    assert sum(t.count) == len(pairs)
    assert math.fsum(gaps) / len(pairs) == pytest.approx(calibration.ece(confidence, correct), abs=1e-12)


def slow_adaptive(confidence, correct, bins):
    members = {}
    for c, y in zip(confidence, correct, strict=True):
        below = sum(other < c for other in confidence)
        members.setdefault((bins * below) // len(confidence), []).append(c - y)
    return math.fsum(abs(math.fsum(gaps)) for gaps in members.values()) / len(confidence)


@quick
@given(outcomes, st.sampled_from([1, 3, 15]), st.randoms(use_true_random=False))
def test_adaptive_ece_equals_the_slow_loop_in_any_order(pairs, bins, random):
    expected = slow_adaptive([c for c, _ in pairs], [y for _, y in pairs], bins)
    random.shuffle(pairs)
    assert calibration.adaptive_ece([c for c, _ in pairs], [y for _, y in pairs], bins=bins) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_adaptive_ece_equals_pytorch_ood_without_ties(seed):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(300), rng.random(300) < 0.6
    expected = calibration_error(torch.from_numpy(confidence), torch.from_numpy(correct), p="1", beta=20)
    assert calibration.adaptive_ece(confidence, correct, bins=15) == pytest.approx(expected)


def test_adaptive_ece_of_one_value_is_one_bin():
    assert calibration.adaptive_ece([0.7] * 10, [1] * 4 + [0] * 6) == pytest.approx(0.3)


@pytest.mark.parametrize("metric", [calibration.ece, calibration.adaptive_ece, calibration.reliability])
@pytest.mark.parametrize(
    ("confidence", "correct", "bins", "message"),
    [
        ([0.5, math.nan], [1, 0], 15, "1 of 2 values in confidence are NaN or infinite"),
        ([0.5, 1.2], [1, 0], 15, r"confidence must be in \[0, 1\]; found 0\.5 to 1\.2"),
        ([-0.1], [1], 15, r"confidence must be in \[0, 1\]; found -0\.1 to -0\.1"),
        ([0.5], [1, 0], 15, "correct has 2 values where 1 are needed"),
        ([0.5], [0.5], 15, "correct must be True/False or 0/1; 1 of 1 values are neither"),
        ([], [], 15, r"confidence is empty: shape \(0,\)"),
        ([0.5], [1], 0, "bins must be a whole number of at least 1, not 0"),
        ([0.5], [1], 1.5, r"bins must be a whole number of at least 1, not 1\.5"),
    ],
)
def test_calibration_errors_refuse(metric, confidence, correct, bins, message):
    with pytest.raises(ValueError, match=message):
        metric(confidence, correct, bins=bins)


def test_a_float32_softmax_may_end_above_one():
    assert calibration.ece([1 + 1e-7], [1]) == 0.0


@st.composite
def classified(draw, size=50.0):
    n, classes = draw(st.integers(1, 8)), draw(st.integers(2, 5))
    row = st.lists(st.floats(-size, size), min_size=classes, max_size=classes)
    labels = st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)
    return np.array(draw(st.lists(row, min_size=n, max_size=n))), np.array(draw(labels))


@quick
@given(classified())
def test_softmax_and_nll_from_the_definition(case):
    logits, labels = case
    p = calibration.softmax(logits)
    losses = []
    for row, got, label in zip(logits.tolist(), p.tolist(), labels.tolist(), strict=True):
        powers = [math.exp(z) for z in row]
        assert got == pytest.approx([x / math.fsum(powers) for x in powers])
        losses.append(math.log(math.fsum(powers)) - row[label])
    nll = calibration.nll(logits, labels)
    assert type(nll) is float
    assert nll == pytest.approx(math.fsum(losses) / len(losses), abs=1e-9)
    assert calibration.nll_per_sample(logits, labels) == pytest.approx(losses, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_nll_and_brier_equal_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(60, 4)) * 3, rng.integers(0, 4, 60)
    p = calibration.softmax(logits)
    assert calibration.nll(logits, labels) == pytest.approx(log_loss(labels, p, labels=range(4)))
    assert calibration.brier(p, labels) == pytest.approx(brier_score_loss(labels, p, labels=range(4), scale_by_half=False))


@pytest.mark.parametrize("size", [1e3, 1e6, 1e15])
def test_huge_logits(size):
    logits = np.array([[size, 0.0, -size], [0.0, size, 0.0]])
    assert calibration.softmax(logits).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert calibration.nll(logits, np.array([0, 1])) == 0.0
    assert calibration.nll(logits, np.array([2, 1])) == pytest.approx(size)
    assert calibration.softmax(np.full((1, 4), size)).tolist() == [[0.25] * 4]


def test_softmax_temperature_and_float32():
    z = np.array([[1.0, 3.0]], dtype=np.float32)
    assert calibration.softmax(z, temperature=2.0).dtype == np.float64
    assert calibration.softmax(z, temperature=2.0)[0, 1] == pytest.approx(1 / (1 + math.exp(-1)))
    with pytest.raises(ValueError, match=r"temperature must be a finite number above 0, not 0\.0"):
        calibration.softmax(z, temperature=0)


@quick
@given(classified(size=5.0))
def test_brier_from_the_definition(case):
    logits, labels = case
    p = calibration.softmax(logits)
    terms = [sum((x - (c == y)) ** 2 for c, x in enumerate(row)) for row, y in zip(p.tolist(), labels.tolist(), strict=True)]
    assert calibration.brier(p, labels) == pytest.approx(math.fsum(terms) / len(terms), abs=1e-12)
    assert calibration.brier_per_sample(p, labels) == pytest.approx(terms, abs=1e-12)


def test_brier_range_and_input_untouched():
    p = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert calibration.brier(p, np.array([0, 0])) == 0.0
    assert calibration.brier(p, np.array([1, 1])) == 2.0
    assert p.tolist() == [[1, 0], [1, 0]]
    with pytest.raises(ValueError, match=r"probabilities must be in \[0, 1\] with rows that sum to 1; found 0 to 2, sums off by 1"):
        calibration.brier([[2.0, 0.0]], np.array([0]))
    with pytest.raises(ValueError, match=r"sums off by 0.1"):
        calibration.brier([[0.5, 0.4]], np.array([0]))


@pytest.mark.parametrize("function", [calibration.nll, calibration.brier, temperature.fit_temperature])
def test_labelled_metrics_refuse(function):
    with pytest.raises(ValueError, match="labels must be 0 to 1; found 0 to 2"):
        function(np.full((2, 2), 0.5), np.array([0, 2]))
    with pytest.raises(ValueError, match=r"1 of 2 values in (logits|probabilities) are NaN or infinite"):
        function(np.array([[0.5, math.nan]]), np.array([0]))
    with pytest.raises(ValueError, match="must have 2 dimensions"):
        function(np.array([0.5, 0.5]), np.array([0]))


@quick
@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.integers(0, 2**63 - 1))
def test_halves_are_stratified_and_disjoint(labels, seed):
    labels = np.array(labels)
    fit, held = calibration.halves(labels, seed=seed)
    assert sorted([*fit.tolist(), *held.tolist()]) == list(range(labels.size))
    assert abs(fit.size - held.size) <= 1
    for c in range(5):
        assert abs(int((labels[fit] == c).sum()) - int((labels[held] == c).sum())) <= 1
    again = calibration.halves(labels, seed=seed)
    assert fit.tolist() == again[0].tolist() == sorted(fit.tolist())


def test_halves_depend_on_the_seed_and_need_two():
    labels = np.arange(40) % 4
    assert calibration.halves(labels, seed=1)[0].tolist() != calibration.halves(labels, seed=2)[0].tolist()
    with pytest.raises(ValueError, match="two halves need at least 2 samples; labels have 1"):
        calibration.halves(np.array([0]), seed=0)
    with pytest.raises(ValueError, match="labels must be 0 or more; found -1 to 3"):
        calibration.halves(np.array([-1, 3]), seed=0)


def sampled(n, scale, seed=0):
    """Labels drawn from softmax(z), logits scale * z: the right temperature is `scale`."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 5)) * 2
    labels = np.array([rng.choice(5, p=p) for p in calibration.softmax(z)])
    return z * scale, labels


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_fit_temperature_finds_the_scale(scale):
    logits, labels = sampled(4000, scale)
    fit = temperature.fit_temperature(logits, labels)
    assert fit.at_bound is None
    assert fit.value == pytest.approx(scale, rel=0.06)
    assert fit.nll_before == pytest.approx(calibration.nll(logits, labels))
    assert fit.nll_after == pytest.approx(calibration.nll(logits / fit.value, labels))
    grid = np.geomspace(0.05, 20, 400)
    assert fit.nll_after <= min(calibration.nll(logits / t, labels) for t in grid) + 1e-12


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0, 300.0])
def test_the_interval_of_a_temperature_is_that_of_refits(scale, monkeypatch):
    logits, labels = sampled(400, scale)
    refitted = temperature.temperature_interval(logits, labels, seed=3, resamples=60)
    value = temperature.fit_temperature(logits, labels).value
    assert refitted[0] <= value <= refitted[1]
    monkeypatch.setattr(temperature, "SMALL", 0)
    monkeypatch.setattr(temperature, "_refitted", None)
    assert temperature.temperature_interval(logits, labels, seed=3, resamples=60) == pytest.approx(refitted, rel=1e-6)


def test_the_interval_of_a_temperature_at_chance_ends_at_the_bound(monkeypatch):
    monkeypatch.setattr(temperature, "SMALL", 0)
    rng = np.random.default_rng(0)
    low, high = temperature.temperature_interval(rng.normal(size=(300, 5)) * 50, rng.integers(0, 5, 300), seed=0, resamples=20)
    assert (low, high) == pytest.approx((20.0, 20.0))


@quick
@given(classified(size=30.0))
def test_fit_temperature_beats_the_grid(case):
    logits, labels = case
    fit = temperature.fit_temperature(logits, labels, low=0.1, high=10.0)
    best = min(calibration.nll(logits / t, labels) for t in np.geomspace(0.1, 10, 60))
    assert fit.nll_after <= best + 1e-9 * (1 + best)
    assert 0.1 <= fit.value <= 10.0
    assert fit.nll_after <= fit.nll_before + 1e-9 * (1 + fit.nll_before)
    assert (fit.at_bound is None) or fit.value == {"low": 0.1, "high": 10.0}[fit.at_bound]


def test_fit_temperature_names_the_bound():
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    right = temperature.fit_temperature(logits, np.array([0, 1]))
    wrong = temperature.fit_temperature(logits, np.array([1, 0]))
    assert (right.value, right.at_bound) == (0.05, "low")
    assert (wrong.value, wrong.at_bound) == (20.0, "high")
    assert wrong.nll_after < wrong.nll_before


def test_fit_temperature_by_hand():
    # logit gap 2, right 3 times in 4: sigmoid(2 / T) = 3/4, so T = 2 / log 3
    fit = temperature.fit_temperature(np.array([[2.0, 0.0]] * 4), np.array([0, 0, 0, 1]))
    assert fit.value == pytest.approx(2 / math.log(3), rel=1e-8)
    # a constant on a row changes nothing, whatever its size
    moved = temperature.fit_temperature(np.array([[2.0, 0.0]] * 4) + 1e6, np.array([0, 0, 0, 1]))
    assert moved.value == pytest.approx(fit.value, rel=1e-8)


def test_fit_temperature_of_equal_logits_is_one():
    fit = temperature.fit_temperature(np.full((3, 4), 7.0), np.array([0, 1, 2]))
    assert (fit.value, fit.at_bound) == (1.0, None)
    assert fit.nll_before == fit.nll_after == pytest.approx(math.log(4))


def test_fit_temperature_refuses_bad_bounds():
    logits, labels = np.eye(2), np.array([0, 1])
    with pytest.raises(ValueError, match=r"low must be below high; got 3\.0 and 2\.0"):
        temperature.fit_temperature(logits, labels, low=3, high=2)
    with pytest.raises(ValueError, match=r"low must be a finite number above 0, not 0\.0"):
        temperature.fit_temperature(logits, labels, low=0)
