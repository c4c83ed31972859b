"""What each class typically looks like: the one definition that correlated training sets, the `typical` set and cue conflicts share."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .spec import Scene


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
