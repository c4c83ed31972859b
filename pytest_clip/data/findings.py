"""What pictures that were looked at tell about a data set: unreadable ones, copies, sizes, orientations, depths of 16 bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .layouts.found import Problem

NAMED, SHOWN = 10, 2
"""Images that a finding of the doctor and one of a run name; the rest they count."""
INPUT = (224, 224)
MADE_AT_INPUT = ("corruption", "cue")
"""Roles of published sets that are 224 x 224 as they come."""
ALMOST_ALL = 0.95
DARK = 4096
"""16-bit grey below this is that of a camera or scanner of 12 bits or fewer."""
TURNED = 0x0112
"""EXIF's tag for the way a picture is to be held; 1 is upright."""


@dataclass(frozen=True)
class Seen:
    """One image: its place and set, and what decoding it told."""

    where: str
    set: str
    role: str
    label: str
    digest: str = ""
    size: tuple[int, int] = (0, 0)
    turned: bool = False
    wrong: str = ""
    deep: str = ""


ASKED = ("pairs", "triples", "choices")
"""Roles of sets that ask several things of one picture, a row for each: the same file again is no copy."""


def of_pictures(seen: Sequence[Seen]) -> list[Problem]:
    """Everything but what cannot be read."""
    return [*twice(seen), *resized(seen), *turned(seen), *deep(seen)]


def unreadable(seen: Sequence[Seen], allowed: int) -> Iterator[Problem]:
    if bad := [each for each in seen if each.wrong]:
        first = "".join(f"\n    {each.wrong}" for each in bad[:NAMED])
        more = f"\n    and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        level = "refuse" if len(bad) > allowed else "warn"
        yield Problem(level, f"{len(bad)} of {len(seen)} images cannot be read (allowed: {allowed}):{first}{more}")  # type: ignore[arg-type]


def twice(seen: Sequence[Seen], *, named: int = NAMED, source: str = "") -> Iterator[Problem]:
    """By content. Under two labels one of them is wrong; in two sets one says less than it seems. `source`: who names the others."""
    same: dict[str, list[Seen]] = {}
    for each in seen:
        if each.digest:
            same.setdefault(each.digest, []).append(each)
    groups = [group for group in same.values() if len(group) > 1]
    labels = [group for group in groups if len({each.label for each in group if each.label}) > 1]
    leaks = [group for group in groups if {"clean", "ood"} <= {each.role for each in group} and group not in labels]
    rest = [group for group in groups if group not in labels and group not in leaks and len({each.set for each in group}) == 1]
    rest = [group for group in rest if group[0].role not in ASKED or len({each.where for each in group}) > 1]
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


def resized(seen: Sequence[Seen]) -> Iterator[Problem]:
    for name in dict.fromkeys(each.set for each in seen):
        some = [each for each in seen if each.set == name and each.digest and each.role not in MADE_AT_INPUT]
        small = sum(each.size == INPUT for each in some)
        if some and small >= ALMOST_ALL * len(some):
            yield Problem(
                "warn",
                f"{small} of {len(some)} images of {name} are {INPUT[0]} x {INPUT[1]} already: they were resized and cropped before, and "
                "will be once more by models of another size; use the originals, or compare with no published number",
            )


def turned(seen: Sequence[Seen]) -> Iterator[Problem]:
    if some := [each for each in seen if each.turned]:
        yield Problem(
            "note",
            f"{len(some)} images carry an EXIF orientation that models do not see, the first one {some[0].where}; where it matters, "
            "turn the pixels themselves (jpegtran, exiftran)",
        )


def deep(seen: Sequence[Seen]) -> Iterator[Problem]:
    """Pictures that were brought to 8 bits by the range of their format."""
    if some := [each for each in seen if each.deep]:
        dark = sum(each.deep.startswith("16-bit grey up to ") and int(each.deep.rpartition(" ")[2]) < DARK for each in some)
        told = f"{len(some)} images have more than 8 bits, the first one {some[0].where} ({some[0].deep})"
        more = f"; {dark} of them have no pixel above {DARK - 1} and are almost black: stretch them before" if dark else ""
        yield Problem("warn", f"{told}; they are divided by 257 (floats from 0 to 1: times 255){more}; to decide yourself save 8 bits")
