"""A rocket."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import WHITE, Draw, one, tinted


def rocket(g: Draw, s: Sculptor) -> None:
    """A launcher that stands upright: white stages with dark bands, fins, engines, and boosters or none."""
    white, dark = s.material(tinted(g, WHITE, 0.03), mirror=0.05, gloss=0.6), s.material((0.06, 0.06, 0.07), mirror=0.04, gloss=0.5)
    metal = s.material((0.45, 0.43, 0.42), mirror=0.5, gloss=0.6, metal=True)
    accent = s.material(one(g, ((0.75, 0.1, 0.1), (0.1, 0.15, 0.45), (0.9, 0.45, 0.1), (0.06, 0.06, 0.07))), mirror=0.05, gloss=0.6)
    r, tall = g.uniform(0.3, 0.36), g.uniform(3.6, 4.2)
    low = 0.35
    s.lathe([(0.001, low), (r, low), (r, tall * 0.58), (r * 0.8, tall * 0.64), (r * 0.8, tall * 0.8)], white, around=40)
    s.lathe(
        smooth([(r * 0.8, tall * 0.8), (r * 0.77, tall * 0.85), (r * 0.55, tall * 0.93), (r * 0.2, tall), (0.001, tall * 1.02)], 6),
        accent if g.random() < 0.5 else white,
        around=40,
    )
    s.tube([(0, tall, 0), (0, tall * 1.08, 0)], 0.02, dark, around=6)
    for a, b, k in ((0.3, 0.33, 1), (0.56, 0.58, 1), (0.66, 0.675, 0.8), (0.78, 0.8, 0.8)):
        s.lathe([(r * k + 0.004, tall * a), (r * k + 0.004, tall * b)], dark, around=40)
    for k in range(8):
        P = [
            [((r + 0.005) * math.cos(a), y, (r + 0.005) * math.sin(a)) for a in np.linspace(k * math.tau / 8, (k + 1) * math.tau / 8, 5)]
            for y in (low, low + 0.45)
        ]
        s.sheet(np.array(P), dark if k % 2 else white)
    boosters = g.random() < 0.5
    for k in range(4):
        a = k * math.tau / 4 + 0.4
        c, d = math.cos(a), math.sin(a)
        s.lathe([(0.06, 0.34), (0.1, 0.2), (0.14, 0.02)], metal, at=(c * r * 0.5, 0, d * r * 0.5), around=20)
        if boosters:
            b, at = r * 0.5, (c * (r * 1.5), 0, d * (r * 1.5))
            s.lathe(
                [
                    (0.001, 0.25),
                    (b, 0.25),
                    (b, tall * 0.36),
                    *smooth([(b, tall * 0.36), (b * 0.7, tall * 0.43), (0.001, tall * 0.48)], 4).tolist(),
                ],
                white,
                at=at,
                around=24,
            )
            s.lathe([(b + 0.004, 0.5), (b + 0.004, 0.62)], accent, at=at, around=24)
            s.lathe([(b * 0.5, 0.25), (b * 0.8, 0.03)], metal, at=at, around=16)
        else:
            fin = np.array([(c * r, 1.2, d * r), (c * r, 0.3, d * r), (c * r * 2.1, 0.12, d * r * 2.1), (c * r * 2.1, 0.5, d * r * 2.1)])
            s.slab(fin + np.array([-d, 0, c]) * 0.02, np.array([d, 0, -c]) * 0.04, accent)
            s.ball((0, 0, 0), 1e-4, dark, rows=3, around=4)
