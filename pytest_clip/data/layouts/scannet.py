"""ScanNet's 1,500 test pairs (SuperGlue, LoFTR, Probe3D): two pictures of a room, their depth, and the cameras' poses.

SCENE/{color/*.jpg, depth/*.png (millimetres), pose/*.txt (camera to world)}, intrinsics.npz, test.npz. Errors are measured as Probe3D does,
in a picture of a quarter of the width, 160 pixels; the picture is padded below to a square.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from .found import Found, Problem, places
from .pairs import POOL, Pairs, Pool, infos, pair_set, pool_set
from .spair import PadToSquare

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ..correspondences import KeypointPair, ViewPair
    from ..imageset import ImageSet

NAME = "scannet"
PAGE, LICENCE = "https://github.com/zju3dv/LoFTR (scannet_test_1500)", "ScanNet's terms of use: research, not commercial"
PAIRS = 1500
BINS = {f"viewpoint-{low}-{high}": (low, high) for low, high in ((0, 15), (15, 30), (30, 60), (60, 180))}
SIZE = (160, 160)
QUARTER = 4
NEAR = (10.0, 0.05)
"""10 of 160 pixels, Probe3D's headline; in space 5 cm, which is ours: Probe3D gives none."""


@dataclass(frozen=True)
class Pair:
    """Two frames of one scan, and the angle between the cameras in degrees."""

    scene: str
    frames: tuple[str, str]
    degrees: float

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.scene}/{self.frames[0]}-{self.frames[1]}"

    @property
    def pictures(self) -> tuple[str, str]:
        """Names in the pool."""
        return f"{self.scene}/{self.frames[0]}", f"{self.scene}/{self.frames[1]}"


def detect(root: Path) -> list[Found]:
    """A folder with both .npz files and a scene."""
    for place in places(root):
        if (place / "test.npz").is_file() and (place / "intrinsics.npz").is_file():
            return [Found(NAME, "scannet-1500", place, {"list": place / "test.npz", "cameras": place / "intrinsics.npz"})]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One set for each range of angles that has pairs, and the pool of pictures."""
    pairs = _pairs(found.folder)
    pool = _pool(pairs)
    for picture in pool:
        for path in (_file(found, "color", picture), _file(found, "depth", picture)):
            if not path.is_file():
                raise ClipError(f"{found.parts['list']}: {path} does not exist; unpack scannet_test_1500 again from {PAGE} ({LICENCE})")
    return infos(len(pool), {name: len(_between(pairs, name)) for name in BINS}, "viewpoint")


def problems(found: Found) -> list[Problem]:
    """Counts."""
    n = len(_pairs(found.folder))
    return [] if n == PAIRS else [Problem("warn", f"{found.parts['list']}: {n} pairs, the published list has {PAIRS}; fetch it again")]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """A set of pairs, or the pool."""
    pairs = _pairs(found.folder)
    ids = _pool(pairs)
    pool = Pool(ids, tuple(_file(found, "color", picture) for picture in ids), PadToSquare())
    if name == POOL:
        return pool_set(found, pool)
    some = _between(pairs, name)[:limit]
    said = tuple(f"{pair.name} {pair.degrees}" for pair in some)
    return pair_set(found, name, pool, Pairs("viewpoint", tuple(pair.name for pair in some), tuple(pair.pictures for pair in some), said))


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def view_pairs(found: Found, images: ImageSet) -> Sequence[ViewPair]:
    """Every second pixel of the quarter picture that has a depth, read pair by pair."""
    from ..depthviews import LazyPairs

    by_name = {pair.name: pair for pair in _pairs(found.folder)}
    return LazyPairs(len(images), partial(_nth, found.folder, tuple(by_name[name] for name in images.ids)))


def keypoint_pairs(found: Found, images: ImageSet) -> Sequence[KeypointPair]:
    """Nobody knows."""
    raise ClipError(f"{found.name} knows no landmarks of {images.name}, only depth and cameras")


def _nth(folder: Path, pairs: tuple[Pair, ...], row: int) -> ViewPair:
    from ..correspondences import ViewPair
    from ..depthviews import KEEP, landing, lifted, moved

    pair = pairs[row]
    k = _cameras(folder / "intrinsics.npz")[pair.scene] / QUARTER
    camera = {"focal": (float(k[0, 0]), float(k[1, 1])), "centre": (float(k[0, 2]), float(k[1, 2]))}
    one, other = (lifted(_depth(folder / pair.scene / "depth" / f"{frame}.png"), **camera) for frame in pair.frames)
    if len(one.places) == 0 or len(other.places) < 2:
        raise ClipError(f"{folder / pair.scene / 'depth'}: {pair.frames[0]}.png or {pair.frames[1]}.png has no depth; unpack it again")
    points = moved(one.points, _relative(folder, pair.scene, pair.frames))
    return ViewPair(SIZE, pair.degrees, one.places, points, landing(points, **camera), other.places, other.points, NEAR, KEEP)


def _depth(path: Path) -> NDArray[np.float64]:
    """Metres [h / 4, w / 4]: of every block of four by four the third pixel, as nearest-neighbour resizing takes it."""
    import numpy as np

    from ..pictures import stored

    values = np.asarray(stored(path, where=str(path)), dtype=np.float64)
    if values.ndim != 2:
        raise ClipError(f"{path}: a depth map has one number per pixel, this file has the shape {list(values.shape)}; unpack it again")
    return values[QUARTER // 2 :: QUARTER, QUARTER // 2 :: QUARTER] / 1000


def _relative(folder: Path, scene: str, frames: tuple[str, str]) -> NDArray[np.float64]:
    """From the first camera's coordinates to the second's."""
    import numpy as np

    first, second = (_pose(folder / scene / "pose" / f"{frame}.txt") for frame in frames)
    return np.linalg.inv(second) @ first


@cache
def _pose(path: Path) -> NDArray[np.float64]:
    import numpy as np

    try:
        pose = np.loadtxt(path)
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: not a pose of four lines of four numbers ({error}); unpack it again") from None
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise ClipError(f"{path}: not a pose of four lines of four numbers; unpack it again")
    return pose


@cache
def _cameras(path: Path) -> dict[str, NDArray[np.float64]]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as told:
            return {name: np.asarray(told[name], dtype=np.float64) for name in told.files}
    except (OSError, ValueError, EOFError) as error:
        raise ClipError(f"{path}: cannot be read ({error}); fetch it again") from None


@cache
def _pairs(folder: Path) -> tuple[Pair, ...]:
    import numpy as np

    from ...metrics.correspondence import rotation_degrees

    path, out = folder / "test.npz", []
    try:
        with np.load(path, allow_pickle=False) as told:
            rows = np.asarray(told["name"])
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise ClipError(f"{path}: cannot be read ({error}); fetch it again") from None
    cameras = _cameras(folder / "intrinsics.npz")
    for room, sequence, one, other in rows.astype(int).tolist():
        scene, frames = f"scene{room:04d}_{sequence:02d}", (str(one), str(other))
        if scene not in cameras:
            raise ClipError(f"{folder / 'intrinsics.npz'}: no camera of {scene}; fetch it again")
        try:
            degrees = rotation_degrees(_relative(folder, scene, frames)[:3, :3])
        except ValueError as error:
            raise ClipError(f"{folder / scene / 'pose'}: {one}.txt or {other}.txt is no pose ({error}); unpack it again") from None
        out.append(Pair(scene, frames, degrees))
    return tuple(out)


def _between(pairs: Sequence[Pair], name: str) -> list[Pair]:
    low, high = BINS[name]
    return [pair for pair in pairs if low <= pair.degrees < high or pair.degrees == high == 180]


def _pool(pairs: Sequence[Pair]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(picture for pair in pairs for picture in pair.pictures))


def _file(found: Found, kind: str, picture: str) -> Path:
    scene, frame = picture.split("/")
    return found.folder / scene / kind / (f"{frame}.jpg" if kind == "color" else f"{frame}.png")
