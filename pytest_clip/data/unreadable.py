"""Images that cannot be read: found by their ends before a run, named and counted, refused above a number that the user allows.

Decoding 5,000 pictures of 500 x 375 pixels takes 8 s of one core, their first and last bytes 0.6 s, once for each content. So only those
are decoded that do not begin and end as their format does; what is damaged in the middle is met by the run, and named all at once there.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from ..store import read_sealed
from .bits import stored_as
from .content import THREADS, keep, memory, sha256
from .ends import HEAD, TAIL, unopened
from .ends import deep as deep_of
from .ends import sound as sound
from .layouts.found import shown
from .pictures import UnreadableError, decode

if TYPE_CHECKING:
    from .imageset import ImageSet

NAMED = 10
"""Images that an error names; the rest it counts."""
NAMED_BEFORE = " (they are named at the first gate that failed for them)"
PLACE = "{}"


@dataclass(frozen=True)
class Look:
    """What was found in the pictures of a set."""

    wrong: Mapping[int, str]
    """row -> the sentence that says why it cannot be read"""
    digests: tuple[str, ...]
    """what each picture holds: equal for equal pictures"""
    deep: Mapping[int, str] = field(default_factory=dict)
    """row -> what a picture of more than 8 bits was stored as"""


def look(images: ImageSet, *, all_decoded: bool) -> Look:
    """The pictures of a set that lie in files or shards, by their ends or `all_decoded`. Looked at once for each content and Pillow."""
    from PIL import __version__ as pillow

    held = memory()
    place = None if held is None else held / f"looked-{images.fingerprint}-{'decoded' if all_decoded else 'ends'}-{pillow}.json"
    if (known := _recalled(images, place)) is not None:
        return known
    count = len(images)
    with ThreadPoolExecutor(THREADS) as pool:
        seen = list(pool.map(lambda row: _look(images, row, all_decoded), range(count)))
    digests = sha256(images.files) if images.files is not None else [digest for digest, _, _ in seen]
    wrong, deep = ({row: each[k] for row, each in enumerate(seen) if each[k]} for k in (1, 2))
    found = Look(wrong, tuple(digest[:16] for digest in digests), deep)
    _remember(images, place, found)
    return found


def told(images: ImageSet, wrong: Mapping[int, str], *, allowed: int, together: bool = False) -> str:
    """One error for a set with unreadable images: how many, which, and what to do."""
    first = next(iter(wrong.values()))
    many = f"{len(wrong)} of {len(images)} images cannot be read"
    named = "".join(f"\n    {each}" for each in list(wrong.values())[:NAMED])
    more = f"\n    and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    cure = f"replace or remove them; pytest-clip doctor --data {images.source} names all of the data set"
    if together:
        cure += f"; none of {images.name} can be left out, because it is compared with other sets image by image"
    else:
        cure += f"; --clip-max-unreadable={len(wrong)} leaves them out"
    return f"{images.data}/{images.name}: {many} ({allowed} allowed), the first one {_where(first)}; {cure}:{named}{more}"


TOGETHER = ("corruption", "reference")
"""Roles of sets that must hold the same images as others."""


def sorted_out(images: ImageSet, allowed: int, *, together: bool = False) -> Look:
    """What cannot be read, at most `allowed`, none of a set that is compared with others `together`; ClipError for more.

    Where some may be missing every picture is decoded, because what is left must be known before the first answer: it is another set.
    """
    allowed = 0 if together else allowed
    found = look(images, all_decoded=allowed > 0)
    if len(found.wrong) > allowed:
        raise UnreadableError(told(images, found.wrong, allowed=allowed, together=together))
    return found


_swept: dict[tuple[str, str], str] = {}
_sweeping = threading.Lock()


def met(images: ImageSet, error: UnreadableError) -> UnreadableError:
    """The error for a set of which an image turned out unreadable while it was decoded: all of the set are named, the first time."""
    with _sweeping:  # several threads decode one set
        if (images.source, images.fingerprint) in _swept:
            return UnreadableError(_swept[images.source, images.fingerprint])
        if not (wrong := look(images, all_decoded=True).wrong):
            return error  # it could be read now: a disk that stumbled
        _swept[images.source, images.fingerprint] = told(images, wrong, allowed=0, together=images.role in TOGETHER)
        return UnreadableError(_swept[images.source, images.fingerprint])


def met_before(images: ImageSet) -> None:
    """ClipError, in one line, for a set of which this process knows that it cannot be decoded."""
    if (images.source, images.fingerprint) in _swept:
        raise UnreadableError(_swept[images.source, images.fingerprint].partition(":\n")[0] + NAMED_BEFORE)


def _look(images: ImageSet, row: int, all_decoded: bool) -> tuple[str, str, str]:
    """Digest (of pictures that are no files), what is wrong, and what a picture of more than 8 bits is stored as."""
    where = images.where(row)
    try:
        if images.read is None:
            return "", *_of_file(images.files[row] if images.files is not None else Path(where), all_decoded)
        data = images.read(row)
        whole = sound(data[:HEAD], data[-TAIL:], len(data))
        deep = deep_of(data[:HEAD]) if whole and not all_decoded else stored_as(decode(data, where=where))
    except ClipError as error:
        return "", str(error), ""
    return hashlib.sha256(data).hexdigest(), "", deep


def _of_file(path: Path, all_decoded: bool) -> tuple[str, str]:
    try:
        if not all_decoded:
            with path.open("rb") as file:
                head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
                file.seek(max(0, size - TAIL))
                if sound(head, file.read(TAIL), size):
                    return "", deep_of(head)
        return "", stored_as(decode(path, where=shown(path)))
    except OSError as error:
        return unopened(path, error), ""
    except ClipError as error:
        return (unopened(path, FileNotFoundError()) if path.is_symlink() and not path.exists() else str(error)), ""


def _where(sentence: str) -> str:
    return sentence.partition(": not a readable image")[0].partition("; ")[0]


def _recalled(images: ImageSet, place: Path | None) -> Look | None:
    if place is None:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = read_sealed(place)
        wrong = {int(row): text.replace(PLACE, images.where(int(row)), 1) for row, text in said["wrong"].items()}
        if len(said["digests"]) == len(images):
            return Look(wrong, tuple(map(str, said["digests"])), {int(row): str(text) for row, text in said["deep"].items()})
    return None


def _remember(images: ImageSet, place: Path | None, found: Look) -> None:
    if place is None:
        return
    wrong = {row: text.replace(images.where(row), PLACE, 1) for row, text in found.wrong.items()}
    keep(place, {"wrong": wrong, "digests": list(found.digests), "deep": dict(found.deep)})


def left(images: ImageSet, wrong: Sequence[int]) -> dict[int, int]:
    """Old row -> new row of what remains without `wrong`; of pictures that are asked about two by two the partner goes, too."""
    gone = set(wrong)
    if images.role == "quads":
        gone |= {row ^ 1 for row in gone}
    kept = [row for row in range(len(images)) if row not in gone]
    return {row: k for k, row in enumerate(kept)}
