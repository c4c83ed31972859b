"""Flickr30k and COCO captions with Karpathy's test splits: 1,000 and 5,000 pictures with about five captions each.

Read are the files of CLIP_benchmark (`flickr30k_test_karpathy.txt`, `coco_test_karpathy.json`) and Karpathy's own
(`dataset_flickr30k.json`, `dataset_coco.json`), of which only the split `test` counts. Captions go to the model as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from .captioned import fingerprint, folder_of, present, read_json
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "karpathy"


@dataclass(frozen=True)
class Kind:
    """One of the two data sets."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    """where the pictures may lie, beside the file or one folder up"""
    images: int
    captions: int
    page: str
    licence: str


KINDS = {
    "flickr30k": Kind(
        ("flickr30k_test_karpathy.txt", "dataset_flickr30k.json"), ("", "flickr30k-images", "flickr30k_images", "Images", "images"),
        1000, 5000, "https://shannon.cs.illinois.edu/DenotationGraph", "research and education only, pictures by Flickr's users",
    ),
    "coco": Kind(
        ("coco_test_karpathy.json", "dataset_coco.json"), ("", "val2014", "images", "images/val2014"),
        5000, 25010, "https://cocodataset.org/#download", "captions CC BY 4.0, pictures by Flickr's users",
    ),
}  # fmt: skip


def detect(root: Path) -> list[Found]:
    """A folder with one of the files; the pictures are not its claim, for COCO's belong to SugarCrepe, too."""
    found = []
    for name, kind in KINDS.items():
        listed = next((place / file for file in kind.files for place in places(root) if (place / file).is_file()), None)
        if listed is not None:
            found.append(Found(NAME, name, listed.parent, {"list": listed}))
    return found


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`test`, or its absence."""
    told = _told(found.name, found.parts["list"])
    _files(found, told)
    return (SetInfo("test", "captions", len(told), labelled=False, captions=True),)


def problems(found: Found) -> list[Problem]:
    """Counts that are not those of the published split."""
    kind, listed = KINDS[found.name], found.parts["list"]
    told = _told(found.name, listed)
    n, captions = len(told), sum(map(len, told.values()))
    if n == kind.images:
        return []
    return [
        Problem(
            "warn",
            f"{listed}: {n} pictures with {captions} captions; Karpathy's test split has {kind.images} with {kind.captions}, and recall "
            "grows as the gallery shrinks: compare with no published number, or use the whole split",
        )
    ]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": KINDS[found.name].page, "licence": KINDS[found.name].licence, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The pictures in the order of the file, each with all of its captions."""
    import numpy as np

    from ..imageset import ImageSet

    told = dict(list(_told(found.name, found.parts["list"]).items())[:limit])
    files = _files(found, told)
    return ImageSet(
        name=name, data=found.name, role="captions", ids=tuple(told), labels=np.full(len(told), -1), classes=(), files=files,
        fingerprint=fingerprint(files, (text for texts in told.values() for text in texts)), all_captions=tuple(told.values()),
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """Captions need none."""
    return ()


def _files(found: Found, told: Mapping[str, Sequence[str]]) -> tuple[Path, ...]:
    kind, listed, names = KINDS[found.name], found.parts["list"], list(told)
    looked = [base / folder for base in (listed.parent, listed.parent.parent) for folder in kind.folders]
    get = f"get the pictures from {kind.page} ({kind.licence}) and put them into {listed.parent / kind.folders[1]}"
    return present(names, folder_of(names, looked), listed_in=listed, looked_in=looked[: len(kind.folders)], get=get)


@cache
def _told(name: str, path: Path) -> dict[str, tuple[str, ...]]:
    """Picture -> captions, in the order of the file."""
    out: dict[str, list[str]] = {}
    if path.suffix == ".txt":
        _read_lines(path, out)
    elif path.name.startswith("dataset_"):
        _read_karpathy(path, out)
    else:
        _read_coco(path, out)
    if not out:
        raise ClipError(f"{path}: names no picture of the test split; fetch the file again")
    if without := next((picture for picture, texts in out.items() if not texts), None):
        raise ClipError(f"{path}: {without} has no caption; fetch the file again")
    return {picture: tuple(texts) for picture, texts in out.items()}


def _read_lines(path: Path, out: dict[str, list[str]]) -> None:
    """A header, then `PICTURE.jpg,CAPTION`: captions hold commas."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"{path}: cannot be read as UTF-8 text ({error}); fetch the file again") from None
    if lines and ".jpg," in lines[0]:
        raise ClipError(f"{path}:1: a picture where the header should be, so one caption would be lost; put back the line image,caption")
    for number, line in enumerate(lines[1:], 2):
        picture, found, caption = line.partition(".jpg,")
        if not line.strip():
            continue
        if not found or not caption.strip():
            raise ClipError(f"{path}:{number}: {line[:60]!r} is not PICTURE.jpg,CAPTION; fetch the file again")
        out.setdefault(f"{picture.strip()}.jpg", []).append(caption.strip())


def _read_coco(path: Path, out: dict[str, list[str]]) -> None:
    """COCO's own form: pictures and captions in two lists."""
    told = read_json(path)
    try:
        names = {each["id"]: str(each["file_name"]) for each in told["images"]}
        out.update({name: [] for name in names.values()})
        for each in told["annotations"]:
            out[names[each["image_id"]]].append(str(each["caption"]).strip())
    except (KeyError, TypeError) as error:
        raise ClipError(f"{path}: not in COCO's form (images and annotations; missing: {error}); fetch the file again") from None


def _read_karpathy(path: Path, out: dict[str, list[str]]) -> None:
    """Karpathy's form: all splits in one list."""
    try:
        for each in read_json(path)["images"]:
            if each["split"] == "test":
                name = str(Path(each.get("filepath", "")) / each["filename"])
                out.setdefault(name, []).extend(str(sentence["raw"]).strip() for sentence in each["sentences"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ClipError(
            f"{path}: not in Karpathy's form (images with split and sentences; missing: {error}); fetch the file again"
        ) from None
