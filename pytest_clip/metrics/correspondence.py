"""Correspondence: do dense features find the same point again, in another view of a scene or on another member of a class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _checks, _cosines


@dataclass(frozen=True)
class Matches:
    """Matched points, the clearest first: point `source` of the first view with point `target` of the second; `weight` is 1 - d1 / d2."""

    source: _checks.Ints
    target: _checks.Ints
    weight: _checks.Floats


@dataclass(frozen=True)
class Binned:
    """A mean per bin [low_b, high_b), the last bin closed; an empty bin has None."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    count: tuple[int, ...]
    mean: tuple[float | None, ...]


def match(source: npt.ArrayLike, target: npt.ArrayLike, *, keep: int | None = None, chunk: int = 1024) -> Matches:
    """The nearest target of each source point by cosine distance d = 1 - cos, weighed by the ratio test w = 1 - d1 / d2.

    d1, d2: distances to the nearest and second nearest target. w is 0 to 1, high = unambiguous, 0 = a tie (also where d1 = d2 = 0); Lowe's
    test d1 / d2 < 0.8 is w > 0.2. Cosines are rounded to 12 decimals and a tie goes to the lowest target index, so collapsed features all
    match target 0 with weight 0. Sorted by falling weight, equal weights by source index; keep: only so many (Probe3D: 1,000).

    source: float [n, d]; target: float [m, d], m >= 2, normalised here. One direction only. No more than chunk x chunk cosines exist at a
    time. ValueError for NaN, features of length 0, a single target. Source: El Banani et al. 2024, "Probing the 3D Awareness of Visual
    Foundation Models"; ratio test of Lowe 2004.
    """
    ours, theirs = _cosines.two_sets(source, target, names=("source", "target"))
    if theirs.shape[0] < 2:
        raise ValueError("a ratio test needs at least 2 target points; got 1")
    chunk, keep = _checks.count(chunk, name="chunk"), _checks.count(len(ours) if keep is None else keep, name="keep")
    index, weight = np.empty(len(ours), dtype=np.int64), np.empty(len(ours))
    for rows in _cosines.blocks(0, len(ours), size=chunk):
        index[rows], weight[rows] = _nearest(ours[rows], theirs, chunk)
    order = np.argsort(-weight, kind="stable")[:keep].astype(np.int64)
    return Matches(order, index[order], weight[order])


def recall(errors: npt.ArrayLike, *, threshold: float) -> float:
    """Share of the matches within `threshold`: mean of [error_i <= threshold].

    errors: float [n], 0 or more, distances between matched and true point in the unit of the threshold (pixels, centimetres); infinity
    counts as a miss (a point that cannot be projected). Returns 0 to 1, higher is better. ValueError for NaN and negative distances.
    Source: Probe3D, recall at 5/10/20 px and 1/2/5 cm.
    """
    limit, given = _checks.positive(threshold, name="threshold"), np.asarray(errors)
    far = np.isposinf(given) if given.dtype.kind == "f" else np.zeros(given.shape, dtype=np.bool_)
    distances = _checks.finite(np.where(far, 0, given), name="errors", ndim=1)
    if distances.min() < 0:
        raise ValueError(f"errors must be distances of 0 or more; found {distances.min():.6g}")
    return float(np.mean((distances <= limit) & ~far))


def by_bin(values: npt.ArrayLike, where: npt.ArrayLike, *, edges: Sequence[float]) -> Binned:
    """Mean of `values` in each bin of `where`: recall per pair of views, by how far apart the views are.

    Bins are [edge_b, edge_b+1), the last one closed, as in `numpy.histogram`. values, where: float [n]; edges: rising, for example 0, 15,
    30, 60, 180 degrees (ScanNet) or 0, 30, 60, 90, 120 (NAVI). ValueError for NaN, edges that do not rise, and a place outside the edges:
    nothing is left out without a word.
    """
    given = _checks.finite(values, name="values", ndim=1)
    places = _checks.finite(where, name="where", ndim=1)
    if places.size != given.size:
        raise ValueError(f"where has {places.size} values where {given.size} are needed, one per sample")
    borders = _checks.finite(edges, name="edges", ndim=1)
    if borders.size < 2 or np.any(np.diff(borders) <= 0):
        raise ValueError(f"edges must be at least 2 rising numbers, not {borders.tolist()}")
    outside = int(np.count_nonzero((places < borders[0]) | (places > borders[-1])))
    if outside:
        raise ValueError(f"{outside} of {places.size} values in where lie outside the edges {borders[0]:g} to {borders[-1]:g}")
    bins = borders.size - 1
    which = np.minimum(np.searchsorted(borders, places, side="right") - 1, bins - 1)
    total, sums = np.bincount(which, minlength=bins), np.bincount(which, weights=given, minlength=bins)
    means = tuple(float(s / n) if n else None for s, n in zip(sums, total, strict=True))
    ends = tuple(float(edge) for edge in borders)
    return Binned(ends[:-1], ends[1:], tuple(int(n) for n in total), means)


def rotation_degrees(rotation: npt.ArrayLike) -> float:
    """Angle of a rotation matrix in degrees: acos((tr R - 1) / 2), 0 to 180. ValueError unless [3, 3] and orthogonal within 1e-3."""
    turned = _checks.finite(rotation, name="rotation", ndim=2)
    if turned.shape != (3, 3) or np.abs(turned @ turned.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turned) < 0:
        raise ValueError(f"rotation must be a 3 x 3 rotation matrix; got shape {turned.shape}: {turned.tolist()}")
    return math.degrees(math.acos(min(max((float(np.trace(turned)) - 1) / 2, -1.0), 1.0)))


def keypoints_hit(predicted: npt.ArrayLike, true: npt.ArrayLike, *, box_sizes: npt.ArrayLike, alpha: float = 0.1) -> _checks.Bools:
    """Whether a keypoint is found: |predicted_i - true_i| <= alpha * max(h_i, w_i), Euclidean. Bool [n].

    The official rule of SPair-71k, with `<=` and the box of the object in the *target* image (Probe3D: strict `<`, square padded crops).
    predicted, true: float [n, 2]; box_sizes: float [n, 2], height and width above 0, per point; all in the same, best the original, pixels:
    another aspect ratio gives other numbers. ValueError for NaN, wrong shapes, boxes without a size. Source: Min et al. 2019, "SPair-71k".
    """
    found = _checks.finite(predicted, name="predicted", ndim=2)
    others = [_checks.finite(array, name=name, ndim=2) for array, name in ((true, "true"), (box_sizes, "box_sizes"))]
    for array, name in ((found, "predicted"), (others[0], "true"), (others[1], "box_sizes")):
        if array.shape != (found.shape[0], 2):
            raise ValueError(f"{name} must have shape [{found.shape[0]}, 2], not {array.shape}")
    if others[1].min() <= 0:
        raise ValueError(f"box_sizes must be above 0; found {others[1].min():.6g}")
    miss = found - others[0]
    hits: _checks.Bools = np.hypot(miss[:, 0], miss[:, 1]) <= _checks.positive(alpha, name="alpha") * others[1].max(axis=1)
    return hits


def pck_per_point(hits: npt.ArrayLike) -> float:
    """Percentage of correct keypoints, as a share of all points: mean of hit_i. hits: bool or 0/1 [n]. 0 to 1, higher is better."""
    return float(np.mean(_checks.binary(hits, name="hits")))


def pck_per_image(hits: npt.ArrayLike, pairs: npt.ArrayLike) -> float:
    """Share of correct keypoints of each image pair, averaged over pairs: pairs with few points weigh as much as those with many.

    hits: bool or 0/1 [n]; pairs: int [n], the pair of each point, numbers without a point are left out. Returns 0 to 1, higher is better.
    What SPair-71k reports; the two PCKs differ, so name the one you gate on. ValueError for wrong shapes or values.
    """
    right = _checks.binary(hits, name="hits")
    of = _checks.integers(pairs, name="pairs", n=right.size)
    _, which, total = np.unique(of, return_inverse=True, return_counts=True)
    return float(np.mean(np.bincount(which, weights=right) / total))


def _nearest(ours: _checks.Floats, theirs: _checks.Floats, chunk: int) -> tuple[_checks.Ints, _checks.Floats]:
    index = np.zeros(len(ours), dtype=np.int64)
    best, second = np.full(len(ours), -np.inf), np.full(len(ours), -np.inf)
    for columns in _cosines.blocks(0, len(theirs), size=chunk):
        cosines = np.round(ours @ theirs[columns].T, 12)
        here = cosines.argmax(axis=1)
        top = cosines[np.arange(len(ours)), here]
        runner_up = np.partition(cosines, -2, axis=1)[:, -2] if cosines.shape[1] > 1 else np.full(len(ours), -np.inf)
        second = np.maximum(np.minimum(best, top), np.maximum(second, runner_up))
        index = np.where(top > best, here + columns.start, index)
        best = np.maximum(best, top)
    near, far = 1 - np.minimum(best, 1.0), 1 - np.minimum(second, 1.0)
    return index, 1 - np.divide(near, far, out=np.ones_like(far), where=far > 0)
