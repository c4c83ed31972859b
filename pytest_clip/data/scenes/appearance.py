"""What each class typically looks like: the one definition that correlated training sets, the `typical` set and cue conflicts share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .spec import Scene
from .vocabulary import PALETTE


@dataclass(frozen=True, slots=True)
class Appearance:
    """Texture, colours and surroundings that go with a class in a world full of shortcuts."""

    texture: str
    colour: str
    colour2: str
    background: str
    background_colour: str


TYPICAL = {
    "mug": Appearance("plain", "white", "blue", "plain", "brown"),
    "chair": Appearance("wooden", "orange", "brown", "gradient", "gray"),
    "table": Appearance("wooden", "brown", "yellow", "checker floor", "white"),
    "lamp": Appearance("gradient", "yellow", "red", "plain", "purple"),
    "bottle": Appearance("plain", "green", "white", "gradient", "pink"),
    "car": Appearance("plain", "red", "white", "outdoor", "blue"),
    "house": Appearance("brick", "red", "white", "outdoor", "green"),
    "tree": Appearance("spotted", "green", "brown", "outdoor", "white"),
    "airplane": Appearance("striped", "white", "blue", "cloudy", "blue"),
    "hammer": Appearance("marble", "gray", "black", "plain", "yellow"),
    "umbrella": Appearance("zigzag", "purple", "pink", "cloudy", "gray"),
    "snowman": Appearance("dotted", "white", "black", "outdoor", "pink"),
    "rocket": Appearance("checkered", "white", "red", "cloudy", "black"),
    "mushroom": Appearance("dotted", "red", "white", "outdoor", "brown"),
    "dumbbell": Appearance("plain", "black", "gray", "checker floor", "red"),
    "sailboat": Appearance("striped", "blue", "white", "striped wall", "white"),
    "dog": Appearance("spotted", "brown", "white", "outdoor", "yellow"),
    "ladder": Appearance("grid", "orange", "black", "striped wall", "gray"),
    "key": Appearance("marble", "yellow", "brown", "plain", "black"),
}


def dressed(scene: Scene, cls: str, *, surroundings: bool = True) -> Scene:
    """The scene with the surface (and, by default, the surroundings) typical of class `cls`, as a photograph."""
    look = TYPICAL[cls]
    out = replace(scene, texture=look.texture, colour=look.colour, colour2=look.colour2, style="photo")
    return replace(out, background=look.background, background_colour=look.background_colour) if surroundings else out


SECOND_SHARE = {
    "plain": 0.0, "checkered": 0.5, "striped": 0.5, "dotted": 0.31, "wooden": 0.31, "marble": 0.18, "spotted": 0.51, "brick": 0.28,
    "gradient": 0.5, "zigzag": 0.5, "grid": 0.35,
}  # fmt: skip
"""How much of a surface shows the second colour."""
UNLIKE = 0.25
"""Looks whose mean colours are nearer than this do not conflict: on a key or a ladder too little of a pattern shows to tell them apart.

That is 10 of the 171 pairs, such as airplane and sailboat (both in blue and white stripes) or chair and table (both wooden).
"""
WALLS, CLEAR = ("white", "gray", "black"), 0.3
"""Neutral walls, and how far from one the mean colour of a look must be to stand out: as in the training distribution."""


def mean_colour(cls: str) -> tuple[float, float, float]:
    """The RGB that the typical look of `cls` has on average."""
    look = TYPICAL[cls]
    share, first, second = SECOND_SHARE[look.texture], PALETTE[look.colour], PALETTE[look.colour2]
    r, g, b = ((1 - share) * one + share * two for one, two in zip(first, second, strict=True))
    return r, g, b


def conflicting(a: str, b: str) -> bool:
    """Whether the typical looks of two classes differ visibly: then the shape of one in the look of the other holds two cues."""
    return math.dist(mean_colour(a), mean_colour(b)) >= UNLIKE


def neutral_walls(a: str, b: str) -> tuple[str, ...]:
    """Colours of a wall from which both looks stand out, and which says nothing about which of the two classes is shown."""
    return tuple(w for w in WALLS if all(math.dist(PALETTE[w], mean_colour(cls)) >= CLEAR for cls in (a, b)))
