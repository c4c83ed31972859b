"""Small copies of pictures for a report."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

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
    picture = picture.convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY)
    content = stream.getvalue()
    return hashlib.sha256(content).hexdigest()[:16], base64.b64encode(content).decode()
