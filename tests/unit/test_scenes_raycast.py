"""The analytic intersections against a ray marched in small steps through the implicit functions, and cases worked by hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.data.scenes.camera import NEAR, NOTHING
from pytest_clip.data.scenes.primitives import BOX, FRUSTUM, SPHERE, Builder, rotation, towards
from pytest_clip.data.scenes.raycast import box, frustum, sphere
from pytest_clip.data.scenes.shading import unit_normals

RAYS, STEPS, FAR = 64, 6001, 9.0
quick = settings(derandomize=True, deadline=None, max_examples=25)
seeds = st.integers(0, 10_000)
lengths = st.floats(0.0, 1.0)

Points = np.ndarray
Implicit = Callable[[Points], Points]


@dataclass
class Surface:
    """Zeros of `f` where `part` is positive; `entering` counts only crossings from positive to negative."""

    f: Implicit
    part: Implicit
    entering: bool = False


def march(surfaces: list[Surface], o: Points, d: Points) -> tuple[Points, Points]:
    """First crossing [n] (NOTHING: none) of rays o + t d, t > NEAR, by steps and bisection; and whether that is sure."""
    t = np.linspace(NEAR, FAR, STEPS)
    first, sure = np.full(len(o), NOTHING), np.ones(len(o), bool)
    for s in surfaces:
        f = s.f(o[:, None] + t[:, None] * d[:, None])
        crosses = (f[:, :-1] > 0) & (f[:, 1:] <= 0) if s.entering else np.sign(f[:, :-1]) != np.sign(f[:, 1:])
        dips = (np.abs(f[:, 1:-1]) <= np.abs(f[:, :-2])) & (np.abs(f[:, 1:-1]) <= np.abs(f[:, 2:])) & (np.abs(f[:, 1:-1]) < 1e-3)
        changes = np.sign(f[:, :-1]) != np.sign(f[:, 1:])
        sure &= ~(dips & ~changes[:, 1:] & ~changes[:, :-1]).any(1)  # touches the surface without a step on either side of it
        ray, k = np.nonzero(crosses)
        low, high = t[k], t[k + 1]
        before = np.sign(f[ray, k])
        for _ in range(40):
            middle = (low + high) / 2
            same = np.sign(s.f(o[ray] + middle[:, None] * d[ray])) == before
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        part = s.part(o[ray] + high[:, None] * d[ray])
        np.minimum.at(first, ray[part > 0], high[part > 0])
        np.logical_and.at(sure, ray, np.abs(part) > 1e-4)
    return first, sure


def rays(seed: int) -> tuple[Points, Points]:
    g = np.random.default_rng(seed)
    o = g.normal(size=(RAYS, 3))
    o *= g.uniform(2.5, 5, (RAYS, 1)) / np.linalg.norm(o, axis=1, keepdims=True)
    d = g.uniform(-1.2, 1.2, (RAYS, 3)) - o
    return o, d / np.linalg.norm(d, axis=1, keepdims=True)


def analytic(intersect: Callable[..., torch.Tensor], o: Points, d: Points, shape: list[float]) -> Points:
    columns = [tuple(torch.from_numpy(v[:, i : i + 1].copy()) for i in range(3)) for v in (o, d)]
    rows = torch.tensor([shape] * len(o), dtype=torch.float64)
    out: Points = intersect(*columns, rows)[:, 0].numpy()
    return out


def agree(found: Points, surfaces: list[Surface], o: Points, d: Points) -> None:
    expected, sure = march(surfaces, o, d)
    assert sure.mean() > 0.8
    np.testing.assert_allclose(found[sure], expected[sure], rtol=0, atol=1e-6)


def everywhere(x: Points) -> Points:
    return np.ones(x.shape[:-1])


def cone(r0: float, r1: float) -> Callable[[Points], Points]:
    return lambda y: (r0 + r1) / 2 + (r1 - r0) / 2 * y


@quick
@given(seeds, st.floats(-1.0, 0.9))
def test_sphere_with_any_cut_is_hit_where_the_march_first_crosses_it(seed: int, cut: float) -> None:
    o, d = rays(seed)
    dome = Surface(lambda x: (x**2).sum(-1) - 1, lambda x: x[..., 1] - cut if cut > -1 else everywhere(x))
    agree(analytic(sphere, o, d, [1, 1, 3, cut]), [dome], o, d)


@quick
@given(seeds)
def test_box_is_hit_where_the_march_enters_it(seed: int) -> None:
    o, d = rays(seed)
    agree(analytic(box, o, d, [1, 1, 3, 2]), [Surface(lambda x: np.abs(x).max(-1) - 1, everywhere, entering=True)], o, d)


@quick
@given(seeds, st.floats(-1.2, 1.2))
def test_wedge_is_hit_where_the_march_enters_it(seed: int, cut: float) -> None:
    o, d = rays(seed)
    solid = Surface(lambda x: np.maximum(np.abs(x).max(-1) - 1, x[..., 0] + x[..., 1] - cut), everywhere, entering=True)
    agree(analytic(box, o, d, [1, 1, 3, cut]), [solid], o, d)


@quick
@given(seeds, lengths, lengths, st.sampled_from([0, 1, 2, 3]))
def test_frustum_with_any_caps_is_hit_where_the_march_first_crosses_it(seed: int, r0: float, r1: float, caps: int) -> None:
    o, d = rays(seed)
    radius = cone(r0, r1)
    side = Surface(
        lambda x: x[..., 0] ** 2 + x[..., 2] ** 2 - radius(x[..., 1]) ** 2,
        lambda x: np.minimum(1 - np.abs(x[..., 1]), radius(x[..., 1])),
    )
    ends = [
        Surface(lambda x, y=y: x[..., 1] - y, lambda x, r=r: r * r - x[..., 0] ** 2 - x[..., 2] ** 2)
        for y, r, bit in ((-1, r0, 1), (1, r1, 2))
        if caps & bit
    ]
    expected, sure = march([side, *ends], o, d)
    found = analytic(frustum, o, d, [r0, r1, caps, 0])
    assert sure.mean() > 0.7
    np.testing.assert_allclose(found[sure], expected[sure], rtol=0, atol=1e-5)


def one(intersect: Callable[..., torch.Tensor], o: tuple[float, ...], d: tuple[float, ...], shape: list[float]) -> float:
    return float(analytic(intersect, np.array([o], float), np.array([d], float), shape)[0])


@pytest.mark.parametrize(
    ("intersect", "o", "d", "shape", "t"),
    [
        (sphere, (0, 0, 3), (0, 0, -1), [1, 1, 3, -1], 2),
        (sphere, (0, 3, 0), (0, -1, 0), [1, 1, 3, 0.5], 2),
        (sphere, (0, -3, 0), (0, 1, 0), [1, 1, 3, 0.5], 4),  # through the open bottom to the inside of the dome
        (sphere, (0, 0, 3), (0, 0, -1), [1, 1, 3, 0.5], NOTHING),  # under the dome
        (sphere, (0, 0, 0), (0, 0, -1), [1, 1, 3, -1], 1),  # from inside
        (sphere, (0, 0, -3), (0, 0, -1), [1, 1, 3, -1], NOTHING),  # behind
        (box, (0, 0, 3), (0, 0, -1), [1, 1, 3, 2], 2),
        (box, (3, 3, 0), (-1, -1, 0), [1, 1, 3, 0], 3),  # onto the slant
        (box, (0, 0, 0), (0, 0, -1), [1, 1, 3, 2], NOTHING),  # from inside a box nothing is seen
        (box, (0.5, 0.5, 3), (0, 0, -1), [1, 1, 3, 0], NOTHING),  # past the slant, parallel to it
        (box, (-0.5, -0.5, 3), (0, 0, -1), [1, 1, 3, 0], 2),
        (frustum, (0, 0, 3), (0, 0, -1), [1, 1, 3, 0], 2),
        (frustum, (0, 3, 0), (0, -1, 0), [1, 1, 3, 0], 2),
        (frustum, (0, 3, 0), (0, -1, 0), [1, 1, 1, 0], 4),  # into a cup: its floor
        (frustum, (0, 3, 0), (0, -1, 0), [1, 1, 0, 0], NOTHING),  # through a tube
        (frustum, (0, 0, 3), (0, 0, -1), [1, 0, 3, 0], 2.5),  # half way up a cone
    ],
)  # fmt: skip
def test_cases_worked_by_hand(
    intersect: Callable[..., torch.Tensor], o: tuple[float, ...], d: tuple[float, ...], shape: list[float], t: float
) -> None:
    assert one(intersect, o, d, shape) == pytest.approx(t, abs=1e-6)


@quick
@given(seeds, st.sampled_from([SPHERE, BOX, FRUSTUM]), st.floats(0.2, 1.0), st.floats(0.2, 1.0))
def test_unit_normals_point_along_the_gradient_of_the_implicit_function(seed: int, kind: int, r0: float, r1: float) -> None:
    o, d = rays(seed)
    shape = {SPHERE: [1, 1, 3, -1], BOX: [1, 1, 3, 0.3], FRUSTUM: [r0, r1, 3, 0]}[kind]
    t = analytic({SPHERE: sphere, BOX: box, FRUSTUM: frustum}[kind], o, d, shape)
    seen = t < NOTHING / 10
    at = (o + t[:, None] * d)[seen]
    radius = cone(r0, r1)
    solid = {
        SPHERE: lambda x: (x**2).sum(-1) - 1,
        BOX: lambda x: np.maximum(np.abs(x).max(-1) - 1, (x[..., 0] + x[..., 1] - 0.3)),
        FRUSTUM: lambda x: np.maximum(np.hypot(x[..., 0], x[..., 2]) - radius(x[..., 1]), (np.abs(x[..., 1]) - 1)),
    }[kind]
    steps = np.eye(3) * 1e-6
    slope = np.stack([(solid(at + e) - solid(at - e)) / 2e-6 for e in steps], axis=1)
    count = len(at)
    r0_, r1_, cut = (torch.full((count,), float(shape[i])) for i in (0, 1, 3))
    local = torch.from_numpy(at).float().unbind(-1)
    n = torch.stack(unit_normals(local, torch.full((count,), kind), r0_, r1_, cut), -1).double().numpy()
    cosine = (n * slope).sum(1) / np.linalg.norm(n, axis=1) / np.linalg.norm(slope, axis=1)
    gaps = {
        SPHERE: np.ones((2, count)),
        BOX: np.stack([*(1 - np.abs(at.T)), np.abs(at[:, 0] + at[:, 1] - 0.3)]),
        FRUSTUM: np.stack([1 - np.abs(at[:, 1]), np.abs(np.hypot(at[:, 0], at[:, 2]) - radius(at[:, 1]))]),
    }[kind]
    edge = (np.abs(gaps) < 5e-3).sum(0) > 1  # on two faces at once
    assert edge.mean() < 0.2
    assert (cosine[~edge] > 0.9999).all()


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, -1, 0), (0.3, -2, 1), (1e-3, 1, 0), (0.95, 0.1, 0.05)])
def test_towards_is_a_rotation_that_takes_up_to_the_axis(axis: tuple[float, float, float]) -> None:
    R = towards(np.array(axis, float))  # noqa: N806
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1)
    np.testing.assert_allclose(R @ [0, 1, 0], np.array(axis) / np.linalg.norm(axis), atol=1e-12)


def test_rotation_turns_by_the_right_hand_rule() -> None:
    np.testing.assert_allclose(rotation(y=math.pi / 2) @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(rotation(x=math.pi / 2) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation(z=math.pi / 2) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_rod_reaches_from_end_to_end_with_its_radii() -> None:
    b = Builder()
    b.rod((0, -1, 0), (0.5, 1, 0.25), 0.2, 0.1)
    (rod,) = b.parts
    np.testing.assert_allclose(rod.A @ [0, -1, 0] + rod.c, [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(rod.A @ [0, 1, 0] + rod.c, [0.5, 1, 0.25], atol=1e-12)
    assert (rod.r0 * np.linalg.norm(rod.A[:, 0]), rod.r1 * np.linalg.norm(rod.A[:, 0])) == (pytest.approx(0.2), pytest.approx(0.1))


def test_wedge_has_its_three_corners() -> None:
    b = Builder()
    b.wedge((0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 0.1))
    (part,) = b.parts
    for unit, corner in (((-1, -1, 0), (0, 0, 0)), ((1, -1, 0), (2, 0, 0)), ((-1, 1, 0), (0, 1, 0)), ((-1, -1, 1), (0, 0, 0.1))):
        np.testing.assert_allclose(part.A @ unit + part.c, corner, atol=1e-12)
    assert part.cut == 0.0
