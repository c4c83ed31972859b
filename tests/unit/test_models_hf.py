"""`hf:` against the library's own forward pass, for each kind of dual encoder of transformers."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_hf
import torch
from PIL import Image

from pytest_clip.models import door, hf_kinds, hf_texts, labels, lazy, look, reader, spec
from pytest_clip.models.dense import dense_features, lacking
from pytest_clip.mutants import build
from pytest_clip.mutants.inapplicable import InapplicableError

TEXTS = ["a photo of a dog.", "Cats", "the longest of these texts, which is cut", "x", ""]


def load(where, **how):
    return reader.load(spec.parse(f"hf:{where}"), device="cpu", cache_dir=Path(), **how)


@pytest.fixture(scope="module", params=tiny_hf.KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def place(kind, tmp_path_factory):
    return tiny_hf.folder(tmp_path_factory.mktemp(kind) / "mine", kind)


@pytest.fixture(scope="module")
def model(place):
    return load(place)


@pytest.fixture(scope="module")
def pictures(kind):
    """Noise of several shapes; NaFlex takes square ones only."""
    sizes = [(50, 50), (32, 32), (97, 97)] if kind == "siglip2" else [(50, 40), (32, 32), (61, 130)]
    noise = np.random.default_rng(3)
    return [Image.fromarray(noise.integers(0, 256, (high, wide, 3), dtype=np.uint8)) for wide, high in sizes]


@pytest.fixture(scope="module")
def wanted(kind, place, pictures):
    """What transformers answers to pictures and texts, with its own model and processors."""
    import transformers

    with tiny_hf.silent(), torch.inference_mode():
        module = getattr(transformers, hf_kinds.FAMILIES[kind].model).from_pretrained(place).eval()
        images = transformers.AutoImageProcessor.from_pretrained(place)(images=pictures, return_tensors="pt")
        how = {"padding": "max_length"} if kind.startswith("siglip") else {"padding": True}
        tokens = transformers.AutoTokenizer.from_pretrained(place)(
            TEXTS, return_tensors="pt", truncation=True, max_length=tiny_hf.LENGTH, **how
        )
        return images, module(**images, **tokens)


def test_embeddings_and_logits_are_those_of_the_library(kind, model, pictures, wanted):
    images, answer = wanted
    mine = model.encode_image(torch.stack([model.preprocess(each) for each in pictures]))
    texts = model.encode_text(TEXTS)
    assert torch.allclose(mine, answer.image_embeds / answer.image_embeds.norm(dim=-1, keepdim=True), atol=1e-5)
    assert torch.allclose(texts, answer.text_embeds / answer.text_embeds.norm(dim=-1, keepdim=True), atol=1e-5)
    logits = model.logit_scale * mine @ texts.T + (model.logit_bias or 0)
    assert torch.allclose(logits, answer.logits_per_image, atol=1e-5)
    for rows in (mine, texts):
        assert rows.std(0).norm() > 0.01, "answers that hardly depend on anything would be equal too"
    assert (model.logit_bias is not None) is kind.startswith("siglip")
    if kind != "siglip2":
        assert torch.allclose(torch.stack([model.preprocess(each) for each in pictures]), images.pixel_values, atol=1e-5)
    if kind.startswith("siglip"):
        assert torch.allclose(torch.sigmoid(logits), torch.sigmoid(answer.logits_per_image), atol=1e-5)


def test_it_is_what_the_protocol_says(kind, model):
    door.check(model)
    assert door.scale_of(model) > 0
    assert model.image_size == (tiny_hf.SIDE, tiny_hf.SIDE)
    assert model.facts["architecture"] == hf_kinds.FAMILIES[kind].model
    assert model.tokenize(TEXTS).shape == (len(TEXTS), tiny_hf.LENGTH)
    json.dumps(model.facts)


def test_no_row_depends_on_its_company(model, pictures):
    ready = torch.stack([model.preprocess(each) for each in pictures])
    assert torch.allclose(model.encode_image(ready), torch.cat([model.encode_image(each[None]) for each in ready]), atol=1e-6)
    together = model.encode_text(TEXTS * 9)
    assert torch.allclose(together[: len(TEXTS)], torch.cat([model.encode_text([each]) for each in TEXTS]), atol=1e-6)
    assert torch.equal(together[: len(TEXTS)], together[-len(TEXTS) :])


def test_the_halves_of_preprocess_are_the_whole(model, pictures):
    for each in pictures:
        raw = model.resize(each)
        assert raw.dtype is torch.uint8
        assert tuple(raw.shape) == (3, *model.image_size)
        assert torch.equal(model.normalize(raw[None])[0], model.preprocess(each))


def test_dense_features_are_what_leaves_the_blocks(kind, model, wanted, pictures):
    if kind == "siglip2" or kind == "align":
        images = torch.stack([model.preprocess(each) for each in pictures])
        last = dense_features(model, images)
        side = 16 if kind == "align" else 4
        assert last.shape == (3, 16, side // 2 if kind == "align" else side, side // 2 if kind == "align" else side)
    else:
        images = wanted[0].pixel_values
        with torch.inference_mode():
            states = copy.deepcopy(model.module).vision_model(images, output_hidden_states=True).hidden_states
        for layer in (0, 1, 2, -1):
            block = states[layer + 1 if layer >= 0 else layer]
            block = block[:, 1:] if hf_kinds.FAMILIES[kind].class_token else block
            maps = dense_features(model, images, layer=layer)
            assert maps.shape == (3, 16, 4, 4)
            assert torch.allclose(maps[:, :, 1, 2], block[:, 4 * 1 + 2], atol=1e-5)
    assert lacking(model) is None
    with pytest.raises(Exception, match="has no layer 9: it has "):
        model.dense_features(images, layer=9)


def test_a_patch_stays_in_its_place(model):
    picture = torch.zeros(1, 3, *model.image_size)
    changed = picture.clone()
    changed[..., :8, -8:] = 3.0
    moved = (model.dense_features(changed, layer=0) - model.dense_features(picture, layer=0)).norm(dim=1)[0]
    high, wide = divmod(int(moved.argmax()), moved.shape[1])
    assert high < moved.shape[0] // 4 or high == 0
    assert wide >= 3 * moved.shape[1] // 4


def test_it_travels_and_stays_itself(place, model):
    other = pickle.loads(pickle.dumps(model))
    assert other.fingerprint == model.fingerprint == load(place).fingerprint
    assert torch.allclose(other.encode_text(TEXTS), model.encode_text(TEXTS), atol=1e-6)


def test_the_fingerprint_is_the_content(kind, place, model, tmp_path):
    assert load(tiny_hf.folder(tmp_path / "elsewhere", kind)).fingerprint == model.fingerprint
    assert load(tiny_hf.folder(tmp_path / "other", kind, seed=1)).fingerprint != model.fingerprint
    tiny_hf.eyes(kind, resample=0).save_pretrained(tmp_path / "elsewhere")
    assert load(tmp_path / "elsewhere").fingerprint != model.fingerprint
    assert load(place, precision="bf16").fingerprint != model.fingerprint


def test_other_precisions(model, place, pictures):
    half = load(place, precision="bf16")
    ready = torch.stack([model.preprocess(each) for each in pictures])
    assert torch.allclose(half.encode_image(ready), model.encode_image(ready), atol=0.05)
    assert torch.allclose(half.encode_text(TEXTS), model.encode_text(TEXTS), atol=0.05)
    assert half.logit_scale == model.logit_scale


def test_activation_and_normalisation_can_be_changed(kind, model, pictures):
    ready = torch.stack([model.preprocess(each) for each in pictures])
    if kind == "align":
        assert model.activation == "none"
        assert model.with_activation(True) is model
    else:
        own = model.activation == "quickgelu"
        other = model.with_activation(not own)
        assert other.activation == ("gelu" if own else "quickgelu")
        assert not torch.allclose(other.encode_image(ready), model.encode_image(ready), atol=1e-4)
        assert torch.equal(other.with_activation(own).encode_image(ready), model.encode_image(ready))
        assert other.fingerprint != model.fingerprint
    shifted = model.with_normalization((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert torch.allclose(shifted.preprocess(pictures[0])[1], (model.resize(pictures[0])[1] / 255 - 0.2) / 0.5, atol=1e-6)
    assert shifted.fingerprint != model.fingerprint


def test_gray_is_what_the_configuration_says(model):
    config = model.preprocess_config
    gray = model.preprocess(Image.new("RGB", (97, 97), (128, 128, 128)))[:, 9, 9].numpy()
    assert np.allclose(gray, (128 / 255 - np.array(config["mean"])) / np.array(config["std"]), atol=1e-5)


def test_a_transparent_picture_lies_on_white_as_the_processor_has_it(tmp_path):
    import transformers

    place = tiny_hf.folder(tmp_path / "mine")
    picture = Image.new("RGBA", (40, 40), (200, 10, 10, 90))
    with tiny_hf.silent():
        whole = transformers.AutoImageProcessor.from_pretrained(place)(images=picture, return_tensors="pt").pixel_values[0]
    assert torch.allclose(load(place).preprocess(picture), whole, atol=1e-5)


@pytest.mark.parametrize("how", [{"rescale_factor": 1 / 127.5, "rescale_offset": True}, {"include_top": True}])
def test_every_way_of_efficientnet_to_normalise(tmp_path, how):
    place = tiny_hf.folder(tmp_path / "mine", "align", processor=False)
    processor = tiny_hf.eyes("align", **{"rescale_factor": 1 / 255, "rescale_offset": False, "do_normalize": True, **how})
    processor.save_pretrained(place)
    picture = Image.effect_noise((60, 50), 80).convert("RGB")
    assert torch.allclose(load(place).preprocess(picture), processor(images=picture, return_tensors="pt").pixel_values[0], atol=1e-5)


def test_naflex_says_which_pictures_it_cannot_have(tmp_path):
    model = load(tiny_hf.folder(tmp_path / "mine", "siglip2"))
    with pytest.raises(ValueError, match=r"its processor makes of it 3 x 6 patches \(NaFlex\), and only square pictures, 4 x 4, are"):
        model.resize(Image.new("RGB", (128, 60)))


def test_texts_of_one_length_go_together():
    mask = torch.tensor([[1] * 5 + [0] * 59, [1] * 20 + [0] * 44, [1] * 64, [1] * 16 + [0] * 48])
    inputs = {"input_ids": torch.arange(4 * 64).reshape(4, 64), "attention_mask": mask}
    texts = hf_texts.Texts(type("T", (), {"padding_side": "right"})(), 64, 999, False, "here")
    parts = [(rows.tolist(), part["input_ids"].shape[1]) for rows, part in texts.batches(inputs, 2)]
    assert parts == [([0, 3], 16), ([1], 32), ([2], 64)]
    padded = hf_texts.Texts(texts.tokenizer, 64, 999, True, "here")
    assert [part["input_ids"].shape for _, part in padded.batches(inputs, 3)] == [(3, 64), (1, 64)]


def test_weights_of_torch_are_read_too(tmp_path):
    place = tiny_hf.folder(tmp_path / "mine")
    before = load(place)
    from safetensors.torch import load_file

    torch.save(load_file(place / "model.safetensors"), place / "pytorch_model.bin")
    (place / "model.safetensors").unlink()
    assert load(place).fingerprint == before.fingerprint


def test_shards_are_read_too(tmp_path):
    whole = load(tiny_hf.folder(tmp_path / "mine"))
    place = tiny_hf.folder(tmp_path / "parts")
    with tiny_hf.silent():
        tiny_hf.network("clip").save_pretrained(place, max_shard_size="20KB")
    (place / "model.safetensors").unlink(missing_ok=True)
    assert len(list(place.glob("model-*.safetensors"))) > 1
    assert load(place).fingerprint == whole.fingerprint


def test_files_of_processor_and_tokenizer_in_one_as_transformers_5_writes_them(tmp_path):
    import transformers

    place = tiny_hf.folder(tmp_path / "mine", processor=False, tokenizer=False)
    with tiny_hf.silent():
        transformers.CLIPProcessor(tiny_hf.eyes("clip"), tiny_hf.words("clip")).save_pretrained(place)
    assert not (place / "preprocessor_config.json").exists()
    assert load(place).fingerprint == load(tiny_hf.folder(tmp_path / "other")).fingerprint


def test_a_rerun_builds_nothing_and_sees_every_change(tmp_path):
    place = tiny_hf.folder(tmp_path / "mine")
    named, built = spec.parse(f"hf:{place}"), []

    def build():
        built.append(reader.load(named, device="cpu", cache_dir=tmp_path))
        return built[-1]

    first, again = (lazy.load(named, cache=tmp_path / "cache", conditions={}, build=build) for _ in range(2))
    assert len(built) == 1
    assert (again.fingerprint, again.logit_scale, again.image_size) == (first.fingerprint, first.logit_scale, first.image_size)
    assert again.geometry == first.geometry
    config = json.loads((place / "preprocessor_config.json").read_text())
    (place / "preprocessor_config.json").write_text(json.dumps({**config, "resample": 2}))
    assert lazy.load(named, cache=tmp_path / "cache", conditions={}, build=build).fingerprint != first.fingerprint
    assert len(built) == 2
    (place / "optimizer.pt").write_bytes(b"x")
    lazy.load(named, cache=tmp_path / "cache", conditions={}, build=build)
    assert len(built) == 2, "what the trainer keeps beside it is no part of it"


@pytest.mark.parametrize("adapter", [False, True])
def test_looking_imports_neither_torch_nor_transformers(tmp_path, adapter):
    place = tiny_hf.folder(tmp_path / "mine", processor=False, tokenizer=False)
    name = tmp_path / "adapter" if adapter else place
    if adapter:
        name.mkdir()
        (name / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(place)}))
    code = (
        "import sys\nfrom pytest_clip.models import lazy, look, sources, spec\n"
        f"named = spec.parse('hf:{name}')\nassert look.problem(named) is None and named.label == '{name.name}', look.problem(named)\n"
        f"assert len(sources.files(named)) == {3 if adapter else 2}\n"
        "assert look.problem(spec.parse('hf:no/such')) is None and look.problem(spec.parse('hf:nowhere'))\n"
        "assert not {'torch', 'transformers', 'peft', 'open_clip', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "label"), [("hf:openai/clip-vit-base-patch32", "openai--clip-vit-base-patch32"), ("hf:mine", "mine"), ("hf: a/b ", "a--b")]
)
def test_names(text, label):
    named = spec.parse(text)
    assert (named.kind, named.label, named.key) == ("hf", label, text.removeprefix("hf:").strip())


def test_what_another_model_reads_is_a_different_label(tmp_path):
    for run in ("a", "b"):
        (tmp_path / run / "last").mkdir(parents=True)
    named = [spec.parse(f"hf:{tmp_path / run / 'last'}") for run in ("a", "b")]
    assert labels.labels(named) == ("a-last", "b-last")
    assert look.problem(spec.parse("hf:openai/clip-vit-base-patch32")) is None


def test_damages_that_it_has_no_place_for_say_so(tmp_path):
    model = load(tiny_hf.folder(tmp_path / "mine"))
    for name in ("unnormalised", "noise_10", "int8", "text_reseeded", "last_block_dropped"):
        with pytest.raises(InapplicableError, match="mine "):
            build.build(name, model)
    for name in ("wrong_mean_std", "logit_scale_double", "activation_swapped", "jpeg_10"):
        assert build.build(name, model).fingerprint != model.fingerprint
