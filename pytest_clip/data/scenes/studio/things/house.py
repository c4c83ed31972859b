"""A house."""

from __future__ import annotations

import numpy as np

from ..sculptor import Sculptor
from .choices import SIDES, WHITE, Draw, one
from .land import skyline


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
    s.scenery()
    way = s.material((0.62, 0.60, 0.57), (0.5, 0.48, 0.46), "speckle", 3, mirror=0.0)
    s.facets(
        np.array([[(door - 0.3, 0.01, d + 0.3), (door + 0.3, 0.01, d + 0.3), (door + 0.9, 0.01, d + 8), (door - 0.1, 0.01, d + 8)]]), way
    )
    _fence(s, w, d, trim)
    skyline(g, s, 2.4, ((0.22, 0.32, 0.18), (0.14, 0.21, 0.12)), far=5.0, high=0.9)


def _fence(s: Sculptor, w: float, d: float, trim: int) -> None:
    """White pickets behind and beside the house."""
    for z in (-d - 0.8,):
        for y in (0.15, 0.4):
            s.box((0, y, z), (w + 2.5, 0.03, 0.015), trim)
        for x in np.arange(-w - 2.5, w + 2.5, 0.16):
            s.box((x, 0.27, z + 0.02), (0.05, 0.27, 0.012), trim)


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
