"""A dog."""

from __future__ import annotations

import math

import numpy as np

from ..materials import Colour
from ..mesh import Array, smooth, unit
from ..sculptor import Sculptor
from .choices import BLACK, SIDES, Draw, one, tinted

COATS = (
    ((0.72, 0.50, 0.26), (0.85, 0.68, 0.44), None),
    ((0.16, 0.11, 0.09), (0.10, 0.07, 0.06), None),
    ((0.88, 0.84, 0.76), (0.75, 0.68, 0.58), None),
    ((0.45, 0.27, 0.14), (0.30, 0.17, 0.09), (0.9, 0.87, 0.8)),
    ((0.82, 0.70, 0.50), (0.70, 0.55, 0.35), None),
    ((0.10, 0.09, 0.09), (0.06, 0.05, 0.05), (0.62, 0.36, 0.16)),
)
SPOTTED = (0.93, 0.92, 0.9), (0.08, 0.07, 0.07)


def _skin(s: Sculptor, spine: Array, half: Array, m: int, *, around: int = 20) -> None:
    """A body along `spine` [n, 3] in the plane x = 0 with half widths and heights [n, 2]."""
    ahead = unit(np.gradient(spine, axis=0))
    up = np.stack([0 * ahead[:, 0], -ahead[:, 2], ahead[:, 1]], 1)
    up *= np.where(up[:, 1:2] + up[:, 2:3] * 0.3 < 0, -1, 1)
    t = np.linspace(0, math.tau, around, endpoint=False)
    side = np.array([1.0, 0, 0])
    s.loft([c + side * w * np.cos(t)[:, None] + u * h * np.sin(t)[:, None] for c, u, (w, h) in zip(spine, up, half, strict=True)], m)


def dog(g: Draw, s: Sculptor) -> None:
    """It stands, looks along +z, and has short hair: body, head with a muzzle, ears that hang or stand, four jointed legs and a tail."""
    light, dark, patch = one(g, COATS)
    spotted = g.random() < 0.25
    coat = (
        s.material(*SPOTTED, "patches", 7, mirror=0.02, gloss=0.25)
        if spotted
        else s.material(tinted(g, light, 0.03), dark, "fur", 1.4, mirror=0.02, gloss=0.25, bump=0.35)
    )
    pale = s.material(patch or tinted(g, light, 0.05), light, "fur", 1.4, mirror=0.02, gloss=0.25, bump=0.35)
    thick, leg = g.uniform(0.9, 1.15), g.uniform(0.68, 0.82)
    y = leg + 0.16
    spine = smooth(
        [(0, y + 0.02, -0.78), (0, y + 0.04, -0.6), (0, y + 0.04, -0.2), (0, y - 0.02, 0.2), (0, y + 0.02, 0.5), (0, y + 0.08, 0.72)], 4
    )
    k = np.linspace(0, 1, len(spine))
    wide = np.interp(k, [0, 0.08, 0.25, 0.5, 0.75, 0.92, 1], [0.05, 0.15, 0.2, 0.19, 0.23, 0.17, 0.06]) * thick
    high = np.interp(k, [0, 0.08, 0.25, 0.5, 0.75, 0.92, 1], [0.05, 0.18, 0.23, 0.22, 0.3, 0.24, 0.08]) * thick
    _skin(s, spine, np.stack([wide, high], 1), coat)
    hy, hz = y + g.uniform(0.5, 0.62), 0.98
    neck = smooth([(0, y + 0.06, 0.52), (0, y + 0.25, 0.7), (0, hy - 0.05, hz - 0.1)], 5)
    s.tube(neck, np.interp(np.linspace(0, 1, len(neck)), [0, 1], [0.22 * thick, 0.15]), coat, around=18)
    if patch:
        s.ball((0, y - 0.06, 0.62), (0.16 * thick, 0.24, 0.14), pale)
    _head(g, s, hy, hz, coat, pale, dark)
    for x in SIDES:
        _legs(s, x, y, leg, coat, pale if patch else coat)
    tail = smooth(
        [(0, y + 0.12, -0.72), (0, y + 0.22, -0.95), (0, y + g.uniform(0.3, 0.6), -1.1), (0.05, y + g.uniform(0.55, 0.8), -1.1)], 4
    )
    s.tube(tail, np.linspace(0.07, 0.025, len(tail)), coat, around=10)
    if g.random() < 0.6:
        collar = s.material(one(g, ((0.7, 0.08, 0.08), (0.1, 0.2, 0.5), (0.1, 0.1, 0.1))), mirror=0.04)
        a = np.linspace(0, math.tau, 25)
        s.tube(np.stack([0.185 * np.cos(a), y + 0.3 - 0.09 * np.sin(a), 0.78 + 0.15 * np.sin(a)], 1), 0.03, collar, around=8)


def _head(g: Draw, s: Sculptor, hy: float, hz: float, coat: int, pale: int, dark: Colour) -> None:
    """Skull, muzzle, nose, eyes and ears at height `hy`, `hz` ahead."""
    nose, eye, tongue = (
        s.material(BLACK, mirror=0.06, gloss=0.8),
        s.material((0.08, 0.04, 0.02), mirror=0.1, gloss=0.95),
        s.material((0.8, 0.4, 0.42), mirror=0.05, gloss=0.6),
    )
    s.ball((0, hy + 0.02, hz), (0.18, 0.175, 0.21), coat, rows=16, around=24)
    s.ball((0, hy - 0.06, hz + 0.08), (0.15, 0.13, 0.17), coat)
    long = g.uniform(0.26, 0.38)
    muzzle = smooth([(0, hy - 0.03, hz + 0.12), (0, hy - 0.06, hz + 0.24), (0, hy - 0.085, hz + 0.14 + long)], 4)
    _skin(s, muzzle, np.interp(np.linspace(0, 1, len(muzzle)), [0, 0.85, 1], [1, 0.72, 0.4])[:, None] * np.array([0.115, 0.1]), pale)
    tip = np.array([0, hy - 0.05, hz + 0.14 + long])
    s.ball(tip, (0.05, 0.04, 0.035), nose, rows=8, around=12)
    s.tube([(0, hy - 0.15, hz + 0.14), (0, hy - 0.17, hz + 0.05 + long)], [0.075, 0.05], pale, around=12, flat=0.6)
    if g.random() < 0.5:
        s.ball((0, hy - 0.2, hz + 0.1 + long), (0.035, 0.045, 0.03), tongue, rows=8, around=10)
    hang = g.random() < 0.65
    for x in SIDES:
        s.ball((x * 0.085, hy + 0.055, hz + 0.175), 0.033, eye, rows=8, around=12)
        _ear(s, x, hy, hz, s.material(dark, mirror=0.02, bump=0.3) if hang else coat, hang=hang)


def _ear(s: Sculptor, x: float, hy: float, hz: float, m: int, *, hang: bool) -> None:
    if hang:
        P = smooth(
            [
                (x * 0.14, hy + 0.14, hz - 0.02),
                (x * 0.22, hy + 0.1, hz),
                (x * 0.235, hy - 0.05, hz + 0.04),
                (x * 0.21, hy - 0.2, hz + 0.06),
            ],
            4,
        )
        s.tube(
            P,
            np.interp(np.linspace(0, 1, len(P)), [0, 0.3, 0.75, 1], [0.05, 0.09, 0.09, 0.04]),
            m,
            around=10,
            flat=0.3,
        )
    else:
        s.tube(
            [(x * 0.11, hy + 0.12, hz - 0.03), (x * 0.13, hy + 0.24, hz - 0.03), (x * 0.14, hy + 0.36, hz - 0.02)],
            [0.075, 0.055, 0.008],
            m,
            around=10,
            flat=0.35,
        )


def _legs(s: Sculptor, x: float, y: float, leg: float, coat: int, paw: int) -> None:
    """Those of one side, `leg` long, below a back at `y`."""
    front = [
        (x * 0.13, y - 0.02, 0.52),
        (x * 0.15, y - 0.24, 0.5),
        (x * 0.145, leg * 0.45, 0.55),
        (x * 0.145, leg * 0.12, 0.53),
        (x * 0.145, 0.05, 0.56),
    ]
    s.tube(smooth(front, 3), np.interp(np.arange(13), [0, 3, 6, 10, 12], [0.14, 0.1, 0.065, 0.05, 0.06]), coat, around=12)
    rear = [
        (x * 0.13, y, -0.55),
        (x * 0.15, y - 0.2, -0.5),
        (x * 0.145, leg * 0.62, -0.55),
        (x * 0.14, leg * 0.36, -0.76),
        (x * 0.14, leg * 0.1, -0.7),
        (x * 0.14, 0.05, -0.66),
    ]
    s.tube(smooth(rear, 3), np.interp(np.arange(16), [0, 3, 6, 9, 13, 15], [0.16, 0.17, 0.11, 0.06, 0.05, 0.06]), coat, around=12)
    for z in (0.6, -0.62):
        s.ball((x * 0.143, 0.045, z), (0.065, 0.05, 0.095), paw, rows=8, around=12)
