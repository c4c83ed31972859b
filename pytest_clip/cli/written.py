"""Reports that a command writes: whether a place will take one, said before anything is read, and writing it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_clip import ClipError


def put(kind: str, record: Mapping[str, Any], path: Path | None) -> list[str]:
    """Write one report; gives lines that say so. ClipError."""
    from pytest_clip.report.writing import write

    try:
        written, lost = write(kind, record, path)
    except OSError as error:
        raise ClipError(f"--{kind}={path or ''}: cannot be written ({error.strerror or error}); name another file") from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:  # parts that only a page reads are not checked before
        why = f"{type(error).__name__}: {error}"[:200]
        raise ClipError(
            f"--{kind}: the record is damaged or of another version ({why}); write it again with pytest --clip-report=json"
        ) from error
    return [*([f"wrote {written}"] if written is not None else []), *lost]


def place(kind: str, to: str) -> Path | None:
    """Where a report goes, if that can be written; None for the default of the CI system."""
    from pytest_clip.store import path_of, unwritable

    if not to and kind == "github":
        return None
    path = path_of(to)
    if not to or path.is_dir():
        raise ClipError(f"--{kind}={to}: is {'a folder; name a file in it' if to else 'empty; name a file'}")
    nearest = next(parent for parent in path.absolute().parents if parent.exists())
    if not nearest.is_dir():
        raise ClipError(f"--{kind}={to}: {nearest} is no folder; name another file")
    if path.exists() and (why := unwritable(path)):
        raise ClipError(f"--{kind}={to}: {why}, or name another file")
    return path
