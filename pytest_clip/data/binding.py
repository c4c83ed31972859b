"""Which class a folder or a cell of a table means: by its name, however it is spelled, or by its number. Light."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .. import ClipError
from .layouts.found import Problem

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)
WHOLE = re.compile(r"(-?[0-9]+)(\.0*)?", re.ASCII)
"""0.0 is what pandas makes of a column of whole numbers that lacks one."""
MOST_DIGITS = 15
"""Python refuses to read numbers of more than 4,300 digits, with a sentence of its own; no data set has so many classes."""
CLOSE_UP_TO = 5000
"""Names up to which those that are one edit apart are looked for."""


def key(name: str) -> str:
    """What two spellings of a name share: letters in one case and one Unicode form; `_`, `-` and any white space are one space."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(re.sub(r"[_\-\s]+", " ", plain).split())


def same_text(name: str) -> str:
    """What two names share that are one text to every tokenizer."""
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").split())


def whole(text: str) -> int | None:
    """The number of a label, of `3.0` too; None for what is none. One with more digits than any label has is 10^15."""
    found = WHOLE.fullmatch(text.strip())
    if found is None:
        return None
    return int(found[1]) if len(found[1]) <= MOST_DIGITS else 10**MOST_DIGITS


def distinct(names: Sequence[str], *, where: str) -> None:
    """ClipError for two classes whose names are one text to a model: it could not tell them apart."""
    seen: dict[str, str] = {}
    for name in names:
        if (before := seen.get(same_text(name))) is not None:
            two = f"is the name of two classes, {before!r} and {name!r}" if before != name else "is there twice"
            raise ClipError(f"{where}: {same_text(name)!r} {two}, and no model can tell them apart; rename one")
        seen[same_text(name)] = name


def by_name(told: Sequence[str], names: Sequence[str], *, path: Path) -> dict[str, int]:
    """Told name -> line of `path`, counted from 0; those that no line names are missing. ClipError where two lines could be meant."""
    exact = {name.replace(" ", "_"): k for k, name in enumerate(names)} | {name: k for k, name in enumerate(names)}
    alike: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        alike.setdefault(key(name), []).append(k)
    out: dict[str, int] = {}
    for each in dict.fromkeys(told):
        lines = [exact[each]] if each in exact else alike.get(key(each), [])
        if len(lines) > 1:
            both = " and ".join(f"{names[k]!r} (line {k + 1})" for k in lines[:2])
            raise ClipError(f"{path}: {each!r} could be {both}; write it as one of them is written")
        if lines:
            out[each] = lines[0]
    return out


def twice(bound: Mapping[str, int], names: Sequence[str], *, path: Path) -> None:
    """ClipError for two folders that mean one line."""
    first: dict[int, str] = {}
    for name, line in bound.items():
        if (before := first.setdefault(line, name)) != name:
            raise ClipError(f"{path}:{line + 1}: the folders {before} and {name} are both {names[line]!r}; join them, or rename one")


def crossed(told: Sequence[str], names: Sequence[str]) -> tuple[str, int, int] | None:
    """Where binding line by line cannot be meant: a name, its line, and another line that is one edit from it; None where it may be."""
    if len(names) > CLOSE_UP_TO:
        return None
    lines: dict[str, int] = {}
    for k, name in enumerate(names):
        for form in shortened(key(name)):
            lines.setdefault(form, k)
    for k, name in enumerate(told):
        meant = {lines[form] for form in shortened(key(name)) if form in lines and one_edit(key(name), key(names[lines[form]]))}
        if meant and k not in meant and len(key(name)) > 3:
            return name, k, min(meant)
    return None


def shortened(text: str) -> Iterator[str]:
    """A text, and it without each of its letters: two that are one edit apart share one of these."""
    yield text
    yield from (text[:k] + text[k + 1 :] for k in range(len(text)))


def one_edit(one: str, other: str) -> bool:
    """Whether a letter put in, left out, changed, or two neighbours swapped make one of the other; not for equal ones."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or (one[1::-1] == other[:2] and one[2:] == other[2:])


def by_order(folders: Sequence[str], names: Sequence[str], *, path: Path) -> Problem:
    """What is said where no line names a folder."""
    shown = ", ".join(f"{folder} is {name!r}" for folder, name in list(zip(folders, names, strict=False))[:3])
    told = f"{path}: no line names a folder, so they are taken in the order of the folders ({shown}{', ...' if len(names) > 3 else ''})"
    level = "note" if all(any(c.isdigit() for c in folder) for folder in folders) else "warn"
    return Problem(level, f"{told}; where that is wrong, write the folders' own names")  # type: ignore[arg-type]
