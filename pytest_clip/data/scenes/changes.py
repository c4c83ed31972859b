"""What a factor, a shift or an OOD set does to a scene: each function takes a scene and its source of chance and changes one thing.

Factors are named after ImageNet-X (Idrissi et al. 2022, arXiv 2211.01866); all else of the scene stays as it was, so effects are paired.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .spec import BALL, BARRIER_NEAR, Companion, Scene, contrast, draw_yaw, with_companion
from .vocabulary import (
    BACKGROUNDS,
    CLASSES,
    COLOURS,
    PALETTE,
    STYLES,
    TEXTURES,
    TWO_COLOURED,
    UNSEEN_BACKGROUNDS,
    UNSEEN_COLOURS,
    UNSEEN_MATERIALS,
    UNSEEN_PATTERNS,
)

Draw = np.random.Generator
Change = Callable[[Scene, Draw], Scene]
ONE_COLOURED = tuple(t for t in TEXTURES if t not in TWO_COLOURED)


def _pick(g: Draw, options: tuple[str, ...]) -> str:
    return options[int(g.integers(len(options)))]


def pose(s: Scene, g: Draw) -> Scene:
    """Seen from above or tilted, further than training goes (elevation up to 0.75, roll mostly below 0.3)."""
    if g.random() < 0.5:
        return replace(s, yaw=draw_yaw(g, s.cls), elevation=float(g.uniform(0.95, 1.3)))
    side = 1 if g.random() < 0.5 else -1
    return replace(s, yaw=draw_yaw(g, s.cls), roll=float(side * g.uniform(0.6, 1.2)))


def background(s: Scene, g: Draw) -> Scene:
    """In front of a wall that training never shows."""
    colour = _pick(g, tuple(c for c in PALETTE if c not in UNSEEN_COLOURS and contrast(c, s.colour) >= 0.3))
    return replace(s, background=_pick(g, UNSEEN_BACKGROUNDS), background_colour=colour)


def pattern(s: Scene, g: Draw) -> Scene:
    """Painted with a regular pattern that training never shows."""
    return replace(s, texture=_pick(g, UNSEEN_PATTERNS))


def color(s: Scene, g: Draw) -> Scene:
    """In colours that training never shows."""
    names = tuple(UNSEEN_COLOURS)
    first = _pick(g, names)
    return replace(s, colour=first, colour2=_pick(g, tuple(n for n in names if n != first)), accent=_pick(g, names))


def smaller(s: Scene, g: Draw) -> Scene:
    """About twice as far away."""
    return replace(s, distance=s.distance * float(g.uniform(1.7, 2.1)), dx=s.dx * 1.5, dy=s.dy * 1.5)


def larger(s: Scene, g: Draw) -> Scene:
    """So near that it fills or leaves the frame."""
    return replace(s, distance=max(1.75, s.distance * float(g.uniform(0.55, 0.65))))


def shape(s: Scene, g: Draw) -> Scene:
    """One axis stretched or squeezed far beyond the training jitter of 10 %."""
    axis, by = int(g.integers(3)), float(g.uniform(1.45, 1.7) if g.random() < 0.5 else g.uniform(0.5, 0.65))
    factors = [1.0, 1.0, 1.0]
    factors[axis] = by
    return replace(s, stretch=(factors[0], factors[1], factors[2]))


def partial_view(s: Scene, g: Draw) -> Scene:
    """Moved until about a third of it is outside the frame."""
    t, reach = float(g.uniform(0, math.tau)), 0.75 * s.distance * math.tan(math.radians(20))
    return replace(s, dx=math.cos(t) * reach, dy=math.sin(t) * reach * 0.9)


def subcategory(s: Scene, g: Draw) -> Scene:
    """Another sub-shape of the class, such as a round table."""
    del g
    return replace(s, variant="unseen")


def texture(s: Scene, g: Draw) -> Scene:
    """Made of a material that training never shows."""
    return replace(s, texture=_pick(g, UNSEEN_MATERIALS))


def darker(s: Scene, g: Draw) -> Scene:
    """Underexposed."""
    return replace(s, exposure=float(g.uniform(0.14, 0.28)))


def brighter(s: Scene, g: Draw) -> Scene:
    """Overexposed until much of it is white."""
    return replace(s, exposure=float(g.uniform(2.2, 3.2)))


def object_blocking(s: Scene, g: Draw) -> Scene:
    """Behind a fence (never trained on) or a ball that hides about half of it, but never all."""
    kind = "fence" if g.random() < 0.6 else "ball"
    covers = float(g.uniform(0.55, 0.7))  # radius of the ball's outline at the depth of the object
    size = float(g.uniform(0.13, 0.17)) if kind == "fence" else covers * (1 - BARRIER_NEAR / s.distance) / BALL
    return replace(s, occluder=kind, occluder_size=size, occluder_seed=int(g.integers(1 << 31)))


def style(s: Scene, g: Draw) -> Scene:
    """Drawn instead of photographed: the four drawn styles of training and a blueprint that training never shows."""
    return replace(s, style=_pick(g, (*STYLES[1:], "blueprint", "blueprint")))


def multiple_objects(s: Scene, g: Draw) -> Scene:
    """Among three smaller objects of other classes (training shows one at most)."""
    others = tuple(c for c in CLASSES if c != s.cls)
    places = ((1.25, -0.2), (-1.25, -0.15), (0.2, 1.15))
    mates = tuple(
        Companion(_pick(g, others), int(g.integers(1 << 31)), _pick(g, tuple(PALETTE)), right + float(g.uniform(-0.1, 0.1)), up,
                  float(g.uniform(-0.5, 0.0)), float(g.uniform(0.42, 0.52)), float(g.uniform(-0.6, 0.6)))
        for right, up in places
    )  # fmt: skip
    return replace(s, companions=mates, distance=max(s.distance, 3.6), dx=0.0, dy=-0.1)


def shift_light(s: Scene, g: Draw) -> Scene:
    """Low coloured light from the side or from behind, little of it elsewhere."""
    side = 1 if g.random() < 0.5 else -1
    warm = float(g.uniform(0.45, 0.75))
    tint = (1.15, 0.95 * warm + 0.2, warm) if g.random() < 0.5 else (warm, 0.9, 1.15)
    return replace(s, light_azimuth=float(side * g.uniform(1.8, 2.7)), light_elevation=float(g.uniform(-0.2, 0.3)),
                   light_intensity=float(g.uniform(1.0, 1.4)), ambient=float(g.uniform(0.12, 0.22)), tint=tint)  # fmt: skip


def shift_style(s: Scene, g: Draw) -> Scene:
    """A renderer that training never used: halftone print or mosaic."""
    return replace(s, style=_pick(g, ("halftone", "mosaic")))


def shift_clutter(s: Scene, g: Draw) -> Scene:
    """Six small things of any class around and behind the object."""
    mates = []
    for k in range(6):
        t = k * math.tau / 6 + float(g.uniform(-0.3, 0.3))
        reach = float(g.uniform(1.0, 1.5))
        mates.append(
            Companion(
                cls=_pick(g, CLASSES), instance=int(g.integers(1 << 31)), colour=_pick(g, tuple(PALETTE)),
                right=reach * math.cos(t), up=reach * math.sin(t), near=float(g.uniform(-1.6, -0.6)),
                scale=float(g.uniform(0.25, 0.4)), yaw=float(g.uniform(0, math.tau)),
            )
        )  # fmt: skip
    return replace(s, companions=tuple(mates), distance=max(s.distance, 3.2))


def shift_far(s: Scene, g: Draw) -> Scene:
    """Far away and off the centre."""
    far = float(g.uniform(5.0, 6.5))
    reach = far * math.tan(math.radians(20)) * 0.5
    return replace(s, distance=far, dx=float(g.uniform(-reach, reach)), dy=float(g.uniform(-reach, reach)))


def backdrop_only(s: Scene, g: Draw) -> Scene:
    """Surroundings with no object in them, some of them never trained on."""
    wall = _pick(g, UNSEEN_BACKGROUNDS) if g.random() < 0.4 else s.background
    return replace(s, cls="nothing", background=wall, occluder="none")


def wall_of_texture(s: Scene, g: Draw) -> Scene:
    """A surface that fills the frame: texture without a shape."""
    return replace(s, cls="slab", distance=float(g.uniform(2.0, 3.5)), occluder="none", yaw=float(g.uniform(-0.5, 0.5)), lying=False,
                   elevation=float(g.uniform(-0.3, 0.3)), style="photo")  # fmt: skip


def pairs(s: Scene, g: Draw) -> Scene:
    """A photograph of two things of different class and colour, nothing hidden, before a coloured backdrop.

    The object's texture shows one colour, and neither its second colour nor the accents are those of the companion or the backdrop: what a
    caption says about one of them is not half true of another.
    """
    plain = replace(s, style="photo", occluder="none", texture=_pick(g, ONE_COLOURED), companions=())
    if plain.background == "outdoor":
        plain = replace(plain, background=_pick(g, tuple(b for b in BACKGROUNDS if b != "outdoor")))
    out = with_companion(g, plain)
    shown = (out.colour, out.background_colour, out.companions[0].colour)
    second = tuple(c for c in COLOURS if contrast(c, out.colour) >= 0.65 and c not in shown)
    return replace(out, colour2=_pick(g, second), accent=_pick(g, tuple(c for c in COLOURS if c not in shown)))


FACTOR_CHANGES: dict[str, Change] = {
    f.__name__: f for f in (pose, background, pattern, color, smaller, larger, shape, partial_view, subcategory, texture, darker, brighter,
                            object_blocking, style, multiple_objects)
}  # fmt: skip
SHIFT_CHANGES: dict[str, Change] = {f.__name__: f for f in (shift_light, shift_style, shift_clutter, shift_far)}
