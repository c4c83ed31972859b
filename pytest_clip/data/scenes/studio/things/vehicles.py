"""A car, an airplane, a rocket and a sailboat. Their fronts look along +z."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..mesh import Array, Sculptor, smooth
from .choices import BLACK, CHROME, RUBBER, SIDES, STEEL, WHITE, Draw, one, ring, tinted, turn

PAINTS = (
    (0.65, 0.06, 0.07),
    (0.08, 0.18, 0.45),
    (0.78, 0.79, 0.8),
    (0.9, 0.9, 0.9),
    (0.07, 0.07, 0.08),
    (0.85, 0.65, 0.08),
    (0.15, 0.3, 0.22),
)


def car(g: Draw, s: Sculptor) -> None:
    """A saloon or hatchback: body and glasshouse lofted from front to back."""
    paint = s.material(tinted(g, one(g, PAINTS), 0.03), mirror=0.06, gloss=0.95)
    glass, dark = s.material((0.05, 0.06, 0.07), mirror=0.08, gloss=0.97), s.material(BLACK, mirror=0.03, gloss=0.3)
    chrome = s.material(CHROME, mirror=0.6, gloss=0.85, metal=True)
    half, hood, hatch = g.uniform(0.78, 0.84), g.uniform(0.78, 0.84), g.random() < 0.4
    z = np.array([-2.05, -2.0, -1.8, -1.3, -0.6, 0.0, 0.6, 0.9, 1.3, 1.75, 1.98, 2.06])
    deck = hood + (0.02 if hatch else 0.04)
    top = np.interp(z, [-2.05, -1.95, -1.5, 0.9, 1.3, 1.8, 2.06], [0.66, deck - 0.03, deck + 0.04, hood + 0.06, hood, hood - 0.12, 0.5])
    bottom = np.interp(z, [-2.05, -1.8, 1.8, 2.06], [0.36, 0.24, 0.2, 0.3])
    wide = np.interp(z, [-2.05, -1.9, -1.3, 1.2, 1.8, 2.06], [0.82, 0.94, 1.0, 1.0, 0.92, 0.74]) * half
    s.loft(np.stack([_section(w, b, t, zz) for w, b, t, zz in zip(wide, bottom, top, z, strict=True)]), paint)
    roof = g.uniform(1.34, 1.42)
    rear = -1.95 if hatch else -1.6
    marks = [(rear, deck - 0.02), (rear + 0.35, roof - 0.12), (-0.75, roof), (0.15, roof - 0.02), (0.45, roof - 0.12), (1.15, hood)]
    side = smooth([(a, b) for a, b in marks], 4)
    cabin: list[Any] = []
    cover: list[Any] = []
    inner: list[Any] = []
    for zz, y in side:
        lift = max(y - hood, 0.0)
        lower, upper = half * 0.93, half * (0.93 - 0.42 * lift)
        cabin.append([(-lower, hood - 0.05, zz), (-upper, y, zz), (upper, y, zz), (lower, hood - 0.05, zz)])
        if y > roof - 0.16:
            cover.append([(x * upper * 1.005, y + 0.012 - 0.03 * abs(x) ** 3, zz) for x in np.linspace(-1, 1, 9)])
    del inner
    P = np.array(cabin)
    s.sheet(P[:, :2], glass)
    s.sheet(P[:, 2:], glass)
    s.sheet(P[:, 1:3], glass)
    s.sheet(np.array(cover), paint)
    for x in SIDES:
        k = 0 if x < 0 else 3
        edge = P[:, 1 if x < 0 else 2] + (0, 0.01, 0)
        s.tube(edge, 0.035, paint, around=8)
        for at in (-0.35, 0.0 if hatch else -0.4, rear + 0.5):
            i = int(np.argmin(np.abs(side[:, 0] - at)))
            s.tube([P[i, k], P[i, 1 if x < 0 else 2]], 0.04, paint, around=8)
        _wheel(s, x * (half - 0.1), 1.28, x, g)
        _wheel(s, x * (half - 0.1), -1.25, x, g)
        for zz in (1.28, -1.25):
            s.lathe([(0.43, 0), (0.001, 0.001)], dark, at=(x * (half * 0.985), 0.34, zz), R=turn(z=-x * math.pi / 2))
        s.box((x * half * 0.995, 0.5, 0.02), (0.012, 0.008, 0.85), dark)
        for zz in (0.45, -0.45):
            s.box((x * (half + 0.004), 0.7, zz - 0.2), (0.014, 0.014, 0.07), chrome)
        s.ball((x * (half + 0.07), 0.92, 0.78), (0.08, 0.06, 0.05), paint, rows=8, around=12)
    _face(s, half, chrome, dark)


def _section(w: float, low: float, top: float, z: float) -> Array:
    """A slice of the body: a rounded rectangle, a little narrower at its top."""
    q = ring(28, half=(1.0, 1.0), power=4.5)
    y = (low + top) / 2 + q[:, 1] * (top - low) / 2
    return np.stack([q[:, 0] * w * (1 - 0.06 * np.maximum(q[:, 1], 0)), y, 0 * y + z], 1)


def _face(s: Sculptor, half: float, chrome: int, dark: int) -> None:
    lamp, red = s.material((0.93, 0.95, 0.97), mirror=0.12, gloss=0.95, glow=0.1), s.material((0.7, 0.04, 0.04), mirror=0.06, gloss=0.9)
    plate = s.material((0.92, 0.92, 0.9), mirror=0.04)
    for x in SIDES:
        s.ball((x * half * 0.66, 0.6, 1.93), (0.17, 0.075, 0.1), lamp, rows=10, around=16, R=turn(y=x * 0.25))
        s.ball((x * half * 0.7, 0.7, -1.99), (0.17, 0.075, 0.06), red, rows=10, around=16)
    s.box((0, 0.58, 2.03), (0.3, 0.055, 0.02), dark)
    s.box((0, 0.58, 2.045), (0.31, 0.012, 0.015), chrome)
    s.box((0, 0.33, 2.02), (0.5, 0.05, 0.04), dark)
    s.box((0, 0.44, 2.075), (0.22, 0.05, 0.01), plate)
    s.box((0, 0.55, -2.06), (0.22, 0.05, 0.01), plate)


def _wheel(s: Sculptor, x: float, z: float, side: int, g: Draw) -> None:
    tyre, rim = s.material(RUBBER, mirror=0.02, gloss=0.2), s.material((0.75, 0.76, 0.78), mirror=0.5, gloss=0.7, metal=True)
    deep = s.material((0.03, 0.03, 0.03))
    del g
    R = turn(z=-side * math.pi / 2)
    s.lathe([(0.2, -0.12), (0.32, -0.12), (0.35, -0.08), (0.35, 0.09), (0.32, 0.12), (0.235, 0.125)], tyre, at=(x, 0.35, z), R=R, around=32)
    s.lathe([(0.235, 0.12), (0.215, 0.1), (0.2, 0.05)], rim, at=(x, 0.35, z), R=R, around=32)
    s.lathe([(0.21, 0.05), (0.001, 0.05)], deep, at=(x, 0.35, z), R=R, around=32)
    for k in range(5):
        a = k * math.tau / 5
        way = np.array([(0.03 * math.cos(a), 0.1, 0.03 * math.sin(a)), (0.21 * math.cos(a), 0.085, 0.21 * math.sin(a))]) @ R.T
        s.tube(way + (x, 0.35, z), [0.035, 0.03], rim, around=6)
    s.lathe([(0.06, 0.1), (0.05, 0.12), (0.001, 0.122)], rim, at=(x, 0.35, z), R=R, around=16)


def airplane(g: Draw, s: Sculptor) -> None:
    """An airliner on its wheels: swept wings with engines below, a fin, windows and a stripe."""
    white = s.material(tinted(g, WHITE, 0.03), mirror=0.05, gloss=0.85)
    trim = s.material(tinted(g, one(g, ((0.1, 0.2, 0.55), (0.75, 0.1, 0.12), (0.1, 0.45, 0.4), (0.9, 0.5, 0.1)))), mirror=0.05, gloss=0.85)
    grey, dark = s.material((0.62, 0.64, 0.67), mirror=0.05, gloss=0.7), s.material((0.06, 0.07, 0.09), mirror=0.08, gloss=0.95)
    metal, r, y = s.material(STEEL, mirror=0.5, gloss=0.75, metal=True), 0.26, 0.62
    nose = smooth([(0.001, 2.3), (0.1, 2.24), (0.19, 2.06), (0.25, 1.75), (r, 1.4)], 5)
    back = smooth([(r, -1.2), (0.22, -1.6), (0.13, -2.05), (0.03, -2.4)], 5)
    outline = np.concatenate([nose, [(r, 0.0)], back])
    R = turn(x=math.pi / 2)
    s.lathe(outline[:, ::1] * [1, 1], white, at=(0, y, 0), R=R, around=32)
    for x in SIDES:
        _wing(s, [(x * 0.2, y - 0.1, 0.75), (x * 1.0, y - 0.02, 0.12), (x * 2.15, y + 0.12, -0.72)], [1.25, 0.7, 0.28], 0.09, grey)
        _wing(s, [(x * 0.08, y + 0.08, -1.7), (x * 0.85, y + 0.16, -2.25)], [0.55, 0.25], 0.05, grey)
        R1 = turn(x=math.pi / 2)
        at = (x * 0.78, y - 0.23, 0.55)
        s.lathe(
            [(0.13, -0.3), (0.17, -0.1), (0.185, 0.15), (0.175, 0.3), (0.15, 0.31), (0.14, 0.25)],
            trim if g.random() < 0.3 else white,
            at=at,
            R=R1,
            around=24,
        )
        s.lathe([(0.15, 0.2), (0.001, 0.22)], dark, at=at, R=R1, around=24)
        s.lathe([(0.12, -0.3), (0.05, -0.45)], metal, at=at, R=R1, around=16)
        s.box((x * 0.78, y - 0.1, 0.4), (0.02, 0.08, 0.25), white)
        for z in np.arange(-1.35, 1.65, 0.11):
            a = 0.25
            s.ball((x * r * math.cos(a), y + r * math.sin(a), z), (0.012, 0.028, 0.02), dark, rows=6, around=8)
        P = [[(x * (r + 0.004) * math.cos(b), y + (r + 0.004) * math.sin(b), z) for b in (-0.02, 0.1)] for z in np.linspace(-1.2, 1.4, 12)]
        s.sheet(np.array(P), trim)
        _gear(s, (x * 0.3, 0, -0.15), metal)
    fin = [(0, y + 0.2, -1.55), (0, y + 0.25, -2.15), (0, y + 0.95, -2.45), (0, y + 0.95, -2.15)]
    s.slab(np.array(fin) + (0.02, 0, 0), (-0.04, 0, 0), trim)
    _gear(s, (0, 0, 1.6), metal)
    P = [[((0.215 + 0.004) * math.sin(b) * k, y + (0.215 * k + 0.004) * math.cos(b), z) for b in np.linspace(-0.75, 0.75, 11)]
         for z, k in ((1.98, 1.04), (2.08, 0.86))]  # fmt: skip
    s.sheet(np.array(P), dark)


def _wing(s: Sculptor, at: list[tuple[float, float, float]], chord: list[float], thick: float, m: int) -> None:
    """A lofted wing: an airfoil at each place, its front edge there, as long as `chord`."""
    t = np.linspace(0, math.tau, 24, endpoint=False)
    shape = np.stack([(np.cos(t) - 1) / 2, np.sin(t) * (0.55 + 0.45 * np.cos(t))], 1)
    s.loft([np.stack([0 * t + x, y + shape[:, 1] * thick * c, z + shape[:, 0] * c], 1) for (x, y, z), c in zip(at, chord, strict=True)], m)


def _gear(s: Sculptor, at: tuple[float, float, float], metal: int) -> None:
    tyre = s.material(RUBBER, mirror=0.02, gloss=0.2)
    s.tube([(at[0], 0.08, at[2]), (at[0], 0.5, at[2])], 0.025, metal, around=8)
    for x in SIDES:
        s.lathe(
            [(0.001, -0.03), (0.07, -0.03), (0.085, 0), (0.07, 0.03), (0.001, 0.03)],
            tyre,
            at=(at[0] + x * 0.06, 0.085, at[2]),
            R=turn(z=math.pi / 2),
            around=16,
        )


def rocket(g: Draw, s: Sculptor) -> None:
    """A launcher that stands upright: white stages with dark bands, fins, engines, and boosters or none."""
    white, dark = s.material(tinted(g, WHITE, 0.03), mirror=0.05, gloss=0.6), s.material((0.06, 0.06, 0.07), mirror=0.04, gloss=0.5)
    metal = s.material((0.45, 0.43, 0.42), mirror=0.5, gloss=0.6, metal=True)
    accent = s.material(one(g, ((0.75, 0.1, 0.1), (0.1, 0.15, 0.45), (0.9, 0.45, 0.1), (0.06, 0.06, 0.07))), mirror=0.05, gloss=0.6)
    r, tall = g.uniform(0.3, 0.36), g.uniform(3.6, 4.2)
    low = 0.35
    s.lathe([(0.001, low), (r, low), (r, tall * 0.58), (r * 0.8, tall * 0.64), (r * 0.8, tall * 0.8)], white, around=40)
    s.lathe(
        smooth([(r * 0.8, tall * 0.8), (r * 0.77, tall * 0.85), (r * 0.55, tall * 0.93), (r * 0.2, tall), (0.001, tall * 1.02)], 6),
        accent if g.random() < 0.5 else white,
        around=40,
    )
    s.tube([(0, tall, 0), (0, tall * 1.08, 0)], 0.02, dark, around=6)
    for a, b, k in ((0.3, 0.33, 1), (0.56, 0.58, 1), (0.66, 0.675, 0.8), (0.78, 0.8, 0.8)):
        s.lathe([(r * k + 0.004, tall * a), (r * k + 0.004, tall * b)], dark, around=40)
    for k in range(8):
        P = [
            [((r + 0.005) * math.cos(a), y, (r + 0.005) * math.sin(a)) for a in np.linspace(k * math.tau / 8, (k + 1) * math.tau / 8, 5)]
            for y in (low, low + 0.45)
        ]
        s.sheet(np.array(P), dark if k % 2 else white)
    boosters = g.random() < 0.5
    for k in range(4):
        a = k * math.tau / 4 + 0.4
        c, d = math.cos(a), math.sin(a)
        s.lathe([(0.06, 0.34), (0.1, 0.2), (0.14, 0.02)], metal, at=(c * r * 0.5, 0, d * r * 0.5), around=20)
        if boosters:
            b, at = r * 0.5, (c * (r * 1.5), 0, d * (r * 1.5))
            s.lathe(
                [
                    (0.001, 0.25),
                    (b, 0.25),
                    (b, tall * 0.36),
                    *smooth([(b, tall * 0.36), (b * 0.7, tall * 0.43), (0.001, tall * 0.48)], 4).tolist(),
                ],
                white,
                at=at,
                around=24,
            )
            s.lathe([(b + 0.004, 0.5), (b + 0.004, 0.62)], accent, at=at, around=24)
            s.lathe([(b * 0.5, 0.25), (b * 0.8, 0.03)], metal, at=at, around=16)
        else:
            fin = np.array([(c * r, 1.2, d * r), (c * r, 0.3, d * r), (c * r * 2.1, 0.12, d * r * 2.1), (c * r * 2.1, 0.5, d * r * 2.1)])
            s.slab(fin + np.array([-d, 0, c]) * 0.02, np.array([d, 0, -c]) * 0.04, accent)
            s.ball((0, 0, 0), 1e-4, dark, rows=3, around=4)


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
    s.loft([_section(0.24 * k, 0.26, 0.46, zz) for zz, k in ((-0.45, 0.95), (-0.4, 1.0), (0.35, 0.9), (0.6, 0.5))], hull)
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
