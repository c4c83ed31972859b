"""Scenes before the background of their class and of another: only the background differs, and no other set has changed."""

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest

from pytest_clip.data import load
from pytest_clip.data.scenes.appearance import CLEAR, TYPICAL
from pytest_clip.data.scenes.sets import STREAMS, scene_set
from pytest_clip.data.scenes.shortcuts import foreign, rows, stands_out, unlike
from pytest_clip.data.scenes.sizes import BACKDROPS, BACKDROPS_PER_CLASS
from pytest_clip.data.scenes.spec import Scene, contrast
from pytest_clip.data.scenes.vocabulary import CLASSES

PRINTS = {
    "clean": "70996d382e32e773",
    "typical": "9a92ad9eecce0c29",
    "shift_light": "b98271192f84e926",
    "shift_style": "43aa5a634f45390b",
    "shift_clutter": "96ae8ac1d10d11da",
    "shift_far": "7f1f78565e1ee255",
    "pose": "3fbdba23ae0c872b",
    "background": "17e8a21dda26475f",
    "pattern": "25c6c8d28b42d4ec",
    "color": "dd090e5ba97893d5",
    "smaller": "98d00bcd82226283",
    "larger": "9ef6b064a41ce9c6",
    "shape": "a115f95f3f576ad0",
    "partial_view": "e774018128e1ab3e",
    "subcategory": "71629cefb7f1a22f",
    "texture": "04bd4eb19471bdfa",
    "darker": "2fc75c1e2a94843b",
    "brighter": "21456f3e5bc050f8",
    "object_blocking": "b36aa85085640460",
    "style": "879e613228916b9c",
    "multiple_objects": "9208872f2c953b1e",
    "cue_conflict": "6a5937dd93a8f72f",
    "cue_matched": "cb52cce6a871db35",
    "near": "feb16fcfe57ef292",
    "far": "100a3c9232450682",
    "textures": "f4e63e9b9f19badf",
    "pairs": "47078a4ca613e75d",
    "viewpoint-0-15": "fbb0a3a843731e5f",
    "viewpoint-15-30": "8922ab158f95c9d7",
    "viewpoint-30-60": "2cddf57b36ce0ff3",
    "viewpoint-60-90": "9602877640d9e520",
    "instances": "15bd09f2f07aee3d",
    "background_typical": "be24bcc0f985fef6",
    "background_foreign": "7325b2ec41475950",
}
"""Fingerprints: of the pictures, and so of every stored answer and saved run. A new set must leave those of the others alone."""


def test_no_other_set_has_changed():
    data = load("scenes")
    assert {name: data.images(name).fingerprint for name in PRINTS} == PRINTS


def test_new_streams_come_last():
    assert list(STREAMS)[-2:] == list(BACKDROPS)
    assert [STREAMS[name] for name in ("clean", "pose", "near", "cue_conflict", "instances")] == [0, 6, 21, 24, 31]


def test_only_the_background_differs():
    base = scene_set("clean").scenes
    usual, other = (scene_set(name) for name in BACKDROPS)
    assert usual.pairs == other.pairs
    assert usual.labels == other.labels
    facts = {"background", "background_colour"}
    for row, one, two in zip(usual.pairs, usual.scenes, other.scenes, strict=True):
        for scene in (one, two):
            assert {f.name for f in fields(Scene) if getattr(scene, f.name) != getattr(base[row], f.name)} <= facts
        look = TYPICAL[one.cls]
        assert (one.background, one.background_colour) == (look.background, look.background_colour)
        assert (two.background, two.background_colour) != (one.background, one.background_colour)


def test_both_sets_hold_the_same_backgrounds_and_objects_stand_out():
    usual, other = (scene_set(name).scenes for name in BACKDROPS)
    assert Counter((s.background, s.background_colour) for s in usual) == Counter((s.background, s.background_colour) for s in other)
    assert set(Counter(s.cls for s in usual).values()) == {BACKDROPS_PER_CLASS}
    for scene in (*usual, *other):
        assert scene.background == "outdoor" or contrast(scene.colour, scene.background_colour) >= CLEAR
        assert (scene.style, scene.occluder, scene.companions) == ("photo", "none", ())


def test_a_lawn_is_no_other_background_than_a_lawn():
    lawns = [name for name, look in TYPICAL.items() if look.background == "outdoor"]
    assert len(lawns) == 6
    assert not any(unlike(a, b) for a in lawns for b in lawns)
    for scene, cls in zip(scene_set("background_foreign").scenes, scene_set("background_foreign").looks, strict=True):
        assert unlike(scene.cls, cls)
        assert stands_out(scene, cls)


def test_rounds_depend_on_nothing_but_their_own_chance():
    base = scene_set("clean")
    few = rows(base.scenes, base.labels, per_class=2)
    assert few == scene_set("background_typical").pairs[: 2 * len(CLASSES)]
    source = lambda j: np.random.default_rng([7, j])  # noqa: E731
    scenes = [base.scenes[row] for row in few]
    assert foreign(scenes[:19], source) == foreign(scenes, source)[:19]


@pytest.mark.parametrize("name", BACKDROPS)
def test_the_sets_as_images(name):
    images = load("scenes", limit=200).images(name)
    assert images.role == "backdrop"
    assert max(images.pairs) < 200
    assert len(images.captions) == len(images)
