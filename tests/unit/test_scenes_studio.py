"""The set `studio`: portraits of every class, drawn by seed, and no change to any other set."""

from pathlib import Path

import numpy as np
import pytest

from pytest_clip.data.dataset import load
from pytest_clip.data.scenes import load as scenes
from pytest_clip.data.scenes.studio.portrait import PLACES, SIZE, sample
from pytest_clip.data.scenes.studio.render import render
from pytest_clip.data.scenes.studio.things import build
from pytest_clip.data.scenes.vocabulary import CLASSES


def drawn(cls: str, seed: int = 0):
    return sample(np.random.default_rng(seed), cls)


def test_every_class_has_a_place_and_a_thing():
    assert set(PLACES) == set(CLASSES)
    for cls in CLASSES:
        mesh = build(cls, instance=1)
        assert len(mesh.triangles) > 50
        assert np.isfinite(mesh.vertices).all()
        assert mesh.vertices[:, 1].min() == pytest.approx(0, abs=0.05 * np.ptp(mesh.vertices))  # it stands on the ground


def test_a_portrait_has_the_same_pixels_next_to_any_others():
    one, other = drawn("key"), drawn("lamp", 1)
    together, alone = render([one, other], size=64), render([one], size=64)
    assert together.dtype == np.uint8
    assert together.shape == (2, 64, 64, 3)
    assert np.array_equal(together[0], alone[0])
    assert not np.array_equal(together[0], together[1])


def test_two_instances_are_two_things():
    assert not np.array_equal(render([drawn("mug", 1)], size=64), render([drawn("mug", 2)], size=64))


def test_the_set_is_balanced_at_every_length_and_reproducible():
    whole, part = load("scenes").images("studio"), load("scenes", limit=38).images("studio")
    assert len(whole) == 190
    assert np.bincount(part.labels).tolist() == [2] * len(CLASSES)
    assert part.portraits == whole.portraits[:38]
    assert part.fingerprint != whole.fingerprint
    assert load("scenes").images("studio").fingerprint == whole.fingerprint
    assert [each.cls for each in part.portraits] == [CLASSES[label] for label in part.labels]


def test_it_claims_no_depth_captions_or_partners():
    from pytest_clip.data.depth import origin

    images = load("scenes").images("studio")
    info = next(each for each in load("scenes").sets if each.name == "studio")
    assert (images.scenes, images.captions, images.pairs, origin(images)) == (None, None, None, None)
    assert (info.depth, info.captions, info.paired) == (False, False, False)


def test_its_renderer_is_no_part_of_other_fingerprints(monkeypatch):
    """A line changed in the studio must not make 15,769 other pictures anew, and one changed here must make these anew."""
    read: list[Path] = []
    monkeypatch.setattr(scenes, "_hash", lambda start, paths: read.extend(paths) or "x")
    scenes.code_version.__wrapped__()
    assert read
    assert not [path for path in read if "studio" in path.parts[len(Path(scenes.__file__).parent.parts) :]]
    read.clear()
    scenes.studio_version.__wrapped__()
    assert {"render.py", "portrait.py", "kitchen.py"} <= {path.name for path in read}


def test_pictures_are_as_large_as_models_take_them():
    assert SIZE == 224
    assert render([drawn("dog")]).shape == (1, 224, 224, 3)
