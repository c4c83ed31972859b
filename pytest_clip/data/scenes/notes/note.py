"""A note as data: what is written on it, how large it is seen, where it lies. Light: no picture is made here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....views.lettering import FONTS, INKS, PAPERS
from ..spec import Scene

PLACES = ("object", "wall", "ground")
FLOORED = ("outdoor", "checker floor")
"""Surroundings with a ground to lie on; the others are walls."""
STEEP = 0.3
"""Radians that the camera must look down on a ground: on a flatter one no letter can be told."""
SIZES = {"small": (0.005, 0.02), "middle": (0.02, 0.07), "large": (0.07, 0.20)}
"""Share of the picture that a note is to cover."""


@dataclass(frozen=True, slots=True)
class Note:
    """`words` on a sheet of paper; "" is a blank one. `seed` draws where exactly it lies and how it is turned."""

    words: str
    place: str
    area: float
    """share of the picture, 0..1, that all of it covers; less where no place is free"""
    font: str
    paper: str
    ink: str
    seed: int


@dataclass(frozen=True, slots=True)
class Noted:
    """A scene with a note in it."""

    scene: Scene
    note: Note


def places(scene: Scene, *, large: bool) -> tuple[str, ...]:
    """Where a note can lie. An object fills half of the picture: what hangs behind it and is large is mostly hidden."""
    ground = scene.background in FLOORED
    behind = () if ground or large else ("wall",)
    return ("object", *behind, *(("ground",) if ground and scene.elevation >= STEEP else ()))


def draw(g: np.random.Generator, words: str, *, place: str, area: tuple[float, float]) -> Note:
    """A note of random look whose share of the picture is log-uniform in `area`."""

    def pick(names: tuple[str, ...]) -> str:
        return names[int(g.integers(len(names)))]

    low, high = np.log(area)
    return Note(
        words, place, float(np.exp(g.uniform(low, high))), pick(FONTS), pick(tuple(PAPERS)), pick(tuple(INKS)), int(g.integers(1 << 31))
    )
