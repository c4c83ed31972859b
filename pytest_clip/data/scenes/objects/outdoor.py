"""Vehicles, buildings, plants and animals of the training classes; same conventions as `indoor`."""

from __future__ import annotations

import math

import numpy as np

from ..primitives import ACCENT, DARK, LIGHT, WOOD, Builder, rotation

Draw = np.random.Generator
SIDES = (-1, 1)


def car(g: Draw, b: Builder) -> None:
    length, w, h, cabin = g.uniform(0.88, 0.98), g.uniform(0.38, 0.44), g.uniform(0.16, 0.2), g.uniform(-0.15, 0.05)
    roof = -0.1 + h + 0.15
    b.box((0, -0.1, 0), (length, h, w))
    b.box((cabin, roof, 0), (length * 0.5, 0.17, w * 0.88))
    b.box((cabin, roof, 0), (length * 0.515, 0.11, w * 0.8), DARK)
    b.box((cabin, roof, 0), (length * 0.4, 0.11, w * 0.9), DARK)
    for x in (-0.58, 0.58):
        for z in SIDES:
            b.rod((x * length, -0.28, z * (w - 0.06)), (x * length, -0.28, z * (w + 0.06)), 0.21, material=DARK)
    for z in SIDES:
        b.ball((length, -0.07, z * w * 0.65), (0.05, 0.08, 0.08), LIGHT)


def house(g: Draw, b: Builder) -> None:
    w, d, h, rise = g.uniform(0.6, 0.72), g.uniform(0.5, 0.62), g.uniform(0.36, 0.46), g.uniform(0.45, 0.6)
    eaves = 0.05
    b.box((0, -h + eaves, 0), (w, h, d))
    b.wedge((0, eaves, -d), (0, eaves, d), (0, eaves + rise, 0), (w, 0, 0))
    slope, length = math.atan2(rise, d), math.hypot(rise, d)
    for s in SIDES:  # two slabs that meet in the ridge and overhang the walls by 0.12
        mid = (length - 0.12) / 2 - 0.06
        y, z = eaves + rise - math.sin(slope) * (length / 2 + 0.06) + 0.05, s * math.cos(slope) * (length / 2 + 0.06)
        b.box((0, y, z), (w + 0.1, 0.05, mid + 0.18), ACCENT, R=rotation(x=s * slope))
    b.box((w, -2 * h + eaves + h * 0.58, 0), (0.03, h * 0.58, 0.15), DARK)
    for z in SIDES:
        b.box((0, -h + 0.1, z * d), (0.17, 0.15, 0.03), LIGHT)
    b.box((-w * 0.5, eaves + rise * 0.75, 0.2), (0.09, 0.27, 0.09))


def tree(g: Draw, b: Builder) -> None:
    b.rod((0, -1, 0), (0, -0.1, 0), 0.13, 0.1, WOOD)
    if g.random() < 0.5:
        for y, r in ((-0.45, 0.62), (-0.02, 0.5), (0.38, 0.36)):
            b.rod((0, y, 0), (0, y + 0.6, 0), r, 0.02)
        return
    b.ball((0, 0.35, 0), (0.55, 0.5, 0.55))
    for i in range(3):
        t = 2.1 * i + g.uniform(0, 1)
        b.ball((0.38 * math.cos(t), g.uniform(0.05, 0.4), 0.38 * math.sin(t)), 0.34)


def airplane(g: Draw, b: Builder) -> None:
    span = g.uniform(0.75, 0.95)
    b.rod((-0.85, 0, 0), (0.7, 0, 0), 0.1, 0.18)
    b.ball((0.7, 0, 0), (0.28, 0.18, 0.18))
    for z in SIDES:
        b.box((0.05, -0.03, z * span / 2), (0.22, 0.035, span / 2), R=rotation(y=z * 0.3))
        b.box((-0.75, 0.03, z * 0.2), (0.13, 0.03, 0.24))
        b.rod((-0.05, -0.15, z * span * 0.5), (0.3, -0.15, z * span * 0.5), 0.08, material=ACCENT)
    b.box((-0.77, 0.24, 0), (0.13, 0.25, 0.03), ACCENT)


def rocket(g: Draw, b: Builder) -> None:
    r = g.uniform(0.24, 0.32)
    b.rod((0, -0.6, 0), (0, 0.4, 0), r)
    b.rod((0, 0.4, 0), (0, 1.0, 0), r, 0.02, ACCENT)
    for i in range(3):
        t = i * 2.094 + 0.4
        b.box((math.cos(t) * (r + 0.12), -0.6, math.sin(t) * (r + 0.12)), (0.18, 0.24, 0.035), ACCENT, R=rotation(y=-t))
    b.rod((0, -0.8, 0), (0, -0.6, 0), r * 0.8, r * 0.5, DARK)
    b.ball((0, 0.1, r * 0.9), (0.12, 0.12, 0.06), LIGHT)


def mushroom(g: Draw, b: Builder) -> None:
    r = g.uniform(0.62, 0.78)
    b.ball((0, 0.1, 0), (r, g.uniform(0.5, 0.65), r), cut=0.0)
    b.rod((0, 0.09, 0), (0, 0.11, 0), r * 0.99, material=LIGHT)
    b.rod((0, -0.85, 0), (0, 0.12, 0), 0.26, 0.19, LIGHT)


def sailboat(g: Draw, b: Builder) -> None:
    tall = g.uniform(0.95, 1.1)
    b.ball((0, -0.35, 0), (0.88, 0.45, 0.34), cut=0.05, R=rotation(x=math.pi))
    b.box((0, -0.37, 0), (0.64, 0.02, 0.2), WOOD)
    b.rod((0, -0.4, 0), (0, tall, 0), 0.035, material=WOOD)
    b.wedge((0.05, -0.22, 0), (0.72, -0.22, 0), (0.05, tall - 0.05, 0), (0, 0, 0.02))
    b.wedge((-0.06, -0.22, 0), (-0.52, -0.22, 0), (-0.06, tall - 0.25, 0), (0, 0, 0.02), LIGHT)


def dog(g: Draw, b: Builder) -> None:
    del g  # its proportions vary by the common jitter alone
    b.ball((0, 0, 0), (0.55, 0.25, 0.23))
    b.ball((0.6, 0.32, 0), (0.22, 0.2, 0.19))
    b.ball((0.8, 0.26, 0), (0.17, 0.1, 0.1))
    b.ball((0.95, 0.29, 0), 0.05, DARK)
    b.rod((0.4, 0.08, 0), (0.58, 0.28, 0), 0.15, 0.13)
    for x in (-0.38, 0.36):
        for z in SIDES:
            b.rod((x, -0.62, z * 0.13), (x, -0.05, z * 0.13), 0.075, 0.1)
    for z in SIDES:
        b.ball((0.53, 0.42, z * 0.15), (0.09, 0.17, 0.05), ACCENT)
    b.rod((-0.5, 0.1, 0), (-0.82, 0.42, 0), 0.07, 0.03)
