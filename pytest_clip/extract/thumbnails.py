"""Small copies of pictures for a report."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from .. import ClipError
from ..data.imageset import ImageSet
from ..data.pictures import upright
from .source import pictures

SIDE, QUALITY = 160, 82


def thumbnail(images: ImageSet, row: int, cache: Path) -> tuple[str, str] | None:
    """A key of 16 characters and the picture, at most `SIDE` pixels a side, as JPEG in base64; None where it cannot be read any more.

    The same picture has the same key.
    """
    try:
        picture = upright(pictures(images, cache)(row))
    except (ClipError, OSError):
        return None
    return small(picture)


def small(pixels: Any, *, side: int = SIDE) -> tuple[str, str]:
    """The key and the small copy of a PIL image, or of uint8 [3, h, w] or [h, w, 3], an array or a tensor. ValueError for other pixels."""
    from PIL import Image

    if not isinstance(pixels, Image.Image):
        values = np.asarray(pixels)
        if values.dtype != np.uint8 or values.ndim != 3 or 3 not in (values.shape[0], values.shape[2]):
            raise ValueError(f"a picture must be uint8 [3, h, w] or [h, w, 3], not {values.dtype} {list(values.shape)}")
        pixels = Image.fromarray(np.ascontiguousarray(values if values.shape[2] == 3 else values.transpose(1, 2, 0)))
    picture = pixels.convert("RGB")
    picture.thumbnail((side, side))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY, optimize=True)  # a tenth smaller, and no slower
    content = stream.getvalue()
    return hashlib.sha256(content).hexdigest()[:16], base64.b64encode(content).decode()
