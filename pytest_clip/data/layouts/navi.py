"""NAVI v1: photographs of 36 objects in the wild with depth and cameras aligned to a scan, so that points of one are known in another.

As in Probe3D: the `wild_set` of each object, every fourth picture with a partner seen from up to 120 degrees away, cropped to the object,
a match right within 2 cm. Partners are drawn with a seed of the picture's own name, so they are not the ones that Probe3D drew.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from .captioned import read_json
from .found import Found, Problem, places, subfolders
from .pairs import POOL, Pairs, Pool, infos, pair_set, pool_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ..correspondences import KeypointPair, ViewPair
    from ..imageset import ImageSet

NAME = "navi"
PAGE, LICENCE = "https://github.com/google/navi", "CC BY 4.0"
OBJECTS = 36
BINS = {f"viewpoint-{low}-{high}": (low, high) for low, high in ((0, 30), (30, 60), (60, 90), (90, 120))}
WIDEST, EVERY = 120, 4
SIDE = 128
NEAR = (25 * SIDE / 512, 0.02)
"""Probe3D's 25 of 512 pixels, and its headline, 2 cm."""


@dataclass(frozen=True)
class View:
    """One photograph: its files, focal length in its own pixels per shorter side, and the object's pose in the camera (metres)."""

    name: str
    picture: Path
    depth: Path
    focal: float
    quaternion: tuple[float, float, float, float]
    translation: tuple[float, float, float]


@dataclass(frozen=True)
class Pair:
    """Two photographs of one object."""

    views: tuple[View, View]
    degrees: float

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.views[0].name}-{Path(self.views[1].name).name}"


@dataclass(frozen=True)
class CropToObject:
    """The square around what has a depth."""

    depths: tuple[Path, ...]

    def __call__(self, row: int, size: tuple[int, int], /) -> tuple[int, int, int, int]:
        left, top, side, wide = _box(self.depths[row])
        by = size[0] / wide
        return round(left * by), round(top * by), round((left + side) * by), round((top + side) * by)


def detect(root: Path) -> list[Found]:
    """A folder of objects with a wild set each."""
    for place in places(root):
        if any((place / name / "wild_set" / "annotations.json").is_file() for name in subfolders(place)[:50]):
            return [Found(NAME, "navi", place)]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One set for each range of angles that has pairs, and the pool of photographs."""
    pairs = _pairs(found.folder)
    return infos(len(_pool(pairs)), {name: len(_between(pairs, name)) for name in BINS}, "viewpoint")


def problems(found: Found) -> list[Problem]:
    """Missing objects."""
    n = len(_objects(found.folder))
    return [] if n == OBJECTS else [Problem("warn", f"{found.folder}: {n} objects, NAVI v1 has {OBJECTS}; fetch the others from {PAGE}")]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """A set of pairs, or the pool."""
    pairs = _pairs(found.folder)
    views = _pool(pairs)
    depths = tuple(view.depth for view in views)
    pool = Pool(tuple(view.name for view in views), tuple(view.picture for view in views), CropToObject(depths), depths, "crop")
    if name == POOL:
        return pool_set(found, pool)
    some = _between(pairs, name)[:limit]
    pictures = tuple((pair.views[0].name, pair.views[1].name) for pair in some)
    said = tuple(f"{pair.name} {pair.degrees}" for pair in some)
    return pair_set(found, name, pool, Pairs("viewpoint", tuple(pair.name for pair in some), pictures, said))


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def view_pairs(found: Found, images: ImageSet) -> Sequence[ViewPair]:
    """Points of the object that one photograph shows, in its own coordinates, and where they are in the other; read pair by pair."""
    from ..depthviews import LazyPairs

    by_name = {pair.name: pair for pair in _pairs(found.folder)}
    return LazyPairs(len(images), partial(_nth, tuple(by_name[name] for name in images.ids)))


def keypoint_pairs(found: Found, images: ImageSet) -> Sequence[KeypointPair]:
    """Nobody knows."""
    raise ClipError(f"{found.name} knows no landmarks of {images.name}, only depth and cameras")


def _nth(pairs: tuple[Pair, ...], row: int) -> ViewPair:
    import numpy as np

    from ..correspondences import ViewPair
    from ..depthviews import KEEP, landing, lifted, moved

    pair = pairs[row]
    (one, _), (other, camera) = (_framed(view) for view in pair.views)
    seen = [lifted(depth, **_framed(view)[1]) for depth, view in ((one, pair.views[0]), (other, pair.views[1]))]
    if len(seen[0].places) == 0 or len(seen[1].places) < 2:
        raise ClipError(f"{pair.views[0].depth} or {pair.views[1].depth}: shows no object; fetch it again from {PAGE}")
    poses = [_pose(view) for view in pair.views]
    points, targets = (moved(each.points, np.linalg.inv(pose)) for each, pose in zip(seen, poses, strict=True))
    landed = landing(moved(points, poses[1]), **camera)
    return ViewPair((SIDE, SIDE), pair.degrees, seen[0].places, points, landed, seen[1].places, targets, NEAR, KEEP)


def _framed(view: View) -> tuple[NDArray[np.float64], dict[str, tuple[float, float]]]:
    """The depth of the crop [SIDE, SIDE] in metres, and the camera in its pixels."""
    import numpy as np

    depth = _depth(view.depth)
    left, top, side, _ = _box(view.depth)
    high, wide = depth.shape
    by = SIDE / side
    inside = ((np.arange(SIDE) + 0.5) / by).astype(np.int64)
    rows, columns = np.clip(inside + top, 0, high - 1), np.clip(inside + left, 0, wide - 1)
    focal = view.focal * min(high, wide) * by
    return depth[np.ix_(rows, columns)], {
        "focal": (focal, focal), "centre": (wide / 2 * by, high / 2 * by), "origin": (left * by, top * by),
    }  # fmt: skip


@lru_cache(maxsize=16)
def _depth(path: Path) -> NDArray[np.float64]:
    """Metres, 0 beside the object. The file holds disparities: 65,535 is 0.1 / mm."""
    import numpy as np

    from ..pictures import stored

    values = np.asarray(stored(path, where=str(path)), dtype=np.float64)
    if values.ndim != 2 or not (values > 0).any():
        raise ClipError(f"{path}: not a depth map of NAVI (shape {list(values.shape)}, or no object in it); fetch it again from {PAGE}")
    with np.errstate(divide="ignore"):
        return np.where(values > 0, 65_535 * 10 / values / 1000, 0.0)


@cache
def _box(path: Path) -> tuple[int, int, int, int]:
    """Left, top and side of the square around the object, and the width of the whole map. It stays in the picture where it can."""
    import numpy as np

    depth = _depth(path)
    rows, columns = np.flatnonzero(depth.any(axis=1)), np.flatnonzero(depth.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    high, wide = int(rows[-1]) - top + 1, int(columns[-1]) - left + 1
    side = max(high, wide)
    top, left = top - (side - high) // 2, left - (side - wide) // 2
    top, left = (max(0, min(at, whole - side)) for at, whole in ((top, depth.shape[0]), (left, depth.shape[1])))
    return left, top, side, depth.shape[1]


def _pose(view: View) -> NDArray[np.float64]:
    """From the object's coordinates to the camera's [4, 4]; quaternions begin with the real part."""
    import numpy as np

    w, x, y, z = np.array(view.quaternion) / np.linalg.norm(view.quaternion)
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = view.translation
    return pose


@cache
def _pairs(folder: Path) -> tuple[Pair, ...]:
    from ...metrics.correspondence import rotation_degrees

    out = []
    for name in _objects(folder):
        views = _views(folder, name)
        turns = [_pose(view)[:3, :3] for view in views]
        for k, view in enumerate(views):
            angles = [(rotation_degrees(turns[k] @ turn.T), other) for turn, other in zip(turns, views, strict=True) if other is not view]
            near = [(angle, other) for angle, other in angles if 0 < angle <= WIDEST]
            if near:
                angle, other = random.Random(view.name).choice(near)
                out.append(Pair((view, other), angle))
    if not out:
        raise ClipError(f"{folder}: no two photographs of a wild_set; fetch NAVI again from {PAGE} ({LICENCE})")
    return tuple(out[::EVERY])


def _objects(folder: Path) -> list[str]:
    return [name for name in subfolders(folder) if (folder / name / "wild_set" / "annotations.json").is_file()]


def _views(folder: Path, name: str) -> list[View]:
    scene = folder / name / "wild_set"
    listed = scene / "annotations.json"
    out: list[View] = []
    told = read_json(listed)
    if not isinstance(told, list):
        raise ClipError(f"{listed}: not NAVI's annotations (a list of pictures); fetch it again from {PAGE}")
    for each in told:
        try:
            stem, camera = Path(str(each["filename"])).stem, each["camera"]
            short = min(map(float, each["image_size"]))
            (a, b, c, d), (x, y, z) = map(float, camera["q"]), (float(v) / 1000 for v in camera["t"])
            focal = float(camera["focal_length"]) / short
        except (KeyError, TypeError, ValueError) as error:
            raise ClipError(f"{listed}: entry {len(out)} lacks or mistakes {error}; fetch it again from {PAGE}") from None
        pictures = [scene / "images" / f"{prefix}{stem}.jpg" for prefix in ("downsampled_", "")]
        depths = [scene / "depth" / f"{prefix}{stem}.png" for prefix in ("downsampled_", "")]
        picture, depth = (next((path for path in some if path.is_file()), None) for some in (pictures, depths))
        if picture is None or depth is None:
            raise ClipError(
                f"{listed}: {pictures[1] if picture is None else depths[1]} does not exist; fetch it again from {PAGE} ({LICENCE})"
            )
        out.append(View(f"{name}/{stem}", picture, depth, focal, (a, b, c, d), (x, y, z)))
    return sorted(out, key=lambda view: view.name)


def _between(pairs: Sequence[Pair], name: str) -> list[Pair]:
    low, high = BINS[name]
    return [pair for pair in pairs if low <= pair.degrees < high or pair.degrees == high == WIDEST]


def _pool(pairs: Sequence[Pair]) -> tuple[View, ...]:
    return tuple({view.name: view for pair in pairs for view in pair.views}.values())
