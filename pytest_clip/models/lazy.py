"""A model that is only built when something must go through it: a rerun that finds all answers stored imports no torch and reads no weights
into memory.

What such a run must know of the model (its fingerprint, logit scale, input size) is remembered in the cache, with the SHA-256 of every
file that the model was built from. Another byte in one of them, or another version of what builds models, and nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip import CacheError, ClipError
from pytest_clip.models import bundled, classnames, photo
from pytest_clip.models.protocol import is_classifier
from pytest_clip.models.spec import RANDOM, ModelSpec

if TYPE_CHECKING:
    from pytest_clip.models.openclip_model import OpenClipModel

_REMEMBERED = (
    *("label", "fingerprint", "logit_scale", "logit_bias", "precision", "device", "image_size", "preprocess_config", "geometry", "facts"),
    "thread_safe",
)
_OF_A_CLASSIFIER = (*(name for name in _REMEMBERED if not name.startswith("logit_")), "names")
_PACKAGES = ("torch", "torchvision", "open_clip_torch", "timm", "transformers", "tokenizers", "pillow", "numpy")


class LazyModel:
    """Answers what is remembered; everything else is asked of the model itself, which is built then."""

    thread_safe: bool
    remembered: tuple[str, ...] = _REMEMBERED

    def __init__(self, known: Mapping[str, Any], build: Callable[[], OpenClipModel]) -> None:
        self.__dict__.update({name: known[name] for name in self.remembered})
        self.image_size = tuple(known["image_size"])
        self._build, self._lock = build, threading.Lock()
        self._built: OpenClipModel | None = None

    @property
    def real(self) -> OpenClipModel:
        """The model itself."""
        with self._lock:
            if self._built is None:
                built = self._build()
                if built.fingerprint != self.fingerprint:
                    raise ClipError(
                        f"{built.label} was {self.fingerprint} by what the cache remembers of its files, and is {built.fingerprint} "
                        "now that it is built; run `pytest-clip cache clear` and tell the authors"
                    )
                self._built = built
        return self._built

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in self.remembered or name == "class_scores":  # whether it is a classifier is known
            raise AttributeError(name)
        return getattr(self.real, name)


class LazyClassifier(LazyModel):
    """The same for a model of class scores."""

    remembered = _OF_A_CLASSIFIER

    @property
    def names(self) -> tuple[str, ...]:
        """Of its classes."""
        return tuple(self.__dict__["names"])

    def class_scores(self, images: Any) -> Any:
        """Asked of the model itself."""
        built: Any = self.real
        return built.class_scores(images)


def load(spec: ModelSpec, *, cache: Path, conditions: Mapping[str, Any], build: Callable[[], OpenClipModel]) -> OpenClipModel | LazyModel:
    """What `spec` names: from memory if all its files are as they were, else built and remembered.

    `conditions` are all that matters besides files and versions: device, precision. Models from a hub are always built: what a name on a
    hub stands for can change, and a file on this disk cannot tell.
    """
    files = _files(spec)
    if files is None:
        return build()
    place = cache / "models" / "known" / f"{_digest(spec, conditions, files)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(place.read_text(encoding="utf-8"))
        return (LazyClassifier if "names" in known else LazyModel)(known, build)
    model = build()
    from pytest_clip.store import writing

    with suppress(OSError, CacheError, TypeError):  # a cache that cannot be written is said when answers are stored; facts that are no JSON
        place.parent.mkdir(parents=True, exist_ok=True)
        with writing(place) as part:
            part.write_text(
                json.dumps({name: getattr(model, name) for name in (_OF_A_CLASSIFIER if is_classifier(model) else _REMEMBERED)}),
                encoding="utf-8",
            )
    return model


def _files(spec: ModelSpec) -> list[Path] | None:
    """Every file that the model is built from, besides installed packages; None where that cannot be known without asking somebody."""
    own = spec.pretrained is not None and spec.pretrained != RANDOM
    path = Path(spec.pretrained or "").expanduser()
    if own and not path.is_file():
        return None  # a tag, or an error that the real loading explains
    checkpoint = [path] if own else []
    if spec.kind == "photo":
        return None if photo.missing(spec.name) else photo.files(spec.name)
    if spec.kind == "timm":
        return [*checkpoint, *(each for each in [path.parent / classnames.FILE] if each.is_file())] if own else None
    if spec.kind == "bundled":
        return [bundled.path(spec.name), *checkpoint]
    if spec.kind == "local-dir":
        folder = Path(spec.name).expanduser()
        return sorted(each for each in folder.rglob("*") if each.is_file()) if folder.is_dir() else None
    return checkpoint if spec.kind == "open_clip" and spec.pretrained is not None else None


def _digest(spec: ModelSpec, conditions: Mapping[str, Any], files: Iterable[Path]) -> str:
    versions = {name: next((each.version for each in metadata.distributions(name=name)), None) for name in _PACKAGES}
    code = [_sha256(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    whole = {
        "spec": [spec.kind, spec.name, spec.text, spec.pretrained],
        "conditions": dict(conditions),
        "files": [[path.name, _sha256(path)] for path in files],
        "versions": [sys.version, versions, code],
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
