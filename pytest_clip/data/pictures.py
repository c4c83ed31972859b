"""One picture decoded, from a file or from bytes, with a bound on what a hostile one can take."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from .. import ClipError
from .bits import eight_bit
from .content import LARGEST
from .ends import UnreadableError as UnreadableError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "AVIF", "JPEG2000", "QOI")
"""What is decoded, whatever a file is called: Pillow would hand a PostScript file named .jpg to Ghostscript."""
BY_SUFFIX = {
    ".mpo": "MPO", ".dib": "DIB", ".pcx": "PCX", ".ico": "ICO", **dict.fromkeys((".tga", ".icb", ".vda", ".vst"), "TGA"),
    **dict.fromkeys((".sgi", ".rgb", ".rgba", ".bw"), "SGI"),
}  # fmt: skip
"""What is decoded only where the file is called so: these formats begin with next to nothing that tells them from other bytes."""
MAX_PIXELS = 89_478_485
"""Pixels of one picture: the number from which Pillow warns of a decompression bomb, 256 MiB as RGB."""


def decode(source: Path | bytes, *, where: str) -> Any:
    """The picture as a PIL image of 8 bits a channel; see `bits.eight_bit` for those that have more.

    UnreadableError begins with `where` for one that cannot be read, is cut off, or above `MAX_PIXELS`.
    """
    return eight_bit(stored(source, where=where), where=where)


def stored(source: Path | bytes, *, where: str) -> Any:
    """The picture as it is stored, for those whose numbers are no brightness: depth maps. UnreadableError as `decode`."""
    from PIL import Image

    named = BY_SUFFIX.get(source.suffix.lower()) if isinstance(source, Path) else None
    formats = FORMATS if named is None else (*FORMATS, named)
    try:
        if isinstance(source, Path) and (size := source.stat().st_size) > LARGEST:
            raise UnreadableError(f"{where}: {size} bytes, at most {LARGEST} are read; make the picture smaller or remove it")
        with Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=formats) as image:
            wide, high = image.size
            if wide * high > MAX_PIXELS:
                raise UnreadableError(
                    f"{where}: {wide} x {high} pixels, at most {MAX_PIXELS} are decoded; make the picture smaller or remove it"
                )
            image.load()
            if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
                del image.info["transparency"]  # the transform drops it anyway, but Pillow warns about it, once an image
            return image
    except ClipError:
        raise
    except Exception as error:  # damaged files reach struct.error, zlib.error, IndexError and more inside Pillow
        raise UnreadableError(f"{where}: not a readable image ({_why(error, where)}); replace or remove the file") from error


def cut(picture: Any, box: tuple[int, int, int, int]) -> Any:
    """The part of an upright RGB picture inside `box` (left, top, right, bottom), white where the box reaches over its edge."""
    from PIL import Image

    left, top, right, bottom = box
    out = Image.new("RGB", (right - left, bottom - top), (255, 255, 255))
    out.paste(picture, (-left, -top))
    return out


def upright(picture: Any) -> Any:
    """RGB, turned as its EXIF orientation says."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture).convert("RGB")


def _why(error: Exception, where: str) -> str:
    """Pillow's words without what only says where the bytes came from."""
    text = str(error) or type(error).__name__
    return "no picture in a known format" if text.startswith("cannot identify image file") else text.replace(where, "the file")
