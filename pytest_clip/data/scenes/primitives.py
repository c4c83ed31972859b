"""Unit primitives placed by affine maps: what an object is made of.

Every primitive is a unit shape in its own coordinates, mapped into object space by x -> A x + c:
sphere |x| = 1 (optionally only y >= cut: a dome), box [-1, 1]^3 (optionally only x + y <= cut: a wedge), frustum around y from -1 to 1 with
radius (r0 + r1)/2 + y (r1 - r0)/2 (caps: bit 1 bottom, bit 2 top; without caps an open cup).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPHERE, BOX, FRUSTUM = 0, 1, 2
MAIN, ACCENT, DARK, LIGHT, WOOD, CARROT, OCCLUDER = range(7)
NO_CUT = {SPHERE: -1.0, BOX: 2.0, FRUSTUM: 0.0}

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Primitive:
    """One placed unit shape; `material` is one of the constants above."""

    kind: int
    A: Array
    c: Array
    r0: float
    r1: float
    caps: int
    cut: float
    material: int

    def moved(self, M: Array, t: Array) -> Primitive:
        """The same primitive after x -> M x + t."""
        return Primitive(self.kind, M @ self.A, M @ self.c + t, self.r0, self.r1, self.caps, self.cut, self.material)


def rotation(*, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    """Rotation matrix R_y R_x R_z, angles in radians."""
    cx, sx, cy, sy, cz, sz = math.cos(x), math.sin(x), math.cos(y), math.sin(y), math.cos(z), math.sin(z)
    Rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    Ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    Rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    out: Array = Ry @ Rx @ Rz
    return out


def towards(axis: Array) -> Array:
    """A rotation that takes +y to `axis` (any length)."""
    # Written out: np.cross costs 60 us a call, a tenth of the time of a whole picture with its 30 rods.
    length = math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2)
    y0, y1, y2 = (float(v) / length for v in axis)
    h0, h2 = (1.0, 0.0) if abs(y0) < 0.9 else (0.0, 1.0)
    along = h0 * y0 + h2 * y2  # x = helper made orthogonal to y
    x0, x1, x2 = h0 - along * y0, -along * y1, h2 - along * y2
    n = math.sqrt(x0 * x0 + x1 * x1 + x2 * x2)
    x0, x1, x2 = x0 / n, x1 / n, x2 / n
    return np.array([[x0, y0, x1 * y2 - x2 * y1], [x1, y1, x2 * y0 - x0 * y2], [x2, y2, x0 * y1 - x1 * y0]])


class Builder:
    """Collects the primitives of one object; lengths are in object units (an object spans about [-1, 1])."""

    def __init__(self) -> None:
        self.parts: list[Primitive] = []

    def _add(self, kind: int, A: Array, c: ArrayLike, *, r0: float = 1, r1: float = 1, caps: int = 3, cut: float, material: int) -> None:
        self.parts.append(Primitive(kind, A, np.asarray(c, float), r0, r1, caps, cut, material))

    def ball(self, c: ArrayLike, r: ArrayLike, material: int = MAIN, *, cut: float = -1.0, R: Array | None = None) -> None:
        """Ellipsoid with radii `r`; `cut` keeps the part above that height in unit coordinates."""
        A = np.diag(np.broadcast_to(np.asarray(r, float), (3,)))
        self._add(SPHERE, A if R is None else R @ A, c, cut=cut, material=material)

    def box(self, c: ArrayLike, half: ArrayLike, material: int = MAIN, *, R: Array | None = None) -> None:
        """Box with half sizes `half`."""
        A = np.diag(np.asarray(half, float))
        self._add(BOX, A if R is None else R @ A, c, cut=NO_CUT[BOX], material=material)

    def wedge(self, p0: ArrayLike, p1: ArrayLike, p2: ArrayLike, depth: ArrayLike, material: int = MAIN) -> None:
        """Triangle p0 p1 p2 extruded by +-`depth` (a vector): gables and sails."""
        a, b, c = (np.asarray(p, float) for p in (p0, p1, p2))
        ex, ey = (b - a) / 2, (c - a) / 2
        self._add(BOX, np.stack([ex, ey, np.asarray(depth, float)], axis=1), a + ex + ey, cut=0.0, material=material)

    def rod(self, a: ArrayLike, b: ArrayLike, r0: float, r1: float | None = None, material: int = MAIN, *, caps: int = 3) -> None:
        """Cylinder, cone or cup from `a` (radius r0) to `b` (radius r1)."""
        p, q = np.asarray(a, float), np.asarray(b, float)
        top = r0 if r1 is None else r1
        m = max(r0, top)
        A = towards(q - p) @ np.diag([m, float(np.linalg.norm(q - p)) / 2, m])
        self._add(FRUSTUM, A, (p + q) / 2, r0=r0 / m, r1=top / m, caps=caps, cut=0.0, material=material)

    def arc(
        self, c: ArrayLike, R: float, r: float, start: float, stop: float, pieces: int, material: int = MAIN, *,
        u: ArrayLike = (1, 0, 0), v: ArrayLike = (0, 1, 0),
    ) -> None:  # fmt: skip
        """Part of a torus in the plane u, v, as a chain of short rods that overlap by 8 %."""
        centre, e1, e2 = (np.asarray(p, float) for p in (c, u, v))
        points = [centre + R * (math.cos(t) * e1 + math.sin(t) * e2) for t in np.linspace(start, stop, pieces + 1)]
        for p, q in pairwise(points):
            over = (q - p) * 0.08
            self.rod(p - over, q + over, r, material=material)
