"""The names of a classifier's classes, in the order of its scores."""

from __future__ import annotations

from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.models.quiet import quiet

FILE = "classnames.txt"
HOW = f"write them into {FILE} beside the checkpoint, one a line in the order of the scores, or name such a file with --clip-classes=FILE"


def find(number: int, *, given: Path | None, beside: Path | None, model: str) -> tuple[str, ...]:
    """`number` names: from the file `given`, from `classnames.txt` in the folder `beside`, or ImageNet's where there are 1,000."""
    own = None if beside is None else beside / FILE
    if given is not None or (own is not None and own.is_file()):
        path = given if given is not None else own
        assert path is not None
        names = read(path)
        if len(names) != number:
            raise ClipError(f"{path} holds {len(names)} names, and {model} scores {number} classes; one name a line, in their order")
        return names
    if number == 1000:
        return imagenet()
    raise ClipError(f"{model} scores {number} classes, whose names are not known; {HOW}")


def read(path: Path) -> tuple[str, ...]:
    """One name a line; empty lines at the end are passed over."""
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"{path}: cannot be read as UTF-8 text ({error}); write one class name a line") from None
    names = tuple(line.strip() for line in lines)
    for number, name in enumerate(names, 1):
        if not name:
            raise ClipError(f"{path}:{number}: an empty line, so all names after it would be one place off; write one class name a line")
    if not names:
        raise ClipError(f"{path} holds no names; write one class name a line")
    return names


def imagenet() -> tuple[str, ...]:
    """open_clip's names of ImageNet's 1,000 classes, in the usual order; two of them stand for two classes each."""
    with quiet():
        from open_clip import IMAGENET_CLASSNAMES
    return tuple(IMAGENET_CLASSNAMES)
