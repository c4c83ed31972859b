"""What stands around outdoors, as scenery: woods at the horizon, mountains, firs."""

from __future__ import annotations

import math

import numpy as np

from ..materials import Colour
from ..mesh import Array, unit
from ..sculptor import Sculptor
from .choices import Draw


def skyline(g: Draw, s: Sculptor, tall: float, tones: tuple[Colour, Colour], *, far: float = 15.0, high: float = 0.8) -> None:
    """The outline of woods all around, `far` and `high` in units of the object's height `tall`."""
    m = s.material(*tones, "speckle", 3.5 / tall, mirror=0.0)
    n = 420
    rough = np.convolve(g.normal(size=n + 24), np.ones(25) / 25, "valid") * 1.2 + np.abs(g.normal(size=n)) * 0.10
    a, top = np.linspace(0, math.tau, n), tall * high * np.clip(0.75 + rough, 0.3, 1.5)
    ring = np.stack([np.cos(a), 0 * a, np.sin(a)], 1) * far * tall
    P = np.stack([ring, ring + np.stack([0 * a, top, 0 * a], 1)])
    facing = unit(np.array([0, 0.9, 0]) - ring / (far * tall))
    at, nxt = np.arange(n - 1), np.arange(1, n)
    s.add(P, np.broadcast_to(facing, P.shape), np.concatenate([np.stack([at, nxt, nxt + n], 1), np.stack([at, nxt + n, at + n], 1)]), m)


def mountains(g: Draw, s: Sculptor, tall: float) -> None:
    """Snowy peaks with bare rock all around, at the horizon."""
    rock = s.material((0.93, 0.95, 0.98), (0.80, 0.85, 0.93), "patches", 1.1 / tall, mirror=0.0, bump=0.2)
    n, rows = 240, 10
    a = np.arange(n) * math.tau / n

    def rough(low: int, high: int) -> Array:
        """Ridges and valleys by angle, the finer the lower."""
        waves = np.arange(low, high)
        out: Array = (np.sin(a[:, None] * waves + g.uniform(0, math.tau, len(waves))) / waves**0.8).sum(1)
        return out

    peak, P = np.abs(rough(5, 60)), []
    peak = 1.2 + 2.6 * peak / peak.max()
    for k in np.linspace(0, 1, rows):
        out = tall * (10 + 9 * k + 0.35 * rough(20, 90) * (k < 1))
        high = tall * np.maximum(peak * k**1.3 + 0.22 * rough(25, 110) * (k > 0) * (1 - 0.5 * k), 0)
        P.append(np.stack([out * np.cos(a), high, out * np.sin(a)], 1))
    s.sheet(np.stack(P), rock, around=True)


def firs(g: Draw, s: Sculptor, tall: float, *, far: tuple[float, float], n: int) -> None:
    """Conifers all around, snow on their branches."""
    green = s.material((0.12, 0.22, 0.14), (0.85, 0.89, 0.94), "patches", 9 / tall, mirror=0.0)
    trunk = s.material((0.22, 0.16, 0.12), mirror=0.0)
    one = Sculptor()
    one.tube([(0, 0, 0), (0, 0.2, 0)], 0.03, 1, around=6)
    for y in np.linspace(0.12, 0.85, 7):
        w = (1 - y) * 0.3
        one.lathe([(w, y), (w * 0.45, y + 0.11), (0.001, y + 0.2)], 0, around=11)
    fir, kinds = one.mesh(), (green, trunk)
    for k in range(n):
        a, r, h = k * 2.399963 + g.uniform(-0.3, 0.3), tall * g.uniform(*far), tall * g.uniform(0.9, 1.6)
        at = np.array([r * math.cos(a), 0.0, r * math.sin(a)])
        for m in (0, 1):
            s.add(fir.vertices * h + at, fir.normals, fir.triangles[fir.material == m], kinds[m])
