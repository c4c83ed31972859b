"""Colours and small parts that several objects share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ..materials import Colour
from ..mesh import Array

Draw = np.random.Generator
T = TypeVar("T")
SIDES = (-1, 1)
WHITE, BLACK, STEEL, CHROME = (0.93, 0.93, 0.91), (0.05, 0.05, 0.055), (0.62, 0.63, 0.65), (0.86, 0.87, 0.88)
GOLD, RUBBER = (0.86, 0.68, 0.32), (0.07, 0.07, 0.075)
WOODS = (
    ((0.72, 0.50, 0.30), (0.52, 0.32, 0.16)), ((0.52, 0.32, 0.17), (0.36, 0.20, 0.10)), ((0.82, 0.64, 0.42), (0.68, 0.48, 0.28)),
    ((0.40, 0.23, 0.12), (0.25, 0.13, 0.07)),
)  # fmt: skip
"""Light and dark of oak, walnut, beech and mahogany."""


def one(g: Draw, options: Sequence[T]) -> T:
    """Any of them."""
    return options[int(g.integers(len(options)))]


def turn(*, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    """Rotation R_y R_x R_z, angles in radians."""
    cx, sx, cy, sy, cz, sz = math.cos(x), math.sin(x), math.cos(y), math.sin(y), math.cos(z), math.sin(z)
    out: Array = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    turned: Array = out @ np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return turned


def ring(n: int, *, half: tuple[float, float], power: float = 2.0) -> Array:
    """A closed outline [n, 2] between circle (power 2) and rectangle (large powers) with these half sizes."""
    t = np.linspace(0, math.tau, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    return np.stack([np.sign(c) * np.abs(c) ** (2 / power) * half[0], np.sign(s) * np.abs(s) ** (2 / power) * half[1]], 1)


def tinted(g: Draw, colour: Colour, by: float = 0.05) -> Colour:
    """Nearly that colour."""
    r, gr, b = (float(np.clip(c + g.uniform(-by, by), 0, 1)) for c in colour)
    return r, gr, b


def section(w: float, low: float, top: float, z: float) -> Array:
    """A slice of the body: a rounded rectangle, a little narrower at its top."""
    q = ring(28, half=(1.0, 1.0), power=4.5)
    y = (low + top) / 2 + q[:, 1] * (top - low) / 2
    return np.stack([q[:, 0] * w * (1 - 0.06 * np.maximum(q[:, 1], 0)), y, 0 * y + z], 1)
