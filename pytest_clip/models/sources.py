"""The files on this machine that a model is built from. Light."""

from __future__ import annotations

from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.models import bundled, classnames, folders, hf, photo, trainer
from pytest_clip.models.spec import RANDOM, ModelSpec
from pytest_clip.store import path_of


def files(spec: ModelSpec) -> list[Path] | None:
    """Every file that the model is built from, besides installed packages; None where that cannot be known without asking somebody."""
    if spec.kind == "wise":
        parts = [files(each) for each in spec.between]
        return None if None in parts else [file for some in parts for file in some or ()]
    own = spec.pretrained is not None and spec.pretrained != RANDOM
    path = path_of(spec.pretrained or "")
    if spec.kind == "local-dir":
        return _of_a_folder(path_of(spec.name), spec.pretrained)
    if own and not path.is_file() and spec.kind != "run":
        return None  # a tag, or an error that the real loading explains
    checkpoint = [path] if own else []
    if spec.kind == "run":
        return _of_a_run(spec)
    if spec.kind == "config":
        return [path_of(spec.name), *checkpoint] if path_of(spec.name).is_file() else None
    if spec.kind == "hf":
        return hf.files(spec.name)
    if spec.kind == "photo":
        return None if photo.missing(spec.name) else photo.files(spec.name)
    if spec.kind == "timm":
        return [*checkpoint, *(each for each in [path.parent / classnames.FILE] if each.is_file())] if own else None
    if spec.kind == "bundled":
        return [bundled.path(spec.name), *checkpoint]
    return checkpoint if spec.kind == "open_clip" and spec.pretrained is not None else None


def reads_a_file(spec: ModelSpec) -> bool:
    """Whether a model comes from a checkpoint file of the user's."""
    if spec.kind == "wise":
        return any(map(reads_a_file, spec.between))
    if spec.kind in ("open_clip", "bundled", "timm"):
        return spec.pretrained is not None and spec.pretrained != RANDOM and path_of(spec.pretrained).is_file()
    return spec.kind in ("run", "config", "local-dir", "unknown")


def _of_a_folder(folder: Path, file: str | None) -> list[Path] | None:
    """All that lies in it; where one checkpoint is named, that one and all but the others."""
    if not folder.is_dir():
        return None
    there = sorted(each for each in folder.rglob("*") if each.is_file())
    if file is None:
        return there
    try:
        chosen = folders.weights(folder, file)
    except ClipError:
        return None  # the real loading says so
    return [*(each for each in there if each.suffix not in folders.WEIGHTS), chosen]


def _of_a_run(spec: ModelSpec) -> list[Path] | None:
    try:
        folder = path_of(spec.name)
        chosen, model = trainer.checkpoint(folder, spec.pretrained), trainer.read(folder).model
    except ClipError:
        return None
    scheme, _, rest = model.partition(":")
    if scheme == "hf-hub":
        return None
    base = [each for each in path_of(rest).rglob("*.json") if each.is_file()] if scheme == "local-dir" else []
    return [folder / trainer.PARAMS, chosen, *sorted(base)]
