"""No code of a model runs: each way in which transformers can be told to import a Python file of a model gets such a file, which would
leave a mark."""

import builtins
import json
import shutil
from contextlib import suppress

import pytest
import tiny_depth
import tiny_models
from PIL import Image
from tiny_models import VIT

from pytest_clip import ClipError
from pytest_clip.models import depth, foreign
from pytest_clip.models.openclip import load
from pytest_clip.models.spec import parse

CODE = """
import pathlib
pathlib.Path({mark!r}).write_text("ran")
from transformers import AutoConfig, BertConfig, BertModel, DPTForDepthEstimation, DPTImageProcessor, PreTrainedTokenizerFast
class EvilTokenizer(PreTrainedTokenizerFast): pass
class EvilConfig(BertConfig): model_type = "evil"
class EvilModel(BertModel): pass
class EvilDepth(DPTForDepthEstimation): pass
class EvilProcessor(DPTImageProcessor): pass
"""
MAP = {"AutoConfig": "evil.EvilConfig", "AutoModel": "evil.EvilModel", "AutoModelForDepthEstimation": "evil.EvilDepth"}
TOKENIZERS = {"AutoTokenizer": ["evil.EvilTokenizer", "evil.EvilTokenizer"]}


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "ran"


@pytest.fixture(autouse=True)
def nothing_ran(mark, monkeypatch):
    """Somebody at the terminal says yes to every question; still nothing of a model runs."""
    monkeypatch.setattr(builtins, "input", lambda question="": "y")
    yield
    assert not mark.exists()


def plant(folder, mark):
    """A tokenizer, a configuration and a text tower that are code of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evil.py").write_text(CODE.format(mark=str(mark)))
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": {**MAP, **TOKENIZERS}}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "EvilTokenizer", "auto_map": TOKENIZERS}))
    return folder


def text(**said):
    return {**VIT, "text_cfg": {**VIT["text_cfg"], **said}}


def refused(do, *args, **how):
    with pytest.raises(ClipError) as caught:
        do(*args, **how)
    return str(caught.value)


def made(spec, tmp_path):
    return load(parse(spec), device="cpu", cache_dir=tmp_path / "cache")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Repositories of the Hugging Face hub as the cache keeps them; nothing is asked of the network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def place(name):
        repository = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("0" * 40)
        return repository / "snapshots" / ("0" * 40)

    return place


def test_the_planted_file_would_run(tmp_path, mark):
    """What the tests below stop: here the file does run, when transformers is told to trust it."""
    from transformers import AutoTokenizer

    folder = plant(tmp_path / "run", mark)
    with suppress(Exception):  # it is no whole tokenizer
        AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    assert mark.read_text() == "ran"
    mark.unlink()


@pytest.mark.parametrize("key", ["trust_remote_code", "auto_map", "code_revision"])
def test_tokenizer_kwargs_that_ask_for_code(tmp_path, mark, key):
    said = text(hf_tokenizer_name="any", tokenizer_kwargs={key: True})
    folder = plant(tiny_models.folder(tmp_path / "run", said), mark)
    message = refused(made, f"local-dir:{folder}", tmp_path)
    assert message.startswith(f"{folder}/open_clip_config.json is refused")
    assert f"model_cfg.text_cfg.tokenizer_kwargs.{key}: asks to run code" in message


@pytest.mark.parametrize("file", ["tokenizer_config.json", "config.json"])
def test_a_tokenizer_folder_with_code_of_its_own(tmp_path, mark, file):
    folder = plant(tiny_models.folder(tmp_path / "run", text(hf_tokenizer_name="any")), mark)
    for other in {"tokenizer_config.json", "config.json"} - {file}:
        (folder / other).unlink()
    message = refused(made, f"local-dir:{folder}", tmp_path)
    assert f"local-dir:{folder} is refused: {folder}/{file} asks with auto_map" in message
    assert message.endswith("or remove the line if it is not needed")


def test_repositories_of_the_hub(tmp_path, mark, hub):
    asks = plant(tiny_models.folder(hub("evil/kwargs"), text(hf_tokenizer_name="x", tokenizer_kwargs={"trust_remote_code": True})), mark)
    assert "tokenizer_kwargs.trust_remote_code: asks to run code" in refused(made, "hf-hub:evil/kwargs", tmp_path)
    assert asks.is_dir()
    tiny_models.folder(hub("evil/elsewhere"), text(hf_tokenizer_name="evil/tokenizer"))
    plant(hub("evil/tokenizer"), mark)
    assert refused(made, "hf-hub:evil/elsewhere", tmp_path)
    (tmp_path / "path").mkdir()
    tiny_models.folder(hub("evil/path"), text(hf_tokenizer_name=str(plant(tmp_path / "path", mark))))
    assert "which is no repository of Hugging Face" in refused(made, "hf-hub:evil/path", tmp_path)


def test_a_text_tower_of_the_hub(tmp_path, mark, hub):
    plant(hub("evil/tower"), mark)
    folder = tiny_models.folder(tmp_path / "run", {**text(hf_model_name="evil/tower"), "custom_text": True}, tiny_models.state())
    message = refused(made, f"local-dir:{folder}", tmp_path)
    assert "asks to run code that comes with it" in message or "trust_remote_code" in message


def test_a_text_tower_at_a_path(tmp_path, mark):
    said = {**text(hf_model_name=str(plant(tmp_path / "tower", mark))), "custom_text": True}
    folder = tiny_models.folder(tmp_path / "run", said, tiny_models.state())
    assert "hf_model_name must be null or the name of a Hugging Face repository" in refused(made, f"local-dir:{folder}", tmp_path)


@pytest.mark.parametrize("name", ["hf-hub:evil/trunk", "local-dir:/tmp/evil", "../evil"])
def test_an_image_tower_from_elsewhere(tmp_path, name):
    said = {**VIT, "vision_cfg": {**VIT["vision_cfg"], "timm_model_name": name}}
    folder = tiny_models.folder(tmp_path / "run", said, tiny_models.state())
    assert "timm_model_name must be a name without : and / or null" in refused(made, f"local-dir:{folder}", tmp_path)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config.json", {"auto_map": MAP}),
        ("config.json", {"auto_map": MAP, "model_type": "evil"}),
        ("config.json", {"backbone_config": {"auto_map": MAP}}),
        ("config.json", {"backbone": "evil/tower", "use_pretrained_backbone": True, "backbone_kwargs": {"trust_remote_code": True}}),
        ("config.json", {"attn_implementation": "evil/kernel"}),
        ("preprocessor_config.json", {"auto_map": {"AutoImageProcessor": "evil.EvilProcessor"}, "image_processor_type": "EvilProcessor"}),
        ("adapter_config.json", {"base_model_name_or_path": "evil/tower", "peft_type": "LORA"}),
    ],
)
def test_depth_models(tmp_path, mark, hub, file, said):
    """From a folder before anything loads, from the hub before it is built, and with the folder's check taken away."""
    plain = tiny_depth.folder(tmp_path / "plain")
    for folder in (tmp_path / "run", hub("evil/depth")):
        shutil.copytree(plain, folder)
        (folder / "evil.py").write_text(CODE.format(mark=str(mark)))
        before = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
        (folder / file).write_text(json.dumps({**before, **said}))
    message = refused(depth.find, str(tmp_path / "run"), base=tmp_path)
    assert "is refused: " in message
    assert str(tmp_path / "run" / file) in message
    if file != "adapter_config.json":  # it is not fetched from a hub
        assert "the depth model evil/depth is refused" in refused(lambda: depth.find("evil/depth", base=tmp_path).path)
    picture = Image.new("RGB", (40, 40), (9, 99, 199))
    try:
        depth.DepthModel(str(tmp_path / "run"), tmp_path / "run").distances(picture)
    except ClipError as error:
        assert str(error)  # noqa: PT017 - either it loads without the code or it says why not


def test_transformers_cannot_be_talked_into_it(tmp_path, mark):
    from transformers import AutoConfig, AutoModel, AutoTokenizer
    from transformers import dynamic_module_utils as modules

    folder = plant(tmp_path / "run", mark)
    before = modules.get_class_in_module, modules.get_cached_module_file, modules.TIME_OUT_REMOTE_CODE
    for kind in (AutoConfig, AutoModel, AutoTokenizer):
        with foreign.no_code(), pytest.raises(foreign.CodeError, match="which is never done"):
            kind.from_pretrained(folder, trust_remote_code=True)
        with foreign.no_code(), pytest.raises(ValueError, match="trust_remote_code"):
            kind.from_pretrained(folder)
    assert (modules.get_class_in_module, modules.get_cached_module_file, modules.TIME_OUT_REMOTE_CODE) == before


def test_the_doors_are_where_they_were():
    """A version of transformers that has moved them would leave only the checks of the files."""
    from importlib import import_module

    assert [name for module, name in foreign._DOORS[:2] if not hasattr(import_module(module), name)] == []


def test_a_configuration_larger_than_any_is_not_read(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with (folder / "config.json").open("wb") as out:
        out.truncate((16 << 20) + 1)
    assert "16 MB, which is no configuration" in refused(foreign.refuse_code, folder, shown="x")
