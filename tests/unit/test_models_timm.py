"""timm's classifiers: its own forward pass, checkpoints of its train.py, names of classes, and each error with its cure."""

import argparse
import pickle
from pathlib import Path

import pytest
import timm
import torch
from open_clip import IMAGENET_CLASSNAMES
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.models import reader, spec

NAME = "test_efficientnet"
COLOURS = ("red", "green", "blue")


def made(classes=3, seed=0, name=NAME, **how):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return timm.create_model(name, num_classes=classes, **how).eval()


@pytest.fixture
def checkpoint(tmp_path):
    """`checkpoint(...)` writes what timm's train.py writes, and the names beside it."""

    def write(*, names=COLOURS, ema=None, args=None, **also):
        args = argparse.Namespace(
            model=NAME, num_classes=None, img_size=None, mean=None, std=None, crop_pct=None, interpolation="", **args or {}
        )
        content = {"epoch": 3, "arch": NAME, "version": 2, "args": args, "state_dict": made().state_dict(), "metric": 71.0}
        content |= {"optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, **({} if ema is None else {"state_dict_ema": ema}), **also}
        torch.save(content, tmp_path / "last.pth.tar")
        if names is not None:
            (tmp_path / "classnames.txt").write_text("\n".join(names) + "\n")
        return tmp_path / "last.pth.tar"

    return write


def load(text, **how):
    return reader.load(spec.parse(text), device="cpu", cache_dir=Path(), **how)


def same(model, module, data=None):
    transform = timm.data.create_transform(**timm.data.resolve_data_config(data or {}, model=module), is_training=False)
    picture = Image.effect_noise((220, 190), 80).convert("RGB")
    with torch.inference_mode():
        wanted = module(transform(picture)[None])
    return torch.allclose(model.class_scores(model.preprocess(picture)[None]), wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["test_efficientnet", "test_vit", "test_convnext"])
def test_a_plain_state_dict_answers_as_timm_does(name, tmp_path):
    torch.save(made(name=name).state_dict(), tmp_path / "w.pth")
    (tmp_path / "classnames.txt").write_text("red\ngreen\nblue")
    model = load(f"timm:{name},{tmp_path / 'w.pth'}")
    assert same(model, made(name=name))
    assert model.names == COLOURS
    assert model.facts["architecture"] == name


def test_random_weights_have_the_names_of_imagenet():
    model = load(f"timm:{NAME},random")
    assert model.names == tuple(IMAGENET_CLASSNAMES)
    assert "RANDOM" in model.facts["warnings"][0]
    assert load(f"timm:{NAME},random").fingerprint == model.fingerprint


def test_a_checkpoint_of_train_py_is_understood(checkpoint):
    average = made(seed=1)
    path = checkpoint(ema={f"module.{key}": value for key, value in average.state_dict().items()})
    model = load(f"timm:{NAME},{path}")
    assert same(model, average)
    assert model.facts["checkpoint"]["taken"] == "state_dict_ema"
    assert model.facts["checkpoint"]["epoch"] == 3


def test_its_arguments_say_how_pictures_are_prepared(checkpoint):
    path = checkpoint()
    content = torch.load(path, weights_only=False)
    told = {"img_size": 96, "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7], "crop_pct": 0.8, "interpolation": "bilinear"}
    vars(content["args"]).update(told)
    torch.save(content, path)
    model = load(f"timm:{NAME},{path}")
    assert model.image_size == (96, 96)
    assert model.preprocess_config["mean"] == [0.1, 0.2, 0.3]
    assert same(model, made(), told)


def test_arguments_of_the_architecture_are_taken_too(checkpoint, tmp_path):
    path = checkpoint(arch="test_vit", state_dict=made(name="test_vit", img_size=96).state_dict(), args={"model_kwargs": {"img_size": 96}})
    content = torch.load(path, weights_only=False)
    content["args"].img_size = 96
    torch.save(content, path)
    assert load(f"timm:test_vit,{path}").image_size == (96, 96)


def test_named_files_come_before_those_beside(checkpoint, tmp_path):
    (tmp_path / "other.txt").write_text("one\ntwo\nthree\n\n")
    assert load(f"timm:{NAME},{checkpoint()}", classes=tmp_path / "other.txt").names == ("one", "two", "three")


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("test_eficientnet", {}, "timm knows no architecture 'test_eficientnet'; did you mean test_efficientnet"),
        (f"{NAME}.in22k", {}, f"timm knows no weights 'in22k' of {NAME}; it has r160_in1k"),
        ("test_resnet", {}, rf"last.pth.tar was trained as {NAME}, not as test_resnet; write timm:{NAME},.*last.pth.tar"),
        ("test_resnet", {"arch": "test_resnet"}, r"holds no fc.weight, the layer that scores the classes of test_resnet .* its head"),
        (NAME, {"names": None}, "scores 3 classes, whose names are not known; write them into classnames.txt .* --clip-classes=FILE"),
        (NAME, {"names": ("a", "b")}, r"classnames.txt holds 2 names, and .* scores 3 classes; one name a line"),
        (NAME, {"names": ("a", "", "c")}, r"classnames.txt:2: an empty line, so all names after it would be one place off"),
        (
            NAME,
            {"state_dict": {"classifier.weight": torch.zeros(3, 4)}},
            r"does not fit: .* missing .* of another shape \(classifier.weight",
        ),
        (NAME, {"args": {"evil": Evil()}}, r"is refused: besides weights it wants to import [a-z_.]*exec"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure(checkpoint, name, how, said):
    with pytest.raises(ClipError, match=said):
        load(f"timm:{name},{checkpoint(**how)}")


def test_a_tag_after_the_comma_is_told_how_to_write_it():
    with pytest.raises(ClipError, match=rf"there is no file 'r160_in1k'; a tag of timm is written with a dot, timm:{NAME}\.r160_in1k"):
        load(f"timm:{NAME},r160_in1k")


def test_published_weights_that_cannot_be_had_name_the_way_without_them(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ClipError, match=rf"timm cannot build {NAME} .*write timm:{NAME},PATH, or timm:{NAME},random"):
        load(f"timm:{NAME}")


def test_compiling_is_for_open_clip():
    with pytest.raises(ClipError, match="--clip-compile is for image towers of open_clip"):
        load(f"timm:{NAME},random", compile=True)


def test_it_travels(checkpoint):
    model = load(f"timm:{NAME},{checkpoint()}")
    assert same(pickle.loads(pickle.dumps(model)), made())
