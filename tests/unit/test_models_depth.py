"""Depth estimation: what a network says becomes distances, from a folder of weights and from nothing else."""

import json
import math
import shutil

import numpy as np
import pytest
import tiny_depth
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import DepthAnythingForDepthEstimation, DPTForDepthEstimation, DPTImageProcessor

from pytest_clip import ClipError
from pytest_clip.models import depth

CLASSES = {"dpt": DPTForDepthEstimation, "depth_anything": DepthAnythingForDepthEstimation}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def of(kind="dpt", **config):
        key = (kind, *config.items())
        if key not in made:
            made[key] = tiny_depth.folder(tmp_path_factory.mktemp("depth") / f"tiny-{kind}", kind=kind, **config)
        return made[key]

    return of


@pytest.fixture
def copy(folders, tmp_path):
    """A folder of a test's own, to be damaged."""
    return shutil.copytree(folders(), tmp_path / "copy")


@pytest.fixture
def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


def find(folder, **how):
    return depth.find(str(folder), base=folder, **how)


def said(folder, kind, picture, size=(40, 60)):
    """What the network says, through its own class."""
    network = CLASSES[kind].from_pretrained(folder).eval()
    with torch.inference_mode():
        answer = network(**DPTImageProcessor.from_pretrained(folder)(images=picture, return_tensors="pt")).predicted_depth
        return torch.nn.functional.interpolate(answer[None], size=size, mode="bicubic")[0, 0].numpy().astype(np.float64)


@pytest.mark.parametrize("kind", CLASSES)
def test_inverse_depth_becomes_distance_as_the_paper_reads_it(folders, picture, kind):
    """16-bit disparities over 512, the reciprocal, cut off at 0.5."""
    got = find(folders(kind)).distances(picture)
    assert (got.dtype, tuple(got.shape)) == (torch.float32, (40, 60))
    assert not got.is_inference()
    disparity = said(folders(kind), kind, picture)
    bits = (disparity - disparity.min()) / (disparity.max() - disparity.min()) * 65535
    expected = np.minimum(1 / (bits / 512 + 1e-6), 0.5)
    np.testing.assert_allclose(got.numpy(), expected, rtol=2e-3)
    assert np.corrcoef(got.numpy().ravel(), disparity.ravel())[0, 1] < -0.1  # what is near is large before and small after


def test_distances_worked_by_hand():
    inverse = depth.distance(torch.tensor([[0.0, 1.0], [3.0, 4.0]]), metric=False)
    assert inverse.flatten().tolist() == pytest.approx([0.5, 1 / (128 / 4), 1 / (128 * 3 / 4), 1 / 128], rel=1e-3)
    assert depth.distance(torch.full((2, 2), 7.0), metric=False).unique().tolist() == [0.5]
    assert depth.distance(torch.tensor([[-1.0, 0.0, 2.5]]), metric=True).flatten().tolist() == pytest.approx([1e-3, 1e-3, 2.5])


def test_a_model_of_metres_says_so_or_is_told(folders, picture):
    metric = folders("depth_anything", depth_estimation_type="metric", max_depth=20)
    metres = said(metric, "depth_anything", picture)
    assert metres.min() > 0
    np.testing.assert_allclose(find(metric).distances(picture).numpy(), metres, rtol=1e-4)
    np.testing.assert_allclose(find(metric, output="inverse").distances(picture).max(), 0.5)
    relative = folders("dpt")
    np.testing.assert_allclose(find(relative, output="metric").distances(picture).numpy(), said(relative, "dpt", picture), rtol=1e-4)


def test_large_pictures_have_smaller_maps_and_other_modes_are_read(folders, picture, monkeypatch):
    monkeypatch.setattr(depth, "SIDE", 20)
    model = find(folders())
    assert tuple(model.distances(picture).shape) == (20, 30)
    assert tuple(model.distances(picture.convert("L").resize((9, 50))).shape) == (50, 9)


def test_the_fingerprint_is_that_of_the_content(folders, copy):
    model = find(folders())
    assert len(model.fingerprint) == 16
    assert model.fingerprint == find(copy).fingerprint
    assert model.fingerprint != find(copy, output="metric").fingerprint
    weights = load_file(copy / "model.safetensors")
    weights["head.head.4.bias"] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert find(copy).fingerprint != model.fingerprint
    shutil.copy(folders() / "model.safetensors", copy)
    processor = json.loads((copy / "preprocessor_config.json").read_text()) | {"image_mean": [0.4, 0.4, 0.4]}
    (copy / "preprocessor_config.json").write_text(json.dumps(processor))
    assert find(copy).fingerprint != model.fingerprint


def test_names(folders, tmp_path):
    assert find(folders()).name == "tiny-dpt"
    hub = depth.find("depth-anything/Depth-Anything-V2-Small-hf", base=tmp_path)
    assert (hub.name, hub.folder) == ("depth-anything/Depth-Anything-V2-Small-hf", None)


@pytest.mark.parametrize("text", ["nowhere", "../x", "a/b/c", "https://huggingface.co/a/b", "/a/b"])
def test_neither_a_folder_nor_a_hub_id(tmp_path, text):
    with pytest.raises(ClipError, match=r"is no folder and no hub id; write a folder of save_pretrained, or ORGANISATION/NAME"):
        depth.find(text, base=tmp_path)


def test_a_repository_that_cannot_be_had(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        ClipError, match=r"cannot get nobody/nothing: HF_HUB_OFFLINE is set.*has no copy\. Give a local file.*--clip-depth-model=DIR"
    ):
        _ = depth.find("nobody/nothing", base=tmp_path).path


@pytest.mark.parametrize(
    ("gone", "text"), [("model.safetensors", r"has no \*\.safetensors"), ("preprocessor_config.json", "has no preprocessor_config.json")]
)
def test_a_folder_that_lacks_a_file(copy, gone, text):
    """A pickle beside it is no substitute."""
    (copy / gone).rename(copy / "pytorch_model.bin")
    with pytest.raises(ClipError, match=rf"{text}; it takes a depth-estimation model as save_pretrained writes it"):
        find(copy)


def test_without_transformers_it_says_what_to_install(folders, monkeypatch):
    monkeypatch.setattr(depth, "find_spec", lambda name: None)
    with pytest.raises(ClipError, match=r"tiny-dpt' needs transformers, which is not installed; pip install pytest-clip\[depth\]"):
        find(folders())


def change_weights(folder, change):
    weights = change(load_file(folder / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return find(folder)


def test_weights_that_are_missing_are_not_guessed(copy, picture):
    broken = change_weights(copy, lambda weights: {k: v for k, v in weights.items() if not k.startswith("head.head.2")})
    with pytest.raises(
        ClipError, match=r"copy lacks 2 of its weights \(head\.head\.2\.bias, head\.head\.2\.weight \.\.\.\) and would guess"
    ):
        broken.distances(picture)


def test_weights_that_nothing_uses_may_be_missing(folders, copy, picture):
    """Those of the published DPT models are."""
    unused = change_weights(copy, lambda weights: {k: v for k, v in weights.items() if "layers.0.residual_layer1" not in k})
    torch.testing.assert_close(unused.distances(picture), find(folders()).distances(picture), rtol=1e-3, atol=1e-5)


def test_answers_that_are_no_numbers(copy, picture):
    broken = change_weights(copy, lambda weights: weights | {"head.head.4.bias": torch.tensor([math.nan])})
    with pytest.raises(ClipError, match=r"the depth model copy answers with numbers that are not finite"):
        broken.distances(picture)


def test_a_model_of_another_kind(copy, picture):
    (copy / "config.json").write_text(json.dumps({"model_type": "vit", "architectures": ["ViTModel"]}))
    with pytest.raises(ClipError, match=r"the depth model copy cannot be loaded \(.*\); see --clip-depth-model"):
        find(copy).distances(picture)
