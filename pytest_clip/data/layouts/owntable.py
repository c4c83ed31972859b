"""The table of own images: which columns say what, and what is wrong with a row."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ... import ClipError
from .. import binding, tables, texts
from ..listed import PATH, first_of
from ..own import CLASSES, UNKNOWN
from .found import is_there, shown

LABEL = ("label", "class")
CAPTION = ("caption", "captions", "text")
FALSE = ("negative_caption",)
SPLIT = ("split",)
MOST = 24
"""Different values up to which a column is sliced; more are a name, a date or a measurement."""
LONGEST_SHOWN = 200
LONGEST = 70
"""Characters of a slice that every metric of the factors suite can carry in its gate id."""


@dataclass(frozen=True)
class Own:
    """The images of a manifest in its order."""

    ids: tuple[str, ...]
    files: tuple[Path, ...]
    wheres: tuple[str, ...]
    labels: tuple[int, ...]
    """empty for data without classes"""
    classes: tuple[str, ...]
    captions: tuple[tuple[str, ...], ...]
    """of each image; empty for data without captions"""
    false: tuple[str, ...] = ()
    slices: dict[str, tuple[int, ...]] = field(default_factory=dict)
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """columns that are not sliced, and why"""
    named: frozenset[str] = frozenset()
    """images of all rows, those of other splits, too"""


@cache
def read(path: Path, root: Path, *, label: str | None = None, passed_over: tuple[str, ...] = ()) -> Own:
    """The table at `path`, of images whose places count from `root`; ClipError names file and line.

    `label`: the column of classes; `passed_over`: columns that are not read.
    """
    table = tables.read(path)
    column = first_of(PATH, table.columns)
    label, caption, false = (first_of(names, table.columns) for names in (LABEL if label is None else (label,), CAPTION, FALSE))
    has = f"it has {', '.join(table.columns)}"
    if column is None:
        raise ClipError(f"{path}:1: no column {PATH[0]} ({', '.join(PATH[1:])}); {has}: rename one")
    if label is None and caption is None:
        raise ClipError(f"{path}:1: no column {LABEL[0]} and none {CAPTION[0]}, so there is nothing to be right about; {has}: rename one")
    rows, told = _images(table, column=column, label=label, caption=caption)
    files = tuple(root / row.text(column) for row in rows)
    _there(path, rows, files)
    labels, names = _labels(rows, label, root) if label is not None else ((), ())
    used = {column, label, caption, false, first_of(SPLIT, table.columns), *passed_over}
    slices, notes = _slices(path, rows, [each for each in table.columns if each not in used] if label is not None else [])
    return Own(
        ids=tuple(row.text(column) for row in rows), files=files, wheres=tuple(row.where for row in rows), labels=labels, classes=names,
        captions=tuple(told[row.text(column)] for row in rows) if caption is not None else (), slices=slices, notes=notes,
        false=tuple(row.text(false) for row in rows) if false is not None and caption is not None else (),
        named=frozenset(row.text(column) for row in table.rows),
        attributes={each: tuple(row.text(each) for row in rows) for each in table.columns if each not in used},
    )  # fmt: skip


def _images(
    table: tables.Table, *, column: str, label: str | None, caption: str | None
) -> tuple[list[tables.Row], dict[str, tuple[str, ...]]]:
    """The first row of every image, and all of its captions."""
    first: dict[str, tables.Row] = {}
    told: dict[str, tuple[str, ...]] = {}
    by = first_of(SPLIT, table.columns)
    splits = {row.text(by) for row in table.rows} if by is not None else set()
    for row in table.rows:
        if by is not None and len(splits) > 1 and "test" in splits and row.text(by) != "test":
            continue
        name = row.text(column)
        if not name:
            raise ClipError(f"{row.where}: no {column}; name the image file, or remove the row")
        before = first.setdefault(name, row)
        if before is not row and (caption is None or (label is not None and before.text(label) != row.text(label))):
            what = "with another label" if label is not None and before.text(label) != row.text(label) else "again"
            raise ClipError(f"{row.where}: {name} {what} (first in {before.where}); keep one of the rows")
        if caption is not None:
            if not row.texts(caption):
                raise ClipError(f"{row.where}: {name} has no {caption}; write one, or remove the row")
            told[name] = (*told.get(name, ()), *row.texts(caption))
    if len(splits) > 1 and "test" not in splits:
        raise ClipError(f"{table.path}: the column {by} has {', '.join(sorted(splits))} but not test; name the rows to be measured test")
    return list(first.values()), told


def _there(path: Path, rows: Sequence[tables.Row], files: Sequence[Path]) -> None:
    missing = [(row, file) for row, file in zip(rows, files, strict=True) if not is_there(file)]
    if missing:
        row, file = missing[0]
        raise ClipError(
            f"{row.where}: {shown(file)[:LONGEST_SHOWN]} does not exist ({len(missing)} of {len(files)} images of {path.name} do not); "
            f"paths count from {path.parent}: correct them, or remove the rows"
        )


def _labels(rows: Sequence[tables.Row], label: str, root: Path) -> tuple[tuple[int, ...], tuple[str, ...]]:
    told = [row.text(label) for row in rows]
    if empty := next((row for row, text in zip(rows, told, strict=True) if not text), None):
        raise ClipError(f"{empty.where}: no {label}; write the class, or put images of no class into {root / UNKNOWN}/NAME/")
    numbers = all(binding.NUMBER.fullmatch(text) for text in told)
    if odd := next((row for row, text in zip(rows, told, strict=True) if numbers and binding.whole(text) is None), None):
        raise ClipError(f"{odd.where}: label {odd.text(label)[:40]!r} is no whole number; labels are names, or whole numbers from 0")
    path = root / CLASSES
    if not path.is_file():
        if numbers:
            raise ClipError(f"{rows[0].where}: labels are numbers; write {path} with one class name a line, in their order from 0")
        names = tuple(sorted(set(told)))
        if len(names) < 2:
            raise ClipError(f"{rows[0].where}: all images are of one class, {names[0]!r}; at least two are needed")
        binding.distinct(names, where=f"{rows[0].where.rpartition(':')[0]}: column {label}")
        place = {name: k for k, name in enumerate(names)}
        return tuple(place[text] for text in told), tuple(name.replace("_", " ") for name in names)
    names = texts.class_names(path)
    binding.distinct(names, where=str(path))
    place = {} if numbers else binding.by_name(told, names, path=path)
    out = []
    for row, text in zip(rows, told, strict=True):
        k = binding.whole(text) if numbers else place.get(text, -1)
        if k is None or not 0 <= k < len(names):
            why = f"{path} names {len(names)} classes (0..{len(names) - 1})" if numbers else f"{path} does not name it"
            raise ClipError(f"{row.where}: label {text[:60]!r}, but {why}; correct one of them")
        out.append(k)
    return tuple(out), names


def _slices(path: Path, rows: Sequence[tables.Row], columns: Sequence[str]) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    out: dict[str, list[int]] = {}
    notes = []
    for column in columns:
        values: dict[str, list[int]] = {}
        for k, row in enumerate(rows):
            if value := row.text(column):
                values.setdefault(value, []).append(k)
        names = {value: f"{slug(column)}={slug(value)}" for value in values}
        if len(values) < 2:
            notes.append(f"{path}: column {column} is not sliced: it has {len(values)} value{'s' * (len(values) != 1)}")
            continue
        if all(len(at) == 1 for at in values.values()):
            notes.append(f"{path}: column {column} is not sliced: every image has a value of its own")
            continue
        if len(values) > MOST:
            notes.append(f"{path}: column {column} is not sliced: {len(values)} different values, at most {MOST} become slices; group them")
            continue
        for value, at in values.items():
            name = names[value]
            if len(name) > LONGEST:
                raise ClipError(f"{rows[at[0]].where}: {column} = {value[:40]!r} makes a gate id longer than 100 characters; shorten it")
            if name in out:
                other = next((each for each in values if each != value and names[each] == name), None)
                both = f"the values {other!r} and {value!r} of {column}" if other is not None else f"two columns that read {column}"
                raise ClipError(f"{rows[at[0]].where}: {both} become one slice, {name}; write them alike, or more apart")
            out[name] = at
    return {name: tuple(at) for name, at in sorted(out.items())}, tuple(notes)


def slug(text: str) -> str:
    """Lower-case ASCII for a slice: `Siemens Avanto` becomes siemens_avanto, letters without an ASCII form their code points."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.strip().lower()) if not unicodedata.combining(c))
    out = "".join(c if (c.isascii() and c.isalnum()) or c in "_.-" else "_" if c.isascii() else f"u{ord(c):x}" for c in plain)
    return out or "_"
