"""A house, a tree, a snowman and a mushroom."""

from __future__ import annotations

import math

import numpy as np

from ..mesh import Array, Sculptor, smooth, unit
from .choices import BLACK, SIDES, WHITE, Draw, one, ring, tinted, turn


def house(g: Draw, s: Sculptor) -> None:
    """A family house: walls of brick or boards, gable roof, windows with frames, a door, a porch and a chimney. The door looks to +z."""
    brick = g.random() < 0.4
    board = one(g, ((0.9, 0.9, 0.87), (0.75, 0.72, 0.6), (0.6, 0.68, 0.72), (0.85, 0.78, 0.6)))
    wall = (
        s.material((0.6, 0.28, 0.2), (0.78, 0.74, 0.68), "brick", 4, mirror=0.0)
        if brick
        else s.material(board, (0.3, 0.3, 0.28), "boards", 7, mirror=0.02)
    )
    roof_colour = one(g, ((0.28, 0.27, 0.27), (0.4, 0.22, 0.17), (0.33, 0.28, 0.24)))
    roof = s.material(roof_colour, (0.12, 0.11, 0.11), "shingle", 5, mirror=0.0)
    trim, pane = s.material(WHITE, mirror=0.03), s.material((0.12, 0.16, 0.2), mirror=0.1, gloss=0.95)
    w, d, h, rise = g.uniform(1.3, 1.6), g.uniform(0.95, 1.15), g.uniform(1.0, 1.15), g.uniform(0.75, 0.95)
    storeys = 1 if g.random() < 0.5 else 2
    h = h if storeys == 1 else h * 1.7
    _gabled(s, (0, 0, 0), w, d, h, rise, wall, roof, trim)
    if g.random() < 0.7:  # a gable to the front
        at = float(g.choice([-1, 1])) * w * 0.45
        _front(s, at, d, h, w * 0.45, rise * 0.85, wall, roof, trim)
        _window(s, (at, h * (0.5 if storeys == 1 else 0.75), d + 0.36), 0.24, 0.26, trim, pane)
        if storeys == 2:
            _window(s, (at, 0.62, d + 0.36), 0.26, 0.28, trim, pane)
        door, free = -at * 0.35, -at * 1.5
    else:
        door, free = 0.0, w * 0.62
        _window(s, (-free, 0.62, d + 0.01), 0.22, 0.27, trim, pane)
    _window(s, (free, 0.62, d + 0.01), 0.22, 0.27, trim, pane)
    if storeys == 2:
        for x in (free, door):
            _window(s, (x, h * 0.75, d + 0.01), 0.2, 0.25, trim, pane)
    for x in SIDES:
        for z in (-d * 0.4, d * 0.4):
            _window(s, (x * (w + 0.01), 0.62, z), 0.2, 0.27, trim, pane, aside=True)
            if storeys == 2:
                _window(s, (x * (w + 0.01), h * 0.75, z), 0.2, 0.25, trim, pane, aside=True)
    colour = s.material(one(g, ((0.5, 0.1, 0.1), (0.15, 0.25, 0.4), (0.35, 0.2, 0.1), (0.12, 0.3, 0.2))), mirror=0.04)
    s.box((door, 0.4, d + 0.01), (0.22, 0.42, 0.02), trim)
    s.box((door, 0.38, d + 0.025), (0.18, 0.38, 0.02), colour)
    s.box((door, 0.02, d + 0.2), (0.35, 0.04, 0.2), s.material((0.6, 0.6, 0.58), mirror=0.0))
    stack = s.material((0.5, 0.25, 0.2), (0.75, 0.7, 0.65), "brick", 5, mirror=0.0)
    s.box((-w * 0.5, h + rise * 0.75, -d * 0.3), (0.15, rise * 0.6, 0.15), stack)
    s.box((-w * 0.5, h + rise * 1.36, -d * 0.3), (0.18, 0.04, 0.18), stack)
    bush = s.material((0.16, 0.27, 0.1), (0.3, 0.42, 0.18), "speckle", 9, mirror=0.0, bump=1.2)
    for x in np.linspace(-w, w, 7):
        if abs(x - door) > 0.42 and not (abs(x - free) > w * 0.9):
            s.ball((x, 0.12, d + 0.14), (0.24, g.uniform(0.2, 0.28), 0.16), bush)


def _gabled(
    s: Sculptor, at: tuple[float, float, float], w: float, d: float, h: float, rise: float, wall: int, roof: int, trim: int
) -> None:
    """Walls under a roof whose ridge runs along x."""
    x, _, z = at
    s.box((x, h / 2, z), (w, h / 2, d), wall)
    for side in SIDES:
        s.facets(np.array([[(x + side * w, h, z - d), (x + side * w, h, z + d), (x + side * w, h + rise, z)]]), wall)
        over, down = 0.18, 0.12
        slope = rise / d
        P = np.array(
            [
                (x - w - over, h + rise, z),
                (x + w + over, h + rise, z),
                (x + w + over, h - down * slope, z + side * (d + down)),
                (x - w - over, h - down * slope, z + side * (d + down)),
            ]
        )
        s.slab(P + (0, 0.02, 0), (0, 0.07, 0), roof)
        s.box((x, h - down * slope + 0.02, z + side * (d + down)), (w + over, 0.045, 0.02), trim)


def _front(s: Sculptor, x: float, d: float, h: float, w: float, rise: float, wall: int, roof: int, trim: int) -> None:
    """A part of the house that comes forward, its ridge along z."""
    z = d + 0.35
    s.box((x, h / 2, d * 0.5 + 0.17), (w, h / 2, z / 2), wall)
    s.facets(np.array([[(x - w, h, z), (x + w, h, z), (x, h + rise, z)]]), wall)
    for side in SIDES:
        end = (x + side * (w + 0.14), h - 0.14 * rise / w)
        P = np.array([(x, h + rise, -0.1), (x, h + rise, z + 0.15), (*end, z + 0.15), (*end, -0.1)])
        s.slab(P + (0, 0.03, 0), (0, 0.07, 0), roof)
        s.slab(
            [(x, h + rise, z + 0.16), (*end, z + 0.16), (end[0], end[1] + 0.1, z + 0.16), (x, h + rise + 0.1, z + 0.16)], (0, 0, 0.02), trim
        )


def _window(s: Sculptor, at: tuple[float, float, float], w: float, h: float, trim: int, pane: int, *, aside: bool = False) -> None:
    def half(a: float, b: float, c: float) -> tuple[float, float, float]:
        return (c, b, a) if aside else (a, b, c)

    s.box(at, half(w + 0.05, h + 0.05, 0.02), trim)
    s.box(at, half(w, h, 0.03), pane)
    s.box(at, half(0.018, h, 0.04), trim)
    s.box(at, half(w, 0.018, 0.04), trim)


def tree(g: Draw, s: Sculptor) -> None:
    """A broadleaf tree: trunk, limbs, and thousands of leaves; or a conifer with tiers of needles."""
    bark = s.material((0.30, 0.22, 0.15), (0.16, 0.11, 0.07), "bark", 1.2, mirror=0.0, bump=0.4)
    tall = g.uniform(3.0, 3.6)
    s.tube(
        smooth([(0, -0.02, 0), (0.02, 0.25, 0), (g.uniform(-0.08, 0.08), tall * 0.4, 0.02), (0, tall * 0.75, 0)], 4),
        np.interp(np.linspace(0, 1, 13), [0, 0.1, 0.5, 1], [0.3, 0.19, 0.14, 0.05]),
        bark,
        around=12,
    )
    greens = [
        tinted(g, c, 0.03)
        for c in one(
            g, (((0.18, 0.33, 0.08), (0.28, 0.44, 0.12), (0.38, 0.52, 0.18)), ((0.13, 0.26, 0.08), (0.2, 0.36, 0.12), (0.3, 0.44, 0.16)))
        )
    ]
    leaf = [s.material(c, mirror=0.02, gloss=0.3) for c in greens]
    if g.random() < 0.3:
        _needles(g, s, tall, leaf)
        return
    clumps = []
    for k in range(int(g.integers(13, 18))):
        a, u = k * 2.399963 + g.uniform(-0.4, 0.4), g.uniform(0, 1)
        y = tall * (0.48 + 0.5 * u)
        spread = tall * 0.31 * math.sqrt(max(1 - (2 * u - 0.75) ** 2 * 0.75, 0.05))
        at = np.array([spread * math.cos(a), y, spread * math.sin(a)])
        clumps.append((at, tall * g.uniform(0.13, 0.18)))
        s.tube([(0, tall * g.uniform(0.3, 0.5), 0), at * (0.8, 1, 0.8)], [0.06, 0.02], bark, around=6)
    clumps.append((np.array([0, tall * 0.8, 0]), tall * 0.22))
    for at, r in clumps:
        _leaves(g, s, at, r, 330, leaf)


def _leaves(g: Draw, s: Sculptor, at: Array, r: float, n: int, leaf: list[int]) -> None:
    """Leaves near the skin of a ball, lighter above."""
    out = unit(g.normal(size=(n, 3)))
    where = at + out * r * g.uniform(0.6, 1.05, (n, 1)) * (1, 0.8, 1)
    lean = unit(out + g.normal(size=(n, 3)) * 0.6 + (0, 0.3, 0))
    u = unit(np.cross(lean, g.normal(size=(n, 3))))
    v = np.cross(lean, u)
    size = g.uniform(0.035, 0.075, (n, 1))
    P = np.stack([where - u * size, where - v * size * 0.6, where + u * size, where + v * size * 0.6], 1)
    tone = np.clip((out[:, 1] + g.normal(size=n) * 0.5 + 1) * 1.5, 0, 2.99).astype(int)
    normal = np.repeat(unit(out * 1.2 + lean * 0.6), 4, 0)
    for k, m in enumerate(leaf):
        rows = np.flatnonzero(tone == k)
        if len(rows):
            fan = np.arange(len(rows))[:, None, None] * 4 + np.array([(0, 1, 2), (0, 2, 3)])
            s.add(P[rows], normal.reshape(n, 4, 3)[rows], fan.reshape(-1, 3), m)


def _needles(g: Draw, s: Sculptor, tall: float, leaf: list[int]) -> None:
    """Branches that hang, shorter towards the top, each a fringe of needles."""
    for y in np.linspace(0.14, 0.99, 26):
        reach = tall * 0.3 * (1 - y) ** 0.85 + 0.05
        for k in range(int(8 + 10 * (1 - y))):
            a = k * 2.399963 + y * 40
            end = np.array([reach * math.cos(a), tall * y - reach * 0.35, reach * math.sin(a)]) * g.uniform(0.85, 1.1)
            root = np.array([0, tall * y + reach * 0.1, 0])
            t = np.linspace(0.1, 1, 12)[:, None]
            where = root + (end - root) * t
            n = len(where) * 3
            where = np.repeat(where, 3, 0)
            way = unit((end - root) * 0.6 + g.normal(size=(n, 3)) * 0.35 * reach)
            side = unit(np.cross(way, g.normal(size=(n, 3)))) * 0.02
            P = np.stack([where - side, where + side, where + way * g.uniform(0.1, 0.2, (n, 1))], 1)
            normal = unit(np.repeat(unit(where * (1, 0, 1) + (0, 0.25, 0)), 3, 0))
            s.add(P, normal, np.arange(n * 3).reshape(n, 3), leaf[int(g.integers(3))])


def snowman(g: Draw, s: Sculptor) -> None:
    """Three balls of snow, a carrot, coals, a hat, a scarf and arms of twigs."""
    snow = s.material((0.93, 0.95, 0.98), (0.86, 0.9, 0.96), "speckle", 4, mirror=0.02, gloss=0.2, bump=0.25, glow=0.04)
    coal, carrot = s.material(BLACK, mirror=0.03), s.material((0.92, 0.42, 0.08), mirror=0.03)
    twig, hat = s.material((0.25, 0.16, 0.1), mirror=0.0), s.material(one(g, (BLACK, (0.12, 0.12, 0.14), (0.3, 0.15, 0.1))), mirror=0.03)
    scarf = [
        s.material(c, mirror=0.0, bump=0.2, scale=6)
        for c in one(g, (((0.75, 0.1, 0.1), (0.75, 0.1, 0.1)), ((0.1, 0.35, 0.2), (0.75, 0.1, 0.1)), ((0.1, 0.2, 0.55), (0.9, 0.9, 0.9))))
    ]
    a, b, c = g.uniform(0.62, 0.7), g.uniform(0.46, 0.52), g.uniform(0.34, 0.38)
    y1, y2 = a * 0.88, a * 0.88 + a * 0.72 + b * 0.62
    y3 = y2 + b * 0.68 + c * 0.66
    for y, r in ((y1, a), (y2, b), (y3, c)):
        s.ball((0, y, 0), (r * 1.03, r * 0.96, r), snow, rows=24, around=36)
    s.tube([(0, y3, c * 0.9), (0.02, y3 - 0.03, c + 0.36)], [0.07, 0.012], carrot, around=12)
    for x in SIDES:
        s.ball((x * 0.13, y3 + 0.1, c * 0.9), 0.05, coal, rows=8, around=10)
        hand = np.array([x * (b + 0.62), y2 + g.uniform(0.2, 0.42), 0.1])
        elbow = np.array([x * (b + 0.25), y2 + 0.16, 0.05])
        s.tube([(x * b * 0.85, y2 + 0.08, 0), elbow, hand], [0.03, 0.026, 0.016], twig, around=6)
        for k in (-1, 0.2, 1.2):
            s.tube([hand - (x * 0.06, 0.02, 0), hand + (x * 0.12, 0.1 * k, 0.05 * k)], [0.015, 0.008], twig, around=5)
    for t in np.linspace(-0.6, 0.6, 5):
        s.ball((0.19 * math.sin(t), y3 - 0.06 - 0.07 * math.cos(t), c * 0.93 * math.cos(0.2 * t)), 0.025, coal, rows=6, around=8)
    for k in (-0.4, 0.05, 0.5):
        s.ball((0, y2 + k * b, b * 0.99 * math.sqrt(1 - k * k)), 0.05, coal, rows=8, around=10)
    neck = y2 + b * 0.8
    t = np.linspace(0, math.tau, 25)
    s.tube(np.stack([0.34 * np.cos(t), 0 * t + neck, 0.34 * np.sin(t)], 1), 0.085, scarf[0], around=10)
    for k in range(5):
        s.box(
            (0.2 + 0.01 * k, neck - 0.1 - k * 0.09, b * 0.72 + 0.08 + 0.02 * k), (0.085, 0.046, 0.02), scarf[k % 2], R=turn(z=-0.1, x=-0.2)
        )
    top = y3 + c * 0.78
    s.lathe(
        [(0.001, top), (0.44, top), (0.44, top + 0.03), (0.27, top + 0.045), (0.25, top + 0.42), (0.24, top + 0.44), (0.001, top + 0.44)],
        hat,
    )
    s.lathe([(0.272, top + 0.05), (0.27, top + 0.13)], scarf[0])


def mushroom(g: Draw, s: Sculptor) -> None:
    """A brown cap or a red one with white flecks, gills below, and a pale stem with a skirt."""
    red = g.random() < 0.45
    colour = tinted(g, (0.72, 0.1, 0.06) if red else one(g, ((0.55, 0.34, 0.18), (0.42, 0.25, 0.14), (0.72, 0.56, 0.38))), 0.04)
    second = (0.55, 0.07, 0.05) if red else tinted(g, (0.35, 0.2, 0.1), 0.03)
    cap = s.material(colour, second, "speckle", 4, mirror=0.05, gloss=0.7)
    stem = s.material((0.9, 0.86, 0.76), (0.78, 0.72, 0.6), "bark", 2.5, mirror=0.02)
    gills, fleck = s.material((0.85, 0.78, 0.66), mirror=0.0), s.material((0.95, 0.93, 0.87), mirror=0.02, bump=0.3)
    for i in range(one(g, (1, 1, 2))):
        k, at = (1.0, (0.0, 0.0)) if i == 0 else (g.uniform(0.5, 0.65), (float(g.choice([-1, 1])) * 0.62, 0.25))
        r, h, high = g.uniform(0.55, 0.7) * k, g.uniform(0.36, 0.5) * k, g.uniform(0.85, 1.1) * k
        base = (at[0], 0.0, at[1])
        s.lathe(
            smooth([(0.001, -0.02), (0.2 * k, 0), (0.22 * k, 0.1 * k), (0.15 * k, 0.4 * k), (0.12 * k, high)], 4), stem, at=base, around=24
        )
        dome = smooth(
            [
                (r * 0.96, high - 0.06 * k),
                (r, high),
                (r * 0.9, high + h * 0.45),
                (r * 0.6, high + h * 0.82),
                (r * 0.25, high + h * 0.98),
                (0.001, high + h),
            ],
            5,
        )
        s.lathe(dome, cap, at=base, around=40)
        t = np.linspace(0, math.tau, 120, endpoint=False)
        wave = 0.02 * k * (np.arange(120) % 2)
        s.sheet(
            np.stack(
                [
                    np.stack([q * np.cos(t), y + wave, q * np.sin(t)], 1) + base
                    for q, y in ((r * 0.96, high - 0.06 * k), (0.1 * k, high + 0.05 * k))
                ]
            ),
            gills,
            around=True,
        )
        s.lathe(smooth([(0.13 * k, high * 0.8), (0.2 * k, high * 0.72), (0.26 * k, high * 0.62)], 4), stem, at=base)
        if red:
            for j in range(34):
                a, u = j * 2.399963, math.sqrt((j + 0.5) / 34)
                x = r * 0.97 * math.sin(u * 1.45)
                y = high + float(np.interp(-x, -dome[::1, 0], dome[:, 1] - high))
                R = turn(y=-a) @ turn(z=-u * 1.2)
                s.ball(
                    (base[0] + x * math.cos(a), y, base[2] + x * math.sin(a)),
                    np.array([0.05, 0.022, 0.05]) * k * g.uniform(0.6, 1.4),
                    fleck,
                    R=R,
                    rows=7,
                    around=10,
                )


_ = ring
