"""Image sets to embeddings: the model's own preprocessing, any batch size and thread count, order kept, errors that name the file."""

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import open_clip
import pytest
import tiny_models
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import Data, load
from pytest_clip.data.pictures import decode
from pytest_clip.extract.cores import cores
from pytest_clip.extract.embed import Batches, Local, Work
from pytest_clip.extract.entry import Entry
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.source import pictures
from pytest_clip.models import openclip, spec
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.views.view import Facts, View


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(place: Path) -> OpenClipModel:
    return openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=place)


def paint(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    g = np.random.default_rng(seed)
    small = Image.fromarray(g.integers(0, 255, (4, 5, 3), np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures of every mode that users have, in two classes."""
    root = tmp_path_factory.mktemp("photos")
    for name in ("cat", "dog"):
        (root / name).mkdir()
    paint(0).save(root / "cat" / "rgb.jpg")
    paint(1, (30, 41)).save(root / "cat" / "rgb.png")
    paint(2).convert("L").save(root / "cat" / "gray.jpg")
    paint(3).convert("P").save(root / "cat" / "palette.png")
    glass = paint(4).convert("RGBA")
    glass.putalpha(paint(5).convert("L"))
    glass.save(root / "cat" / "rgba.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    paint(6, (50, 20)).save(root / "dog" / "turned.jpg", exif=turned)
    paint(7).convert("P").save(root / "dog" / "holes.png", transparency=bytes(range(256)))
    paint(8).convert("CMYK").save(root / "dog" / "print.jpg")
    paint(9).convert("1").save(root / "dog" / "bits.png")
    paint(10).convert("LA").save(root / "dog" / "veil.png")
    return root


@pytest.fixture(scope="module")
def data(photos: Path) -> Data:
    return load(str(photos))


def embed(
    model: Any, data: Data, *, size: int | None = None, threads: int = 1, n: int | None = None, advance: Any = lambda n: None
) -> np.ndarray:
    images = data.images("clean")
    with tempfile.TemporaryDirectory() as folder:
        entry = Entry(Path(folder), {}, n or len(images))
        batches = Batches(size, say=lambda line: None)
        Local(batches, cores(threads)).fill(entry, Work(model, images, Path(folder)), advance=advance)
        return entry.rows()


@pytest.mark.filterwarnings("ignore:Palette images with Transparency:UserWarning")
def test_files_go_through_open_clips_own_transform_bit_by_bit(model: OpenClipModel, place: Path, data: Data) -> None:
    _, transform = open_clip.create_model_from_pretrained(f"local-dir:{place}")
    images = data.images("clean")
    picture = pictures(images, Path())
    assert len(images) == 10
    for i, path in enumerate(images.files or ()):
        with Image.open(path) as image:
            assert torch.equal(model.preprocess(picture(i)), transform(image)), path.name


def test_pillow_does_not_warn_about_palettes_with_transparency(model: OpenClipModel, photos: Path) -> None:
    model.preprocess(decode(photos / "dog" / "holes.png", where=""))  # warnings are errors here


def test_exif_orientation_is_not_applied_as_open_clip_does_not(photos: Path) -> None:
    assert decode(photos / "dog" / "turned.jpg", where="").size == (50, 20)


@pytest.mark.parametrize(("size", "threads"), [(1, 1), (3, 1), (3, 2), (10, 3), (64, 2), (None, 2)])
def test_batch_size_and_threads_do_not_change_embeddings(model: OpenClipModel, data: Data, size: int | None, threads: int) -> None:
    expected = embed(model, data)
    assert expected.shape == (10, 16)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(embed(model, data, size=size, threads=threads), expected, atol=1e-6)


def test_the_first_images_are_a_prefix_of_all(model: OpenClipModel, data: Data) -> None:
    for n in (1, 4, 10):
        np.testing.assert_allclose(embed(model, data, size=3, n=n), embed(model, data)[:n], atol=1e-6)


def test_embeddings_are_those_of_open_clip(model: OpenClipModel, place: Path, data: Data) -> None:
    module, transform = open_clip.create_model_from_pretrained(f"local-dir:{place}")
    picture = pictures(data.images("clean"), Path())
    with torch.inference_mode():
        expected = module.eval().encode_image(torch.stack([transform(picture(i)) for i in range(10)]), normalize=True)
    np.testing.assert_allclose(embed(model, data), expected.numpy(), atol=1e-6)


def test_progress_hears_of_every_image(model: OpenClipModel, data: Data) -> None:
    alone: list[int] = []
    embed(model, data, size=2, advance=alone.append)
    assert alone == [2, 1, 2, 1, 2, 1, 1]  # shards of three images, in batches of two
    together: list[int] = []
    embed(model, data, size=2, threads=2, advance=together.append)
    assert sum(together) == 10


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("content", [b"", b"this is no picture", "cut"])
def test_a_file_that_is_no_picture_is_named(model: OpenClipModel, tmp_path: Path, threads: int, content: bytes | str) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        paint(1).save(tmp_path / name / "good.png")
    bad = tmp_path / "b" / "bad.png"
    bad.write_bytes(content if isinstance(content, bytes) else (tmp_path / "a" / "good.png").read_bytes()[:600])
    with pytest.raises(ClipError, match=r"b/bad.png: not a readable image \(.*\); replace or remove the file"):
        embed(model, load(str(tmp_path)), threads=threads)


class Small:
    """A model on a device that takes at most `limit` images at a time; an image's embedding is its first pixel."""

    device, label, fingerprint = "cuda", "small", "5" * 16

    def __init__(self, limit: int) -> None:
        self.limit, self.tried = limit, list[int]()

    def encode_image(self, batch: torch.Tensor) -> torch.Tensor:
        self.tried.append(len(batch))
        if len(batch) > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batch[:, :, 0, 0]


def rows(n: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.arange(3.0 * n).view(n, 3, 1, 1), dim=1).expand(n, 3, 2, 2)


def test_out_of_memory_halves_the_batch_keeps_the_order_and_is_said_once() -> None:
    said: list[str] = []
    batches, model = Batches(None, say=said.append), Small(5)
    for _ in range(2):
        assert batches.encode(model, rows(24)).tolist() == rows(24)[:, :, 0, 0].tolist()  # type: ignore[arg-type]
    assert model.tried == [24, 12, 6, *[3] * 16]
    assert batches.size == 3
    assert said == ["out of GPU memory: going on with batches of 12; --clip-batch-size=12 avoids the failed attempt"]


def test_no_memory_for_one_image_is_an_error() -> None:
    with pytest.raises(ClipError, match="cuda has no memory for even one image of small; free it, or use --clip-device=cpu"):
        Batches(2, say=lambda line: None).encode(Small(0), rows(4))  # type: ignore[arg-type]


def test_other_errors_of_the_model_are_not_taken_for_a_lack_of_memory() -> None:
    broken = SimpleNamespace(
        device="cpu", label="x", fingerprint="x" * 16, encode_image=lambda batch: torch.zeros(2, 3) @ torch.zeros(2, 3)
    )
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Batches(2, say=lambda line: None).encode(broken, rows(4))  # type: ignore[arg-type]


def test_extraction_embeds_once_and_keeps_it_in_memory_and_on_disk(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    steps: list[str] = []

    class Heard:
        def advance(self, n: int) -> None: ...
        def close(self) -> None:
            steps.append("closed")

    def progress(label: str, total: int) -> Heard:
        steps.append(f"{label} {total}")
        return Heard()

    first = Extraction(cache=tmp_path, progress=progress, cores=cores(1))
    whole = first.embeddings(model, data, "clean")
    assert np.shares_memory(first.embeddings(model, data, "clean"), whole)
    np.testing.assert_array_equal(first.embeddings(model, data, "clean", first=3), whole[:3])
    again = Extraction(cache=tmp_path, progress=progress)
    np.testing.assert_array_equal(again.embeddings(model, data, "clean"), whole)
    assert steps == [f"tiny on {data.name}/clean 10", "closed"]


def test_extraction_of_the_first_images_does_not_pass_for_the_whole(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    part = Extraction(cache=tmp_path, cores=cores(1)).embeddings(model, data, "clean", first=4)
    whole = Extraction(cache=tmp_path, cores=cores(1)).embeddings(model, data, "clean")
    assert (len(part), len(whole)) == (4, 10)
    np.testing.assert_allclose(whole[:4], part, atol=1e-6)


@pytest.mark.parametrize("workers", [1, 2])
def test_extraction_renders_what_it_is_asked_for(model: OpenClipModel, tmp_path: Path, workers: int) -> None:
    steps: list[str] = []

    class Silent:
        def advance(self, n: int) -> None: ...
        def close(self) -> None: ...

    def progress(label: str, total: int) -> Silent:
        steps.append(f"{label} {total}")
        return Silent()

    scenes = load("scenes", limit=6)
    extraction = Extraction(cache=tmp_path, cores=cores(workers), wanted=("near", "clean", "nonsense"), progress=progress)
    for name in ("clean", "near", "pose"):  # one that was not announced as well
        assert len(extraction.embeddings(model, scenes, name)) == len(scenes.images(name))
    assert "rendering scenes/clean 6" in steps
    assert extraction.batch(model, scenes, "clean", first=2).shape == (2, 3, 32, 32)
    extraction.close()
    assert not [p for p in (tmp_path / "pixels").iterdir() if p.name.endswith(".part")]


def test_while_renderers_work_torch_keeps_to_one_thread(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    extraction = Extraction(cache=tmp_path, cores=cores(2), wanted=("clean",))
    try:
        extraction.start(load("scenes", limit=6))
        assert torch.get_num_threads() == 1
        extraction.close()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_resize_and_normalize_are_the_halves_of_preprocess_bit_by_bit(model: OpenClipModel, data: Data) -> None:
    picture = pictures(data.images("clean"), Path())
    resized = torch.stack([model.resize(picture(i)) for i in range(10)])
    assert (resized.dtype, resized.shape) == (torch.uint8, (10, 3, 32, 32))
    assert torch.equal(model.normalize(resized), torch.stack([model.preprocess(picture(i)) for i in range(10)]))
    assert resized.float().std() > 1


class Own:
    """A model of a user's own: nothing but the protocol."""

    def __init__(self, model: OpenClipModel) -> None:
        self.label, self.fingerprint, self.device = "own", "0" * 16, "cpu"
        self.preprocess, self.encode_image = model.preprocess, model.encode_image


def negative(calls: list[tuple[str, ...]]) -> View:
    def apply(images: torch.Tensor, facts: Facts) -> torch.Tensor:
        calls.append(facts.ids)
        return 255 - images

    return View("negative", "negative-v1", apply)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_view_changes_the_pictures_at_the_size_of_the_model(model: OpenClipModel, data: Data, tmp_path: Path, threads: int) -> None:
    calls: list[tuple[str, ...]] = []
    extraction = Extraction(cache=tmp_path, cores=cores(threads), batch_size=4)
    seen = extraction.embeddings(model, data, "clean", view=negative(calls))
    assert sorted(id_ for ids in calls for id_ in ids) == sorted(data.images("clean").ids)
    resized = extraction.pictures(model, data, "clean", first=10)
    np.testing.assert_allclose(seen, model.encode_image(model.normalize(255 - resized)), atol=1e-6)
    plain = extraction.embeddings(model, data, "clean")
    np.testing.assert_allclose(plain, model.encode_image(model.normalize(resized)), atol=1e-6)
    assert abs(seen - plain).max() > 1e-3
    again = Extraction(cache=tmp_path, cores=cores(1))
    calls.clear()
    np.testing.assert_array_equal(again.embeddings(model, data, "clean", view=negative(calls)), seen)
    assert not calls
    other = View("negative", "negative-v2", negative(calls).apply)
    again.embeddings(model, data, "clean", view=other)
    assert calls


def test_a_model_without_resize_is_shown_changed_pictures_of_their_own_size(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    extraction, own = Extraction(cache=tmp_path, cores=cores(1)), Own(model)
    seen = extraction.embeddings(own, data, "clean", view=negative([]))  # type: ignore[arg-type]
    picture = pictures(data.images("clean"), Path())
    turned = [Image.fromarray(255 - np.asarray(picture(i).convert("RGB"))) for i in range(10)]
    expected = model.encode_image(torch.stack([model.preprocess(p) for p in turned])).numpy()
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    with pytest.raises(ClipError, match="own has no `resize` and `normalize`"):
        extraction.pictures(own, data, "clean", first=2)  # type: ignore[arg-type]


def test_each_distinct_text_is_encoded_once(model: OpenClipModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    encode = OpenClipModel.encode_text

    def noted(self: OpenClipModel, texts: list[str]) -> torch.Tensor:
        asked.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(OpenClipModel, "encode_text", noted)
    extraction = Extraction(cache=tmp_path)
    first = extraction.texts(model, ["a mug", "a dog", "a mug"])
    second = extraction.texts(model, ["a dog", "a key"])
    assert set(asked[:16]) == {"a mug", "a dog"}  # a short batch is filled up with its last text
    assert set(asked[16:]) == {"a key"}
    asked.clear()
    np.testing.assert_array_equal(Extraction(cache=tmp_path).texts(model, ["a key", "a mug"])[0], second[1])
    assert not asked
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first[1], second[0])
    np.testing.assert_allclose(second, encode(model, ["a dog", "a key"]).numpy(), atol=1e-6)


def test_answers_of_another_model_are_not_mixed_up(place: Path, model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    other = tiny_models.folder(tmp_path / "other", weights=tiny_models.state(seed=2))
    second = openclip.load(spec.parse(f"local-dir:{other}"), device="cpu", cache_dir=tmp_path)
    extraction = Extraction(cache=tmp_path, cores=cores(1))
    assert not np.allclose(extraction.embeddings(model, data, "clean"), extraction.embeddings(second, data, "clean"))
    assert len(list((tmp_path / "answers").iterdir())) == 2
    assert len([p for p in (tmp_path / "pixels").iterdir() if p.is_dir()]) == 1  # both see the same pictures


def test_a_file_changed_in_place_is_embedded_anew(model: OpenClipModel, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        paint(1).save(tmp_path / "set" / name / "x.png")
    before = Extraction(cache=tmp_path, cores=cores(1)).embeddings(model, load(str(tmp_path / "set")), "clean")
    paint(2, (44, 33)).save(tmp_path / "set" / "b" / "x.png")
    after = Extraction(cache=tmp_path, cores=cores(1)).embeddings(model, load(str(tmp_path / "set")), "clean")
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.allclose(before[1], after[1])


def test_answers_are_made_once_for_all_gates_and_forgotten_with_their_model(model: OpenClipModel, data: Data, tmp_path: Path) -> None:
    extraction = Extraction(cache=tmp_path, cores=cores(1))
    answers = extraction.zero_shot(model, data, "clean")
    assert extraction.zero_shot(model, data, "clean") is answers
    with pytest.raises(ValueError, match="read-only"):
        answers.cosines[0, 0] = 1.0
    others = [
        extraction.zero_shot(model, data, "clean", first=4),
        extraction.zero_shot(model, data, "clean", templates=("{c}",)),
        extraction.zero_shot(model, data, "clean", view=negative([])),
    ]
    assert len({id(each) for each in (answers, *others)}) == 4
    assert len(others[0].cosines) == 4
    extraction._answers.room = 1
    extraction.zero_shot(model, data, "clean", first=5)
    assert len(extraction._answers) == 1
    extraction.forget(model)
    assert not len(extraction._answers)
    assert not len(extraction._kept)
    assert extraction.zero_shot(model, data, "clean") is not answers
    np.testing.assert_array_equal(extraction.zero_shot(model, data, "clean").cosines, answers.cosines)


def test_embeddings_of_earlier_views_leave_the_memory_and_come_back_from_the_disk(
    model: OpenClipModel, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extraction = Extraction(cache=tmp_path, cores=cores(1))
    extraction._kept.room = 1
    clean = extraction.embeddings(model, data, "clean")
    extraction.embeddings(model, data, "clean", view=negative([]))
    assert len(extraction._kept) == 1
    monkeypatch.setattr(type(model), "encode_image", None)  # nothing is embedded again
    np.testing.assert_array_equal(extraction.embeddings(model, data, "clean"), clean)
    np.testing.assert_array_equal(extraction.embeddings(model, data, "clean", first=3), clean[:3])
    assert len(extraction._kept) == 1
