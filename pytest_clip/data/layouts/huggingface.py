"""A Hugging Face data set as `save_to_disk` leaves it, read with the package `datasets` (the extra [shards]); nothing is downloaded.

A column of images, and one of class labels (`ClassLabel`, or numbers beside a classnames.txt) or of captions, or both.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from .. import binding, naming, own, texts
from ..setinfo import SetInfo
from ..stored import Rows as Rows
from ..stored import held
from ..stored import table as _table
from .found import Found, Problem, own_name, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "huggingface"
SPLITS = ("test", "validation", "val")
LABELS, CAPTIONS = ("label", "labels", "fine_label", "class"), ("caption", "captions", "text", "sentences")


def detect(root: Path) -> list[Found]:
    """Folders with the two files that `save_to_disk` writes, or with one of its splits."""
    out = []
    for place in places(root):
        split = next((place / name for name in SPLITS if _is_table(place / name)), place if _is_table(place) else None)
        if split is not None or (place / "dataset_dict.json").is_file():
            out.append(Found(NAME, own_name(place), place, {"root": place} if split is None else {"root": place, "table": split}))
    return out


def _is_table(folder: Path) -> bool:
    return (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One set: `clean` for labels, `test` for captions alone."""
    whole = _whole(found)
    labelled = bool(whole.classes)
    return (SetInfo("clean" if labelled else "test", "clean" if labelled else "captions", whole.n, labelled=labelled, captions=whole.told),)


def problems(found: Found) -> list[Problem]:
    """What the names of the classes and their sizes tell."""
    whole = _whole(found)
    often = Counter(whole.labels)
    return naming.of_sizes(str(found.folder), {name: often[k] for k, name in enumerate(whole.classes) if often[k]})


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The rows, class by class in turn."""
    import numpy as np

    from ..imageset import ImageSet
    from ..order import balanced

    whole = _whole(found)
    rows = (balanced(whole.labels) if whole.classes else list(range(whole.n)))[:limit]
    captions = None
    if whole.told:
        column = _table(found.parts["table"])[whole.caption]
        captions = tuple(_captions(column[row], f"{found.parts['table']}: row {row}") for row in rows)
    columns = whole.image, whole.label, whole.caption
    digest = hashlib.sha256(repr((held(found.parts["table"], whole.image), columns, whole.classes, rows)).encode())
    return ImageSet(
        name=name, data=found.name, role="clean" if whole.classes else "captions", ids=tuple(f"row-{row}" for row in rows),
        labels=np.array([whole.labels[row] if whole.classes else -1 for row in rows], dtype=np.int64), classes=whole.classes,
        read=Rows(found.parts["table"], whole.image, tuple(rows)), fingerprint=digest.hexdigest()[:16], all_captions=captions,
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """The names of the ClassLabel, or classnames.txt."""
    return _whole(found).classes


def templates(found: Found) -> tuple[str, ...]:
    """templates.txt, or one template."""
    return own.templates(found.parts["root"])


@dataclass(frozen=True)
class _Whole:
    n: int
    image: str
    label: str
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    caption: str

    @property
    def told(self) -> bool:
        return bool(self.caption)


def _whole(found: Found) -> _Whole:
    if "table" not in found.parts:
        raise ClipError(f"{found.folder}: none of the splits {', '.join(SPLITS)}; name the folder of the one to be measured")
    return _read(found.parts["root"], found.parts["table"])


@cache
def _read(root: Path, folder: Path) -> _Whole:
    table = _table(folder)
    features, here = table.features, f"{folder}: it has {', '.join(table.features)}"
    image = next((name for name, kind in features.items() if type(kind).__name__ == "Image"), None)
    label, caption = (next((name for name in names if name in features), None) for names in (LABELS, CAPTIONS))
    if image is None:
        raise ClipError(f"{here}, but no column of images; cast it with datasets.Image()")
    if label is None and caption is None:
        raise ClipError(f"{here}, but no column {LABELS[0]} and none {CAPTIONS[0]}; rename one")
    if len(table) == 0:
        raise ClipError(f"{folder}: holds no row; save the data set again")
    if label is None:
        return _Whole(len(table), image, "", (), (), str(caption))
    labels, path = table[label], root / own.CLASSES
    names = tuple(texts.class_names(path)) if path.is_file() else tuple(getattr(features[label], "names", None) or ())
    if not names:
        raise ClipError(f"{folder}: the column {label} has no class names; cast it to ClassLabel, or write {path} with one name a line")
    binding.distinct(names, where=str(path if path.is_file() else folder))
    for row, value in enumerate(labels):
        if not isinstance(value, int) or not 0 <= value < len(names):
            why = "labels of this split are kept secret" if value == -1 else f"there are {len(names)} classes (0..{len(names) - 1})"
            raise ClipError(f"{folder}: row {row}: label {value!r}, but {why}; measure another split, or correct it")
    return _Whole(len(table), image, label, tuple(labels), names, caption or "")


def _captions(cell: Any, where: str) -> tuple[str, ...]:
    found = tuple(text.strip() for text in ([cell] if isinstance(cell, str) else cell or ()) if isinstance(text, str) and text.strip())
    if not found:
        raise ClipError(f"{where}: no caption; remove the row from the data set")
    return found


__all__: Sequence[str] = ("NAME", "Rows", "classes", "detect", "facts", "image_set", "problems", "sets", "templates")
