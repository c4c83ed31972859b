"""A chair, a table and a ladder."""

from __future__ import annotations

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import SIDES, WOODS, Draw, one, tinted, turn


def chair(g: Draw, s: Sculptor) -> None:
    """A dining chair of wood: four legs, stretchers, a seat and a back of slats or spindles."""
    first, second = one(g, WOODS)
    wood = s.material(first, second, "wood", 1.5, mirror=0.04, gloss=0.5)
    across = s.material(first, second, "wood across", 1.5, mirror=0.04, gloss=0.5)
    w, d, seat, tall = g.uniform(0.42, 0.46), g.uniform(0.4, 0.45), g.uniform(0.84, 0.92), g.uniform(1.75, 2.0)
    lean = g.uniform(0.12, 0.2)
    padded = g.random() < 0.4
    cloth = s.material(
        tinted(g, one(g, ((0.55, 0.15, 0.15), (0.2, 0.28, 0.4), (0.75, 0.68, 0.55), (0.25, 0.35, 0.25)))), mirror=0.0, bump=0.15, scale=8
    )
    s.box((0, seat - 0.03, 0), (w, 0.035, d), across)
    if padded:
        s.loft(
            [
                np.stack(
                    [
                        (w - 0.03 - c) * np.sign(q[:, 0]) * np.abs(q[:, 0]) ** 0.35,
                        0 * q[:, 0] + y,
                        (d - 0.03 - c) * np.sign(q[:, 1]) * np.abs(q[:, 1]) ** 0.35,
                    ],
                    1,
                )
                for y, c in ((seat, 0.0), (seat + 0.05, 0.0), (seat + 0.08, 0.04), (seat + 0.09, 0.14))
                for q in [_circle(40)]
            ],
            cloth,
        )
    for x in SIDES:
        s.tube([(x * (w - 0.05), seat - 0.05, d - 0.05), (x * (w - 0.03), 0.0, d - 0.03)], [0.045, 0.032], wood)
        post = smooth(
            [
                (x * (w - 0.03), 0, -d - 0.06),
                (x * (w - 0.05), seat * 0.6, -d + 0.04),
                (x * (w - 0.05), seat, -d + 0.04),
                (x * (w - 0.05), tall, -d - lean),
            ],
            5,
        )
        s.tube(post, 0.042, wood)
        s.tube([(x * (w - 0.04), seat * 0.35, d - 0.04), (x * (w - 0.04), seat * 0.35, -d + 0.02)], 0.022, wood)
        s.box((x * (w - 0.05), seat - 0.1, 0), (0.02, 0.05, d - 0.06), wood)
    s.tube([(-w + 0.04, seat * 0.35, 0), (w - 0.04, seat * 0.35, 0)], 0.022, across)
    for z in (d - 0.05, -d + 0.04):
        s.box((0, seat - 0.1, z), (w - 0.06, 0.05, 0.02), across)

    def back(y: float) -> float:
        return -d + 0.04 - (y - seat) / (tall - seat) * (lean + 0.04)

    R = turn(x=-float(np.arctan2(lean, tall - seat)))
    if g.random() < 0.5:
        for y in np.linspace(seat + 0.28, tall - 0.06, int(g.integers(3, 5))):
            s.box((0, y, back(y)), (w - 0.06, 0.06, 0.018), across, R=R)
    else:
        s.box((0, tall - 0.05, back(tall - 0.05)), (w + 0.01, 0.07, 0.024), across, R=R)
        s.box((0, seat + 0.15, back(seat + 0.15)), (w - 0.06, 0.025, 0.02), across, R=R)
        for x in np.linspace(-w + 0.16, w - 0.16, int(g.integers(4, 6))):
            s.tube([(x, seat + 0.15, back(seat + 0.15)), (x, tall - 0.08, back(tall - 0.08))], 0.018, wood, around=8)


def _circle(n: int) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(t), -np.sin(t)], 1)


def table(g: Draw, s: Sculptor) -> None:
    """A dining table of wood with a thick top and four turned or straight legs."""
    first, second = one(g, WOODS)
    wood = s.material(first, second, "wood", 1.3, mirror=0.04, gloss=0.6)
    across = s.material(first, second, "wood across", 1.3, mirror=0.04, gloss=0.7)
    w, d, h = g.uniform(0.95, 1.2), g.uniform(0.55, 0.68), g.uniform(0.84, 0.94)
    s.box((0, h, 0), (w, 0.035, d), across)
    s.box((0, h - 0.05, 0), (w - 0.02, 0.015, d - 0.02), across)
    for z in SIDES:
        s.box((0, h - 0.12, z * (d - 0.1)), (w - 0.12, 0.06, 0.018), across)
    for x in SIDES:
        s.box((x * (w - 0.1), h - 0.12, 0), (0.018, 0.06, d - 0.12), wood)
    turned = g.random() < 0.5
    for x in SIDES:
        for z in SIDES:
            at = (x * (w - 0.1), 0, z * (d - 0.1))
            if turned:
                outline = [
                    (0.001, 0),
                    (0.035, 0),
                    (0.04, 0.03),
                    (0.03, 0.08),
                    (0.045, 0.3),
                    (0.055, 0.5),
                    (0.04, 0.6),
                    (0.06, 0.63),
                    (0.045, 0.67),
                ]
                s.lathe(smooth(outline, 3), wood, at=at, around=16)
                s.box((at[0], h - 0.15, at[2]), (0.06, 0.11, 0.06), wood)
            else:
                s.box((at[0], h / 2, at[2]), (0.05, h / 2, 0.05), wood)
