"""Adapters of PEFT, merged on load: PEFT's own forward pass before merging, and each error with its cure."""

import json
import subprocess
from pathlib import Path

import pytest
import tiny_hf
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pytest_clip import ClipError
from pytest_clip.models import hf, hf_kinds, look, reader, spec

TEXTS = ["a photo of a dog", "cats"]
PICTURE = Image.effect_noise((50, 40), 80).convert("RGB")
VISION, LANGUAGE = r".*vision_model.*\.(q_proj|fc1)", r".*text_model.*\.(v_proj|fc2)"


def load(where, **how):
    return reader.load(spec.parse(f"hf:{where}"), device="cpu", cache_dir=Path(), **how)


def adapted(base, where, *, method="Lora", kind="clip", **how):
    """Write an adapter with weights that change answers, and give PEFT's model, not merged."""
    import peft
    import transformers

    with tiny_hf.silent(), torch.random.fork_rng():
        torch.manual_seed(5)
        module = getattr(transformers, hf_kinds.FAMILIES[kind].model).from_pretrained(base).eval()
        config = getattr(peft, f"{method}Config")(**{"target_modules": ["q_proj", "v_proj"], **how})
        wrapped = peft.get_peft_model(module, config).eval()
        with torch.no_grad():
            for name, weight in wrapped.named_parameters():
                if any(part in name for part in ("lora_", "hada_", "lokr_", "ia3_")):
                    weight.add_(0.3 * torch.randn_like(weight))
        wrapped.save_pretrained(where)
    return wrapped


@pytest.fixture
def base(tmp_path):
    return tiny_hf.folder(tmp_path / "base")


def answers(module, model):
    """Embeddings of a picture and of texts by PEFT's own, not merged module."""
    tokens = model.texts.read(TEXTS)
    with torch.inference_mode():
        out = module.base_model(pixel_values=model.preprocess(PICTURE)[None], **tokens)
    return torch.nn.functional.normalize(out.image_embeds, dim=1), torch.nn.functional.normalize(out.text_embeds, dim=1)


@pytest.mark.parametrize(
    ("method", "how", "towers"),
    [
        ("Lora", {"r": 3, "lora_alpha": 7}, "both"),
        ("Lora", {"r": 2, "target_modules": VISION}, "vision"),
        ("Lora", {"r": 2, "target_modules": LANGUAGE, "use_rslora": True}, "text"),
        ("Lora", {"r": 2, "use_dora": True}, "both"),
        ("Lora", {"r": 2, "target_modules": ["q_proj", "visual_projection"], "bias": "all", "task_type": "FEATURE_EXTRACTION"}, "both"),
        ("Lora", {"r": 2, "modules_to_save": ["text_projection"]}, "both"),
        ("LoHa", {"r": 2}, "both"),
        ("LoKr", {"r": 2, "decompose_factor": 4}, "both"),
        ("IA3", {"target_modules": ["k_proj", "v_proj", "fc2"], "feedforward_modules": ["fc2"]}, "both"),
    ],
)
def test_merged_it_answers_as_before_merging(base, tmp_path, method, how, towers):
    theirs = adapted(base, tmp_path / "adapter", method=method, **how)
    model, plain = load(tmp_path / "adapter"), load(base)
    ready = model.preprocess(PICTURE)[None]
    mine = model.encode_image(ready), model.encode_text(TEXTS)
    for one, other in zip(mine, answers(theirs, model), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    moved = [
        float((one - other).abs().max()) for one, other in zip(mine, (plain.encode_image(ready), plain.encode_text(TEXTS)), strict=True)
    ]
    assert [each > 1e-3 for each in moved] == [towers != "text", towers != "vision"]
    assert model.fingerprint != plain.fingerprint
    assert model.facts["adapter"]["base"] == str(base)
    assert not [name for name, _ in model.module.named_parameters() if "lora" in name.lower()]


def test_a_sigmoid_model_may_be_adapted_too(tmp_path):
    base = tiny_hf.folder(tmp_path / "base", "siglip")
    theirs = adapted(base, tmp_path / "adapter", kind="siglip")
    model = load(tmp_path / "adapter")
    assert torch.allclose(model.encode_text(TEXTS), answers(theirs, model)[1], atol=1e-5)


def test_merged_by_hand_and_saved_it_is_the_same_model(base, tmp_path):
    whole = adapted(base, tmp_path / "adapter").merge_and_unload()
    with tiny_hf.silent():
        whole.save_pretrained(tmp_path / "merged")
        tiny_hf.words("clip").save_pretrained(tmp_path / "merged")
        tiny_hf.eyes("clip").save_pretrained(tmp_path / "merged")
    assert load(tmp_path / "merged").fingerprint == load(tmp_path / "adapter").fingerprint


def test_a_processor_beside_the_adapter_comes_first(base, tmp_path):
    adapted(base, tmp_path / "adapter")
    tiny_hf.eyes("clip", resample=2).save_pretrained(tmp_path / "adapter")
    assert load(tmp_path / "adapter").preprocess_config["interpolation"] == "bilinear"


def test_a_pickle_of_weights_is_read_too(base, tmp_path):
    adapted(base, tmp_path / "adapter")
    before = load(tmp_path / "adapter").fingerprint
    torch.save(load_file(tmp_path / "adapter" / "adapter_model.safetensors"), tmp_path / "adapter" / "adapter_model.bin")
    (tmp_path / "adapter" / "adapter_model.safetensors").unlink()
    assert load(tmp_path / "adapter").fingerprint == before


def change(folder, **what):
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **what}))


def without(folder, *, starts=None, add=(), reshape=False):
    file = folder / "adapter_model.safetensors"
    state = load_file(file)
    kept = {key: value for key, value in state.items() if starts is None or starts not in key}
    if reshape:
        kept = {key: value[:-1].contiguous() for key, value in kept.items()}
    save_file({**kept, **{key: torch.zeros(2) for key in add}}, file)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda at: (at / "adapter_model.safetensors").unlink(),
            r"adapter has no adapter_model.safetensors .* weights are missing; copy them",
        ),
        (
            lambda at: without(at, starts="vision_model"),
            r"does not fit: of 20 adapter weights 12 missing \(base_model.*; name the base model",
        ),
        (
            lambda at: without(at, add=["base_model.model.tower.q.lora_A.weight"]),
            r"of 20 adapter weights 1 that match nothing in the model \(base_model.model.tower.q.lora_A.weight\); name the base model",
        ),
        (lambda at: without(at, reshape=True), r"the adapter in .* does not fit CLIPModel, .* size mismatch"),
        (
            lambda at: change(at, target_modules=["nothing"]),
            r"does not fit CLIPModel, .*Target modules .*nothing.* not found in the base model",
        ),
        (
            lambda at: change(at, peft_type="PREFIX_TUNING"),
            r"is of the kind PREFIX_TUNING; LORA, LOHA, LOKR, IA3 are merged here: merge it",
        ),
        (lambda at: change(at, peft_type="NONSENSE"), "is of the kind NONSENSE"),
        (lambda at: change(at, megatron_config={"x": 1}, megatron_core="evil"), "asks with megatron_config for modules to be imported"),
        (lambda at: change(at, trust_remote_code=True), "is refused: .*adapter_config.json asks with trust_remote_code = True"),
        (lambda at: (at / "adapter_model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "pointer of Git LFS"),
        (lambda at: (at / "adapter_config.json").write_text("[1]"), "adapter_config.json holds a list where an object of JSON should be"),
        (lambda at: (at / "adapter_config.json").write_text("{"), "adapter_config.json is not readable as JSON"),
        (lambda at: change(at, base_model_name_or_path=None), "names no base model; write its folder or ID as base_model_name_or_path"),
        (
            lambda at: change(at, base_model_name_or_path="/gone/base"),
            "names the base model /gone/base, and there is no such folder; name where",
        ),
        (lambda at: change(at, base_model_name_or_path="../base"), "names the base model '../base', a relative path"),
        (lambda at: change(at, base_model_name_or_path="./gone"), "names the base model './gone', a relative path"),
        (lambda at: change(at, base_model_name_or_path=str(at)), "is an adapter over .*adapter, which is an adapter, too"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure(base, tmp_path, damage, said):
    adapted(base, tmp_path / "adapter")
    damage(tmp_path / "adapter")
    with pytest.raises(ClipError, match=f"(?s){said}"):
        load(tmp_path / "adapter")


@pytest.mark.parametrize("named", ["../base", "base/"])
def test_the_cure_of_a_relative_base_is_one(base, tmp_path, named, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adapted(base, tmp_path / "adapter")
    change(tmp_path / "adapter", base_model_name_or_path=named)
    said = look.problem(spec.parse(f"hf:{tmp_path / 'adapter'}"))
    assert str(base) in said
    subprocess.run(["bash", "-c", said[said.index("python - <<") :]], check=True)
    assert look.problem(spec.parse(f"hf:{tmp_path / 'adapter'}")) is None
    assert load(tmp_path / "adapter").facts["adapter"]["base"] == str(base)


def test_a_missing_peft_is_said_before_anything_loads(base, tmp_path, monkeypatch):
    adapted(base, tmp_path / "adapter")
    monkeypatch.setattr(hf, "find_spec", lambda name: None if name == "peft" else object())
    said = look.problem(spec.parse(f"hf:{tmp_path / 'adapter'}"))
    assert said.endswith("holds a PEFT adapter, which needs peft, which is not installed; pip install pytest-clip[peft]")


def test_a_base_of_the_hub_that_is_not_there_is_one_sentence(base, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    adapted(base, tmp_path / "adapter")
    change(tmp_path / "adapter", base_model_name_or_path="no-such/model")
    with pytest.raises(ClipError, match=r"cannot get no-such/model, the base model of .*adapter: HF_HUB_OFFLINE is set, and the cache"):
        load(tmp_path / "adapter")
