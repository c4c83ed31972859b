"""What is wrong with a folder of transformers is one sentence with the cure."""

import json
import re
import shutil
from pathlib import Path

import pytest
import tiny_hf
import torch
from safetensors.torch import load_file, save_file

from pytest_clip import ClipError
from pytest_clip.models import hf, look, reader, spec


def load(where, **how):
    return reader.load(spec.parse(f"hf:{where}"), device="cpu", cache_dir=Path(), **how)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Whole folders, by kind."""
    return {kind: tiny_hf.folder(tmp_path_factory.mktemp("whole") / kind, kind) for kind in ("clip", "siglip2", "altclip", "chinese_clip")}


@pytest.fixture
def at(made, tmp_path):
    """A copy of the CLIP."""
    return Path(shutil.copytree(made["clip"], tmp_path / "mine"))


def said(at, file="config.json", **what):
    """Change a file of JSON; a name with a dot is a key of a part."""
    content = json.loads((at / file).read_text())
    for key, value in what.items():
        *parts, last = key.split("__")
        inner = content
        for part in parts:
            inner = inner[part]
        inner[last] = value
    (at / file).write_text(json.dumps(content))


def weights(at, change):
    state = load_file(at / "model.safetensors")
    save_file(change(state), at / "model.safetensors", metadata={"format": "pt"})


def kept(state, part):
    return {key: value for key, value in state.items() if part not in key}


def other_words(kind):
    return lambda at: tiny_hf.words(kind).save_pretrained(at)


def remove(*names):
    return lambda at: [(at / name).unlink() for name in names]


TAKES = "hf: takes CLIPModel, SiglipModel, Siglip2Model, AltCLIPModel, ChineseCLIPModel, AlignModel"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("config.json"), r"mine has no config.json; write a folder of save_pretrained"),
        (
            lambda at: (at / "config.json").rename(at / "open_clip_config.json"),
            r"is a folder of open_clip \(open_clip_config.json\); write --clip-model=local-dir:\S*mine",
        ),
        (
            lambda at: (
                [(at / f"checkpoint-{n}").mkdir() for n in (20, 3)],
                shutil.copy(at / "config.json", at / "checkpoint-3"),
                (at / "config.json").rename(at / "checkpoint-20" / "config.json"),
            ),
            r"mine has no config.json, but there is one in checkpoint-20, checkpoint-3; name it: hf:\S*mine/checkpoint-20",
        ),
        (
            lambda at: said(at, model_type="clip_text_model", architectures=["CLIPTextModelWithProjection"]),
            f"is of a CLIPTextModelWithProjection, which reads texts and sees no pictures; name the folder of the whole model; {TAKES}",
        ),
        (lambda at: said(at, architectures=["CLIPVisionModelWithProjection"]), "which sees pictures and knows no texts; name the folder"),
        (
            lambda at: said(at, architectures=["CLIPForImageClassification"]),
            r"which scores classes or places .*timm:.* embeds no texts; hf:",
        ),
        (
            lambda at: said(at, model_type="llava", architectures=["LlavaForConditionalGeneration"]),
            f"is of a LlavaForConditionalGeneration, which writes text and has no embeddings of pictures and texts to compare; {TAKES}",
        ),
        (lambda at: said(at, model_type="bert", architectures=["BertModel"]), "is of a BertModel, which reads texts and sees no pictures"),
        (lambda at: said(at, model_type="vit", architectures=None), "is of a vit, which sees pictures and knows no texts"),
        (lambda at: said(at, model_type="wav2vec2", architectures=["X"]), f"is of a X, which is not known here; {TAKES}"),
        (lambda at: (at / "config.json").write_text("{"), "config.json is not readable as JSON"),
        (lambda at: (at / "config.json").write_text("[]"), "config.json holds a list where an object of JSON should be"),
        (
            lambda at: said(at, quantization_config={"bits": 4}),
            r"is of quantised weights \(quantization_config\), .* save the model unquantised",
        ),
        (lambda at: said(at, vision_config__num_hidden_layers=10**9), "num_hidden_layers is 1000000000, and no model has more than 1000"),
    ],
)
def test_what_small_files_say_is_said_before_anything_loads(at, damage, message):
    damage(at)
    found = look.problem(spec.parse(f"hf:{at}"))
    assert re.search(message, found), found
    with pytest.raises(ClipError, match=message):
        load(at)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda at: said(at, auto_map={"AutoModel": "evil.Model"}),
            "is refused: .*config.json asks with auto_map = .* for code or weights",
        ),
        (
            lambda at: said(at, "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]}),
            "is refused: .*tokenizer_config.json asks",
        ),
        (
            lambda at: said(at, "preprocessor_config.json", auto_map={"AutoImageProcessor": "e.P"}),
            "is refused: .*preprocessor_config.json asks",
        ),
        (remove("model.safetensors"), "has no model.safetensors and no pytorch_model.bin; save the model with save_pretrained"),
        (
            lambda at: (at / "model.safetensors").rename(at / "tf_model.h5"),
            r"has no model.safetensors and no pytorch_model.bin \(it has tf_model.h5\); save the model",
        ),
        (lambda at: (at / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "is a pointer of Git LFS"),
        (lambda at: (at / "model.safetensors").write_bytes((at / "model.safetensors").read_bytes()[:-9]), "bytes where its header says"),
        (
            lambda at: (
                (at / "model.safetensors").unlink(),
                (at / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}})),
            ),
            "index.json names model-1.safetensors that .*mine does not hold; copy all files of the model",
        ),
        (
            lambda at: (
                (at / "model.safetensors").unlink(),
                (at / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}})),
            ),
            "index.json names .* does not hold",
        ),
        (
            lambda at: weights(at, lambda state: kept(state, "text_projection")),
            r"mine does not fit CLIPModel: of \d+ weights 1 missing \(text_projection.weight\); config.json and weights must be of one",
        ),
        (
            lambda at: weights(at, lambda state: {**state, "tower.weight": torch.zeros(2)}),
            r"does not fit CLIPModel: of \d+ weights 1 unexpected \(tower.weight\)",
        ),
        (
            lambda at: weights(at, lambda state: {**state, "text_projection.weight": torch.zeros(8, 16)}),
            r"does not fit CLIPModel: of \d+ weights 1 mis-shaped \(text_projection.weight: file \[8, 16\], model \[16, 16\]\)",
        ),
        (lambda at: weights(at, lambda state: {"tower.weight": torch.zeros(2)}), r"does not fit CLIPModel: of \d+ weights \d+ missing \("),
        (
            lambda at: said(at, text_config__vocab_size=1 << 30),
            r"config.json describes 17,179,884,657 weights, and model.safetensors has [\d,]+ bytes; copy the files of one model",
        ),
        (lambda at: said(at, vision_config__hidden_size="wide"), "transformers cannot build its CLIPModel"),
        (lambda at: said(at, text_config__num_attention_heads=3), "transformers cannot build its CLIPModel"),
        (
            remove("preprocessor_config.json"),
            r"there is no image processor \(preprocessor_config.json, processor_config.json\); copy it .*AutoProcessor.from_pretrained",
        ),
        (remove("tokenizer.json"), r"there is no tokenizer \(tokenizer.json, vocab.json, vocab.txt, \*.model\); copy it there"),
        (
            lambda at: said(at, "tokenizer_config.json", model_max_length=0),
            "0 tokens of a text would be read; correct max_position_embeddings in config.json or model_max_length in tokenizer_config.json",
        ),
        (
            lambda at: said(at, "tokenizer_config.json", model_max_length="long"),
            "fails on a picture and a text .ValueError: .*; its files do not",
        ),
        (lambda at: (at / "tokenizer.json").write_text("{"), "its tokenizer cannot be read .* copy its files again"),
        (
            lambda at: said(at, "preprocessor_config.json", image_processor_type="NoSuchProcessor"),
            "its image processor cannot be read .* copy its files again",
        ),
        (
            lambda at: tiny_hf.eyes("siglip").save_pretrained(at),
            "it is a CLIPModel with the SiglipImageProcessor of another kind of model, where CLIPImageProcessor belongs; copy the",
        ),
        (
            lambda at: tiny_hf.eyes("clip", size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}).save_pretrained(at),
            r"its image processor makes pictures of 64 x 64, and the model takes 32 x 32 \(image_size in config.json\); copy the",
        ),
        (
            lambda at: tiny_hf.eyes("clip", do_center_crop=False).save_pretrained(at),
            r"makes pictures of 32 x 32 and 32 x 42, as their shape is, and a model takes one size; copy the",
        ),
        (
            lambda at: tiny_hf.eyes("clip", rescale_factor=0.0).save_pretrained(at),
            "image processor .*(fails on a picture|makes the same of)",
        ),
        (
            other_words("chinese_clip"),
            r"the model reads a text from its end token \(id 81\), and its tokenizer writes none: it is that of another model",
        ),
        (
            lambda at: (
                said(at, text_config__vocab_size=40),
                weights(at, lambda state: {key: value[:40].clone() if "token_emb" in key else value for key, value in state.items()}),
            ),
            "its tokenizer yields id 8., but the model embeds 40 tokens: it is that of another model; copy the tokenizer",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_cure(at, damage, message):
    damage(at)
    assert look.problem(spec.parse(f"hf:{at}")) is None
    with pytest.raises(ClipError, match=f"(?s){message}"):
        load(at)


def test_configurations_from_before_the_end_token_had_its_id(at):
    before = load(at)
    said(at, text_config__eos_token_id=2)  # as OpenAI's own still say: the largest id of a text is its end
    assert torch.equal(load(at).encode_text(["a dog", "x"]), before.encode_text(["a dog", "x"]))


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


def test_a_pickle_runs_nothing(at):
    (at / "model.safetensors").unlink()
    torch.save({"logit_scale": torch.zeros(()), "evil": Evil()}, at / "pytorch_model.bin")
    with pytest.raises(ClipError, match=r"is refused: besides weights it wants to import [a-z_.]*exec"):
        load(at)


@pytest.mark.parametrize(
    ("kind", "damage", "message"),
    [
        (
            "siglip2",
            lambda at: tiny_hf.eyes("siglip2", patch_size=16).save_pretrained(at),
            r"cuts patches of 16 pixels, .* takes 8 \(patch_size",
        ),
        (
            "siglip2",
            lambda at: tiny_hf.eyes("siglip").save_pretrained(at),
            "is a Siglip2Model with the SiglipImageProcessor of another kind",
        ),
        ("altclip", other_words("siglip2"), "counts positions without padding .id 1., and its tokenizer pads with 0"),
        (
            "chinese_clip",
            lambda at: tiny_hf.words("siglip2").save_pretrained(at),
            "reads a text from its first token, .* puts none before each",
        ),
    ],
)
def test_each_kind_has_its_own(made, tmp_path, kind, damage, message):
    at = Path(shutil.copytree(made[kind], tmp_path / "mine"))
    damage(at)
    with pytest.raises(ClipError, match=message):
        load(at)


def test_a_processor_that_does_more_than_it_says_is_refused(at, monkeypatch):
    import transformers

    def sharper(self, *args, **how):
        return whole(self, *args, **how) ** 2

    whole = transformers.CLIPImageProcessor.rescale_and_normalize
    monkeypatch.setattr(transformers.CLIPImageProcessor, "rescale_and_normalize", sharper)
    with pytest.raises(ClipError, match=r"CLIPImageProcessor\) (does more than resize, crop, rescale and normalise|makes the same)"):
        load(at)


def test_names_that_are_no_model(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "is a file; name the folder that save_pretrained wrote" in look.problem(spec.parse(f"hf:{tmp_path / 'file'}"))
    assert re.search(r"hf:mine: there is no folder \S*mine; write a folder .* hf:ORG/NAME", look.problem(spec.parse("hf:mine")))
    assert "there is no folder /gone/x" in look.problem(spec.parse("hf:/gone/x"))
    with pytest.raises(ClipError, match="has nothing after the colon"):
        spec.parse("hf:")
    with pytest.raises(ClipError, match="hf brings its own weights"):
        spec.parse("hf:a/b", pretrained="openai")
    with pytest.raises(ClipError, match="'hf:a/b' is a model of the kind hf; both must be models of open_clip"):
        spec.parse("wise:hf:a/b::RN50::0.5")


def test_a_missing_transformers_is_said_before_anything_loads(at, monkeypatch):
    monkeypatch.setattr(hf, "find_spec", lambda name: None)
    assert look.problem(spec.parse(f"hf:{at}")).endswith("needs transformers, which is not installed; pip install pytest-clip[hf]")


def test_compiling_is_for_open_clip(at):
    with pytest.raises(ClipError, match="--clip-compile is for image towers of open_clip; mine runs without it, so leave it out"):
        load(at, compile=True)


def test_the_hub_offline_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ClipError) as caught:
        load("no-such/model")
    assert re.fullmatch(
        r"cannot get hf:no-such/model: HF_HUB_OFFLINE is set, and the cache \S+ has no copy. "
        "Give a local file instead: --clip-model=hf:/path/to/a/copy/of/it",
        str(caught.value),
    )


def test_what_the_cache_of_the_hub_has_is_loaded(at, monkeypatch, tmp_path):
    cache = tmp_path / "hub" / "models--ours--tiny"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("f" * 40)
    shutil.copytree(at, cache / "snapshots" / ("f" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    model = load("ours/tiny")
    assert (model.label, model.facts["pretrained"]) == ("ours--tiny", "ours/tiny")
    assert model.fingerprint == load(at).fingerprint


def test_a_cache_that_has_some_of_the_files_says_which(at, monkeypatch, tmp_path):
    cache = tmp_path / "hub" / "models--ours--tiny"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("f" * 40)
    (place := cache / "snapshots" / ("f" * 40)).mkdir(parents=True)
    shutil.copy(at / "config.json", place)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ClipError, match=r"hf:ours/tiny: \S+ holds only config.json; fetch all of it .*\(hf download ours/tiny\), or name"):
        load("ours/tiny")


def test_a_pooler_that_is_never_read_may_be_there(made, tmp_path):
    at = Path(shutil.copytree(made["chinese_clip"], tmp_path / "mine"))
    before = load(at).fingerprint
    weights(at, lambda state: {**state, "text_model.pooler.dense.weight": torch.zeros(16, 16)})
    assert load(at).fingerprint == before
