"""What can be told of a model before it loads is what open_clip itself would say later."""

from __future__ import annotations

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from pytest_clip.models import look
from pytest_clip.models.listing import architectures
from pytest_clip.models.spec import ModelSpec, parse


@pytest.mark.parametrize("name", architectures())
def test_tags_are_those_of_open_clip_or_unknown(name):
    known = look.tags(name)
    assert known is None or set(known) == set(open_clip.list_pretrained_tags_by_model(name))


def test_the_architectures_that_people_use_have_known_tags():
    assert all(look.tags(name) for name in ("ViT-B-32", "ViT-L-14", "RN50", "ViT-B-16-SigLIP", "convnext_base_w"))


@pytest.mark.parametrize(
    "text", ["ViT-B-32", "ViT-B-32,openai", "ViT-B-32,laion2b-s34b-b79k", "ViT-B-32,random", "scenes-rn", "hf-hub:org/name"]
)
def test_nothing_is_said_of_what_may_be_right(text):
    assert look.problem(parse(text)) is None


def damaged(folder):
    whole = folder / "whole.safetensors"
    save_file({"a": torch.zeros(8)}, whole)
    content = whole.read_bytes()
    return {
        "cut.safetensors": (content[:-4], "has 92 bytes where its header says 96; copy it again"),
        "tiny.safetensors": (content[:9], "is cut off; copy it again"),
        "other.safetensors": (b"x" * 99, "is no safetensors file, or only the beginning of one (99 bytes); copy it again"),
        "empty.pt": (b"", "is empty; copy it again"),
        "lfs.pt": (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "is a pointer of Git LFS, not the file itself; run: git -C ",
        ),
        "page.pt": (b"<!doctype html><html>404</html>", "is text (b'<!doctype html><html>404</html>'...), not a checkpoint"),
    }


def test_files_that_do_not_begin_like_a_checkpoint(tmp_path):
    for name, (content, message) in damaged(tmp_path).items():
        (tmp_path / name).write_bytes(content)
        said = look.problem(parse(f"ViT-B-32,{tmp_path / name}"))
        assert said is not None, name
        assert message in said
    assert look.problem(parse(f"ViT-B-32,{tmp_path / 'whole.safetensors'}")) is None
    torch.save({"a": torch.zeros(2)}, tmp_path / "fine.pt")
    assert look.problem(parse(f"ViT-B-32,{tmp_path / 'fine.pt'}")) is None
    (tmp_path / "d.pt").mkdir()
    assert "is a folder; name the checkpoint in it" in str(look.problem(parse(f"ViT-B-32,{tmp_path / 'd.pt'}")))
    assert "can be no path" in str(look.problem(ModelSpec("long", "open_clip", "ViT-B-32", "x" * 5000)))
