"""Small text files beside own and published data: one class name a line, one template a line."""

from __future__ import annotations

from pathlib import Path

from .. import ClipError


def lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, stripped; ClipError when it is none."""
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"{path}: cannot be read as UTF-8 text ({error}); write one entry a line") from None


def class_names(path: Path) -> tuple[str, ...]:
    """One class name a line, in label order. ClipError for an empty line, which would shift the labels after it.

    ImageNet's published list has two names twice; `binding.distinct` refuses that for own data.
    """
    found = lines(path)
    while found and not found[-1]:
        found.pop()
    for number, name in enumerate(found, 1):
        if not name:
            raise ClipError(f"{path}:{number}: an empty line shifts the labels of all classes after it; write the name, or remove the line")
    if len(found) < 2:
        raise ClipError(f"{path}: holds {len(found)} class names, at least two are needed; write one a line, in label order")
    return tuple(found)


def templates(path: Path) -> tuple[str, ...]:
    """One pattern with {c} a line; empty lines are passed over. Unlike --clip-prompts a published list may hold one twice."""
    found = [(number, line.replace("{}", "{c}")) for number, line in enumerate(lines(path), 1) if line]
    for number, line in found:
        if "{c}" not in line:
            raise ClipError(f"{path}:{number}: no {{c}} in {line!r}; every class would be the same text")
    if not found:
        raise ClipError(f"{path}: holds no template; write one a line, such as 'a photo of a {{c}}'")
    return tuple(line for _, line in found)
