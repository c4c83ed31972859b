"""Drops on exact numbers: nothing is rounded away, and nothing is a drop that a person would not call one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip.gates.exact import NOISE, drop_of, share_of
from pytest_clip.gates.regression import regress

cents = st.integers(0, 10**6).map(lambda n: n / 10**6)


@given(cents, cents)
def test_a_drop_is_that_of_the_decimals(base, value):
    for sign in (-1, 1):
        expected = sign * (Decimal(repr(value)) - Decimal(repr(base)))
        assert drop_of(base, value, sign=sign, allowed=7.0) == float(expected)


@given(cents, st.integers(0, 100))
def test_a_share_is_that_of_the_decimals(whole, percent):
    assert share_of(percent / 100, -whole) == float(Decimal(percent) * Decimal(repr(whole)) / 100)


@given(st.floats(1e-12, 1e6), st.floats(0, 1))
def test_the_last_digits_are_no_drop_and_more_is(base, part):
    assert drop_of(base, base * (1 - part * NOISE / 2), sign=-1, allowed=0.0) == 0.0
    assert drop_of(base, base * (1 - 3 * NOISE), sign=-1, allowed=0.0) > 0


@pytest.mark.parametrize(
    ("base", "value", "allowed", "status"),
    [
        (0.9, 0.88, 0.02, "pass"),  # the difference of the floats is 0.020000000000000018
        (0.9, 0.8799999999, 0.02, "fail"),
        (0.3, 0.1, 0.2, "pass"),
        (1e-11, 5e-11, share_of(0.05, 1e-11), "fail"),  # five times as much; both were 0 when drops were rounded to ten digits
        (1e-11, 1.05e-11, share_of(0.05, 1e-11), "pass"),
        (1e-11, 1.06e-11, share_of(0.05, 1e-11), "fail"),
        (2e11, 2.1e11, 1e10, "pass"),
        (0.1 + 0.2, 0.3, 0.0, "pass"),
    ],
)
def test_verdicts_on_the_border(base, value, allowed, status):
    better = "higher" if value < base else "lower"
    found = regress(None, None, gate="own/a", base_value=base, value=value, better=better, allowed=allowed)
    assert (found.status, found.allowed) == (status, allowed)
