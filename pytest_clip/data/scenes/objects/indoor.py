"""Household objects of the training classes. Each function draws one instance: `g` decides its proportions, `b` collects its parts."""

from __future__ import annotations

import math

import numpy as np

from ..primitives import ACCENT, DARK, LIGHT, WOOD, Builder

Draw = np.random.Generator
SIDES = (-1, 1)


def mug(g: Draw, b: Builder) -> None:
    h, r, taper = g.uniform(0.55, 0.8), g.uniform(0.42, 0.55), g.uniform(0.85, 1.0)
    b.rod((0, -h, 0), (0, h, 0), r * taper, r, caps=1)
    b.rod((0, -h * 0.9, 0), (0, h, 0), r * taper * 0.88, r * 0.88, caps=1)
    b.arc((r * 0.93, 0, 0), h * 0.55, 0.09, -1.45, 1.45, 5)


def chair(g: Draw, b: Builder) -> None:
    w, seat = g.uniform(0.4, 0.5), g.uniform(-0.05, 0.1)
    b.box((0, seat, 0), (w, 0.07, w))
    for x in SIDES:
        for z in SIDES:
            b.box((x * (w - 0.07), seat - 0.405, z * (w - 0.07)), (0.07, 0.395, 0.07), ACCENT)
    if g.random() < 0.5:
        b.box((0, seat + 0.48, -w + 0.06), (w, 0.48, 0.06))
        return
    for x in SIDES:
        b.box((x * (w - 0.06), seat + 0.45, -w + 0.06), (0.06, 0.45, 0.06))
    b.box((0, seat + 0.75, -w + 0.06), (w, 0.17, 0.06))
    b.box((0, seat + 0.35, -w + 0.06), (w, 0.08, 0.05))


def table(g: Draw, b: Builder) -> None:
    w, d, h = g.uniform(0.75, 0.95), g.uniform(0.5, 0.65), g.uniform(0.4, 0.55)
    b.box((0, h, 0), (w, 0.09, d))
    for x in SIDES:
        for z in SIDES:
            b.rod((x * (w - 0.1), -h * 0.8, z * (d - 0.1)), (x * (w - 0.1), h, z * (d - 0.1)), 0.065, 0.085, ACCENT)


def lamp(g: Draw, b: Builder) -> None:
    wide, narrow = g.uniform(0.5, 0.62), g.uniform(0.25, 0.35)
    b.rod((0, 0.2, 0), (0, 0.85, 0), wide, narrow, caps=0)
    b.rod((0, -0.85, 0), (0, 0.4, 0), 0.06, material=ACCENT)
    b.rod((0, -0.95, 0), (0, -0.82, 0), 0.4, 0.32, ACCENT)
    b.ball((0, 0.42, 0), 0.15, LIGHT)


def bottle(g: Draw, b: Builder) -> None:
    r, h = g.uniform(0.3, 0.4), g.uniform(0.35, 0.5)
    top = -0.95 + 2 * h
    b.rod((0, -0.95, 0), (0, top, 0), r)
    b.ball((0, top, 0), (r, 0.22, r))
    b.rod((0, top + 0.1, 0), (0, top + 0.62, 0), r * 0.42, r * 0.33)
    b.rod((0, top + 0.55, 0), (0, top + 0.72, 0), r * 0.42, material=ACCENT)


def hammer(g: Draw, b: Builder) -> None:
    length = g.uniform(0.8, 0.95)
    b.rod((0, -length, 0), (0, 0.75, 0), 0.1, 0.085, ACCENT)
    b.rod((0, 0.72, 0), (0.45, 0.72, 0), 0.16)
    b.rod((0.4, 0.72, 0), (0.52, 0.72, 0), 0.22)
    b.box((-0.12, 0.72, 0), (0.16, 0.16, 0.15))
    b.rod((-0.2, 0.72, 0), (-0.58, 0.58, 0), 0.16, 0.03)


def umbrella(g: Draw, b: Builder) -> None:
    r = g.uniform(0.8, 0.95)
    b.ball((0, 0.2, 0), (r, g.uniform(0.5, 0.65), r), cut=0.02)
    b.rod((0, -0.7, 0), (0, 0.95, 0), 0.045, material=ACCENT)
    b.arc((0.17, -0.7, 0), 0.17, 0.05, math.pi, 2 * math.pi, 4, ACCENT)


def dumbbell(g: Draw, b: Builder) -> None:
    length, r = g.uniform(0.45, 0.55), g.uniform(0.36, 0.45)
    b.rod((-length, 0, 0), (length, 0, 0), 0.08, material=ACCENT)
    for s in SIDES:
        b.rod((s * length, 0, 0), (s * (length + 0.18), 0, 0), r)
        b.rod((s * (length + 0.16), 0, 0), (s * (length + 0.32), 0, 0), r * 0.7)


def ladder(g: Draw, b: Builder) -> None:
    w, rungs = g.uniform(0.3, 0.4), int(g.integers(5, 7))
    for s in SIDES:
        b.box((s * w, 0, 0), (0.075, 1.0, 0.07))
    for i in range(rungs):
        b.box((0, -0.8 + 1.6 * i / (rungs - 1), 0), (w, 0.055, 0.05), ACCENT)


def key(g: Draw, b: Builder) -> None:
    b.arc((0, 0.58, 0), 0.32, 0.115, 0, 2 * math.pi, 8)
    b.rod((0, 0.3, 0), (0, -0.95, 0), 0.1)
    for i in range(int(g.integers(2, 4))):
        b.box((0.2, -0.85 + 0.24 * i, 0), (0.2 if i % 2 == 0 else 0.14, 0.075, 0.07))


def snowman(g: Draw, b: Builder) -> None:
    b.ball((0, -0.55, 0), g.uniform(0.42, 0.48))
    b.ball((0, 0.08, 0), 0.33)
    b.ball((0, 0.55, 0), 0.23)
    b.rod((0, 0.53, 0.2), (0, 0.5, 0.5), 0.07, 0.01, 5)
    b.rod((0, 0.7, 0), (0, 0.74, 0), 0.28, material=DARK)
    b.rod((0, 0.72, 0), (0, 1.0, 0), 0.18, material=DARK)
    for s in SIDES:
        b.rod((s * 0.28, 0.15, 0), (s * 0.75, 0.38, 0), 0.03, material=WOOD)
        b.ball((s * 0.08, 0.6, 0.2), 0.04, DARK)
