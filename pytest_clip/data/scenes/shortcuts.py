"""The same object before the background typical of its class, and before that of another class: only facts of the background change.

A model that has learned what a class stands before, and not what it is, answers the first and not the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .appearance import CLEAR, TYPICAL
from .spec import Scene, contrast
from .vocabulary import CLASSES

NO_COLOUR = ("outdoor",)
"""Backgrounds that look the same whatever their colour: lawn and sky."""


def before(scene: Scene, cls: str) -> Scene:
    """The scene before the background typical of class `cls`."""
    look = TYPICAL[cls]
    return replace(scene, background=look.background, background_colour=look.background_colour)


def stands_out(scene: Scene, cls: str) -> bool:
    """Whether the object would be seen before the background of `cls`: as in the training distribution, at least `CLEAR` away from it."""
    look = TYPICAL[cls]
    return look.background in NO_COLOUR or contrast(scene.colour, look.background_colour) >= CLEAR


def unlike(a: str, b: str) -> bool:
    """Whether the typical backgrounds of two classes are different pictures."""
    one, two = TYPICAL[a], TYPICAL[b]
    if one.background != two.background:
        return True
    return one.background not in NO_COLOUR and contrast(one.background_colour, two.background_colour) >= CLEAR


def rows(scenes: Sequence[Scene], labels: Sequence[int], *, per_class: int) -> tuple[int, ...]:
    """Class by class in turn, the first photos of one object with nothing before it that stands out from its typical background."""
    found: list[list[int]] = [[] for _ in CLASSES]
    for i, (scene, label) in enumerate(zip(scenes, labels, strict=True)):
        plain = scene.style == "photo" and scene.occluder == "none" and not scene.companions
        if plain and stands_out(scene, scene.cls) and len(found[label]) < per_class:
            found[label].append(i)
    return tuple(found[k][j] for j in range(per_class) for k in range(len(CLASSES)))


def foreign(scenes: Sequence[Scene], source: Callable[[int], np.random.Generator]) -> tuple[str, ...]:
    """For each scene the class whose background it gets: in every round of all classes each background is taken once.

    So the two sets hold the same backgrounds equally often, and only which object stands before which one differs. `source`: the chance of
    a round.
    """
    n, out = len(CLASSES), []
    for j in range(len(scenes) // n):
        g, here = source(j), scenes[j * n : (j + 1) * n]
        fits = np.array([[unlike(s.cls, other) and stands_out(s, other) for other in CLASSES] for s in here])
        while not fits[np.arange(n), drawn := g.permutation(n)].all():
            pass
        out += [CLASSES[int(k)] for k in drawn]
    return tuple(out)
