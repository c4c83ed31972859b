"""The sheet of corruptions: what every kind does to scenes at every severity, on one page."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ... import ClipError
from .contact import GAP, INK, LABEL, PAPER, PICTURE, TITLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

SHOWN = 2
"""Scenes side by side, each clean and at five severities."""


def write(path: Path, *, kinds: Sequence[str] | None = None) -> Path:
    """Write the sheet to `path` as a PNG: a row for each kind (all 31, or those named), the first scenes of `clean` in it.

    Codec kinds need PyAV; without it their rows say so.
    """
    from PIL import Image, ImageDraw, ImageFont

    from ...views import KINDS, KINDS_3D, SEVERITIES, catalog

    known = (*KINDS, *KINDS_3D)
    if unknown := [kind for kind in kinds or () if kind not in known]:
        raise ClipError(f"no corruption {unknown[0]!r}; there is {', '.join(known)}")
    if not path.resolve().parent.is_dir():
        raise ClipError(f"cannot write {path}: {path.resolve().parent} is no folder; name a file in a folder that exists")
    chosen, cell, font = tuple(kinds or known), PICTURE + GAP, ImageFont.load_default(13)
    sheet = Image.new("RGB", (LABEL + SHOWN * (1 + len(SEVERITIES)) * cell, TITLE + len(chosen) * cell), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place in range(SHOWN * (1 + len(SEVERITIES))):
        severity = place % (1 + len(SEVERITIES))
        pen.text((LABEL + place * cell, TITLE // 4), str(severity) if severity else "clean", fill=INK, font=font)
    pictures, depth, ids = _scenes()
    for row, kind in enumerate(chosen):
        top = TITLE + row * cell
        pen.text((GAP, top + PICTURE // 2), kind.replace("_", "_\n", 1) if len(kind) > 14 else kind, fill=INK, font=font, anchor="lm")
        if kind in catalog.VIDEO and find_spec("av") is None:
            pen.text((LABEL, top + PICTURE // 2), catalog.NEEDS_AV, fill=INK, font=font, anchor="lm")
            continue
        for severity in (0, *SEVERITIES):
            for i, pixels in enumerate(_seen(pictures, depth, ids, kind, severity).permute(0, 2, 3, 1).numpy()):
                small = Image.fromarray(pixels).resize((PICTURE, PICTURE), Image.Resampling.BICUBIC)
                sheet.paste(small, (LABEL + (i * (1 + len(SEVERITIES)) + severity) * cell, top))
    try:
        sheet.save(path, format="PNG")
    except OSError as error:
        raise ClipError(f"cannot write {path} ({error.strerror or error}); name another file") from error
    return path


def _scenes() -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Pictures uint8 [n, 3, h, w], depth [n, h, w] and ids of the first scenes of `clean`."""
    from ..depth import scene_depth
    from .load import image_set
    from .render import render_rgb

    images = image_set("clean", role="clean", limit=SHOWN)
    assert images.scenes is not None
    return render_rgb(images.scenes).permute(0, 3, 1, 2), scene_depth(images, SHOWN), images.ids


def _seen(pictures: Tensor, depth: Tensor, ids: tuple[str, ...], kind: str, severity: int) -> Tensor:
    from ...views import KINDS, corrupt, corrupt_3d

    if severity == 0:
        return pictures
    return corrupt(pictures, kind, severity, ids) if kind in KINDS else corrupt_3d(pictures, depth, kind, severity, ids)
