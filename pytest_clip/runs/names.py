"""Where saved runs live: a NAME below `.clip/runs` of the project, or the PATH of a folder anywhere."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.runs import place
from pytest_clip.store import path_of

#: The folder of named runs, from the rootdir of the project.
HOME = Path(".clip") / "runs"
MANIFEST = "manifest.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+=-]{0,99}")


def is_path(text: str) -> bool:
    """`./base`, `../base`, `/tmp/base`, `~/base` and `runs/base` are paths; `base` is a name."""
    return "/" in text or "\\" in text or text.startswith(("~", "."))


def check(text: str) -> str:
    """`text` if it may name a run; ValueError with the end of a sentence if not."""
    text = text.strip()
    if not text:
        raise ValueError("is empty; give the name of a run or the path of a folder")
    if not is_path(text) and not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name: write letters, digits and _ . + = -, beginning with a letter or digit, or a path with /")
    return text


def folder(text: str, *, rootpath: Path, here: Path) -> Path:
    """The folder that NAME-or-PATH means: a name lies under the rootdir, a path is relative to `here`."""
    return here / path_of(text) if is_path(text) else rootpath / HOME / text


def known(rootpath: Path) -> list[str]:
    """The names of the runs saved under `rootpath`, sorted. Folders without a manifest, and those still being written, are none."""
    place.recover_all(rootpath / HOME)
    place.sweep(rootpath / HOME)
    try:
        found = [each.name for each in (rootpath / HOME).iterdir() if (each / MANIFEST).is_file() and not each.name.startswith(".")]
    except OSError:
        return []
    return sorted(found)


def existing(text: str, where: Path, *, rootpath: Path, option: str) -> Path:
    """`where`, the folder that `text` means, if there is one; otherwise ClipError with the name that was probably meant, and all names."""
    place.recover(where)
    if where.is_dir():
        return where
    if is_path(text):
        raise ClipError(f"{option}: no run at {where}; save one with --clip-save={text}")
    names = known(rootpath)
    close = get_close_matches(text, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    there = f"there is {', '.join(names)}" if names else f"no run is saved in {rootpath / HOME}; save one with --clip-save={text}"
    raise ClipError(f"{option}: no run {text!r}{hint}; {there}")
