"""What is no model of ours is told in one sentence, and the command that the sentence prints works: each is run."""

from __future__ import annotations

import copy
import json
import os
import re
import shlex
import subprocess
import warnings
from pathlib import Path

import open_clip
import pytest
import tiny_hf
import tiny_models
import tiny_runs
import torch
from safetensors.torch import save_file

from pytest_clip import ClipError
from pytest_clip.models import known, look, openclip, reader, several, strange
from pytest_clip.session import judge, load
from pytest_clip.session.settings import Settings
from pytest_clip.session.start import start

RN = "tiny-rn"


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Two architectures that open_clip and the table know besides the real ones, and the twin of one."""
    made = {"tiny": tiny_models.VIT, "tiny-quickgelu": {**tiny_models.VIT, "quick_gelu": True}, RN: tiny_models.RESNET}
    for name, config in made.items():
        monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, name, copy.deepcopy(config))
    entries = {
        name: known.entry({key: tuple(value.shape) for key, value in tiny_models.state(each).items()}) for name, each in made.items()
    }
    table = {**known._table(), **entries}
    monkeypatch.setattr(known, "_table", lambda: table)
    monkeypatch.setattr(known, "architectures", lambda: list(table))
    monkeypatch.setattr(look, "architectures", lambda: list(table))


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state()


def told(text: str) -> str:
    [spec] = several.specs(text)
    said = look.problem(spec)
    assert said is not None, text
    assert "\nTraceback" not in said
    return said


def commands(message: str) -> list[tuple[str, str | None]]:
    """Every model that a sentence says to write, and the prefix with it."""
    found = re.findall(r"--clip-model=(\S+)(?: --clip-strip-prefix=(\S+))?", message.partition("; write ")[2] or message)
    return [(model.rstrip(",;."), prefix.rstrip(",;.") + "." if prefix else None) for model, prefix in found]


def built(message: str, tmp_path: Path, **options):
    """The model of the first command that is printed."""
    text, prefix = commands(message)[0]
    [spec] = several.specs(text)
    assert look.problem(spec) is None, look.problem(spec)
    return reader.load(spec, device="cpu", cache_dir=tmp_path / "cache", prefix=prefix, **options)


def weights_of(model):
    return {key: value for key, value in model.module.state_dict().items() if not key.endswith(known.HARMLESS)}


def equal(model, weights):
    own = weights_of(model)
    assert own.keys() == weights.keys() - {"attn_mask"}
    for key, value in own.items():
        torch.testing.assert_close(value, weights[key], rtol=0, atol=0, msg=key)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".ckpt"])
def test_a_checkpoint_alone_that_fits_one_architecture(tmp_path, weights, suffix):
    path = tmp_path / f"e12{suffix}"
    if suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save({"state_dict": {f"module.{key}": value for key, value in weights.items()}, "epoch": 12}, path)
    message = told(str(path))
    assert message == (
        f"--clip-model='{path}' names no architecture: {path} fits tiny alone; write --clip-model=tiny,{path}, "
        f"or --clip-model=tiny-quickgelu,{path} if it was trained with QuickGELU, which weights do not tell"
    )
    equal(built(message, tmp_path), weights)
    with pytest.raises(ClipError, match="fits tiny alone"):
        reader.load(several.specs(str(path))[0], cache_dir=tmp_path)


def test_one_that_has_no_twin(tmp_path):
    state = tiny_models.state(tiny_models.RESNET)
    torch.save(state, tmp_path / "rn.pt")
    message = told(str(tmp_path / "rn.pt"))
    assert message.endswith(f"fits {RN} alone; write --clip-model={RN},{tmp_path}/rn.pt")
    assert built(message, tmp_path).facts["architecture"] == RN


def test_one_that_fits_several(tmp_path, weights, monkeypatch):
    table = {**known._table(), "tiny-320": known._table()["tiny"]}
    monkeypatch.setattr(known, "_table", lambda: table)
    monkeypatch.setattr(known, "architectures", lambda: list(table))
    torch.save(weights, tmp_path / "e.pt")
    message = told(str(tmp_path / "e.pt"))
    assert (
        "fits 3 architectures: tiny, tiny-quickgelu, tiny-320; write the one that it was trained as, such as --clip-model=tiny," in message
    )
    equal(built(message, tmp_path), weights)


def test_one_that_fits_none_is_measured_by_a_configuration_of_its_own(tmp_path):
    config = {**tiny_models.VIT, "embed_dim": 24}
    state = tiny_models.state(config)
    torch.save(state, tmp_path / "e.pt")
    message = told(str(tmp_path / "e.pt"))
    assert (
        "fits none that open_clip knows (image tower of patches of 16, width 32, 2 layers, 5 positions; text tower of width 16, 2 "
        in message
    )
    assert f"embeddings of 24); write the configuration that it was trained with: --clip-model=FILE.json,{tmp_path}/e.pt" in message
    (tmp_path / "mine.json").write_text(json.dumps(config))
    equal(built(message.replace("FILE.json", f"{tmp_path}/mine.json"), tmp_path), state)


def test_the_wrong_architecture_is_told_the_right_one(tmp_path, weights):
    torch.save(weights, tmp_path / "e.pt")
    with pytest.raises(ClipError) as caught:
        openclip.load(several.specs(f"{RN},{tmp_path}/e.pt")[0], device="cpu", cache_dir=tmp_path)
    assert f"e.pt fits tiny alone; write --clip-model=tiny,{tmp_path}/e.pt" in str(caught.value)
    equal(built(str(caught.value), tmp_path), weights)


@pytest.mark.parametrize("beside", [{}, {"loss.margin": torch.ones(1)}], ids=["all", "most"])
@pytest.mark.parametrize("prefix", ["net.clip.", "student."])
def test_weights_under_a_prefix(tmp_path, weights, prefix, beside):
    path = tmp_path / "last.ckpt"
    state = {**{prefix + key: value for key, value in weights.items()}, **beside}
    torch.save({"state_dict": state, "pytorch-lightning_version": "2.5", "epoch": 3, "callbacks": {}}, path)
    message = told(str(path))
    n = len(weights)
    whose = f"{n} of its {n + 1} names begin" if beside else f"all its {n} names begin"
    assert f"holds what a training wrapper saved (Lightning and others): {whose} with {prefix!r} and fit tiny, tiny-quickgelu" in message
    model = built(message, tmp_path)
    equal(model, weights)
    assert model.facts["checkpoint"]["stripped"] == prefix
    assert bool(model.facts["warnings"]) is bool(beside)
    with pytest.raises(ClipError, match=f"add --clip-strip-prefix={prefix}"):
        openclip.load(several.specs(f"tiny,{path}")[0], device="cpu", cache_dir=tmp_path)


def test_the_option_reaches_the_file(tmp_path, weights):
    torch.save({f"net.{key}": value for key, value in weights.items()}, tmp_path / "e.pt")
    tiny_models.folder(tmp_path / "mine", weights=weights)
    text = f"local-dir:{tmp_path}/mine,{tmp_path}/e.pt"
    for cache in (False, True, True):
        session = start(Settings(models=(text,), strip_prefix="net.", cache=cache, cache_dir=tmp_path / "cache"), ours=False)
        equal(load.load_model(session, session.models[0]), weights)
    plain = start(Settings(models=(text,), cache_dir=tmp_path / "cache"), ours=False)
    with pytest.raises(ClipError, match="add --clip-strip-prefix=net"):
        load.load_model(plain, plain.models[0])
    assert "--clip-strip-prefix=net." in judge.options_of(session, "mine,e.pt", "scenes")
    assert not [each for each in judge.options_of(plain, "mine,e.pt", "scenes") if "prefix" in each]


def test_the_option_is_refused_where_no_file_is_read(tmp_path):
    settings = Settings(models=("scenes-rn", "ViT-B-32,random"), strip_prefix="net.", cache_dir=tmp_path)
    with pytest.raises(
        ClipError, match=r"--clip-strip-prefix=net\. is for checkpoint files, and no model of this run is one; leave it out"
    ):
        start(settings)


def test_a_prefix_that_is_not_there_is_told(tmp_path, weights):
    torch.save(weights, tmp_path / "e.pt")
    model = openclip.load(several.specs(f"tiny,{tmp_path}/e.pt")[0], device="cpu", cache_dir=tmp_path, prefix="net.")
    assert model.facts["warnings"] == [f"{tmp_path}/e.pt: no name begins with --clip-strip-prefix=net., so it is read as it is"]


@pytest.mark.parametrize("tower", ["visual.", "visual", "text"])
def test_one_tower_alone(tmp_path, weights, tower, monkeypatch):
    """`module.visual.state_dict()`, the same with its names in the whole, and what is left without it."""
    other = tiny_models.state(seed=2)
    if tower == "text":
        part = {key: value for key, value in weights.items() if not key.startswith("visual.")}
    else:
        cut = "visual." if tower == "visual" else ""
        part = {key.removeprefix(cut): value for key, value in weights.items() if key.startswith("visual.")}
    torch.save(part, tmp_path / "tower.pt")
    torch.save({"state_dict": other, "epoch": 1}, tmp_path / "OTHER.pt")
    message = told(str(tmp_path / "tower.pt"))
    kind = "a text" if tower == "text" else "an image"
    assert f"holds {kind} tower alone ({len(part)} tensors), and a dual encoder has two; put it into the checkpoint" in message
    script = re.search(r"^python - <<'EOF'\n(.*)\nEOF$", message, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(script[1], {})
    joined = {**other, **{key: value for key, value in weights.items() if key.startswith("visual.") is (tower != "text")}}
    message = told(str(tmp_path / "tower-weights.pt"))
    equal(built(message, tmp_path), joined)


def test_a_timm_checkpoint(tmp_path):
    import timm

    state = timm.create_model("test_vit", num_classes=3).state_dict()
    torch.save({"arch": "test_vit", "state_dict": state, "epoch": 2}, tmp_path / "model_best.pth")
    (tmp_path / "classnames.txt").write_text("a\nb\nc\n")
    message = told(str(tmp_path / "model_best.pth"))
    assert "is a classifier of 3 classes, not a dual encoder; write --clip-model=timm:test_vit," in message
    assert built(message, tmp_path).names == ("a", "b", "c")
    with pytest.raises(ClipError, match=f"write --clip-model=timm:test_vit,{tmp_path}/model_best.pth"):
        openclip.load(several.specs(f"tiny,{tmp_path}/model_best.pth")[0], device="cpu", cache_dir=tmp_path)
    torch.save(state, tmp_path / "plain.pth")
    message = told(str(tmp_path / "plain.pth"))
    assert message.endswith(f"write --clip-model=timm:NAME,{tmp_path}/plain.pth, NAME the architecture that it was trained as")
    assert built(message.replace("NAME", "test_vit"), tmp_path).names == ("a", "b", "c")


def test_a_folder_of_timm(tmp_path):
    import timm

    (tmp_path / "config.json").write_text(json.dumps({"architecture": "test_vit", "num_classes": 3}))
    (tmp_path / "classnames.txt").write_text("a\nb\nc\n")
    save_file(timm.create_model("test_vit", num_classes=3).state_dict(), tmp_path / "model.safetensors")
    for text in (str(tmp_path), f"local-dir:{tmp_path}"):
        message = told(text)
        assert f"is a folder of timm (test_vit); write --clip-model=timm:test_vit,{tmp_path}/model.safetensors" in message
        assert built(message, tmp_path).names == ("a", "b", "c")


def test_what_is_of_transformers_is_sent_to_hf(tmp_path):
    folder = tiny_hf.folder(tmp_path / "mine")
    for text in (str(folder), f"local-dir:{folder}"):
        message = told(text)
        assert message == f"--clip-model='{text}': {folder} is a folder of transformers (CLIPModel); write --clip-model=hf:{folder}"
        assert built(message, tmp_path).facts["architecture"] == "CLIPModel"
    message = told(f"{folder}/model.safetensors")
    assert f"model.safetensors holds weights of transformers; write --clip-model=hf:{folder}" in message
    built(message.partition(", a folder as save_pretrained makes it")[0], tmp_path)
    with pytest.raises(ClipError, match=f"holds weights of transformers; write --clip-model=hf:{folder}"):
        openclip.load(several.specs(f"tiny,{folder}/model.safetensors")[0], device="cpu", cache_dir=tmp_path)


def test_an_adapter_is_sent_to_hf(tmp_path):
    import peft
    import transformers

    base, adapter = tiny_hf.folder(tmp_path / "base"), tmp_path / "adapter"
    with tiny_hf.silent():
        module = transformers.CLIPModel.from_pretrained(base)
        peft.get_peft_model(module, peft.LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(adapter)
    for text in (str(adapter), f"local-dir:{adapter}"):
        message = told(text)
        assert f"is a PEFT adapter over {base}, not a whole model; write --clip-model=hf:{adapter}" in message
        assert built(message, tmp_path).facts["architecture"] == "CLIPModel"
    message = told(f"{adapter}/adapter_model.safetensors")
    assert message.endswith(f"holds an adapter of PEFT, not a whole model; write --clip-model=hf:{adapter}")
    built(message, tmp_path)


def test_other_folders(tmp_path, weights):
    folder = tiny_models.folder(tmp_path / "mine", weights=weights)
    message = told(str(folder))
    assert message == f"--clip-model='{folder}': {folder} is a folder with open_clip_config.json; write --clip-model=local-dir:{folder}"
    equal(built(message, tmp_path), weights)
    run = tiny_runs.run(tmp_path / "logs" / "mine", {1: weights})
    for text in (str(run), str(run.parent), f"local-dir:{run}"):
        equal(built(told(text), tmp_path), weights)
    (tmp_path / "one").mkdir()
    torch.save(weights, tmp_path / "one" / "w.pt")
    equal(built(told(str(tmp_path / "one")), tmp_path), weights)
    (tmp_path / "none").mkdir()
    assert "is a folder; write --clip-model=local-dir:" in told(str(tmp_path / "none"))


def test_onnx(tmp_path, weights):
    graph = tmp_path / "model.onnx"
    graph.write_bytes(b"\x08\x07\x12\x07pytorch\x1a\x052.5.1" + bytes(100))
    for text in (str(graph), f"tiny,{graph}"):
        assert (
            f"{graph} is an ONNX graph, which is run elsewhere; write the checkpoint that it was exported from, or return it from"
            in told(text)
        )
    graph.rename(tmp_path / "model.bin")
    assert "model.bin is an ONNX graph" in told(f"tiny,{tmp_path}/model.bin")
    torch.save(weights, tmp_path / "model.pt")
    message = told(str(tmp_path / "model.bin"))
    assert f"write the checkpoint that it was exported from, perhaps --clip-model=tiny,{tmp_path}/model.pt" in message
    equal(built(message, tmp_path), weights)


def test_torchscript(tmp_path, weights):
    module = open_clip.CLIP(**tiny_models.VIT).eval()
    module.load_state_dict(weights)
    path = tmp_path / "script.pt"
    warnings.simplefilter("ignore")  # torch has deprecated what people have in files
    torch.jit.trace(module, (torch.zeros(1, 3, 32, 32), torch.zeros(1, 16, dtype=torch.long)), check_trace=False).save(path)
    for text in (str(path), f"tiny,{path}"):
        message = told(text)
        assert "is a TorchScript archive (OpenAI's own .pt files are), which holds code" in message
    script = re.search(r"^python - <<'EOF'\n(.*)\nEOF$", message, re.DOTALL | re.MULTILINE)
    exec(script[1], {})
    equal(built(told(str(tmp_path / "script-weights.pt")), tmp_path), weights)


def test_a_pointer_of_git_lfs(tmp_path, weights, monkeypatch):
    """The command that is printed reaches git-lfs in the right folder with the right file; a stand-in for it writes what it would."""
    folder = tmp_path / "a repository" / "weights"
    folder.mkdir(parents=True)
    torch.save(weights, tmp_path / "real.pt")
    pointer = folder / "e1.pt"
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / "git-lfs"
    stand_in.write_text(f"#!/bin/sh\necho \"$@\" > '{tmp_path}/asked'\ncp '{tmp_path}/real.pt' \"${{2#--include=}}\"\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    subprocess.run(["git", "init", "-q", str(folder.parent)], check=True)
    for text in (str(pointer), f"tiny,{pointer}", f"local-dir:{folder}"):
        if text.startswith("local-dir"):
            tiny_models.folder(folder, weights=weights)
            (folder / "open_clip_model.safetensors").unlink()
        pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
        message = told(text)
        command = shlex.split(message.partition("; run: ")[2])
        assert command[0] == "git", message
        subprocess.run(command, check=True)
        assert (tmp_path / "asked").read_text() == "pull --include=e1.pt\n"
        equal(openclip.load(several.specs(f"tiny,{pointer}")[0], device="cpu", cache_dir=tmp_path), weights)


def test_a_repository_without_its_scheme(tmp_path, weights, monkeypatch):
    message = told("org/clip-mine")
    assert "if org/clip-mine is a repository of Hugging Face, write --clip-model=hf-hub:org/clip-mine where open_clip made it" in message
    assert "or --clip-model=hf:org/clip-mine where transformers did" in message
    folder = tiny_models.folder(tmp_path / "copy", weights=weights)
    monkeypatch.setattr(
        "open_clip.pretrained.download_pretrained_from_hf", lambda repository, filename="open_clip_model.safetensors": folder / filename
    )
    monkeypatch.setattr("pytest_clip.models.hub._reachable", lambda endpoint: True)
    equal(built(message, tmp_path), weights)
    assert "hf-hub" not in told("ViT-B/33")
    assert "did you mean ViT-B-3" in told("ViT-B/33")


def test_a_script_or_text_is_left_to_the_notation(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert strange.file(tmp_path / "notes.txt", "notes.txt") is None
    assert "names no model" in told(str(tmp_path / "notes.txt"))
