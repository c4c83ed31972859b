"""The contact sheet: what the embedded benchmark looks like, class by class and image set by image set, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import ClipError
from ..catalog import sets as catalog_sets
from .load import image_set
from .notes.note import Noted
from .notes.render import render as render_notes
from .render import render_rgb
from .sets import scene_set
from .spec import Scene, sample
from .studio.portrait import Portrait
from .studio.render import render as portray
from .vocabulary import CLASSES, HELD_OUT, SEED

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

DRAWS, COLUMNS = 8, 12
"""Random draws of each object, and pictures of each image set."""
PICTURE, GAP, LABEL, TITLE = 96, 3, 118, 26
"""Sizes in pixels: a picture, the space between two, the column of names, a heading."""
SHEET_STREAM = 2_000_003
"""No image set and no training run draws from this stream."""
INK, PAPER = (25, 25, 25), (255, 255, 255)


def write(path: Path, *, sets: Sequence[str] | None = None) -> Path:
    """Write the sheet to `path` as a PNG: every object as training draws it, then a row for each image set (all, or those named in `sets`).

    Rows of factors and cues show one scene a column, the same as in the row `clean, matched` above them, with that one thing changed.
    """
    known = [info.name for info in catalog_sets("scenes")]
    if unknown := [name for name in sets or () if name not in known]:
        raise ClipError(f"scenes has no image set {unknown[0]!r}; it has {', '.join(known)}")
    if not path.resolve().parent.is_dir():
        raise ClipError(f"cannot write {path}: {path.resolve().parent} is no folder; name a file in a folder that exists")
    objects = [(name, _draws(name)) for name in (*CLASSES, *HELD_OUT)]
    sheet = _page((DRAWS * 2, (len(objects) + 1) // 2), (COLUMNS, len(_set_rows(sets or known))))
    below = _block(sheet, "Objects: eight random draws of the training distribution (the last six are held out)", objects, top=0, columns=2)
    title = "Image sets: factors and cues change the scenes of the row 'clean, matched' column by column"
    _block(sheet, title, _set_rows(sets or known), top=below)
    try:
        sheet.save(path, format="PNG")
    except OSError as error:
        raise ClipError(f"cannot write {path} ({error.strerror or error}); name another file") from error
    return path


def _draws(name: str) -> list[Scene]:
    stream = (*CLASSES, *HELD_OUT).index(name)
    return [sample(np.random.default_rng([SEED, SHEET_STREAM, stream, i]), name, companion_share=0.0) for i in range(DRAWS)]


def _set_rows(names: Sequence[str]) -> list[tuple[str, list[Any]]]:
    """Label and scenes of each row; before the first factor a row of the scenes that the factors change."""
    rows: list[tuple[str, list[Any]]] = []
    matched = False
    roles = {each.name: each.role for each in catalog_sets("scenes")}
    for name in names:
        if roles[name] == "note" or name == "studio":
            drawn = image_set(name, role=roles[name], limit=None).drawn
            rows.append((name, list(drawn or ())[:COLUMNS]))
            continue
        found = scene_set(name)
        if found.pairs is not None and not matched:
            matched = True
            rows.append(("clean, matched", [scene_set("clean").scenes[i] for i in found.pairs[:COLUMNS]]))
        rows.append((name, list(found.scenes[:COLUMNS])))
    return rows


def _page(objects: tuple[int, int], rows: tuple[int, int]) -> Image.Image:
    """White paper for a block of objects in two columns and a block of rows, each (pictures across, rows)."""
    from PIL import Image

    cell = PICTURE + GAP
    width = max(2 * LABEL + objects[0] * cell, LABEL + rows[0] * cell) + GAP
    return Image.new("RGB", (width, 2 * TITLE + (objects[1] + rows[1]) * cell + 2 * GAP), PAPER)


def _block(sheet: Image.Image, title: str, rows: Sequence[tuple[str, list[Any]]], *, top: int, columns: int = 1) -> int:
    """Draw labelled rows under a title, in `columns` side by side, from `top` down; returns where they end."""
    from PIL import Image, ImageDraw, ImageFont

    pen, cell = ImageDraw.Draw(sheet), PICTURE + GAP
    pen.text((GAP, top + TITLE // 4), title, fill=INK, font=ImageFont.load_default(14))
    depth = -(-len(rows) // columns)
    for k, (label, scenes) in enumerate(rows):
        x, y = k // depth * (LABEL + DRAWS * cell), top + TITLE + k % depth * cell
        _write_label(pen, label, at=(x + GAP, y + PICTURE // 2))
        pictures = [Image.fromarray(p) for p in _pictures(scenes)]
        for i, picture in enumerate(pictures):
            sheet.paste(picture.resize((PICTURE, PICTURE), Image.Resampling.BICUBIC), (x + LABEL + i * cell, y))
    return top + TITLE + depth * cell + GAP


def _pictures(drawn: Sequence[Any]) -> NDArray[np.uint8]:
    """Of scenes, of scenes with notes or of portraits."""
    if isinstance(drawn[0], Noted):
        return render_notes(drawn)
    if isinstance(drawn[0], Portrait):
        return portray(drawn)
    rendered: NDArray[np.uint8] = render_rgb(drawn).numpy()
    return rendered


def _write_label(pen: ImageDraw.ImageDraw, label: str, *, at: tuple[int, int]) -> None:
    from PIL import ImageFont

    pen.text(at, label.replace("_", "_\n", 1) if len(label) > 15 else label, fill=INK, font=ImageFont.load_default(13), anchor="lm")
