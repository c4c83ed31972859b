"""A sailboat. Its bow looks along +z."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import Array
from ..sculptor import Sculptor
from .choices import SIDES, WHITE, Draw, one, section, tinted


def sailboat(g: Draw, s: Sculptor) -> None:
    """A sloop on the water: hull, deck, cabin, mast, main sail and jib filled by wind."""
    hull = s.material(tinted(g, one(g, (WHITE, WHITE, (0.1, 0.16, 0.35), (0.6, 0.1, 0.1))), 0.03), mirror=0.05, gloss=0.85)
    deck = s.material((0.75, 0.6, 0.42), (0.6, 0.45, 0.3), "wood", 2, mirror=0.04)
    cloth = s.material(tinted(g, one(g, ((0.96, 0.96, 0.94), (0.95, 0.93, 0.88))), 0.02), mirror=0.02, gloss=0.2, glow=0.06)
    metal, dark = s.material((0.8, 0.81, 0.83), mirror=0.4, gloss=0.7, metal=True), s.material((0.06, 0.07, 0.09), mirror=0.08, gloss=0.95)
    stripe = s.material(one(g, ((0.1, 0.2, 0.5), (0.7, 0.1, 0.1), (0.1, 0.35, 0.3))), mirror=0.05, gloss=0.8)
    z = np.linspace(-1.35, 1.6, 16)
    u = (z + 1.35) / 2.95
    beam = 0.46 * np.sqrt(np.clip(1 - np.clip((u - 0.4) / 0.6, 0, 1) ** 2.2, 0, 1)) * (0.72 + 0.28 * np.clip(u / 0.4, 0, 1))
    sheer = 0.3 + 0.1 * np.clip((u - 0.4) / 0.6, 0, 1) ** 2
    a = np.linspace(0, math.pi, 17)
    skin = [
        [(b * math.cos(t) * (1 - 0.15 * math.sin(t)), h - (h + 0.06) * math.sin(t) ** 0.8, zz) for t in a]
        for b, h, zz in zip(np.maximum(beam, 0.01), sheer, z, strict=True)
    ]
    s.sheet(np.array(skin), hull)
    s.sheet(
        np.array([[(b * x * 0.985, h - 0.02, zz) for x in (-1, 0, 1)] for b, h, zz in zip(np.maximum(beam, 0.01), sheer, z, strict=True)]),
        deck,
    )
    s.facets(np.array([skin[0]]), hull)
    for x in SIDES:
        s.sheet(
            np.array([[(x * (b + 0.006), h - 0.04, zz), (x * (b + 0.006), h - 0.08, zz)] for b, h, zz in zip(beam, sheer, z, strict=True)]),
            stripe,
        )
    s.loft([section(0.24 * k, 0.26, 0.46, zz) for zz, k in ((-0.45, 0.95), (-0.4, 1.0), (0.35, 0.9), (0.6, 0.5))], hull)
    for x in SIDES:
        s.box((x * 0.235, 0.38, -0.05), (0.008, 0.03, 0.25), dark)
    tall, mast = g.uniform(3.5, 3.9), 0.3
    s.tube([(0, 0.25, mast), (0, tall, mast)], [0.035, 0.022], metal, around=8)
    swing = g.uniform(0.15, 0.4) * (1 if g.random() < 0.5 else -1)
    end = np.array([math.sin(swing) * 1.45, 0.62, mast - math.cos(swing) * 1.45])
    s.tube([(0, 0.6, mast), end], 0.025, metal, around=8)
    _sail(s, np.array([0, 0.66, mast - 0.03]), end + (0, 0.05, 0), np.array([0, tall - 0.06, mast - 0.03]), swing * 0.5, cloth)
    _sail(
        s,
        np.array([0, 0.45, 1.52]),
        np.array([math.sin(swing) * 0.5, 0.5, mast + 0.1]),
        np.array([0, tall * 0.9, mast + 0.04]),
        swing * 0.5,
        cloth,
    )
    for p in ((0, 0.42, 1.56), (0.4, 0.3, 0.1), (-0.4, 0.3, 0.1), (0, 0.3, -1.33)):
        s.tube([p, (0, tall - 0.05, mast)], 0.006, metal, around=4)


def _sail(s: Sculptor, tack: Array, clew: Array, head: Array, belly: float, m: int) -> None:
    """A triangle of cloth, filled to one side."""
    u, v = np.linspace(0, 1, 12)[:, None, None], np.linspace(0, 1, 10)[None, :, None]
    leech = clew + (head - clew) * u + np.array([0, 0, -0.12]) * np.sin(math.pi * u)
    P = (tack + (head - tack) * u) * (1 - v) + leech * v
    P = P + np.array([1, 0, 0]) * belly * np.sin(math.pi * v) * np.sin(math.pi * (0.15 + 0.85 * u)) ** 1
    s.sheet(P, m)
