"""A ladder."""

from __future__ import annotations

import math

import numpy as np

from ..sculptor import Sculptor
from .choices import SIDES, STEEL, WHITE, WOODS, Draw, one, tinted


def ladder(g: Draw, s: Sculptor) -> None:
    """A straight one that leans on the wall of a house below its eaves or on a roof, or a stepladder that stands open."""
    metal = g.random() < 0.5
    first, second = one(g, WOODS[::2])
    rail, step = (
        s.material(STEEL, mirror=0.5, gloss=gloss, metal=True) if metal else s.material(first, second, grain, 1.5, mirror=0.04, gloss=gloss)
        for grain, gloss in (("wood", 0.55), ("wood across", 0.5))
    )
    cap = s.material(one(g, ((0.85, 0.15, 0.1), (0.9, 0.7, 0.1), (0.1, 0.1, 0.11), WHITE)) if metal else first, mirror=0.04, gloss=0.5)
    if s.kind(("steps", "leaning", "leaning", "steps", "leaning")) == "steps":
        _stepladder(g, s, rail, step, cap)
        return
    tall, foot = g.uniform(3.0, 3.5), g.uniform(0.7, 1.0)
    _straight(g, s, tall, foot, (rail, step, cap))
    eaves = g.uniform(0.6, 0.75)
    s.scenery(room=g.uniform(1.2, 1.45))
    _building(g, s, tall * eaves, foot * (eaves - 1) + 0.12)


def _straight(g: Draw, s: Sculptor, tall: float, foot: float, made: tuple[int, int, int]) -> None:
    """Two rails and round rungs: `tall` high, its foot `foot` before its top."""
    rail, step, cap = made
    half, n = g.uniform(0.24, 0.29) * math.hypot(tall, foot) / 3.3, int(g.integers(9, 13))

    def at(x: float, k: float) -> tuple[float, float, float]:
        return x, k * tall, foot * (1 - k)

    for x in SIDES:
        s.tube([at(x * half, 0.0), at(x * half, 1.0)], 0.046, rail, around=4)
        s.tube([at(x * half, 0.0), at(x * half, 0.02)], 0.055, cap, around=8)
    for k in range(1, n):
        s.tube([at(-half, (k - 0.3) / n), at(half, (k - 0.3) / n)], 0.028, step, around=8)


def _building(g: Draw, s: Sculptor, high: float, gap: float) -> None:
    """A wall along x, `gap` behind z = 0 under a roof of tiles or straw."""
    kind = one(g, ("brick", "plaster"))
    wall = {
        "brick": lambda: s.material((0.6, 0.3, 0.22), (0.78, 0.74, 0.68), "brick", 3.5, mirror=0.0),
        "plaster": lambda: s.material(tinted(g, (0.86, 0.82, 0.72)), (0.78, 0.73, 0.62), "speckle", 3, mirror=0.0, bump=0.1),
    }[kind]()
    s.box((0, high / 2, -gap - 0.4), (9, high / 2, 0.3), wall)
    if g.random() < 0.25:
        _thatch(g, s, high, gap)
    else:
        gutter = s.material((0.5, 0.5, 0.5), mirror=0.2, gloss=0.5)
        s.tube([(-9, high - 0.03, 0.04 - gap), (9, high - 0.03, 0.04 - gap)], 0.05, gutter, around=8)
        _tiles(g, s, high, gap)


def _tiles(g: Draw, s: Sculptor, high: float, gap: float) -> None:
    """Pantiles in rows, each row over the one below, up to a ridge."""
    colour = tinted(g, one(g, ((0.66, 0.32, 0.19), (0.60, 0.27, 0.17), (0.72, 0.40, 0.24))))
    tile = s.material(colour, tuple(c * 0.7 for c in colour), "speckle", 5, mirror=0.0)
    x = np.linspace(-6, 6, 433)
    for k in range(14):
        u = np.array([0.0, 1.0]) * 0.3 + 0.27 * k
        wave = np.abs(np.sin(x / 0.19 * math.pi / 2)) * 0.07
        P = np.stack([np.stack([x, high + 0.03 + a * 0.8 + wave + 0.05 * (i == 0), 0 * x - gap + 0.12 - a], 1) for i, a in enumerate(u)])
        s.sheet(P, tile)


def _thatch(g: Draw, s: Sculptor, high: float, gap: float) -> None:
    """Straw, thick at the eaves."""
    straw = s.material(tinted(g, (0.52, 0.45, 0.35)), (0.27, 0.22, 0.16), "bark", 2.6, mirror=0.0, bump=1.0)
    x = np.linspace(-6, 6, 110)
    line = [(-0.02, -0.22), (-0.12, -0.1), (-0.06, 0.0), (0.5, 0.55), (1.5, 1.6), (3.0, 3.1)]
    P = [np.stack([x, high + y + 0.02 * g.normal(size=110), 0 * x - gap + 0.06 - z], 1) for z, y in line]
    s.sheet(np.stack(P), straw)


def _stepladder(g: Draw, s: Sculptor, rail: int, step: int, cap: int) -> None:
    tall, spread, narrow, wide = g.uniform(2.3, 2.7), g.uniform(0.42, 0.55), g.uniform(0.22, 0.28), g.uniform(0.4, 0.46)
    n = int(g.integers(5, 7))
    for z in SIDES:
        for x in SIDES:
            a, b = np.array([x * wide, 0.0, z * spread]), np.array([x * narrow, tall, z * 0.06])
            s.tube([a, b], 0.038 if z > 0 else 0.028, rail, around=4, flat=1.0)
            s.ball(a + (0, 0.03, 0), 0.055, cap, rows=8, around=10)
        for k in range(1, n):
            t = k / n
            y, half, at = t * tall, wide + (narrow - wide) * t, z * (spread + (0.06 - spread) * t)
            if z > 0:
                s.box((0, y, at + 0.02), (half, 0.022, 0.1), step)
            elif k % 2:
                s.tube([(-half, y, at), (half, y, at)], 0.018, step, around=8)
    s.box((0, tall + 0.02, 0.03), (narrow + 0.05, 0.03, 0.15), cap)
    for x in SIDES:
        t = 0.45
        at = wide + (narrow - wide) * t
        s.tube([(x * at, t * tall, spread + (0.06 - spread) * t), (x * at, t * tall, -spread - (0.06 - spread) * t)], 0.012, rail, around=6)
