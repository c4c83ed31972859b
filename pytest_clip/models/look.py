"""A first look at a model before anything loads: is there such an architecture, tag or file, and does the file begin like a checkpoint?

Imports neither torch nor open_clip: what open_clip knows is read from its files. Whatever cannot be told so is left to the real loading.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.models import bundled, folders, hf, registry, strange, trainer
from pytest_clip.models.config import REPOSITORY
from pytest_clip.models.heads import unlike_a_checkpoint
from pytest_clip.models.listing import architectures
from pytest_clip.models.photo import missing
from pytest_clip.models.spec import CHECKPOINT_SUFFIXES, RANDOM, ModelSpec, interpolated
from pytest_clip.models.tags import DEFAULT_TAGS
from pytest_clip.store import path_of


def problem(spec: ModelSpec) -> str | None:
    """What is wrong with a model as far as that can be seen from outside; None where nothing is."""
    if spec.kind == "unknown":
        return _on_disk(spec.text, spec.text) or spec.problem
    if spec.kind == "open_clip":
        return _weights(spec, tags(spec.name)) if spec.name in architectures() else _no_architecture(spec)
    if spec.kind in ("bundled", "config"):
        file = path_of(spec.name)
        if spec.kind == "config" and not file.is_file():
            return f"{spec.text}: there is no configuration {file}; a relative path starts at {Path.cwd()}"
        return _weights(spec, ())
    if spec.kind == "run":
        return trainer.missing(spec.name, spec.pretrained) or _unread(spec)
    if spec.kind == "wise":
        base, tuned, _ = interpolated(spec)
        return problem(base) or problem(tuned)
    if spec.kind == "photo":
        reason = missing(spec.name)
        return None if reason is None else f"--clip-model={reason}"
    if spec.kind == "timm" and spec.pretrained not in (None, RANDOM) and path_of(str(spec.pretrained)).is_file():
        return unlike_a_checkpoint(path_of(str(spec.pretrained)))
    if spec.kind == "hf":
        return hf.problem(spec.name)
    if spec.kind == "local-dir":
        return _folder(spec)
    return None


def _no_architecture(spec: ModelSpec) -> str:
    if told := _on_disk(spec.text, spec.text):
        return told
    near = get_close_matches(spec.name, [*architectures(), *bundled.names()], n=4, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "`pytest-clip models` lists names"
    said = spec.text.partition(",")[0].strip()
    if REPOSITORY.fullmatch(said) and "/" in said and not get_close_matches(spec.name, architectures(), n=1, cutoff=0.8):
        hint = (
            f"if {said} is a repository of Hugging Face, write --clip-model=hf-hub:{said} where open_clip made it, "
            f"or --clip-model=hf:{said} where transformers did" + (f"; or {hint}" if near else "")
        )
    return f"open_clip knows no architecture {spec.name!r}; {hint}"


def _on_disk(text: str, given: str) -> str | None:
    """What is told of a file or folder that was named alone."""
    try:
        path = path_of(text)
        return strange.folder(path, given) if path.is_dir() else strange.file(path, given) if path.is_file() else None
    except (ClipError, OSError):
        return None


def _unread(spec: ModelSpec) -> str | None:
    folder = path_of(spec.name)
    try:
        run = trainer.read(folder)
        chosen = trainer.checkpoint(folder, spec.pretrained)
    except ClipError as error:
        return str(error)
    if ":" not in run.model and run.model.replace("/", "-") not in architectures():
        return f"{folder / trainer.PARAMS}: {trainer.unknown(run.model, chosen)}"
    return unlike_a_checkpoint(chosen)


def _folder(spec: ModelSpec) -> str | None:
    folder = path_of(spec.name)
    if not folder.is_dir():
        return f"local-dir:{spec.name}: there is no folder {folder.absolute()}"
    if not (folder / folders.CONFIG).is_file():
        return strange.folder(folder, spec.text)
    try:
        return unlike_a_checkpoint(folders.weights(folder, spec.pretrained))
    except ClipError as error:
        return str(error)


def _weights(spec: ModelSpec, known: tuple[str, ...] | None) -> str | None:
    """About the part after the comma; `known` are the tags of the architecture, None where they could not be read."""
    wanted = spec.pretrained or (DEFAULT_TAGS.get(spec.name) if spec.kind == "open_clip" else None)
    if wanted is None:
        if spec.kind == "bundled":
            return None
        return f"{spec.name} has no default weights; write {spec.name},TAG or {spec.name},PATH{_listed(spec.name, known)}"
    if wanted == RANDOM or (known is not None and wanted.lower().replace("-", "_") in known):  # as open_clip reads tags
        return None
    try:
        path = path_of(wanted)
        there = path.exists()
    except ClipError as error:
        return f"{spec.text[:80]}: {error}"
    except OSError as error:
        return f"{spec.text}: {error.strerror}: {str(path)[:80]}..."
    if there or known is None:
        return unlike_a_checkpoint(path) if there else None
    if "/" in wanted or "\\" in wanted or wanted.lower().endswith(CHECKPOINT_SUFFIXES):
        return f"{spec.text}: there is no checkpoint {path}; a relative path starts at {Path.cwd()}"
    near = get_close_matches(wanted, known, n=1)
    meant = f"; perhaps you mean {spec.name},{near[0]}" if near else ""
    return f"{spec.text}: {wanted!r} is neither a tag of {spec.name} nor a file{meant}{_listed(spec.name, known)}"


def tags(name: str) -> tuple[str, ...] | None:
    """The tags of an architecture; None where open_clip lists none, or its list could not be read."""
    return tuple(registry.published().get(name, ())) or None


def _listed(name: str, known: tuple[str, ...] | None) -> str:
    if known is None:
        return ""
    return f"; tags of {name}: {', '.join(known)}" if known else f"; open_clip has no tags for {name}"
