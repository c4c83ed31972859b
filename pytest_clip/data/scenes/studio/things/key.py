"""A key."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ..mesh import Array, smooth
from ..sculptor import Sculptor
from .choices import BLACK, CHROME, GOLD, STEEL, Draw, one, ring, tinted, turn

METALS = (GOLD, STEEL, (0.6, 0.45, 0.25), CHROME)


def key(g: Draw, s: Sculptor) -> None:
    """It lies on the ground along x: an old one with a bit, or flat ones of modern locks; alone, as a bunch, beside a padlock or in it."""
    kind = s.kind(("old", "beside", "inside", "bunch", "beside", "inside", "flat", "beside", "inside", "bunch"))
    metal = s.material(one(g, METALS), mirror=0.6, gloss=0.7, metal=True, bump=0.02)
    if kind == "old":
        _old(g, s, metal)
    elif kind == "flat":
        _flat(g, s, metal, (0.0, 0.0, 0.0), 0.0)
    elif kind == "bunch":
        _bunch(g, s, metal)
    elif kind == "beside":
        (_old if g.random() < 0.4 else _lying)(g, s, metal)
        _padlock(g, s, (g.uniform(-0.3, 0.3), 0.0, -1.0), 0.62, g.uniform(-0.3, 0.3))
    else:
        _flat(g, s, metal, (-0.55, 0.12, 0.0), 0.0)
        _padlock(g, s, (0.72, 0.0, 0.0), 0.66, math.pi / 2)


def _lying(g: Draw, s: Sculptor, metal: int) -> None:
    _flat(g, s, metal, (0.0, 0.0, 0.0), g.uniform(-0.2, 0.2))


def _old(g: Draw, s: Sculptor, metal: int) -> None:
    r, y = g.uniform(0.26, 0.32), 0.08
    t = np.linspace(0, math.tau, 29)
    s.tube(np.stack([-0.9 + r * np.cos(t), 0 * t + y, r * 1.15 * np.sin(t)], 1), 0.065, metal)
    s.tube([(-0.9 + r, y, 0), (0.95, y, 0)], 0.07, metal, around=16)
    for x, k in ((-0.52, 0.12), (-0.42, 0.1), (0.4, 0.1)):
        s.lathe([(0.05, -0.03), (k, -0.02), (k, 0.02), (0.05, 0.03)], metal, at=(x, y, 0), R=turn(z=math.pi / 2), around=20)
    for x, z, w in ((0.6, 0.38, 0.05), (0.72, 0.28, 0.05), (0.84, 0.38, 0.05)):
        s.box((x, y, z / 2), (w, 0.035, z / 2), metal)
    s.box((0.72, y, 0.1), (0.17, 0.035, 0.1), metal)


def _flat(g: Draw, s: Sculptor, metal: int, at: tuple[float, float, float], way: float) -> None:
    """A flat key whose bow's hole is at (-0.88, 0, 0), turned by `way` around y and moved."""
    y, power, R = 0.05, one(g, (2.0, 2.0, 3.5)), turn(y=way)

    def placed(P: Array) -> Array:
        out: Array = P @ R.T + np.asarray(at)
        return out

    rim = ring(40, half=(0.4, g.uniform(0.36, 0.42)), power=power)
    hole = ring(40, half=(0.1, 0.1)) - (0.2, 0)
    inner = rim * 0.8
    loops = [np.stack([p[:, 0] - 0.72, 0 * p[:, 0] + high, p[:, 1]], 1) for p, high in
             ((hole, 2 * y), (inner, 2 * y), (rim * 0.86, 2.5 * y), (rim * 0.98, 2.5 * y), (rim, 2.2 * y), (rim, 0.0))]  # fmt: skip
    for one_, two in pairwise(loops):
        s.sheet(placed(np.stack([one_, two])), metal, around=True)
    s.sheet(placed(np.stack([loops[0], loops[0] - (0, 2 * y, 0)])), metal, around=True)
    teeth = g.uniform(0.02, 0.13, 7)
    xs = np.linspace(-0.35, 0.95, 15)
    cut = np.interp(np.arange(15), np.arange(1, 14, 2), teeth) * (np.arange(15) % 2)
    low = np.stack([xs, 0.14 - cut], 1)
    up = np.array([0, 2 * y, 0])
    for a, b in pairwise(low):
        s.slab(placed(np.array([(a[0], 0, -0.14), (b[0], 0, -0.14), (b[0], 0, b[1]), (a[0], 0, a[1])])), up, metal)
    s.slab(placed(np.array([(0.95, 0, -0.14), (1.08, 0, -0.02), (0.95, 0, 0.14)])), up, metal)
    groove = s.material((0.25, 0.22, 0.18), mirror=0.1, metal=True)
    s.box(placed(np.array([0.28, 2 * y + 0.002, -0.05])), (0.58, 0.002, 0.02), groove, R=R)


def _bunch(g: Draw, s: Sculptor, metal: int) -> None:
    """Two or three on a split ring, some with a leather tag."""
    steel = s.material(CHROME, mirror=0.6, gloss=0.8, metal=True)
    t = np.linspace(0, 2 * math.tau, 57)
    s.tube(np.stack([-1.1 + 0.33 * np.cos(t), 0.16 + 0.02 * t / math.tau, 0.33 * np.sin(t)], 1), 0.028, steel, around=8)
    n = int(g.integers(2, 4))
    for k in range(n):
        way = (k - (n - 1) / 2) * g.uniform(0.4, 0.6)
        R = turn(y=way)
        hole = R @ np.array([-0.92, 0, 0])
        other = metal if k == 0 else s.material(one(g, METALS), mirror=0.6, gloss=0.7, metal=True, bump=0.02)
        end = np.array([-1.1 + 0.33 * math.cos(way), 0.0, -0.33 * math.sin(way)])
        _flat(g, s, other, tuple(end - hole + (0, 0.05 * k, 0)), way)
    if g.random() < 0.6:
        hide = s.material(tinted(g, one(g, ((0.4, 0.22, 0.1), BLACK, (0.55, 0.1, 0.08)))), mirror=0.03, gloss=0.4, bump=0.15, scale=4)
        tag = ring(36, half=(0.5, 0.3), power=4) @ np.array([[0.8, 0.6], [-0.6, 0.8]]) - (1.7, 0.45)
        s.slab(np.stack([tag[:, 0], 0 * tag[:, 0] + 0.02, tag[:, 1]], 1), (0, 0.09, 0), hide)


def _padlock(g: Draw, s: Sculptor, at: tuple[float, float, float], size: float, way: float) -> None:
    """Lies on its back: a body of brass or steel and a shackle; its keyhole looks to +z before it is turned by `way`."""
    body = s.material(one(g, (GOLD, GOLD, (0.45, 0.46, 0.48), (0.12, 0.2, 0.45))), mirror=0.45, gloss=0.6, metal=True, bump=0.03)
    steel = s.material(CHROME, mirror=0.7, gloss=0.85, metal=True)
    R, c = turn(y=-way), np.asarray(at)
    q = ring(40, half=(0.62, 0.5), power=5) * size
    loops = [
        np.stack([q[:, 0] * k, 0 * q[:, 0] + y * size, q[:, 1] * k], 1) for y, k in ((0.0, 0.94), (0.05, 1.0), (0.36, 1.0), (0.41, 0.94))
    ]
    s.loft([p @ R.T + c for p in loops], body)
    for y in (0.425,):
        inner = np.stack([q[:, 0] * 0.72, 0 * q[:, 0] + y * size, q[:, 1] * 0.72], 1)
        s.loft([p @ R.T + c for p in (inner - (0, 0.02 * size, 0), inner)], body)
    bow = [(x * 0.36, 0.21, -z) for x, z in ((-1, 0.4), (-1, 0.95), (-0.72, 1.3), (0, 1.45), (0.72, 1.3), (1, 0.95), (1, 0.4))]
    s.tube(smooth(np.array(bow) * size, 5) @ R.T + c, 0.085 * size, steel, around=12)
    plug = s.material((0.7, 0.55, 0.25), mirror=0.5, gloss=0.6, metal=True)
    s.lathe(
        [(0.14, 0.0), (0.14, 0.03), (0.001, 0.03)], plug, at=np.array([0, 0.2, 0.49]) * size @ R.T + c, R=R @ turn(x=math.pi / 2), around=20
    )
