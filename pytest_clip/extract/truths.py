"""Exact correspondences of the embedded scenes, stored once: they depend on the pictures alone, and casting their rays takes seconds.

One array of float64 a set: of each pair of pictures a head of numbers, then its arrays one behind the other, so that what comes back is
what was computed, to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..data.correspondences import Floats, KeypointPair, ViewPair
from ..store import recall
from .provenance import versions

if TYPE_CHECKING:
    from ..data import Data

PLACE = "truths"
"""Folder of the cache."""
T = TypeVar("T", ViewPair, KeypointPair)


def view_pairs(cache: Path, data: Data, name: str) -> Sequence[ViewPair]:
    """`data.view_pairs(name)`; those of published data are read from its own files each time."""
    return _recalled(cache, data, name, "views", lambda: data.view_pairs(name), _of_view, _views)


def keypoint_pairs(cache: Path, data: Data, name: str) -> Sequence[KeypointPair]:
    """`data.keypoint_pairs(name)`, likewise."""
    return _recalled(cache, data, name, "keypoints", lambda: data.keypoint_pairs(name), _of_keypoints, _keypoints)


def _recalled(
    cache: Path,
    data: Data,
    name: str,
    kind: str,
    make: Callable[[], Sequence[T]],
    flat: Callable[[T], list[Floats]],
    pairs: Callable[[Floats], Iterator[T]],
) -> Sequence[T]:
    if data.images(name).scenes is None:
        return make()
    path = cache / PLACE / f"{kind}-{_digest(data, name)}.npy"
    made = recall(path, lambda: np.concatenate([part.ravel() for pair in make() for part in flat(pair)]))
    return tuple(pairs(made))  # type: ignore[arg-type]


def _digest(data: Data, name: str) -> str:
    """Of both sets, of every line that could place a point elsewhere, and of what computes with it."""
    from ..data import correspondences, scenes

    digest = hashlib.sha256(f"{data.images('clean').fingerprint} {data.images(name).fingerprint}".encode())
    digest.update(f"{versions()} {np.__version__}".encode())
    for path in [*sorted(Path(scenes.__file__).parent.rglob("*.py")), Path(correspondences.__file__), Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _of_view(pair: ViewPair) -> list[Floats]:
    head = np.array([*pair.size, pair.degrees, len(pair.source), len(pair.target)], dtype=np.float64)
    return [head, pair.source, pair.source_points, pair.landing, pair.target, pair.target_points]


def _views(numbers: Floats) -> Iterator[ViewPair]:
    rest = numbers
    while len(rest):
        (height, width, degrees, k, m), rest = rest[:5], rest[5:]
        parts = []
        for rows, columns in ((int(k), 2), (int(k), 3), (int(k), 2), (int(m), 2), (int(m), 3)):
            parts.append(rest[: rows * columns].reshape(rows, columns))
            rest = rest[rows * columns :]
        source, source_points, landing, target, target_points = parts
        yield ViewPair((int(height), int(width)), float(degrees), source, source_points, landing, target, target_points)


def _of_keypoints(pair: KeypointPair) -> list[Floats]:
    return [np.array([*pair.size, *pair.box, len(pair.first)], dtype=np.float64), pair.first, pair.second]


def _keypoints(numbers: Floats) -> Iterator[KeypointPair]:
    rest = numbers
    while len(rest):
        (height, width, tall, wide, k), rest = rest[:5], rest[5:]
        first, second = rest[: 2 * int(k)].reshape(-1, 2), rest[2 * int(k) : 4 * int(k)].reshape(-1, 2)
        rest = rest[4 * int(k) :]
        yield KeypointPair((int(height), int(width)), first, second, (float(tall), float(wide)))
