"""Partners of a scene, to be found again point by point: the same object from another direction, and another instance of its class.

Each also stands elsewhere in the frame, by more than the pixels that correspondence forgives: to answer with the same place is no way to
pass. The light stays with the camera, so shading moves over the object as it does between two photographs.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .camera import pose
from .objects import build
from .spec import SIDE_LIMIT, Scene, sample

Draw = np.random.Generator

SAME_SIDE = 30.0
"""Degrees between the directions of two instances: table legs and rungs are alike, so far around it is not said which one is meant."""
ROLL = 15.0


def degrees_between(a: Scene, b: Scene) -> float:
    """Angle of the rotation that takes the object as seen in `a` to the object as seen in `b`."""
    turn = pose(b)[0] @ pose(a)[0].T
    return math.degrees(math.acos(min(max((float(np.trace(turn)) - 1) / 2, -1.0), 1.0)))


def turned(s: Scene, g: Draw, low: float, high: float) -> Scene:
    """The same object, seen from a direction that differs by `low` up to `high` degrees and is one that training may draw."""
    limit = SIDE_LIMIT.get(s.cls)
    while True:
        yaw = s.yaw + math.radians(g.uniform(-high, high))
        elevation = s.elevation + math.radians(g.uniform(-high, high))
        roll = s.roll + math.radians(min(ROLL, high)) * g.uniform(-1, 1)
        if not (-0.05 <= elevation <= 0.75 and abs(roll) <= 0.3):
            continue
        if limit is not None and (abs(math.sin(yaw)) > math.sin(limit) or (math.cos(yaw) > 0) != (math.cos(s.yaw) > 0)):
            continue
        view = _elsewhere(replace(s, yaw=yaw, elevation=elevation, roll=roll), g)
        if low <= degrees_between(s, view) < high:
            return view


def another(s: Scene, g: Draw) -> Scene:
    """Another photo of one unhidden object of the class, made of the same parts, from about the same side."""
    while True:
        other = sample(g, s.cls, companion_share=0.0)
        if parts_of(other) == parts_of(s):
            break
    seen = turned(s, g, 0.0, SAME_SIDE)
    place = {f: getattr(seen, f) for f in ("yaw", "elevation", "roll", "distance", "dx", "dy", "lying")}
    return replace(other, style="photo", occluder="none", **place)


def parts_of(s: Scene) -> tuple[tuple[int, int, int], ...]:
    """What the object is made of, part by part: two instances with the same parts have the same landmarks."""
    return tuple((p.kind, p.material, p.caps) for p in build(s.cls, instance=s.instance, stretch=s.stretch, variant=s.variant))


def _elsewhere(s: Scene, g: Draw) -> Scene:
    """Moved past the middle of the frame, sideways and up or down; far enough away to be in the picture."""
    dx = s.dx - math.copysign(float(g.uniform(0.3, 0.45)), s.dx)
    dy = s.dy - math.copysign(float(g.uniform(0.25, 0.35)), s.dy)
    return replace(s, dx=dx, dy=dy, distance=float(g.uniform(3.4, 4.0)))
