"""The list of keys that an open_clip_config.json may hold."""

import copy
import json
from pathlib import Path

import pytest
import tiny_models
from tiny_models import PREPROCESS, RESNET, VIT

from pytest_clip import ClipError
from pytest_clip.models import bundled, config, headed
from pytest_clip.models.openclip import load
from pytest_clip.models.spec import parse

FILE = Path("x/open_clip_config.json")


def said(model=VIT, preprocess=PREPROCESS):
    with pytest.raises(ClipError) as caught:
        config.check(model, preprocess, file=FILE)
    return str(caught.value)


def changed(part, **values):
    return {**VIT, part: {**VIT[part], **values}}


def test_all_that_open_clip_ships_is_known():
    import open_clip

    names = open_clip.list_models()
    assert len(names) > 100
    for name in names:
        config.check(open_clip.get_model_config(name), {}, file=Path(name))


def test_every_key_of_open_clip_is_known():
    """A new key of open_clip's own shows here: whether it can do harm has to be looked at before it is let through."""
    from dataclasses import fields

    from open_clip.coca_model import MultimodalCfg
    from open_clip.model import CLIPTextCfg, CLIPVisionCfg
    from open_clip.transform import PreprocessCfg

    for kind, known in (
        (CLIPVisionCfg, config.MODEL["vision_cfg"]),
        (CLIPTextCfg, config.MODEL["text_cfg"]),
        (MultimodalCfg, config.MODEL["multimodal_cfg"]),
        (PreprocessCfg, config.PREPROCESS),
    ):
        assert {each.name for each in fields(kind)} == set(known)


def test_what_the_package_ships_is_known(tmp_path):
    for name in bundled.names():
        if bundled.is_head(name):
            _, _, content = headed.read(name)
        else:
            content = json.loads((bundled.expand(name, tmp_path) / "open_clip_config.json").read_text())
        config.check(content["model_cfg"], content["preprocess_cfg"], file=FILE)


def test_all_faults_are_told_at_once():
    model = changed("text_cfg", widht=3, layers=True, tokenizer_kwargs={"bpe_path": "/etc/passwd"})
    message = said({**model, "depth": 3, "vision_cfg": [1]}, {"mean": [0.5, 0.5], "std": [0.0, 1, 1], "crop": 1})
    assert message.startswith(f"{FILE} is refused, since open_clip would hand on what it does not know; remove or correct it:\n")
    for line in (
        "model_cfg.text_cfg.widht: unknown key; do you mean width?",
        "model_cfg.text_cfg.layers must be a whole number from 1 to 512, not True",
        "model_cfg.text_cfg.tokenizer_kwargs.bpe_path: unknown key; known are clean, strip_sep_token, language",
        "model_cfg.depth: unknown key; known are embed_dim",
        "model_cfg.vision_cfg must be an object of JSON, not [1]",
        "preprocess_cfg.mean must be 3 times a finite number or null, not [0.5, 0.5]",
        "preprocess_cfg.std must be 3 times a number above 0 or null, not [0.0, 1, 1]",
        "preprocess_cfg.crop: unknown key; known are size",
    ):
        assert line in message


def test_long_lists_of_faults_are_cut():
    message = said({**VIT, **{f"key{k}": k for k in range(30)}})
    assert message.count("unknown key") == 10
    assert message.endswith("… and 20 more")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8", None, [1], float("nan"), 10**30])
def test_numbers_are_numbers(value):
    assert "model_cfg.embed_dim must be a whole number from 1 to 1048576" in said({**VIT, "embed_dim": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "1", [1.0]])
def test_scales_are_finite(value):
    assert "model_cfg.init_logit_scale must be a finite number" in said({**VIT, "init_logit_scale": value})


@pytest.mark.parametrize(
    "model",
    [
        {**VIT, "embed_dim": 1 << 20, "vision_cfg": {**VIT["vision_cfg"], "width": 1 << 20}},
        changed("text_cfg", vocab_size=1 << 20, width=1 << 15),
        changed("text_cfg", layers=512, width=4096),
        changed("vision_cfg", image_size=1 << 20, patch_size=1),
        changed("vision_cfg", mlp_ratio=1e8),
        {**RESNET, "vision_cfg": {**RESNET["vision_cfg"], "layers": [512] * 4, "width": 512}},
        changed("vision_cfg", attentional_pool=True, attn_pooler_queries=1 << 20, width=64) | {"embed_dim": 1 << 12},
    ],
)
def test_a_configuration_that_is_larger_than_its_file_takes_no_memory(tmp_path, model):
    """It would ask for 4 GB and more before anybody looks at the weights."""
    assert config.least_weights(model) > 1 << 29
    folder = tiny_models.folder(tmp_path / "run", copy.deepcopy(model), tiny_models.state())
    with pytest.raises(ClipError, match=r"its configuration describes at least [\d,]+ weights, and .* has [\d,]+ bytes"):
        load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=tmp_path)


def test_the_least_number_of_weights_is_none_too_many():
    import open_clip

    for model in (VIT, RESNET):
        there = sum(value.numel() for value in open_clip.CLIP(**copy.deepcopy(model)).parameters())
        assert there / 2 < config.least_weights(model) <= there
