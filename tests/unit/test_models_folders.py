"""A configuration of one's own with weights from elsewhere: `FILE.json,WEIGHTS` and `local-dir:DIR,FILE`."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import open_clip
import pytest
import tiny_models
import torch
from PIL import Image
from safetensors.torch import save_file

from pytest_clip import ClipError
from pytest_clip.models import lazy, look, openclip, several, sources
from pytest_clip.models.spec import parse

PICTURE = Image.effect_mandelbrot((70, 50), (-2, -1.5, 1, 1.5), 60).convert("RGB")
TEXTS = ["a photo of a mug", "a red car"]


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state()


def load(text, tmp_path, **options):
    return openclip.load(parse(text), device="cpu", cache_dir=tmp_path / "cache", **options)


def fails(text, tmp_path, *, look_too=True) -> str:
    with pytest.raises(ClipError) as caught:
        load(text, tmp_path)
    if look_too:
        assert look.problem(parse(text)) == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("quick", [False, True])
def test_a_model_config_is_what_open_clip_builds_of_it(tmp_path, weights, monkeypatch, quick):
    config = {**tiny_models.VIT, "quick_gelu": quick}
    (tmp_path / "mine.json").write_text(json.dumps(config))
    torch.save(weights, tmp_path / "e5.pt")
    model = load(f"{tmp_path}/mine.json,{tmp_path}/e5.pt", tmp_path)
    assert (model.label, model.facts["architecture"], model.facts["pretrained"]) == ("mine,e5.pt", "mine", "e5.pt")
    assert model.activation == ("quickgelu" if quick else "gelu")
    assert model.facts["activation_source"] == "mine.json"
    assert model.facts["preprocess_source"] == "open_clip defaults (OpenAI mean and std)"
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "mine", copy.deepcopy(config))
    module, _, transform = open_clip.create_model_and_transforms("mine", str(tmp_path / "e5.pt"))
    tokens = open_clip.get_tokenizer("mine")(TEXTS)
    pixels = transform(PICTURE)[None]
    assert torch.equal(model.preprocess(PICTURE)[None], pixels)
    assert torch.equal(model.tokenize(TEXTS), tokens)
    with torch.no_grad():
        assert torch.allclose(model.encode_image(pixels), module.eval().encode_image(pixels, normalize=True), atol=1e-5)
        assert torch.allclose(model.encode_text(TEXTS), module.encode_text(tokens, normalize=True), atol=1e-5)


def test_a_config_of_a_folder_brings_its_preprocessing(tmp_path, weights):
    folder = tiny_models.folder(tmp_path / "mine", weights=weights)
    torch.save(weights, tmp_path / "e5.pt")
    model = load(f"{folder}/open_clip_config.json,{tmp_path}/e5.pt", tmp_path)
    assert model.preprocess_config["mean"] == [0.5, 0.5, 0.5]
    assert model.facts["preprocess_source"] == "open_clip_config.json"
    assert model.fingerprint == load(f"local-dir:{folder}", tmp_path).fingerprint


def test_random_weights_and_the_option(tmp_path, weights):
    (tmp_path / "mine.json").write_text(json.dumps(tiny_models.VIT))
    assert "RANDOM" in load(f"{tmp_path}/mine.json,random", tmp_path).facts["warnings"][0]
    spec = parse(f"{tmp_path}/mine.json", pretrained="e5.pt")
    assert (spec.text, spec.kind, spec.pretrained, spec.key) == (f"{tmp_path}/mine.json,e5.pt", "config", "e5.pt", "mine")


def test_a_config_is_read_by_known_keys(tmp_path, weights):
    torch.save(weights, tmp_path / "e5.pt")
    text = f"{tmp_path}/mine.json,{tmp_path}/e5.pt"
    assert fails(text, tmp_path, look_too=False) == f"{tmp_path}/mine.json is missing; it holds open_clip's model_cfg and preprocess_cfg"
    assert "there is no configuration" in look.problem(parse(text))
    for content, message in {
        "{": "is not readable as JSON",
        "[]": "has no model_cfg with embed_dim, vision_cfg and text_cfg",
        json.dumps({"embed_dim": 3}): "has no model_cfg with embed_dim, vision_cfg and text_cfg",
        json.dumps({**tiny_models.VIT, "auto_map": {"a": "b"}}): "asks to run code that comes with a model, which is never done",
        json.dumps({**tiny_models.VIT, "embed_dims": 3}): "model_cfg.embed_dims: unknown key; do you mean embed_dim?",
        json.dumps({"model_cfg": {**tiny_models.VIT, "embed_dim": "x"}}): "model_cfg.embed_dim must be a whole number",
    }.items():
        (tmp_path / "mine.json").write_text(content)
        assert message in fails(text, tmp_path, look_too=False), content
    (tmp_path / "mine.json").write_text(json.dumps(tiny_models.VIT))
    assert "there is no checkpoint nowhere.pt" in fails(f"{tmp_path}/mine.json,nowhere.pt", tmp_path)


def test_another_configuration_is_another_model(tmp_path, weights):
    (tmp_path / "mine.json").write_text(json.dumps(tiny_models.VIT))
    torch.save(weights, tmp_path / "e5.pt")
    text = f"{tmp_path}/mine.json,{tmp_path}/e5.pt"

    def get():
        return lazy.load(parse(text), cache=tmp_path / "c", conditions={}, build=lambda: load(text, tmp_path))

    first = get()
    assert isinstance(get(), lazy.LazyModel)
    (tmp_path / "mine.json").write_text(json.dumps({**tiny_models.VIT, "quick_gelu": True}))
    assert get().fingerprint != first.fingerprint


def test_the_configuration_of_the_one_and_the_weights_of_the_other(tmp_path, monkeypatch):
    own, other = tiny_models.state(seed=1), tiny_models.state(seed=2)
    folder = tiny_models.folder(tmp_path / "mine", {**tiny_models.VIT, "quick_gelu": True}, weights=own)
    (tmp_path / "runs").mkdir()
    torch.save({"state_dict": other, "epoch": 3}, tmp_path / "runs" / "e3.pt")
    save_file(other, folder / "e4.safetensors")
    monkeypatch.chdir(tmp_path)
    wanted = load(f"local-dir:{tiny_models.folder(tmp_path / 'twin', {**tiny_models.VIT, 'quick_gelu': True}, weights=other)}", tmp_path)
    files = ("runs/e3.pt", "./runs/e3.pt", f"{tmp_path}/runs/e3.pt", "e4.safetensors", " mine/e4.safetensors")
    for text in (f"local-dir:{folder},runs/e3.pt", *(f"local-dir:mine,{file}" for file in files)):
        assert look.problem(parse(text)) is None, text
        model = load(text, tmp_path)
        assert model.fingerprint == wanted.fingerprint, text
        assert (model.activation, model.preprocess_config["mean"]) == ("quickgelu", [0.5, 0.5, 0.5])
        assert model.facts["pretrained"] == Path(text.rpartition(",")[2]).name
    assert load("local-dir:mine", tmp_path).fingerprint != wanted.fingerprint
    [one, two] = several.specs("local-dir:mine,runs/e3.pt") + several.specs("local-dir:mine,e4.safetensors")
    assert (one.label, two.label) == ("mine,e3.pt", "mine,e4.safetensors")


def test_a_file_that_can_be_two(tmp_path, weights, monkeypatch):
    folder = tiny_models.folder(tmp_path / "mine", weights=weights)
    torch.save(tiny_models.state(seed=2), tmp_path / "e3.pt")
    torch.save(weights, folder / "e3.pt")
    monkeypatch.chdir(tmp_path)
    message = fails(f"local-dir:{folder},e3.pt", tmp_path)
    assert message == f"local-dir:{folder},e3.pt can be two files; write local-dir:{folder},{folder}/e3.pt or local-dir:{folder},./e3.pt"
    inside, here = message.partition("; write ")[2].split(" or ")
    assert load(inside, tmp_path).fingerprint == load(f"local-dir:{folder},{folder}/open_clip_model.safetensors", tmp_path).fingerprint
    assert load(here, tmp_path).fingerprint != load(inside, tmp_path).fingerprint
    monkeypatch.chdir(folder)
    assert load(f"local-dir:{folder},e3.pt", tmp_path).fingerprint == load(inside, tmp_path).fingerprint


def test_files_that_are_not_there(tmp_path, weights, monkeypatch):
    folder = tiny_models.folder(tmp_path / "mine", weights=weights)
    monkeypatch.chdir(tmp_path)
    assert fails(f"local-dir:{folder},e9.pt", tmp_path) == (
        f"local-dir:{folder},e9.pt: there is no file {folder}/e9.pt and no file {tmp_path}/e9.pt"
    )
    assert fails(f"local-dir:{folder},./e9.pt", tmp_path) == f"local-dir:{folder},./e9.pt: there is no file {tmp_path}/e9.pt"
    (folder / "open_clip_model.safetensors").rename(folder / "a.safetensors")
    torch.save(weights, folder / "b.pt")
    message = fails(f"local-dir:{folder}", tmp_path)
    assert message.endswith(f"holds several checkpoints (a.safetensors, b.pt); name the one to use: --clip-model=local-dir:{folder},b.pt")
    load(message.rpartition("--clip-model=")[2], tmp_path)


def test_only_the_named_weights_of_a_folder_count(tmp_path, weights):
    folder = tiny_models.folder(tmp_path / "mine", weights=weights)
    torch.save(weights, folder / "e3.pt")
    spec = parse(f"local-dir:{folder},e3.pt")
    assert [file.name for file in sources.files(spec)] == ["open_clip_config.json", "e3.pt"]
    assert {file.name for file in sources.files(parse(f"local-dir:{folder}"))} == {
        "open_clip_config.json",
        "e3.pt",
        "open_clip_model.safetensors",
    }
