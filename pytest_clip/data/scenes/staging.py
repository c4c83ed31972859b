"""Scenes to tables: every object of a chunk of scenes becomes a body, every part of a body a row of primitives in camera space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .camera import pose, view_rotation
from .objects import build
from .primitives import NO_CUT, OCCLUDER, Builder, Primitive, rotation
from .spec import BALL, BARRIER_NEAR, Scene
from .vocabulary import PALETTE, SURFACES

SUBJECT, COMPANION, BARRIER = 0, 1, 2
COLOUR_NAMES = tuple(PALETTE)


@dataclass(frozen=True)
class Stage:
    """All bodies (k) and primitives (p) of a chunk of scenes; world -> unit coordinates of a primitive is x -> inverse x + offset."""

    kind: NDArray[np.int64]
    """[p] SPHERE, BOX or FRUSTUM"""
    A: NDArray[np.float64]
    """[p, 3, 3] unit -> camera space"""
    c: NDArray[np.float64]
    """[p, 3]"""
    image: NDArray[np.int64]
    """[p] which scene of the chunk"""
    inverse: Tensor
    offset: Tensor
    shape: Tensor
    """[p, 4] r0, r1, caps, cut"""
    material: Tensor
    body: Tensor
    """[p] row of the tables below"""
    role: Tensor
    """[k] SUBJECT, COMPANION or BARRIER"""
    scene: Tensor
    """[k]"""
    R: Tensor
    t: Tensor
    scale: Tensor
    surface: Tensor
    """[k] index into SURFACES"""
    colours: Tensor
    """[k, 3, 3] main, second and accent colour"""


def _barrier(scene: Scene) -> list[Primitive]:
    """What hangs between camera and object: one slanted bar, one ball, or (unseen in training) a fence of bars."""
    g, b, w = np.random.default_rng(scene.occluder_seed), Builder(), scene.occluder_size
    tilt, away = g.uniform(0, math.pi), g.uniform(-0.5, 0.5)
    z, at = -scene.distance + BARRIER_NEAR, np.array([math.cos(tilt), math.sin(tilt), 0.0])
    if scene.occluder == "ball":
        b.ball(at * away + (0, 0, z), w * BALL, OCCLUDER)
    elif scene.occluder == "bar":
        b.box(at * away + (0, 0, z), (w * 0.55, 3.0, 0.08), OCCLUDER, R=rotation(z=tilt))
    else:
        for i in range(-3, 4):
            b.box(at * (away + i * w * 2.4) + (0, 0, z), (w * 0.5, 3.0, 0.05), OCCLUDER, R=rotation(z=tilt))
    return [p.moved(np.eye(3), np.array([scene.dx, scene.dy, 0.0])) for p in b.parts]


def stage(scenes: Sequence[Scene], *, device: torch.device) -> Stage:
    """Build, place and tabulate every object of `scenes`."""
    rows: list[tuple[int, int, Primitive]] = []
    bodies: list[tuple[int, int, NDArray[np.float64], NDArray[np.float64], float, str, tuple[str, str, str]]] = []
    for i, s in enumerate(scenes):
        R, t = pose(s)
        bodies.append((i, SUBJECT, R, t, 1.0, s.texture, (s.colour, s.colour2, s.accent)))
        parts = build(s.cls, instance=s.instance, stretch=s.stretch, variant=s.variant)
        rows += [(i, len(bodies) - 1, p.moved(R, t)) for p in parts]
        for mate in s.companions:
            V = view_rotation(s)
            at = t + V @ np.array([mate.right, mate.up, mate.near])
            M = V @ rotation(y=mate.yaw)
            bodies.append((i, COMPANION, M, at, mate.scale, "plain", (mate.colour, mate.colour, s.accent)))
            rows += [(i, len(bodies) - 1, p.moved(M * mate.scale, at)) for p in build(mate.cls, instance=mate.instance)]
        if s.occluder != "none":
            hue = COLOUR_NAMES[(COLOUR_NAMES.index(s.accent) * 5 + 2) % 11]
            bodies.append((i, BARRIER, np.eye(3), np.zeros(3), 1.0, "plain", (hue, hue, hue)))
            rows += [(i, len(bodies) - 1, p) for p in _barrier(s)]
    prims = [p for _, _, p in rows]
    A, c = np.stack([p.A for p in prims]), np.stack([p.c for p in prims])
    inverse = np.linalg.inv(A)

    def put(x: ArrayLike, kind: type[np.generic] = np.float32) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.asarray(x, dtype=kind))).to(device)

    return Stage(
        kind=np.array([p.kind for p in prims]), A=A, c=c, image=np.array([i for i, _, _ in rows]),
        inverse=put(inverse), offset=put(-(inverse * c[:, None, :]).sum(-1)),
        shape=put([(p.r0, p.r1, p.caps, p.cut if p.kind in NO_CUT else 0.0) for p in prims]),
        material=put([p.material for p in prims], np.int64), body=put([b for _, b, _ in rows], np.int64),
        role=put([b[1] for b in bodies], np.int64), scene=put([b[0] for b in bodies], np.int64),
        R=put([b[2] for b in bodies]), t=put([b[3] for b in bodies]), scale=put([b[4] for b in bodies]),
        surface=put([SURFACES.index(b[5]) for b in bodies], np.int64), colours=put([[PALETTE[n] for n in b[6]] for b in bodies]),
    )  # fmt: skip
