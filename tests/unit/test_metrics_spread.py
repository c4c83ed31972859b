"""Spread over choices, against sorting and worked examples."""

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics import spread

quick = settings(derandomize=True, deadline=None, max_examples=60)
values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)


@quick
@given(values)
def test_from_the_sorted_values(given_values):
    ordered = sorted(given_values)
    assert spread.spread(given_values) == ordered[-1] - ordered[0]
    assert spread.worst(given_values, better="higher") == ordered[0]
    assert spread.worst(given_values, better="lower") == ordered[-1]
    for better in ("higher", "lower"):
        assert spread.worst_index(given_values, better=better) == given_values.index(spread.worst(given_values, better=better))


@quick
@given(values, st.floats(-1e6, 1e6))
def test_another_choice_never_narrows_it(given_values, more):
    assert spread.spread([*given_values, more]) >= spread.spread(given_values)


@quick
@given(values, st.floats(-1e3, 1e3), st.floats(0, 100))
def test_deviation_ignores_a_shift_and_follows_a_scale(given_values, shift, scale):
    moved = [scale * v + shift for v in given_values]
    assert spread.deviation(moved) == pytest.approx(scale * spread.deviation(given_values), abs=1e-6, rel=1e-6)
    assert spread.deviation(given_values) <= spread.spread(given_values) / 2 * (1 + 1e-9)
    assert spread.deviation(given_values) == pytest.approx(statistics.pstdev(given_values), abs=1e-9, rel=1e-9)


def test_deviation_by_hand():
    assert spread.deviation([0.5, 0.7]) == pytest.approx(0.1)
    assert spread.deviation([0.6] * 5) == pytest.approx(0)
    assert math.isnan(spread.deviation([0.6]))
    with pytest.raises(ValueError, match="NaN"):
        spread.deviation([0.1, math.nan])
    assert type(spread.deviation([1, 2])) is float


def test_by_hand():
    accuracy_by_prompts = [0.62, 0.58, 0.66]
    assert spread.spread(accuracy_by_prompts) == pytest.approx(0.08)
    assert spread.worst(accuracy_by_prompts, better="higher") == 0.58
    assert spread.worst_index(accuracy_by_prompts, better="higher") == 1
    assert spread.worst_index([0.1, 0.3, 0.3], better="lower") == 1
    assert type(spread.spread([1, 2])) is float
    assert type(spread.worst([1, 2], better="lower")) is float
    assert type(spread.worst_index([1, 2], better="lower")) is int


def test_one_choice_has_no_spread_but_a_worst_value():
    assert math.isnan(spread.spread([0.9]))
    assert spread.worst([0.9], better="higher") == 0.9


def test_refuses():
    with pytest.raises(ValueError, match="1 of 2 values in values are NaN or infinite"):
        spread.spread([0.5, math.nan])
    with pytest.raises(ValueError, match=r"values is empty: shape \(0,\)"):
        spread.worst([], better="higher")
    with pytest.raises(ValueError, match="better must be 'higher' or 'lower', not 'none'"):
        spread.worst([0.5], better="none")
