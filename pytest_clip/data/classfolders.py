"""Folders of images as classes, DIR/CLASS/.../IMAGE.jpg, read as torchvision's ImageFolder reads them. Light: nothing is opened."""

from __future__ import annotations

from pathlib import Path

from .. import ClipError
from .layouts.found import IMAGE_SUFFIXES, all_subfolders, count, images_in, is_folder, is_utf8, shown, subfolders
from .tree import Tree, below, counted, together

UNKNOWN, DEPTH = "ood", "depth"
"""Folders that hold images of no class and depth maps, unless images lie directly in them: then they are classes like any other."""
DEPTH_SUFFIXES = (".png", ".tif", ".tiff", ".npy")
LAY_DEPTH = (
    "put one for each image into {folder}/depth/CLASS/IMAGE.png (16 bit, the number grows with the distance; or .npy), "
    "or have them estimated: --clip-depth-model=HUB-ID-or-DIR (needs pip install pytest-clip[depth])"
)
"""What to do for data without depth maps, both ways."""
SPLITS = ("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval", "holdout")


def class_folders(folder: str) -> dict[str, list[Path]]:
    """Class name -> image files, however deep, both sorted by name; hidden files are passed over."""
    return {name: list(found.images) for name, found in class_trees(folder).items()}


def class_trees(folder: str) -> dict[str, Tree]:
    """Class name -> what lies below its folder; ClipError for fewer than two classes, and for splits in place of classes."""
    root = Path(folder)
    if not is_folder(root):
        raise ClipError(
            f"--clip-data={shown(folder)[:200]}: no such folder, and not the name of the embedded benchmark; "
            "use --clip-data=scenes or a folder of class folders"
        )
    found = {name: below(root / name, root=root) for name in sorted(all_subfolders(root)) if not _beside(root, name)}
    out = {name: each for name, each in found.items() if each.images}
    if len(out) < 2:
        inner = next((root / name for name in sorted(subfolders(root)) if len(_with_images(root / name)) > 1), None)
        raise ClipError(
            f"--clip-data={shown(folder)}: needs at least two class folders with images ({', '.join(IMAGE_SUFFIXES)}), found {len(out)}; "
            f"expected {shown(folder)}/CLASS/IMAGE.jpg{_instead(found)}" + (f"; did you mean --clip-data={shown(inner)}?" if inner else "")
        )
    if splits := [name for name in out if name.lower() in SPLITS and not count(root / name) and len(_with_images(root / name)) > 1]:
        raise ClipError(
            f"--clip-data={shown(folder)}: {' and '.join(splits)} hold{'s' * (len(splits) == 1)} class folders, and would be taken for "
            f"{'a class' if len(splits) == 1 else 'classes'}; name one: --clip-data={shown(root / splits[-1])}"
        )
    if odd := [name for name in out if not is_utf8(name)]:
        raise ClipError(
            f"{len(odd)} folders in {shown(folder)} have names that are no UTF-8, the first one {shown(root / odd[0])}; rename them, for "
            f"example with convmv -f latin1 -t utf8 -r --notest {shown(folder)}"
        )
    return out


def depth_folder(folder: str | Path) -> Path | None:
    """DIR/depth, with maps in DIR/depth/CLASS/; a folder of that name with images in it is a class like any other."""
    path = Path(folder) / DEPTH
    return path if is_folder(path) and next(images_in(path, IMAGE_SUFFIXES), None) is None else None


def _beside(root: Path, name: str) -> bool:
    return name in (UNKNOWN, DEPTH) and next(images_in(root / name, IMAGE_SUFFIXES), None) is None


def _with_images(folder: Path) -> list[str]:
    return [name for name in subfolders(folder) if count(folder / name)]


def _instead(found: dict[str, Tree]) -> str:
    """What lies there in place of images."""
    held = together(found.values())
    told = ([f"{counted(held.others)} lie there, which are not read"] if held.others else []) + (
        [f"{len(held.closed)} folders may not be opened, the first one {shown(held.closed[0])}"] if held.closed else []
    )
    return "".join(f"; {each}" for each in told)
