"""Feature maps at places of a picture: what correspondence compares."""

import numpy as np
import numpy.typing as npt

from . import _checks, _cosines


def sample(features: npt.ArrayLike, places: npt.ArrayLike, *, size: tuple[int, int]) -> _checks.Floats:
    """A feature map at places of the picture that it covers, between its cells bilinearly, at its edge the edge. Float64 [n, d].

    features: float [d, gh, gw]; places: float [n, 2], pixels (x right, y down, centres at integers) of a picture of `size` (height, width),
    all of which the map covers: pixel x is column (x + 0.5) gw / width - 0.5. The same as torch's grid_sample with align_corners=False and
    padding_mode="border", as in Probe3D. ValueError for NaN and wrong shapes.
    """
    values = _checks.finite(features, name="features", ndim=3)
    at = _checks.finite(places, name="places", ndim=2)
    if at.shape[1] != 2:
        raise ValueError(f"places must have shape [n, 2], not {at.shape}")
    height, width = (_checks.count(side, name="size") for side in size)
    x0, x1, right = _between(at[:, 0], values.shape[2], width)
    y0, y1, down = _between(at[:, 1], values.shape[1], height)
    top = values[:, y0, x0] * (1 - right) + values[:, y0, x1] * right
    bottom = values[:, y1, x0] * (1 - right) + values[:, y1, x1] * right
    return (top * (1 - down) + bottom * down).T


def peaks(queries: npt.ArrayLike, features: npt.ArrayLike, *, size: tuple[int, int], cells: int) -> _checks.Floats:
    """Where in a picture each query's feature is most alike: centre of the best of cells x cells places by cosine. Float64 [n, 2], pixels.

    queries: float [n, d]; features: float [d, gh, gw], sampled at those places as in `sample`. Cosines are rounded to 12 decimals and a tie
    goes to the first place, row by row, so a collapsed map answers with its upper left corner. ValueError for NaN and features of length 0.
    """
    places = grid(size=size, cells=cells)
    ours, theirs = _cosines.two_sets(queries, sample(features, places, size=size), names=("queries", "features"))
    found: _checks.Floats = places[np.round(ours @ theirs.T, 12).argmax(axis=1)]
    return found


def grid(*, size: tuple[int, int], cells: int) -> _checks.Floats:
    """Centres of cells x cells places that cover a picture of `size` (height, width), row by row: pixels [cells^2, 2] (x, y)."""
    side = (np.arange(_checks.count(cells, name="cells")) + 0.5) / cells
    x, y = np.meshgrid(side * size[1] - 0.5, side * size[0] - 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _between(place: _checks.Floats, cells: int, pixels: int) -> tuple[_checks.Ints, _checks.Ints, _checks.Floats]:
    """The two cells of an axis that a place lies between, and how far it is from the first to the second."""
    at = ((place + 0.5) * cells / pixels - 0.5).clip(0, cells - 1)
    low = np.floor(at).astype(np.int64)
    return low, np.minimum(low + 1, cells - 1), at - low
