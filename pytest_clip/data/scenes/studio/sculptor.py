"""Builds a mesh part by part: turned, lofted, bent and flat surfaces with smooth normals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .materials import Material
from .mesh import Array, Mesh, unit

CREASE = math.cos(math.radians(35))
"""Where the outline of a turned part bends by more, its surface has an edge."""


class Sculptor:
    """Collects the surfaces of one object, of the kind `variant`."""

    def __init__(self, variant: int = 0) -> None:
        self._variant = variant
        self._materials: list[Material] = []
        self._parts: list[tuple[Array, Array, NDArray[np.int64], int]] = []
        self._own: int | None = None
        self._room = 1.0

    def kind(self, kinds: Sequence[str]) -> str:
        """The one of these whose turn it is."""
        return kinds[self._variant % len(kinds)]

    def material(self, *args: object, **named: object) -> int:
        """The number of a new material, for the parts that are made of it."""
        self._materials.append(Material(*args, **named))  # type: ignore[arg-type]
        return len(self._materials) - 1

    def scenery(self, *, room: float = 1.0) -> None:
        """What is added from now on stands around the object, and is shown in so many times the picture that the object alone needs."""
        self._own, self._room = len(self._parts), room

    def add(self, vertices: Array, normals: Array, triangles: NDArray[np.int64], m: int) -> None:
        """A part as it is."""
        self._parts.append((vertices.reshape(-1, 3), normals.reshape(-1, 3), triangles.reshape(-1, 3), m))

    def sheet(self, P: Array, m: int, *, around: bool = False) -> None:
        """A smooth surface through a grid of points [rows, columns, 3]; `around`: the last column is joined to the first."""
        rows, columns = P.shape[:2]
        open_ = np.gradient(P, axis=1) if columns > 1 else P * 0
        along = np.roll(P, -1, 1) - np.roll(P, 1, 1) if around else open_
        up = np.gradient(P, axis=0)
        for line, step in ((0, 1), (-1, -1)):  # a pole has no direction of its own
            if np.ptp(P[line], axis=0).max() < 1e-9:
                along[line] = along[line + step]
        right = np.arange(columns) if around else np.arange(columns - 1)
        i, j = np.meshgrid(np.arange(rows - 1), right, indexing="ij")
        k = (j + 1) % columns
        a, b, c, d = i * columns + j, i * columns + k, (i + 1) * columns + k, (i + 1) * columns + j
        self.add(P, unit(np.cross(along, up)), np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]), m)

    def facets(self, corners: Array, m: int) -> None:
        """Flat convex faces [n, k, 3]: triangles, quadrilaterals ..."""
        n, k = corners.shape[:2]
        normal = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
        fan = np.array([(0, i, i + 1) for i in range(1, k - 1)])
        self.add(corners, np.repeat(normal, k, 0), (np.arange(n)[:, None, None] * k + fan).reshape(-1, 3), m)

    def lathe(
        self, profile: ArrayLike, m: int, *, at: ArrayLike = (0, 0, 0), R: Array | None = None, around: int = 36, squash: float = 1.0
    ) -> None:
        """The outline [(radius, height) ...] turned around y, then rotated by R and moved; `squash` flattens it along z."""
        outline = np.asarray(profile, float)
        t = np.linspace(0, math.tau, around, endpoint=False)
        ring = np.stack([np.cos(t), 0 * t, np.sin(t) * squash], -1)
        steps = unit(np.diff(outline, axis=0))
        cuts = [0, *(i + 1 for i, (p, q) in enumerate(pairwise(steps)) if p @ q < CREASE), len(outline) - 1]
        for start, stop in pairwise(cuts):
            r, y = outline[start : stop + 1].T
            P = r[:, None, None] * ring + y[:, None, None] * np.array([0, 1, 0])
            self.sheet(self._placed(P, at, R), m, around=True)

    def tube(self, path: Any, radius: ArrayLike, m: int, *, around: int = 10, flat: float = 1.0) -> None:
        """A bent rod along points [n, 3] with a radius at each, rounded at the ends; `flat` scales its second axis."""
        p = np.asarray(path, float)
        r = np.broadcast_to(np.asarray(radius, float), (len(p),))
        ahead = unit(np.gradient(p, axis=0))
        first, last = p[0] - ahead[0] * r[0] * 0.4, p[-1] + ahead[-1] * r[-1] * 0.4
        p = np.concatenate([[first], p, [last]])
        r, ahead = np.concatenate([[1e-5], r, [1e-5]]), np.concatenate([ahead[:1], ahead, ahead[-1:]])
        side = np.empty_like(p)
        axis = np.eye(3)[int(np.argmin(np.abs(ahead[0])))]
        for i, d in enumerate(ahead):  # carried along without a twist
            axis = axis - (axis @ d) * d
            axis /= np.linalg.norm(axis)
            side[i] = axis
        t = np.linspace(0, math.tau, around, endpoint=False)[:, None]
        P = [c + s * k * np.cos(t) + np.cross(d, s) * k * flat * np.sin(t) for c, s, d, k in zip(p, side, ahead, r, strict=True)]
        self.sheet(np.stack(P), m, around=True)

    def loft(self, rings: ArrayLike, m: int, *, caps: bool = True) -> None:
        """A smooth skin over closed rings [n, k, 3], with a flat lid at either end."""
        P = np.asarray(rings, float)
        self.sheet(P, m, around=True)
        if caps:
            self.facets(P[[0, -1]], m)

    def ball(self, at: ArrayLike, r: ArrayLike, m: int, *, R: Array | None = None, rows: int = 14, around: int = 22) -> None:
        """An ellipsoid with radii `r`."""
        u, t = np.linspace(-math.pi / 2, math.pi / 2, rows)[:, None], np.linspace(0, math.tau, around, endpoint=False)[None]
        P = np.stack([np.cos(u) * np.cos(t), np.sin(u) + 0 * t, np.cos(u) * np.sin(t)], -1)
        self.sheet(self._placed(P * np.broadcast_to(np.asarray(r, float), (3,)), at, R), m, around=True)

    def box(self, at: ArrayLike, half: ArrayLike, m: int, *, R: Array | None = None) -> None:
        """A box with half sizes `half`."""
        signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float) * np.asarray(half, float)
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        self.facets(self._placed(signs, at, R)[np.array(faces)], m)

    def slab(self, outline: ArrayLike, depth: ArrayLike, m: int) -> None:
        """A convex or star-shaped flat outline [k, 3] and the same moved by `depth` (a vector), with what lies between."""
        front = np.asarray(outline, float)
        back = front + np.asarray(depth, float)
        nxt = (np.roll(front, -1, 0), np.roll(back, -1, 0))
        self.facets(np.stack([front, nxt[0], nxt[1], back], 1), m)
        for face in (front, back):
            middle = np.broadcast_to(face.mean(0), face.shape)
            self.facets(np.stack([middle, face, np.roll(face, -1, 0)], 1), m)

    @staticmethod
    def _placed(P: Array, at: ArrayLike, R: Array | None) -> Array:
        out: Array = (P if R is None else P @ R.T) + np.asarray(at, float)
        return out

    def mesh(self) -> Mesh:
        """All parts as one."""
        starts = np.cumsum([0, *(len(v) for v, _, _, _ in self._parts)])
        own = self._parts[: self._own]
        return Mesh(
            np.concatenate([v for v, _, _, _ in self._parts]), np.concatenate([n for _, n, _, _ in self._parts]),
            np.concatenate([t + s for (_, _, t, _), s in zip(self._parts, starts[:-1], strict=True)]),
            np.concatenate([np.full(len(t), m) for _, _, t, m in self._parts]), tuple(self._materials),
            own=int(starts[len(own)]), own_triangles=sum(len(t) for _, _, t, _ in own), room=self._room,
        )  # fmt: skip
