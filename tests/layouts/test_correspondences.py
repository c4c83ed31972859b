"""SPair-71k, NAVI and ScanNet's pairs: pictures whose colours say which point they show, through the whole path."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import painted
import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import catalog, depthviews, layouts, load
from pytest_clip.data.layouts import navi, scannet, spair


def spair_tree(root: Path) -> Path:
    """A lying and a standing picture of each class; the second is the first one turned over. One of a cat's three landmarks is wrong."""
    for category in ("cat", "dog"):
        for name, (wide, high), flip in (("one", (200, 100), False), ("two", (90, 180), True)):
            x, y = np.meshgrid((np.arange(wide) + 0.5) / wide, (np.arange(high) + 0.5) / high)
            path = root / "JPEGImages" / category / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            painted.coloured(1 - x if flip else x, y).save(path, quality=95)
        spots = [(0.2, 0.2), (0.5, 0.7), (0.8, 0.4)]
        first = [[round(200 * x), round(100 * y)] for x, y in spots]
        second = [[round(90 * (1 - x)), round(180 * y)] for x, y in spots]
        if category == "cat":
            second[2] = [80, 170]
        told = {
            "src_imname": "one.jpg", "trg_imname": "two.jpg", "src_imsize": [200, 100, 3], "trg_imsize": [90, 180, 3], "category": category,
            "src_kps": first, "trg_kps": second, "trg_bndbox": [0, 0, 90, 180], "viewpoint_variation": 1,
        }  # fmt: skip
        (root / "PairAnnotation" / "test").mkdir(parents=True, exist_ok=True)
        for k in range(2):
            (root / "PairAnnotation" / "test" / f"00000{k}-one-two:{category}.json").write_text(json.dumps(told))
    return root


def test_landmarks_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    spair._pairs.cache_clear()
    root = spair_tree(tmp_path / "SPair-71k")
    rows, result = measure(root, suites="correspondence", model="dense")
    for name in ("spair", "spair-viewpoint-1"):
        row = rows[f"correspondence/pck_per_point[{name}]"]
        assert (row["value"], row["n"], row["data"]) == (10 / 12, 4, "spair-71k"), result.outlines
        assert rows[f"correspondence/pck_per_image[{name}]"]["value"] == pytest.approx(10 / 12)
    assert rows["correspondence/pck_per_class[spair]"]["value"] == pytest.approx((2 / 3 + 1) / 2)
    assert rows["correspondence/pck_per_class[spair]"]["conventions"]["classes"] == 2


def test_landmarks_are_given_in_the_padded_square(tmp_path: Path) -> None:
    spair._pairs.cache_clear()
    data = load(str(spair_tree(tmp_path / "SPair-71k")))
    pair = data.keypoint_pairs("spair")[0]
    assert pair.size == (800, 800)
    assert pair.first[0].tolist() == [(40 + 0.5) * 4 - 0.5, (20 + 0.5) * 4 - 0.5]  # 200 wide: four times
    assert pair.box == (800.0, 400.0)
    images = data.images("spair")
    assert images.attributes["category"] == ("cat", "dog", "cat", "dog")
    assert images.frame(0, (90, 180)) == (0, 0, 180, 180)  # type: ignore[misc]
    (found,) = layouts.find(str(tmp_path))
    assert "4 test pairs of 2 classes, SPair-71k has 12234 of 18" in spair.problems(found)[0].what
    (tmp_path / "SPair-71k" / "JPEGImages" / "dog" / "two.jpg").unlink()
    with pytest.raises(ClipError, match=r"JPEGImages: 1 of 4 pictures are missing, the first one dog/two\.jpg; unpack it again"):
        catalog.sets(str(tmp_path))
    path = tmp_path / "SPair-71k" / "PairAnnotation" / "test" / "000000-one-two:cat.json"
    path.write_text(path.read_text().replace('"trg_kps": [[', '"trg_kps": [[1, 1], ['))
    spair._pairs.cache_clear()
    with pytest.raises(ClipError, match=r"two:cat\.json: not a pair of SPair-71k \(3 and 4 landmarks of cat\)"):
        catalog.sets(str(tmp_path))


def turn(degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def scannet_tree(root: Path, angles: dict[str, float]) -> Path:
    """A wall 2 m away whose colour says the place on it; the camera moves along it and turns about its axis."""
    scene = root / "scene0707_00"
    for kind in ("color", "depth", "pose"):
        (scene / kind).mkdir(parents=True)
    focal, wide, high = 580.0, 640, 480
    u, v = np.meshgrid(np.arange(wide) + 0.5, np.arange(high) + 0.5)
    rays = np.stack([(u - wide / 2) / focal, (v - high / 2) / focal, np.ones_like(u)], axis=-1) * 2
    for k, (frame, degrees) in enumerate(angles.items()):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn(degrees), (0.1 * k, 0.05 * k, 0)
        world = rays @ pose[:3, :3].T + pose[:3, 3]
        painted.coloured(world[..., 0] / 4 + 0.5, world[..., 1] / 4 + 0.5).save(scene / "color" / f"{frame}.jpg", quality=95)
        Image.fromarray(np.full((high, wide), 2000, dtype=np.uint16)).save(scene / "depth" / f"{frame}.png")
        np.savetxt(scene / "pose" / f"{frame}.txt", pose)
    np.savez(root / "intrinsics.npz", scene0707_00=np.array([[focal, 0, wide / 2], [0, focal, high / 2], [0, 0, 1]]))
    frames = [int(frame) for frame in angles]
    np.savez(root / "test.npz", name=np.array([[707, 0, frames[0], other] for other in frames[1:]]))
    return root


def forget() -> None:
    for each in (scannet._pairs, scannet._pose, scannet._cameras, navi._pairs, navi._box, navi._depth):
        each.cache_clear()


def test_views_of_a_room_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    forget()
    rows, result = measure(scannet_tree(tmp_path / "room", {"0": 0, "45": 40, "60": 50}), suites="correspondence", model="dense")
    for name, degrees in (("viewpoint-30-60", 45.0),):
        row = rows[f"correspondence/recall_px[{name}]"]
        assert row["value"] > 0.98, result.outlines
        told = row["conventions"]
        assert (row["n"], told["threshold"], told["keep"], told["mean_degrees"]) == (2, 10.0, 250, degrees)
        assert told["chance"] < 0.1
        assert rows[f"correspondence/recall_distance[{name}]"]["value"] > 0.9
    assert rows["correspondence/recall_px[viewpoint-30-60]"]["conventions"]["same_place"] < 0.2
    assert "correspondence/recall_px[viewpoint-15-30]" not in rows


def test_points_land_where_the_other_camera_sees_them(tmp_path: Path) -> None:
    forget()
    data = load(str(scannet_tree(tmp_path / "room", {"0": 0, "15": 40})))
    pair = data.view_pairs("viewpoint-30-60")[0]
    assert pair.degrees == pytest.approx(40)
    assert len(pair.source) == 60 * 80
    assert pair.source.max(axis=0).tolist() == [159, 119]
    # The middle of the first picture is 2 m ahead; the second camera stands 10 and 5 cm aside and is turned by 40 degrees.
    middle = np.abs(pair.source - [79, 59]).sum(axis=1).argmin()
    offset = (pair.source[middle] + 0.5 - [80, 60]) / 145 * 2
    seen = turn(-40)[:2, :2] @ (offset - [0.1, 0.05]) / 2 * 145 + [80, 60] - 0.5
    assert pair.landing[middle] == pytest.approx(seen)
    behind = depthviews.landing(np.array([[0.0, 0.0, -1.0]]), focal=(1, 1), centre=(0, 0))
    assert np.isinf(behind).all()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("scene0707_00/depth/15.png", r"test\.npz: .*depth/15\.png does not exist; unpack scannet_test_1500 again"),
        ("scene0707_00/color/0.jpg", r"color/0\.jpg does not exist"),
        ("scene0707_00/pose/15.txt", r"pose/15\.txt: not a pose of four lines of four numbers"),
    ],
)
def test_missing_files_of_a_room(tmp_path: Path, name: str, says: str) -> None:
    forget()
    root = scannet_tree(tmp_path / "room", {"0": 0, "15": 40})
    (root / name).unlink()
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(root))


def navi_tree(root: Path) -> Path:
    """A coloured plate of 20 cm, photographed from 1 m, turned by 10 degrees more each time and off the middle."""
    scene = root / "plate" / "wild_set"
    for kind in ("images", "depth"):
        (scene / kind).mkdir(parents=True)
    wide, high, focal, told = 160, 120, 300.0, []
    u, v = np.meshgrid(np.arange(wide) + 0.5, np.arange(high) + 0.5)
    rays = np.stack([(u - wide / 2) / focal, (v - high / 2) / focal, np.ones_like(u)], axis=-1)
    for k in range(8):
        at, rotation = np.array([0.03, -0.02 + 0.002 * k, 1.0]), turn(10 * k)
        plate = (rays - at) @ rotation
        x, y = plate[..., 0] / 0.2 + 0.5, plate[..., 1] / 0.2 + 0.5
        there = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
        painted.coloured(x, y).save(scene / "images" / f"{k:03d}.jpg", quality=95)
        Image.fromarray(np.where(there, round(65_535 * 10 / 1000), 0).astype(np.uint16)).save(scene / "depth" / f"{k:03d}.png")
        half = math.radians(10 * k) / 2
        camera = {"q": [math.cos(half), 0, 0, math.sin(half)], "t": (at * 1000).tolist(), "focal_length": 10 * focal}
        told.append({"filename": f"{k:03d}.jpg", "image_size": [10 * high, 10 * wide], "camera": camera})
    (scene / "annotations.json").write_text(json.dumps(told))
    return root


def test_photographs_of_an_object_through_the_whole_path(tmp_path: Path, measure: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    monkeypatch.setattr(navi, "EVERY", 1)
    rows, result = measure(navi_tree(tmp_path / "navi_v1"), suites="correspondence", model="dense")
    measured = {gate: row for gate, row in rows.items() if row["value"] is not None}
    found = [row for gate, row in measured.items() if gate.startswith("correspondence/recall_distance")]
    assert len(found) >= 2, result.outlines
    for row in found:
        assert row["value"] > 0.97
        assert (row["data"], row["conventions"]["threshold"]) == ("navi", 0.02)
        assert row["conventions"]["same_place"] < row["value"]
    assert all(row["value"] > 0.97 for gate, row in measured.items() if gate.startswith("correspondence/recall_px"))


def test_the_object_fills_its_frame_and_wrong_trees_are_refused(tmp_path: Path) -> None:
    forget()
    root = navi_tree(tmp_path / "navi_v1")
    data = load(str(root))
    images = data.images("pictures")
    left, top, right, bottom = images.frame(0, (160, 120))  # type: ignore[misc]
    assert right - left == bottom - top
    assert 60 <= right - left <= 90
    assert images.frame(0, (320, 240)) == (2 * left, 2 * top, 2 * right, 2 * bottom)  # type: ignore[misc]
    (found,) = layouts.find(str(tmp_path))
    assert "1 objects, NAVI v1 has 36" in navi.problems(found)[0].what
    (root / "plate" / "wild_set" / "depth" / "003.png").unlink()
    forget()
    with pytest.raises(ClipError, match=r"annotations\.json: .*depth/003\.png does not exist; fetch it again"):
        catalog.sets(str(root))
    listed = root / "plate" / "wild_set" / "annotations.json"
    listed.write_text(listed.read_text().replace('"q"', '"p"', 1))
    with pytest.raises(ClipError, match=r"annotations\.json: entry 0 lacks or mistakes 'q'"):
        catalog.sets(str(root))
