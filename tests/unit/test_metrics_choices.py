"""Multiple choice: distractors, orders, positions, and answers in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip.data.aliases import ALIASES, plain
from pytest_clip.metrics import choices
from pytest_clip.metrics.intervals import paired_difference
from pytest_clip.metrics.naming import NONE, SEVERAL, named

scores = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed))


@given(scores, st.integers(1, 12), st.integers(2, 9), st.booleans())
def test_the_failure_category_makes_two_way_accuracy_top_1(rng, n, classes, ties):
    """ImageNet-D's: top-1 if wrong, else top-2. Told by a loop over rows; ties count as wrong in both."""
    values = rng.integers(0, 3, (n, classes)).astype(float) if ties else rng.normal(size=(n, classes))
    labels = rng.integers(classes, size=n)
    wrong = np.ones((n, classes), dtype=bool)
    wrong[np.arange(n), labels] = False
    found = choices.highest_wrong(values, wrong, k=1)[:, 0]
    for row, label, distractor in zip(values, labels, found, strict=True):
        ranked = sorted(range(classes), key=lambda c: (-row[c], c))
        first, second = ranked[:2]
        assert row[distractor] == row[first if first != label else second]
        top1 = all(row[label] > row[c] for c in range(classes) if c != label)
        assert (row[label] > row[distractor]) == top1


@given(scores, st.integers(1, 6), st.integers(3, 9))
def test_several_distractors_are_the_highest_and_distinct(rng, n, classes):
    values = rng.normal(size=(n, classes))
    wrong = rng.random((n, classes)) < 0.7
    wrong[:, :2] = True
    for row, off, found in zip(values, wrong, choices.highest_wrong(values, wrong, k=2), strict=True):
        assert list(found) == sorted(np.flatnonzero(off), key=lambda c: -row[c])[:2]


def test_drawn_distractors_follow_the_image_and_not_the_set():
    wrong = np.ones((4, 30), dtype=bool)
    wrong[:, 7] = False
    first = choices.drawn_wrong(wrong, k=5, seeds=[1, 2, 3, 1])
    assert (first[0] == first[3]).all()
    assert (first[1:3] == choices.drawn_wrong(wrong[:2], k=5, seeds=[2, 3])).all()
    assert 7 not in first
    assert all(len(set(row)) == 5 for row in first.tolist())


@pytest.mark.parametrize(
    "draw", [lambda off: choices.highest_wrong(np.zeros(off.shape), off, k=3), lambda off: choices.drawn_wrong(off, k=3, seeds=[0])]
)
def test_too_few_wrong_classes(draw):
    with pytest.raises(ValueError, match="3 wrong classes are asked for, and an image has 2"):
        draw(np.array([[True, True, False]]))


@pytest.mark.parametrize("k", [1, 2, 5])
def test_rotations_put_every_option_everywhere_once(k):
    found = choices.rotations(k)
    assert sorted(map(tuple, found)) == sorted({tuple(row) for row in found.tolist()})
    assert all(sorted(column) == list(range(k)) for column in [*found.T.tolist(), *found.tolist()])


def test_ties_choose_nobody():
    assert choices.chosen([[0.0, 1.0, 1.0], [-1.0, -2.0, -3.0]]).tolist() == [choices.NOBODY, 0]
    assert choices.circular([[True, True], [True, False]]).tolist() == [True, False]


@given(scores, st.integers(1, 30), st.integers(2, 6))
def test_who_reads_the_options_has_no_position_bias(rng, n, k):
    liked = rng.integers(k, size=n)  # an option of each question, right or wrong
    orders = choices.rotations(k)
    places = np.array([[int(np.flatnonzero(order == one)[0]) for order in orders] for one in liked])
    assert choices.position_bias(places, k=k) == pytest.approx(0.0)


@given(st.integers(2, 6), st.integers(1, 9))
def test_who_always_takes_one_place_has_all_of_it(k, n):
    assert choices.position_bias(np.full((n, k), k - 1), k=k) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_of_two_it_is_the_distance_of_first_places_from_a_half(pairs):
    first = np.mean([place == 0 for pair in pairs for place in pair])
    assert choices.position_bias(pairs, k=2) == pytest.approx(abs(2 * first - 1))


@given(scores, st.integers(2, 5), st.integers(2, 30))
def test_the_interval_of_the_position_bias_holds_it_and_is_no_point(rng, k, n):
    for places in (rng.integers(k, size=(n, k)), np.zeros((n, k), dtype=int), np.tile(np.arange(k), (n, 1))):
        low, high = choices.position_bias_interval(places, k=k, seed=0)
        assert 0 <= low <= choices.position_bias(places, k=k) + 1e-12
        assert choices.position_bias(places, k=k) - 1e-12 <= high <= 1
        assert low < high


@pytest.mark.parametrize(("first", "told"), [(0.6, 0.2), (0.5, 0.0), (0.9, 0.8)])
def test_the_interval_of_the_position_bias_covers(first, told):
    """Of a model that prefers the first of two places, its two answers to a question as independent as can be."""
    rng = np.random.default_rng(0)
    held = [choices.position_bias_interval((rng.random((100, 2)) > first).astype(int), k=2, seed=k) for k in range(150)]
    assert np.mean([low - 1e-12 <= told <= high for low, high in held]) >= 0.9
    assert np.mean([high - low for low, high in held]) < 0.3


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=1, max_size=60))
def test_the_interval_of_a_gain_holds_it_and_is_no_point(gains):
    low, high = choices.gain_interval(gains)
    assert -1 <= low <= np.mean(gains) + 1e-12
    assert np.mean(gains) - 1e-12 <= high <= 1
    assert high - low > 0.01


@pytest.mark.parametrize("shares", [(0.9, 0.05, 0.05), (0.5, 0.4, 0.1), (0.98, 0.0, 0.02), (0.2, 0.4, 0.4)])
def test_the_interval_of_a_gain_covers(shares):
    """None, all and nothing, as of two 0/1 outcomes: Newcombe's interval of the same pairs is its measure."""
    rng = np.random.default_rng(1)
    true, held, widths = shares[1] - shares[2], 0, []
    for _ in range(500):
        gains = rng.choice([0.0, 1.0, -1.0], p=shares, size=95)
        low, high = choices.gain_interval(gains)
        held += low <= true <= high
        widths.append((high - low) / np.subtract(*paired_difference(gains > 0, gains < 0)[::-1]))
    assert held / 500 >= 0.93
    assert 0.8 < np.mean(widths) < 1.4


@pytest.mark.parametrize(("gains", "told"), [([], "gains is empty"), ([1.5], r"gains must each be in -1 \.\. 1")])
def test_gains_that_are_none(gains, told):
    with pytest.raises(ValueError, match=told):
        choices.gain_interval(gains)


def test_positions_of_nobody_and_wrong_shapes():
    assert np.isnan(choices.position_bias([[-1, -1]], k=2))
    with pytest.raises(ValueError, match=r"places must be \[n, 3\]"):
        choices.position_bias([[0, 1]], k=3)


def test_hard_classes_are_below_the_median():
    labels = np.repeat(np.arange(5), 4)
    right = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=bool).ravel()
    assert choices.hard_classes(right, labels, classes=6).tolist() == [False, True, True, False, False, False]
    assert not choices.hard_classes(np.ones(20, dtype=bool), labels, classes=5).any()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("Pen.", 0), ("The main object is a pen", 0), ("It is a CAN OPENER!", 1), ("a can", NONE), ("a pencil", NONE), ("", NONE),
        ("a pen and a can opener", SEVERAL), ("Das ist ein Stift.", NONE), ("a cell phone", 2), ("mobile-phone", 2), ("phone", NONE),
        ("pen, pen, pen", 0), ("un can_opener", 1),
    ],
)  # fmt: skip
def test_whole_words_and_aliases(answer, told):
    assert named(answer, ["pen", "can opener", "cellphone"], ALIASES) == told


def test_longer_names_take_their_words_away():
    options = ["plate", "drying rack for plates", "rack"]
    assert named("a drying rack for plates", options) == 1
    assert named("the drying rack for plates, and a plate", options) == SEVERAL
    assert named("plate", ["plate", "license plate"]) == 0


def test_names_of_imagenet_d():
    assert len(ALIASES) == 32
    assert plain("coffee/french_press") == "coffee or french press"
    assert all(plain(name) == name for name in ALIASES)
