"""NegBench (Alhamoud et al. 2025): questions of four captions, and captions that also deny something, on COCO val2017 and VOC2007.

Its csv files name pictures by the paths of whoever wrote them; what counts here is how such a path ends. Those on CheXpert ask between two
captions and say no types; those on MSR-VTT name videos, of which nothing is read here, unless the user puts the name of a frame there.
"""

from __future__ import annotations

import ast
import csv
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..choices import Question
from ..setinfo import SetInfo
from .captioned import fingerprint, present
from .found import IMAGE_SUFFIXES, Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "negbench"
PAGE, LICENCE = "https://github.com/m1k2zoo/negbench", "MIT; pictures: COCO val2017 and VOC2007 under terms of their own"
FOUR = {name: f"{stem}_mcq_llama3.1_rephrased.csv" for name, stem in
        (("coco", "COCO_val"), ("voc2007", "VOC2007"), ("synthetic", "synthetic"))}  # fmt: skip
VIDEOS = {"msrvtt": "msr_vtt_mcq_rephrased_llama.csv"}
TWO = {"chexpert": "chexpert_binary_mcq.csv", "chexpert_control": "chexpert_binary_mcq_control.csv"}
"""The second has no negation in it, to compare with."""
QUESTIONS = FOUR | VIDEOS | TWO
PLAIN, NEGATED = "COCO_val_retrieval.csv", "COCO_val_negated_retrieval_llama3.1_rephrased_affneg_true.csv"
RETRIEVAL = {
    "coco_retrieval": (PLAIN, NEGATED),
    "synthetic_retrieval": ("synthetic_retrieval_v1.csv", "synthetic_retrieval_v2.csv"),
    "msrvtt_retrieval": ("msr_vtt_retrieval.csv", "msr_vtt_retrieval_rephrased_llama.csv"),
}
"""Plain captions and those that also deny, of the same pictures."""
EXPECTED = (*FOUR, "coco_retrieval")
"""Said to be missing where they are; the others are spoken of where one of their files lies."""
TYPES = ("positive", "negative", "hybrid")
PLACES = {
    True: ("", "hybrid", "positive", "negative"),
    False: ("positive", "hybrid", "hybrid", "negative"),
}
"""Types of the four captions by place, as in the published evaluation: where the first is always the true one, and elsewhere."""
FIRST_IS_TRUE = {QUESTIONS[name] for name in ("coco", "voc2007", "msrvtt")}
BESIDE = ("", "videos", "../videos", "chexpert", "../chexpert")
"""Where files lie, seen from the folder of the others."""
FOLDERS = (
    "", "val2017", "images", "images/val2017", "coco/val2017", "coco/images/val2017", "JPEGImages", "VOC2007/JPEGImages",
    "VOCdevkit/VOC2007/JPEGImages", "voc2007", "voc2007/JPEGImages", "chexpert", "frames",
)  # fmt: skip


def detect(root: Path) -> list[Found]:
    """A folder with files of these names."""
    files = (*QUESTIONS.values(), *(file for pair in RETRIEVAL.values() for file in pair))
    for folder in (each for place in places(root) for each in (place, place / "images", place / "data", place / "data" / "images")):
        if any((folder / file).is_file() for file in files):
            return [Found(NAME, NAME, folder, {file: path for file in files if (path := _beside(folder, file))})]
    return []


def _beside(folder: Path, file: str) -> Path | None:
    return next((path for place in BESIDE if (path := Path(os.path.normpath(folder / place / file))).is_file()), None)


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`coco`, `voc2007`, `synthetic` of role `choices` and of each those whose true caption is of one type; `coco_retrieval`; others."""
    out = []
    for name, file in QUESTIONS.items():
        path = found.parts.get(file)
        rows = _questions(path) if path else ()
        absent = _missing(found, file) if path is None else _of_videos(path, "image_path", [first for first, _ in rows])
        if path is None or absent:
            if path or name in EXPECTED:
                out.append(SetInfo(name, "choices", 0, labelled=False, absent=absent))
            continue
        _files(found, path, [picture for picture, _ in rows])
        out.append(SetInfo(name, "choices", len(rows), labelled=False))
        counts = {kind: sum(asked.kind == kind for _, asked in rows) for kind in TYPES}
        out += [SetInfo(f"{name}_{kind}", "choices", n, labelled=False, within=name) for kind, n in counts.items() if n]
    for name, pair in RETRIEVAL.items():
        if name in EXPECTED or any(file in found.parts for file in pair):
            out.append(_retrieval(found, name, pair))
    return tuple(out)


def _retrieval(found: Found, name: str, pair: tuple[str, str]) -> SetInfo:
    def absent(why: str) -> SetInfo:
        return SetInfo(name, "negated", 0, labelled=False, captions=True, absent=why)

    if lost := [file for file in pair if file not in found.parts]:
        return absent(_missing(found, " and ".join(lost)))
    first, second = (found.parts[file] for file in pair)
    told = _told(first, second)
    named = [path for path, _, _ in told]
    if why := _of_videos(first, "filepath", named):
        return absent(why)
    _files(found, first, named)
    return SetInfo(name, "negated", len(told), labelled=False, captions=True)


def _of_videos(path: Path, column: str, named: Sequence[str]) -> str:
    """Why nothing of a file that names videos is measured; "" for one that names pictures."""
    first = next((each for each in named if not each.lower().endswith(IMAGE_SUFFIXES)), None)
    if first is None:
        return ""
    return (
        f"{path}: is about videos ({PurePosixPath(first).name}), and only pictures are read; to ask about a frame of each, put its path in "
        f"the place of the video's in {column} (as .jpg or .png)"
    )


def problems(found: Found) -> list[Problem]:
    """Nothing but what `sets` refuses."""
    del found
    return []


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """One row for each question, or for each picture of the retrieval files, in the order of the file."""
    import numpy as np

    from ..imageset import ImageSet

    if name in RETRIEVAL:
        first, second = (found.parts[file] for file in RETRIEVAL[name])
        told = _told(first, second)[:limit]
        files = _files(found, first, [path for path, _, _ in told])
        plain, negated = tuple(each for _, each, _ in told), tuple(each for _, _, each in told)
        return ImageSet(
            name=name, data=found.name, role="negated", ids=_ids(files), files=files,
            labels=np.full(len(files), -1), classes=(), fingerprint=fingerprint(files, map(str, (*plain, *negated))),
            all_captions=plain, negated=negated,
        )  # fmt: skip
    whole, kind = (name, "") if name in QUESTIONS else tuple(name.rsplit("_", 1))
    listed = found.parts[QUESTIONS[whole]]
    rows = list(enumerate(_questions(listed)))[:limit]
    some = [(at, path, asked) for at, (path, asked) in rows if kind in ("", asked.kind)]
    if not some:
        raise ClipError(f"--clip-limit leaves no question of {found.name}/{name}; raise it")
    files = _files(found, listed, [path for _, path, _ in some])
    return ImageSet(
        name=name, data=found.name, role="choices", ids=tuple(f"{at}/{file.name}" for (at, _, _), file in zip(some, files, strict=True)),
        files=files, labels=np.full(len(some), -1), classes=(), fingerprint=fingerprint(files, (repr(asked) for _, _, asked in some)),
        questions=tuple(asked for _, _, asked in some), within=whole if kind else None,
        at=np.array([at for at, _, _ in some]) if kind else None,
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """Captions need none."""
    return ()


def _missing(found: Found, what: str) -> str:
    return f"{found.folder} has no {what}; get it from {PAGE} ({LICENCE})"


def _ids(files: Sequence[Path]) -> tuple[str, ...]:
    """Names of the files, with their places in the list where some share a name."""
    names = [path.name for path in files]
    return tuple(names) if len(set(names)) == len(names) else tuple(f"{at}/{name}" for at, name in enumerate(names))


def _files(found: Found, listed: Path, paths: Sequence[str]) -> tuple[Path, ...]:
    """Pictures by how their paths end, the longest end first that is there for the first of them (CheXpert's all have one name)."""
    bases = [base / folder for base in dict.fromkeys((found.folder, listed.parent, *found.folder.parents[:2])) for folder in FOLDERS]
    first = PurePosixPath(paths[0]).parts
    ends = [(base, k) for k in range(min(len(first), 5), 0, -1) for base in bases if base.joinpath(*first[-k:]).is_file()]
    folder, k = ends[0] if ends else (None, 1)
    names = ["/".join(PurePosixPath(path).parts[-k:]) for path in paths]
    get = f"put the pictures ({LICENCE}) into {found.folder / 'val2017'} or {found.folder / 'JPEGImages'}"
    return present(names, folder, listed_in=listed, looked_in=bases[: len(FOLDERS)], get=get)


def _table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a csv file with these columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if lost := [each for each in columns if each not in (reader.fieldnames or ())]:
            raise ClipError(f"{path}:1: no column {lost[0]}; NegBench's has {', '.join(columns)}: fetch it again from {PAGE}")
        for row in reader:
            if any(row[each] in (None, "") for each in columns):
                raise ClipError(f"{path}:{reader.line_num}: an empty field; fetch the file again from {PAGE}")
            yield reader.line_num, row


@cache
def _questions(path: Path) -> tuple[tuple[str, Question], ...]:
    """Path of the picture and question of each row."""
    two, first_is_true = path.name in TWO.values(), path.name in FIRST_IS_TRUE
    captions = tuple(f"caption_{k}" for k in range(2 if two else 4))
    rows = list(_table(path, ("image_path", "correct_answer", *(() if two else ("correct_answer_template",)), *captions)))
    if not rows:
        raise ClipError(f"{path}: no question; fetch it again from {PAGE}")
    out = []
    for line, row in rows:
        right, kind = row["correct_answer"].strip(), "" if two else row["correct_answer_template"].strip()
        if right not in map(str, range(len(captions))):
            raise ClipError(f"{path}:{line}: correct_answer {right!r} is none of 0 to {len(captions) - 1}; fetch it again from {PAGE}")
        if not two and kind not in TYPES:
            raise ClipError(f"{path}:{line}: correct_answer_template {kind!r} is none of {', '.join(TYPES)}; fetch it again from {PAGE}")
        if first_is_true and right != "0":
            raise ClipError(
                f"{path}:{line}: correct_answer is {right}, and in the published file the first caption is always the true one (by their "
                f"order it is known which type is chosen wrongly); fetch it again from {PAGE}"
            )
        types = [""] * 2 if two else list(PLACES[first_is_true])
        types[int(right)] = kind
        out.append((row["image_path"], Question(tuple(row[each].strip() for each in captions), tuple(types), int(right))))
    return tuple(out)


@cache
def _told(plain: Path, negated: Path) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """Path, captions and negated captions of each picture that both files have; they belong together by image_id, or by path."""
    own, theirs = (list(_table(path, ("filepath", "captions"))) for path in (plain, negated))
    key = "image_id" if all(row.get("image_id") for _, row in (*own, *theirs)) else "filepath"
    others = {row[key]: _captions(negated, line, row) for line, row in theirs}
    out = [(row["filepath"], _captions(plain, line, row), others[row[key]]) for line, row in own if row[key] in others]
    if not out:
        raise ClipError(f"{negated}: has no {key} of {plain.name}; fetch both again from {PAGE}")
    return tuple(out)


def _captions(path: Path, line: int, row: dict[str, str]) -> tuple[str, ...]:
    """A list of texts in Python's notation, read as a literal and never run."""
    try:
        texts = ast.literal_eval(row["captions"])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        texts = None
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) and each.strip() for each in texts):
        raise ClipError(f"{path}:{line}: captions is no list of texts such as ['a dog', 'two dogs']; fetch the file again from {PAGE}")
    return tuple(each.strip() for each in texts)
