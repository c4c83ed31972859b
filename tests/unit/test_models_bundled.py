import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny_models
import torch
from safetensors import safe_open
from safetensors.torch import load, load_file, save

from pytest_clip import ClipError
from pytest_clip.models import bundled, compact
from pytest_clip.models.openclip import load as load_model
from pytest_clip.models.spec import parse

TEXTS = ["a photo of a mug", "a red car"]
CONFIG = {"model_cfg": tiny_models.VIT, "preprocess_cfg": tiny_models.PREPROCESS}


def used_ids():
    from open_clip.tokenizer import SimpleTokenizer

    return torch.unique(SimpleTokenizer(context_length=16)(TEXTS))


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state()


@pytest.fixture(scope="module")
def packed(weights):
    return compact.pack(weights, used_ids(), CONFIG)


@pytest.fixture
def zoo(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "weights")
    bundled.FOLDER.mkdir()
    (bundled.FOLDER / "scenes-tiny.safetensors").write_bytes(packed)
    return tmp_path / "cache"


def test_pack_keeps_the_used_rows_and_everything_else_in_fp16(tmp_path, weights, packed):
    (tmp_path / "x.safetensors").write_bytes(packed)
    tensors = load_file(tmp_path / "x.safetensors")
    ids = used_ids()
    assert torch.equal(tensors["token_ids"], ids.to(torch.int32))
    assert torch.equal(tensors["token_rows"], weights["token_embedding.weight"][ids].half())
    assert set(tensors) == (set(weights) - {"token_embedding.weight"}) | {"token_ids", "token_rows"}
    assert {value.dtype for value in tensors.values()} == {torch.float16, torch.int32}
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert json.loads(file.metadata()["open_clip_config"]) == CONFIG
    assert len(packed) < 200_000
    assert compact.pack(weights, list(reversed(ids.tolist())), CONFIG) == packed, "same content, same bytes"


@pytest.mark.parametrize(
    "config", [tiny_models.VIT, tiny_models.RESNET, {**tiny_models.VIT, "custom_text": True}], ids=["vit", "resnet", "custom"]
)
def test_unpack_is_the_half_precision_model_on_used_words(config):
    weights = tiny_models.state(config)
    if "visual.bn1.running_var" in weights:
        weights["visual.bn1.num_batches_tracked"] += 70_000  # integers must not pass through fp16
    state, config_back = compact.unpack(compact.pack(weights, used_ids(), {"model_cfg": config}))
    assert config_back == {"model_cfg": config}
    assert state.keys() == weights.keys()
    ids = used_ids()
    for key, value in weights.items():
        expected = value.half() if value.is_floating_point() else value
        if key.endswith("token_embedding.weight"):
            unused = torch.ones(len(value), dtype=torch.bool).index_fill(0, ids, False)
            assert torch.equal(state[key][ids], expected[ids])
            assert not state[key][unused].any()
        else:
            assert torch.equal(state[key], expected), key


def test_what_cannot_be_packed(weights):
    with pytest.raises(ClipError, match=r"logit_scale does not fit into fp16"):
        compact.pack({**weights, "logit_scale": torch.tensor(1e6)}, used_ids(), CONFIG)
    with pytest.raises(ClipError, match=r"token ids must lie in 0\.\.49407"):
        compact.pack(weights, [3, 49408], CONFIG)
    with pytest.raises(ClipError, match="only open_clip's own text tower"):
        compact.pack({"logit_scale": torch.tensor(1.0)}, [1], CONFIG)


def test_what_is_no_compact_file(packed):
    with pytest.raises(ClipError, match="not a compact checkpoint"):
        compact.unpack(packed[:-10])
    with pytest.raises(ClipError, match="not a compact checkpoint"):
        compact.unpack(save({"a": torch.zeros(1)}))
    tensors = load(packed)
    tensors["token_ids"][0] = tensors["token_ids"][1]
    with pytest.raises(ClipError, match="do not fit a vocabulary of 49408"):
        compact.unpack(save(tensors, metadata={"open_clip_config": json.dumps(CONFIG)}))


def test_expand_makes_an_ordinary_open_clip_folder_once(zoo):
    folder = bundled.expand("scenes-tiny", zoo)
    assert {file.name for file in folder.iterdir()} == {"open_clip_config.json", "open_clip_model.safetensors", "complete.json"}
    assert folder.parent == zoo / "models"
    assert not list(folder.parent.glob(".*-*/")), "building folders are gone"
    before = (folder / "open_clip_model.safetensors").stat().st_mtime_ns
    assert bundled.expand("scenes-tiny", zoo) == folder
    assert (folder / "open_clip_model.safetensors").stat().st_mtime_ns == before

    import open_clip

    module = open_clip.create_model(f"local-dir:{folder}")
    assert module.visual.image_size == (32, 32)


def test_new_content_gets_a_new_folder(zoo, weights):
    old = bundled.expand("scenes-tiny", zoo)
    (bundled.FOLDER / "scenes-tiny.safetensors").write_bytes(
        compact.pack({**weights, "logit_scale": torch.tensor(3.0)}, used_ids(), CONFIG)
    )
    new = bundled.expand("scenes-tiny", zoo)
    assert new != old
    assert load_file(new / "open_clip_model.safetensors")["logit_scale"] == 3.0


@pytest.mark.parametrize("damage", ["truncated", "no seal", "bad seal", "missing file", "empty"])
def test_a_damaged_copy_is_made_again(zoo, damage):
    folder = bundled.expand("scenes-tiny", zoo)
    file = folder / "open_clip_model.safetensors"
    whole = file.read_bytes()
    if damage == "truncated":
        file.write_bytes(whole[:-100])
    elif damage == "no seal":
        (folder / "complete.json").unlink()
    elif damage == "bad seal":
        (folder / "complete.json").write_text("[1]")
    else:
        for victim in [file] if damage == "missing file" else list(folder.iterdir()):
            victim.unlink()
    assert bundled.expand("scenes-tiny", zoo) == folder
    assert file.read_bytes() == whole


def test_simultaneous_workers_expand_once(zoo, monkeypatch):
    calls = []
    real = compact.open_clip_files
    monkeypatch.setattr(compact, "open_clip_files", lambda data: (calls.append(1), real(data))[1])
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: bundled.expand("scenes-tiny", zoo), range(4)))
    assert len(folders) == len(calls) == 1


def test_a_cache_that_cannot_be_written_names_the_option(zoo, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ClipError, match="use --clip-cache-dir=DIR"):
        bundled.expand("scenes-tiny", tmp_path / "file")


def test_a_bundled_model_loads_by_name(zoo, weights):
    model = load_model(parse("scenes-tiny"), device="cpu", cache_dir=zoo)
    assert model.label == "scenes-tiny"
    assert (model.facts["architecture"], model.facts["pretrained"]) == ("scenes-tiny", "bundled")
    assert model.facts["warnings"] == []
    assert model.preprocess_config["std"] == [0.25] * 3
    full = load_model(parse(f"local-dir:{tiny_models.folder(zoo / 'full', weights=weights)}"), device="cpu", cache_dir=zoo)
    assert (model.encode_text(TEXTS) * full.encode_text(TEXTS)).sum(dim=1).min() > 0.9999


def test_own_weights_in_a_bundled_architecture(zoo, weights, tmp_path):
    torch.save({"state_dict": {**weights, "logit_scale": torch.tensor(1.0)}}, tmp_path / "tuned.pt")
    model = load_model(parse(f"scenes-tiny,{tmp_path}/tuned.pt"), device="cpu", cache_dir=zoo)
    assert model.facts["pretrained"] == "tuned.pt"
    assert model.logit_scale == pytest.approx(2.71828, abs=1e-4)
    assert model.preprocess_config["std"] == [0.25] * 3
    assert load_model(parse("scenes-tiny,random"), device="cpu", cache_dir=zoo).facts["pretrained"] == "random"
    with pytest.raises(ClipError, match="'openai' is neither a tag of scenes-tiny nor a file; open_clip has no tags for scenes-tiny"):
        load_model(parse("scenes-tiny,openai"), device="cpu", cache_dir=zoo)
