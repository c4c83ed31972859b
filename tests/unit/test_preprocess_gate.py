"""checkpoint/preprocess on preprocessings that are wrong in one way each: gray alone does not notice them."""

import importlib.util
from types import SimpleNamespace

import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image, ImageOps

from pytest_clip.gates.ids import GateId
from pytest_clip.plugin.suites import SUITES

spec = importlib.util.spec_from_file_location("checkpoint_suite", SUITES / "test_checkpoint.py")
suite = importlib.util.module_from_spec(spec)
spec.loader.exec_module(suite)

WRONG = {
    "blue first": lambda image: Image.merge("RGB", image.split()[::-1]),
    "negative": ImageOps.invert,
    "upside down": lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "on its side": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "gray": lambda image: image.convert("L").convert("RGB"),
}


def measured(size, mode, change):
    """Value and checks of the gate for a preprocessing of open_clip with a change before it."""
    mean, std = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
    transform = image_transform_v2(PreprocessCfg(size=size, mean=mean, std=std, resize_mode=mode), is_train=False)
    model = SimpleNamespace(
        facts={}, image_size=(size, size), preprocess_config={"mean": mean, "std": std}, preprocess=lambda image: transform(change(image))
    )
    told = {}
    case = SimpleNamespace(gate=GateId.parse("checkpoint/preprocess"))
    suite.test_preprocess(lambda of, value, **facts: told.update(facts, value=value), case, model, lambda what, make: make())
    return told["value"], told["conventions"]["measured"]


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [8, 24, 224])
def test_a_right_one_passes_every_check(size, mode):
    assert measured(size, mode, lambda image: image) == (1.0, {"size": True, "normalization": True, "colours": True})


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_one_is_told_by_its_colours(wrong):
    value, checks = measured(24, "shortest", WRONG[wrong])
    assert value < 1
    assert not checks["colours"]
