"""Ground truth of correspondence: worked camera turns, the renderer's own points and depth buffer, parts that hide each other."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pytest_clip.data import load
from pytest_clip.data.scenes.camera import project
from pytest_clip.data.scenes.render import render
from pytest_clip.data.scenes.sets import clean, matched_rows, scene_set
from pytest_clip.data.scenes.sizes import VIEWPOINTS
from pytest_clip.data.scenes.spec import Scene
from pytest_clip.data.scenes.twoviews import RAYS, keypoint_pairs, surface, view_pairs

CENTRE, FOCAL = 63.5, 64 / math.tan(math.radians(20))  # of a camera 40 degrees and 128 pixels wide


def plain(cls: str, **pose: float) -> Scene:
    """A photo of `cls`, upright in the middle of the frame, three units away, seen from straight ahead unless `pose` says otherwise."""
    base = next(clean().scenes[row] for row in matched_rows() if clean().scenes[row].cls == cls)
    still = {"yaw": 0.0, "elevation": 0.0, "roll": 0.0, "distance": 3.0, "dx": 0.0, "dy": 0.0}
    return replace(base, lying=False, **{**still, **pose})


@pytest.fixture(scope="module")
def some() -> list[tuple[Scene, Scene, object]]:
    """Every twelfth pair of every viewpoint set: first scene, second scene, truth."""
    found = []
    for name in VIEWPOINTS:
        views, base = scene_set(name), clean().scenes
        assert views.pairs is not None
        first, second = tuple(base[row] for row in views.pairs[::12]), views.scenes[::12]
        found += list(zip(first, second, view_pairs(first, second), strict=True))
    return found


def test_a_turned_camera_by_hand():
    first, second = plain("house"), plain("house", yaw=math.radians(40), dx=0.2, dy=-0.1, distance=4.0)
    (pair,) = view_pairs([first], [second])
    assert pair.degrees == pytest.approx(40)
    assert len(pair.source) > 50
    x, y, z = pair.source_points.T
    np.testing.assert_allclose(pair.source[:, 0], CENTRE + FOCAL * x / (3 - z), atol=1e-3)
    np.testing.assert_allclose(pair.source[:, 1], CENTRE - FOCAL * y / (3 - z), atol=1e-3)
    turn = math.radians(40)
    right, towards = x * math.cos(turn) + z * math.sin(turn), z * math.cos(turn) - x * math.sin(turn)
    np.testing.assert_allclose(pair.landing[:, 0], CENTRE + FOCAL * (right + 0.2) / (4 - towards), atol=1e-3)
    np.testing.assert_allclose(pair.landing[:, 1], CENTRE - FOCAL * (y - 0.1) / (4 - towards), atol=1e-3)


def test_without_a_turn_every_point_is_where_it_was():
    scene = clean().scenes[matched_rows()[5]]
    (pair,) = view_pairs([scene], [scene])
    assert pair.degrees == pytest.approx(0, abs=1e-5)
    np.testing.assert_array_equal(pair.source, pair.target)
    np.testing.assert_array_equal(pair.source_points, pair.target_points)
    np.testing.assert_allclose(pair.landing, pair.source, atol=1e-3)


def test_points_are_those_of_the_renderer():
    scenes = tuple(clean().scenes[row] for row in matched_rows()[:30])  # more than a chunk
    frames = render(scenes, size=RAYS)
    np.testing.assert_allclose(surface(scenes), frames.points.numpy(), atol=1e-5)


def test_data_pairs_each_image_with_its_first_view():
    data, base = load("scenes", limit=60), clean().scenes
    images, truth = data.images("viewpoint-15-30"), data.view_pairs("viewpoint-15-30")
    assert images.pairs is not None
    assert images.scenes is not None
    assert 10 < len(truth) == len(images) < 60
    for i in (0, -1):
        (alone,) = view_pairs([base[images.pairs[i]]], [images.scenes[i]])
        np.testing.assert_array_equal(truth[i].landing, alone.landing)


def test_places_and_points_of_a_pair_belong_together(some):
    for a, b, pair in some:
        for scene, places, points in ((a, pair.source, pair.source_points), (b, pair.target, pair.target_points)):
            at, _ = project(scene, points, size=128)
            np.testing.assert_allclose(at, places, atol=1e-3)
        assert len(pair.source) == len(pair.source_points) == len(pair.landing) >= 20
        assert len(pair.target) == len(pair.target_points) >= 20
        assert len({tuple(place) for place in pair.source}) == len(pair.source)


def test_exactly_the_points_that_the_other_view_shows_are_asked_for(some):
    """Against the depth buffer of the second view: in front of a point there is nothing, or it is not asked for."""
    pairs = some[::3]
    depths = render([b for _, b, _ in pairs], size=512).depth.numpy()
    shown, hidden = [], []
    for (a, b, pair), depth in zip(pairs, depths, strict=True):
        every = surface((a,))[0, 1::2, 1::2]
        every = every[~np.isnan(every[..., 0])].astype(float)
        asked = {tuple(p) for p in pair.source_points}
        at, far = project(b, every, size=512)
        x, y = np.rint(at).astype(int).T
        inside = (x >= 0) & (x < 512) & (y >= 0) & (y < 512)
        gap = far - depth[y.clip(0, 511), x.clip(0, 511)]
        for point, visible, behind in zip(every, inside, gap, strict=True):
            if tuple(point) in asked:
                shown.append(visible and behind < 0.05)
            else:
                hidden.append(not visible or behind > 0)
    assert len(shown) > 1000
    assert len(hidden) > 300
    assert np.mean(shown) > 0.99  # at an outline the nearest pixel may be one beside the object
    assert np.mean(hidden) > 0.9


def test_of_a_car_from_the_side_only_the_near_wheels_are_landmarks():
    scene = plain("car", elevation=0.05)
    (pair,) = keypoint_pairs([scene], [scene])
    np.testing.assert_array_equal(pair.first, pair.second)
    at = {tuple(place) for place in pair.first.round(6)}
    from pytest_clip.data.scenes.objects import build

    wheels = [p.c for p in build("car", instance=scene.instance)][4:8]  # far and near behind, far and near in front
    places = project(scene, np.stack(wheels), size=128)[0].round(6)
    assert [tuple(place) in at for place in places] == [wheel[2] > 0 for wheel in wheels] == [False, True, False, True]


def test_the_box_is_that_of_what_is_seen():
    scene = plain("snowman")
    (pair,) = keypoint_pairs([scene], [scene])
    y, x = np.nonzero(render([scene]).mask[0].numpy())
    np.testing.assert_allclose(pair.box, (np.ptp(y) + 1, np.ptp(x) + 1), atol=2.1)  # the rays of the truth are two pixels apart


def test_landmarks_of_another_instance_are_the_same_parts():
    data = load("scenes")
    images, base = data.images("instances"), clean().scenes
    from pytest_clip.data.scenes.objects import build

    assert images.scenes is not None
    assert images.pairs is not None
    counts = []
    for scene, row, pair in zip(images.scenes, images.pairs, data.keypoint_pairs("instances"), strict=True):
        both = []
        for s in (base[row], scene):
            parts = build(s.cls, instance=s.instance, stretch=s.stretch)
            both.append(project(s, np.stack([p.c for p in parts]), size=128)[0])
        which = [int(np.linalg.norm(both[0] - place, axis=1).argmin()) for place in pair.first]
        np.testing.assert_allclose(both[0][which], pair.first, atol=1e-6)
        np.testing.assert_allclose(both[1][which], pair.second, atol=1e-6)
        assert (pair.second >= -0.5).all()
        assert (pair.second <= 127.5).all()
        counts.append(len(which))
    assert min(counts) >= 1
    assert sum(counts) > 400


def test_data_of_ones_own_does_not_know(tmp_path):
    from PIL import Image

    from pytest_clip import ClipError

    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.png")
    data = load(str(tmp_path))
    for ask in (data.view_pairs, data.keypoint_pairs):
        with pytest.raises(ClipError, match=r"does not know which points of clean correspond.*--clip-data=scenes"):
            ask("clean")
