"""What a user may write after --clip-model, taken apart without importing anything heavy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_clip import ClipError
from pytest_clip.models import alphas, bundled
from pytest_clip.models.names import safe
from pytest_clip.models.photo import PHOTO
from pytest_clip.store import path_of

Kind = Literal["open_clip", "hf-hub", "local-dir", "bundled", "hf", "timm", "photo", "wise"]

RANDOM = "random"
"""The PRETRAINED that means: no checkpoint at all, randomly initialised weights from a fixed seed (benchmarks, negative controls)."""

CHECKPOINT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_FORMS = (
    "write NAME, NAME,TAG, NAME,PATH, hf-hub:ORG/NAME, local-dir:PATH, hf:PATH-or-ID, timm:NAME, "
    "timm:NAME,PATH, a bundled name or photo-dual; `pytest-clip models` lists names"
)


@dataclass(frozen=True)
class ModelSpec:
    """One model as the user named it: `text` is what was written, `name` and `pretrained` its parts."""

    text: str
    kind: Kind
    name: str
    pretrained: str | None = None

    @property
    def key(self) -> str:
        """What `[model."KEY"]` in a thresholds file matches besides `text` and `label`.

        The architecture, whatever the weights; for a bundled fine-tuned model the bundled model that it started from.
        """
        if self.kind == "wise":
            return interpolated(self)[1].key
        start = bundled.record(self.name).get("recipe", {}).get("start") if self.kind == "bundled" else None
        return start or self.name

    @property
    def label(self) -> str:
        """A short name that is safe inside a pytest node id; see `labels` for models that would share one."""
        return _label(self, depth=1)


def labels(specs: Iterable[ModelSpec]) -> tuple[str, ...]:
    """Labels that tell every model of a run apart: `runs/a/e12.pt` and `runs/b/e12.pt` get their folder, `a-e12.pt`, as well.

    Two specs that name the very same thing keep the same label.
    """
    specs = tuple(specs)
    chosen = [spec.label for spec in specs]
    for depth in range(2, 9):
        owners: dict[str, set[tuple[str, str, str | None]]] = {}
        for label, spec in zip(chosen, specs, strict=True):
            owners.setdefault(label, set()).add((spec.kind, spec.name, spec.pretrained))
        clashes = {label for label, who in owners.items() if len(who) > 1}
        if not clashes:
            break
        chosen = [_label(spec, depth=depth) if label in clashes else label for label, spec in zip(chosen, specs, strict=True)]
    return tuple(chosen)


def parse(text: str, *, pretrained: str | None = None) -> ModelSpec:
    """Take `--clip-model` (and `--clip-pretrained`, which means the part after the comma) apart.

    >>> parse("ViT-B-32,runs/e12.pt")
    ModelSpec(text='ViT-B-32,runs/e12.pt', kind='open_clip', name='ViT-B-32', pretrained='runs/e12.pt')

    Only the notation is checked here: whether a tag or a file exists is known when the model is resolved.
    """
    for option, given in (("--clip-model", text), ("--clip-pretrained", pretrained or "")):
        _must_be_a_name(option, given)
    text = text.strip()
    scheme, _, rest = text.partition(":")
    rest = rest.strip()
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


def _must_be_a_name(option: str, text: str) -> None:
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
    if scheme in ("local-dir", "hf"):
        return ModelSpec(text, "hf" if scheme == "hf" else "local-dir", rest)
    if not _REPOSITORY.fullmatch(rest):
        raise ClipError(f"--clip-model={text!r} is not a Hugging Face repository; write hf-hub:ORG/NAME, without a tag")
    return ModelSpec(text, "hf-hub", rest)


def interpolated(spec: ModelSpec) -> tuple[ModelSpec, ModelSpec, float]:
    """Base, tuned model and alpha of a `wise:` model."""
    base, _, tuned = spec.name.partition("::")
    return parse(base), parse(tuned), float(spec.pretrained or "nan")


def _between(text: str, pretrained: str | None) -> ModelSpec:
    if pretrained is not None:
        raise ClipError(
            f"--clip-pretrained={pretrained!r} cannot be used with --clip-model={text!r}: write it after BASE or TUNED and a comma"
        )
    base, tuned, alpha = alphas.parts(text)
    for part in (base, tuned):
        if (kind := parse(part).kind) in ("hf", "timm", "photo", "wise"):
            raise ClipError(f"--clip-model={text!r}: {part!r} is a model of the kind {kind}; both must be models of open_clip")
    return ModelSpec(text, "wise", f"{base}::{tuned}", f"{alpha:g}")


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


def _label(spec: ModelSpec, *, depth: int) -> str:
    def tail(path: str) -> str:
        return "-".join(part for part in Path(path).parts[-depth:] if part != "/")

    if spec.kind == "wise":
        base, tuned, alpha = interpolated(spec)
        return safe(f"wise-{_label(base, depth=depth)}-{_label(tuned, depth=depth)}-{alpha:g}")
    if spec.kind == "hf-hub":
        return safe(spec.name.replace("/", "--"))
    if spec.kind == "local-dir" or (spec.kind == "hf" and path_of(spec.name).exists()):
        return safe(tail(str(path_of(spec.name).resolve())))
    if spec.kind == "hf":
        return safe(spec.name.replace("/", "--"))
    if spec.pretrained is None:
        return safe(spec.name)
    path = "/" in spec.pretrained or "\\" in spec.pretrained
    return f"{safe(spec.name)},{safe(tail(spec.pretrained) if path else spec.pretrained)}"
