"""An airplane. Its nose looks along +z."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import RUBBER, SIDES, STEEL, WHITE, Draw, one, tinted, turn


def airplane(g: Draw, s: Sculptor) -> None:
    """An airliner on its wheels: swept wings with engines below, a fin, windows and a stripe."""
    white = s.material(tinted(g, WHITE, 0.03), mirror=0.05, gloss=0.85)
    trim = s.material(tinted(g, one(g, ((0.1, 0.2, 0.55), (0.75, 0.1, 0.12), (0.1, 0.45, 0.4), (0.9, 0.5, 0.1)))), mirror=0.05, gloss=0.85)
    grey, dark = s.material((0.62, 0.64, 0.67), mirror=0.05, gloss=0.7), s.material((0.06, 0.07, 0.09), mirror=0.08, gloss=0.95)
    metal, r, y = s.material(STEEL, mirror=0.5, gloss=0.75, metal=True), 0.26, 0.62
    nose = smooth([(0.001, 2.3), (0.1, 2.24), (0.19, 2.06), (0.25, 1.75), (r, 1.4)], 5)
    back = smooth([(r, -1.2), (0.22, -1.6), (0.13, -2.05), (0.03, -2.4)], 5)
    outline = np.concatenate([nose, [(r, 0.0)], back])
    R = turn(x=math.pi / 2)
    s.lathe(outline[:, ::1] * [1, 1], white, at=(0, y, 0), R=R, around=32)
    for x in SIDES:
        _wing(s, [(x * 0.2, y - 0.1, 0.75), (x * 1.0, y - 0.02, 0.12), (x * 2.15, y + 0.12, -0.72)], [1.25, 0.7, 0.28], 0.09, grey)
        _wing(s, [(x * 0.08, y + 0.08, -1.7), (x * 0.85, y + 0.16, -2.25)], [0.55, 0.25], 0.05, grey)
        R1 = turn(x=math.pi / 2)
        at = (x * 0.78, y - 0.23, 0.55)
        s.lathe(
            [(0.13, -0.3), (0.17, -0.1), (0.185, 0.15), (0.175, 0.3), (0.15, 0.31), (0.14, 0.25)],
            trim if g.random() < 0.3 else white,
            at=at,
            R=R1,
            around=24,
        )
        s.lathe([(0.15, 0.2), (0.001, 0.22)], dark, at=at, R=R1, around=24)
        s.lathe([(0.12, -0.3), (0.05, -0.45)], metal, at=at, R=R1, around=16)
        s.box((x * 0.78, y - 0.1, 0.4), (0.02, 0.08, 0.25), white)
        for z in np.arange(-1.35, 1.65, 0.11):
            a = 0.25
            s.ball((x * r * math.cos(a), y + r * math.sin(a), z), (0.012, 0.028, 0.02), dark, rows=6, around=8)
        P = [[(x * (r + 0.004) * math.cos(b), y + (r + 0.004) * math.sin(b), z) for b in (-0.02, 0.1)] for z in np.linspace(-1.2, 1.4, 12)]
        s.sheet(np.array(P), trim)
        _gear(s, (x * 0.3, 0, -0.15), metal)
    fin = [(0, y + 0.2, -1.55), (0, y + 0.25, -2.15), (0, y + 0.95, -2.45), (0, y + 0.95, -2.15)]
    s.slab(np.array(fin) + (0.02, 0, 0), (-0.04, 0, 0), trim)
    _gear(s, (0, 0, 1.6), metal)
    P = [[((0.215 + 0.004) * math.sin(b) * k, y + (0.215 * k + 0.004) * math.cos(b), z) for b in np.linspace(-0.75, 0.75, 11)]
         for z, k in ((1.98, 1.04), (2.08, 0.86))]  # fmt: skip
    s.sheet(np.array(P), dark)


def _wing(s: Sculptor, at: list[tuple[float, float, float]], chord: list[float], thick: float, m: int) -> None:
    """A lofted wing: an airfoil at each place, its front edge there, as long as `chord`."""
    t = np.linspace(0, math.tau, 24, endpoint=False)
    shape = np.stack([(np.cos(t) - 1) / 2, np.sin(t) * (0.55 + 0.45 * np.cos(t))], 1)
    s.loft([np.stack([0 * t + x, y + shape[:, 1] * thick * c, z + shape[:, 0] * c], 1) for (x, y, z), c in zip(at, chord, strict=True)], m)


def _gear(s: Sculptor, at: tuple[float, float, float], metal: int) -> None:
    tyre = s.material(RUBBER, mirror=0.02, gloss=0.2)
    s.tube([(at[0], 0.08, at[2]), (at[0], 0.5, at[2])], 0.025, metal, around=8)
    for x in SIDES:
        s.lathe(
            [(0.001, -0.03), (0.07, -0.03), (0.085, 0), (0.07, 0.03), (0.001, 0.03)],
            tyre,
            at=(at[0] + x * 0.06, 0.085, at[2]),
            R=turn(z=math.pi / 2),
            around=16,
        )
