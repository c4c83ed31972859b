"""Checkpoints that are not read as they are: what each holds is named, and the lines that are printed make it readable as they are."""

import argparse
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tiny_models
import torch
from safetensors.torch import save_file

from pytest_clip import ClipError
from pytest_clip.models import checkpoint


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state()


@pytest.fixture
def module(weights):
    import open_clip

    module = open_clip.CLIP(**tiny_models.VIT).eval()
    module.load_state_dict(weights)
    return module


def error(path: Path) -> str:
    with pytest.raises(ClipError) as caught:
        checkpoint.read(path)
    return str(caught.value)


def misfit(module, path: Path) -> str:
    with pytest.raises(ClipError) as caught:
        checkpoint.fit(module, checkpoint.read(path))
    return str(caught.value)


def cured(message: str, path: Path, *, shell: bool = False) -> Path:
    """Run what is printed; with `shell`, as a shell does that it is pasted into, which takes some seconds more."""
    script = re.search(r"^python - <<'EOF'\n(.*)\nEOF$", message, re.DOTALL | re.MULTILINE)
    assert script, message
    if not shell:
        exec(script[1], {})
        return path.with_name(f"{path.stem}-weights.pt")
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(["bash", "-c", script[0]], capture_output=True, text=True, env={**os.environ, "PATH": places})
    assert done.returncode == 0, done.stderr
    return path.with_name(f"{path.stem}-weights.pt")


def fits(module, weights, path: Path) -> None:
    with torch.no_grad():
        for value in module.state_dict().values():
            value.zero_()
    checkpoint.fit(module, checkpoint.read(path))
    for key, value in module.state_dict().items():
        torch.testing.assert_close(value, weights[key], rtol=0, atol=0, msg=key)


@pytest.mark.parametrize("how", ["arguments", "object", "object in a training checkpoint", "DataParallel", "numpy"])
def test_pickled_objects(tmp_path, module, weights, how):
    path = tmp_path / "it's e12.pt"
    held = {
        "arguments": {"state_dict": weights, "args": argparse.Namespace(lr=1)},
        "object": module,
        "object in a training checkpoint": {"model": module, "epoch": 3},
        "DataParallel": {"model": torch.nn.DataParallel(module)},
        "numpy": {key: value.numpy() for key, value in weights.items()} | {"args": argparse.Namespace()},
    }
    torch.save(held[how], path)
    message = error(path)
    assert f"{path} is refused: besides weights it wants to import " in message
    fits(module, weights, cured(message, path, shell=how == "arguments"))


def test_a_cure_without_weights_writes_nothing(tmp_path):
    torch.save({"args": argparse.Namespace(lr=1)}, tmp_path / "e.pt")
    with pytest.raises(AssertionError, match="there are no weights in it"):
        cured(error(tmp_path / "e.pt"), tmp_path / "e.pt")
    assert not (tmp_path / "e-weights.pt").exists()


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated, and old files are what they are
def test_torchscript(tmp_path, module, weights):
    class Scripted(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, child in module.named_children():
                self.add_module(name, child)
            for name, parameter in module.named_parameters(recurse=False):
                self.register_parameter(name, parameter)
            self.register_buffer("input_resolution", torch.tensor(32))

        def forward(self, x):
            return x * self.logit_scale

    path = tmp_path / "ViT-B-32.pt"
    torch.jit.trace(Scripted(), torch.ones(1)).save(path)
    message = error(path)
    assert "is a TorchScript archive" in message
    fits(module, weights, cured(message, path, shell=True))


def test_a_checkpoint_in_shards(tmp_path, module, weights):
    from torch.distributed import checkpoint as shards

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **how: None)  # that there is one process only
        shards.save(weights, checkpoint_id=tmp_path / "e 12")
    message = error(tmp_path / "e 12")
    assert "is a checkpoint in shards" in message
    command = message.splitlines()[-1]
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(["bash", "-c", command], check=True, capture_output=True, env={**os.environ, "PATH": places})
    fits(module, weights, tmp_path / "e 12.pt")


def test_one_process_of_several(tmp_path, weights):
    from torch.distributed._shard.metadata import ShardMetadata

    torch.save({**weights, "x": ShardMetadata([0], [1], "rank:0/cpu")}, tmp_path / "shard.pt")
    assert "holds what one of several processes had of the weights" in error(tmp_path / "shard.pt")


def nested(weights):
    parts = {}
    for key, value in weights.items():
        *folders, last = key.split(".")
        inner = parts
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = value
    return parts


@pytest.mark.parametrize("container", [None, "state_dict", "model"])
def test_weights_in_parts(tmp_path, module, weights, container):
    path = tmp_path / "parts.pt"
    torch.save(nested(weights) if container is None else {container: nested(weights), "epoch": 1}, path)
    message = error(path)
    assert "holds its weights " in message
    assert "in parts (" in message
    fits(module, weights, cured(message, path))


def test_weights_where_nobody_looks(tmp_path, module, weights):
    path = tmp_path / "deep.pt"
    torch.save({"checkpoint": {"student": weights}, "optimizer": {"state": {"a": {"exp_avg": torch.ones(1)}}}}, path)
    message = error(path)
    assert "holds its weights under checkpoint.student, where nobody else will look" in message
    fits(module, weights, cured(message, path))


@pytest.mark.parametrize("kind", ["sparse", "quantised"])
@pytest.mark.filterwarnings("ignore")
def test_numbers_that_are_not_written_out(tmp_path, module, weights, kind):
    """What comes back are the same numbers, or for quantised ones those that were stored."""
    key = "visual.proj"
    value = weights[key].to_sparse() if kind == "sparse" else torch.quantize_per_tensor(weights[key], 2**-7, 0, torch.qint8)
    stored = weights[key] if kind == "sparse" else value.dequantize()
    path = tmp_path / "odd.pt"
    torch.save({"state_dict": {**weights, key: value}}, path)
    message = error(path)
    assert f"1 of {len(weights)} weights that are {kind} (visual.proj); save the numbers they stand for" in message
    fits(module, {**weights, key: stored}, cured(message, path))


def test_weights_without_numbers(tmp_path, weights):
    torch.save({key: value.to("meta") for key, value in weights.items()}, tmp_path / "meta.pt")
    assert f"{len(weights)} of {len(weights)} weights that are without numbers (on the device meta)" in error(tmp_path / "meta.pt")


def test_names_that_are_no_text(tmp_path, weights):
    torch.save(dict(enumerate(weights.values())), tmp_path / "list.pt")
    assert f"{len(weights)} of {len(weights)} weights under names that are no text (0, 1, 2)" in error(tmp_path / "list.pt")


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, torch.uint8])
def test_another_kind_of_number_is_not_cast(tmp_path, module, weights, dtype):
    torch.save({**weights, "visual.proj": weights["visual.proj"].to(dtype)}, tmp_path / "cast.pt")
    message = misfit(module, tmp_path / "cast.pt")
    assert "0 mis-shaped, 1 of another kind of number" in message
    assert f"mis-typed: visual.proj: file {str(dtype).removeprefix('torch.')}, model floating point" in message


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_another_precision_is(tmp_path, module, weights, dtype):
    rounded = {key: value.to(dtype) for key, value in weights.items()}
    torch.save(rounded, tmp_path / "half.pt")
    fits(module, {key: value.float() for key, value in rounded.items()}, tmp_path / "half.pt")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("model.{}", ["model."]),
        ("model.module.{}", ["model.", "module."]),
        ("_fsdp_wrapped_module.{}", ["_fsdp_wrapped_module."]),
        ("module._forward_module.{}", ["module.", "_forward_module."]),
    ],
)
def test_wrappers_around_the_model(tmp_path, module, weights, name, told):
    torch.save({"state_dict": {name.format(key): value for key, value in weights.items()}}, tmp_path / "last.ckpt")
    assert checkpoint.read(tmp_path / "last.ckpt").facts["names_without"] == told
    fits(module, weights, tmp_path / "last.ckpt")


def test_wrappers_around_its_parts(tmp_path, module, weights):
    def wrapped(key):
        key = key.replace("visual.", "visual._fsdp_wrapped_module.").replace("resblocks.0.", "resblocks.0._checkpoint_wrapped_module.")
        return f"_orig_mod.{key}".replace("transformer.", "transformer._orig_mod.")

    torch.save({wrapped(key): value for key, value in weights.items()}, tmp_path / "fsdp.pt")
    fits(module, weights, tmp_path / "fsdp.pt")


def test_names_that_become_one(tmp_path, weights):
    torch.save({**weights, "_orig_mod.visual.proj": torch.ones(1)}, tmp_path / "twice.pt")
    assert "holds some weights twice, with and without '_orig_mod.' in their names" in error(tmp_path / "twice.pt")


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
@pytest.mark.parametrize("prefix", ["model.", "net.clip."])
def test_a_part_of_what_was_trained(tmp_path, module, weights, suffix, prefix):
    """Lightning saves the module around the model, with its losses and teachers."""
    path = tmp_path / f"last{suffix}"
    state = {**{prefix + key: value for key, value in weights.items()}, "loss.margin": torch.ones(1)}
    if suffix == ".ckpt":
        torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}, "epoch": 3}, path)
    else:
        save_file(state, path)
    message = misfit(module, path)
    assert f"They are there under {prefix!r}: add --clip-strip-prefix={prefix}" in message
    for written in (prefix, prefix.removesuffix("."), *([f"module.{prefix}"] if suffix == ".ckpt" else [])):
        found = checkpoint.read(path, prefix=written)
        checkpoint.fit(module, found)
        assert checkpoint.told(path, found.facts, written) == [f"{path}: 1 tensors without {written!r} before their names are left out"]


def test_a_number_that_is_no_tensor(tmp_path, module, weights):
    torch.save({**weights, "logit_scale": 4.6}, tmp_path / "float.pt")
    message = misfit(module, tmp_path / "float.pt")
    assert "missing: logit_scale" in message
    assert "logit_scale is there, but is no tensor" in message


def test_names_of_another_library(module, weights, monkeypatch):
    import open_clip.convert

    def broken(module, state):
        raise KeyError("stem")

    monkeypatch.setattr(open_clip.convert, "convert_state_dict", broken)
    with pytest.raises(ClipError, match=r"x\.pt does not fit the model: .*KeyError: 'stem'"):
        checkpoint.fit(module, checkpoint.Checkpoint(Path("x.pt"), weights))


def test_an_archive_that_unpacks_to_more_than_it_may(tmp_path):
    torch.save({"x": torch.zeros(1 << 21)}, tmp_path / "plain.pt")
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in plain.infolist():
            bomb.writestr(entry.filename, plain.read(entry))
    assert re.search(r"is refused: its [\d,]+ bytes unpack to 8,38\d,\d{3}; torch.save does not compress", error(tmp_path / "bomb.pt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path, weights):
    torch.save(weights, tmp_path / "closed.pt")
    (tmp_path / "closed.pt").chmod(0)
    assert error(tmp_path / "closed.pt") == f"cannot read {tmp_path}/closed.pt: Permission denied"
