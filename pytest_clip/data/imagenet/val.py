"""The validation images of ImageNet: in class folders, or all in one folder with their labels in a file. Light."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from ... import ClipError
from ..layouts.found import images_in
from . import facts
from .signs import wnid_folders

PREFIX = "ILSVRC2012_val_"
ASK = (
    "lay the images into class folders (val/n01440764/...), or put one of these beside them: the development kit "
    "(ILSVRC2012_devkit_t12/data), LOC_val_solution.csv, imagenet_2012_validation_synset_labels.txt, or val.txt (FILE LABEL, 0..999)"
)

Rows = list[tuple[Path, int]]


def tree(folder: Path, labels: dict[str, int], *, what: str) -> Rows:
    """(file, label) of folders named by WordNet id. ClipError unless they are exactly those of `labels`."""
    there = set(wnid_folders(folder))
    rows = [(Path(e.path), label) for wnid, label in sorted(labels.items()) if wnid in there for e in images_in(folder / wnid)]
    filled = {path.parent.name for path, _ in rows}
    if missing := sorted(set(labels) - filled):
        some = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        raise ClipError(
            f"{folder}: {len(filled)} of the {len(labels)} class folders of {what} hold images; a missing class shifts the labels of tools "
            f"that count folders, and makes another number; missing: {some}. Unpack it again, or remove the folder"
        )
    if strange := sorted(there - set(labels)):
        raise ClipError(
            f"{folder}: {strange[0]} is no class of {what} ({len(strange)} such folders); if this is another data set, "
            "give the folder its own name"
        )
    return rows


def val(folder: Path) -> Rows:
    """(file, label) of all validation images."""
    if wnid_folders(folder):
        return tree(folder, facts.label_of(), what="ImageNet")
    files = [Path(entry.path) for entry in images_in(folder) if entry.name.startswith(PREFIX)]
    labels = _labels(folder)
    if missing := [path.name for path in files if path.stem not in labels]:
        raise ClipError(f"{folder}: no label for {missing[0]} ({len(missing)} images without one); {ASK}")
    return [(path, labels[path.stem]) for path in files]


def _labels(folder: Path) -> dict[str, int]:
    """Label by file stem, from the first file of labels that lies in the folder, beside it or one higher."""
    for place in (folder, folder.parent, folder.parent.parent):
        for devkit in (place / "ILSVRC2012_devkit_t12" / "data", place / "data", place):
            if (devkit / "meta.mat").is_file() and (devkit / "ILSVRC2012_validation_ground_truth.txt").is_file():
                return _of_devkit(devkit)
        if (solution := place / "LOC_val_solution.csv").is_file():
            with solution.open(newline="", encoding="utf-8") as lines:
                rows = list(csv.reader(lines))[1:]
            return {row[0]: _label((row[1].split() or [""])[0], solution) for row in rows if len(row) > 1}
        if (synsets := place / "imagenet_2012_validation_synset_labels.txt").is_file():
            words = synsets.read_text("utf-8").split()
            return {f"{PREFIX}{k:08d}": _label(word, synsets) for k, word in enumerate(words, 1)}
        if (listed := place / "val.txt").is_file():
            pairs = [line.rsplit(maxsplit=1) for line in listed.read_text("utf-8").splitlines() if line.strip()]
            return {Path(name).stem: _number(label, listed) for name, label in pairs}
    raise ClipError(f"{folder}: all images lie in one folder, and no file says which class they show; {ASK}")


def _of_devkit(folder: Path) -> dict[str, int]:
    """The ground truth counts classes in an order of its own (ILSVRC2012_ID), which meta.mat translates."""
    from scipy.io import loadmat

    try:
        synsets: Any = loadmat(folder / "meta.mat", squeeze_me=True)["synsets"]
        wnid = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in synsets if int(row["num_children"]) == 0}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClipError(f"{folder / 'meta.mat'}: cannot be read ({error}); unpack the development kit again") from None
    truth = folder / "ILSVRC2012_validation_ground_truth.txt"
    numbers = truth.read_text("utf-8").split()
    known = {str(number): name for number, name in wnid.items()}
    return {f"{PREFIX}{k:08d}": _label(known.get(number, number[:20]), truth) for k, number in enumerate(numbers, 1)}


def _label(wnid: str, source: Path) -> int:
    try:
        return facts.label_of()[wnid]
    except KeyError:
        raise ClipError(f"{source}: {wnid!r} is no class of ImageNet-1k; use the file as it was published") from None


def _number(text: str, source: Path) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) >= facts.CLASSES:
        raise ClipError(f"{source}: label {text[:20]!r} is not within 0..999; labels count the WordNet ids in sorted order from 0")
    return int(text)
