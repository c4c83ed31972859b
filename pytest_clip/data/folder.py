"""A folder of class folders as a data set: DIR/CLASS/IMAGE.jpg."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from . import own
from .catalog import class_folders
from .depth import beside
from .imageset import ImageSet


def image_set(folder: str, *, limit: int | None = None) -> ImageSet:
    """All images, class by class in turn (so that a limit keeps the balance); the class name is the folder's, `_` read as a space, or
    what classnames.txt says.

    The fingerprint covers relative path, size and modification time of every file, not its bytes: hashing 50,000 JPEGs would cost as much
    as decoding them.
    """
    root, tree = Path(folder), class_folders(folder)
    names, labels = own.class_names(root, list(tree))
    rows = sorted((j, k, path) for k, files in zip(labels, tree.values(), strict=True) for j, path in enumerate(files))[:limit]
    digest = hashlib.sha256("\n".join(tree if not (root / own.CLASSES).is_file() else names).encode())
    files = tuple(path for _, _, path in rows)
    maps = beside(root, files)
    for path in (*files, *(maps or ())):
        stat = path.stat()
        digest.update(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return ImageSet(
        name="clean", data=root.resolve().name, role="clean", ids=tuple(str(p.relative_to(root)) for _, _, p in rows),
        labels=np.array([k for _, k, _ in rows]), classes=names, fingerprint=digest.hexdigest()[:16],
        files=files, depth=maps,
    )  # fmt: skip
