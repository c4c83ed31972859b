"""A folder of class folders as it lies on disk: DIR/CLASS/IMAGE.jpg, and DIR/depth/CLASS/ with a map for each image."""

from __future__ import annotations

import os
from pathlib import Path

from .. import ClipError
from .layouts.found import IMAGE_SUFFIXES, places

DEPTH_SUFFIXES = (".png", ".tif", ".tiff", ".npy")
LAY_DEPTH = (
    "put one for each image into {folder}/depth/CLASS/IMAGE.png (16 bit, the number grows with the distance; or .npy), "
    "or have them estimated: --clip-depth-model=HUB-ID-or-DIR (needs pip install pytest-clip[depth])"
)
"""What to do for data without depth maps, both ways."""


def class_folders(folder: str) -> dict[str, list[Path]]:
    """Class name -> image files, both sorted by name; hidden files are passed over."""
    root = Path(folder)
    if not root.is_dir():
        raise ClipError(
            f"--clip-data={folder}: no such folder, and not the name of the embedded benchmark; "
            "use --clip-data=scenes or a folder of class folders"
        )
    out: dict[str, list[Path]] = {}
    for entry in sorted(_visible(root), key=lambda e: e.name):
        if entry.is_dir() and (files := sorted(Path(f.path) for f in _visible(entry.path) if _is_image(f))):
            out[entry.name] = files
    if len(out) < 2:
        inner = next((e.path for e in _visible(root) if e.is_dir() and sum(map(_holds_images, places(Path(e.path))[1:])) > 1), None)
        raise ClipError(
            f"--clip-data={folder}: needs at least two class folders with images ({', '.join(IMAGE_SUFFIXES)}), found {len(out)}; "
            f"expected {folder}/CLASS/IMAGE.jpg" + (f"; did you mean --clip-data={inner}?" if inner else "")
        )
    return out


def _holds_images(folder: Path) -> bool:
    return any(_is_image(entry) for entry in _visible(folder))


def depth_folder(folder: str | Path) -> Path | None:
    """DIR/depth, with maps in DIR/depth/CLASS/; a folder of that name with images in it is a class like any other."""
    path = Path(folder) / "depth"
    return path if path.is_dir() and not any(_is_image(entry) for entry in _visible(path)) else None


def _visible(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [e for e in entries if not e.name.startswith(".")]


def _is_image(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(IMAGE_SUFFIXES) and entry.is_file()
