"""A mug, a bottle and a lamp."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import BLACK, CHROME, GOLD, WHITE, WOODS, Draw, one, tinted


def mug(g: Draw, s: Sculptor) -> None:
    """Glazed, with a handle at its right side, and coffee in it."""
    colour = tinted(g, one(g, (WHITE, WHITE, (0.15, 0.25, 0.5), (0.7, 0.12, 0.1), (0.9, 0.85, 0.75), (0.2, 0.35, 0.3))))
    glaze = s.material(colour, mirror=0.05, gloss=0.9)
    r, h, wall, foot = g.uniform(0.4, 0.46), g.uniform(0.92, 1.05), 0.035, g.uniform(0.85, 1.0)
    s.lathe(
        [
            (0.001, 0.02),
            (r * foot * 0.9, 0),
            (r * foot, 0.03),
            (r * (foot + 1) / 2, 0.12),
            (r, 0.3),
            (r, h - 0.02),
            (r - wall / 2, h + 0.01),
            (r - wall, h - 0.02),
            (r - wall, 0.06),
            (0.001, 0.05),
        ],
        glaze,
        around=48,
    )
    coffee = s.material((0.16, 0.08, 0.04), mirror=0.05, gloss=0.95)
    s.lathe([(r - wall, h * 0.84), (0.001, h * 0.84)], coffee)
    top, low, out = h * g.uniform(0.8, 0.86), h * g.uniform(0.2, 0.28), g.uniform(0.26, 0.34)
    way = smooth(
        [
            (r - 0.02, top),
            (r + out * 0.6, top + 0.02),
            (r + out, top - 0.12),
            (r + out * 0.97, (top + low) / 2),
            (r + out * 0.7, low + 0.08),
            (r - 0.02, low),
        ],
        5,
    )
    s.tube(np.stack([way[:, 0], way[:, 1], 0 * way[:, 0]], 1), 0.055, glaze, flat=g.uniform(0.9, 1.5), around=12)
    if g.random() < 0.4:
        band = s.material(tinted(g, one(g, ((0.1, 0.2, 0.5), (0.6, 0.1, 0.1), (0.1, 0.3, 0.2)))), mirror=0.05, gloss=0.9)
        s.lathe([(r + 0.002, h * 0.62), (r + 0.002, h * 0.8)], band, around=48)


def bottle(g: Draw, s: Sculptor) -> None:
    """Of wine, of beer, or of water."""
    kind = one(g, ("wine", "wine", "beer", "water"))
    r = {"wine": 0.27, "beer": 0.26, "water": 0.25}[kind] * g.uniform(0.95, 1.05)
    if kind == "water":
        _water(g, s, r)
        return
    colour = (
        one(g, ((0.04, 0.10, 0.05), (0.03, 0.06, 0.03), (0.10, 0.16, 0.05)))
        if kind == "wine"
        else one(g, ((0.28, 0.12, 0.03), (0.06, 0.2, 0.08)))
    )
    glass = s.material(tinted(g, colour, 0.015), mirror=0.06, gloss=0.97)
    tall, neck = (2.05, 0.085) if kind == "wine" else (1.7, 0.085)
    shoulder = 1.22 if kind == "wine" else 0.95
    curve = smooth(
        [(r, shoulder), (r * 0.93, shoulder + 0.1), (r * 0.62, shoulder + 0.22), (neck * 1.25, shoulder + 0.36), (neck, shoulder + 0.5)], 5
    )
    s.lathe([(0.001, 0.03), (r * 0.9, 0), (r * 0.98, 0.02), (r, 0.06), *curve.tolist(), (neck, tall - 0.1)], glass, around=48)
    s.lathe([(neck + 0.02, tall - 0.13), (neck + 0.022, tall - 0.06), (neck, tall - 0.05), (neck, tall), (0.001, tall)], glass)
    paper = s.material(
        tinted(g, one(g, ((0.93, 0.90, 0.82), (0.95, 0.95, 0.93), (0.85, 0.75, 0.5), (0.75, 0.12, 0.1)))), mirror=0.03, gloss=0.3
    )
    ink = s.material(one(g, ((0.35, 0.08, 0.1), (0.1, 0.1, 0.12), (0.15, 0.2, 0.35), (0.6, 0.5, 0.25))), mirror=0.03, gloss=0.3)
    low, high = g.uniform(0.22, 0.34), shoulder - g.uniform(0.14, 0.24)
    s.lathe([(r + 0.004, low), (r + 0.004, high)], paper, around=48)
    s.lathe([(r + 0.006, low + 0.06), (r + 0.006, low + 0.10)], ink, around=48)
    s.lathe([(r + 0.006, high - 0.3), (r + 0.006, high - 0.12)], ink, around=48)
    cap = s.material(one(g, ((0.45, 0.06, 0.1), (0.1, 0.1, 0.1), GOLD)), mirror=0.3, gloss=0.7, metal=True)
    top = tall - (0.42 if kind == "wine" else 0.06)
    s.lathe(
        [
            (neck + 0.008, top),
            (neck + 0.008, tall - 0.13),
            (neck + 0.028, tall - 0.12),
            (neck + 0.028, tall - 0.05),
            (neck + 0.012, tall + 0.01),
            (0.001, tall + 0.012),
        ],
        cap,
    )
    if kind == "wine" and g.random() < 0.5:
        s.lathe([(r * 0.68 + 0.01, shoulder + 0.2), (neck * 1.7, shoulder + 0.3)], paper)


def _water(g: Draw, s: Sculptor, r: float) -> None:
    """Clear plastic with ribs, a coloured label and a screw cap."""
    plastic = s.material(one(g, ((0.72, 0.80, 0.86), (0.66, 0.76, 0.84), (0.55, 0.72, 0.85))), mirror=0.09, gloss=0.92)
    ribs = [(r * (1 + 0.03 * math.cos(k * math.pi)), 0.1 + k * 0.05) for k in range(20)]
    s.lathe([(0.001, 0.04), (r * 0.8, 0), (r, 0.06), *smooth(ribs, 2).tolist(), (r, 1.1)], plastic, around=40)
    s.lathe([*smooth([(r, 1.1), (r, 1.22), (r * 0.85, 1.38), (r * 0.5, 1.55), (0.1, 1.66), (0.095, 1.74)], 5).tolist()], plastic, around=40)
    label = s.material(tinted(g, one(g, ((0.1, 0.3, 0.7), (0.1, 0.5, 0.7), (0.75, 0.1, 0.12), (0.1, 0.45, 0.25)))), mirror=0.04, gloss=0.6)
    white = s.material(WHITE, mirror=0.04, gloss=0.6)
    s.lathe([(r + 0.012, 0.62), (r + 0.012, 1.06)], label, around=40)
    s.lathe([(r + 0.014, 0.76), (r + 0.014, 0.9)], white, around=40)
    cap = s.material(one(g, ((0.1, 0.25, 0.65), WHITE, (0.75, 0.1, 0.1))), mirror=0.04, gloss=0.6)
    s.lathe([(0.125, 1.7), (0.125, 1.84), (0.11, 1.86), (0.001, 1.86)], cap)


def lamp(g: Draw, s: Sculptor) -> None:
    """A table lamp: a turned or slim base, and a lit shade of cloth."""
    shade = s.material(
        tinted(g, one(g, ((0.93, 0.88, 0.76), (0.95, 0.93, 0.88), (0.88, 0.78, 0.6))), 0.02),
        mirror=0.0,
        gloss=0.1,
        glow=g.uniform(0.35, 0.55),
    )
    inside = s.material((1.0, 0.94, 0.78), mirror=0.0, glow=0.9)
    first, second = one(g, WOODS)
    kind = one(g, ("ceramic", "metal", "wood"))
    colour = one(g, ((0.2, 0.3, 0.45), (0.85, 0.84, 0.8), (0.3, 0.42, 0.38), (0.5, 0.2, 0.15)))
    body = {
        "ceramic": lambda: s.material(tinted(g, colour), mirror=0.05, gloss=0.9),
        "metal": lambda: s.material(one(g, (GOLD, CHROME, (0.35, 0.27, 0.2))), mirror=0.5, gloss=0.8, metal=True),
        "wood": lambda: s.material(first, second, "wood", 2.0, mirror=0.04, gloss=0.6),
    }[kind]()
    brass = s.material(GOLD, mirror=0.5, gloss=0.8, metal=True)
    w = g.uniform(0.8, 1.15)
    if g.random() < 0.5:
        outline = [
            (0.001, 0.0),
            (0.24, 0),
            (0.26, 0.03),
            (0.22, 0.06),
            (0.08, 0.1),
            (0.06, 0.2),
            (0.13, 0.32),
            (0.2, 0.48),
            (0.2, 0.58),
            (0.12, 0.76),
            (0.05, 0.86),
            (0.05, 0.92),
        ]
    else:
        outline = [
            (0.001, 0.0),
            (0.26, 0),
            (0.26, 0.03),
            (0.2, 0.05),
            (0.06, 0.08),
            (0.035, 0.14),
            (0.035, 0.5),
            (0.06, 0.53),
            (0.035, 0.57),
            (0.03, 0.92),
        ]
    s.lathe(np.array([*outline[:4], *smooth(outline[3:], 4)[1:].tolist()]) * [w, 1], body, around=40)
    s.lathe([(0.028, 0.9), (0.028, 1.05), (0.05, 1.06), (0.05, 1.14), (0.001, 1.14)], brass, around=20)
    low, high, bottom = g.uniform(0.42, 0.52), g.uniform(0.24, 0.36), g.uniform(0.88, 0.96)
    top = bottom + g.uniform(0.5, 0.62)
    s.lathe([(low, bottom), (high, top)], shade, around=48)
    s.lathe([(low - 0.01, bottom + 0.002), (high - 0.01, top - 0.002)], inside, around=48)
    trim = s.material(tinted(g, (0.8, 0.72, 0.58)), mirror=0.0)
    s.lathe([(low + 0.004, bottom - 0.005), (low + 0.003, bottom + 0.02)], trim, around=48)
    s.lathe([(high + 0.004, top - 0.02), (high + 0.003, top + 0.005)], trim, around=48)
    s.ball((0, top + 0.06, 0), 0.022, brass, rows=8, around=10)
    s.tube([(0, 1.1, 0), (0, top + 0.05, 0)], 0.008, brass, around=6)
    cord = s.material(BLACK)
    s.tube(smooth([(0, 0.012, -0.2), (0.25, 0.012, -0.4), (0.5, 0.012, -0.3), (0.7, 0.012, -0.5)], 6), 0.012, cord, around=6)
