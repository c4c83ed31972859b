"""Answers from fewer classes, from groups of them, and from the worst of several frames, against plain loops."""

from dataclasses import replace

import numpy as np
import pytest

from pytest_clip.data.imageset import ImageSet
from pytest_clip.extract.answers import answered, apart
from pytest_clip.extract.zeroshot import ZeroShot

CLASSES = ("a", "b", "c", "d", "e")


def asked(cosines, labels=None, classes=CLASSES):
    cosines = np.array(cosines, dtype=float)
    labels = np.zeros(len(cosines), dtype=np.int64) if labels is None else np.array(labels)
    return ZeroShot(cosines, labels, 10.0, tuple(map(str, range(len(cosines)))), classes, "hash", 1)


def images(n, **how):
    return ImageSet("s", "d", "shift", tuple(map(str, range(n))), np.zeros(n, dtype=np.int64), how.pop("classes", CLASSES), "f", **how)


def test_without_any_of_it_the_answers_stay_themselves():
    whole = asked([[0.1, 0.2, 0.3, 0.4, 0.5]])
    assert answered(apart(whole), images(1)) is whole
    assert "answers" not in whole.conventions


def test_a_subset_is_asked_alone():
    whole = asked([[0.9, 0.5, 0.4, 0.1, 0.8]], labels=[1])
    out = answered(whole, images(1, classes=("c", "b"), members=((2,), (1,))))
    assert out.cosines.tolist() == [[0.4, 0.5]]
    assert (out.right.tolist(), out.classes) == ([True], ("c", "b"))
    assert out.conventions["answers"] == "2 from 2 of 5 classes: argmax over these alone"


def test_a_group_has_its_highest_cosine_and_an_empty_one_never_wins():
    whole = asked([[0.1, 0.6, 0.5, -0.9, 0.2]], labels=[0])
    out = answered(whole, images(1, classes=("x", "y", "z"), members=((0, 1), (2, 4), ())))
    assert out.cosines.tolist() == [[0.6, 0.5, -1.0]]
    assert out.right.all()


def test_mean_probability_is_not_the_highest():
    cosines = np.random.default_rng(0).uniform(-1, 1, (50, 5))
    members = ((0, 1, 2), (3,))
    out = answered(asked(cosines), images(50, classes=("x", "y"), members=members, merge="mean"))
    for row, shares in zip(cosines, out.shares, strict=True):
        p = np.exp(10 * row) / np.exp(10 * row).sum()
        assert shares == pytest.approx([p[:3].mean(), p[3]])
    assert (out.right == (out.shares[:, 0] > out.shares[:, 1])).all()
    assert (out.right != (out.cosines[:, 0] > out.cosines[:, 1])).any()


def test_any_of_several_labels_is_right_and_a_tie_with_a_wrong_one_is_not():
    whole = asked([[0.1, 0.9, 0.5, 0, 0], [0.9, 0.1, 0.5, 0, 0], [0.5, 0.9, 0.9, 0, 0], [0.5, 0.9, 0.9, 0, 0]])
    out = answered(whole, images(4, accepted=((0, 1), (1, 2), (1, 2), (1,))))
    assert out.right.tolist() == [True, False, True, False]
    assert out.among(2).tolist() == [True, True, True, True]


def test_of_frames_the_one_answered_worst_counts():
    whole = asked([[0.9, 0.1, 0, 0, 0], [0.5, 0.4, 0, 0, 0], [0.3, 0.8, 0, 0, 0]], labels=[0, 0, 0])
    out = answered(whole, images(3, worst_of=((0, 1), (1, 0, 2))))
    assert (out.right.tolist(), out.ids) == ([True, False], ("0", "1"))
    assert out.cosines.tolist() == [whole.cosines[1].tolist(), whole.cosines[2].tolist()]
    mixed = replace(whole, accepted=((0,), (0,), (1,)))
    assert answered(mixed, images(3, worst_of=((0, 2),), accepted=((0,), (0,), (1,)))).right.tolist() == [True]


def test_the_first_of_two_classes_of_one_name_is_answered():
    out = apart(asked([[0.9, 0.9, 0.1], [0.9, 0.9, 0.1]], labels=[0, 1], classes=("missile", "missile", "mug")))
    assert out.right.tolist() == [True, False]  # without it both would be ties, and wrong
    assert out.conventions["namesakes"] == "missile: the first class of a name is answered"


def test_classes_of_one_name_are_answered_as_argmax_does():
    rng = np.random.default_rng(0)
    names = ("missile", "mug", "missile", "sunglasses", "sunglasses", "missile")
    columns = {name: rng.uniform(-1, 1, 200).round(3) for name in dict.fromkeys(names)}
    cosines = np.stack([columns[name] for name in names], axis=1)
    unlike = [k for k, row in enumerate(cosines) if len(set(row)) == len(columns)]  # no tie between different names
    labels = rng.integers(0, len(names), 200)
    out = apart(asked(cosines, labels, names))
    assert (out.right == (cosines.argmax(1) == labels))[unlike].all()
    assert out.right[unlike].mean() < 0.3  # the others of a name are never right
    assert set(np.asarray(names)[labels[out.right]]) == set(columns)
