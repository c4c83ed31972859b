"""A hammer, an umbrella, a dumbbell and a key."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import BLACK, CHROME, RUBBER, STEEL, WOODS, Draw, one, ring, tinted, turn


def hammer(g: Draw, s: Sculptor) -> None:
    """A claw hammer that lies on its side: steel head, wooden or rubber handle. The ground is y = 0, the handle lies along x."""
    steel = s.material(STEEL, mirror=0.6, gloss=0.72, metal=True, bump=0.02)
    h = 0.13
    length = g.uniform(1.75, 2.0)
    if g.random() < 0.6:
        first, second = one(g, WOODS[:3])
        grip = s.material(first, second, "wood across", 3, mirror=0.04, gloss=0.5)
        way = np.linspace(-length / 2, length / 2, 14)
        radius = np.interp(way / length + 0.5, [0, 0.06, 0.25, 0.45, 0.8, 1], [0.085, 0.1, 0.085, 0.075, 0.06, 0.07])
        s.tube(np.stack([way, 0 * way + h, 0 * way], 1), radius, grip, flat=0.72, around=14)
    else:
        rubber = s.material(one(g, (RUBBER, (0.1, 0.2, 0.5), (0.75, 0.3, 0.05), (0.65, 0.08, 0.08))), mirror=0.03, gloss=0.3)
        s.tube([(0, h, 0), (length / 2, h, 0)], 0.05, steel, flat=0.7)
        way = np.linspace(-length / 2, 0.1, 14)
        s.tube(np.stack([way, 0 * way + h, 0 * way], 1), 0.085 + 0.012 * np.sin(np.arange(14) * 1.3), rubber, flat=0.75, around=14)
    x = length / 2 - 0.02
    s.loft([np.stack([x + q[:, 1], h + q[:, 0], 0 * q[:, 0] + z], 1) for z, r, p in
            ((0.62, 0.13, 2), (0.61, 0.145, 2), (0.5, 0.145, 2), (0.46, 0.11, 2), (0.3, 0.095, 2), (0.2, 0.11, 5), (-0.14, 0.11, 5))
            for q in [ring(24, half=(r, r), power=p)]], steel)  # fmt: skip
    for side in (-1, 1):  # the claw: two tapered prongs that bend down to the grip
        way = smooth([(x + 0.01, -0.1), (x + 0.02, -0.3), (x - 0.04, -0.5), (x - 0.17, -0.68)], 5)
        y = np.linspace(0.05, 0.085, len(way)) * side
        s.tube(np.stack([way[:, 0], h + y, way[:, 1]], 1), np.linspace(0.095, 0.03, len(way)), steel, flat=0.55, around=12)


def umbrella(g: Draw, s: Sculptor) -> None:
    """Open and upright: eight panels of cloth between ribs, a shaft and a crook."""
    colour = tinted(
        g, one(g, ((0.75, 0.1, 0.12), (0.1, 0.2, 0.5), (0.08, 0.08, 0.09), (0.85, 0.65, 0.1), (0.15, 0.4, 0.25), (0.5, 0.2, 0.5)))
    )
    other = one(g, (colour, colour, (0.93, 0.93, 0.9), tinted(g, colour, 0.15)))
    cloth = [s.material(c, mirror=0.03, gloss=0.35) for c in (colour, other)]
    dark = s.material(BLACK, mirror=0.04, gloss=0.6)
    metal = s.material(CHROME, mirror=0.6, gloss=0.8, metal=True)
    panels, radius, top, drop = 8, 1.0, 1.95, g.uniform(0.48, 0.62)
    tilt = turn(x=-g.uniform(0.0, 0.35), z=g.uniform(-0.25, 0.25))

    def place(P: np.ndarray) -> np.ndarray:
        out: np.ndarray = (P - (0, 0, 0)) @ tilt.T
        return out

    u = np.linspace(0.02, 1, 12)[:, None]
    for k in range(panels):
        v = np.linspace(0, 1, 9)[None]
        a = (k + v) * math.tau / panels
        sag = 4 * v * (1 - v)
        r = radius * np.sin(u * 1.25) / math.sin(1.25) * (1 - 0.075 * sag * u)
        y = top - drop * (1 - np.cos(u * 1.25)) / (1 - math.cos(1.25)) + 0.05 * sag * u**2
        s.sheet(place(np.stack([r * np.cos(a), y + 0 * a, r * np.sin(a)], -1)), cloth[k % 2])
        turned = k * math.tau / panels
        rib = np.stack([u[:, 0] * 0 + 0, u[:, 0] * 0, u[:, 0] * 0], 1)
        ru, yu = radius * np.sin(u[:, 0] * 1.25) / math.sin(1.25), top - 0.015 - drop * (1 - np.cos(u[:, 0] * 1.25)) / (1 - math.cos(1.25))
        rib = np.stack([ru * math.cos(turned), yu, ru * math.sin(turned)], 1)
        s.tube(place(rib), 0.01, metal, around=5)
        s.tube(place(np.array([rib[6], (0, top - 0.75, 0)])), 0.009, metal, around=5)
    s.tube(place(np.array([(0, 0.35, 0), (0, top + 0.14, 0)])), 0.022, metal, around=8)
    first, second = one(g, WOODS)
    crook = s.material(*((first, second, "wood", 3) if g.random() < 0.6 else (BLACK,)), mirror=0.04, gloss=0.7)
    t = np.linspace(0, math.pi * 1.05, 12)
    hook = np.stack([0.14 - 0.14 * np.cos(t), 0.22 - 0.16 * np.sin(t), 0 * t], 1)
    s.tube(place(np.concatenate([[(0, 0.5, 0), (0, 0.32, 0)], hook])), 0.042, crook, around=10)
    s.tube(place(np.array([(0, top - 0.01, 0), (0, top + 0.16, 0)])), [0.035, 0.018], dark, around=8)


def dumbbell(g: Draw, s: Sculptor) -> None:
    """Two hexagonal or round heads of iron or rubber on a chromed, knurled bar that lies along x."""
    iron = s.material(one(g, (RUBBER, (0.1, 0.1, 0.11), (0.28, 0.29, 0.31))), mirror=0.045, gloss=0.55, bump=0.03)
    chrome = s.material(CHROME, mirror=0.7, gloss=0.85, metal=True)
    knurl = s.material((0.6, 0.6, 0.62), (0.4, 0.4, 0.42), "checks", 40, mirror=0.6, gloss=0.5, metal=True)
    R = turn(z=-math.pi / 2)
    kind = one(g, ("hex", "hex", "plates"))
    r = g.uniform(0.4, 0.46)
    high = r * math.cos(math.pi / 6) if kind == "hex" else r
    for side in (-1, 1):
        if kind == "hex":
            t = np.arange(6) * math.pi / 3
            outline = np.stack([np.cos(t), np.sin(t)], 1)
            rows = ((0.36, 0.8), (0.42, 1.0), (0.78, 1.0), (0.84, 0.8))
            loops = [np.stack([0 * t + side * x, high + r * k * outline[:, 1], r * k * outline[:, 0]], 1) for x, k in rows]
            for one_, two in pairwise(loops):
                s.facets(np.stack([one_, two, np.roll(two, -1, 0), np.roll(one_, -1, 0)], 1), iron)
            s.facets(np.stack([loops[0], loops[-1]]), iron)
            s.lathe(
                [(0.12, -0.845), (0.12, -0.86), (0.001, -0.86)], chrome, at=(0, high, 0), R=turn(z=-side * math.pi / 2) @ turn(x=math.pi)
            )
        else:
            for x, k in ((0.42, 1.0), (0.56, 1.0), (0.7, 0.75)):
                s.lathe([(0.05, -0.055), (r * k * 0.9, -0.055), (r * k, -0.04), (r * k, 0.04), (r * k * 0.9, 0.055), (0.05, 0.055)], iron,
                        at=(side * x, high, 0), R=R, around=48)  # fmt: skip
            s.lathe(
                [(0.07, 0.76), (0.09, 0.77), (0.09, 0.84), (0.07, 0.85), (0.06, 0.95), (0.001, 0.95)],
                chrome,
                at=(0, high, 0),
                R=turn(z=-side * math.pi / 2),
            )
    s.lathe(smooth([(0.065, -0.38), (0.075, -0.2), (0.08, 0), (0.075, 0.2), (0.065, 0.38)], 4), knurl, at=(0, high, 0), R=R)
    s.lathe([(0.11, -0.42), (0.11, -0.37), (0.06, -0.33)], chrome, at=(0, high, 0), R=R)
    s.lathe([(0.11, 0.42), (0.11, 0.37), (0.06, 0.33)], chrome, at=(0, high, 0), R=R)
