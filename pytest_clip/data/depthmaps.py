"""Depth maps that lie beside own images: which map belongs to which image, and whether it is one, checked as pictures are."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import ClipError
from ..store import read_sealed
from .classfolders import DEPTH_SUFFIXES, depth_folder
from .content import THREADS, keep, memory, sha256
from .layouts.found import Problem, is_there, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .imageset import ImageSet

NAMED = 10
NAMED_BEFORE = " (they are named at the first gate that failed for them)"
LACK = "have no depth map"
LEAST, MOST = 1e-12, 1e12
"""Distances in any unit: 3D corruptions square them, and beyond these the squares leave 32-bit floats."""
WIDEST = 1e6
"""The farthest over the nearest: 16 bits hold 65,535, and 0.1 m to 10 km are 100,000."""
KNOWN = 0.1
"""Share of pixels that must have a distance: depth cameras lack up to half of them, a map of holes is something else."""
SKEW = 0.02
"""Of its width a map may be off the picture's shape; and one pixel, because a smaller map is rounded."""
SMALLEST = 8
"""Numbers a side, for pictures that have as many pixels."""


def beside(root: Path, files: Sequence[Path]) -> tuple[Path, ...] | None:
    """The depth map of each image of a folder, ROOT/depth/CLASS/IMAGE.*; None if the folder has none. One that is missing is IMAGE.png."""
    if (maps := depth_folder(root)) is None:
        return None
    out = []
    for file in files:
        name = maps / file.relative_to(root).parent / file.stem
        found = [path for suffix in DEPTH_SUFFIXES if is_there(path := name.with_name(name.name + suffix))]
        out.append(found[0] if found else name.with_name(name.name + DEPTH_SUFFIXES[0]))
    return tuple(out)


def held(maps: Sequence[Path]) -> list[str]:
    """What each map holds, for fingerprints; "missing" for one that is not there."""
    there = [path for path in maps if is_there(path)]
    known = dict(zip(there, sha256(there), strict=True))
    return [known.get(path, "missing") for path in maps]


def missing(root: Path, files: Sequence[Path]) -> list[Problem]:
    """By their names alone: images without a map in a folder that has maps."""
    maps = beside(root, files) or ()
    if lost := [(file, path) for file, path in zip(files, maps, strict=False) if not is_there(path)]:
        (file, path), n = lost[0], len(lost)
        told = f"{n} of {len(files)} images {LACK} in {root / 'depth'}, the first one {shown(file)}"
        return [Problem("warn", f"{told}; gates that follow depth will fail: add {shown(path)}, or remove the folder")]
    return []


def read(path: Path, picture: Path | None = None) -> NDArray[np.float32]:
    """float32 [h, w] above 0; 0 and what is not finite mean "unknown" and become the farthest distance in the map.

    ClipError for what is no map of distances, and for one of another shape than `picture`.
    """
    import numpy as np

    if not is_there(path):
        raise ClipError(f"{path}: {LACK.replace('have', 'there is')}; add it, or remove the folder of maps")
    values = _numbers(path)
    if values.ndim != 2 or 0 in values.shape:
        raise ClipError(f"{path}: a depth map has one number per pixel, this file has the shape {list(values.shape)}; use a grey image")
    with np.errstate(invalid="ignore"):
        known = np.isfinite(values) & (values > 0)
    if not known.any():
        raise ClipError(f"{path}: holds no distance above 0; replace it")
    near, far = float(values[known].min()), float(values[known].max())
    if near < LEAST or far > MOST or far > WIDEST * near:
        why = f"{LEAST:g} to {MOST:g}, and the farthest at most {WIDEST:g} times the nearest, can be used; replace it"
        raise ClipError(f"{path}: distances from {near:g} to {far:g}: {why}")
    if (share := float(known.mean())) < KNOWN:
        raise ClipError(f"{path}: {share:.1%} of the pixels have a distance, at least {KNOWN:.0%} must; replace it")
    if picture is not None:
        _shape(path, values.shape, picture)
    filled: NDArray[np.float32] = np.where(known, values, far).astype(np.float32)
    return filled


def check(images: ImageSet) -> None:
    """All maps of a set, once a process and content; ClipError names those that are none, the second time it only counts them."""
    key = images.source, images.name, images.fingerprint
    if key in _wrong:
        if _wrong[key]:
            raise ClipError(_wrong[key].partition(":\n")[0] + NAMED_BEFORE)
        return
    wrong = look(images)
    _wrong[key] = told(images, wrong) if wrong else ""
    if wrong:
        raise ClipError(_wrong[key])


_wrong: dict[tuple[str, str, str], str] = {}


def look(images: ImageSet) -> list[str]:
    """Why each map that cannot be used cannot. Remembered: the fingerprint of a set covers its maps."""
    folder = memory()
    place = None if folder is None else folder / f"maps-{images.fingerprint}.json"
    if place is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            if read_sealed(place)["sound"] == len(images):
                return []
    maps, files = images.depth or (), images.files or ()
    with ThreadPoolExecutor(THREADS) as pool:
        wrong = [each for each in pool.map(_why, maps, files) if each]
    if place is not None and not wrong:
        keep(place, {"sound": len(images)})
    return wrong


def told(images: ImageSet, wrong: Sequence[str]) -> str:
    """One sentence for all, and a line for each of the first."""
    more = f"\n    and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    named = "".join(f"\n    {each}" for each in wrong[:NAMED])
    first = wrong[0].partition(": ")[0]
    many = f"{len(wrong)} of {len(images)} depth maps cannot be used"
    return f"{images.data}/{images.name}: {many}, the first one {first}; replace them, or remove the folder of maps:{named}{more}"


def _why(path: Path, picture: Path) -> str:
    try:
        read(path, picture)
    except ClipError as error:
        return str(error)
    return ""


def _numbers(path: Path) -> NDArray[Any]:
    import numpy as np

    from .pictures import MAX_PIXELS, UnreadableError, stored

    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, mmap_mode="r", allow_pickle=False)  # what its header claims is not read before it is checked
        else:
            picture = stored(path, where=str(path))
            if picture.mode in ("P", "1", "PA"):
                raise ClipError(f"{path}: numbers of a palette are colours and no distances; write the map as 16-bit grey")
            values = np.asarray(picture)
    except UnreadableError as error:
        raise ClipError(str(error).replace("not a readable image", "not a readable depth map")) from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0] if str(error) else "empty"
        raise ClipError(f"{path}: not a readable depth map ({why}); replace it") from error
    if values.size > MAX_PIXELS:
        raise ClipError(f"{path}: {values.size} numbers, at most {MAX_PIXELS} are read; make the map smaller")
    if values.dtype.kind not in "iuf":
        raise ClipError(f"{path}: holds {values.dtype} and no distances; write numbers, the larger the farther")
    return np.asarray(values, dtype=np.float64 if values.dtype.itemsize > 4 else values.dtype)


def _shape(path: Path, shape: tuple[int, ...], picture: Path) -> None:
    """ClipError for a map that does not show what the picture shows."""
    from PIL import Image

    from .pictures import FORMATS

    try:
        with Image.open(picture, formats=FORMATS) as opened:
            wide, high = opened.size
    except Exception:  # whoever decodes the picture says what is wrong with it
        return
    h, w = shape
    if _alike(w, h, wide, high):
        return
    turned = "; its rows are the picture's columns: transpose it" if _alike(h, w, wide, high) else "; make it of all of the picture"
    raise ClipError(f"{path}: {w} x {h} numbers are of another shape than the picture {shown(picture)}, {wide} x {high} pixels{turned}")


def _alike(w: int, h: int, wide: int, high: int) -> bool:
    return abs(w - h * wide / high) <= max(1.0, SKEW * w) and min(w, h) >= min(SMALLEST, wide, high)
