"""Accuracy and factor metrics against scikit-learn, a pencil-and-paper oracle and worked examples."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, top_k_accuracy_score

from pytest_clip.metrics import accuracy, factors
from pytest_clip.metrics.intervals import bootstrap, ratio_interval, wilson

quick = settings(derandomize=True, deadline=None, max_examples=80)


@st.composite
def answers(draw, low=-3, high=3):
    """Scores with many ties, labels, k."""
    n, classes = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    cells = st.lists(st.integers(low, high), min_size=classes, max_size=classes)
    scores = np.array(draw(st.lists(cells, min_size=n, max_size=n)), dtype=np.float64)
    labels = np.array(draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)))
    return scores, labels, draw(st.integers(1, classes))


@quick
@given(answers())
def test_top_k_ranks_ties_against_the_label(case):
    scores, labels, k = case
    expected = []
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        order = sorted(range(len(row)), key=lambda c: (-row[c], c == label))  # best first, the label last among its equals
        expected.append(order.index(label) < k)
    got = accuracy.top_k(scores, labels, k=k)
    assert got.dtype == np.bool_
    assert got.tolist() == expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_equals_scikit_learn_without_ties(seed, k):
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(50, 7)).astype(np.float32), rng.integers(0, 7, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = top_k_accuracy_score(labels, scores, k=k, labels=range(7))
    assert accuracy.top_k(scores, labels, k=k).mean() == pytest.approx(expected)


def test_a_collapsed_model_is_never_right():
    scores, labels = np.full((6, 3), 0.25), np.array([0, 0, 1, 1, 2, 2])
    assert not accuracy.top_k(scores, labels, k=1).any()
    assert not accuracy.top_k(scores, labels, k=2).any()
    assert accuracy.top_k(scores, labels, k=3).all()


def test_top_k_by_hand():
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 2.0], [2.0, 1.0, 0.0]])
    assert accuracy.top_k(scores, np.array([0, 1, 1]), k=1).tolist() == [True, False, False]
    assert accuracy.top_k(scores, np.array([0, 1, 1]), k=2).tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("scores", "labels", "k", "message"),
    [
        (np.zeros((2, 3)), [0, 1], 5, "top-5 accuracy needs at least 5 classes; scores have 3"),
        (np.zeros((2, 3)), [0, 1], 0, "k must be a whole number of at least 1, not 0"),
        (np.zeros((2, 3)), [0, 3], 1, "labels must be 0 to 2; found 0 to 3"),
        (np.zeros((2, 3)), [0, -1], 1, "labels must be 0 to 2; found -1 to 0"),
        (np.zeros((2, 3)), [0], 1, "labels has 1 values where 2 are needed"),
        (np.zeros((2, 3)), [0.0, 1.0], 1, "labels must hold integers, not float64"),
        (np.zeros((2, 3)), [[0, 1]], 1, r"labels must have 1 dimension, not shape \(1, 2\)"),
        (np.zeros(3), [0], 1, r"scores must have 2 dimensions, not shape \(3,\)"),
        (np.zeros((0, 3)), [], 1, r"scores is empty: shape \(0, 3\)"),
        (np.array([[1.0, math.nan], [math.inf, 0.0]]), [0, 1], 1, "2 of 4 values in scores are NaN or infinite"),
        (np.array([["a", "b"]]), [0], 1, "scores must hold numbers, not <U1"),
    ],
)
def test_top_k_refuses(scores, labels, k, message):
    with pytest.raises(ValueError, match=message):
        accuracy.top_k(scores, np.array(labels), k=k)


@quick
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=30))
def test_mean_per_class_is_balanced_accuracy(pairs):
    correct, labels = (np.array(column) for column in zip(*pairs, strict=True))
    predicted = np.where(correct, labels, 99)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 99 is no class
        expected = balanced_accuracy_score(labels, predicted)
    got = accuracy.mean_per_class(correct, labels, classes=5)
    assert type(got) is float
    assert got == pytest.approx(expected)


def test_mean_per_class_by_hand():
    # class 0: 1 of 3, class 2: 1 of 1, class 1 absent -> (1/3 + 1) / 2, where the plain accuracy is 1/2
    assert accuracy.mean_per_class([1, 0, 0, 1], np.array([0, 0, 0, 2]), classes=3) == pytest.approx(2 / 3)


def images_of(hits, sizes):
    """Outcomes and labels of classes with so many images, of which so many are right."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.concatenate([np.arange(n) < k for k, n in zip(hits, sizes, strict=True)]), labels


classes_with_images = st.lists(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=40)


@quick
@given(classes_with_images, st.sampled_from([0.8, 0.95]))
def test_interval_of_mean_per_class_holds_it_and_is_never_a_point(rows, level):
    correct, labels = images_of(*zip(*rows, strict=True))
    low, high = accuracy.mean_per_class_interval(correct, labels, classes=50, level=level)
    assert 0 <= low <= accuracy.mean_per_class(correct, labels, classes=50) <= high <= 1
    assert high - low > 1e-3
    assert [type(low), type(high)] == [float, float]


@quick
@given(st.integers(1, 40), st.integers(1, 20).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_of_equally_hard_classes_of_one_size_is_wilsons(classes, row):
    k, n = row
    got = accuracy.mean_per_class_interval(*images_of([k] * classes, [n] * classes), classes=classes)
    assert got == pytest.approx(wilson(k * classes, n * classes), abs=1e-9)


def test_interval_of_mean_per_class_by_the_written_formula():
    """Two classes, 190 and 10 images, with 184 and 6 right."""
    z2 = 1.959963984540054**2
    mean, equal = (184 / 190 + 6 / 10) / 2, 4 / (1 / 190 + 1 / 10)
    middle, variance = (mean * equal + z2 / 2) / (equal + z2), 0.0
    for k, n, h in ((184, 190, (1 / 190) / (1 / 190 + 1 / 10)), (6, 10, (1 / 10) / (1 / 190 + 1 / 10))):
        share = (k + 2 * middle + z2 * h / 2) / (n + 2 + z2 * h)
        variance += share * (1 - share) / n / 4
    n = middle * (1 - middle) / variance
    centre, reach = (mean + z2 / (2 * n)) / (1 + z2 / n), math.sqrt(z2 * (mean * (1 - mean) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    got = accuracy.mean_per_class_interval(*images_of([184, 6], [190, 10]), classes=2)
    assert got == pytest.approx((centre - reach, centre + reach), abs=1e-9)


def test_interval_covers_where_hard_classes_are_rare():
    """20 easy classes of 200 images, 80 hard ones of 2: a bootstrap of images loses these, and its interval excludes the value."""
    sizes, shares = np.array([200] * 20 + [2] * 80), np.array([0.95] * 20 + [0.03] * 80)
    rng, truth, covered, excluded = np.random.default_rng(0), shares.mean(), 0, 0
    for seed in range(300):
        correct, labels = images_of(rng.binomial(sizes, shares), sizes)
        low, high = accuracy.mean_per_class_interval(correct, labels, classes=100)
        covered += low <= truth <= high
        if seed < 20:
            low, high = bootstrap(lambda r, y: accuracy.mean_per_class(r, y, classes=100), correct, labels, seed=seed, resamples=200)
            excluded += not low <= accuracy.mean_per_class(correct, labels, classes=100) <= high
    assert covered >= 285
    assert excluded >= 8


@quick
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.lists(st.booleans(), min_size=1, max_size=30))
def test_interval_of_an_error_ratio_to_all_images(part, rest):
    low, high = factors.part_error_ratio_interval(part, rest)
    if not any(part) and not any(rest):
        assert math.isnan(low)
        assert math.isnan(high)
        return
    ratio = np.mean(part) / np.mean([*part, *rest])
    assert 0 <= low <= ratio + 1e-9
    assert ratio - 1e-9 <= high <= (len(part) + len(rest)) / len(part) + 1e-9
    assert low < high
    if any(part) and any(rest):  # the ratio to the rest, carried over
        weight, ends = len(part) / (len(part) + len(rest)), ratio_interval(part, rest, paired=False)
        over = [1 / (weight + (1 - weight) / end) if end > 0 else 0.0 for end in ends]
        assert over[0] - 1e-9 <= ratio <= over[1] + 1e-9


@pytest.mark.parametrize(
    ("correct", "labels", "message"),
    [
        ([1, 2], [0, 0], "correct must be True/False or 0/1; 1 of 2 values are neither"),
        ([1], [0, 0], "labels has 2 values where 1 are needed"),
        ([1, 0], [0, 3], "labels must be 0 to 2; found 0 to 3"),
        ([], [], "correct is empty"),
        ([1.0, math.nan], [0, 0], "1 of 2 values in correct are NaN"),
    ],
)
def test_mean_per_class_refuses(correct, labels, message):
    with pytest.raises(ValueError, match=message):
        accuracy.mean_per_class(np.array(correct), np.array(labels), classes=3)


def test_relative():
    assert accuracy.relative(0.3, 0.6) == pytest.approx(0.5)
    assert accuracy.relative(0.6, 0.5) == pytest.approx(1.2)
    assert math.isnan(accuracy.relative(0.0, 0.0))
    with pytest.raises(ValueError, match=r"clean must be between 0 and 1, not 62\.0"):
        accuracy.relative(0.3, 62)
    with pytest.raises(ValueError, match="shift must be between 0 and 1, not nan"):
        accuracy.relative(math.nan, 0.5)


def test_error_ratio():
    assert factors.error_ratio(0.6, 0.8) == pytest.approx(2.0)
    assert factors.error_ratio(0.8, 0.8) == 1.0
    assert factors.error_ratio(1.0, 0.9) == 0.0
    assert math.isnan(factors.error_ratio(1.0, 1.0))
    with pytest.raises(ValueError, match=r"overall_accuracy must be between 0 and 1, not 1\.5"):
        factors.error_ratio(0.5, 1.5)
    with pytest.raises(ValueError, match="factor_accuracy must be between 0 and 1, not nan"):
        factors.error_ratio(math.nan, 0.5)


@quick
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_paired_drop_is_the_mean_of_the_differences(pairs):
    got = factors.paired_drop([a for a, _ in pairs], [b for _, b in pairs])
    assert type(got) is float
    assert got == pytest.approx(math.fsum(int(a) - int(b) for a, b in pairs) / len(pairs))


def test_paired_drop_by_hand_and_errors():
    assert factors.paired_drop([1, 1, 1, 0], [1, 0, 0, 1]) == 0.25
    with pytest.raises(ValueError, match="factor has 3 values where 2 are needed"):
        factors.paired_drop([1, 0], [1, 0, 1])
    with pytest.raises(ValueError, match="clean is empty"):
        factors.paired_drop([], [])
