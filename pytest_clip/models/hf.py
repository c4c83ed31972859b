"""Folders that transformers and PEFT write (`hf:PATH-or-ID`), looked at without importing either: where they are, what is missing."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.models.hf_kinds import ADAPTER, family_of, read_json
from pytest_clip.store import path_of

NEEDS_HF = "needs transformers, which is not installed; pip install pytest-clip[hf]"
NEEDS_PEFT = "holds a PEFT adapter, which needs peft, which is not installed; pip install pytest-clip[peft]"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_READ = (".json", ".txt", ".model", ".safetensors", ".bin", ".jinja")
_NOT_READ = ("training_args.bin", "trainer_state.json", "clip-card.json")
"""What transformers' Trainer and people put beside a model."""


def folder_of(name: str) -> Path | None:
    """The folder that PATH-or-ID names, None for the ID of a repository; ClipError where it can be neither."""
    path = path_of(name)
    if path.is_dir():
        return path.absolute()
    if path.is_file():
        raise ClipError(f"hf:{name} is a file; name the folder that save_pretrained wrote, hf:{path.parent}")
    if _REPOSITORY.fullmatch(name):
        return None
    raise ClipError(
        f"hf:{name}: there is no folder {path.absolute()}; write a folder of save_pretrained, or the ID of a repository, hf:ORG/NAME"
    )


def problem(name: str) -> str | None:
    """What is wrong with the model as far as its small files say; None where nothing is, or where it lies on a hub."""
    if find_spec("transformers") is None:
        return f"hf:{name} {NEEDS_HF}"
    try:
        folder = folder_of(name)
        if folder is not None:
            base = base_of(folder)
            place = folder if base is None else folder_of(base)
            if place is not None:
                family_of(place)
    except ClipError as error:
        return str(error)
    return None


def files(name: str) -> list[Path] | None:
    """Every file that the model is built from; None where that cannot be known without asking a hub, or is an error."""
    try:
        folder = folder_of(name)
        base = None if folder is None else base_of(folder)
        places = [folder] if base is None else [folder, folder_of(base)]
    except ClipError:
        return None
    if None in places:
        return None
    return sorted(file for place in places if place for file in place.iterdir() if file.suffix in _READ and file.name not in _NOT_READ)


def base_of(folder: Path) -> str | None:
    """What the PEFT adapter in `folder` is an adapter over, a path or an ID; None where there is no adapter."""
    file = folder / ADAPTER
    if not file.is_file():
        return None
    if find_spec("peft") is None:
        raise ClipError(f"{folder} {NEEDS_PEFT}")
    base = read_json(file).get("base_model_name_or_path")
    if not isinstance(base, str) or not base.strip():
        raise ClipError(f"{file} names no base model; write its folder or ID as base_model_name_or_path: {_named(file, '/path/to/base')}")
    if Path(base).is_absolute():
        if not path_of(base).is_dir():
            raise ClipError(
                f"{file} names the base model {base}, and there is no such folder; name where it lies now: {_named(file, '/path/to/base')}"
            )
        if (path_of(base) / ADAPTER).is_file():
            raise ClipError(
                f"{folder} is an adapter over {base}, which is an adapter, too; merge that one, and name the merged model as base"
            )
        return base
    near = [place.resolve() for place in (path_of(base), folder / base) if place.is_dir()]
    if near or not _REPOSITORY.fullmatch(base):
        raise ClipError(
            f"{file} names the base model {base!r}, a relative path, which is another folder wherever one starts; "
            f"write the whole path: {_named(file, str(near[0]) if near else '/path/to/base')}"
        )
    return base


def _named(file: Path, base: str) -> str:
    """What to run once."""
    lines = ("import json, pathlib", f"f = pathlib.Path({str(file)!r})", f"c = json.loads(f.read_text()) | {_key(base)}")
    return "\n".join(["", "python - <<'EOF'", *lines, "f.write_text(json.dumps(c, indent=1))", "EOF"])


def _key(base: str) -> str:
    return f'{{"base_model_name_or_path": {base!r}}}'
