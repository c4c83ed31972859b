"""Shape bias against a brute-force oracle, the published member counts and counts, and worked examples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics import shape_bias

quick = settings(derandomize=True, deadline=None, max_examples=80)


@st.composite
def grouped(draw):
    """Probabilities with ties over up to 7 classes, some of them dealt to groups."""
    classes = draw(st.integers(1, 7))
    owner = draw(st.lists(st.integers(-1, 3), min_size=classes, max_size=classes).filter(lambda o: max(o) >= 0))
    groups = [[c for c in range(classes) if owner[c] == j] for j in sorted({j for j in owner if j >= 0})]
    parts = st.lists(st.integers(0, 4), min_size=classes, max_size=classes).filter(any)
    rows = draw(st.lists(parts, min_size=1, max_size=6))
    return rows, groups


@quick
@given(grouped())
def test_groups_weigh_by_their_mean(case):
    rows, groups = case
    probabilities = np.array([[part / sum(row) for part in row] for row in rows])
    means = shape_bias.group_probabilities(probabilities, groups=groups)
    chosen = shape_bias.decisions(probabilities, groups=groups)
    assert chosen.dtype == np.int64
    for row, mean, choice in zip(rows, means, chosen.tolist(), strict=True):
        lcm = math.lcm(*(len(group) for group in groups))
        exact = [sum(row[c] for c in group) * lcm // len(group) for group in groups]  # whole numbers: ties are ties
        assert mean.tolist() == pytest.approx([value / lcm / sum(row) for value in exact])
        best = [j for j, value in enumerate(exact) if value == max(exact)]
        assert choice == (best[0] if len(best) == 1 else -1)


def test_the_mean_and_not_the_sum_or_the_maximum_decides():
    probabilities = np.array([[0.28, 0.30, 0.02, 0.40 / 3, 0.40 / 3, 0.40 / 3]])
    groups = [[0], [1, 2], [3, 4, 5]]  # means .28, .16, .133; the maximum would take group 1, the sum group 2
    assert shape_bias.decisions(probabilities, groups=groups).tolist() == [0]


cue_rows = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@quick
@given(cue_rows)
def test_counts_from_a_loop(rows):
    decided, shape, texture = (np.array(column) for column in zip(*rows, strict=True))
    conflicts = [row for row in rows if row[1] != row[2]]
    by_shape, by_texture = sum(d == s for d, s, _ in conflicts), sum(d == t for d, _, t in conflicts)
    got = shape_bias.cues(decided, shape=shape, texture=texture)
    assert got == shape_bias.Cues(by_shape, by_texture, len(conflicts))
    bias = shape_bias.shape_bias(decided, shape=shape, texture=texture)
    fraction = shape_bias.decided_fraction(decided, shape=shape, texture=texture)
    hits = by_shape + by_texture
    assert bias == pytest.approx(by_shape / hits if hits else math.nan, nan_ok=True)
    assert fraction == pytest.approx(hits / len(conflicts) if conflicts else math.nan, nan_ok=True)
    assert type(bias) is type(fraction) is float
    each = shape_bias.per_class(decided, shape=shape, texture=texture, classes=4)
    assert each == tuple(
        shape_bias.Cues(sum(d == s for d, s, _ in own), sum(d == t for d, _, t in own), len(own))
        for own in ([row for row in conflicts if row[1] == c] for c in range(4))
    )
    swapped = shape_bias.cues(decided, shape=texture, texture=shape)
    assert (swapped.shape, swapped.texture) == (got.texture, got.shape)


def test_by_hand():
    #                 shape  shape  texture  neither  undecided  no conflict
    decided = np.array([0, 1, 1, 2, -1, 2])
    shape = np.array([0, 1, 0, 0, 0, 2])
    texture = np.array([1, 0, 1, 1, 1, 2])
    assert shape_bias.cues(decided, shape=shape, texture=texture) == shape_bias.Cues(shape=2, texture=1, n=5)
    assert shape_bias.shape_bias(decided, shape=shape, texture=texture) == pytest.approx(2 / 3)
    assert shape_bias.decided_fraction(decided, shape=shape, texture=texture) == pytest.approx(3 / 5)
    rows = shape_bias.per_class(decided, shape=shape, texture=texture, classes=3)
    assert rows == (shape_bias.Cues(1, 1, 4), shape_bias.Cues(1, 0, 1), shape_bias.Cues(0, 0, 0))
    assert [row.bias for row in rows[:2]] == [0.5, 1.0]
    assert math.isnan(rows[2].bias)
    assert math.isnan(rows[2].decided)


@pytest.mark.parametrize(
    ("shape", "texture", "bias", "decided"),
    [(421, 485, 0.4647, 0.755), (313, 425, 0.4241, None)],  # CLIP ViT-B-16 and convnext_base on LAION-400M, 1,200 stimuli
)
def test_published_counts(shape, texture, bias, decided):
    counted = shape_bias.Cues(shape, texture, 1200)
    assert round(counted.bias, 4) == bias
    assert decided is None or round(counted.decided, 3) == decided


def test_a_collapsed_model_decides_nothing():
    uniform, sizes = np.full((4, 207), 1 / 207), [1, 4, 2, 49, 5, 7, 3, 6, 4, 3, 109, 2, 2, 1, 1, 8]  # members of the 16 classes
    ends = np.cumsum(sizes)
    groups = [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    decided = shape_bias.decisions(uniform, groups=groups)
    assert decided.tolist() == [-1] * 4
    shape, texture = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])
    assert math.isnan(shape_bias.shape_bias(decided, shape=shape, texture=texture))
    assert shape_bias.decided_fraction(decided, shape=shape, texture=texture) == 0.0


def test_one_group_is_no_conflict():
    decided = shape_bias.decisions([[0.5, 0.5]], groups=[[0, 1]])
    assert decided.tolist() == [0]
    assert math.isnan(shape_bias.decided_fraction(decided, shape=[0], texture=[0]))


@pytest.mark.parametrize(
    ("probabilities", "groups", "message"),
    [
        ([[5.0, 2.0]], [[0], [1]], "must be in .0, 1. with rows that sum to 1; found 2 to 5, sums off by 6"),
        ([[0.5, math.nan]], [[0], [1]], "1 of 2 values in probabilities are NaN"),
        (np.zeros((0, 2)), [[0], [1]], r"probabilities is empty: shape \(0, 2\)"),
        ([[0.5, 0.5]], [], "groups is empty"),
        ([[0.5, 0.5]], [[0], np.zeros(0, dtype=int)], r"groups\[1\] is empty: shape \(0,\)"),
        ([[0.5, 0.5]], [[0], [2]], r"groups\[1\] must be 0 to 1; found 2 to 2"),
        ([[0.5, 0.5]], [[0, 1], [1]], "class 1 is in groups more than once"),
        ([[0.5, 0.5]], [[0, 0]], "class 0 is in groups more than once"),
    ],
)
def test_groups_refuse(probabilities, groups, message):
    with pytest.raises(ValueError, match=message):
        shape_bias.decisions(probabilities, groups=groups)


@pytest.mark.parametrize(
    ("decided", "shape", "texture", "message"),
    [
        ([0, 1], [0], [1, 0], "shape has 1 values where 2 are needed"),
        ([0, 1], [0, 1], [1], "texture has 1 values where 2 are needed"),
        ([0], [-1], [0], "shape must be 0 or more; found -1 to -1"),
        ([-3], [1], [0], "decided must be a class number or -1 for undecided; found -3"),
        ([0.5], [1], [0], "decided must hold integers, not float64"),
        ([], [], [], r"decided is empty"),
    ],
)
def test_cues_refuse(decided, shape, texture, message):
    with pytest.raises(ValueError, match=message):
        shape_bias.cues(np.array(decided), shape=np.array(shape), texture=np.array(texture))


def test_per_class_refuses_a_class_beyond_the_table():
    with pytest.raises(ValueError, match="texture must be 0 to 2; found 3 to 3"):
        shape_bias.per_class([0], shape=[0], texture=[3], classes=3)
