"""A mushroom."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import Array, smooth, unit
from ..sculptor import Sculptor
from .choices import Draw, one, tinted, turn

BROWNS = (
    ((0.55, 0.36, 0.20), (0.36, 0.21, 0.11)), ((0.45, 0.28, 0.16), (0.30, 0.17, 0.09)), ((0.76, 0.60, 0.40), (0.58, 0.42, 0.26)),
    ((0.90, 0.85, 0.76), (0.74, 0.64, 0.52)), ((0.80, 0.52, 0.22), (0.64, 0.36, 0.13)),
)  # fmt: skip


def mushroom(g: Draw, s: Sculptor) -> None:
    """A group, or one, on a forest floor: brown or pale caps on stout stems, gills below; some are red with white flecks."""
    red = g.random() < 0.25
    colour, second = ((0.72, 0.1, 0.06), (0.55, 0.07, 0.05)) if red else one(g, BROWNS)
    cap = s.material(tinted(g, colour, 0.04), second, "speckle", 4, mirror=0.04, gloss=0.6 if red else 0.4, bump=0.0 if red else 0.12)
    rim = s.material(tinted(g, colour, 0.02), tinted(g, second, 0.02), "speckle", 9, mirror=0.02, gloss=0.3, bump=0.1)
    stem = s.material((0.90, 0.86, 0.76), (0.70, 0.62, 0.48), "bark", 3.0, mirror=0.0, bump=0.3)
    gills = s.material((0.86, 0.78, 0.64), mirror=0.0), s.material((0.5, 0.4, 0.28), mirror=0.0)
    fleck = s.material((0.95, 0.93, 0.87), mirror=0.02, bump=0.3)
    flat = g.uniform(0.42, 0.78)
    places = [(0.0, 0.0, 1.0)]
    group = s.kind(("group", "single")) == "group"
    for nth in range(one(g, (1, 2, 2, 3, 4)) if group else 0):
        a, far = nth * 1.9 + g.uniform(-0.4, 0.4) + 0.6, g.uniform(0.5, 0.85)
        places.append((far * math.cos(a), far * math.sin(a) * 0.8, g.uniform(0.4, 0.75)))
    for x, z, k in places:
        R = turn(x=g.uniform(-0.16, 0.16), z=g.uniform(-0.16, 0.16))
        _one(g, s, np.array([x, 0.0, z]), k, R, flat * g.uniform(0.9, 1.1), red, (cap, rim, stem, *gills, fleck))
    if group:
        s.scenery()
        _floor(g, s)


def _one(g: Draw, s: Sculptor, at: Array, k: float, R: Array, flat: float, red: bool, made: tuple[int, ...]) -> None:
    """One of size `k`, leaning by `R`; its cap is `flat` times as high as its radius."""
    cap, rim, stem, light, dark, fleck = made
    r, high = g.uniform(0.5, 0.66) * k, g.uniform(0.62, 0.95) * k
    foot = smooth([(0.001, -0.03), (0.15 * k, 0), (0.16 * k, 0.1 * k), (0.12 * k, 0.4 * k), (0.1 * k, high + 0.05 * k)], 4)
    s.lathe(foot, stem, at=at, R=R, around=24)
    h = r * flat
    edge = [(r * 0.93, high - 0.05 * k), (r * 0.99, high - 0.03 * k), (r, high + 0.02 * k)]
    dome = smooth([*edge, (r * 0.88, high + h * 0.5), (r * 0.58, high + h * 0.82), (r * 0.25, high + h * 0.97), (0.001, high + h)], 4)
    s.lathe(dome[:9], rim, at=at, R=R, around=40)
    s.lathe(dome[8:], cap, at=at, R=R, around=40)
    t = np.linspace(0, math.tau, 97)[:-1]
    for turned, m in ((0.0, light), (math.tau / 192, dark)):
        low = 0.035 * k * (m == light)
        inner, outer = (
            np.stack([q * np.cos(t + turned), 0 * t + y, q * np.sin(t + turned)], 1)
            for q, y in ((0.1 * k, high + 0.02), (r * 0.94, high - 0.05 * k))
        )
        wide = np.stack([-np.sin(t + turned), 0 * t, np.cos(t + turned)], 1) * (r * math.pi / 96)
        P = np.stack([inner - wide * 0.25, inner + wide * 0.25, outer + wide, outer - wide], 1) - (0, low, 0)
        s.facets((P.reshape(-1, 3) @ R.T + at).reshape(P.shape), m)
    if red:
        s.lathe(smooth([(0.13 * k, high * 0.86), (0.17 * k, high * 0.8), (0.19 * k, high * 0.72)], 4), stem, at=at, R=R)
        for j in range(34):
            a, u = j * 2.399963, math.sqrt((j + 0.5) / 34)
            x = r * 0.97 * math.sin(u * 1.45)
            y = high + float(np.interp(-x, -dome[3:, 0], dome[3:, 1] - high))
            where = np.array([x * math.cos(a), y, x * math.sin(a)]) @ R.T + at
            s.ball(
                where,
                np.array([0.05, 0.022, 0.05]) * k * g.uniform(0.5, 1.3),
                fleck,
                R=R @ turn(y=-a) @ turn(z=-u * flat * 2),
                rows=6,
                around=9,
            )


def _floor(g: Draw, s: Sculptor) -> None:
    """Fallen leaves, moss and blades of grass."""
    dead = [s.material(c, mirror=0.0) for c in ((0.45, 0.28, 0.13), (0.33, 0.2, 0.1), (0.6, 0.42, 0.2), (0.26, 0.18, 0.11))]
    n = 900
    at = np.stack([g.normal(size=n) * 2.2, g.uniform(0.01, 0.07, n), g.normal(size=n) * 2.2], 1)
    up = unit(np.array([0, 1.0, 0]) + g.normal(size=(n, 3)) * 0.28)
    u = unit(np.cross(up, g.normal(size=(n, 3))))
    v, size = np.cross(up, u), g.uniform(0.06, 0.17, (n, 1))
    P = np.stack([at - u * size, at - v * size * 0.55, at + u * size, at + v * size * 0.55], 1)
    for k, m in enumerate(dead):
        s.add(
            P[k::4],
            np.repeat(up[k::4], 4, 0),
            (np.arange(len(P[k::4]))[:, None, None] * 4 + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3),
            m,
        )
    moss = [s.material(c, mirror=0.0) for c in ((0.25, 0.36, 0.12), (0.36, 0.46, 0.17), (0.18, 0.28, 0.1))]
    n = 2400
    foot = np.stack([g.normal(size=n) * 1.5, np.zeros(n), g.normal(size=n) * 1.5], 1) + np.repeat(
        g.normal(size=(24, 3)) * (1, 0, 1), 100, 0
    )
    tip = foot + np.stack([g.normal(size=n) * 0.05, g.uniform(0.05, 0.2, n), g.normal(size=n) * 0.05], 1)
    P = np.stack([foot - (0.013, 0, 0.005), foot + (0.013, 0, 0.005), tip], 1)
    for k, m in enumerate(moss):
        q = P[k::3]
        s.add(q, np.broadcast_to((0.0, 1.0, 0.0), q.shape), np.arange(3 * len(q)).reshape(-1, 3), m)
