"""The embedded benchmark as a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...views import lettering
from ..imageset import ImageSet
from .camera import SIZE
from .captions import full_caption
from .negations import TYPES, hybrid_of, question
from .negatives import NEGATIVES
from .noted import noted_set
from .paraphrases import TRIPLES, reworded
from .sets import scene_set
from .sizes import STUDIO_PER_CLASS
from .spec import Scene
from .studio.portrait import sample
from .vocabulary import CLASSES, SEED

NO_PIXELS = (
    "appearance.py", "captions.py", "changes.py", "contact.py", "load.py", "negations.py", "negatives.py", "noted.py", "paraphrases.py",
    "partners.py", "sets.py", "shortcuts.py", "sizes.py", "twoviews.py", "written.py",
)  # fmt: skip
"""Modules that choose scenes or words: what they choose is in the scenes themselves, which every fingerprint holds."""

OWN_VERSION = ("notes", "studio")
"""Folders of other renderers."""

VERSION = 1
"""Part of the data fingerprint: raise it whenever a pixel changes."""
FOIL_STREAM, STUDIO_STREAM, WORDS_STREAM = 2_000_017, 3_000_017, 5_000_017
"""No other image set and no training run draws from these streams."""


@cache
def code_version() -> str:
    """Hash of the renderer's own source: a changed line can change a pixel, so it makes new images rather than old ones come back."""
    here = Path(__file__).parent
    others = {here / name for name in OWN_VERSION}
    return _hash(f"{VERSION} {SIZE}", [p for p in here.rglob("*.py") if p.name not in NO_PIXELS and not others & set(p.parents)])


@cache
def studio_version() -> str:
    """The same of the renderer of portraits, which shares nothing with the other."""
    return _hash("1", list((Path(__file__).parent / "studio").rglob("*.py")))


@cache
def notes_version() -> str:
    """The same of what lays notes into the pictures of the first."""
    return _hash(f"1 {code_version()}", [*(Path(__file__).parent / "notes").rglob("*.py"), Path(lettering.__file__)])


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
    if role == "note":
        return _with_notes(name, limit)
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
        attributes=attributes, **(_told(scenes, kept) if role == "pairs" else {}),
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


def _with_notes(name: str, limit: int | None) -> ImageSet:
    """Scenes with notes; with a limit, those whose scene in `clean` is within it."""
    found = noted_set(name)
    kept = [i for i in range(len(found.noted)) if limit is None or found.pairs is None or found.pairs[i] < limit][:limit]
    noted = tuple(found.noted[i] for i in kept)
    digest = hashlib.sha256("\n".join([notes_version(), name, *map(repr, noted)]).encode()).hexdigest()[:16]
    return ImageSet(
        name=name, data="scenes", role="note", ids=tuple(f"{name}-{i:05d}" for i in kept), labels=np.array([found.labels[i] for i in kept]),
        classes=CLASSES, fingerprint=digest, pairs=None if found.pairs is None else np.array([found.pairs[i] for i in kept]),
        attributes={key: tuple(values[i] for i in kept) for key, values in found.attributes.items()}, noted=noted, rows=tuple(kept),
    )  # fmt: skip


def _told(scenes: Sequence[Scene], rows: Sequence[int]) -> dict[str, Any]:
    """What is said of scenes of `pairs` beside their captions: what is false by kind, what else is true, questions of each type in turn."""

    def drawn(*stream: int) -> list[tuple[Scene, np.random.Generator]]:
        return [(scene, np.random.default_rng([SEED, *stream, i])) for scene, i in zip(scenes, rows, strict=True)]

    foils = {kind: tuple(make(s, g) for s, g in drawn(FOIL_STREAM)) for kind, make in NEGATIVES.items()}
    wordings = {kind: tuple(reworded(s, g, kind) for s, g in drawn(WORDS_STREAM, 0)) for kind in TRIPLES}
    return {
        "foils": foils,
        "triples": {kind: tuple(zip(wordings[kind], foils[foil], strict=True)) for kind, foil in TRIPLES.items()},
        "negated": tuple((hybrid_of(s, g, full_caption(s)),) for s, g in drawn(WORDS_STREAM, 1)),
        "questions": tuple(question(s, g, TYPES[i % len(TYPES)]) for (s, g), i in zip(drawn(WORDS_STREAM, 2), rows, strict=True)),
    }
