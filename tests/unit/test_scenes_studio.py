"""The set `studio`: portraits of every class, drawn by seed, and no change to any other set."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from pytest_clip.data.dataset import load
from pytest_clip.data.scenes import load as scenes
from pytest_clip.data.scenes.studio.camera import camera
from pytest_clip.data.scenes.studio.light import lit
from pytest_clip.data.scenes.studio.portrait import PLACES, SIZE, sample
from pytest_clip.data.scenes.studio.raster import fill, weights
from pytest_clip.data.scenes.studio.render import _spared, render
from pytest_clip.data.scenes.studio.sculptor import Sculptor
from pytest_clip.data.scenes.studio.things import build
from pytest_clip.data.scenes.vocabulary import CLASSES


def drawn(cls: str, seed: int = 0):
    return sample(np.random.default_rng(seed), cls)


def test_every_class_has_a_place_and_a_thing():
    assert set(PLACES) == set(CLASSES)
    for cls, variant in itertools.product(CLASSES, range(10)):
        mesh = build(cls, instance=1, variant=variant)
        assert len(mesh.triangles) > 50
        assert np.isfinite(mesh.vertices).all()
        own = mesh.vertices[: mesh.own]
        assert own[:, 1].min() == pytest.approx(0, abs=0.05 * np.ptp(own))  # it stands on the ground


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


def test_ten_portraits_in_a_row_show_every_kind_as_often_as_it_should():
    whole = load("scenes").images("studio")
    trees = [each.variant for each in whole.portraits if each.cls == "tree"]
    assert trees == list(range(10))
    kinds = Sculptor(variant=7).kind(("a", "b", "c")), Sculptor(variant=8).kind(("a", "b", "c"))
    assert kinds == ("b", "c")


def test_scenery_is_neither_framed_nor_throws_a_shadow():
    """A wall added around an object leaves camera and shadows as they are."""

    def ball(*, wall: bool):
        s = Sculptor()
        s.ball((0, 1, 0), 1, s.material((0.5, 0.5, 0.5)))
        if wall:
            s.scenery()
            s.box((0, 3, -4), (9, 3, 0.1), s.material((0.9, 0.9, 0.9)))
        return s.mesh()

    portrait, up = drawn("mug"), np.array([0.3, 0.9, 0.3])
    (bare, radius), (walled, other) = (camera(portrait, ball(wall=wall)) for wall in (False, True))
    assert (radius, bare.scale) == (other, walled.scale)
    assert np.array_equal(bare.eye, walled.eye)
    assert np.array_equal(*(lit(ball(wall=wall), up, radius).blot for wall in (False, True)))


def test_room_shows_more_around_the_object():
    s = Sculptor()
    s.ball((0, 1, 0), 1, s.material((0.5, 0.5, 0.5)))
    near, _ = camera(drawn("mug"), s.mesh())
    s.scenery(room=1.5)
    wide, _ = camera(drawn("mug"), s.mesh())
    assert wide.scale == pytest.approx(1.5 * near.scale)


def test_the_nearest_triangle_is_shown_and_one_seen_from_its_edge_is_not():
    xy = np.array([(0, 0), (8, 0), (0, 8), (0, 0), (8, 0), (0, 8), (1, 1), (2, 2), (4, 4)], float)
    near = np.array([1.0, 1, 1, 2, 2, 0.1, 5, 5, 5])
    triangles = np.arange(9).reshape(3, 3)
    shown, depth = fill(xy, near, triangles, size=8)
    assert set(np.unique(shown)) == {-1, 0, 1}
    for pixel in np.flatnonzero(shown >= 0):
        y, x = np.divmod(pixel, 8)
        a, b = x + 0.5, y + 0.5
        assert depth[pixel] == pytest.approx(max(1.0, 2 - b / 8 * 1.9))
        w = weights(xy, triangles[shown[[pixel]]], np.array([pixel]), size=8)[0]
        assert w == pytest.approx([1 - (a + b) / 8, a / 8, b / 8])
    assert (shown >= 0).sum() == 36  # half of the square and its diagonal


def test_pixels_that_are_shaded_once_are_those_of_one_smooth_surface():
    """Each sample of the picture is counted once, and what has an edge or a fine pattern is not thinned out."""
    for cls, variant in (("mug", 0), ("house", 0)):
        mesh = build(cls, instance=3, variant=variant)
        view, _ = camera(drawn(cls), mesh)
        xy, near = view.project(mesh.vertices, size=128)
        own = mesh.triangles[: mesh.own_triangles]
        shown, _ = fill(xy, near, own, size=128)
        rows = np.flatnonzero(shown >= 0)
        kept, counts = _spared(mesh, shown, rows, size=64)
        assert counts.sum() == len(rows)
        assert set(np.unique(counts)) == {1.0, 4.0}
        fine = [mesh.materials[m].pattern in ("brick", "boards", "shingle") for m in mesh.material[shown[kept[counts == 4]]]]
        assert not any(fine)
