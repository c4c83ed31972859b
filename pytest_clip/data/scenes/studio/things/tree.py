"""A tree."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import Array, smooth, unit
from ..sculptor import Sculptor
from .choices import Draw, one, tinted
from .land import skyline

FOLIAGE = (
    ((0.18, 0.33, 0.08), (0.28, 0.44, 0.12), (0.38, 0.52, 0.18)), ((0.13, 0.26, 0.08), (0.2, 0.36, 0.12), (0.3, 0.44, 0.16)),
    ((0.22, 0.34, 0.12), (0.33, 0.45, 0.18), (0.45, 0.55, 0.25)),
)  # fmt: skip

AUTUMN = (
    ((0.62, 0.30, 0.06), (0.78, 0.45, 0.10), (0.85, 0.60, 0.18)), ((0.75, 0.55, 0.10), (0.85, 0.68, 0.2), (0.9, 0.78, 0.3)),
)  # fmt: skip
KINDS = ("hay", "apples", "hay", "leaves", "hay", "autumn", "hay", "apples", "hay", "leaves")


def tree(g: Draw, s: Sculptor) -> None:
    """A broadleaf tree of a field or an orchard, some with apples or with hay bales beside."""
    kind = s.kind(KINDS)
    bark = s.material((0.30, 0.22, 0.15), (0.16, 0.11, 0.07), "bark", 1.2, mirror=0.0, bump=0.4)
    leaf = [s.material(tinted(g, c, 0.03), mirror=0.02, gloss=0.3) for c in one(g, FOLIAGE)]
    tall = g.uniform(2.6, 3.2)
    thick = g.uniform(0.8, 1.15)
    s.tube(
        smooth([(0, -0.02, 0), (0.02, 0.15, 0), (g.uniform(-0.12, 0.12), tall * 0.35, 0.05), (0, tall * 0.75, 0)], 4),
        np.interp(np.linspace(0, 1, 13), [0, 0.08, 0.5, 1], [0.26, 0.17, 0.13, 0.04]) * thick,
        bark,
        around=12,
    )
    clumps = _crown(g, s, tall, bark)
    if kind == "autumn":
        leaf = [s.material(tinted(g, c, 0.03), mirror=0.02, gloss=0.3) for c in one(g, AUTUMN)]
    for at, r in clumps:
        _leaves(g, s, at, r, int(24000 * r * r / tall**2), leaf)
    if kind == "apples":
        _apples(g, s, clumps)
    if kind == "hay":
        straw = s.material((0.80, 0.66, 0.36), (0.55, 0.42, 0.2), "fur", 5, mirror=0.0, bump=0.8)
        for a in np.arange(5) * math.tau / 5 + g.uniform(0, math.tau) + g.uniform(-0.4, 0.4, 5):
            _bale(g, s, straw, a, g.uniform(0.55, 0.9) * tall, 0.14 * tall)
    s.scenery()
    if kind == "hay":
        for _ in range(9):
            _bale(g, s, straw, g.uniform(0, math.tau), g.uniform(1.3, 2.8) * tall, 0.14 * tall)
    skyline(g, s, tall, ((0.30, 0.40, 0.27), (0.20, 0.29, 0.19)))


def _crown(g: Draw, s: Sculptor, tall: float, bark: int) -> list[tuple[Array, float]]:
    """Limbs from the trunk, each to a ball of leaves: wider than high, and no two alike."""
    wide, clumps = g.uniform(0.36, 0.48), []
    for k in range(int(g.integers(17, 24))):
        a, u = k * 2.399963 + g.uniform(-0.5, 0.5), g.uniform(0, 1)
        y = tall * (0.38 + 0.58 * u)
        spread = tall * wide * math.sqrt(max(1 - (2 * u - 0.7) ** 2 * 0.72, 0.05)) * g.uniform(0.7, 1.1)
        at = np.array([spread * math.cos(a), y, spread * math.sin(a)])
        clumps.append((at, tall * g.uniform(0.1, 0.17)))
        root = np.array([0, tall * g.uniform(0.25, 0.5), 0])
        s.tube(smooth([root, (root + at) / 2 + (0, 0.08, 0), at], 4), np.linspace(0.055, 0.015, 9), bark, around=6)
    clumps.append((np.array([0, tall * 0.75, 0]), tall * 0.22))
    return clumps


def _leaves(g: Draw, s: Sculptor, at: Array, r: float, n: int, leaf: list[int]) -> None:
    """Leaves near the skin of a ball, lighter above."""
    out = unit(g.normal(size=(n, 3)))
    where = at + out * r * g.uniform(0.5, 1.15, (n, 1)) * (1, 0.8, 1)
    lean = unit(out + g.normal(size=(n, 3)) * 0.6 + (0, 0.3, 0))
    u = unit(np.cross(lean, g.normal(size=(n, 3))))
    v = np.cross(lean, u)
    size = g.uniform(0.03, 0.06, (n, 1))
    P = np.stack([where - u * size, where - v * size * 0.6, where + u * size, where + v * size * 0.6], 1)
    tone = np.clip((out[:, 1] + g.normal(size=n) * 0.5 + 1) * 1.5, 0, 2.99).astype(int)
    normal = np.repeat(unit(out * 1.2 + lean * 0.6), 4, 0)
    for k, m in enumerate(leaf):
        rows = np.flatnonzero(tone == k)
        if len(rows):
            fan = np.arange(len(rows))[:, None, None] * 4 + np.array([(0, 1, 2), (0, 2, 3)])
            s.add(P[rows], normal.reshape(n, 4, 3)[rows], fan.reshape(-1, 3), m)


def _apples(g: Draw, s: Sculptor, clumps: list[tuple[Array, float]]) -> None:
    """On the outside of the crown."""
    colour = one(g, ((0.50, 0.70, 0.15), (0.56, 0.72, 0.2), (0.62, 0.72, 0.22)))
    skin = s.material(colour, tinted(g, colour, 0.1), "speckle", 9, mirror=0.05, gloss=0.7)
    for at, r in clumps:
        for out in unit(g.normal(size=(5, 3)) + at * (0.6, 0, 0.6)):
            s.ball(at + out * r * (1.05, 0.85, 1.05), g.uniform(0.085, 0.105), skin, rows=7, around=10)


def _bale(g: Draw, s: Sculptor, straw: int, a: float, far: float, r: float) -> None:
    """A round bale in the field, lying any way."""
    way = g.uniform(0, math.tau)
    c, d = math.cos(way), math.sin(way)
    R, at = np.array([[d, c, 0], [0, 0, 1], [c, -d, 0]], float), (far * math.cos(a), r, far * math.sin(a))
    s.lathe([(0.001, -r), (r * 0.95, -r), (r, -r * 0.9), (r, r * 0.9), (r * 0.95, r), (0.001, r)], straw, at=at, R=R)
