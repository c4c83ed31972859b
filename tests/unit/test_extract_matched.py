"""Clean images answered as a shift is: which images are left, what they may be answered, in whose words."""

from types import SimpleNamespace

import numpy as np
import pytest

from pytest_clip.data.imageset import ImageSet
from pytest_clip.extract.matched import matched
from pytest_clip.extract.zeroshot import ZeroShot

CLASSES = ("a", "b", "c", "d", "e")


def shift(labels, classes=CLASSES, **how):
    labels = np.array(labels)
    ids = tuple(str(k) for k in range(len(labels)))
    return ImageSet("shift", "own", "shift", ids, labels, classes, "f", files=(), **how)


class Extraction:
    """Clean images 0..9, two of each class; an image looks most like the class after its own, then like its own."""

    def __init__(self):
        self.labels = np.arange(10) // 2
        self.seen = np.eye(5)[self.labels] * 0.8 + np.eye(5)[(self.labels + 1) % 5]

    def zero_shot(self, model, data, name):
        return ZeroShot(self.seen, self.labels, 100.0, tuple("abcdefghij"), CLASSES, "hash", 1)

    def embeddings(self, model, data, name):
        return self.seen

    def classifier(self, model, data, *, templates, classes):
        self.asked = templates, classes
        return np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 1]])


def ask(images, extraction=None):
    data = SimpleNamespace(images=lambda name: images, classes=CLASSES, prompts=None, templates=("{c}",))
    return matched(extraction or Extraction(), None, data, "shift")


def test_classes_that_the_shift_does_not_show_are_left_out():
    got = ask(shift([0, 0, 3]))
    assert got.ids == ("a", "b", "g", "h")
    assert got.labels.tolist() == [0, 0, 3, 3]
    assert got.right.tolist() == [False] * 4  # asked among all five, as the shift is


def test_a_subset_is_asked_among_its_own_classes():
    got = ask(shift([0, 1], classes=("a", "c"), members=((0,), (2,))))
    assert got.ids == ("a", "b", "e", "f")
    assert got.labels.tolist() == [0, 0, 1, 1]
    assert got.right.all()  # b and d, which they look most like, cannot be answered
    assert got.told["answers"] == "2 from 2 of 5 classes: argmax over these alone"


def test_a_class_that_counts_as_two_answers_may_be_either():
    got = ask(shift([0, 1], classes=("x", "y", "z"), members=((0, 1), (1, 2), (4,)), accepted=((0,), (1,))))
    assert got.ids == tuple("abcdef")
    assert got.accepted == ((0,), (0,), (0, 1), (0, 1), (1,), (1,))
    assert got.right.tolist() == [False, False, True, True, True, True]  # b, which class 0 looks most like, counts for both: a tie


def test_a_set_with_words_of_its_own_asks_clean_images_in_these():
    extraction = Extraction()
    got = ask(shift([0, 1], classes=("x", "y"), members=((0, 1), (2, 3)), templates=("a {c}",)), extraction)
    assert extraction.asked == (("a {c}",), ("x", "y"))
    assert got.classes == ("x", "y")
    assert got.labels.tolist() == [0] * 4 + [1] * 4
    assert got.right.tolist() == [True, True, False, False] + [True] * 4


@pytest.mark.parametrize("images", [shift([1], members=((), ()), classes=("x", "y")), shift([-1, -1])])
def test_no_image_of_these_classes(images):
    assert ask(images) is None
