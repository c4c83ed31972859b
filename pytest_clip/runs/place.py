"""The place of a saved run on disk: a new one takes it all at once, and what a killed save left is put right on the next look.

Where the kernel can exchange two names (Linux, most local file systems) there is no moment without a run. Elsewhere the old run stands
aside for the length of one rename; whoever looks next puts it back if nobody took its place.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_clip import ClipError

PART, OLD, HELD = ".clip-part", ".clip-old", "run"
"""How the folder of a run that is being written ends, and that of one that stands aside with the run inside it as `HELD`."""
ABANDONED = 24 * 3600.0
"""Seconds after which nobody can still be writing."""
AT_FDCWD, EXCHANGE = -100, 2


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` to write a run into; gone after an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=PART))
    try:
        yield made
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def put(made: Path, folder: Path, *, replace: bool) -> None:
    """Give the folder `made` the name `folder`; what was there is gone, and is as it was after an error."""
    with _alone(folder.parent):
        recover(folder, alone=False)
        if not folder.exists():
            made.rename(folder)
        elif not replace:
            raise ClipError(f"{folder} has appeared while this run was measured; nothing was saved")
        elif exchange(made, folder):
            shutil.rmtree(made, ignore_errors=True)  # the old run now
        else:
            _by_turns(made, folder)


def _by_turns(made: Path, folder: Path) -> None:
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=OLD))
    folder.rename(old / HELD)  # a folder cannot replace one that is not empty
    try:
        made.rename(folder)
    except BaseException:
        (old / HELD).rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path, *, alone: bool = True) -> None:
    """Put a run back that a killed save has left standing aside, if its name is free. Does nothing where nothing can be written."""
    with suppress(OSError):
        if folder.exists() or not _standing(folder):
            return
        with _alone(folder.parent, really=alone):
            for old in _standing(folder):
                if not folder.exists():
                    (old / HELD).rename(folder)
                    old.rmdir()


def recover_all(parent: Path) -> None:
    """Every run below `parent` that stands aside."""
    with suppress(OSError):
        for old in parent.glob(f".*{OLD}"):
            recover(parent / old.name[1:].removesuffix(OLD).rpartition(".")[0])


def identity(folder: Path) -> tuple[int, int] | None:
    """What changes when another folder takes this name; None without one."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _standing(folder: Path) -> list[Path]:
    """The youngest first."""
    found = [each for each in folder.parent.iterdir() if _beside(each, OLD) == folder.name and (each / HELD).is_dir()]
    return sorted(found, key=lambda each: -each.stat().st_mtime)


def _beside(path: Path, suffix: str) -> str | None:
    """The name of the run that a folder such as `.base.x1y2z3.clip-old` belongs to."""
    if not (path.name.startswith(".") and path.name.endswith(suffix)):
        return None
    return path.name[1:].removesuffix(suffix).rpartition(".")[0] or None


def sweep(parent: Path) -> list[Path]:
    """Remove what killed saves have left in `parent` and nobody wants: a day old, and not the last copy of a run; gives what is gone."""
    gone, before = [], time.time() - ABANDONED
    with suppress(OSError):
        for path in sorted(parent.iterdir()):
            name = _beside(path, PART) or _beside(path, OLD)
            if name is None or path.is_symlink() or not path.is_dir() or path.stat().st_mtime >= before:
                continue
            if path.name.endswith(PART) or (parent / name).exists():
                shutil.rmtree(path, ignore_errors=True)
                gone.append(path)
    return gone


def exchange(one: Path, two: Path) -> bool:
    """Swap the names of two folders in one step of the file system; False where kernel, C library or file system cannot."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2  # glibc 2.28, musl 1.2.6
    except (OSError, AttributeError):
        return False
    return bool(rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(two), EXCHANGE) == 0)


@contextmanager
def _alone(parent: Path, *, really: bool = True) -> Iterator[None]:
    """Hold a lock on the folder itself, which leaves no file behind and ends with its holder; nothing where there are none."""
    try:
        import fcntl
    except ImportError:  # Windows
        really = False
    if not really:
        yield
        return
    handle = os.open(parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems lock files only
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
