"""The pixel store: every kind of picture, bit for bit as open_clip itself prepares it, decoded once for all who look at it."""

import gc
import itertools
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import Data, load
from pytest_clip.data.pictures import decode
from pytest_clip.extract import frames as frames_module
from pytest_clip.extract import pixels, provenance, shards, source
from pytest_clip.extract.cores import cores
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.source import Source
from pytest_clip.models import openclip, spec
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.views.view import Facts, View

ALL, STEP = 21, 6  # pictures, and those of one shard
MEAN, STD = [0.48, 0.45, 0.41], [0.27, 0.26, 0.28]


def paint(seed: int, size: tuple[int, int] = (47, 31)) -> Image.Image:
    small = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (5, 6, 3), np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def animated(path: Path, kind: str) -> None:
    frames = [paint(30), paint(31), paint(32)]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=80, loop=0)


def draw(root: Path) -> None:
    """Every kind of picture that Pillow hands to a model differently, in two classes."""
    turned = Image.Exif()
    turned[0x0112] = 6
    veiled = paint(5).convert("RGBA")
    veiled.putalpha(paint(6).convert("L"))
    deep = np.random.default_rng(7).integers(0, 65535, (33, 52), np.uint16)
    files: dict[str, Callable[[Path], Any]] = {
        "rgb.jpg": lambda p: paint(0).save(p, quality=90),
        "progressive.jpg": lambda p: paint(1, (200, 150)).save(p, progressive=True),
        "gray.png": lambda p: paint(2).convert("L").save(p),
        "palette.png": lambda p: paint(3).convert("P").save(p),
        "palette_holes.png": lambda p: paint(4).convert("P").save(p, transparency=bytes(range(256))),
        "palette_one_hole.png": lambda p: paint(4).convert("P").save(p, transparency=3),
        "rgba.png": lambda p: veiled.save(p),
        "la.png": lambda p: veiled.convert("LA").save(p),
        "bits.png": lambda p: paint(8).convert("1").save(p),
        "print.jpg": lambda p: paint(9).convert("CMYK").save(p),
        "deep_gray.png": lambda p: Image.fromarray(deep).save(p),
        "deep_gray.tif": lambda p: Image.fromarray(deep).save(p),
        "turned.jpg": lambda p: paint(10, (60, 25)).save(p, exif=turned),
        "one_pixel.png": lambda p: paint(11, (1, 1)).save(p),
        "needle.png": lambda p: paint(12, (3, 200)).save(p),
        "ribbon.png": lambda p: paint(13, (4000, 30)).save(p),
        "exact.png": lambda p: paint(14, (32, 32)).save(p),
        "odd.webp": lambda p: paint(15, (33, 35)).save(p, lossless=True),
        "animated_gif.png": lambda p: animated(p, "GIF"),  # what a file is called does not matter
        "animated.webp": lambda p: animated(p, "WEBP"),
        "picture.bmp": lambda p: paint(16).save(p),
    }
    for k, (name, save) in enumerate(files.items()):
        folder = root / ("cat", "dog")[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        save(folder / name)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    root = tmp_path_factory.mktemp("photos") / "photos"
    draw(root)
    return load(str(root))


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    return tiny_models.state()


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Any]) -> Callable[..., OpenClipModel]:
    """A tiny model whose own configuration says how it prepares pictures."""

    def built(**preprocess: Any) -> OpenClipModel:
        place = tiny_models.folder(tmp_path_factory.mktemp("model") / "tiny", weights=weights, **preprocess)
        return openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=place)

    return built


@pytest.fixture(scope="module")
def model(make: Callable[..., OpenClipModel]) -> OpenClipModel:
    return make()


def open_clips_own(data: Data, **preprocess: Any) -> torch.Tensor:
    """All pictures through open_clip's transform, opened as its own users do; those of 16 bits, which it makes white, by their range."""
    transform = image_transform_v2(PreprocessCfg(size=(32, 32), **preprocess), is_train=False)
    out = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow, of palettes with transparency
        for path in data.images("clean").files or ():
            with Image.open(path) as image:
                out.append(transform(decode(path, where=path.name) if image.mode.startswith("I") else image))
    return torch.stack(out)


NARROW = ("needle.png", "ribbon.png")
"""With the longer side at 32 nothing is left of the shorter one."""


def without_the_narrow(data: Data, root: Path) -> Data:
    """The data set in another folder, less two pictures."""
    for path in data.images("clean").files or ():
        if path.name not in NARROW:
            (root / path.parent.name).mkdir(parents=True, exist_ok=True)
            (root / path.parent.name / path.name).write_bytes(path.read_bytes())
    return load(str(root))


@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_stored_pictures_are_open_clips_own_bit_by_bit(
    make: Callable[..., OpenClipModel], data: Data, tmp_path: Path, mode: str, interpolation: str
) -> None:
    how = {"resize_mode": mode, "interpolation": interpolation, "mean": MEAN, "std": STD, "fill_color": 37}
    data = without_the_narrow(data, tmp_path / "set") if mode == "longest" else data
    model, expected, n = make(**how), open_clips_own(data, **how), len(data.images("clean"))
    assert (n, model.facts["preprocess"]["resize_mode"]) == (ALL - 2 if mode == "longest" else ALL, mode)
    extraction = Extraction(cache=tmp_path, cores=cores(1))
    for _ in range(2):  # as it is put, and as it is read back
        batch = extraction.batch(model, data, "clean", first=n)
        for row, path in enumerate(data.images("clean").files or ()):
            assert torch.equal(batch[row], expected[row]), path.name
    [place] = (tmp_path / "pixels").iterdir()
    stored = np.concatenate([shards.read(path) for path in sorted(place.glob("rows-*"))])
    assert (stored.dtype, stored.shape) == (np.uint8, (n, 3, 32, 32))
    assert torch.equal(model.normalize(torch.from_numpy(stored)), expected)


def test_a_picture_that_open_clip_itself_cannot_resize_is_named(make: Callable[..., OpenClipModel], data: Data, tmp_path: Path) -> None:
    model = make(resize_mode="longest")
    with pytest.raises(ValueError, match="height and width must be > 0"):
        model.preprocess(paint(12, (3, 200)))
    said = r"cat/needle.png: 3 x 200 pixels cannot be resized as tiny asks \(height and width must be > 0\); cut the picture"
    with pytest.raises(ClipError, match=said):
        Extraction(cache=tmp_path, cores=cores(1)).embeddings(model, data, "clean")


def test_the_six_geometries_are_six_different_pictures(make: Callable[..., OpenClipModel], data: Data, tmp_path: Path) -> None:
    models = [make(resize_mode=m, interpolation=i) for m in ("shortest", "squash", "longest") for i in ("bicubic", "bilinear")]
    data = without_the_narrow(data, tmp_path / "set")
    rows = [Extraction(cache=tmp_path, cores=cores(1)).pictures(each, data, "clean", first=ALL - 2) for each in models]
    assert len(list((tmp_path / "pixels").iterdir())) == 6
    assert not any(torch.equal(one, two) for one, two in itertools.combinations(rows, 2))


def shifted(name: str, by: int) -> View:
    def apply(images: torch.Tensor, facts: Facts) -> torch.Tensor:
        return images.roll(by, dims=3)

    return View(name, f"{name}-v1", apply)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were decoded."""
    seen: list[str] = []
    decode = source.decode

    def noted(path: Any, *, where: str) -> Any:
        seen.append(where)
        return decode(path, where=where)

    monkeypatch.setattr(source, "decode", noted)
    return seen


def look(extraction: Extraction, models: list[OpenClipModel], data: Data) -> list[np.ndarray[Any, Any]]:
    views = [None, shifted("left", -5), shifted("right", 5), shifted("far", 11)]
    return [extraction.embeddings(model, data, "clean", view=view) for model in models for view in views]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_image_is_decoded_once_for_all_views_and_models_of_a_geometry(
    make: Callable[..., OpenClipModel], model: OpenClipModel, data: Data, tmp_path: Path, decoded: list[str], workers: int
) -> None:
    second, wide = make(mean=MEAN, std=STD), make(resize_mode="squash")
    rows = look(Extraction(cache=tmp_path, cores=cores(workers)), [model, second], data)
    assert sorted(decoded) == sorted(str(path) for path in data.images("clean").files or ())
    assert len({each.tobytes() for each in rows}) == 8
    look(Extraction(cache=tmp_path, cores=cores(workers)), [wide], data)  # a later run, another geometry
    assert len(decoded) == 2 * ALL
    look(Extraction(cache=tmp_path, cores=cores(workers)), [model, second, wide], data)
    assert len(decoded) == 2 * ALL


def test_without_a_store_nothing_is_kept_and_the_numbers_are_the_same(
    model: OpenClipModel, data: Data, tmp_path: Path, decoded: list[str]
) -> None:
    stored = look(Extraction(cache=tmp_path / "kept", cores=cores(2)), [model], data)
    assert len(decoded) == ALL
    streamed = look(Extraction(cache=tmp_path / "streamed", cores=cores(2), keep=False), [model], data)
    assert len(decoded) == ALL + 4 * ALL  # once a view: that is the price
    for one, two in zip(stored, streamed, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not (tmp_path / "streamed" / "pixels").exists()
    assert (tmp_path / "kept" / "pixels").is_dir()


def test_a_source_without_keep_asks_no_store(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    assert Source(model, data.images("clean"), tmp_path, keep=False)._frames is None
    assert Source(model, data.images("clean"), tmp_path)._frames is not None


def mappings(folder: Path) -> list[str]:
    return [line for line in Path("/proc/self/maps").read_text().splitlines() if str(folder) in line]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what is mapped")
def test_rows_are_copied_and_nothing_stays_mapped(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    of = Source(model, data.images("clean"), tmp_path)
    assert of._frames is not None
    rows = of._frames.rows([19, 3, 3])
    base: Any = rows
    while base is not None:
        assert not isinstance(base, np.memmap)
        base = base.base
    rows[:] = 0  # the reader's own
    assert of._frames.rows([19]).any()
    part = shards.mapped(next((tmp_path / "pixels").glob("*/rows-000000*")))
    assert len(mappings(tmp_path)) == 1  # this is how it would show
    del part
    gc.collect()
    assert not mappings(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "gone", "foreign"])
def test_torn_pictures_are_decoded_again_and_no_others(
    model: OpenClipModel, data: Data, tmp_path: Path, decoded: list[str], damage: str
) -> None:
    before = Extraction(cache=tmp_path, cores=cores(1)).batch(model, data, "clean", first=ALL)
    assert len(decoded) == ALL
    decoded.clear()
    path = sorted((tmp_path / "pixels").rglob("rows-*"))[1]
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-7] if damage == "cut" else b"no safetensors")
    after = Extraction(cache=tmp_path, cores=cores(1)).batch(model, data, "clean", first=ALL)
    assert torch.equal(before, after)
    assert decoded == [str(each) for each in (data.images("clean").files or ())[STEP : 2 * STEP]]


def test_rendered_pictures_that_were_torn_or_removed_since_are_rendered_again(tmp_path: Path) -> None:
    images = load("scenes", limit=8).images("clean")
    pixels.render_here(images, tmp_path)
    entry = pixels.place(images, tmp_path)
    expected = entry.rows()
    shown = pixels.Rendered(images, tmp_path)
    entry.path(1).write_bytes(entry.path(1).read_bytes()[:-1])
    entry.path(2).unlink()
    np.testing.assert_array_equal(np.stack([shown[row] for row in range(8)]), expected)


def same(data: Data, model: Any, cache: Path, view: View | None = None) -> None:
    Extraction(cache=cache, cores=cores(1)).embeddings(model, data, "clean", view=view)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for k in range(6):
        (tmp_path / "set" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        paint(k).save(tmp_path / "set" / "ab"[k % 2] / f"{k}.png")
    return tmp_path / "set"


@pytest.fixture
def forwards(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The images that went through a model."""
    seen: list[int] = []
    encode = OpenClipModel.encode_image

    def noted(self: OpenClipModel, images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return encode(self, images)

    monkeypatch.setattr(OpenClipModel, "encode_image", noted)
    return seen


def one_byte_more(path: Path) -> None:
    """A PNG of the same pixels with another byte in it."""
    path.write_bytes(path.read_bytes() + b"\0")


def test_what_answers_depend_on_misses(
    make: Callable[..., OpenClipModel], model: OpenClipModel, weights: dict[str, Any], photos: Path, tmp_path: Path, forwards: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    cache = tmp_path / "cache"

    def missed(model: OpenClipModel, data: Data, view: View | None = None) -> bool:
        forwards.clear()
        same(data, model, cache, view)
        return bool(forwards)

    data = load(str(photos))
    assert missed(model, data)
    assert not missed(model, data)
    changed = {key: value.clone() for key, value in weights.items()}
    changed["visual.proj"].view(-1)[5] += 1e-3  # one number of one weight
    place = tiny_models.folder(tmp_path / "other", weights=changed)
    assert missed(openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=place), data)
    assert missed(make(std=STD), data)
    for key in ("left-v1", "left-v2"):
        assert missed(model, data, View("left", key, lambda images, facts: images))
        assert not missed(model, data, View("another name", key, lambda images, facts: images))
    for package in ("torch", "open_clip_torch"):
        with monkeypatch.context() as patch:
            other = {**provenance.versions(), package: "99.0"}
            patch.setattr(provenance, "versions", lambda other=other: other)
            assert missed(model, data)
    one_byte_more(photos / "a" / "0.png")
    assert missed(model, load(str(photos)))
    (photos / "b" / "1.png").rename(photos / "b" / "2.png")  # ids are names of files, and noise is drawn by id
    assert missed(model, load(str(photos)))


def test_nothing_else_misses(
    model: OpenClipModel, weights: dict[str, Any], photos: Path, tmp_path: Path, forwards: list[int], decoded: list[str]
) -> None:
    cache = tmp_path / "cache"
    data = load(str(photos))
    same(data, model, cache)
    assert (sum(forwards), len(decoded)) == (6, 6)
    place = tiny_models.folder(tmp_path / "elsewhere" / "renamed", weights=weights)
    renamed = openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=place)
    assert renamed.label != model.label
    same(data, renamed, cache)
    for file in data.images("clean").files or ():
        os.utime(file, (1, 1))
    same(load(str(photos)), model, cache)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 2)
        for how in ({"batch_size": 1}, {"batch_size": 5, "cores": cores(3)}, {"cores": cores(1), "keep": False}):
            Extraction(cache=cache, **how).embeddings(model, load(str(photos)), "clean")  # type: ignore[arg-type]
    finally:
        torch.set_num_threads(before)
    photos.rename(tmp_path / "moved")
    moved = load(str(tmp_path / "moved"))
    assert moved.name != data.name
    same(moved, model, cache)
    assert (sum(forwards), len(decoded)) == (6, 6)
    same(moved, model, cache, View("left", "left-v1", lambda images, facts: images))  # the pictures too are known under any name
    assert (sum(forwards), len(decoded)) == (12, 6)


def test_another_version_of_the_views_code_misses(
    model: OpenClipModel, photos: Path, tmp_path: Path, forwards: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_clip.views import changes, corruption, corruption_view

    data, cache = load(str(photos)), tmp_path / "cache"
    for module, view in ((corruption, lambda: corruption_view("contrast", 2)), (changes, lambda: changes.CHANGES["shift"].view(1))):
        same(data, model, cache, view())
        forwards.clear()
        same(data, model, cache, view())
        assert not forwards
        monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
        same(data, model, cache, view())
        assert sum(forwards) == 6


def test_the_same_pictures_in_another_order_are_another_set(model: OpenClipModel, photos: Path, tmp_path: Path) -> None:
    """Class `b` comes first once it is called `_b`: the rows are others, so the store must be another."""
    plain = Extraction(cache=tmp_path / "cache", cores=cores(1)).pictures(model, load(str(photos)), "clean", first=6)
    (photos / "b").rename(photos / "0b")
    turned = Extraction(cache=tmp_path / "cache", cores=cores(1)).pictures(model, load(str(photos)), "clean", first=6)
    assert torch.equal(turned, plain[[1, 0, 3, 2, 5, 4]])


def test_a_store_that_cannot_be_read_back_is_one_error(
    model: OpenClipModel, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(path: Path) -> Any:
        raise shards.TornError(path, "cut off")

    monkeypatch.setattr(frames_module.shards, "mapped", torn)
    with pytest.raises(
        ClipError, match=r"pixels/\w{32} cannot be read back after it was written three times: .*Choose another with --clip"
    ):
        Extraction(cache=tmp_path, cores=cores(1)).batch(model, data, "clean", first=2)
