"""Depth maps: what scenes know, what a folder may bring, and how a map follows the picture into the model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from open_clip.transform import image_transform
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.cli import main as cli
from pytest_clip.data import catalog, depth, doctor, load
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


def test_scenes_have_depth_portraits_have_none_and_a_folder_has_it_with_a_folder_of_maps(pets):
    assert [s.name for s in catalog.sets("scenes") if not s.depth] == ["studio", "note_word", "note_blank", "note_neutral", "note_read"]
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


def test_a_missing_map_is_said_and_stops_only_what_needs_it(with_maps):
    (with_maps / "depth" / "dog" / "b.npy").unlink()
    images = load(str(with_maps)).images("clean")
    assert len(images) == 2
    (said,) = (each for each in doctor.quick(str(with_maps)) if each.level == "warn")
    assert said.what == (
        f"1 of 2 images have no depth map in {with_maps}/depth, the first one {with_maps}/dog/b.png; gates that follow depth will fail: "
        f"add {with_maps}/depth/dog/b.png, or remove the folder"
    )
    whole = (
        rf"pets/clean: 1 of 2 depth maps cannot be used, the first one {with_maps}/depth/dog/b\.png; replace them, .*:\n    .*there is no"
    )
    with pytest.raises(ClipError, match=whole):
        depth.depth_maps(images, [0])
    with pytest.raises(ClipError, match=r"the folder of maps \(they are named at the first gate that failed for them\)$"):
        depth.depth_maps(images, [1])
    assert [each.level for each in doctor.examine(str(with_maps)).problems if "depth map" in each.what] == ["refuse"]
    assert cli.main(["doctor", "--data", str(with_maps)]) == 1


def test_data_without_maps_says_where_to_put_them(pets):
    ways = r"put one for each image into pets/depth/CLASS/IMAGE\.png .*or have them estimated: --clip-depth-model=.*pytest-clip\[depth\]"
    with pytest.raises(ClipError, match=f"pets has no depth maps; {ways}"):
        depth.depth_maps(load(str(pets)).images("clean"), [0])


HUGE = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"
SOUND = np.linspace(1, 9, 2400).reshape(40, 60)


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("a.png", np.ones((4, 4, 3), np.uint8), r"one number per pixel, this file has the shape \[4, 4, 3\]"),
        ("a.png", np.zeros((4, 4), np.uint8), "holds no distance above 0"),
        ("a.npy", np.full((40, 60), np.nan), "holds no distance above 0"),
        ("a.npy", np.full((40, 60), -1.0), "holds no distance above 0"),
        ("a.npy", SOUND * 1e-40, r"distances from 1e-40 to 9e-40: 1e-12 to 1e\+12, and the farthest at most 1e\+06 times the nearest"),
        ("a.npy", SOUND.astype(np.float32) * np.float32(1e37), r"distances from 1e\+37 to 9e\+37"),
        ("a.npy", SOUND * 1e300, r"distances from 1e\+300 to 9e\+300"),
        ("a.npy", np.where(SOUND > 5, 1e-5, 1e5), r"distances from 1e-05 to 100000"),
        ("a.npy", np.where(SOUND > 8.9, SOUND, 0), r"1\.[0-9]% of the pixels have a distance, at least 10% must"),
        ("a.npy", np.ones((300, 1)), r"1 x 300 numbers are of another shape than the picture .*cat/a\.jpg, 60 x 40 pixels; make it of all"),
        ("a.npy", SOUND.T, r"40 x 60 numbers .* 60 x 40 pixels; its rows are the picture's columns: transpose it"),
        ("a.npy", np.ones((2, 3)), r"3 x 2 numbers are of another shape"),
        ("a.npy", SOUND.astype(np.complex64), r"holds complex64 and no distances"),
        ("a.npy", SOUND > 5, r"holds bool and no distances"),
        ("a.npy", np.full((40, 60), "x"), r"holds <U1 and no distances"),
        ("a.npy", np.array([{}]), r"not a readable depth map \(.*Python objects"),
        ("a.npy", np.ones(()), r"has the shape \[\]"),
        ("a.npy", np.ones((0, 9)), r"has the shape \[0, 9\]"),
        ("a.npy", b"", r"not a readable depth map \(.*\); replace it"),
        ("a.png", b"", r"not a readable depth map \(.*\); replace"),
        ("a.npy", HUGE, r"not a readable depth map \("),
        ("a.png", Image.new("P", (60, 40), 3), "numbers of a palette are colours and no distances"),
        ("a.png", Image.new("1", (60, 40), 1), "numbers of a palette are colours and no distances"),
        ("a.png", Image.new("LA", (60, 40), (3, 3)), r"has the shape \[40, 60, 2\]"),
        ("a.tif", Image.new("CMYK", (60, 40), 3), r"has the shape \[40, 60, 4\]"),
    ],
)  # fmt: skip
def test_maps_that_are_none(with_maps, name, values, text):
    (with_maps / "depth" / "cat" / "a.png").unlink()
    path = with_maps / "depth" / "cat" / name
    if isinstance(values, bytes):
        path.write_bytes(values)
    elif isinstance(values, Image.Image):
        values.save(path)
    else:
        add_map(with_maps, f"cat/{name}", values)
    images = load(str(with_maps)).images("clean")
    with pytest.raises(ClipError, match=text):
        depth.depth_maps(images, [1])
    assert [each.level for each in doctor.examine(str(with_maps)).problems if "depth map" in each.what] == ["refuse"]


@pytest.mark.parametrize(
    "values",
    [
        SOUND,
        SOUND[::2, ::2],
        SOUND[:, :59],
        np.where(SOUND > 5, SOUND, 0),
        (SOUND * 7000).astype(np.uint16),
        SOUND.astype(np.float16),
        SOUND * 1e6,
    ],
)
def test_maps_of_all_honest_kinds(with_maps, values):
    (with_maps / "depth" / "cat" / "a.png").unlink()
    add_map(with_maps, "cat/a.npy", values)
    (found,) = depth.depth_maps(load(str(with_maps)).images("clean"), [0])
    assert torch.equal(found, torch.from_numpy(np.where(values > 0, values, values.max()).astype(np.float32)))


def test_the_maps_of_a_table_are_in_its_fingerprint(with_maps):
    (with_maps / "manifest.csv").write_text("path,label\ncat/a.jpg,cat\ndog/b.png,dog\n")
    before = load(str(with_maps)).images("clean").fingerprint
    add_map(with_maps, "dog/b.npy", np.full((40, 60), 3.5))
    assert load(str(with_maps)).images("clean").fingerprint != before


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


@pytest.mark.parametrize("crop_mode", ["center", "squash"])
def test_a_map_is_cropped_as_timm_crops_the_picture(crop_mode):
    from pytest_clip.models.sight import Sight

    half = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
    config = {"input_size": (3, 24, 24), "interpolation": "bicubic", "crop_pct": 0.75, "crop_mode": crop_mode, **half}
    columns = np.broadcast_to(np.arange(128, dtype=np.uint8) * 2, (96, 128))
    seen = Sight(config).resize(Image.fromarray(np.stack([columns] * 3, axis=-1)))[0].float()
    way = Sight(config).told["resize_mode"]
    cut = depth.framed(torch.from_numpy(columns.astype(np.float32)) + 1, (24, 24), way=way, crop=0.75) - 1
    assert cut.shape == (24, 24)
    assert (cut - seen).abs().max() <= 8, "of four columns the nearest: at most two beside the middle"
    whole = depth.framed(torch.from_numpy(columns.astype(np.float32)) + 1, (24, 24), way=way) - 1
    assert (whole - seen).abs().max() > 16


@pytest.mark.parametrize("size", [(40, 60), (60, 40), (37, 53), (31, 90), (24, 24), (9, 13)])
def test_a_map_gets_the_border_that_the_picture_gets(size):
    """`longest`: inside, a map is where open_clip puts the picture; outside, it goes on as it is at the edge."""
    transform = image_transform(24, is_train=False, resize_mode="longest", mean=(0, 0, 0), std=(1, 1, 1), fill_color=255)
    black = np.asarray(transform(Image.new("RGB", size[::-1])))[0] == 0  # the border is white
    rows, columns = np.flatnonzero(black.any(1)), np.flatnonzero(black.any(0))
    ramp = torch.linspace(1, 2, size[0])[:, None] * torch.linspace(1, 3, size[1])
    got = depth.framed(ramp, (24, 24), way="longest")
    inner = got[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert inner.shape == (len(rows), len(columns))
    assert torch.equal(got[: rows[0]], got[rows[0]].expand(rows[0], -1))
    assert torch.equal(got[:, columns[-1] :], got[:, columns[-1], None].expand(-1, 24 - columns[-1]))
    assert (inner.diff(dim=0) >= 0).all()
    assert (inner.diff(dim=1) >= 0).all()
    assert inner.min() == pytest.approx(1, abs=0.15)
    assert inner.max() > 4.5


class Estimates:
    """Stands in for a network; its maps count how often it was asked."""

    name, fingerprint = "guess", "0123456789abcdef"

    def __init__(self):
        self.asked = []

    def distances(self, picture, *, device):
        self.asked.append((picture.size, device))
        return torch.full((4, 6), float(len(self.asked)))


def test_a_model_estimates_what_has_no_maps_once(pets, tmp_path):
    model = Estimates()
    images = replace(load(str(pets)).images("clean"), depth_model=model)
    first = depth.depth_maps(images, [1, 0], cache=tmp_path, device="cpu")
    again = depth.depth_maps(images, [0, 1], cache=tmp_path, device="cpu")
    assert [each.unique().item() for each in (*first, *again)] == [1, 2, 2, 1]
    assert model.asked == [((60, 40), "cpu")] * 2
    others = (
        replace(images, fingerprint="other pictures"),
        replace(images, depth_model=type("Other", (Estimates,), {"fingerprint": "f" * 16})()),
    )
    for other in others:  # neither other pictures nor another model get these maps
        depth.depth_maps(other, [0], cache=tmp_path)
    assert len(model.asked) == 3
    assert len(others[1].depth_model.asked) == 1
    assert len(list((tmp_path / "depth").rglob("*.npy"))) == 4
    assert depth.depth_maps(images, [0])[0].unique().item() == 4  # without a cache it is asked again


def test_a_picture_that_cannot_be_read_is_named_before_it_is_estimated(pets):
    (pets / "cat" / "a.jpg").write_bytes(b"no picture")
    images = replace(load(str(pets)).images("clean"), depth_model=Estimates())
    with pytest.raises(ClipError, match=r"a\.jpg: not a readable image"):
        depth.depth_maps(images, [0])


def test_where_depth_comes_from(pets):
    scenes, none = load("scenes", limit=19).images("clean"), load(str(pets)).images("clean")
    assert depth.origin(none) is None
    assert depth.origin(replace(none, depth_model=Estimates())) == depth.Origin("estimated by guess (0123456789abcdef)", "0123456789abcdef")
    assert depth.origin(replace(scenes, depth_model=Estimates())) == depth.Origin("exact")
    add_map(pets, "cat/a.png", np.ones((8, 12), np.uint8))
    add_map(pets, "dog/b.png", np.ones((8, 12), np.uint8))
    known = replace(load(str(pets)).images("clean"), depth_model=Estimates())
    assert depth.origin(known) == depth.Origin("files")
    assert depth.depth_maps(known, [0])[0].tolist() == [[1] * 12] * 8


def test_the_model_of_the_run_reaches_every_image_set(pets):
    model = Estimates()
    assert replace(load(str(pets)), depth_model=model).images("clean").depth_model is model
    assert load(str(pets)).images("clean").depth_model is None
