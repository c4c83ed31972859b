"""Answers on many images say what the same answers say when they are composed at once, and are read once."""

from dataclasses import replace

import numpy as np
import pytest

from pytest_clip.data.imageset import ImageSet
from pytest_clip.extract import cache, large
from pytest_clip.extract.answers import composed

N, DIMENSION, SCALE = 203, 16, 20.0
CLASSES = ("cat", "dog", "missile", "owl", "fox", "missile", "hen")


def images(**how):
    labels = np.random.default_rng(1).integers(0, 2 if "members" in how else len(CLASSES), N)
    names = how.pop("classes", CLASSES)
    return ImageSet("s", "d", "shift", tuple(map(str, range(N))), how.pop("labels", labels), names, "f", **how)


def rows():
    found = np.random.default_rng(0).normal(size=(N, DIMENSION)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def prompts():
    found = np.random.default_rng(2).normal(size=(len(CLASSES), DIMENSION))
    found[5] = found[2]
    return found / np.linalg.norm(found, axis=1, keepdims=True)


ACCEPTED = tuple((k % 7, (k + 3) % 7) for k in range(N))
SETS = {
    "plain": images(),
    "a subset": images(classes=("owl", "cat"), members=((3,), (0,))),
    "groups": images(classes=("pet", "other"), members=((0, 1), (3, 4, 6))),
    "several labels": images(accepted=ACCEPTED, labels=np.array([each[0] for each in ACCEPTED])),
    "partners": images(pairs=np.arange(N)[::-1].copy()),
    "of no class": images(labels=np.full(N, -1)),
}


@pytest.fixture
def both(tmp_path, monkeypatch):
    """The answers on one of SETS in pieces of 16 images, and all at once; what was asked for."""
    monkeypatch.setattr(large, "PIECE", 16 * len(CLASSES))
    asked = []

    def of(name, *, n=N, **key):
        def give():
            asked.append(name)
            return rows()[:n]

        how = {"scale": SCALE, "classes": CLASSES, "templates": ("{c}",)}
        one = large.Large(SETS[name], n, give, prompts, SCALE, CLASSES, ("{c}",), tmp_path, {"set": name, "n": n, **key})
        return one.answers, composed(rows()[:n], prompts(), SETS[name], **how)

    of.asked = asked
    return of


READ = {
    "right": lambda answers: answers.right,
    "among two": lambda answers: answers.among(2),
    "confidence": lambda answers: answers.confidence,
    "nll": lambda answers: answers.nll,
    "brier": lambda answers: answers.brier,
    "scaled": lambda answers: np.stack(answers.scaled(1.7)),
    "max_logit": lambda answers: answers.max_logit,
    "energy": lambda answers: answers.energy,
    "mcm": lambda answers: answers.mcm(1.0),
    "mcm at another tau": lambda answers: answers.mcm(0.01),
    "cosines": lambda answers: answers.cosines,
}
LABELLED = ("right", "among two", "nll", "brier", "scaled")


@pytest.mark.parametrize("what", READ)
@pytest.mark.parametrize("name", [*SETS])
def test_pieces_say_what_all_say_at_once(both, name, what):
    many, whole = both(name)
    if name == "of no class" and what in LABELLED:
        for each in (many, whole):
            with pytest.raises(ValueError, match="labels must be 0"):
                READ[what](each)
        return
    np.testing.assert_allclose(READ[what](many), READ[what](whole), rtol=1e-12, atol=1e-12)
    assert READ[what](many).dtype == READ[what](whole).dtype


@pytest.mark.parametrize("name", [*SETS])
def test_all_else_is_known_without_a_cosine(both, name):
    many, whole = both(name, n=50)
    assert (many.ids, many.classes, many.conventions, many.accepted) == (whole.ids, whole.classes, whole.conventions, whole.accepted)
    assert np.array_equal(many.labels, whole.labels)
    assert (many.pairs is None) == (whole.pairs is None)
    assert (many.held, both.asked) == (0, [])


def test_numbers_of_images_are_read_once_and_kept_for_the_next_run(both):
    first, _ = both("plain")
    found = first.right, first.confidence, first.nll
    assert both.asked == ["plain", "plain"]  # once for right and confidence, once for the losses
    again, _ = both("plain")
    assert all(np.array_equal(one, two) for one, two in zip(found, (again.right, again.confidence, again.nll), strict=True))
    assert both.asked == ["plain", "plain"]
    other, _ = both("plain", prompts="others")
    assert other.right.shape == (N,)
    assert both.asked == ["plain"] * 3


def test_a_damaged_file_is_read_anew(both, tmp_path):
    first, whole = both("plain")
    assert first.right.any()
    [path] = tmp_path.glob("answers/*/*.safetensors")
    path.write_bytes(path.read_bytes()[:-40])
    assert [what for _, what in cache.torn(tmp_path)] == ["cut off"]
    again, _ = both("plain")
    assert np.array_equal(again.right, whole.right)
    assert (list(cache.torn(tmp_path)), [each.kind for each in cache.entries(tmp_path)]) == ([], ["columns"])


@pytest.mark.parametrize("name", ["plain", "groups", "several labels", "partners"])
def test_some_images_have_the_answers_that_they_have_among_all(both, name):
    many, whole = both(name)
    at = [5, 190, 17]
    few, of_whole = many.some(at), whole.some(at)
    assert many.held == 0
    np.testing.assert_allclose(few.cosines, of_whole.cosines, atol=1e-12)
    for each in (few, of_whole):
        assert each.ids == ("5", "190", "17")
        assert np.array_equal(each.right, whole.right[at])
    assert many.cosines.shape == whole.cosines.shape
    assert np.array_equal(many.some(at).labels, few.labels)


def test_a_change_of_the_cosines_changes_what_is_read(both):
    many, _ = both("plain")
    before = many.right
    turned = replace(many, cosines=-many.cosines)
    assert not np.array_equal(turned.right, before)
    np.testing.assert_allclose(turned.confidence, replace(both("plain")[1], cosines=-many.cosines).confidence)


def test_answers_that_depend_on_other_images_or_are_means_are_composed_at_once():
    assert large.fits(SETS["plain"], 10**6, 7)
    assert not large.fits(SETS["plain"], 1000, 7)
    assert not large.fits(replace(SETS["plain"], worst_of=((0, 1),)), 10**6, 7)
    assert not large.fits(replace(SETS["groups"], merge="mean"), 10**6, 7)
