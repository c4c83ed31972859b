"""Large multimodal models: likelihoods against transformers' own forward pass, one sentence for each wrong folder."""

import json
import shutil

import numpy as np
import pytest
import tiny_hf
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.models.lmm import features, load, names

OPTIONS = (
    ["mug", "red car", "tea cup dog"], ["dog", "mug", "car"], ["a red van", "red", "tea"], ["mug", "dog", "a"], ["van", "a photo", "car"],
)  # fmt: skip
LISTS = [OPTIONS[k % 5] for k in range(8)]
PROMPTS = [f"what is the main object {'in this image ' * (k % 3)}? choose from {', '.join(each)}." for k, each in enumerate(LISTS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_hf.llava(tmp_path_factory.mktemp("llava") / "tiny-llava")


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)) for _ in LISTS]


def loaded(folder, **how):
    return load.load(names.find(str(folder), base=folder, **how), device="cpu")


def plainly(where, pictures):
    """[8, 3] sums of log-likelihoods by transformers alone: each prompt with each option in one plain forward pass."""
    import transformers

    with tiny_hf.silent(), torch.inference_mode():
        processor = transformers.AutoProcessor.from_pretrained(where)
        module = transformers.AutoModelForImageTextToText.from_pretrained(where, dtype=torch.float32).eval()
        out = np.zeros((len(LISTS), 3))
        for row, (picture, prompt, options) in enumerate(zip(pictures, PROMPTS, LISTS, strict=True)):
            for k, option in enumerate(options):
                size = len(option.split())
                if processor.chat_template is None:  # PaliGemma: the answer is a suffix, </s> behind it
                    inputs = processor(images=picture, text=f"<image>{prompt}", suffix=option, return_tensors="pt")
                    inputs = {key: value if key == "pixel_values" else value[:, :-1] for key, value in inputs.items() if key != "labels"}
                else:
                    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}]
                    text = f"{processor.apply_chat_template(turn, add_generation_prompt=True)} {option}"
                    inputs = processor(images=[picture], text=[text], return_tensors="pt")
                logs = module(**inputs).logits[0].log_softmax(-1)
                ids = inputs["input_ids"][0]
                assert ids[-size:].tolist() == processor.tokenizer(option, add_special_tokens=False)["input_ids"]
                out[row, k] = sum(float(logs[at - 1, ids[at]]) for at in range(len(ids) - size, len(ids)))
    return out


@pytest.fixture(scope="module")
def expected(folder, pictures):
    return plainly(folder, pictures)


KINDS = ("llava", "llava_next", "qwen", "idefics", "smolvlm", "paligemma")


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    """(name, model, pictures of several sizes in one batch, their likelihoods, folder).

    Positions in three directions, pictures in tiles, a prompt that is read both ways.
    """
    if request.param == "smolvlm":
        pytest.importorskip("num2words")  # its processor asks for it
    where, rng = getattr(tiny_hf, request.param)(tmp_path_factory.mktemp("kind") / request.param), np.random.default_rng(0)
    sizes = [(24, 40), (40, 24), (32, 32), (24, 40)] * 2
    mixed = [Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)) for size in sizes]
    return request.param, loaded(where), mixed, plainly(where, mixed), where


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("batch", [1, 3, 16])
def test_likelihoods_are_those_of_a_plain_forward_pass(kind, batch, prefix, side):
    _, model, mixed, wanted, _ = kind
    real = model.real
    assert real.facts["prefix_cache"]
    real.batch_size, real.prefix_cache, real.passes.side = batch, prefix, side
    found = model.option_scores(mixed, PROMPTS, LISTS)
    assert found.total == pytest.approx(wanted, abs=1e-4)
    assert found.tokens.tolist() == [[len(each.split()) for each in options] for options in LISTS]
    assert found.per_token == pytest.approx(wanted / found.tokens, abs=1e-4)


def test_a_picture_is_looked_at_once_whatever_it_is_asked(kind):
    """Over calls, questions, options in words and copies of a picture; and not at all if it goes through the model as features."""
    _, _, mixed, wanted, where = kind
    model = loaded(where, batch_size=3)
    core, looks = model.real.module.model, []
    tower = next(getattr(core, name) for name in ("vision_tower", "vision_model", "visual") if hasattr(core, name))
    hook = tower.register_forward_hook(lambda *_: looks.append(1))
    assert model.option_scores(mixed, PROMPTS, LISTS).total == pytest.approx(wanted, abs=1e-4)
    assert (model.real.passes.keeps_features, model.facts["features"]) == (True, "kept")
    assert model.real.passes.seen == len(mixed) + 1  # one when it was tried
    before = len(looks)
    again = [each.copy() for each in mixed]
    assert model.option_scores(again[::-1], PROMPTS[::-1], LISTS[::-1]).total == pytest.approx(wanted[::-1], abs=1e-4)
    said = model.answer(again, PROMPTS)
    model.option_scores(mixed, ["what is it?"] * 8, [["mug", "car"]] * 8)
    assert len(looks) == before
    model.real.passes.keeps_features = False
    assert model.answer(mixed, PROMPTS) == said
    assert len(looks) > before
    hook.remove()


def test_options_share_a_prefix_and_questions_a_picture(folder, pictures):
    """Twenty options cost the language model one prefix and their own tokens; a picture asked about four times is looked at once."""
    model = loaded(folder, batch_size=4).real
    seen = []
    hook = model.module.get_input_embeddings().register_forward_hook(lambda _, given, __: seen.append(given[0].numel()))
    model.passes.seen = 0
    model.option_scores(pictures[:1] * 4, ["what is this?"] * 4, [["red car"] * 20] * 4)
    hook.remove()
    prefix = len(model.chat.ask(pictures[0], "what is this?"))
    assert sum(seen) == 4 * (prefix + 20)
    assert model.passes.seen == 1


def test_answers_are_transformers_own(folder, pictures):
    import transformers

    with tiny_hf.silent(), torch.inference_mode():
        processor = transformers.AutoProcessor.from_pretrained(folder)
        module = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
        wanted = []
        for picture, prompt in zip(pictures, PROMPTS, strict=True):
            inputs = processor(images=picture, text=f"USER: <image>\n{prompt} ASSISTANT:", return_tensors="pt")
            ids = module.generate(**inputs, do_sample=False, max_new_tokens=16)[0, inputs["input_ids"].shape[1] :]
            wanted.append(processor.tokenizer.decode(ids, skip_special_tokens=True).strip())
    assert loaded(folder, batch_size=3).answer(pictures, PROMPTS) == wanted


def test_bf16_on_a_cpu(folder, pictures, expected):
    model = loaded(folder, dtype="bf16")
    found = model.option_scores(pictures, PROMPTS, LISTS)
    assert model.real.module.dtype == torch.bfloat16
    assert (model.facts["dtype"], model.facts["prefix_cache"]) == ("bf16", True)
    assert found.total.dtype == np.float32
    assert np.abs(found.total - expected).max() < 0.03 * np.abs(expected).max()  # a step of bf16 is 0.8 %


def test_a_device_map(folder, pictures, expected):
    pytest.importorskip("accelerate")
    assert loaded(folder, device_map="auto").option_scores(pictures, PROMPTS, LISTS).total == pytest.approx(expected, abs=1e-4)


def test_features_of_more_pictures_than_memory_holds():
    """What is put together again is what the model returned; of twelve pictures with room for ten most are found again, round by round."""
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    whole = torch.arange(12 * 3 * 2, dtype=torch.float32).view(12, 3, 2)
    kept, hits = features.Features(most=10 * 24), []
    for _ in range(6):
        hits.append(0)
        for at in range(0, 12, 2):
            names = [str(at), str(at + 1)]
            new = [name for name in names if name not in kept.kept]
            hits[-1] += 2 - len(new)
            found = BaseModelOutputWithPooling(last_hidden_state=whole, pooler_output=whole[[int(name) for name in new]])
            assert not new or kept.keep(new, found, [1] * len(new))
            assert torch.equal(kept.together(names[::-1], torch.device("cpu")).pooler_output, whole[[at + 1, at]])
            kept.trim()
    assert (len(kept.kept), kept.bytes) == (10, 240)
    assert hits[0] == 0
    assert sum(hits[1:]) / 5 >= 6  # the least recently used would leave none
    assert not kept.keep(["a", "b"], BaseModelOutputWithPooling(pooler_output=whole[:3]), [1, 1])
    assert not kept.keep(["a", "b"], {"pooler_output": (whole[0], whole[1]), "of_another_kind": whole}, [1, 1])


def test_the_digest_of_a_picture_is_what_it_shows():
    plain, same, turned = Image.new("RGB", (4, 6)), Image.new("RGB", (4, 6)), Image.new("RGB", (6, 4))
    palettes = [Image.new("P", (4, 6)) for _ in range(2)]
    palettes[1].putpalette([9, 9, 9] * 256)
    shown = [features.digest(each) for each in (plain, turned, Image.new("L", (4, 6)), *palettes)]
    assert features.digest(same) == shown[0]
    assert len({*shown}) == 5


def test_the_fingerprint_is_the_content(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "other-name")
    assert loaded(copy).fingerprint == loaded(folder).fingerprint
    assert loaded(folder, dtype="bf16").fingerprint != loaded(folder).fingerprint
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    assert loaded(copy).fingerprint != loaded(folder).fingerprint


def test_known_by_its_files_until_it_is_asked(folder):
    model = loaded(folder)
    assert model.label == "tiny-llava"
    assert model._built is None
    assert model.facts == {"dtype": "fp32", "batch_size": 8}


def test_a_cache_that_does_not_do_is_not_used(folder, pictures, expected, monkeypatch):
    from pytest_clip.models.lmm.passes import Passes

    def broken(self, *args):
        raise NotImplementedError

    monkeypatch.setattr(Passes, "after", broken)
    model = loaded(folder)
    assert model.option_scores(pictures, PROMPTS, LISTS).total == pytest.approx(expected, abs=1e-4)
    assert model.facts["prefix_cache"] is False


@pytest.fixture
def broken(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "broken")


def asked(model):
    return model.option_scores([Image.new("RGB", (32, 32))], ["what?"], [["mug", "car"]])


def sentence(folder, ask=False):
    with pytest.raises(ClipError) as caught:
        asked(loaded(folder)) if ask else loaded(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_extra(folder, monkeypatch):
    monkeypatch.setattr(names, "find_spec", lambda name: None)
    assert sentence(folder).endswith("needs transformers, which is not installed; pip install pytest-clip[lmm]")


def test_a_device_map_without_accelerate(folder, monkeypatch):
    monkeypatch.setattr(names, "find_spec", lambda name: None if name == "accelerate" else object())
    choice = names.find(str(folder), base=folder, device_map="auto")
    assert "--clip-lmm-device-map=auto needs accelerate" in names.problem(choice)


def test_an_unknown_name(tmp_path):
    with pytest.raises(ClipError, match=r"'llava15': there is no folder .*llava15 and it is no hub id; write a folder of save_pretrained"):
        names.find("llava15", base=tmp_path)
    assert names.find("llava-hf/llava-1.5-7b-hf", base=tmp_path).folder is None


def test_a_model_of_texts_alone(broken):
    (broken / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_size": 16}))
    assert "holds a model of texts alone (llama); name one that reads pictures" in sentence(broken)


def test_a_dual_encoder(broken, tmp_path):
    """It reads pictures and texts and answers nothing; with a chat template beside it only transformers knows."""
    clip = tiny_hf.folder(tmp_path / "clip")
    assert "has no chat template" in sentence(clip)
    shutil.copy(broken / "chat_template.jinja", clip)
    assert "holds a clip, which transformers" in sentence(clip, ask=True)


def test_no_processor_and_the_wrong_one(broken, tmp_path):
    clip = tiny_hf.folder(tmp_path / "clip")
    kept = (broken / "processor_config.json").read_text()
    (broken / "processor_config.json").unlink()
    assert "has no processor (processor_config.json, preprocessor_config.json); copy it from" in sentence(broken)
    shutil.copy(clip / "preprocessor_config.json", broken) if (clip / "preprocessor_config.json").exists() else None
    other = json.loads(kept) | {"patch_size": 16}  # a quarter of the places that the model's picture takes
    (broken / "processor_config.json").write_text(json.dumps(other))
    assert "the model fails on a picture and a question" in sentence(broken, ask=True)


def test_pickled_weights(broken):
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    assert "only pickled weights, which are never loaded" in sentence(broken)


def test_weights_that_lack_a_part(broken):
    from safetensors.torch import load_file, save_file

    kept = {key: value for key, value in load_file(broken / "model.safetensors").items() if "projector" not in key}
    save_file(kept, broken / "model.safetensors", metadata={"format": "pt"})
    assert "and would be guessed; save the model again" in sentence(broken, ask=True)


def test_a_package_that_a_processor_asks_for(folder, monkeypatch):
    import transformers

    def lacking(*_, **__):
        raise ImportError("Package `num2words` is required to run SmolVLM processor.")

    monkeypatch.setattr(transformers.AutoProcessor, "from_pretrained", lacking)
    told = sentence(folder, ask=True)
    assert "its processor needs a package that is not installed (ImportError: Package `num2words` is required" in told
    assert told.endswith("pip install pytest-clip[lmm]")


def test_code_that_comes_with_a_model(broken):
    config = json.loads((broken / "config.json").read_text()) | {"auto_map": {"AutoModelForImageTextToText": "x.Y"}}
    (broken / "config.json").write_text(json.dumps(config))
    assert "auto_map" in sentence(broken)


def test_fp16_on_a_cpu(folder):
    with pytest.raises(ClipError, match="--clip-lmm-dtype=fp16 does not run on the CPU"):
        loaded(folder, dtype="fp16")
