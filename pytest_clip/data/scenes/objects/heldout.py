"""Object classes that are never trained on: the `near` OOD set. Same conventions as `indoor`."""

from __future__ import annotations

import math

import numpy as np

from ..primitives import ACCENT, CARROT, DARK, LIGHT, WOOD, Builder

Draw = np.random.Generator
SIDES = (-1, 1)


def cactus(g: Draw, b: Builder) -> None:
    r = g.uniform(0.2, 0.25)
    b.rod((0, -0.9, 0), (0, 0.65, 0), r)
    b.ball((0, 0.65, 0), r)
    for s, y in ((-1, -0.1), (1, 0.15)):
        b.rod((0, y, 0), (s * 0.5, y, 0), 0.13)
        b.rod((s * 0.5, y, 0), (s * 0.5, y + 0.42, 0), 0.13)
        b.ball((s * 0.5, y + 0.42, 0), 0.13)
        b.ball((s * 0.5, y, 0), 0.13)
    b.rod((0, -1.0, 0), (0, -0.65, 0), 0.35, 0.42, ACCENT)


def sword(g: Draw, b: Builder) -> None:
    w = g.uniform(0.09, 0.12)
    b.box((0, 0.25, 0), (w, 0.62, 0.035))
    b.wedge((-w, 0.87, 0), (w, 0.87, 0), (0, 1.05, 0), (0, 0, 0.035))
    b.box((0, -0.38, 0), (0.36, 0.065, 0.075), ACCENT)
    b.rod((0, -0.4, 0), (0, -0.8, 0), 0.07, material=WOOD)
    b.ball((0, -0.87, 0), 0.12, ACCENT)


def bed(g: Draw, b: Builder) -> None:
    w = g.uniform(0.46, 0.55)
    b.box((0, -0.1, 0), (0.9, 0.14, w))
    b.box((-0.9, 0.15, 0), (0.06, 0.5, w + 0.02), WOOD)
    b.box((0.9, -0.05, 0), (0.05, 0.28, w + 0.02), WOOD)
    b.ball((-0.62, 0.1, 0), (0.2, 0.1, w * 0.72), LIGHT)


def castle(g: Draw, b: Builder) -> None:
    r = g.uniform(0.18, 0.23)
    b.box((0, -0.3, 0), (0.5, 0.4, 0.5))
    b.box((0, -0.5, 0.5), (0.15, 0.2, 0.02), DARK)
    for x in SIDES:
        for z in SIDES:
            b.rod((x * 0.55, -0.75, z * 0.55), (x * 0.55, 0.35, z * 0.55), r)
            b.rod((x * 0.55, 0.35, z * 0.55), (x * 0.55, 0.8, z * 0.55), r + 0.07, 0.01, ACCENT)


def bicycle(g: Draw, b: Builder) -> None:
    r = g.uniform(0.34, 0.39)
    for x in (-0.55, 0.55):
        b.arc((x, -0.3, 0), r, 0.05, 0, 2 * math.pi, 10, DARK)
    tubes = (
        ((-0.55, -0.3), (-0.2, 0.25)), ((-0.2, 0.25), (0.38, 0.25)), ((0.55, -0.3), (0.35, 0.42)), ((-0.55, -0.3), (0, -0.3)),
        ((0, -0.3), (0.38, 0.25)), ((0, -0.3), (-0.22, 0.4)),
    )  # fmt: skip
    for p, q in tubes:
        b.rod((*p, 0), (*q, 0), 0.05)
    b.rod((0.35, 0.42, -0.25), (0.35, 0.42, 0.25), 0.045, material=DARK)
    b.ball((-0.22, 0.42, 0), (0.16, 0.05, 0.09), DARK)


def candle(g: Draw, b: Builder) -> None:
    r = g.uniform(0.18, 0.23)
    b.rod((0, -0.6, 0), (0, 0.45, 0), r)
    b.rod((0, 0.45, 0), (0, 0.6, 0), 0.02, material=DARK)
    b.ball((0, 0.72, 0), (0.09, 0.17, 0.09), CARROT)
    b.rod((0, -0.72, 0), (0, -0.6, 0), 0.5, 0.42, ACCENT)
    b.arc((0.5, -0.66, 0), 0.14, 0.04, -2.2, 2.2, 5, ACCENT)
