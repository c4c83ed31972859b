"""Winoground (Thrush et al. 2022): 400 times two pictures and two captions of the same words, as its repository on the hub lies on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from .captioned import fingerprint, present
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "winoground"
COUNT = 400
PAGE, LICENCE = "https://huggingface.co/datasets/facebook/winoground", "gated: Meta's licence for research, to be accepted on the page"
FIELDS = ("id", "image_0", "image_1", "caption_0", "caption_1")


@dataclass(frozen=True)
class Quad:
    """Two pictures and two captions that belong together crosswise."""

    number: str
    images: tuple[str, str]
    captions: tuple[str, str]
    tag: str
    """what was swapped: object, relation or both; "" where nobody says"""


def detect(root: Path) -> list[Found]:
    """A folder with examples.jsonl that looks like it."""
    for folder in (each for place in places(root) for each in (place, place / "data")):
        listed = folder / "examples.jsonl"
        if listed.is_file() and _looks_right(listed):
            return [Found(NAME, NAME, folder, {"list": listed, "images": folder / "images"})]
    return []


def _looks_right(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline(10_000)
    except (OSError, UnicodeDecodeError):
        return False
    return all(f'"{field}"' in first for field in FIELDS)


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`all`, and one set for each tag. `n` counts pictures, two for each example."""
    quads = _quads(found.parts["list"])
    _files(found, quads)
    names = {"all": quads} | {tag: tuple(q for q in quads if q.tag == tag) for tag in sorted({q.tag for q in quads if q.tag})}
    return tuple(
        SetInfo(name, "quads", 2 * len(some), labelled=False, captions=True, within="" if name == "all" else "all")
        for name, some in names.items()
    )


def problems(found: Found) -> list[Problem]:
    """Packed pictures, wrong counts."""
    listed = found.parts["list"]
    if not found.parts["images"].is_dir() and (found.folder / "images.zip").is_file():
        return [Problem("refuse", f"{found.folder}: the pictures are still packed; unzip {found.folder / 'images.zip'} -d {found.folder}")]
    n = len(_quads(listed))
    return [] if n == COUNT else [Problem("warn", f"{listed}: {n} examples, Winoground has {COUNT}; fetch it again from {PAGE}")]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """Rows 2i and 2i + 1 are the two pictures of an example. A limit of N pictures keeps N // 2 whole examples, at least one."""
    import numpy as np

    from ..imageset import ImageSet

    quads = _quads(found.parts["list"])[: None if limit is None else max(1, limit // 2)]
    rows = [row for row, quad in enumerate(quads) if name in ("all", quad.tag)]
    if not rows:
        raise ClipError(f"--clip-limit leaves no example of {found.name}/{name}; raise it")
    some = [quads[row] for row in rows]
    files = _files(found, tuple(some))
    captions = tuple(text for quad in some for text in quad.captions)
    at = np.array([at for row in rows for at in (2 * row, 2 * row + 1)])
    return ImageSet(
        name=name, data=found.name, role="quads", ids=tuple(picture for quad in some for picture in quad.images),
        within=None if name == "all" else "all", at=None if name == "all" else at,
        labels=np.full(len(files), -1), classes=(), files=files, captions=captions, fingerprint=fingerprint(files, captions),
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """Captions need none."""
    return ()


def _files(found: Found, quads: tuple[Quad, ...]) -> tuple[Path, ...]:
    folder, listed = found.parts["images"], found.parts["list"]
    names = [picture for quad in quads for picture in quad.images]
    suffix = next((each for each in (".png", ".jpg", "") if (folder / f"{names[0]}{each}").is_file()), None)
    packed = found.folder / "images.zip"
    get = f"unzip {packed} -d {found.folder}" if packed.is_file() else f"get them from {PAGE} ({LICENCE})"
    return present(
        [f"{name}{suffix or ''}" for name in names], folder if suffix is not None else None, listed_in=listed, looked_in=[folder], get=get
    )


@cache
def _quads(path: Path) -> tuple[Quad, ...]:
    out = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"{path}: cannot be read as UTF-8 text ({error}); fetch it again from {PAGE}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            each = json.loads(line)
            told = [str(each[field]) for field in FIELDS]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ClipError(f"{path}:{number}: not an example of Winoground ({error}); fetch it again from {PAGE}") from None
        tag = str(each.get("collapsed_tag") or "").strip().lower()
        out.append(Quad(told[0], (told[1], told[2]), (told[3], told[4]), tag if tag.isascii() and tag.isalnum() and tag != "all" else ""))
    return tuple(out)
