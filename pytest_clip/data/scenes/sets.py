"""The embedded image sets: which scenes each holds.

Every scene derives from (SEED, stream, index), so sets never depend on each other's size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .appearance import conflicting, dressed, neutral_walls
from .changes import FACTOR_CHANGES, SHIFT_CHANGES, backdrop_only, pairs, wall_of_texture
from .partners import another, turned
from .shortcuts import before, foreign
from .shortcuts import rows as plain_rows
from .sizes import BACKDROPS, BACKDROPS_PER_CLASS, CLEAN_PER_CLASS, CUES, MATCHED_PER_CLASS, OOD_IMAGES, SEEN_TWICE_PER_CLASS, VIEWPOINTS
from .spec import Scene, sample
from .vocabulary import CLASSES, FACTORS, HELD_OUT, OOD, SEED, SHIFTS

STREAMS = {
    name: i for i, name in enumerate(("clean", "typical", *SHIFTS, *FACTORS, *OOD, *CUES, "pairs", *VIEWPOINTS, "instances", *BACKDROPS))
}
"""New names come last: the place of one is the chance of its set."""


@dataclass(frozen=True)
class SceneSet:
    """Scenes in order, their labels (-1 = none of the classes) and the row of `clean` that each one changes (None: none)."""

    scenes: tuple[Scene, ...]
    labels: tuple[int, ...]
    pairs: tuple[int, ...] | None = None
    looks: tuple[str, ...] | None = None
    """for cues, the class whose typical look each scene wears"""


def generator(name: str, index: int) -> np.random.Generator:
    """The source of all chance in scene `index` of set `name`."""
    return np.random.default_rng([SEED, STREAMS[name], index])


@cache
def clean() -> SceneSet:
    """Draws of the training distribution, class by class in turn, so that every prefix is balanced."""
    count = CLEAN_PER_CLASS * len(CLASSES)
    labels = tuple(i % len(CLASSES) for i in range(count))
    return SceneSet(tuple(sample(generator("clean", i), CLASSES[k]) for i, k in enumerate(labels)), labels)


@cache
def matched_rows() -> tuple[int, ...]:
    """Rows of `clean` that the factors change, class by class in turn: per class the first photos of one object with nothing before it.

    An occluder or a companion of the scene's own would mix with the factor: twice as near, a ball in front of the object hides all of it.
    """
    base = clean()
    rows: list[list[int]] = [[] for _ in CLASSES]
    for i, (scene, label) in enumerate(zip(base.scenes, base.labels, strict=True)):
        if scene.style == "photo" and scene.occluder == "none" and not scene.companions and len(rows[label]) < MATCHED_PER_CLASS:
            rows[label].append(i)
    return tuple(rows[k][j] for j in range(MATCHED_PER_CLASS) for k in range(len(CLASSES)))


def _fresh(name: str, change: Callable[[Scene, np.random.Generator], Scene]) -> SceneSet:
    labels = tuple(i % len(CLASSES) for i in range(MATCHED_PER_CLASS * len(CLASSES)))
    scenes = []
    for i, k in enumerate(labels):
        g = generator(name, i)
        scenes.append(change(sample(g, CLASSES[k]), g))
    return SceneSet(tuple(scenes), labels)


def _unknown(name: str, make: Callable[[Scene, np.random.Generator], Scene]) -> SceneSet:
    scenes = []
    for i in range(OOD_IMAGES):
        g = generator(name, i)
        scenes.append(make(sample(g, HELD_OUT[i % len(HELD_OUT)], companion_share=0.0), g))
    return SceneSet(tuple(scenes), (-1,) * OOD_IMAGES)


@cache
def _foreign_looks() -> tuple[int, ...]:
    """For each matched row the class whose look conflicts with its own: in every round of all classes each look is worn once."""
    n = len(CLASSES)
    looks: list[int] = []
    for j in range(MATCHED_PER_CLASS):
        g = generator("cue_conflict", j)
        while True:
            drawn = [int(k) for k in g.permutation(n)]
            if all(conflicting(CLASSES[shape], CLASSES[look]) for shape, look in enumerate(drawn)):
                break
        looks += drawn
    return tuple(looks)


def _cue(name: str) -> SceneSet:
    """The shape of one class in the look of another (`cue_conflict`), or the same scenes in the look of their own (`cue_matched`).

    Only the object is dressed, and it stands before a neutral wall. Typical surroundings would be a third cue, with neither shape nor
    texture in it; the scene's own would hide one look more often than another. The wall is drawn from those that suit both looks, so it
    is the same for both sets and speaks for neither class.
    """
    base, rows, foreign = clean(), matched_rows(), _foreign_looks()
    labels = tuple(base.labels[row] for row in rows)
    looks, scenes = [], []
    for j, row in enumerate(rows):
        own, other = CLASSES[labels[j]], CLASSES[foreign[j]]
        walls = neutral_walls(own, other)
        wall = walls[int(generator("cue_matched", j).integers(len(walls)))]
        looks.append(other if name == "cue_conflict" else own)
        scenes.append(replace(dressed(base.scenes[row], looks[-1], surroundings=False), background="plain", background_colour=wall))
    return SceneSet(tuple(scenes), labels, rows, tuple(looks))


@cache
def _backdrops() -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Which rows of `clean` change their background, and for each the class whose background is foreign to it."""
    base = clean()
    rows = plain_rows(base.scenes, base.labels, per_class=BACKDROPS_PER_CLASS)
    return rows, foreign([base.scenes[row] for row in rows], lambda j: generator("background_foreign", j))


def _backdrop(name: str) -> SceneSet:
    base, (rows, others) = clean(), _backdrops()
    labels = tuple(base.labels[row] for row in rows)
    looks = others if name == "background_foreign" else tuple(CLASSES[k] for k in labels)
    return SceneSet(tuple(before(base.scenes[row], cls) for row, cls in zip(rows, looks, strict=True)), labels, rows, looks)


def _seen_twice(name: str) -> SceneSet:
    """The first matched scenes from another direction, or another instance of the class in the place of each."""
    base, rows = clean(), matched_rows()[: SEEN_TWICE_PER_CLASS * len(CLASSES)]

    def partner(s: Scene, g: np.random.Generator) -> Scene:
        return another(s, g) if name == "instances" else turned(s, g, *VIEWPOINTS[name])

    scenes = tuple(partner(base.scenes[row], generator(name, j)) for j, row in enumerate(rows))
    return SceneSet(scenes, tuple(base.labels[row] for row in rows), rows)


@cache
def scene_set(name: str) -> SceneSet:
    """The scenes of one embedded set; KeyError for a name that is none."""
    if name == "clean":
        return clean()
    if name in FACTOR_CHANGES:
        base, rows = clean(), matched_rows()
        scenes = tuple(FACTOR_CHANGES[name](base.scenes[row], generator(name, j)) for j, row in enumerate(rows))
        return SceneSet(scenes, tuple(base.labels[row] for row in rows), rows)
    if name in CUES:
        return _cue(name)
    if name in BACKDROPS:
        return _backdrop(name)
    if name in SHIFT_CHANGES:
        return _fresh(name, SHIFT_CHANGES[name])
    unknown = {"near": lambda s, g: s, "far": backdrop_only, "textures": wall_of_texture}
    if name in unknown:
        return _unknown(name, unknown[name])
    if name in VIEWPOINTS or name == "instances":
        return _seen_twice(name)
    if name == "pairs":
        return _fresh(name, pairs)
    if name == "typical":
        return _fresh(name, lambda s, g: replace(dressed(s, s.cls), companions=()))
    raise KeyError(name)
