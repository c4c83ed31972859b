"""Depth maps: what scenes know, what a folder may bring, and how a map follows the picture into the model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import catalog, depth, load
from pytest_clip.data.scenes.render import render


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "pets"
    for k, name in enumerate(("cat/a.jpg", "dog/b.png")):
        (root / name).parent.mkdir(parents=True)
        Image.new("RGB", (60, 40), (k * 90, 50, 50)).save(root / name)
    return root


def add_map(root, name, values):
    path = root / "depth" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)


@pytest.fixture
def with_maps(pets):
    add_map(pets, "cat/a.png", np.arange(2400, dtype=np.uint16).reshape(40, 60) * 10)
    add_map(pets, "dog/b.npy", np.full((40, 60), 2.5))
    return pets


def test_scenes_have_the_depth_of_the_renderer_up_to_the_backdrop():
    images = load("scenes", limit=40).images("clean")
    rows = [next(i for i, scene in enumerate(images.scenes) if scene.background == "outdoor"), 0]
    maps = torch.stack(depth.depth_maps(images, rows))
    expected = render([images.scenes[row] for row in rows]).depth
    assert expected.max() > 12  # the lawn goes on behind the backdrop
    assert torch.equal(maps, expected.clamp(max=12))
    assert torch.equal(depth.scene_depth(images, 1)[0], maps[1])


def test_maps_of_scenes_are_cast_once(monkeypatch):
    images = replace(load("scenes", limit=19).images("clean"), fingerprint="once")
    first = depth.depth_maps(images, [2, 0])
    monkeypatch.setattr(depth, "_cast", lambda images, rows: pytest.fail("cast again"))
    again = depth.depth_maps(images, [0, 2])
    assert torch.equal(first[0], again[1])


def test_all_scenes_have_depth_and_a_folder_has_it_with_a_folder_of_maps(pets):
    assert all(s.depth for s in catalog.sets("scenes"))
    assert [s.depth for s in catalog.sets(str(pets))] == [False]
    add_map(pets, "cat/a.png", np.ones((4, 4), np.uint8))
    assert [s.depth for s in catalog.sets(str(pets))] == [True]
    assert load(str(pets), limit=1).classes == ("cat", "dog")


def test_a_class_named_depth_is_a_class(pets):
    (pets / "depth").mkdir()
    Image.new("RGB", (8, 8)).save(pets / "depth" / "c.png")
    assert [(s.n, s.depth) for s in catalog.sets(str(pets))] == [(3, False)]
    assert load(str(pets)).images("clean").depth is None


def test_maps_lie_beside_the_images(with_maps):
    images = load(str(with_maps)).images("clean")
    cat, dog = depth.depth_maps(images, [0, 1])
    assert (cat.dtype, tuple(cat.shape), dog.unique().tolist()) == (torch.float32, (40, 60), [2.5])
    assert cat[39, 59] == 23990
    assert cat[0, 0] == 23990  # 0 is unknown: as far as anything known


def test_a_changed_map_changes_the_fingerprint(with_maps):
    before = load(str(with_maps)).images("clean").fingerprint
    add_map(with_maps, "dog/b.npy", np.full((41, 60), 2.5))
    assert load(str(with_maps)).images("clean").fingerprint != before


def test_a_missing_map_is_named(with_maps):
    (with_maps / "depth" / "dog" / "b.npy").unlink()
    with pytest.raises(ClipError, match=r"depth has no map for dog.b\.png; add .*depth.dog.b\.png, or remove the folder"):
        load(str(with_maps)).images("clean")


def test_data_without_maps_says_where_to_put_them(pets):
    with pytest.raises(ClipError, match=r"pets has no depth maps; put one for each image into pets/depth/CLASS/IMAGE\.png"):
        depth.depth_maps(load(str(pets)).images("clean"), [0])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.ones((4, 4, 3), np.uint8), r"one number per pixel, this file has the shape \[4, 4, 3\]"),
        (np.zeros((4, 4), np.uint8), "holds no distance above 0"),
    ],
)
def test_maps_that_are_none(with_maps, values, text):
    add_map(with_maps, "cat/a.png", values)
    with pytest.raises(ClipError, match=text):
        depth.depth_maps(load(str(with_maps)).images("clean"), [0])


def test_an_unreadable_map_is_named(with_maps):
    (with_maps / "depth" / "cat" / "a.png").write_bytes(b"no picture")
    with pytest.raises(ClipError, match=r"a\.png: not a readable depth map"):
        depth.depth_maps(load(str(with_maps)).images("clean"), [0])


def test_a_map_is_cut_as_the_picture_is():
    wide = torch.arange(60.0).expand(40, 60) + 1
    cut = depth.framed(wide, (20, 20), way="shortest")
    assert cut.shape == (20, 20)
    assert cut[0].tolist() == [11 + 2 * k for k in range(20)]  # of every two columns the nearer, from 10 to 50
    assert depth.framed(wide, (20, 20), way="squash")[0, -1] == 58
    with pytest.raises(ClipError, match="'longest', which adds a border"):
        depth.framed(wide, (20, 20), way="longest")
    assert depth.framed(wide[:, :40], (20, 20), way="longest").shape == (20, 20)
