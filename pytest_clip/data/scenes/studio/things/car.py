"""A car. Its front looks along +z."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import BLACK, CHROME, RUBBER, SIDES, Draw, one, section, tinted, turn

PAINTS = (
    (0.65, 0.06, 0.07),
    (0.08, 0.18, 0.45),
    (0.78, 0.79, 0.8),
    (0.9, 0.9, 0.9),
    (0.07, 0.07, 0.08),
    (0.85, 0.65, 0.08),
    (0.15, 0.3, 0.22),
)


def car(g: Draw, s: Sculptor) -> None:
    """A saloon or hatchback: body and glasshouse lofted from front to back."""
    paint = s.material(tinted(g, one(g, PAINTS), 0.03), mirror=0.06, gloss=0.95)
    glass, dark = s.material((0.05, 0.06, 0.07), mirror=0.08, gloss=0.97), s.material(BLACK, mirror=0.03, gloss=0.3)
    chrome = s.material(CHROME, mirror=0.6, gloss=0.85, metal=True)
    half, hood, hatch = g.uniform(0.78, 0.84), g.uniform(0.78, 0.84), g.random() < 0.4
    z = np.array([-2.05, -2.0, -1.8, -1.3, -0.6, 0.0, 0.6, 0.9, 1.3, 1.75, 1.98, 2.06])
    deck = hood + (0.02 if hatch else 0.04)
    top = np.interp(z, [-2.05, -1.95, -1.5, 0.9, 1.3, 1.8, 2.06], [0.66, deck - 0.03, deck + 0.04, hood + 0.06, hood, hood - 0.12, 0.5])
    bottom = np.interp(z, [-2.05, -1.8, 1.8, 2.06], [0.36, 0.24, 0.2, 0.3])
    wide = np.interp(z, [-2.05, -1.9, -1.3, 1.2, 1.8, 2.06], [0.82, 0.94, 1.0, 1.0, 0.92, 0.74]) * half
    s.loft(np.stack([section(w, b, t, zz) for w, b, t, zz in zip(wide, bottom, top, z, strict=True)]), paint)
    roof = g.uniform(1.34, 1.42)
    rear = -1.95 if hatch else -1.6
    marks = [(rear, deck - 0.02), (rear + 0.35, roof - 0.12), (-0.75, roof), (0.15, roof - 0.02), (0.45, roof - 0.12), (1.15, hood)]
    side = smooth([(a, b) for a, b in marks], 4)
    cabin: list[Any] = []
    cover: list[Any] = []
    inner: list[Any] = []
    for zz, y in side:
        lift = max(y - hood, 0.0)
        lower, upper = half * 0.93, half * (0.93 - 0.42 * lift)
        cabin.append([(-lower, hood - 0.05, zz), (-upper, y, zz), (upper, y, zz), (lower, hood - 0.05, zz)])
        if y > roof - 0.16:
            cover.append([(x * upper * 1.005, y + 0.012 - 0.03 * abs(x) ** 3, zz) for x in np.linspace(-1, 1, 9)])
    del inner
    P = np.array(cabin)
    s.sheet(P[:, :2], glass)
    s.sheet(P[:, 2:], glass)
    s.sheet(P[:, 1:3], glass)
    s.sheet(np.array(cover), paint)
    for x in SIDES:
        k = 0 if x < 0 else 3
        edge = P[:, 1 if x < 0 else 2] + (0, 0.01, 0)
        s.tube(edge, 0.035, paint, around=8)
        for at in (-0.35, 0.0 if hatch else -0.4, rear + 0.5):
            i = int(np.argmin(np.abs(side[:, 0] - at)))
            s.tube([P[i, k], P[i, 1 if x < 0 else 2]], 0.04, paint, around=8)
        _wheel(s, x * (half - 0.1), 1.28, x, g)
        _wheel(s, x * (half - 0.1), -1.25, x, g)
        for zz in (1.28, -1.25):
            s.lathe([(0.43, 0), (0.001, 0.001)], dark, at=(x * (half * 0.985), 0.34, zz), R=turn(z=-x * math.pi / 2))
        s.box((x * half * 0.995, 0.5, 0.02), (0.012, 0.008, 0.85), dark)
        for zz in (0.45, -0.45):
            s.box((x * (half + 0.004), 0.7, zz - 0.2), (0.014, 0.014, 0.07), chrome)
        s.ball((x * (half + 0.07), 0.92, 0.78), (0.08, 0.06, 0.05), paint, rows=8, around=12)
    _face(s, half, chrome, dark)


def _face(s: Sculptor, half: float, chrome: int, dark: int) -> None:
    lamp, red = s.material((0.93, 0.95, 0.97), mirror=0.12, gloss=0.95, glow=0.1), s.material((0.7, 0.04, 0.04), mirror=0.06, gloss=0.9)
    plate = s.material((0.92, 0.92, 0.9), mirror=0.04)
    for x in SIDES:
        s.ball((x * half * 0.66, 0.6, 1.93), (0.17, 0.075, 0.1), lamp, rows=10, around=16, R=turn(y=x * 0.25))
        s.ball((x * half * 0.7, 0.7, -1.99), (0.17, 0.075, 0.06), red, rows=10, around=16)
    s.box((0, 0.58, 2.03), (0.3, 0.055, 0.02), dark)
    s.box((0, 0.58, 2.045), (0.31, 0.012, 0.015), chrome)
    s.box((0, 0.33, 2.02), (0.5, 0.05, 0.04), dark)
    s.box((0, 0.44, 2.075), (0.22, 0.05, 0.01), plate)
    s.box((0, 0.55, -2.06), (0.22, 0.05, 0.01), plate)


def _wheel(s: Sculptor, x: float, z: float, side: int, g: Draw) -> None:
    tyre, rim = s.material(RUBBER, mirror=0.02, gloss=0.2), s.material((0.75, 0.76, 0.78), mirror=0.5, gloss=0.7, metal=True)
    deep = s.material((0.03, 0.03, 0.03))
    del g
    R = turn(z=-side * math.pi / 2)
    s.lathe([(0.2, -0.12), (0.32, -0.12), (0.35, -0.08), (0.35, 0.09), (0.32, 0.12), (0.235, 0.125)], tyre, at=(x, 0.35, z), R=R, around=32)
    s.lathe([(0.235, 0.12), (0.215, 0.1), (0.2, 0.05)], rim, at=(x, 0.35, z), R=R, around=32)
    s.lathe([(0.21, 0.05), (0.001, 0.05)], deep, at=(x, 0.35, z), R=R, around=32)
    for k in range(5):
        a = k * math.tau / 5
        way = np.array([(0.03 * math.cos(a), 0.1, 0.03 * math.sin(a)), (0.21 * math.cos(a), 0.085, 0.21 * math.sin(a))]) @ R.T
        s.tube(way + (x, 0.35, z), [0.035, 0.03], rim, around=6)
    s.lathe([(0.06, 0.1), (0.05, 0.12), (0.001, 0.122)], rim, at=(x, 0.35, z), R=R, around=16)
