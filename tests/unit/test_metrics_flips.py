"""Flip lists: Fisher's test and odds ratios against scipy and by hand, and where a planted concentration is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from pytest_clip.metrics.flips import fisher_greater, flips, odds_ratio
from pytest_clip.metrics.holm import holm

quick = settings(derandomize=True, deadline=None, max_examples=100)


@quick
@given(*[st.integers(0, 40)] * 4)
def test_fisher_equals_scipy(a, b, c, d):
    expected = fisher_exact([[a, b], [c, d]], alternative="greater").pvalue
    assert fisher_greater(a, a + b, a + c, a + b + c + d) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("counts", [(3, 2, 4, 10), (3, 4, 2, 10), (1, 5, 9, 10), (0, 11, 0, 10), (0, 9, 3, 10)])
def test_fisher_refuses_impossible_counts(counts):
    with pytest.raises(ValueError, match="are no counts of a part and its whole"):
        fisher_greater(*counts)


def test_odds_ratio_has_half_a_count_more_everywhere():
    assert odds_ratio(3, 10, 5, 40) == pytest.approx((3.5 * 28.5) / (7.5 * 2.5))
    assert odds_ratio(2, 2, 2, 10) == pytest.approx((2.5 * 8.5) / (0.5 * 0.5))
    assert odds_ratio(0, 0, 0, 0) == 1.0


BASE = np.array([1, 1, 1, 1, 1, 0, 0, 1], dtype=bool)
NOW = np.array([0, 0, 1, 1, 1, 1, 0, 1], dtype=bool)
IDS = tuple("abcdefgh")


def test_lists_what_went_wrong_and_right():
    found = flips(BASE, NOW, ids=IDS)
    assert (found.worse, found.better, found.at_risk, found.groups) == (("a", "b"), ("f",), 6, ())


def test_groups_count_only_what_could_go_wrong():
    found = flips(BASE, NOW, ids=IDS, facts={"class": tuple("xxxyyxxy"), "pose": ("front",) * 8})
    [group] = found.groups  # y lost nothing; pose is the same everywhere
    assert (group.fact, group.value, group.worse, group.at_risk) == ("class", "x", 2, 3)
    assert group.odds_ratio == pytest.approx(odds_ratio(2, 3, 2, 6))
    assert group.p == pytest.approx(min(1, 2 * fisher_exact([[2, 1], [0, 3]], alternative="greater").pvalue))
    assert found.concentrated() == ()


def test_a_planted_concentration_stands_out_alone():
    rng = np.random.default_rng(0)
    n = 1000
    colour, kind = rng.integers(8, size=n).astype(str), rng.integers(19, size=n).astype(str)
    base = rng.random(n) < 0.9
    now = base & (rng.random(n) > np.where(colour == "3", 0.30, 0.03))
    found = flips(base, now, ids=[str(i) for i in range(n)], facts={"colour": colour, "class": kind})
    [group] = found.concentrated()
    assert (group.fact, group.value) == ("colour", "3")
    assert group is found.groups[0]
    assert group.worse == np.sum(base & ~now & (colour == "3"))
    assert len(found.worse) == np.sum(base & ~now)
    raw = {}
    for name, column in (("colour", colour), ("class", kind)):
        for value in np.unique(column):
            here = column == value
            counts = [np.sum(base & ~now & here), np.sum(base & here), np.sum(base & ~now), np.sum(base)]
            raw[name, value] = fisher_greater(*counts)
    adjusted = holm(raw)
    assert {(g.fact, g.value): g.p for g in found.groups} == pytest.approx({key: adjusted[key] for key in adjusted if
            np.any((colour if key[0] == "colour" else kind)[base & ~now] == key[1])})  # fmt: skip


def test_losses_spread_evenly_stand_out_nowhere():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(100):
        base = rng.random(300) < 0.9
        now = base & (rng.random(300) > 0.1)
        facts = {"class": rng.integers(19, size=300).astype(str), "pose": rng.integers(4, size=300).astype(str)}
        alarms += bool(flips(base, now, ids=[""] * 300, facts=facts).concentrated())
    assert alarms <= 10


@pytest.mark.parametrize("base", [np.ones(4), np.zeros(4)])
def test_nothing_changed(base):
    found = flips(base, base, ids="abcd", facts={"class": "xxyy"})
    assert (found.worse, found.better, found.groups) == ((), (), ())


def test_refuses_columns_of_another_length():
    with pytest.raises(ValueError, match="pose has 2 values where 8 are needed, one per sample"):
        flips(BASE, NOW, ids=IDS, facts={"pose": "xy"})
    with pytest.raises(ValueError, match="ids has 2 values where 8 are needed"):
        flips(BASE, NOW, ids="ab")
    with pytest.raises(ValueError, match="now has 4 values where 8 are needed"):
        flips(BASE, NOW[:4], ids=IDS)
    with pytest.raises(ValueError, match="base is empty"):
        flips([], [], ids=[])
    with pytest.raises(ValueError, match="base must be True/False or 0/1; 1 of 2 values are neither"):
        flips([0.5, 1], [0, 1], ids="ab")
