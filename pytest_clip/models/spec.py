"""What a user may write after --clip-model, taken apart without importing anything heavy."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pytest_clip import ClipError
from pytest_clip.models import alphas, bundled, folders, trainer
from pytest_clip.models.labels import label_of
from pytest_clip.models.photo import PHOTO
from pytest_clip.store import path_of

Kind = Literal["open_clip", "hf-hub", "local-dir", "run", "config", "bundled", "hf", "timm", "photo", "wise", "unknown"]
"""`unknown` is a name that only a project's hook can know; `problem` says what is wrong with it otherwise."""

RANDOM = "random"
"""The PRETRAINED that means: no checkpoint at all, randomly initialised weights from a fixed seed (benchmarks, negative controls)."""

CHECKPOINT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_FORMS = (
    "write NAME, NAME,TAG, NAME,PATH, FILE.json,PATH, hf-hub:ORG/NAME, local-dir:PATH[,FILE], run:DIR[,EPOCH], hf:PATH-or-ID, timm:NAME, "
    "timm:NAME,PATH, a bundled name or photo-dual; `pytest-clip models` lists names"
)


@dataclass(frozen=True)
class ModelSpec:
    """One model as the user named it: `text` is what was written, `name` and `pretrained` its parts, `between` those of `wise:`."""

    text: str
    kind: Kind
    name: str
    pretrained: str | None = None
    between: tuple[ModelSpec, ...] = field(default=(), repr=False)
    problem: str | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """What `[model."KEY"]` in a thresholds file matches besides `text` and `label`.

        The architecture, whatever the weights; for a bundled fine-tuned model the bundled model that it started from.
        """
        if self.kind == "wise":
            return self.between[1].key
        if self.kind == "run":
            return trainer.architecture(path_of(self.name)) or self.name
        if self.kind == "config":
            return Path(self.name).stem
        start = bundled.record(self.name).get("recipe", {}).get("start") if self.kind == "bundled" else None
        return start or self.name

    @property
    def label(self) -> str:
        """A short name that is safe inside a pytest node id; see `labels.labels` for models that would share one."""
        return label_of(self, depth=1)


def parse(text: str, *, pretrained: str | None = None) -> ModelSpec:
    """Take `--clip-model` (and `--clip-pretrained`, which means the part after the comma) apart.

    >>> parse("ViT-B-32,runs/e12.pt")
    ModelSpec(text='ViT-B-32,runs/e12.pt', kind='open_clip', name='ViT-B-32', pretrained='runs/e12.pt')

    Only the notation is checked here: whether a tag or a file exists is known when the model is resolved.
    """
    for option, given in (("--clip-model", text), ("--clip-pretrained", pretrained or "")):
        must_be_a_name(option, given)
    text = text.strip()
    scheme, _, rest = text.partition(":")
    rest = rest.strip()
    if scheme == "run" and ":" in text:
        return _epoch(text, rest, pretrained)
    if scheme in ("hf-hub", "local-dir") or text.startswith("hf:"):
        return _with_own_weights(text, scheme, rest, pretrained)
    if scheme == "wise" and ":" in text:
        return _between(text, pretrained)
    timm = scheme == "timm" and ":" in text
    name, comma, weights = (part.strip() for part in (rest if timm else text).partition(","))
    if comma and not weights:
        raise ClipError(f"--clip-model={text!r} has nothing after the comma; {_FORMS}")
    if weights and pretrained is not None:
        raise ClipError(f"--clip-model={text!r} and --clip-pretrained={pretrained!r} both say which weights to load; give only one")
    chosen = weights or (pretrained.strip() if pretrained is not None else "")
    if pretrained is not None and not chosen:
        raise ClipError("--clip-pretrained is empty; give a tag or the path of a checkpoint")
    if name.lower().endswith(".json") and not timm:
        return _own_config(text, name, chosen, weights)
    if pretrained is None and name.lower().endswith(CHECKPOINT_SUFFIXES) and (run := trainer.around(path_of(text))) is not None:
        return ModelSpec(text, "run", str(run), text)
    name = name.replace("/", "-") if not _looks_like_path(name) else name  # ViT-B/32, the papers' spelling
    if not _NAME.fullmatch(name) or name.lower().endswith(CHECKPOINT_SUFFIXES):
        raise ClipError(_what_is_wrong(text, name))
    if name in PHOTO and chosen and not timm:
        raise ClipError(
            f"--clip-model={text!r}: {name} brings its own weights; write {name} alone, or timm:{PHOTO[name].architecture},{chosen}"
        )
    kind: Kind = "timm" if timm else "photo" if name in PHOTO else "bundled" if name in bundled.names() else "open_clip"
    full = text if not chosen or weights else f"{text},{chosen}"
    return ModelSpec(full, kind, name, chosen or None)


def must_be_a_name(option: str, text: str) -> None:
    """What no file system takes is said here: every later look at it would be an error of the system's."""
    odd = next((character for character in text if unicodedata.category(character) in ("Cc", "Cs")), None)
    if odd is not None:
        raise ClipError(
            f"{option}={text[:100]!r} holds {odd!r}, which no name of a model or file should; rename the file, or write it again"
        )
    if len(text.encode()) > 4000 or max(len(part.encode()) for part in text.split("/")) > 255:
        raise ClipError(f"{option}={text[:60]!r}... has {len(text)} characters, more than a path can have; is it the right text?")


def _with_own_weights(text: str, scheme: str, rest: str, pretrained: str | None) -> ModelSpec:
    if pretrained is not None:
        raise ClipError(f"--clip-pretrained={pretrained!r} cannot be used with --clip-model={text!r}: {scheme} brings its own weights")
    if not rest:
        raise ClipError(f"--clip-model={text!r} has nothing after the colon; {_FORMS}")
    if scheme == "local-dir":
        return ModelSpec(text, "local-dir", *folders.parts(rest))
    if scheme == "hf":
        return ModelSpec(text, "hf", rest)
    if not _REPOSITORY.fullmatch(rest):
        raise ClipError(f"--clip-model={text!r} is not a Hugging Face repository; write hf-hub:ORG/NAME, without a tag")
    return ModelSpec(text, "hf-hub", rest)


def _epoch(text: str, rest: str, pretrained: str | None) -> ModelSpec:
    if pretrained is not None:
        raise ClipError(f"--clip-pretrained={pretrained!r} cannot be used with --clip-model={text!r}: write {trainer.FORM}")
    if not rest:
        raise ClipError(f"--clip-model={text!r} has nothing after the colon; write {trainer.FORM}")
    return ModelSpec(text, "run", *trainer.parts(rest))


def _own_config(text: str, file: str, chosen: str, weights: str) -> ModelSpec:
    if not chosen:
        raise ClipError(f"--clip-model={text!r} is a configuration without weights; write {file},PATH or {file},{RANDOM}")
    return ModelSpec(text if weights else f"{text},{chosen}", "config", file, chosen)


def interpolated(spec: ModelSpec) -> tuple[ModelSpec, ModelSpec, float]:
    """Base, tuned model and alpha of a `wise:` model."""
    base, tuned = spec.between
    return base, tuned, float(spec.pretrained or "nan")


def _between(text: str, pretrained: str | None) -> ModelSpec:
    if pretrained is not None:
        raise ClipError(
            f"--clip-pretrained={pretrained!r} cannot be used with --clip-model={text!r}: write it after BASE or TUNED and a comma"
        )
    base, tuned, alpha = alphas.parts(text)
    both = parse(base), parse(tuned)
    for part in both:
        if part.kind in ("hf", "timm", "photo", "wise"):
            raise ClipError(f"--clip-model={text!r}: {part.text!r} is a model of the kind {part.kind}; both must be models of open_clip")
    return ModelSpec(text, "wise", f"{base}::{tuned}", f"{alpha:g}", between=both)


def _looks_like_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or name.lower().endswith(CHECKPOINT_SUFFIXES) or Path(name).exists()


def _what_is_wrong(text: str, name: str) -> str:
    if name and path_of(name).is_dir():
        return f"--clip-model={text!r} is a folder; write --clip-model=local-dir:{name} if it holds an open_clip_config.json"
    if name.lower().endswith(CHECKPOINT_SUFFIXES):
        return (
            f"--clip-model={text!r} is a checkpoint without its architecture; write --clip-model=ARCHITECTURE,{name}, e.g. ViT-B-32,{name}"
        )
    return f"--clip-model={text!r} names no model; {_FORMS}"
