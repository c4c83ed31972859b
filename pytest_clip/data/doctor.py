"""Is the data what it should be? `quick` looks at names and is part of every run; `examine` also reads and decodes every image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from . import catalog, layouts
from .layouts.found import Problem

if TYPE_CHECKING:
    from .dataset import Data
    from .imageset import ImageSet

NAMED, SHOWN = 10, 2
"""Images that a finding of the doctor and one of a run name; the rest they count."""
INPUT = (224, 224)
MADE_AT_INPUT = ("corruption", "cue")
"""Roles of published sets that are 224 x 224 as they come."""
ALMOST_ALL = 0.95
TURNED = 0x0112
"""EXIF's tag for the way a picture is to be held; 1 is upright."""


@dataclass(frozen=True)
class Examined:
    """What was found in one data set."""

    name: str
    sets: int
    images: int
    """looked at; each picture once, however many slices show it"""
    problems: tuple[Problem, ...]

    @property
    def well(self) -> bool:
        """Whether a run can go ahead."""
        return not any(each.level == "refuse" for each in self.problems)


@dataclass(frozen=True)
class _Seen:
    """One image: its place and set, and what decoding it told."""

    where: str
    set: str
    role: str
    label: str
    digest: str = ""
    size: tuple[int, int] = (0, 0)
    turned: bool = False
    wrong: str = ""


def quick(text: str) -> list[Problem]:
    """What names and counts tell about the data that --clip-data=`text` names (one data set). Nothing is opened."""
    if text == "scenes":
        return []
    found = catalog.one(text)
    if found is not None:
        return layouts.problems(found)
    from . import folder

    return folder.problems(text)


def examine(text: str, *, max_unreadable: int = 0, threads: int = 4, advance: Callable[[int, int], None] = lambda i, n: None) -> Examined:
    """`quick`, and every image of every set decoded: unreadable, twice, resized before, turned. `advance(done, total)` hears of it."""
    problems = quick(text)
    name = text if text == "scenes" else Path(layouts.split(text)[0]).resolve().name
    if any(each.level == "refuse" for each in problems) or text == "scenes":
        return Examined(name, 0, 0, tuple(problems))
    from .dataset import load

    data = load(text)
    sets = [images for each in data.sets if (images := data.images(each.name)).within is None]
    total = sum(len(images.files or images.ids) for images in sets)
    seen: list[_Seen] = []
    with ThreadPoolExecutor(threads) as pool:
        for images in sets:
            for one in pool.map(lambda row, of=images: _look(of, row), range(len(images.files or images.ids))):
                seen.append(one)
                advance(len(seen), total)
    told = [*problems, *_unreadable(seen, max_unreadable), *_twice(seen), *_resized(seen), *_turned(seen)]
    return Examined(data.name, len(sets), len(seen), tuple(told))


def of_content(data: Data) -> list[Problem]:
    """What a run says about the pictures that it looked at before: some left out, some there twice."""
    said = [
        Problem("warn", f"{len(wrong)} images of {name} cannot be read and are left out: {_some(wrong)}")
        for name, wrong in data.left_out.items()
        if name in data.looked
    ]
    seen = [
        _Seen(images.where(row), images.name, images.role, _label(images, row), digest)
        for images, look in data.looked.values()
        for row, digest in enumerate(look.digests)
        if row not in look.wrong
    ]
    return [*said, *_twice(seen, named=SHOWN, source=data.text)]


def _some(sentences: Sequence[str]) -> str:
    places = [each.partition(": not a readable image")[0] for each in sentences[:NAMED]]
    return ", ".join(places) + (f" and {len(sentences) - NAMED} more" if len(sentences) > NAMED else "")


def _label(images: ImageSet, row: int) -> str:
    label = int(images.labels[row]) if row < len(images.labels) else -1
    return images.classes[label] if 0 <= label < len(images.classes) else ""


def _look(images: ImageSet, row: int) -> _Seen:
    from .pictures import decode

    name, where = _label(images, row), images.where(row)
    try:
        data = images.read(row) if images.read is not None else _bytes(Path(where))
        picture = decode(data, where=where)
    except ClipError as error:
        return _Seen(where, images.name, images.role, name, wrong=str(error))
    turned = picture.getexif().get(TURNED, 1) not in (0, 1)
    return _Seen(where, images.name, images.role, name, hashlib.sha256(data).hexdigest(), picture.size, turned)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ClipError(f"{path}: not a readable image ({error.strerror}); replace or remove the file") from None


def _unreadable(seen: Sequence[_Seen], allowed: int) -> Iterator[Problem]:
    bad = [each for each in seen if each.wrong]
    if bad:
        first = "".join(f"\n    {each.wrong}" for each in bad[:NAMED])
        more = f"\n    and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        level = "refuse" if len(bad) > allowed else "warn"
        yield Problem(level, f"{len(bad)} of {len(seen)} images cannot be read (allowed: {allowed}):{first}{more}")  # type: ignore[arg-type]


def _twice(seen: Sequence[_Seen], *, named: int = NAMED, source: str = "") -> Iterator[Problem]:
    """By content. Under two labels one of them is wrong; in two sets one says less than it seems. `source`: who names the others."""
    same: dict[str, list[_Seen]] = {}
    for each in seen:
        if each.digest:
            same.setdefault(each.digest, []).append(each)
    groups = [group for group in same.values() if len(group) > 1]
    labels = [group for group in groups if len({each.label for each in group if each.label}) > 1]
    leaks = [group for group in groups if {"clean", "ood"} <= {each.role for each in group} and group not in labels]
    rest = [group for group in groups if group not in labels and group not in leaks and len({each.set for each in group}) == 1]
    for some, what, cure in (
        (labels, "are there under different labels", "keep each under the right one"),
        (leaks, "are both known and unknown", "remove them from the unknown ones"),
        (rest, "are there more than once", "keep one of each: copies count twice and make intervals too narrow"),
    ):
        if some:
            shown = "".join(
                "\n    " + " = ".join(f"{e.where}{f' ({e.label})' if e.label else ''}" for e in group[:3]) for group in some[:named]
            )
            others = f"; pytest-clip doctor --data {source} names them" if source else ""
            more = f"\n    and {len(some) - named} more{others}" if len(some) > named else ""
            yield Problem("warn", f"{len(some)} images {what}; {cure}:{shown}{more}")


def _resized(seen: Sequence[_Seen]) -> Iterator[Problem]:
    for name in dict.fromkeys(each.set for each in seen):
        some = [each for each in seen if each.set == name and each.digest and each.role not in MADE_AT_INPUT]
        small = sum(each.size == INPUT for each in some)
        if some and small >= ALMOST_ALL * len(some):
            yield Problem(
                "warn",
                f"{small} of {len(some)} images of {name} are {INPUT[0]} x {INPUT[1]} already: they were resized and cropped before, and "
                "will be once more by models of another size; use the originals, or compare with no published number",
            )


def _turned(seen: Sequence[_Seen]) -> Iterator[Problem]:
    turned = [each for each in seen if each.turned]
    if turned:
        yield Problem(
            "note",
            f"{len(turned)} images carry an EXIF orientation that models do not see, the first one {turned[0].where}; where it matters, "
            "turn the pixels themselves (jpegtran, exiftran)",
        )
