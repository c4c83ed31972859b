"""Pictures of more than 8 bits a pixel: Pillow's own conversion to RGB cuts them off at 255, so that nearly all of them become white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ends import UnreadableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE = 65535
"""Of 16 bits; portable grey maps with another white are brought to it by Pillow."""
ROWS = 256
"""Rows at a time: 89 million pixels as 64-bit floats would be 700 MB."""
NOTE = "pytest_clip_bits"
"""Key of a picture's `info` that says what it was stored as."""


def eight_bit(picture: Any, *, where: str) -> Any:
    """A PIL image whose channels have 8 bits: 16-bit grey divided by 257, floats from 0 to 1 times 255, all others as they are.

    UnreadableError for whole numbers of 32 bits and floats outside 0..1: nobody says which of them is white, and taking each picture's
    brightest pixel for it would give pictures of one camera different exposures.
    """
    if not (picture.mode.startswith("I") or picture.mode == "F"):
        return picture
    import numpy as np

    values = np.asarray(picture)
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PPM", "PNG")):
        return _grey(picture, values, 1 / 257, f"16-bit grey up to {int(values.max(initial=0))}")
    if picture.mode == "F" and values.size and np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1:
        return _grey(picture, values, 255.0, "floats from 0 to 1")
    kind = "floats" if picture.mode == "F" else "whole numbers of 32 bits"
    finite = values[np.isfinite(values)]
    span = f"from {finite.min():g} to {finite.max():g}" if finite.size else "none of them finite"
    raise UnreadableError(
        f"{where}: not a readable image ({kind} {span}: which one is white is not said); save it with 8 or 16 bits, or replace or remove it"
    )


def stored_as(picture: Any) -> str:
    """`16-bit grey up to 4095`, or "" for a picture of 8 bits."""
    return str(picture.info.get(NOTE, ""))


def _grey(picture: Any, values: NDArray[Any], times: float, what: str) -> Any:
    import numpy as np
    from PIL import Image

    shades = np.empty(values.shape, np.uint8)
    for i in range(0, len(values), ROWS):
        shades[i : i + ROWS] = np.round(values[i : i + ROWS] * times).clip(0, 255)
    out = Image.fromarray(shades)
    out.info = {**picture.info, NOTE: what, "exif": picture.getexif().tobytes()}
    return out
