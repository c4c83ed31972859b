"""Questions with options about pictures: ImageNet-D's question files, MMVP's pairs, and any table of image, question, options, answer."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from .. import tables
from ..setinfo import SetInfo
from .captioned import fingerprint, present
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "choices"
D, MMVP, TABLE = "imagenet-d", "mmvp", "table"
D_PAGE, D_LICENCE = "https://huggingface.co/datasets/zcs15/ImageNet-D", "MIT"
MMVP_PAGE, MMVP_LICENCE = "https://huggingface.co/datasets/MMVP/MMVP", "MIT"
D_PARTS = ("background", "texture", "material")
D_FIELDS = ("image_dir", "gt_category", "top1_pred_cate", "top2_pred_cate")
MMVP_FIELDS = ("Index", "Question", "Options", "Correct Answer")
FIELDS = ("image", "question", "options", "answer")
FILES = tuple(f"{stem}{suffix}" for stem in ("questions", "choices") for suffix in tables.SUFFIXES)
"""What a table of one's own is called."""
QUESTION = "What is the main object in this image?"
PAIRS = "pairs"
"""The set of MMVP whose answers are its pairs, right where both questions are."""
_LETTER = re.compile(r"\(?([a-zA-Z])\)?[.:]?")
_LISTED = re.compile(r"\(([a-z])\)\s*")


@dataclass(frozen=True)
class Asked:
    """One question: where it stands, its picture, its options and which of them is right."""

    where: str
    image: str
    question: str
    options: tuple[str, ...]
    right: int


def detect(root: Path) -> list[Found]:
    """A folder with ImageNet-D's questions/, MMVP's Questions.csv, or a table with all four columns."""
    out = []
    for folder in places(root):  # ImageNet-D's questions/ itself: its pictures are image sets of the ImageNet family
        listed = [folder / f"{part}.csv" for part in D_PARTS]
        if any(_begins(path, D_FIELDS) for path in listed):
            out.append(Found(NAME, D, folder, {path.stem: path for path in listed if path.is_file()}))
        elif _begins(folder / "Questions.csv", MMVP_FIELDS[1:]):
            out.append(Found(NAME, MMVP, folder, {MMVP: folder / "Questions.csv"}))
        elif (own := next((folder / name for name in FILES if _begins(folder / name, FIELDS)), None)) is not None:
            out.append(Found(NAME, folder.name, folder, {own.stem: own}))
    return out


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One for each file of questions, and the pairs of MMVP."""
    kind, out = _kind(found), []
    for name in found.parts:
        asked = _read(found.parts[name], kind)
        _files(found, name, asked)
        out.append(SetInfo(name, "choice", len(asked), labelled=False))
        if kind == MMVP:
            out.append(SetInfo(PAIRS, "choice", len(asked), labelled=False, within=name))
    return tuple(out)


def problems(found: Found) -> list[Problem]:
    """None besides what `sets` refuses."""
    return []


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    page, licence = {D: (D_PAGE, D_LICENCE), MMVP: (MMVP_PAGE, MMVP_LICENCE)}.get(_kind(found), (None, None))
    return {"page": page, "licence": licence, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """A row for each question; `attributes` hold question, options (JSON) and the number of the right one. Rows 2i, 2i + 1 are a pair."""
    import numpy as np

    from ..imageset import ImageSet

    source = MMVP if name == PAIRS else name
    whole = _read(found.parts[source], _kind(found))
    asked = whole[: None if limit is None else max(limit - limit % 2, 2) if _kind(found) == MMVP else limit]
    files = _files(found, source, asked)
    told = {
        "question": tuple(each.question for each in asked),
        "options": tuple(json.dumps(each.options, ensure_ascii=False) for each in asked),
        "answer": tuple(str(each.right) for each in asked),
    }
    pairs = tuple((k, k + 1) for k in range(0, len(asked) - 1, 2))
    return ImageSet(
        name=name, data=found.name, role="choice", ids=tuple(f"{each.image} {k}" for k, each in enumerate(asked)),
        labels=np.full(len(asked), -1), classes=(), files=files, attributes=told, worst_of=pairs if name == PAIRS else None,
        fingerprint=fingerprint(files, [text for texts in told.values() for text in texts]),
        within=source if name == PAIRS else None, at=np.arange(len(asked)) if name == PAIRS else None,
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """Questions need none."""
    return ()


def _kind(found: Found) -> str:
    name, path = next(iter(found.parts.items()))
    return MMVP if name == MMVP else D if name in D_PARTS and path.suffix == ".csv" else TABLE


def _begins(path: Path, fields: tuple[str, ...]) -> bool:
    """Whether the first line of a file names these columns (or fields of its first object)."""
    if path.suffix == ".parquet":
        return path.is_file() and set(fields) <= set(tables.read(path).columns)
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline(10_000)
    except (OSError, UnicodeDecodeError):
        return False
    if path.suffix == ".jsonl":
        return all(f'"{field}"' in first for field in fields)
    return set(fields) <= {each.strip().strip('"') for each in re.split(r"[,\t]", first)}


@cache
def _read(path: Path, kind: str) -> tuple[Asked, ...]:
    if kind == D:
        return tuple(_of_d(where, cells) for where, cells in _tabbed(path))
    reader: Callable[[tables.Row], Asked] = _of_mmvp if kind == MMVP else _of_table
    out = tuple(reader(row) for row in tables.read(path).rows)
    if kind == MMVP and len(out) % 2:
        raise ClipError(f"{path}: {len(out)} questions, and two of one number belong together; fetch it again from {MMVP_PAGE}")
    return out


def _tabbed(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Rows of ImageNet-D's .csv, whose cells are separated by tabs."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file, delimiter="\t"))
    out = []
    for number, cells in enumerate(lines[1:], 2):
        if len(cells) != len(lines[0]):
            raise ClipError(f"{path}:{number}: {len(cells)} cells under {len(lines[0])} columns; fetch it again from {D_PAGE}")
        out.append((f"{path}:{number}", dict(zip(lines[0], cells, strict=True))))
    if not out:
        raise ClipError(f"{path}: holds no question; fetch it again from {D_PAGE}")
    return out


def _of_d(where: str, cells: dict[str, str]) -> Asked:
    truth = cells["gt_category"]
    wrong = cells["top1_pred_cate"] if cells["top1_pred_cate"] != truth else cells["top2_pred_cate"]
    if wrong == truth or not wrong or not truth:
        raise ClipError(f"{where}: the failure category is the right one ({truth!r}); fetch the file again from {D_PAGE}")
    return Asked(where, cells["image_dir"], QUESTION, (truth, wrong), 0)


def _of_mmvp(row: tables.Row) -> Asked:
    listed = row.text("Options")
    parts = _LISTED.split(listed)
    options, letters = tuple(each.strip() for each in parts[2::2]), [letter.lower() for letter in parts[1::2]]
    return _asked(
        row.where, f"{row.text('Index') or row.text('lndex')}.jpg", row.text("Question"), options, row.text("Correct Answer"), letters
    )


def _of_table(row: tables.Row) -> Asked:
    cell = row.cells.get("options", "")
    text = cell if isinstance(cell, str) else ""
    options = row.texts("options") if not isinstance(cell, str) else tuple(each.strip() for each in text.split("|"))
    if text.strip().startswith("["):
        try:
            options = tuple(str(each) for each in json.loads(text))
        except ValueError:
            raise ClipError(f"{row.where}: options {text[:80]!r} is no JSON list; write options as a|b|c or as a list") from None
    return _asked(
        row.where, row.text("image"), row.text("question"), options, row.text("answer"), [chr(97 + k) for k in range(len(options))]
    )


def _asked(where: str, image: str, question: str, options: tuple[str, ...], answer: str, letters: list[str]) -> Asked:
    if not image or not question:
        raise ClipError(f"{where}: {'no image' if not image else 'no question'}; write one")
    if len(options) < 2 or len(set(options)) < len(options) or not all(options):
        raise ClipError(f"{where}: the options are {', '.join(map(repr, options)) or 'none'}; write two or more different ones, as a|b|c")
    if answer in options:
        return Asked(where, image, question, options, options.index(answer))
    letter = _LETTER.fullmatch(answer)
    if letter is not None and letter[1].lower() in letters:
        return Asked(where, image, question, options, letters.index(letter[1].lower()))
    raise ClipError(
        f"{where}: the answer {answer!r} is none of the options {', '.join(map(repr, options))}; write one of them, or its letter"
    )


def _files(found: Found, name: str, asked: tuple[Asked, ...]) -> tuple[Path, ...]:
    names = [each.image for each in asked]
    folders = [found.folder.parent] if _kind(found) == D else [found.folder / "MMVP Images", found.folder / "images", found.folder]
    where = next((place for place in folders if (place / names[0]).is_file()), None)
    page = {D: f"get it from {D_PAGE}", MMVP: f"get it from {MMVP_PAGE}"}.get(_kind(found), "correct the column image")
    return present(names, where, listed_in=found.parts[name], looked_in=folders, get=page)
