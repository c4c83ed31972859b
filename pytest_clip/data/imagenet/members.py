"""The files of each member of the family and how they are answered. Light: names are read, pictures are not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import ClipError
from ..layouts.found import images_in, subfolders
from . import facts, unknown, video
from .parts import Part
from .signs import objectnet_images
from .val import Rows, tree, val

CUE = re.compile(r"(?P<shape_exemplar>([a-z]+)\d+)-(?P<look_exemplar>([a-z]+)\d+)$")


@dataclass(frozen=True)
class Listing:
    """The images of a set. `how` are fields of `ImageSet`; `answers` the names that can be given, None: ImageNet's own."""

    root: Path
    """ids are relative to it"""
    rows: Rows
    """(file, label): a label counts `answers`, or `members` where there are any, or the 1000 classes; -1 = none of them"""
    answers: tuple[str, ...] | None = None
    how: Mapping[str, Any] = field(default_factory=dict)
    within: str | None = None
    """the set of which this is a part, by file name"""
    per_row: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """attributes and `accepted`, in the order of `rows`"""


def members(name: str, part: Part, folder: Path) -> Listing:
    """The images of set `name` of a member that lies in `folder`; ClipError for a tree whose numbers would be wrong."""
    return _READ.get(part.key, _unknown)(name, part, folder)


def _val(name: str, part: Part, folder: Path) -> Listing:
    del name, part
    return Listing(folder, val(folder))


def _v2(name: str, part: Part, folder: Path) -> Listing:
    """Folders are named by the label itself; sorted as text, 10 comes before 2 and nearly all labels are wrong."""
    del name
    there = {folder_name for folder_name in subfolders(folder) if folder_name.isdecimal()}
    labels = {int(each): each for each in there}
    if len(labels) != facts.CLASSES or max(labels) != facts.CLASSES - 1:
        missing = sorted(set(range(facts.CLASSES)) - set(labels))[:3]
        raise ClipError(
            f"{folder}: {part.title} has folders 0 to 999, named by their label; {len(labels)} are there"
            f"{', missing ' + ', '.join(map(str, missing)) if missing else ''}. Unpack it again, or remove the folder"
        )
    return Listing(folder, [(Path(e.path), label) for label in sorted(labels) for e in images_in(folder / labels[label])])


def _sketch(name: str, part: Part, folder: Path) -> Listing:
    del name
    return Listing(folder, tree(folder, facts.label_of(), what=part.title))


def _subset(name: str, part: Part, folder: Path) -> Listing:
    """200 classes: the answer is the best of them, not of all 1000."""
    del name
    known = facts.maps()[f"imagenet_{part.key}"]
    labels = {facts.wnids()[k]: at for at, k in enumerate(known)}
    return Listing(folder, tree(folder, labels, what=part.title), how={"members": tuple((k,) for k in known)})


def _objectnet(name: str, part: Part, folder: Path) -> Listing:
    """113 of its 313 folders are classes of ImageNet too, some of several; every picture has a red border of 2 pixels."""
    del name, part
    root, groups = objectnet_images(folder), facts.groups("objectnet")
    rows = [(Path(e.path), at) for at, each in enumerate(groups) for e in images_in(root / each)]
    filled = {path.parent.name for path, _ in rows}
    if missing := [each for each in groups if each not in filled]:
        raise ClipError(
            f"{root}: {len(filled)} of the 113 folders that ObjectNet shares with ImageNet hold images; missing: {', '.join(missing[:3])}"
            f"{' ...' if len(missing) > 3 else ''}. Unpack it again, or remove the folder"
        )
    names = tuple(facts.maps()["objectnet"][each][0] for each in groups)
    return Listing(root, rows, names, {"members": tuple(groups.values()), "border": 2})


def _film(name: str, part: Part, folder: Path) -> Listing:
    """Anchors, or all their frames, of which the one answered worst counts. An answer is right if it is one of the image's labels."""
    film, groups = video.read(folder), facts.groups({"vid": "vid_robust", "ytbb": "ytbb_robust"}[part.key])
    names = list(film.around)
    if name.startswith("pm10_"):
        names = list(dict.fromkeys(frame for anchor, others in film.around.items() for frame in (anchor, *others)))
    if wrong := [frame for frame in names if not all(0 <= label < len(groups) for label in film.labels[frame]) or not film.labels[frame]]:
        raise ClipError(f"{folder}: labels of {wrong[0]} are {list(film.labels[wrong[0]])}, not within 0..{len(groups) - 1}")
    rows = [(film.root / frame, film.labels[frame][0]) for frame in names]
    how: dict[str, Any] = {"members": tuple(groups.values())}
    if name.startswith("pm10_"):
        at = {frame: row for row, frame in enumerate(names)}
        how["worst_of"] = tuple(tuple(at[f] for f in (anchor, *others)) for anchor, others in film.around.items())
    per_row = {"accepted": tuple(film.labels[frame] for frame in names)}
    return Listing(film.root, rows, tuple(groups), how, f"pm10_{part.key}" if name.startswith("shift_") else None, per_row)


def _nuisance(name: str, part: Part, folder: Path) -> Listing:
    """113 names of its own, asked for with a sentence of its own."""
    del part
    nuisance, groups = name.removeprefix("shift_d_"), facts.groups("imagenet_d")
    rows = [(Path(e.path), at) for at, each in enumerate(groups) for e in images_in(folder / nuisance / each)]
    if strange := sorted(set(subfolders(folder / nuisance)) - set(groups)):
        raise ClipError(f"{folder / nuisance}: {strange[0]} is no category of ImageNet-D; unpack it again")
    names = tuple(each.replace("_", " ").replace("-", " ").replace("/", " or ").lower() for each in groups)
    return Listing(folder, rows, names, {"members": tuple(groups.values()), "templates": ("A photo of a {c}",)})


def _cues(name: str, part: Part, folder: Path) -> Listing:
    """SHAPE/SHAPEn-TEXTUREm.png. 80 of the 1,280 have shape and texture of one class: no conflict, but a check that it sees them at all."""
    del part
    groups = facts.groups("cue_conflict")
    answers = tuple(groups)
    rows: Rows = []
    looks: list[str] = []
    exemplars: dict[str, list[str]] = {"shape_exemplar": [], "look_exemplar": []}
    for shape in answers:
        for entry in images_in(folder / shape):
            parsed = CUE.search(Path(entry.name).stem.rpartition("_")[2])
            if parsed is None or parsed[2] != shape or parsed[4] not in groups:
                raise ClipError(
                    f"{entry.path}: a stimulus is called {shape}1-{answers[0]}2.png, SHAPEn-TEXTUREm in the folder of its shape"
                )
            if (parsed[2] != parsed[4]) == (name == "cue_conflict"):
                rows.append((Path(entry.path), answers.index(shape)))
                looks.append(parsed[4])
                for kind, seen in exemplars.items():
                    seen.append(parsed[kind])
    shapes = tuple(answers[label] for _, label in rows)
    cues = {"shape": shapes, "look": tuple(looks), **{kind: tuple(seen) for kind, seen in exemplars.items()}}
    return Listing(folder, rows, answers, _MEAN | {"members": tuple(groups.values())}, None, cues)


_MEAN = {"merge": "mean"}


def _outlines(name: str, part: Part, folder: Path) -> Listing:
    """CLASS/IMAGE.png, or dnn/session-1/NNNN_EXPERIMENT_SUBJECT_CONDITION_CLASS_NN_IMAGE.png."""
    del name, part
    groups = facts.groups("cue_conflict")
    answers = tuple(groups)
    rows = [(Path(e.path), at) for at, each in enumerate(answers) for e in images_in(folder / each)]
    for session in sorted(each for each in subfolders(folder / "dnn") if each.startswith("session-")):
        for entry in images_in(folder / "dnn" / session):
            fields = entry.name.split("_")
            if len(fields) < 6 or fields[4] not in groups:
                raise ClipError(f"{entry.path}: its fifth field is not one of {', '.join(answers)}; use the files as they were published")
            rows.append((Path(entry.path), answers.index(fields[4])))
    return Listing(folder, rows, answers, _MEAN | {"members": tuple(groups.values())})


def _unknown(name: str, part: Part, folder: Path) -> Listing:
    """All images, of no class."""
    del name
    return Listing(folder, [(path, -1) for path in unknown.images(folder, part.key)])


_READ = {
    "val": _val, "v2_matched": _v2, "v2_threshold": _v2, "v2_top": _v2, "sketch": _sketch, "r": _subset, "a": _subset,
    "objectnet": _objectnet, "vid": _film, "ytbb": _film, "d": _nuisance, "cue": _cues, "silhouettes": _outlines, "edges": _outlines,
}  # fmt: skip
