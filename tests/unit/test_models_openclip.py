import copy
import gc
import json
import logging
import pickle
import shutil
import time
import warnings
import weakref
from itertools import combinations

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_models import RESNET, VIT

from pytest_clip import ClipError
from pytest_clip.models import hub, openclip
from pytest_clip.models.build import build_module, pick_device
from pytest_clip.models.fingerprint import tokenizer_identity, weights_digest
from pytest_clip.models.openclip import load
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.models.protocol import ClipModel
from pytest_clip.models.resolve import with_tag_activation
from pytest_clip.models.spec import parse

TEXTS = ["a photo of a mug", "a red car", "Two dogs, one CAT!"]


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state()


@pytest.fixture
def tiny(monkeypatch, tmp_path, weights):
    """An architecture `tiny` known to open_clip, with the tags `plain` and `quick` whose weights lie in a file."""
    import open_clip

    save_file(weights, tmp_path / "tiny.safetensors")
    published = {"file": str(tmp_path / "tiny.safetensors"), "mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "interpolation": "bilinear"}
    tags = {"plain": published, "quick": {**published, "quick_gelu": True}}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", copy.deepcopy(VIT))
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny-quickgelu", {**copy.deepcopy(VIT), "quick_gelu": True})
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", tags)
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny-quickgelu", {"quick": tags["quick"], "silent": published})
    return tmp_path


@pytest.fixture
def get(tiny):
    def get(text, **options):
        return load(parse(text), cache_dir=tiny / "cache", **{"device": "cpu", **options})

    return get


@pytest.fixture(scope="module")
def pixels():
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def fails(get, text, **options) -> str:
    with pytest.raises(ClipError) as caught:
        get(text, **options)
    return str(caught.value)


def by_open_clip(**options):
    import open_clip

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module, _, transform = open_clip.create_model_and_transforms(**options)
    return module.eval(), transform, [str(warning.message) for warning in caught]


# --- embeddings


@pytest.mark.parametrize("config", [VIT, RESNET, {**VIT, "custom_text": True}], ids=["vit", "resnet", "custom-text"])
def test_a_local_dir_answers_as_open_clip_does(tmp_path, config):
    folder = tiny_models.folder(tmp_path / "run 1", config)
    model = load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=tmp_path)
    module, transform, _ = by_open_clip(model_name=f"local-dir:{folder}")
    size = config["vision_cfg"]["image_size"]
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 70, 3), dtype=np.uint8))
    assert torch.equal(model.preprocess(image), transform(image))
    batch = torch.stack([model.preprocess(image), torch.zeros(3, size, size)])
    with torch.no_grad():
        images, texts = module.encode_image(batch, normalize=True), module.encode_text(model.tokenize(TEXTS), normalize=True)
    torch.testing.assert_close(model.encode_image(batch), images)
    torch.testing.assert_close(model.encode_text(TEXTS), texts)
    assert model.logit_scale == pytest.approx(1 / 0.07)
    assert model.logit_bias is None
    assert model.image_size == (size, size)
    assert model.label == "run-1"
    assert isinstance(model, ClipModel)


@pytest.mark.parametrize("config", [VIT, RESNET, {**VIT, "custom_text": True}])
def test_a_model_that_gets_weights_draws_none(tmp_path, monkeypatch, config):
    given, drawn = tiny_models.state(config), []

    def noted(recipe, *args, **options):
        module, notes = build_module(recipe, *args, **options)
        drawn.append({key: value.clone() for key, value in module.state_dict().items()})
        return module, notes

    monkeypatch.setattr(openclip, "build_module", noted)
    loaded = load(parse(f"local-dir:{tiny_models.folder(tmp_path / 'tiny', config, given)}"), device="cpu", cache_dir=tmp_path)
    [before] = drawn
    unfilled = {key for key, value in before.items() if value.is_floating_point() and value.isnan().all()}
    assert {key for key in given if key.endswith(("mlp.c_fc.weight", "text_projection", "token_embedding.weight"))} <= unfilled
    assert all(torch.equal(value, given[key]) for key, value in loaded.module.state_dict().items() if key in unfilled)
    load(parse("RN50,random"), device="cpu", cache_dir=tmp_path)
    assert not any(value.isnan().any() for value in drawn[1].values())


def test_embeddings_are_plain_unit_rows(get, pixels):
    model = get("tiny,plain")
    images, texts = model.encode_image(pixels), model.encode_text(TEXTS)
    for rows in (images, texts):
        assert (rows.shape, rows.dtype, rows.device.type) == ((3, 16), torch.float32, "cpu")
        assert not rows.is_inference()
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))
    assert not model.module.training
    torch.testing.assert_close(model.encode_text(TEXTS * 150)[300:303], texts, atol=1e-6, rtol=0)


def test_bf16_is_close_to_fp32_and_another_model(get, pixels):
    exact, rough = get("tiny,plain"), get("tiny,plain", precision="bf16")
    for a, b in ((exact.encode_image(pixels), rough.encode_image(pixels)), (exact.encode_text(TEXTS), rough.encode_text(TEXTS))):
        assert b.dtype == torch.float32
        assert (a * b).sum(dim=1).min() > 0.999
        assert not torch.equal(a, b)
    assert exact.fingerprint != rough.fingerprint
    assert rough.precision == "bf16"


def test_devices_and_precisions_are_checked_first(monkeypatch):
    for device, precision, message in [
        ("cpu", "fp16", "fp16 does not run on the CPU; use --clip-precision=bf16"),
        ("cpu", "int8", "choose from fp32, bf16, fp16"),
        ("gpu0", "fp32", "not a torch device"),
        ("cuda:99", "fp32", "CUDA devices"),
    ]:
        with pytest.raises(ClipError, match=message):
            pick_device(device, precision)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto", "bf16") == "cpu"


# --- activation


def test_a_quickgelu_tag_is_built_with_quickgelu(get, pixels):
    model = get("tiny,quick")
    right, _, _ = by_open_clip(model_name="tiny", pretrained="quick", force_quick_gelu=True)
    wrong, _, noise = by_open_clip(model_name="tiny", pretrained="quick")
    assert any("QuickGELU mismatch" in note for note in noise), "open_clip has changed: is this module still needed?"
    with torch.no_grad():
        torch.testing.assert_close(model.encode_image(pixels), right.encode_image(pixels, normalize=True))
        torch.testing.assert_close(model.encode_text(TEXTS), right.encode_text(model.tokenize(TEXTS), normalize=True))
        assert (model.encode_image(pixels) - wrong.encode_image(pixels, normalize=True)).abs().max() > 1e-3
    assert model.activation == model.facts["activation"] == "quickgelu"
    assert model.facts["activation_source"] == "tag quick: trained with QuickGELU, where tiny alone would be built with GELU"
    assert model.facts["warnings"] == []


@pytest.mark.parametrize(
    ("text", "activation", "source"),
    [
        ("tiny,plain", "gelu", "architecture config"),
        ("tiny-quickgelu,quick", "quickgelu", "tag quick"),
        ("tiny-quickgelu,silent", "quickgelu", "architecture config"),
    ],
)
def test_other_tags_keep_the_activation(get, text, activation, source):
    model = get(text)
    assert (model.activation, model.facts["activation_source"]) == (activation, source)


def test_a_tag_that_says_gelu_wins_over_a_quickgelu_architecture():
    config, facts = with_tag_activation({**VIT, "quick_gelu": True}, {"quick_gelu": False}, "tiny-quickgelu", "t")
    assert config["quick_gelu"] is False
    assert "trained with GELU, where tiny-quickgelu alone would be built with QuickGELU" in facts["activation_source"]


def test_every_mismatch_in_open_clips_table_is_resolved():
    import open_clip

    resolved = {}
    for name, tag in open_clip.list_pretrained():
        published = open_clip.get_pretrained_cfg(name, tag)
        config, _ = with_tag_activation(open_clip.get_model_config(name) or {}, published, name, tag)
        resolved[name, tag] = config["quick_gelu"]
        assert config["quick_gelu"] or not published.get("quick_gelu")
    assert resolved["ViT-B-32", "openai"]
    assert resolved["ViT-L-14", "dfn2b"]
    assert not resolved["ViT-B-32", "laion2b_s34b_b79k"]
    assert resolved["roberta-ViT-B-32", "laion2b_s12b_b32k"]


@pytest.mark.parametrize("config", [VIT, RESNET, {**VIT, "custom_text": True}], ids=["vit", "resnet", "custom-text"])
def test_the_other_activation_is_what_open_clip_would_build(tmp_path, config):
    weights = tiny_models.state(config)
    load_from = {
        quick: tiny_models.folder(tmp_path / f"quick-{quick}", {**config, "quick_gelu": quick}, weights) for quick in (False, True)
    }
    gelu, quick = (load(parse(f"local-dir:{load_from[which]}"), device="cpu", cache_dir=tmp_path) for which in (False, True))
    size = config["vision_cfg"]["image_size"]
    batch = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    for start, other, flag in ((gelu, quick, True), (quick, gelu, False)):
        swapped = start.with_activation(flag)
        assert swapped.activation == other.activation
        torch.testing.assert_close(swapped.encode_image(batch), other.encode_image(batch))
        torch.testing.assert_close(swapped.encode_text(TEXTS), other.encode_text(TEXTS))
        assert swapped.fingerprint == other.fingerprint != start.fingerprint
        assert start.with_activation(not flag) is start
        assert swapped.with_activation(not flag).fingerprint == start.fingerprint
        assert swapped.module.logit_scale is start.module.logit_scale, "weights must be shared"
    assert (gelu.encode_text(TEXTS) - quick.encode_text(TEXTS)).abs().max() > 1e-3


def test_a_model_without_a_choice_stays_itself(get):
    model = get("tiny,plain")
    model.module.visual.transformer = torch.nn.Identity()
    model.module.transformer = torch.nn.Identity()
    assert model.activation == "none"
    assert model.with_activation(True) is model


# --- preprocessing


def test_tags_files_and_folders_bring_their_preprocessing(get, tiny):
    image = Image.new("RGB", (50, 40), (255, 0, 0))
    tag, file = get("tiny,plain"), get(f"tiny,{tiny}/tiny.safetensors")
    assert tag.preprocess_config["mean"] == [0.1, 0.2, 0.3]
    assert tag.preprocess_config["interpolation"] == "bilinear"
    assert tag.facts["preprocess_source"] == "tag plain"
    assert tag.preprocess(image)[0, 0, 0] == pytest.approx((1 - 0.1) / 0.4)
    assert file.preprocess_config["mean"][0] == pytest.approx(0.48145466)
    assert file.preprocess_config["size"] == [32, 32]
    assert "OpenAI" in file.facts["preprocess_source"]


def test_another_normalisation_is_a_view(get):
    image = Image.new("RGB", (50, 40), (255, 0, 0))
    model = get("tiny,plain")
    view = model.with_normalization([0, 0, 0], (1, 1, 1))
    assert view.preprocess(image)[0, 0, 0] == 1
    assert model.preprocess(image)[0, 0, 0] == pytest.approx(0.9 / 0.4)
    assert view.module is model.module
    assert view.fingerprint != model.fingerprint
    assert view.facts["preprocess"]["mean"] == [0, 0, 0]
    assert model.facts["preprocess"]["mean"] == [0.1, 0.2, 0.3]
    both = view.with_activation(True)
    assert both.with_activation(False).fingerprint == view.fingerprint
    with pytest.raises(ClipError, match="three numbers each"):
        model.with_normalization([0], [1])


def test_a_size_that_the_model_does_not_take_is_reported(tmp_path):
    folder = tiny_models.folder(tmp_path / "run", size=[48, 48])
    model = load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=tmp_path)
    assert model.facts["warnings"] == ["preprocess_cfg asks for images of [48, 48], the model takes [32, 32]; the latter is used"]


# --- fingerprint


def test_the_same_content_has_one_fingerprint(get, tiny, weights, tmp_path_factory):
    model = get(f"tiny,{tiny}/tiny.safetensors")
    assert len(model.fingerprint) == 16
    assert int(model.fingerprint, 16)
    shutil.copy(tiny / "tiny.safetensors", tiny / "copy.safetensors")
    assert get(f"tiny,{tiny}/copy.safetensors").fingerprint == model.fingerprint
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in weights.items()}}, tiny / "e3.pt")
    assert get(f"tiny,{tiny}/e3.pt").fingerprint == model.fingerprint
    folders = [tiny_models.folder(tmp_path_factory.mktemp(name), weights=weights) for name in "ab"]
    one, two = (load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=tiny) for folder in folders)
    assert one.fingerprint == two.fingerprint != model.fingerprint, "the folder has another preprocessing"


def test_one_changed_number_changes_the_fingerprint(get, tiny, weights):
    before = get(f"tiny,{tiny}/tiny.safetensors").fingerprint
    for key in ("visual.conv1.weight", "logit_scale"):
        changed = {name: value.clone() for name, value in weights.items()}
        value = changed[key].view(-1)
        value[0] = torch.nextafter(value[0], torch.tensor(100.0))
        save_file(changed, tiny / "changed.safetensors")
        assert get(f"tiny,{tiny}/changed.safetensors").fingerprint != before, key


def test_config_tokenizer_and_preprocessing_are_part_of_the_fingerprint(tmp_path, weights):
    def fingerprint(name, config=VIT, **preprocess):
        return load(
            parse(f"local-dir:{tiny_models.folder(tmp_path / name, config, weights, **preprocess)}"), device="cpu", cache_dir=tmp_path
        ).fingerprint

    def text(**changes):
        return {**VIT, "text_cfg": {**VIT["text_cfg"], **changes}}

    seen = [
        fingerprint("a"),
        fingerprint("b", resize_mode="squash"),
        fingerprint("c", text(heads=1)),
        fingerprint("d", text(tokenizer_kwargs={"clean": "canonicalize"})),
        fingerprint("e", {**VIT, "quick_gelu": True}),
    ]
    assert len(set(seen)) == len(seen)
    assert fingerprint("f", {**VIT, "quick_gelu": False}) == seen[0]


def test_tokenizers_differ_by_what_they_do():
    from open_clip.tokenizer import SimpleTokenizer

    options = [{}, {"clean": "canonicalize"}, {"clean": "whitespace"}, {"context_length": 16}, {"additional_special_tokens": ["<x>"]}]
    seen = [tokenizer_identity(SimpleTokenizer(**kwargs)) for kwargs in options]
    assert all(one != other for one, other in combinations(seen, 2))
    assert tokenizer_identity(SimpleTokenizer()) == seen[0]


def test_precision_is_part_of_the_fingerprint_even_with_equal_weights(get):
    model = get("tiny,plain")
    parts = {"label": "x", "model_cfg": VIT, "preprocess_config": model.preprocess_config}
    one, two, three = (OpenClipModel(model.module, model.tokenizer, precision=p, **parts) for p in ("fp32", "fp32", "bf16"))
    assert one.fingerprint == two.fingerprint != three.fingerprint


# --- what goes wrong


def test_unknown_architecture_names_near_ones(get):
    assert "open_clip knows no architecture 'ViT-B-33'; did you mean ViT-B-32" in fails(get, "ViT-B-33,openai")
    assert "`pytest-clip models` lists names" in fails(get, "zzzzzz")


def test_unknown_tags_list_those_of_the_architecture(get):
    message = fails(get, "tiny,quik")
    assert "'quik' is neither a tag of tiny nor a file; perhaps you mean tiny,quick; tags of tiny: plain, quick" in message
    assert "tiny has no default weights; write tiny,TAG or tiny,PATH; tags of tiny: plain, quick" in fails(get, "tiny")
    assert "there is no checkpoint runs/e1.pt" in fails(get, "tiny,runs/e1.pt")
    assert "there is no checkpoint e1.safetensors" in fails(get, "tiny,e1.safetensors")


def test_weights_out_of_reach_are_one_quick_error(get, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    start = time.monotonic()
    message = fails(get, "ViT-B-32")
    assert message.startswith("cannot get the weights of ViT-B-32,laion2b_s34b_b79k: HF_HUB_OFFLINE is set")
    assert f"cache {tmp_path}/hub has no copy" in message
    assert "--clip-model=ViT-B-32,/path/to/open_clip_model.safetensors" in message
    message = fails(get, "hf-hub:laion/no-such-model")
    assert message.startswith("cannot get hf-hub:laion/no-such-model: HF_HUB_OFFLINE is set")
    assert "--clip-model=local-dir:" in message
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_reachable", lambda endpoint: False)
    assert "https://huggingface.co cannot be reached" in fails(get, "ViT-B-32,openai")
    assert constants.HF_HUB_OFFLINE is False
    assert time.monotonic() - start < 10


def test_a_damaged_download_says_which_file(get, tiny):
    (tiny / "tiny.safetensors").write_bytes(b"{}")
    message = fails(get, "tiny,plain")
    assert f"the weights of tiny,plain in {tiny}/tiny.safetensors do not load" in message
    assert "delete that file" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "open_clip_config.json is missing"),
        ("{", "is not readable as JSON"),
        ("[]", "has no model_cfg"),
        ('{"model_cfg": {"embed_dim": 3}}', "has no model_cfg with embed_dim, vision_cfg and text_cfg"),
        (json.dumps({"model_cfg": {**VIT, "depth": 3}}), "model_cfg.depth: unknown key"),
        (json.dumps({"model_cfg": {**VIT, "text_cfg": {**VIT["text_cfg"], "hf_tokenizer_name": "x"}}}), "cannot make the tokenizer of run"),
    ],
)
def test_broken_folders(get, tmp_path, content, message):
    folder = tiny_models.folder(tmp_path / "run")
    if content is None:
        (folder / "open_clip_config.json").unlink()
    else:
        (folder / "open_clip_config.json").write_text(content)
    with pytest.raises(ClipError, match=message):
        get(f"local-dir:{folder}")


def test_folders_without_one_clear_checkpoint(get, tmp_path):
    folder = tiny_models.folder(tmp_path / "run")
    (folder / "open_clip_model.safetensors").rename(folder / "a.safetensors")
    assert get(f"local-dir:{folder}").facts["checkpoint"]["file"] == "a.safetensors"
    shutil.copy(folder / "a.safetensors", folder / "b.safetensors")
    assert "holds several checkpoints (a.safetensors, b.safetensors)" in fails(get, f"local-dir:{folder}")
    (folder / "a.safetensors").unlink()
    (folder / "b.safetensors").unlink()
    assert "holds no checkpoint" in fails(get, f"local-dir:{folder}")
    assert "there is no folder" in fails(get, f"local-dir:{tmp_path}/nowhere")


def test_a_file_of_another_architecture_is_refused(get, tiny, weights):
    torch.save({key: value for key, value in weights.items() if key != "visual.proj"}, tiny / "partial.pt")
    assert "missing: visual.proj" in fails(get, f"tiny,{tiny}/partial.pt")


def test_token_ids_beyond_the_embedding_are_explained(tmp_path):
    config = {**VIT, "text_cfg": {**VIT["text_cfg"], "vocab_size": 100}}
    model = load(parse(f"local-dir:{tiny_models.folder(tmp_path / 'run', config)}"), device="cpu", cache_dir=tmp_path)
    with pytest.raises(ClipError, match="the tokenizer yields id 49407, but the model embeds 100 tokens"):
        model.encode_text(["a"])


# --- odds and ends


def test_a_sigmoid_checkpoint_brings_its_bias(get, tiny, weights):
    torch.save({"state_dict": {**weights, "logit_bias": torch.tensor([-9.5])}}, tiny / "siglip.pt")
    model = get(f"tiny,{tiny}/siglip.pt")
    assert model.logit_bias == -9.5
    assert model.fingerprint != get("tiny,plain").fingerprint


def test_random_weights_are_repeatable_and_loud(get):
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    one, two = get("tiny,random"), get("tiny,random")
    assert torch.equal(torch.random.get_rng_state(), before), "loading must not touch the caller's random state"
    assert one.fingerprint == two.fingerprint != get("tiny,plain").fingerprint
    assert one.facts["pretrained"] == "random"
    assert one.facts["warnings"] == ["tiny,random: the weights are RANDOM (seed 0), every score is that of an untrained model"]


def test_facts_are_builtins_and_complete(get, tiny):
    facts = get(f"tiny,{tiny}/tiny.safetensors").facts
    assert json.loads(json.dumps(facts)) == facts
    assert facts["architecture"] == "tiny"
    assert facts["pretrained"] == "tiny.safetensors"
    assert (facts["context_length"], facts["vocab_size"]) == (16, 49408)
    assert facts["parameters"] > 790_000
    assert facts["checkpoint"] == {"file": "tiny.safetensors", "taken": "whole file"}
    assert facts["warnings"] == []


def test_noise_of_libraries_goes_into_the_facts(get, monkeypatch):
    import open_clip

    real = open_clip.create_model

    def noisy(*args, **kwargs):
        warnings.warn("from a library", UserWarning, stacklevel=1)
        logging.getLogger("timm.models").warning("from a %s", "logger")
        return real(*args, **kwargs)

    monkeypatch.setattr(open_clip, "create_model", noisy)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = get("tiny,plain")
    assert model.facts["warnings"] == ["from a logger", "from a library"]
    assert (root.handlers, root.level) == before


def test_repr_names_the_model(get):
    model = get("tiny,plain")
    assert isinstance(model, OpenClipModel)
    assert repr(model) == "OpenClipModel('tiny,plain', fp32 on cpu)"


def test_convolutional_models_lie_channels_last_and_answer_the_same(tmp_path):
    from pytest_clip.extract.provenance import answered_by

    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    made = {}
    for name, config in (("resnet", RESNET), ("vit", VIT)):
        folder = tiny_models.folder(tmp_path / name, config)
        made[name] = load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=tmp_path)
    assert [model.facts["memory_format"] for model in made.values()] == ["channels_last", "contiguous"]
    assert [answered_by(model)["memory_format"] for model in made.values()] == ["channels_last", "contiguous"]
    resnet = made["resnet"]
    before = resnet.encode_image(images)
    digest = weights_digest(resnet.module)
    resnet.module.to(memory_format=torch.contiguous_format)
    plain = OpenClipModel(
        resnet.module, resnet.tokenizer, label="plain", model_cfg=RESNET, preprocess_config=resnet.preprocess_config, facts={}
    )
    torch.testing.assert_close(plain.encode_image(images), before, rtol=0, atol=1e-5)
    assert weights_digest(plain.module) == digest
    assert answered_by(plain)["memory_format"] == "contiguous"


def test_a_compiled_image_tower_answers_the_same_and_has_answers_of_its_own(tmp_path, monkeypatch):
    from pytest_clip.extract.provenance import answered_by

    asked = []

    def without_a_compiler(function):
        asked.append(function)
        return real(function, backend="eager")

    real = torch.compile
    monkeypatch.setattr(torch, "compile", without_a_compiler)
    spec = parse(f"local-dir:{tiny_models.folder(tmp_path / 'tiny')}")
    plain, fast = (load(spec, device="cpu", compile=compile, cache_dir=tmp_path) for compile in (False, True))
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for batch in (images, images[:1]):
        torch.testing.assert_close(fast.encode_image(batch), plain.encode_image(batch), rtol=0, atol=1e-6)
    torch.testing.assert_close(fast.encode_text(TEXTS), plain.encode_text(TEXTS), rtol=0, atol=0)
    assert asked == [fast.module.encode_image]  # once, and only this model's
    assert fast.fingerprint == plain.fingerprint
    assert (answered_by(plain)["compiled"], answered_by(fast)["compiled"]) == (False, True)
    assert (plain.thread_safe, fast.thread_safe) == (True, False)
    torch.testing.assert_close(
        fast.with_normalization((0, 0, 0), (1, 1, 1)).encode_image(images), plain.encode_image(images), rtol=0, atol=1e-6
    )
    assert len(asked) == 1  # the same module
    copied = pickle.loads(pickle.dumps(fast))
    torch.testing.assert_close(copied.encode_image(images), plain.encode_image(images), rtol=0, atol=1e-6)
    assert asked == [fast.module.encode_image, copied.module.encode_image]
    held = weakref.ref(copied.module)
    asked.clear()
    del copied
    gc.collect()
    assert held() is None  # the memory of a model is free for the next one


def test_what_cannot_be_compiled_is_one_error(tmp_path, monkeypatch):
    def backend(graph, inputs):
        raise RuntimeError("no C++ compiler")

    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: real(function, backend=backend))
    fast = load(parse(f"local-dir:{tiny_models.folder(tmp_path / 'tiny')}"), device="cpu", compile=True, cache_dir=tmp_path)
    message = fails(fast.encode_image, torch.rand(2, 3, 32, 32))
    assert message.startswith("--clip-compile: torch cannot compile this model here (")
    assert "no C++ compiler" in message
    assert message.endswith("; run without it")


def test_mixed_precision_keeps_the_weights_and_rounds_the_products(tmp_path):
    spec = parse(f"local-dir:{tiny_models.folder(tmp_path / 'tiny')}")
    full, mixed, half = (load(spec, device="cpu", precision=precision, cache_dir=tmp_path) for precision in ("fp32", "amp_bf16", "bf16"))
    assert {parameter.dtype for parameter in mixed.module.parameters()} == {torch.float32}
    assert torch.bfloat16 in {parameter.dtype for parameter in half.module.parameters()}
    assert len({model.fingerprint for model in (full, mixed, half)}) == 3
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for asked, given in (("encode_image", images), ("encode_text", TEXTS)):
        exact, rounded = getattr(full, asked)(given), getattr(mixed, asked)(given)
        assert rounded.dtype == torch.float32
        assert 0 < float((exact - rounded).abs().max()) < 2e-2


@pytest.mark.parametrize(("precision", "instead"), [("fp16", "bf16"), ("amp", "amp_bf16")])
def test_float16_is_refused_on_a_cpu(precision, instead):
    message = fails(pick_device, "cpu", precision=precision)
    assert message == f"--clip-precision={precision} does not run on the CPU; use --clip-precision={instead} or fp32"
