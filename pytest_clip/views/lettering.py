"""Sheets of paper with a word on them, and how they lie in a picture: a plane before a pinhole camera, sampled four by four a pixel.

The fonts are the DejaVu files that matplotlib ships, set by Pillow's own FreeType: no font of the machine is asked.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image, ImageFont

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono-Bold")
PAPERS = {"white": (0.96, 0.96, 0.94), "yellow": (0.98, 0.93, 0.55), "pink": (0.98, 0.76, 0.80), "blue": (0.74, 0.87, 0.97)}
INKS = {"black": (0.06, 0.06, 0.08), "navy": (0.08, 0.12, 0.45), "red": (0.70, 0.06, 0.08), "green": (0.03, 0.32, 0.10)}
WIDE, HIGH = 384, 192
"""Texels of a sheet, which is twice as wide as high."""
FILLED = (0.88, 0.62)
"""Share of the width and of the height that a word may take."""
FINE = 4
"""Samples along each side of a pixel."""

Array = NDArray[np.float64]


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib
    from PIL import ImageFont

    # The basic layout does not depend on whether Pillow finds libraqm.
    place = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(str(place), size, layout_engine=ImageFont.Layout.BASIC)


def _written(words: str, font: str) -> Image.Image:
    """Coverage of the letters, an L image: as large as fits, a long name of two words or more on two lines where that is larger."""
    from PIL import Image, ImageDraw

    parts = words.split()
    wordings = [words, *("\n".join((" ".join(parts[:k]), " ".join(parts[k:]))) for k in range(1, len(parts)))]
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    trial = _font(font, 100)
    boxes = [draw.multiline_textbbox((0, 0), each, font=trial, spacing=12) for each in wordings]
    scales = [min(WIDE * FILLED[0] / (b[2] - b[0]), HIGH * FILLED[1] / (b[3] - b[1])) for b in boxes]
    best = int(np.argmax(scales))
    size = max(6, int(100 * scales[best]))
    out = Image.new("L", (WIDE, HIGH))
    draw = ImageDraw.Draw(out)
    letters, gap = _font(font, size), size * 0.12
    left, top, right, bottom = draw.multiline_textbbox((0, 0), wordings[best], font=letters, spacing=gap, align="center")
    at = round((WIDE - left - right) / 2), round((HIGH - top - bottom) / 2)
    draw.multiline_text(at, wordings[best], fill=255, font=letters, spacing=gap, align="center")
    return out


@lru_cache(maxsize=2048)
def coverage(words: str, font: str) -> NDArray[np.uint8]:
    """How much of each texel is ink, uint8 [HIGH, WIDE]; "" is a sheet with nothing on it."""
    return np.asarray(_written(words, font)) if words else np.zeros((HIGH, WIDE), np.uint8)


@lru_cache(maxsize=1024)
def _shares(words: str, font: str, k: int) -> Array:
    """Share of ink [HIGH / k, WIDE / k, 1] in [0, 1] of k by k texels."""
    share = coverage(words, font).astype(np.float64) / 255
    out: Array = share.reshape(HIGH // k, k, WIDE // k, k).mean((1, 3))[..., None]
    return out


def sheet(words: str, *, font: str, paper: str, ink: str, wide: int = WIDE) -> Array:
    """Colours [HIGH / k, WIDE / k, 3] in [0, 1] of a sheet; the whole k is the largest that leaves `wide` texels or more."""
    share = _shares(words, font, max(k for k in (1, 2, 3, 4, 6, 8, 12, 16) if k == 1 or WIDE // k >= wide))
    colours: Array = (1 - share) * np.array(PAPERS[paper]) + share * np.array(INKS[ink])
    return colours


def corners(centre: Array, u: Array, v: Array, *, half: float) -> Array:
    """Where the corners centre -+ u -+ v are seen, [4, 2] in [-1, 1] (x right, y up), around the sheet; `half` is tan of half the view."""
    points = centre + np.array([-u - v, u - v, u + v, v - u])
    out: Array = points[:, :2] / -points[:, 2:] / half
    return out


def area(seen: Array) -> float:
    """Share of the picture that the quadrilateral of `corners` covers (parts outside the picture count)."""
    a, b, c, d = seen.tolist()
    return float(abs((c[0] - a[0]) * (d[1] - b[1]) - (d[0] - b[0]) * (c[1] - a[1]))) / 8


def hit(x: Array, y: Array, centre: Array, u: Array, v: Array) -> tuple[Array, Array, Array]:
    """For rays (x, y, -1): position along u and along v (the sheet is within [-1, 1]) and depth, where the sheet's plane is met."""
    a, b, c = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    down = a * x + b * y - c
    t = (a * centre[0] + b * centre[1] + c * centre[2]) / np.where(np.abs(down) < 1e-9, 1e-9, down)

    def along(edge: Array) -> Array:
        unit = edge / (edge @ edge)
        found: Array = (unit[0] * x + unit[1] * y - unit[2]) * t - unit @ centre
        return found

    return along(u), along(v), t


def paste(
    picture: NDArray[np.uint8], words: str, *, look: tuple[str, str, str], place: tuple[Array, Array, Array], half: float,
    depth: NDArray[np.float32] | None = None, shade: float = 1.0,
) -> NDArray[np.uint8]:  # fmt: skip
    """The square picture uint8 [s, s, 3] with a sheet in it: `look` is font, paper and ink, `place` centre, u and v in camera space.

    With `depth` [s, s], what is nearer than the sheet hides it.
    """
    size, (centre, u, v) = picture.shape[0], place
    seen = corners(centre, u, v, half=half)
    spots = (np.stack([seen[:, 0], -seen[:, 1]], 1) * 0.5 + 0.5) * size
    x0, y0 = np.clip(np.floor(spots.min(0)).astype(int), 0, size)
    x1, y1 = np.clip(np.ceil(spots.max(0)).astype(int), 0, size)
    if x0 >= x1 or y0 >= y1:
        return picture.copy()
    fine = (np.arange(size * FINE) + 0.5) / (size * FINE) * 2 - 1
    x = np.broadcast_to(fine[x0 * FINE : x1 * FINE] * half, ((y1 - y0) * FINE, (x1 - x0) * FINE))
    y = np.broadcast_to(-fine[y0 * FINE : y1 * FINE, None] * half, x.shape)
    along, across, t = hit(x, y, centre, u, v)
    inside = (np.abs(along) < 1) & (np.abs(across) < 1) & (t > 0)
    if depth is not None:
        inside &= t < np.kron(depth[y0:y1, x0:x1], np.ones((FINE, FINE)))
    wide = float(np.linalg.norm(spots[1] - spots[0])) * FINE
    texels = sheet(words, font=look[0], paper=look[1], ink=look[2], wide=min(WIDE, int(wide) + 1))
    high, broad = texels.shape[:2]
    row = np.clip(((1 - across) / 2 * high).astype(int), 0, high - 1)
    col = np.clip(((1 + along) / 2 * broad).astype(int), 0, broad - 1)
    colour = texels[row, col] * np.clip(shade, 0, 1.04) * inside[..., None]

    def whole(a: Array) -> Array:
        rows = a.reshape(y1 - y0, FINE, -1).sum(1).reshape(y1 - y0, x1 - x0, FINE, -1)
        blocks: Array = rows.sum(2) / FINE**2
        return blocks

    out = picture.copy()
    under = picture[y0:y1, x0:x1].astype(np.float64)
    out[y0:y1, x0:x1] = np.round((whole(inside.astype(float)) * -1 + 1) * under + np.clip(whole(colour), 0, 1) * 255).astype(np.uint8)
    return out
