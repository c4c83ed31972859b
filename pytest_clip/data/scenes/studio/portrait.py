"""A portrait as data: which object, seen from where, in which light, on which ground; `sample` draws one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .materials import Colour

SIZE = 224
"""Portraits are rendered at 224 x 224, what most models take in."""
Draw = np.random.Generator


@dataclass(frozen=True, slots=True)
class Portrait:
    """One picture. Angles in radians; yaw 0 looks at the object's front (+z), pi / 2 at its right side (+x)."""

    cls: str
    instance: int
    variant: int
    """which kind of the class's kinds, counted on and on: ten portraits in a row show ten tenths of them"""
    yaw: float
    elevation: float
    roll: float
    fill: float
    """share of the frame that the object takes up, in its longer direction"""
    light_azimuth: float
    """from the camera's direction, to the right"""
    light_elevation: float
    ground: Colour
    backdrop: Colour
    open_air: bool
    """sun and sky instead of soft boxes"""


@dataclass(frozen=True)
class Place:
    """Where objects of a class are seen: ranges in degrees, and the grounds and backdrops to choose from."""

    yaw: tuple[tuple[float, float], ...]
    elevation: tuple[float, float]
    open_air: bool = False
    grounds: tuple[Colour, ...] = ((0.82, 0.82, 0.82), (0.92, 0.92, 0.92), (0.72, 0.71, 0.69), (0.78, 0.80, 0.83))
    backdrops: tuple[Colour, ...] = ((0.92, 0.92, 0.92), (0.85, 0.86, 0.88), (0.96, 0.96, 0.96), (0.75, 0.76, 0.78))
    fill: tuple[float, float] = (0.72, 0.86)


ROUND = ((25.0, 65.0), (-65.0, -25.0))
LAWN = ((0.30, 0.42, 0.16), (0.36, 0.46, 0.20), (0.33, 0.40, 0.19))
MEADOW = ((0.34, 0.44, 0.18), (0.62, 0.54, 0.28), (0.68, 0.58, 0.32), (0.74, 0.64, 0.38))
SKY = ((0.62, 0.76, 0.92), (0.70, 0.80, 0.92), (0.80, 0.86, 0.92))
BLUE = ((0.35, 0.58, 0.90), (0.42, 0.64, 0.92), (0.50, 0.70, 0.93))
ASPHALT = ((0.46, 0.46, 0.47), (0.55, 0.54, 0.53), (0.40, 0.40, 0.42))
SEA = ((0.16, 0.33, 0.48), (0.14, 0.38, 0.50), (0.22, 0.38, 0.50))
SNOW = ((0.90, 0.93, 0.97), (0.94, 0.95, 0.97))
WOODLAND = ((0.34, 0.28, 0.18), (0.28, 0.34, 0.17), (0.40, 0.33, 0.22))
LEAVES = ((0.20, 0.28, 0.14), (0.26, 0.32, 0.18), (0.16, 0.22, 0.12))
DESK = ((0.55, 0.40, 0.27), (0.82, 0.82, 0.82), (0.65, 0.52, 0.38), (0.92, 0.91, 0.89))

PLACES = {
    "mug": Place(((30, 75), (105, 150)), (12, 35), grounds=DESK),
    "chair": Place(ROUND, (10, 25)),
    "table": Place(ROUND, (14, 28)),
    "lamp": Place(ROUND, (4, 14)),
    "bottle": Place(ROUND, (4, 14)),
    "car": Place(((30, 65), (115, 145), (-65, -30)), (7, 18), open_air=True, grounds=ASPHALT, backdrops=SKY, fill=(0.82, 0.92)),
    "house": Place(ROUND, (4, 14), open_air=True, grounds=LAWN, backdrops=SKY, fill=(0.82, 0.95)),
    "tree": Place(ROUND, (2, 8), open_air=True, grounds=MEADOW, backdrops=SKY, fill=(0.82, 0.95)),
    "airplane": Place(((30, 65), (-65, -30), (115, 140)), (6, 16), open_air=True, grounds=ASPHALT, backdrops=SKY, fill=(0.86, 0.95)),
    "hammer": Place(((-40, 40),), (40, 75), grounds=DESK, fill=(0.78, 0.9)),
    "umbrella": Place(ROUND, (5, 20)),
    "snowman": Place(((-40, 40),), (3, 10), open_air=True, grounds=SNOW, backdrops=BLUE, fill=(0.8, 0.92)),
    "rocket": Place(ROUND, (2, 8), open_air=True, grounds=ASPHALT, backdrops=SKY, fill=(0.86, 0.95)),
    "mushroom": Place(ROUND, (2, 16), open_air=True, grounds=WOODLAND, backdrops=LEAVES),
    "dumbbell": Place(((-55, -20), (20, 55)), (15, 35)),
    "sailboat": Place(((20, 70), (-70, -20), (110, 160)), (2, 8), open_air=True, grounds=SEA, backdrops=SKY, fill=(0.84, 0.94)),
    "dog": Place(((25, 70), (-70, -25)), (4, 16), open_air=True, grounds=LAWN, backdrops=LEAVES, fill=(0.8, 0.92)),
    "ladder": Place(((15, 50), (-50, -15)), (6, 18), fill=(0.82, 0.94)),
    "key": Place(((-40, 40),), (45, 80), grounds=DESK, fill=(0.72, 0.86)),
}  # fmt: skip


def sample(g: Draw, cls: str, *, variant: int = 0) -> Portrait:
    """One portrait of an object of the class, of its kind number `variant`."""
    place = PLACES[cls]
    low, high = place.yaw[int(g.integers(len(place.yaw)))]

    def pick(options: tuple[Colour, ...]) -> Colour:
        chosen, light = options[int(g.integers(len(options)))], g.uniform(0.93, 1.04)
        return tuple(min(float(c * light), 1.0) for c in chosen)  # type: ignore[return-value]

    return Portrait(
        cls=cls, instance=int(g.integers(1 << 31)), variant=variant, yaw=math.radians(g.uniform(low, high)),
        elevation=math.radians(g.uniform(*place.elevation)), roll=math.radians(g.uniform(-3, 3)), fill=float(g.uniform(*place.fill)),
        light_azimuth=math.radians(float(g.uniform(25, 70)) * (1 if g.random() < 0.5 else -1)),
        light_elevation=math.radians(g.uniform(35, 65)),
        ground=pick(place.grounds), backdrop=pick(place.backdrops), open_air=place.open_air,
    )  # fmt: skip
