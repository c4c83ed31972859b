"""The table of architectures says what open_clip builds, and names and shapes are read as torch reads them, without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_models
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from pytest_clip.models import known, tensors, wrappers

MAKER = Path(__file__).parents[2] / "benchmarks" / "models"


@pytest.fixture(scope="module")
def maker():
    sys.path.insert(0, str(MAKER))
    import known as made

    sys.path.remove(str(MAKER))
    sys.modules.pop("known")
    return made


@pytest.mark.parametrize("name", ["ViT-B-32", "RN50", "ViT-B-16-SigLIP", "coca_ViT-B-32", "ViT-L-14-336"])
def test_the_table_says_what_open_clip_builds(maker, name):
    assert known._table()[name] == known.entry(maker.shapes(name))


@pytest.mark.slow
def test_all_of_the_table(maker):
    assert maker.table() == known._table()


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("ViT-B-32", ("ViT-B-32", "ViT-B-32-quickgelu")),
        ("RN50", ("RN50", "RN50-quickgelu")),
        ("ViT-B-32-256", ("ViT-B-32-256",)),
        ("coca_ViT-B-32", ("coca_ViT-B-32",)),
        ("ViT-B-16-SigLIP", ("ViT-B-16-SigLIP",)),
        ("convnext_base_w", ("convnext_base_w", "convnext_base_w_320")),
    ],
)
def test_what_an_architecture_fits(maker, name, fits):
    state = maker.shapes(name)
    assert known.fitting(state) == fits
    apart = {(key if key.startswith(("visual.", "logit_", "text")) else f"text.{key}"): value for key, value in state.items()}
    assert known.fitting(apart) == (fits if any(key.startswith("text.") for key in state) else ())
    assert known.fitting({**state, "extra": (1,)}) == ()
    key = next(key for key in state if key.endswith("conv1.weight") or "stem" in key or "patch_embed" in key)
    assert known.fitting({**state, key: (*state[key][:-1], 9)}) == ()
    assert known.fitting({each: value for each, value in state.items() if each != key}) == ()
    assert known.fitting({**state, "logit_bias": (), "logit_scale": (1,)}) == fits
    without = known.fitting({each: value for each, value in state.items() if each != "logit_bias"})
    assert without == (() if "logit_bias" in state else fits)


def test_dimensions_in_words(maker):
    assert known.dimensions(maker.shapes("ViT-B-32")) == (
        "image tower of patches of 32, width 768, 12 layers, 50 positions; "
        "text tower of width 512, 12 layers, 49,408 tokens, context of 77; embeddings of 512"
    )
    assert known.dimensions(maker.shapes("RN50")).startswith(
        "image tower of width 64, 3-4-6-3 layers, 50 positions; text tower of width 512"
    )
    siglip = known.dimensions(maker.shapes("ViT-B-16-SigLIP"))
    assert siglip.startswith("image tower of timm, ")
    assert siglip.endswith("text tower of width 768, 12 layers, 32,000 tokens, context of 64; embeddings of 768")
    assert known.dimensions({"a": (1,)}) == ""


def by_torch(state):
    return {key: tuple(value.shape) for key, value in state.items()}


@pytest.mark.parametrize("container", [None, "state_dict", "model", "ema"])
@pytest.mark.parametrize("how", ["zip", "old"])
def test_shapes_are_those_of_torch(tmp_path, how, container):
    state = tiny_models.state()
    state["half"], state["view"], state["parameter"] = (
        torch.zeros(2).half(),
        torch.zeros(4, 6)[1:, ::2],
        torch.nn.Parameter(torch.ones(3, 1)),
    )
    content = (
        state if container is None else {container: state, "epoch": 3, "arch": "resnet50", "optimizer": {"state": {0: torch.zeros(9)}}}
    )
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=how == "zip")
    found = tensors.read(tmp_path / "w.pt")
    assert {key: tuple(value) for key, value in found.state.items()} == by_torch(state)
    assert found.says == ({} if container is None else {"arch": "resnet50"})


def test_shapes_of_safetensors(tmp_path):
    save_file(tiny_models.state(), tmp_path / "w.safetensors", metadata={"format": "pt"})
    assert {key: tuple(value) for key, value in tensors.read(tmp_path / "w.safetensors").state.items()} == by_torch(tiny_models.state())


def test_nothing_in_a_file_is_run(tmp_path, monkeypatch):
    mark = tmp_path / "mark"

    class Marks:
        def __reduce__(self):
            return (Path.touch, (mark,))

    torch.save({"state_dict": {"a": torch.zeros(2, 3)}, "hook": Marks()}, tmp_path / "evil.pt")
    assert tensors.read(tmp_path / "evil.pt").state == {"a": (2, 3)}
    assert not mark.exists()
    torch.load(tmp_path / "evil.pt", weights_only=False)
    assert mark.exists()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200), cut=st.integers(0, 400))
def test_what_is_no_checkpoint_is_none(tmp_path_factory, data, cut):
    folder = tmp_path_factory.mktemp("t")
    (folder / "a.pt").write_bytes(data)
    assert tensors.read(folder / "a.pt") is None
    torch.save({"a": torch.zeros(2)}, folder / "b.pt")
    (folder / "b.pt").write_bytes((folder / "b.pt").read_bytes()[:cut])
    assert tensors.read(folder / "b.pt") is None


def test_names_that_share_a_beginning():
    assert wrappers.shared(["net.clip.a.b", "net.clip.a.c", "net.clip.d"]) == "net.clip."
    assert wrappers.shared(["net.a", "net.ab"]) == "net."
    assert wrappers.shared(["net", "net.a"]) is None
    assert wrappers.shared(["a.x", "b.x"]) is None
    assert wrappers.shared([]) is None
    assert wrappers.under({"net.a": 1, "network.b": 2, "net.": 3}, "net") == {"a": 1}


def test_telling_imports_nothing_heavy(tmp_path):
    torch.save(tiny_models.state(), tmp_path / "w.pt")
    code = (
        "import sys; from pytest_clip.models import look, several; [spec] = several.specs(sys.argv[1]); print(look.problem(spec));"
        "print([m for m in ('torch', 'numpy', 'open_clip', 'safetensors', 'timm', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "w.pt")], capture_output=True, text=True, check=True)
    assert "fits none that open_clip knows (image tower of patches of 16, width 32, 2 layers, 5 positions; " in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
