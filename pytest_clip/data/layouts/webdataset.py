"""Shards as CLIP_benchmark lays them: DIR/test/{nshards.txt,0.tar,1.tar,...} with classnames.txt and the templates beside.

`dataset_type.txt` says `retrieval` where samples have captions in place of labels. Shards are read in place; see `data.archives`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from .. import binding, content, texts
from ..setinfo import SetInfo
from .found import EMBEDDED, RENAMED, Found, Problem, entries, places

if TYPE_CHECKING:
    from ..imageset import ImageSet
    from ..shards import Samples

NAME = "webdataset"
PAGE = "https://huggingface.co/clip-benchmark"
SPLITS = ("test", "val", "validation")
"""The first of these that a folder has is the one that is measured; CLIP_benchmark calls it test whatever it was."""
CLASSES, TEMPLATES, KIND, COUNT = "classnames.txt", "zeroshot_classification_templates.txt", "dataset_type.txt", "nshards.txt"
WITHOUT_TEMPLATES = ("a photo of a {c}",)
MULTILABEL = (
    "images with several labels each are measured by the mean average precision over classes, which no suite has; supported are "
    "classification (one class an image, a number in .cls) and retrieval (captions in .txt): name another data set"
)
THOUSAND = ("imagenet1k", "imagenetv2", "imagenet_sketch")
"""Copies with the 1000 classes of ImageNet-1k in its order."""


def detect(root: Path) -> list[Found]:
    """DIR with a folder of shards, or the folder of shards itself."""
    out = []
    for place in places(root):
        split = next((place / name for name in SPLITS if _shards(place / name)), place if _shards(place) else None)
        if split is not None:
            out.append(Found(NAME, _name(place), place, {"root": place, "split": split}))
    return out


def _name(place: Path) -> str:
    name = place.resolve().name.removeprefix("wds_").removesuffix("_test")
    return RENAMED if name == EMBEDDED else name


def _shards(folder: Path) -> bool:
    return (folder / COUNT).is_file() or (folder / "0.tar").is_file()


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One set, `clean`, or `test` where samples have captions; ClipError for missing shards and wrong labels."""
    whole = _whole(found.parts["root"], found.parts["split"])
    n = len(whole.samples.ids)
    if whole.retrieval:
        return (SetInfo("test", "captions", n, labelled=False, captions=True),)
    return (SetInfo("clean", "clean", n, imagenet=facts(found)["imagenet"]),)


def problems(found: Found) -> list[Problem]:
    """What `sets` had to assume."""
    root, split = found.parts["root"], found.parts["split"]
    out = []
    if not (split / COUNT).is_file():
        out.append(Problem("warn", f"{split}: no {COUNT}, so a missing last shard is not noticed; write the number of shards into it"))
    if _kind(root) == "classification" and not (root / TEMPLATES).is_file():
        out.append(Problem("warn", f"{root}: no {TEMPLATES}; {WITHOUT_TEMPLATES[0]!r} is used: add the data set's own, one a line"))
    return out


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": "that of the data set that was copied", "imagenet": found.name in THOUSAND}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The samples, class by class in turn; captions in the order of the shards."""
    import numpy as np

    from ..imageset import ImageSet
    from ..order import balanced

    whole = _whole(found.parts["root"], found.parts["split"])
    samples = whole.samples
    rows = (list(range(len(samples.ids))) if whole.retrieval else balanced(whole.labels))[:limit]
    digest = hashlib.sha256(f"{whole.classes} {whole.fingerprint}\n".encode())
    digest.update("\n".join(samples.ids[row] for row in rows).encode())
    told = [_captions(samples.captions[row]) for row in rows] if whole.retrieval else None
    return ImageSet(
        name=name, data=found.name, role="captions" if whole.retrieval else "clean", ids=tuple(samples.ids[row] for row in rows),
        labels=np.array([whole.labels[row] if whole.labels else -1 for row in rows], dtype=np.int64), classes=whole.classes,
        fingerprint=digest.hexdigest()[:16], read=samples.pictures.take(rows), all_captions=tuple(told) if told is not None else None,
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """classnames.txt."""
    return _whole(found.parts["root"], found.parts["split"]).classes


def templates(found: Found) -> tuple[str, ...]:
    """zeroshot_classification_templates.txt, or one template where there is none."""
    path = found.parts["root"] / TEMPLATES
    return texts.templates(path) if path.is_file() else WITHOUT_TEMPLATES


@dataclass(frozen=True)
class _Whole:
    samples: Samples
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    fingerprint: str

    @property
    def retrieval(self) -> bool:
        return not self.classes


@cache
def _whole(root: Path, split: Path) -> _Whole:
    """Everything but the pictures, read and checked once a process."""
    from ..shards import samples

    kind, paths = _kind(root), _paths(split)
    found = samples(paths)
    told = "\n".join(f"{path.name} {held}" for path, held in zip(paths, content.sha256(paths, most=None), strict=True))
    fingerprint = hashlib.sha256(told.encode()).hexdigest()
    if kind == "retrieval":
        for row, text in enumerate(found.captions):
            if not _captions(text):
                raise ClipError(f"{found.pictures.where(row)}: the sample has no caption in .txt; {root / KIND} says retrieval")
        return _Whole(found, (), (), fingerprint)
    names = texts.class_names(_there(root / CLASSES, "one class name a line, in label order; CLIP_benchmark writes it"))
    labels = []
    for row, text in enumerate(found.labels):
        where = found.pictures.where(row)
        if text is None and found.arrays[row]:
            raise ClipError(f"{where}: the sample has no label in .cls, but an array in .npy: {MULTILABEL}")
        if text is None:
            raise ClipError(f"{where}: the sample has no label in .cls; if these are captions, write retrieval into {root / KIND}")
        if not (text.strip().isascii() and text.strip().isdigit()):
            raise ClipError(f"{where}: the label {text.strip()[:20]!r} is no whole number; labels count from 0 in the order of {CLASSES}")
        label = binding.whole(text) or 0
        if label >= len(names):
            raise ClipError(
                f"{where}: label {text.strip()[:20]}, but {root / CLASSES} names {len(names)} classes (0..{len(names) - 1}); "
                "they are not of one data set, or the labels count from 1"
            )
        labels.append(label)
    return _Whole(found, tuple(labels), names, fingerprint)


def _kind(root: Path) -> str:
    path = root / KIND
    kind = (texts.lines(path) or [""])[0].lower() if path.is_file() else "classification"
    if kind == "multilabel":
        raise ClipError(f"{path}:1: {MULTILABEL}")
    if kind not in ("classification", "retrieval"):
        raise ClipError(f"{path}:1: {kind!r} is not supported; there is classification and retrieval")
    return kind


def _paths(split: Path) -> tuple[Path, ...]:
    """0.tar, 1.tar ... as many as nshards.txt says; ClipError for too few and too many."""
    there = {int(e.name[:-4]) for e in entries(split) if e.name.endswith(".tar") and e.name[:-4].isdecimal() and e.is_file()}
    path = split / COUNT
    told = texts.lines(path)[0] if path.is_file() and texts.lines(path) else None
    if path.is_file() and not (told and told.isascii() and told.isdigit() and len(told) < 7 and int(told) > 0):
        raise ClipError(f"{path}:1: {(told or '')[:20]!r} is no number of shards; write {max(there, default=0) + 1}")
    n = int(told) if told else max(there, default=-1) + 1
    if missing := sorted(set(range(n)) - there):
        names = ", ".join(f"{number}.tar" for number in missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise ClipError(
            f"{split}: {len(missing)} of {n} shards are missing ({names}); fetch them: a part of a data set gives other numbers"
        )
    if more := sorted(there - set(range(n))):
        raise ClipError(f"{split}: {path.name} says {n} shards, but {more[0]}.tar is there, too; remove it, or correct the number")
    return tuple(split / f"{number}.tar" for number in range(n))


def _there(path: Path, what: str) -> Path:
    if not path.is_file():
        raise ClipError(f"{path} is missing; write {what}")
    return path


def _captions(text: str | None) -> tuple[str, ...]:
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())
