"""Sub-shapes of the training classes that training never shows: the `subcategory` factor. Same conventions as `indoor`."""

from __future__ import annotations

import math

import numpy as np

from ..primitives import ACCENT, DARK, LIGHT, WOOD, Builder, rotation

Draw = np.random.Generator
SIDES = (-1, 1)


def mug(g: Draw, b: Builder) -> None:
    """A bowl-shaped cup with two handles."""
    r = g.uniform(0.55, 0.65)
    b.rod((0, -0.4, 0), (0, 0.4, 0), r * 0.55, r, caps=1)
    b.rod((0, -0.33, 0), (0, 0.4, 0), r * 0.48, r * 0.9, caps=1)
    for s in SIDES:
        b.arc((s * r * 0.85, 0.08, 0), 0.26, 0.08, -1.4, 1.4, 5, u=(s, 0, 0))


def chair(g: Draw, b: Builder) -> None:
    """An armchair without legs."""
    w = g.uniform(0.5, 0.58)
    b.box((0, -0.35, 0), (w, 0.25, w))
    b.box((0, 0.15, -w), (w, 0.6, 0.12))
    for s in SIDES:
        b.box((s * w, -0.15, 0), (0.12, 0.4, w), ACCENT)


def table(g: Draw, b: Builder) -> None:
    """A round table on one foot."""
    r, h = g.uniform(0.7, 0.85), g.uniform(0.4, 0.55)
    b.rod((0, h - 0.08, 0), (0, h + 0.08, 0), r)
    b.rod((0, -0.6, 0), (0, h, 0), 0.1, material=ACCENT)
    b.rod((0, -0.66, 0), (0, -0.55, 0), 0.42, 0.3, ACCENT)


def lamp(g: Draw, b: Builder) -> None:
    """A globe lamp on a bent arm."""
    r = g.uniform(0.3, 0.36)
    b.rod((-0.3, -0.95, 0), (-0.3, -0.83, 0), 0.4, 0.32, ACCENT)
    b.rod((-0.3, -0.85, 0), (-0.3, 0.55, 0), 0.055, material=ACCENT)
    b.arc((0.0, 0.55, 0), 0.3, 0.055, 0.2, math.pi, 5, ACCENT)
    b.ball((0.3, 0.3, 0), r)


def bottle(g: Draw, b: Builder) -> None:
    """A flat square flask."""
    w = g.uniform(0.38, 0.46)
    b.box((0, -0.35, 0), (w, 0.5, 0.2))
    b.rod((0, 0.15, 0), (0, 0.45, 0), 0.14)
    b.rod((0, 0.42, 0), (0, 0.62, 0), 0.19, material=ACCENT)


def car(g: Draw, b: Builder) -> None:
    """A pick-up van: tall box behind, cabin in front."""
    w = g.uniform(0.4, 0.45)
    b.box((-0.3, 0.12, 0), (0.62, 0.4, w))
    b.box((0.6, -0.05, 0), (0.34, 0.25, w))
    b.box((0.72, 0.06, 0), (0.23, 0.1, w * 1.02), DARK)
    for x in (-0.55, 0.55):
        for z in SIDES:
            b.rod((x, -0.3, z * (w - 0.06)), (x, -0.3, z * (w + 0.06)), 0.21, material=DARK)


def house(g: Draw, b: Builder) -> None:
    """A round tower house with a conical roof."""
    r = g.uniform(0.5, 0.6)
    b.rod((0, -0.85, 0), (0, 0.15, 0), r)
    b.rod((0, 0.12, 0), (0, 0.9, 0), r * 1.25, 0.02, ACCENT)
    b.box((0, -0.55, r), (0.15, 0.3, 0.05), DARK)
    for s in SIDES:
        b.box((s * r, -0.1, 0), (0.05, 0.13, 0.13), LIGHT)


def tree(g: Draw, b: Builder) -> None:
    """A palm."""
    b.rod((0, -1, 0), (0.1, 0.5, 0), 0.12, 0.08, WOOD)
    for i in range(6):
        t = i * math.tau / 6 + g.uniform(-0.2, 0.2)
        b.ball((0.1 + 0.38 * math.cos(t), 0.48, 0.38 * math.sin(t)), (0.42, 0.07, 0.14), R=rotation(y=-t) @ rotation(z=-0.35))


def airplane(g: Draw, b: Builder) -> None:
    """A biplane."""
    span = g.uniform(0.75, 0.9)
    b.rod((-0.75, 0, 0), (0.6, 0, 0), 0.1, 0.2)
    for y in (-0.12, 0.38):
        b.box((0.2, y, 0), (0.18, 0.03, span))
    for z in SIDES:
        b.rod((0.2, -0.12, z * span * 0.7), (0.2, 0.38, z * span * 0.7), 0.03, material=WOOD)
    b.box((-0.7, 0.03, 0), (0.12, 0.03, 0.35))
    b.box((-0.7, 0.2, 0), (0.12, 0.2, 0.03), ACCENT)
    b.box((0.64, 0, 0), (0.02, 0.36, 0.04), WOOD)


def hammer(g: Draw, b: Builder) -> None:
    """A mallet."""
    length = g.uniform(0.75, 0.9)
    b.rod((0, -length, 0), (0, 0.6, 0), 0.08, material=ACCENT)
    b.rod((-0.5, 0.62, 0), (0.5, 0.62, 0), 0.28)


def umbrella(g: Draw, b: Builder) -> None:
    """A flat conical parasol on a straight pole."""
    r = g.uniform(0.85, 0.98)
    b.rod((0, 0.35, 0), (0, 0.75, 0), r, 0.02, caps=0)
    b.rod((0, -0.95, 0), (0, 0.85, 0), 0.05, material=ACCENT)


def snowman(g: Draw, b: Builder) -> None:
    """Two balls, a bucket for a hat, no arms."""
    b.ball((0, -0.4, 0), g.uniform(0.5, 0.56))
    b.ball((0, 0.32, 0), 0.34)
    b.rod((0, 0.3, 0.3), (0, 0.26, 0.62), 0.08, 0.01, 5)
    b.rod((0, 0.55, 0), (0, 0.95, 0), 0.3, 0.2, ACCENT)
    for s in SIDES:
        b.ball((s * 0.12, 0.42, 0.29), 0.05, DARK)


def rocket(g: Draw, b: Builder) -> None:
    """A long body between two boosters."""
    r = g.uniform(0.17, 0.21)
    b.rod((0, -0.8, 0), (0, 0.5, 0), r)
    b.rod((0, 0.5, 0), (0, 0.95, 0), r, 0.02, ACCENT)
    for s in SIDES:
        b.rod((s * (r + 0.14), -0.85, 0), (s * (r + 0.14), 0.05, 0), 0.14)
        b.rod((s * (r + 0.14), 0.05, 0), (s * (r + 0.14), 0.3, 0), 0.14, 0.01, ACCENT)


def mushroom(g: Draw, b: Builder) -> None:
    """A tall thin stalk with a narrow conical cap."""
    r = g.uniform(0.42, 0.5)
    b.rod((0, 0.0, 0), (0, 0.75, 0), r, 0.05)
    b.rod((0, -0.95, 0), (0, 0.1, 0), 0.15, 0.12, LIGHT)


def dumbbell(g: Draw, b: Builder) -> None:
    """Two balls on a bar."""
    r = g.uniform(0.38, 0.45)
    b.rod((-0.55, 0, 0), (0.55, 0, 0), 0.1, material=ACCENT)
    for s in SIDES:
        b.ball((s * 0.6, 0, 0), r)


def sailboat(g: Draw, b: Builder) -> None:
    """A square-rigged boat with two masts."""
    h = g.uniform(0.3, 0.36)
    b.ball((0, -0.4, 0), (0.9, 0.4, 0.34), cut=0.05, R=rotation(x=math.pi))
    for x in (-0.3, 0.35):
        b.rod((x, -0.45, 0), (x, 0.85, 0), 0.035, material=WOOD)
        b.box((x, 0.15, 0.05), (0.27, h, 0.02))
        b.box((x, 0.15 + h + 0.22, 0.05), (0.2, 0.17, 0.02), LIGHT)


def dog(g: Draw, b: Builder) -> None:
    """A long dog on short legs with hanging ears."""
    length = g.uniform(0.68, 0.78)
    b.ball((0, 0, 0), (length, 0.22, 0.22))
    b.ball((length + 0.05, 0.22, 0), (0.24, 0.18, 0.17))
    b.ball((length + 0.27, 0.15, 0), (0.18, 0.09, 0.09))
    for x in (-0.5, 0.48):
        for z in SIDES:
            b.rod((x, -0.4, z * 0.13), (x, -0.05, z * 0.13), 0.08)
    for z in SIDES:
        b.ball((length - 0.02, 0.1, z * 0.18), (0.09, 0.2, 0.04), ACCENT)
    b.rod((-length, 0.05, 0), (-length - 0.25, 0.1, 0), 0.06, 0.03)


def ladder(g: Draw, b: Builder) -> None:
    """A step ladder: two frames that lean on each other."""
    w = g.uniform(0.3, 0.38)
    for lean in SIDES:
        for s in SIDES:
            b.rod((s * w, -0.95, lean * 0.45), (s * w, 0.9, lean * 0.04), 0.06)
    for i in range(4):
        y = -0.65 + 0.4 * i
        b.box((0, y, 0.04 + 0.41 * (0.9 - y) / 1.85), (w, 0.05, 0.1), ACCENT)


def key(g: Draw, b: Builder) -> None:
    """A square bow and a broad bit."""
    w = g.uniform(0.26, 0.32)
    for s in SIDES:
        b.box((s * w, 0.6, 0), (0.09, 0.36, 0.08))
        b.box((0, 0.6 + s * 0.28, 0), (w, 0.09, 0.08))
    b.box((0, -0.25, 0), (0.09, 0.65, 0.08))
    b.box((0.22, -0.72, 0), (0.22, 0.16, 0.07))
