"""Feature maps of an image set: the asked rows in order, whatever the batches, of the asked layer or the deepest with enough places."""

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

from pytest_clip.data import load
from pytest_clip.extract import dense
from pytest_clip.extract.extraction import Extraction
from pytest_clip.models import openclip
from pytest_clip.models.spec import parse


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("dense")
    for name in ("cat", "dog"):
        (root / "pets" / name).mkdir(parents=True)
        for k in range(3):
            pixels = np.random.default_rng([len(name) + ord(name[0]), k]).integers(0, 255, size=(64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "pets" / name / f"{k}.png")
    folder = tiny_models.folder(root / "model", tiny_models.RESNET, tiny_models.state(tiny_models.RESNET))
    model = openclip.load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=root)
    return model, load(str(root / "pets")), root


def test_rows_in_order_whatever_the_batches(world, monkeypatch):
    model, data, root = world
    whole = Extraction(cache=root).maps(model, data, "clean")
    assert whole.features.shape == (6, 64, 8, 8)
    assert whole.features.dtype == np.float32
    assert whole.conventions == {"layer": 2, "grid": "8x8", "channels": 64}  # 4 x 4 and 2 x 2 tell too few places apart
    monkeypatch.setattr(dense, "BATCH", 2)
    some = Extraction(cache=root).maps(model, data, "clean", rows=(4, 0, 3))
    np.testing.assert_allclose(some.features, whole.features[[4, 0, 3]], atol=1e-5)
    one = Extraction(cache=root, batch_size=1).maps(model, data, "clean", rows=(4, 0))
    np.testing.assert_allclose(one.features, whole.features[[4, 0]], atol=1e-5)


def test_maps_are_stored_and_the_model_is_not_asked_again(world, monkeypatch, tmp_path):
    model, data, _ = world
    whole = Extraction(cache=tmp_path).maps(model, data, "clean", rows=(1, 5))
    monkeypatch.setattr(dense, "maps", lambda *args, **options: pytest.fail("made again"))
    again = Extraction(cache=tmp_path).maps(model, data, "clean", rows=(1, 5))
    np.testing.assert_array_equal(again.features, whole.features)
    assert again.layer == whole.layer
    for other in ({"rows": (5, 1)}, {"rows": (1, 5), "layer": 1}, {"rows": (1,)}):
        with pytest.raises(pytest.fail.Exception):
            Extraction(cache=tmp_path).maps(model, data, "clean", **other)


def test_the_layer_that_was_asked_for(world):
    model, data, root = world
    assert Extraction(cache=root).maps(model, data, "clean", rows=(0,), layer=4).features.shape == (1, 256, 2, 2)


def test_a_full_gpu_gets_smaller_batches_of_maps_too(world, monkeypatch, tmp_path):
    model, data, root = world
    from pytest_clip.models import dense as features

    whole, real, said = Extraction(cache=root).maps(model, data, "clean").features, features.dense_features, []

    def crowded(model, images, *, layer):
        if len(images) > 1:
            raise torch.OutOfMemoryError("no")
        return real(model, images, layer=layer)

    monkeypatch.setattr(features, "dense_features", crowded)
    found = Extraction(cache=tmp_path, say=said.append).maps(model, data, "clean").features
    np.testing.assert_allclose(found, whole, atol=1e-5)
    assert len(said) == 1


def test_what_a_model_lacks(world):
    model, _, root = world

    class Ours:
        label = "ours"

    assert Extraction(cache=root).no_maps(model) is None
    assert "ours has no dense features" in Extraction(cache=root).no_maps(Ours())
