"""SCAM (Westerhoff et al. 2025): photographs of objects with a written word, a printed one and none, as `save_to_disk` leaves them.

Its card on the hub lists the columns image, type (SCAM, SynthSCAM, NoSCAM), object_label, attack_word, postit_area_pct and id. The pictures
of one object have the same number at the end of their ids (SCAM_img_0001).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from ..stored import Rows, held
from ..stored import table as stored_table
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "scam"
COUNT = 1162
PAGE, LICENCE = "https://huggingface.co/datasets/BLISS-e-V/SCAM", "CC BY-NC 4.0"
SETS = {"none": "NoSCAM", "word": "SCAM", "printed": "SynthSCAM"}
"""Our names of the values of the column `type`; `word` is written by hand."""
COLUMNS = ("image", "type", "object_label", "attack_word", "id")
GET = f"python -c \"import datasets; datasets.load_dataset('BLISS-e-V/SCAM', split='train').save_to_disk('scam')\" ({LICENCE}; {PAGE})"
TEMPLATES = 32
"""Of OpenAI's templates for ImageNet, the first so many: the protocol takes 32 of their kind."""


@dataclass(frozen=True)
class Photograph:
    """One object: its name, the word written for it, and the row of each picture by our name of the set."""

    number: str
    thing: str
    word: str
    rows: dict[str, int]


def detect(root: Path) -> list[Found]:
    """A stored table, or its split `train`, with the columns that no other data has."""
    for place in places(root):
        for folder in (place, place / "train"):
            if (folder / "state.json").is_file() and _has_columns(folder / "dataset_info.json"):
                return [Found(NAME, NAME, place, {"table": folder})]
    return []


def _has_columns(path: Path) -> bool:
    try:
        features = json.loads(path.read_text(encoding="utf-8")).get("features")
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
    return isinstance(features, dict) and all(name in features for name in COLUMNS[1:4])


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`none` without a note, `word` and `printed` with one."""
    photographs, out = _photographs(found.parts["table"]), []
    for name, kind in SETS.items():
        there = all(name in each.rows for each in photographs)
        absent = "" if there else f"{found.folder} has no pictures of type {kind}; get all: {GET}"
        role: Any = "bare" if name == "none" else "written"
        out.append(SetInfo(name, role, len(photographs) if there else 0, paired=name != "none", absent=absent))
    return tuple(out)


def problems(found: Found) -> list[Problem]:
    """Wrong counts."""
    n = len(_photographs(found.parts["table"]))
    return [] if n == COUNT else [Problem("warn", f"{found.folder}: {n} objects, SCAM has {COUNT}; fetch it again: {GET}")]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The pictures of one type, in the order of their numbers: row k shows the same object in every set."""
    import numpy as np

    from ..imageset import ImageSet

    table, some = found.parts["table"], _photographs(found.parts["table"])[:limit]
    named, rows = classes(found), tuple(each.rows[name] for each in some)
    told = [(each.number, each.thing, each.word) for each in some]
    digest = hashlib.sha256(repr((held(table, "image"), name, rows, told)).encode()).hexdigest()[:16]
    return ImageSet(
        name=name, data=found.name, role="bare" if name == "none" else "written", ids=tuple(each.number for each in some),
        labels=np.array([named.index(each.thing) for each in some], dtype=np.int64), classes=named, fingerprint=digest,
        attributes={"written": tuple(each.word for each in some)}, read=Rows(table, "image", rows),
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """The names of the objects."""
    return tuple(sorted({each.thing for each in _photographs(found.parts["table"])}))


def templates(found: Found) -> tuple[str, ...]:
    """The first 32 of OpenAI's for ImageNet."""
    return published_templates()


@cache
def published_templates() -> tuple[str, ...]:
    """For the protocol's mean of text embeddings."""
    from ..prompts import published

    return tuple(t("{c}") for t in published().OPENAI_IMAGENET_TEMPLATES[:TEMPLATES])


@cache
def _photographs(folder: Path) -> tuple[Photograph, ...]:
    """By number; every object is there in the same types, with one name and one word."""
    table, fresh = stored_table(folder), f"fetch it again: {GET}"
    if lacking := [name for name in COLUMNS if name not in table.features]:
        raise ClipError(f"{folder}: no column {', '.join(lacking)}, it has {', '.join(table.features)}; {fresh}")
    ours = {kind: name for name, kind in SETS.items()}
    found: dict[str, dict[str, tuple[int, str, str]]] = {}
    for row, (kind, thing, word, name) in enumerate(zip(*(table[c] for c in COLUMNS[1:]), strict=True)):
        digits = re.search(r"(\d+)$", str(name))
        if kind not in ours or digits is None:
            raise ClipError(f"{folder}: row {row} has the type {kind!r} and the id {name!r}, which SCAM does not know; {fresh}")
        mine = found.setdefault(digits[1], {})
        if ours[kind] in mine:
            raise ClipError(f"{folder}: row {row} is a second picture {name} of type {kind}; {fresh}")
        mine[ours[kind]] = (row, str(thing or "").strip(), str(word or "").strip())
    kinds = {name for mine in found.values() for name in mine}
    out = []
    for number, mine in sorted(found.items()):
        if kinds - mine.keys():
            raise ClipError(f"{folder}: object {number} has no picture of type {SETS[min(kinds - mine.keys())]}, others have; {fresh}")
        things, words = {thing for _, thing, _ in mine.values()}, {word for _, _, word in mine.values() if word}
        if len(things) != 1 or len(words) != 1 or not min(things) or things == words:
            raise ClipError(f"{folder}: object {number} is called {sorted(things)} and its word is {sorted(words)}; {fresh}")
        out.append(Photograph(number, things.pop(), words.pop(), {name: row for name, (row, _, _) in mine.items()}))
    if not out:
        raise ClipError(f"{folder}: the table is empty; {fresh}")
    return tuple(out)
