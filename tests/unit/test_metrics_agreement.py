"""Agreement against scikit-learn and worked examples; undecided and constant answers never look perfect."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, cohen_kappa_score

from pytest_clip.metrics import agreement

quick = settings(derandomize=True, deadline=None, max_examples=60)
pairs = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1, max_size=25)


def columns(rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@quick
@given(st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=8))
def test_predictions_are_the_one_best_class(rows):
    expected = [row.index(max(row)) if sorted(row)[-1] > sorted(row)[-2] else -1 for row in rows]
    assert agreement.predictions(np.array(rows, dtype=np.float32)).tolist() == expected


@quick
@given(pairs)
def test_undecided_never_agrees(rows):
    first, second = columns(rows)
    expected = [a == b != -1 for a, b in rows]
    assert agreement.agree(first, second).tolist() == expected
    assert agreement.agreement(first, second) == sum(expected) / len(expected)
    assert agreement.agreement(first, second) + agreement.flip_rate(first, second) == pytest.approx(1)


@quick
@given(pairs.map(lambda rows: [(max(a, 0), max(b, 0)) for a, b in rows]))
def test_equals_scikit_learn_when_all_is_decided(rows):
    first, second = columns(rows)
    assert agreement.agreement(first, second) == pytest.approx(accuracy_score(first, second))
    if len({*first, *second}) == 1:
        assert math.isnan(agreement.kappa(first, second))
    else:
        assert agreement.kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_by_hand():
    first, second = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert agreement.agreement(first, second) == 0.75
    assert agreement.flip_rate(first, second) == 0.25
    # chance: class 0 in 2/4 and 1/4, class 1 in 2/4 and 3/4 -> 1/8 + 3/8 = 1/2, so (3/4 - 1/2) / (1/2)
    assert agreement.kappa(first, second) == 0.5
    assert [type(f(first, second)) for f in (agreement.agreement, agreement.flip_rate, agreement.kappa)] == [float] * 3


def test_a_collapsed_model_does_not_agree_with_itself():
    undecided = agreement.predictions(np.full((5, 3), 0.2))
    assert undecided.tolist() == [-1] * 5
    assert agreement.agreement(undecided, undecided) == 0.0
    assert agreement.flip_rate(undecided, undecided) == 1.0
    assert agreement.kappa(undecided, undecided) == 0.0


def test_a_constant_answer_agrees_but_has_no_kappa():
    always = np.full(6, 2)
    assert agreement.agreement(always, always) == 1.0
    assert math.isnan(agreement.kappa(always, always))


@pytest.mark.parametrize("metric", [agreement.agree, agreement.agreement, agreement.flip_rate, agreement.kappa])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([], [], r"first is empty: shape \(0,\)"),
        ([0, 1], [0], "second has 1 values where 2 are needed"),
        ([0.0, math.nan], [0, 1], "first must hold integers, not float64"),
        ([0, 1], [0, -2], "second must be a class number or -1 for undecided; found -2"),
        ([[0]], [0], r"first must have 1 dimension, not shape \(1, 1\)"),
    ],
)
def test_refuses(metric, first, second, message):
    with pytest.raises(ValueError, match=message):
        metric(np.array(first), np.array(second))


def test_predictions_refuse_nan():
    with pytest.raises(ValueError, match="1 of 2 values in scores are NaN or infinite"):
        agreement.predictions([[0.5, math.nan]])
