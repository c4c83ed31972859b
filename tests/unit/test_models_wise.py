"""WiSE-FT: weights between two models, their ends, their path, and what cannot be mixed."""

from pathlib import Path

import pytest
import tiny_models
import torch

from pytest_clip import ClipError
from pytest_clip.models import alphas, look, openclip, reader, sources, spec
from pytest_clip.models.labels import labels


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    root = tmp_path_factory.mktemp("pair")
    return [str(tiny_models.folder(root / name, weights=tiny_models.state(seed=k))) for k, name in enumerate(("base", "tuned"))]


def wise(pair, alpha, **how):
    text = f"wise:local-dir:{pair[0]}::local-dir:{pair[1]}::{alpha}"
    return reader.load(spec.parse(text), device="cpu", cache_dir=Path(pair[0]), **how)


def test_every_weight_lies_between_the_two(pair):
    base, tuned = (openclip.load(spec.parse(f"local-dir:{each}"), device="cpu", cache_dir=Path(each)) for each in pair)
    model = wise(pair, 0.25)
    for name, value in model.module.state_dict().items():
        wanted = 0.75 * base.module.state_dict()[name].double() + 0.25 * tuned.module.state_dict()[name].double()
        assert torch.allclose(value.double(), wanted, atol=1e-6), name
    assert model.facts["wise"]["alpha"] == 0.25
    assert model.facts["wise"]["base"] == base.fingerprint


def test_the_ends_are_the_models_themselves(pair):
    base, tuned = (openclip.load(spec.parse(f"local-dir:{each}"), device="cpu", cache_dir=Path(each)) for each in pair)
    prints = [wise(pair, alpha).fingerprint for alpha in (0, 0.5, 1)]
    assert prints[0] == base.fingerprint
    assert prints[2] == tuned.fingerprint
    assert len(set(prints)) == 3


def test_bf16_is_mixed_in_float32(pair):
    model = wise(pair, 0.5, precision="bf16")
    assert model.module.state_dict()["text_projection"].dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("path", "values"),
    [("0:1:0.25", ["0", "0.25", "0.5", "0.75", "1"]), ("0:1:0.1", [f"{k / 10:g}" for k in range(11)]), ("0.2:0.5:0.2", ["0.2", "0.4"])],
)
def test_a_path_is_several_models(path, values):
    texts = alphas.expand(f"wise:ViT-B-32,openai::ViT-B-32,e.pt::{path}")
    assert texts == tuple(f"wise:ViT-B-32,openai::ViT-B-32,e.pt::{value}" for value in values)
    told = labels(spec.parse(text) for text in texts)
    assert told[0] == f"wise-ViT-B-32-openai-ViT-B-32-e.pt-{values[0]}"
    assert len(set(told)) == len(texts)
    assert spec.parse(texts[0]).key == "ViT-B-32"


def test_anything_else_is_one():
    for text in ("ViT-B-32", "local-dir:a::b::0:1:0.1", "wise:a::b::0.5"):
        assert alphas.expand(text) == (text,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wise:a::b", "is not wise:BASE::TUNED::ALPHA"),
        ("wise:a::b::2", "'2' is no number from 0 .BASE. to 1 .TUNED., and no FROM:TO:STEP"),
        ("wise:a::b::x", "'x' is no number"),
        ("wise:a::photo-dual::1", "'photo-dual' is a model of the kind photo; both must be models of open_clip"),
    ],
)
def test_a_name_that_is_none_is_one_sentence(text, said):
    with pytest.raises(ClipError, match=said):
        spec.parse(text)


@pytest.mark.parametrize("path", ["1:0:0.1", "0:1:0", "0:2:1", "a:b:c"])
def test_a_path_that_is_none_is_one_sentence(path):
    with pytest.raises(ClipError, match=r"must go upwards between 0 and 1|is no FROM:TO:STEP"):
        alphas.expand(f"wise:a::b::{path}")


def test_two_networks_are_not_mixed(pair, tmp_path):
    other = tiny_models.folder(
        tmp_path / "other", {**tiny_models.VIT, "embed_dim": 8}, tiny_models.state({**tiny_models.VIT, "embed_dim": 8})
    )
    with pytest.raises(ClipError, match=r"base and other are not one network, they differ in .*text_projection \[16, 16\] and \[16, 8\]"):
        wise([pair[0], str(other)], 0.5)
    seen = tiny_models.folder(tmp_path / "seen", weights=tiny_models.state(), mean=[0.1, 0.2, 0.3])
    with pytest.raises(ClipError, match="differ in their preprocessing"):
        wise([pair[0], str(seen)], 0.5)


def test_a_missing_end_is_seen_before_anything_loads(pair):
    named = spec.parse(f"wise:local-dir:{pair[0]}::local-dir:{pair[1]}x::0.5")
    assert "there is no folder" in str(look.problem(named))
    assert len(sources.files(spec.parse(f"wise:local-dir:{pair[0]}::local-dir:{pair[1]}::0.5")) or ()) == 4
