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
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip import CacheError, ClipError, ModelError
from pytest_clip.models import sources
from pytest_clip.models.protocol import is_classifier
from pytest_clip.models.spec import ModelSpec
from pytest_clip.store import read_sealed, write_sealed

if TYPE_CHECKING:
    from pytest_clip.models.openclip_model import OpenClipModel

_REMEMBERED = (
    *("label", "fingerprint", "logit_scale", "logit_bias", "precision", "device", "image_size", "preprocess_config", "geometry", "facts"),
    "thread_safe",
)
_OF_A_CLASSIFIER = (*(name for name in _REMEMBERED if not name.startswith("logit_")), "names")
ATTEMPTS = 3
"""Times that a model is built whose files change meanwhile."""
_PACKAGES = ("torch", "torchvision", "open_clip_torch", "timm", "transformers", "tokenizers", "sentencepiece", "peft", "pillow", "numpy")


class LazyModel:
    """Answers what is remembered; everything else is asked of the model itself, which is built then."""

    thread_safe: bool
    remembered: tuple[str, ...] = _REMEMBERED

    def __init__(self, known: Mapping[str, Any], build: Callable[[], OpenClipModel], digest: str, again: Callable[[], str]) -> None:
        """`digest` is that of the files, `again` hashes them once more."""
        self.__dict__.update({name: known[name] for name in self.remembered})
        self.image_size = tuple(known["image_size"])
        self._build, self._lock, self._digest, self._again = build, threading.Lock(), digest, again
        self._failed: ModelError | None = None
        self._built: OpenClipModel | None = None

    @property
    def real(self) -> OpenClipModel:
        """The model itself."""
        with self._lock:
            if self._built is None:
                self._built = self._make()
        return self._built

    def _make(self) -> OpenClipModel:
        if self._failed is not None:
            raise self._failed
        try:
            built = self._build()
        except Exception as error:  # what stops one gate stops them all: it is not tried again for each
            said = str(error) if isinstance(error, ClipError) else f"{self.label} cannot be built: {type(error).__name__}: {error}"
            self._failed = ModelError(said)
            raise self._failed from error
        if built.fingerprint != self.fingerprint:
            changed = self._again() != self._digest
            why = "its files were replaced during the run; run again" if changed else "run `pytest-clip cache clear` and tell the authors"
            self._failed = ModelError(
                f"{built.label} was {self.fingerprint} by what the cache remembers of its files, and is {built.fingerprint} "
                f"now that it is built; {why}"
            )
            raise self._failed
        return built

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
    if sources.files(spec) is None:
        return build()
    digest = partial(_digest, spec, conditions)
    before = digest()
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = read_sealed(_place(cache, before))
        return (LazyClassifier if "names" in known else LazyModel)(known, build, before, digest)
    for _ in range(ATTEMPTS):
        model = build()
        # What was hashed is what was loaded only if the files are the same after it: a training run may have put its next epoch there.
        hashed, before = before, digest()
        if hashed == before:
            break
    else:
        raise ClipError(
            f"{spec.text} is written to while it is read ({ATTEMPTS} times in a row); wait until its training or download has finished"
        )
    names = _OF_A_CLASSIFIER if is_classifier(model) else _REMEMBERED
    with suppress(OSError, CacheError, TypeError):  # a cache that cannot be written is said when answers are stored; facts that are no JSON
        write_sealed(_place(cache, before), {name: getattr(model, name) for name in names})
    return model


def _place(cache: Path, digest: str) -> Path:
    return cache / "models" / "known" / f"{digest}.json"


def _digest(spec: ModelSpec, conditions: Mapping[str, Any]) -> str:
    versions = {name: next((each.version for each in metadata.distributions(name=name)), None) for name in _PACKAGES}
    code = [_sha256(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    whole = {
        "spec": [spec.kind, spec.name, spec.text, spec.pretrained],
        "conditions": dict(conditions),
        "files": [[path.name, _sha256(path)] for path in sources.files(spec) or ()],
        "versions": [sys.version, versions, code],
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:  # gone this moment, or not for this user: what loads the model says so
        return f"{error.errno}"
    return digest.hexdigest()
