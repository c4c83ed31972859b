"""What the layouts with captions share: finding pictures that a file names, and telling their files apart from others of the same name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ... import ClipError
from .. import content


def folder_of(names: Sequence[str], places: Iterable[Path]) -> Path | None:
    """The first of `places` that holds the first picture; None where none does."""
    return next((place for place in places if names and (place / names[0]).is_file()), None)


def mentions(path: Path, word: str) -> bool:
    """Whether `word` stands in the first 4,000 bytes of a file."""
    try:
        with path.open("rb") as file:
            return word.encode() in file.read(4000)
    except OSError:
        return False


def present(names: Sequence[str], folder: Path | None, *, listed_in: Path, looked_in: Sequence[Path], get: str) -> tuple[Path, ...]:
    """The picture files, in order; ClipError names the file that lists them, where they were looked for and how to get them."""
    if folder is None:
        where = ", ".join(str(place) for place in looked_in)
        raise ClipError(f"{listed_in}: its first picture {names[0]} is in none of {where}; {get}")
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ClipError(f"{listed_in}: {name!r} points out of {folder}; do not use this file")
    files = tuple(folder / name for name in names)
    if missing := [path for path in dict.fromkeys(files) if not path.is_file()]:
        raise ClipError(
            f"{listed_in}: {len(missing)} of {len(set(files))} pictures are not in {folder}, the first one {missing[0].name}; {get}"
        )
    return files


def fingerprint(files: Iterable[Path], texts: Iterable[str]) -> str:
    """Over every file's name and content, and all that is said about them; 16 hex digits."""
    digest, files = hashlib.sha256(), list(files)
    for path, held in zip(files, content.sha256(files), strict=True):
        digest.update(f"{path.name} {held}\n".encode())
    for text in texts:
        digest.update(f"{text}\n".encode())
    return digest.hexdigest()[:16]


def read_json(path: Path) -> Any:
    """A JSON file; ClipError with file and line for what is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ClipError(f"{path}:{error.lineno}: no JSON ({error.msg}); fetch the file again") from None
    except (OSError, ValueError, RecursionError) as error:  # no UTF-8, a number of 5,000 digits, 100,000 brackets
        raise ClipError(f"{path}: cannot be read as JSON ({error}); fetch the file again") from None
