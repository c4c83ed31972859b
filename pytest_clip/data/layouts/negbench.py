"""NegBench (Alhamoud et al. 2025): questions of four captions, and captions that also deny something, on COCO val2017 and VOC2007.

Its csv files name pictures by the paths of whoever wrote them; what counts here is how such a path ends.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..choices import Question
from ..setinfo import SetInfo
from .captioned import fingerprint, present
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "negbench"
PAGE, LICENCE = "https://github.com/m1k2zoo/negbench", "MIT; pictures: COCO val2017 and VOC2007 under terms of their own"
QUESTIONS = {name: f"{stem}_mcq_llama3.1_rephrased.csv" for name, stem in
             (("coco", "COCO_val"), ("voc2007", "VOC2007"), ("synthetic", "synthetic"))}  # fmt: skip
PLAIN, NEGATED = "COCO_val_retrieval.csv", "COCO_val_negated_retrieval_llama3.1_rephrased_affneg_true.csv"
RETRIEVAL = "coco_retrieval"
TYPES = ("positive", "negative", "hybrid")
PLACES = {
    True: ("", "hybrid", "positive", "negative"),
    False: ("positive", "hybrid", "hybrid", "negative"),
}
"""Types of the four captions by place, as in the published evaluation: where the first is always the true one, and elsewhere."""
FOLDERS = (
    "", "val2017", "images", "images/val2017", "coco/val2017", "coco/images/val2017", "JPEGImages", "VOC2007/JPEGImages",
    "VOCdevkit/VOC2007/JPEGImages",
)  # fmt: skip


def detect(root: Path) -> list[Found]:
    """A folder with files of these names."""
    for folder in (each for place in places(root) for each in (place, place / "images", place / "data", place / "data" / "images")):
        there = {name: folder / file for name, file in QUESTIONS.items() if (folder / file).is_file()}
        if (folder / PLAIN).is_file() and (folder / NEGATED).is_file():
            there |= {"plain": folder / PLAIN, "negated": folder / NEGATED}
        if there:
            return [Found(NAME, NAME, folder, there)]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`coco`, `voc2007`, `synthetic` of role `choices` and of each those whose true caption is of one type; `coco_retrieval`."""
    out = []
    for name in QUESTIONS:
        if name not in found.parts:
            out.append(SetInfo(name, "choices", 0, labelled=False, absent=_missing(found, QUESTIONS[name])))
            continue
        rows = _questions(found.parts[name])
        _files(found, found.parts[name], [path for path, _ in rows])
        out.append(SetInfo(name, "choices", len(rows), labelled=False))
        counts = {kind: sum(asked.kind == kind for _, asked in rows) for kind in TYPES}
        out += [SetInfo(f"{name}_{kind}", "choices", n, labelled=False, within=name) for kind, n in counts.items() if n]
    if "plain" not in found.parts:
        out.append(SetInfo(RETRIEVAL, "negated", 0, labelled=False, captions=True, absent=_missing(found, f"{PLAIN} and {NEGATED}")))
        return tuple(out)
    told = _told(found.parts["plain"], found.parts["negated"])
    _files(found, found.parts["plain"], [path for path, _, _ in told])
    return (*out, SetInfo(RETRIEVAL, "negated", len(told), labelled=False, captions=True))


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

    if name == RETRIEVAL:
        told = _told(found.parts["plain"], found.parts["negated"])[:limit]
        files = _files(found, found.parts["plain"], [path for path, _, _ in told])
        plain, negated = tuple(each for _, each, _ in told), tuple(each for _, _, each in told)
        return ImageSet(
            name=name, data=found.name, role="negated", ids=tuple(path.name for path in files), files=files,
            labels=np.full(len(files), -1), classes=(), fingerprint=fingerprint(files, map(str, (*plain, *negated))),
            all_captions=plain, negated=negated,
        )  # fmt: skip
    whole, _, kind = name.partition("_")
    rows = list(enumerate(_questions(found.parts[whole])))[:limit]
    some = [(at, path, asked) for at, (path, asked) in rows if kind in ("", asked.kind)]
    if not some:
        raise ClipError(f"--clip-limit leaves no question of {found.name}/{name}; raise it")
    files = _files(found, found.parts[whole], [path for _, path, _ in some])
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


def _files(found: Found, listed: Path, paths: Sequence[str]) -> tuple[Path, ...]:
    """Pictures by how their paths end, the longest end first that is there for the first of them."""
    bases = [base / folder for base in (found.folder, *found.folder.parents[:2]) for folder in FOLDERS]
    first = PurePosixPath(paths[0]).parts
    ends = [(base, k) for k in range(min(len(first), 4), 0, -1) for base in bases if base.joinpath(*first[-k:]).is_file()]
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
    captions = tuple(f"caption_{k}" for k in range(4))
    rows = list(_table(path, ("image_path", "correct_answer", "correct_answer_template", *captions)))
    if not rows:
        raise ClipError(f"{path}: no question; fetch it again from {PAGE}")
    first_is_true = path.name != QUESTIONS["synthetic"]
    out = []
    for line, row in rows:
        right, kind = row["correct_answer"].strip(), row["correct_answer_template"].strip()
        if right not in ("0", "1", "2", "3") or kind not in TYPES:
            raise ClipError(f"{path}:{line}: correct_answer {right!r} of type {kind!r} is none of 0 to 3 of {', '.join(TYPES)}")
        if first_is_true and right != "0":
            raise ClipError(
                f"{path}:{line}: correct_answer is {right}, and in the published file the first caption is always the true one (by their "
                f"order it is known which type is chosen wrongly); fetch it again from {PAGE}"
            )
        types = list(PLACES[first_is_true])
        types[int(right)] = kind
        out.append((row["image_path"], Question(tuple(row[each].strip() for each in captions), tuple(types), int(right))))
    return tuple(out)


@cache
def _told(plain: Path, negated: Path) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """Path, captions and negated captions of each picture that both files have; they belong together by image_id."""
    others = {row["image_id"]: _captions(negated, line, row) for line, row in _table(negated, ("filepath", "image_id", "captions"))}
    out = []
    for line, row in _table(plain, ("filepath", "image_id", "captions")):
        if row["image_id"] in others:
            out.append((row["filepath"], _captions(plain, line, row), others[row["image_id"]]))
    if not out:
        raise ClipError(f"{negated}: has no image_id of {plain.name}; fetch both again from {PAGE}")
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
