"""The embedded benchmark as a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ..imageset import ImageSet
from .camera import SIZE
from .captions import full_caption
from .negatives import NEGATIVES
from .sets import scene_set
from .sizes import STUDIO_PER_CLASS
from .spec import Scene
from .studio.portrait import sample
from .vocabulary import CLASSES, SEED

NO_PIXELS = (
    "appearance.py", "captions.py", "changes.py", "contact.py", "load.py", "negatives.py", "partners.py", "sets.py", "shortcuts.py",
    "sizes.py", "twoviews.py",
)  # fmt: skip
"""Modules that choose scenes or words: what they choose is in the scenes themselves, which every fingerprint holds."""


VERSION = 1
"""Part of the data fingerprint: raise it whenever a pixel changes."""
FOIL_STREAM, STUDIO_STREAM = 2_000_017, 3_000_017
"""No other image set and no training run draws from these streams."""


@cache
def code_version() -> str:
    """Hash of the renderer's own source: a changed line can change a pixel, so it makes new images rather than old ones come back."""
    here = Path(__file__).parent
    return _hash(f"{VERSION} {SIZE}", [p for p in here.rglob("*.py") if p.name not in NO_PIXELS and here / "studio" not in p.parents])


@cache
def studio_version() -> str:
    """The same of the renderer of portraits, which shares nothing with the other."""
    return _hash("1", list((Path(__file__).parent / "studio").rglob("*.py")))


def _hash(start: str, paths: list[Path]) -> str:
    digest = hashlib.sha256(start.encode())
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def image_set(name: str, *, role: str, limit: int | None = None) -> ImageSet:
    """One embedded set, at most `limit` images.

    The first ones, because every prefix is balanced over the classes; of a matched set those whose partner in `clean` is within the limit.
    """
    if name == "studio":
        return _studio(role, limit)
    found = scene_set(name)
    rows = range(len(found.scenes))
    kept = [i for i in rows if limit is None or found.pairs is None or found.pairs[i] < limit][:limit]
    scenes, labels = tuple(found.scenes[i] for i in kept), [found.labels[i] for i in kept]
    attributes = {k: tuple(str(getattr(s, k)) for s in scenes) for k in ("colour", "colour2", "texture", "background", "style")}
    if found.looks is not None:
        attributes |= {"shape": tuple(s.cls for s in scenes), "look": tuple(found.looks[i] for i in kept)}
    digest = hashlib.sha256("\n".join([code_version(), name, *map(repr, scenes)]).encode()).hexdigest()[:16]
    return ImageSet(
        name=name, data="scenes", role=role, ids=tuple(f"{name}-{i:05d}" for i in kept), labels=np.array(labels), classes=CLASSES,
        fingerprint=digest, pairs=None if found.pairs is None else np.array([found.pairs[i] for i in kept]),
        captions=tuple(full_caption(s) for s in scenes) if role != "ood" else None,
        attributes=attributes, foils=_foils(scenes, kept) if role == "pairs" else {},
        scenes=scenes, rows=tuple(kept),
    )  # fmt: skip


def _studio(role: str, limit: int | None) -> ImageSet:
    """Portraits, class by class in turn, so that every prefix is balanced."""
    rows = range(STUDIO_PER_CLASS * len(CLASSES))[:limit]
    portraits = tuple(
        sample(np.random.default_rng([SEED, STUDIO_STREAM, i]), CLASSES[i % len(CLASSES)], variant=i // len(CLASSES)) for i in rows
    )
    digest = hashlib.sha256("\n".join([studio_version(), *map(repr, portraits)]).encode()).hexdigest()[:16]
    return ImageSet(
        name="studio", data="scenes", role=role, ids=tuple(f"studio-{i:05d}" for i in rows),
        labels=np.array([i % len(CLASSES) for i in rows]), classes=CLASSES, fingerprint=digest, portraits=portraits, rows=tuple(rows),
    )  # fmt: skip


def _foils(scenes: Sequence[Scene], rows: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """False captions of scenes of `pairs`, by kind."""
    return {
        kind: tuple(make(s, np.random.default_rng([SEED, FOIL_STREAM, i])) for s, i in zip(scenes, rows, strict=True))
        for kind, make in NEGATIVES.items()
    }
