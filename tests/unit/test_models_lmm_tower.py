"""Whether an LMM sees with a CLIP's image tower: open_clip's weights under the names of transformers, and every way to differ."""

import copy
import types

import pytest
import tiny_hf
import tiny_models
import torch

from pytest_clip.models import openclip, reader, spec
from pytest_clip.models.lmm import load, names, tower

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 16, "head_width": 8, "patch_size": 8, "mlp_ratio": 2.0},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tiny_models.folder(tmp_path_factory.mktemp("clip"), CONFIG, mean=MEAN, std=STD)
    return openclip.load(spec.parse(f"local-dir:{folder}"), device="cpu", cache_dir=folder)


@pytest.fixture
def made(clip, tmp_path):
    """A LLaVA whose tower has the weights of `clip`, then changed."""

    def built(change=lambda weights: None, dtype=torch.float32, choice="fp32", **vision):
        where = tmp_path / "llava"
        with tiny_hf.silent():
            module = tiny_hf.lmm(tower={"intermediate_size": 32, **vision})
            weights = dict(tower.translated(clip.module.visual.state_dict()))
            change(weights)
            module.model.vision_tower.load_state_dict(weights, strict=False)
            module.to(dtype).save_pretrained(where)
            tiny_hf.lmm_processor().save_pretrained(where)
        return load.load(names.find(str(where), base=tmp_path, dtype=choice), device="cpu")

    return built


def test_every_weight_has_its_place(clip):
    """open_clip to transformers and no name left over on either side but the projection, which LLaVA does without."""
    with tiny_hf.silent():
        there = set(tiny_hf.lmm(tower={"intermediate_size": 32}).model.vision_tower.state_dict())
    here = dict(tower.translated(clip.module.visual.state_dict()))
    assert {name for name in there if not name.endswith("position_ids")} == set(here)
    total = sum(tensor.numel() for name, tensor in clip.module.visual.state_dict().items() if name != "proj")
    assert sum(tensor.numel() for tensor in here.values()) == total


@pytest.mark.parametrize(("dtype", "choice"), [(torch.float32, "fp32"), (torch.float16, "fp32"), (torch.bfloat16, "bf16")])
def test_the_same_weights(clip, made, dtype, choice):
    """As they are, and rounded by a file of half precision."""
    eye = tower.compare(clip, made(dtype=dtype, choice=choice))
    assert (eye.share, eye.told) == (1.0, "the same weights")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_the_same_weights_in_a_clip_of_half_precision(clip, made, kind):
    """--clip-precision rounds the CLIP, and the LMM beside it computes in float32."""
    half = types.SimpleNamespace(
        label="half",
        activation=clip.activation,
        facts=clip.facts,
        module=types.SimpleNamespace(visual=copy.deepcopy(clip.module.visual).to(kind)),
    )
    assert tower.compare(half, made()).told == "the same weights"


def test_a_tower_that_is_not_in_memory(clip, made):
    lmm = made()
    lmm.real.module.model.vision_tower.to("meta")
    eye = tower.compare(clip, lmm)
    assert not eye.alike
    assert eye.told == "another eye: the image tower of llava is not in memory (--clip-lmm-device-map)"


def scaled(name):
    def change(weights):
        weights[name] = weights[name] * 1.01

    return change


@pytest.mark.parametrize(
    ("change", "vision", "told"),
    [
        (scaled("encoder.layers.1.mlp.fc2.weight"), {}, "another eye: encoder.layers.1.mlp.fc2.weight differs by up to"),
        (lambda weights: None, {"hidden_act": "quick_gelu"}, "another eye: activation gelu here and quick_gelu there; outputs differ by"),
        (lambda weights: None, {"layer_norm_eps": 0.5}, "another eye: outputs differ by"),
        (lambda weights: weights.pop("embeddings.class_embedding"), {}, "another eye: embeddings.class_embedding differs by up to"),
    ],
)
def test_another_eye(clip, made, change, vision, told):
    eye = tower.compare(clip, made(change, **vision))
    assert eye.share < 1
    assert eye.alike
    assert eye.told.replace("quickgelu", "quick_gelu").startswith(told)


def test_another_size_and_kind(clip, tmp_path):
    with tiny_hf.silent():
        folder = tiny_hf.llava(tmp_path / "other", tower={"num_hidden_layers": 2})
    eye = tower.compare(clip, load.load(names.find(str(folder), base=tmp_path), device="cpu"))
    assert 0 < eye.share < 0.5
    assert "encoder.layers.2.self_attn.q_proj.weight is not there" in eye.differs
    assert not eye.alike

    class Stub:
        label, fingerprint = "a stub", "0" * 16

    assert tower.compare(clip, Stub()).told == "another eye: a stub is no model of transformers whose weights can be compared"


def test_a_clip_that_is_no_transformer_of_patches(made, tmp_path):
    resnet = reader.load(spec.parse("scenes-rn"), device="cpu", cache_dir=tmp_path)
    eye = tower.compare(resnet, made())
    assert (eye.share, eye.checks, eye.alike) == (0.0, 1, False)
    assert eye.told == "another eye: the image tower of scenes-rn is a ModifiedResNet, no vision transformer of CLIP"


def test_kept_without_reading_weights_again(clip, made, tmp_path, monkeypatch):
    lmm = made()
    first = tower.recalled(tmp_path, clip, lmm)
    monkeypatch.setattr(tower, "compare", None)
    assert tower.recalled(tmp_path, clip, lmm) == first
