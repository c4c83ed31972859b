"""Which table in a folder lists its images: manifest.* always, metadata.* where it has a column of paths. Light but for the tables."""

from __future__ import annotations

import os
from pathlib import Path

from .. import ClipError
from .layouts.found import Problem, entries, is_file, shown
from .tables import SUFFIXES, read

STEMS = ("manifest", "metadata")
"""metadata.csv is what Hugging Face's image folders call it."""
PATH = ("path", "file_name", "filepath", "filename", "file", "image")
"""The column of paths; the first that there is."""
OTHERS = (".json", ".xlsx", ".xls", ".ods", ".txt", ".yaml", ".yml", ".feather", ".arrow", ".pkl", ".npz", ".gz", ".zip", ".zst", ".bz2")
"""Suffixes of tables that are not read."""


def table_of(root: Path) -> Path | None:
    """The table that lists the images of a folder; of several the first by name and kind."""
    for path in _tables(root):
        if _stem(path) == "manifest" or _lists_images(path) is True:
            return path
    return None


def check(root: Path) -> None:
    """ClipError for a table beside class folders that cannot be read: it may be what says the labels."""
    for path in _tables(root):
        read(path)


def problems(root: Path) -> list[Problem]:
    """Tables beside class folders, or beside the table that is read, that are passed over."""
    out, used = [], table_of(root)
    for path in _tables(root):
        if used is not None and path != used:
            out.append(Problem("warn", f"{path}: is not read, because {used.name} is; remove one of them"))
        elif used is None and _lists_images(path) is not None:
            told = f"{path}: has no column {PATH[0]} ({', '.join(PATH[1:])}), so it is not read"
            out.append(Problem("note", f"{told}; the folders are the classes"))
    for entry in entries(root):
        if is_file(entry) and _stem(Path(entry.path)) in STEMS and entry.name.lower().endswith(OTHERS):
            told = f"{shown(entry.path)}: tables of this kind are not read; write {entry.name.partition('.')[0]}.csv"
            out.append(Problem("warn", f"{told} (or {', '.join(SUFFIXES[1:])}), or give it another name"))
    return out


def first_of(names: tuple[str, ...], columns: tuple[str, ...]) -> str | None:
    """The column that is called like the first possible of `names`, in any case."""
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), None)


def _tables(root: Path) -> list[Path]:
    there = [Path(entry.path) for entry in entries(root) if is_file(entry)]
    some = [path for path in there if _stem(path) in STEMS and path.suffix.lower() in SUFFIXES and path.name.count(".") == 1]
    return sorted(some, key=lambda path: (STEMS.index(_stem(path)), SUFFIXES.index(path.suffix.lower()), path.name))


def _stem(path: Path) -> str:
    return os.path.basename(path).partition(".")[0].lower()  # noqa: PTH119 - of a name with several suffixes


def _lists_images(path: Path) -> bool | None:
    """A file called metadata may be about anything; None for one that cannot be read, which `check` refuses where nothing else is found."""
    try:
        return first_of(PATH, read(path).columns) is not None
    except ClipError:
        return None
