"""A snowman."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import smooth
from ..sculptor import Sculptor
from .choices import BLACK, SIDES, Draw, one, ring, turn
from .land import firs, mountains

SCARVES = (
    ((0.75, 0.1, 0.1), (0.75, 0.1, 0.1)), ((0.1, 0.35, 0.2), (0.75, 0.1, 0.1)), ((0.1, 0.2, 0.55), (0.9, 0.9, 0.9)),
    ((0.8, 0.5, 0.1), (0.35, 0.12, 0.3)),
)  # fmt: skip

PAINTS = ((0.75, 0.1, 0.1), (0.1, 0.3, 0.65), (0.85, 0.7, 0.1), (0.1, 0.1, 0.12))

KINDS = ("skis", "alone", "alone", "skis", "alone", "skis", "skis", "alone", "skis", "skis")


def snowman(g: Draw, s: Sculptor) -> None:
    """Three balls of snow, a carrot, coals, a hat or a knitted cap, a scarf and arms of twigs, in snow among firs; often with skis."""
    snow = s.material((0.95, 0.96, 0.98), (0.89, 0.92, 0.97), "speckle", 5, mirror=0.0, bump=0.2, glow=0.05)
    coal, carrot = s.material(BLACK, mirror=0.03), s.material((0.92, 0.42, 0.08), mirror=0.03)
    scarf = [s.material(c, mirror=0.0, bump=0.4, scale=9) for c in one(g, SCARVES)]
    a, b, c = g.uniform(0.62, 0.7), g.uniform(0.46, 0.52), g.uniform(0.34, 0.38)
    y1, y2 = a * 0.82, a * 0.82 + a * 0.72 + b * 0.62
    y3 = y2 + b * 0.68 + c * 0.66
    for y, r in ((y1, a), (y2, b), (y3, c)):
        _lump(g, s, y, r, snow)
    s.tube([(0, y3, c * 0.9), (0.02, y3 - 0.03, c + 0.36)], [0.07, 0.012], carrot, around=12)
    for x in SIDES:
        s.ball((x * 0.13, y3 + 0.1, c * 0.93), 0.05, coal, rows=8, around=10)
    for t in np.linspace(-0.6, 0.6, 5):
        s.ball((0.19 * math.sin(t), y3 - 0.06 - 0.07 * math.cos(t), c * 0.97 * math.cos(0.2 * t)), 0.025, coal, rows=6, around=8)
    for k in (-0.4, 0.05, 0.5):
        s.ball((0, y2 + k * b, b * 1.02 * math.sqrt(1 - k * k)), 0.05, coal, rows=8, around=10)
    _arms(g, s, y2, b)
    _scarf(s, y2 + b * 0.8, b, scarf)
    kind = s.kind(KINDS)
    if kind == "alone" and g.random() < 0.6:
        _hat(g, s, y3 + c * 0.78, scarf[0])
    else:
        _cap(s, y3 + c * 0.3, c, scarf)
    if kind == "alone":
        return
    _skis(g, s, a)
    _skis(g, s, -a)
    s.scenery(room=g.uniform(1.3, 1.6))
    firs(g, s, 2.2, far=(5.0, 10.0), n=36)
    mountains(g, s, 2.2)


def _lump(g: Draw, s: Sculptor, y: float, r: float, snow: int) -> None:
    """A rolled ball: not quite round."""
    u, t = np.linspace(-math.pi / 2, math.pi / 2, 24)[:, None], np.linspace(0, math.tau, 36, endpoint=False)[None]
    P = np.stack([np.cos(u) * np.cos(t), np.sin(u) + 0 * t, np.cos(u) * np.sin(t)], -1)
    dent = sum(g.uniform(0.012, 0.03) * np.cos(P @ (g.normal(size=3) * 4) + g.uniform(0, 6)) for _ in range(4))
    s.sheet(P * (1 + np.asarray(dent)[..., None]) * r * (1.03, 0.95, 1.0) + (0, y, 0), snow, around=True)


def _arms(g: Draw, s: Sculptor, y: float, b: float) -> None:
    twig = s.material((0.25, 0.16, 0.1), mirror=0.0)
    for x in SIDES:
        hand = np.array([x * (b + 0.45), y + g.uniform(0.1, 0.42), 0.1])
        elbow = np.array([x * (b + 0.22), y + 0.14, 0.05])
        s.tube([(x * b * 0.85, y + 0.08, 0), elbow, hand], [0.03, 0.026, 0.016], twig, around=6)
        for k in (-1, 0.2, 1.2):
            s.tube([hand - (x * 0.06, 0.02, 0), hand + (x * 0.12, 0.1 * k, 0.05 * k)], [0.015, 0.008], twig, around=5)


def _scarf(s: Sculptor, neck: float, b: float, scarf: list[int]) -> None:
    t = np.linspace(0, math.tau, 25)
    s.tube(np.stack([0.34 * np.cos(t), 0.03 * np.sin(3 * t) + neck, 0.34 * np.sin(t)], 1), 0.095, scarf[0], around=10)
    for k in range(6):
        at = (0.2 + 0.012 * k, neck - 0.1 - k * 0.09, b * 0.74 + 0.08 + 0.02 * k)
        s.box(at, (0.095, 0.046, 0.025), scarf[k % 2], R=turn(z=-0.1, x=-0.2))


def _hat(g: Draw, s: Sculptor, top: float, band: int) -> None:
    """Of felt, with a brim that is bent up at its sides."""
    felt = s.material(one(g, (BLACK, (0.32, 0.2, 0.12), (0.25, 0.16, 0.1), (0.5, 0.36, 0.22))), mirror=0.0, bump=0.15, scale=5)
    t, high = np.linspace(0, math.tau, 36, endpoint=False), g.uniform(0.28, 0.42)
    rows = [
        np.stack([r * np.cos(t) * 1.05, top + 0.02 + bend * np.cos(t) ** 2 * 0.13, r * np.sin(t)], 1)
        for r, bend in ((0.26, 0.0), (0.36, 0.3), (0.45, 1.0))
    ]
    s.sheet(np.stack(rows), felt, around=True)
    s.lathe(
        [
            (0.275, top),
            (0.25, top + high * 0.9),
            *smooth([(0.25, top + high * 0.9), (0.2, top + high), (0.001, top + high * 0.92)], 4).tolist(),
        ],
        felt,
    )
    s.lathe([(0.282, top + 0.02), (0.275, top + 0.1)], band)


def _cap(s: Sculptor, low: float, c: float, wool: list[int]) -> None:
    """Knitted: a turned-up edge, stripes and a bobble."""
    ribs, r = np.arange(72), c * 1.02
    t = ribs * math.tau / 72
    rows = np.linspace(0, 1, 9)
    P = [
        np.stack([q * np.cos(t), 0 * t + low + c * 1.15 * k, q * np.sin(t)], 1)
        for k in rows
        for q in [r * math.cos(k * 1.35) * (1 + 0.03 * (ribs % 2))]
    ]
    for k in range(8):
        s.sheet(np.stack(P[k : k + 2]), wool[k // 2 % 2], around=True)
    edge = np.stack([(r + 0.02) * np.cos(t), 0 * t + low + 0.03, (r + 0.02) * np.sin(t)], 1)
    s.tube(np.concatenate([edge, edge[:1]]), 0.07, wool[1], around=8)
    s.ball((0, low + c * 1.2, 0), 0.12, wool[1], rows=9, around=14)


def _skis(g: Draw, s: Sculptor, a: float) -> None:
    """A pair that stands in the snow beside it, `a` to the right."""
    paint = s.material(one(g, PAINTS), mirror=0.05, gloss=0.8)
    grey, side = s.material((0.2, 0.2, 0.22), mirror=0.04), math.copysign(1, a)
    q, lean = ring(16, half=(1.0, 1.0), power=3), g.uniform(0.04, 0.2) * side
    for k in SIDES:
        x = a + side * 0.36 + k * 0.13
        way = smooth([(x, 0.0, -0.25), (x + lean / 2, 1.2, -0.28), (x + lean * 0.9, 2.25, -0.3), (x + lean, 2.5, -0.16)], 5)
        wide = np.interp(np.linspace(0, 1, len(way)), [0, 0.05, 0.5, 0.85, 1], [0.07, 0.1, 0.075, 0.1, 0.025])
        s.loft([p + np.stack([q[:, 0] * w, 0 * q[:, 0], q[:, 1] * 0.022], 1) for p, w in zip(way, wide, strict=True)], paint)
        s.box((x + lean * 0.42, 1.0, -0.24), (0.06, 0.14, 0.05), grey)
