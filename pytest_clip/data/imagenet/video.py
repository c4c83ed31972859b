"""ImageNet-Vid-Robust and YTBB-Robust: frames of films, each with the frames around it that look the same to people. Light."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import ClipError

PROBLEMS = (
    "dissimilar", "problematic", "incorrect", "dont know", "deformation", "background-change", "occlusion-increased", "blur-increase",
    "bad-anchor",
)  # fmt: skip
"""What annotators say of a frame that is not like its anchor."""


@dataclass(frozen=True)
class Film:
    """Anchors, in order, each with its labels and its like frames (without itself)."""

    root: Path
    """where the frames' names begin"""
    around: dict[str, tuple[str, ...]]
    labels: dict[str, tuple[int, ...]]
    """of every frame: an image can show several classes"""


def read(folder: Path) -> Film:
    """The films under `folder`; ClipError for what is missing or wrong."""
    place = folder / "metadata" if (folder / "metadata").is_dir() else folder
    try:
        if (place / "pmsets.json").is_file():
            sets, labels = _json(place / "pmsets.json"), _json(place / "labels.json")
            around = {str(anchor): tuple(str(f) for f in frames if f != anchor) for anchor, frames in sets.items()}
            named = {str(frame): tuple(int(k) for k in numbers) for frame, numbers in labels.items()}
            root = folder
        else:
            around, named = _annotated(place)
            root = folder / "ytbb_videos" if (folder / "ytbb_videos").is_dir() else folder
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ClipError(f"{place}: not the metadata as published ({error!r}); unpack it again") from None
    frames = {frame for anchor, others in around.items() for frame in (anchor, *others)}
    if unlabelled := sorted(frames - set(named)):
        raise ClipError(f"{place / 'labels.json'}: no label for {unlabelled[0]} ({len(unlabelled)} frames); unpack the metadata again")
    if missing := [frame for frame in sorted(frames) if not (root / frame).is_file()]:
        raise ClipError(f"{folder}: {len(missing)} of {len(frames)} frames are missing, such as {missing[0]}; unpack them again")
    return Film(root, around, named)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ClipError(f"{path}: cannot be read ({error}); unpack the metadata again") from None


def _annotated(place: Path) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[int, ...]]]:
    """YTBB-Robust as annotated: anchors that are good, frames that are similar and nothing worse; a frame has its anchor's labels.

    An anchor's labels are the first one, from the csv (its 22 and 23, `car` and `none`, changed places later), and those added by name.
    """
    from .facts import maps

    number = {name: k for k, name in enumerate(maps()["ytbb_robust"])}
    anchors = {_key(key): marks for key, marks in _marks(place / "anchor_labels.json").items()}
    frames = _marks(place / "pmk_labels.json")
    pairs = {tuple(map(_key, key.split(",", 1))): marks for key, marks in frames.items()}
    spoilt = {anchor for (anchor, _), marks in pairs.items() if "bad-anchor" in marks}
    good = sorted(key for key, marks in anchors.items() if "good" in marks and not {"bad", "unsure"} & marks and key not in spoilt)
    with (place / "ytbb_robustness_test_anchors_full.csv").open(newline="", encoding="utf-8") as rows:
        first = {
            f"{row['ytid']}_{row['time_ms']}": {22: 23, 23: 22}.get(int(row["label"]), int(row["label"])) for row in csv.DictReader(rows)
        }
    around: dict[str, tuple[str, ...]] = {}
    labels: dict[str, tuple[int, ...]] = {}
    for key in good:
        clip, _, name = key.partition("/")
        at = int(name.removeprefix("frame-").removesuffix(".jpg"))
        near = [f"{clip}/frame-{at + k}.jpg" for k in range(-10, 11) if k]
        around[key] = tuple(f for f in near if "similar" in (m := pairs.get((key, f), set())) and not set(PROBLEMS) & m)
        right = tuple(dict.fromkeys([first[clip], *sorted(number[m] for m in anchors[key] if m in number)]))
        labels |= dict.fromkeys((key, *around[key]), right)
    return around, labels


def _marks(path: Path) -> dict[str, set[str]]:
    """What annotators said, by key; the last word counts."""
    read = _json(path)
    return {str(row["key"]): {str(read["labels"][k]) for k in row["labels"]} for row in _rows(read)}


def _rows(read: Any) -> Iterable[Any]:
    rows: Iterable[Any] = read["annotations"]
    return rows


def _key(path: str) -> str:
    """CLIP/FRAME.jpg of any path."""
    return "/".join(Path(path).parts[-2:])
