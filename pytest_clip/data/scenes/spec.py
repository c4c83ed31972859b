"""A scene as data: every factor of the picture is one field, and `sample` draws a scene of the training distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .vocabulary import BACKGROUNDS, CLASSES, COLOURS, OCCLUDERS, PALETTE, STYLE_SHARES, STYLES, TEXTURES

SIDE_LIMIT = {"dumbbell": 0.9, "ladder": 0.9, "key": 0.85, "sword": 0.85, "airplane": 1.1, "hammer": 1.0, "sailboat": 1.05, "bicycle": 1.0}
"""Largest yaw away from the side view, in radians: end-on, these thin objects are not recognisable to a person either."""

BARRIER_NEAR, BALL = 1.3, 1.2
"""An occluder hangs this far in front of the main object's centre; a ball has this radius per unit of `occluder_size`."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A second object: its class, instance seed, colour and place (object-space units to the right, up, towards the camera) and size."""

    cls: str
    instance: int
    colour: str
    right: float
    up: float
    near: float
    scale: float
    yaw: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture. Angles in radians, lengths in object units (an object is about 2 long), the camera looks along -z from the origin."""

    cls: str
    instance: int
    texture: str
    colour: str
    colour2: str
    accent: str
    background: str
    background_colour: str
    yaw: float
    elevation: float
    roll: float
    distance: float
    dx: float
    dy: float
    light_azimuth: float
    light_elevation: float
    light_intensity: float
    ambient: float
    occluder: str
    occluder_size: float
    occluder_seed: int
    style: str
    lying: bool
    companions: tuple[Companion, ...] = ()
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)
    variant: str = "standard"
    exposure: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def objects(self) -> int:
        """How many objects the scene shows."""
        return 1 + len(self.companions)


def contrast(a: str, b: str) -> float:
    """Distance of two named colours in RGB, 0..sqrt(3)."""
    return math.dist(PALETTE[a], PALETTE[b])


def _other(g: np.random.Generator, names: tuple[str, ...], *, avoid: tuple[str, ...], least: float) -> str:
    """A colour that differs from each of `avoid` by at least `least`, so that a texture of two colours can be seen at all."""
    fits = [n for n in names if all(contrast(n, a) >= least for a in avoid)]
    return fits[int(g.integers(len(fits)))]


def draw_yaw(g: np.random.Generator, cls: str) -> float:
    """Any direction, or within SIDE_LIMIT of either side view for thin objects."""
    limit = SIDE_LIMIT.get(cls)
    if limit is None:
        return float(g.uniform(0, math.tau))
    return float(g.uniform(-limit, limit) + math.pi * (g.random() < 0.5))


def sample(g: np.random.Generator, cls: str, *, companion_share: float = 0.12) -> Scene:
    """One scene of the training distribution; the draws are independent of each other but for colours that would hide what they colour."""
    names = tuple(COLOURS)

    def pick(options: tuple[str, ...]) -> str:
        return options[int(g.integers(len(options)))]

    colour = pick(names)
    colour2 = _other(g, names, avoid=(colour,), least=0.65)
    background_colour = _other(g, names, avoid=(colour,), least=0.3)
    occluded = g.random() < 0.15
    scene = Scene(
        cls=cls, instance=int(g.integers(1 << 31)), texture=pick(TEXTURES), colour=colour, colour2=colour2, accent=pick(names),
        background=pick(BACKGROUNDS), background_colour=background_colour,
        yaw=draw_yaw(g, cls), elevation=float(g.uniform(-0.05, 0.75)), roll=float(np.clip(g.normal(0, 0.12), -0.3, 0.3)),
        distance=float(g.uniform(2.6, 4.0)), dx=float(g.uniform(-0.2, 0.2)), dy=float(g.uniform(-0.15, 0.15)),
        light_azimuth=float(g.uniform(-1.3, 1.3)), light_elevation=float(g.uniform(0.3, 1.2)),
        light_intensity=float(g.uniform(0.6, 1.0)), ambient=float(g.uniform(0.35, 0.5)),
        occluder=pick(OCCLUDERS[1:]) if occluded else "none", occluder_size=float(g.uniform(0.1, 0.35)),
        occluder_seed=int(g.integers(1 << 31)), style=str(g.choice(STYLES, p=STYLE_SHARES)), lying=bool(g.random() < 0.12),
    )  # fmt: skip
    if occluded or g.random() >= companion_share:
        return scene
    return with_companion(g, scene)


def with_companion(g: np.random.Generator, scene: Scene) -> Scene:
    """The scene with a smaller second object of another class beside it; the main object moves a little to the other side."""
    from dataclasses import replace

    others = [c for c in CLASSES if c != scene.cls]
    side = 1.0 if g.random() < 0.5 else -1.0
    mate = Companion(
        cls=others[int(g.integers(len(others)))], instance=int(g.integers(1 << 31)),
        colour=_other(g, tuple(COLOURS), avoid=(scene.colour, scene.background_colour), least=0.3),
        right=side * float(g.uniform(1.15, 1.35)), up=float(g.uniform(-0.3, 0.0)), near=float(g.uniform(-0.6, 0.0)),
        scale=float(g.uniform(0.45, 0.55)), yaw=float(g.uniform(-0.5, 0.5)),
    )  # fmt: skip
    return replace(scene, companions=(mate,), dx=-side * float(g.uniform(0.3, 0.45)), distance=max(scene.distance, 3.4), lying=False)
