"""Finished work on disk: one file per key, written aside and renamed, guarded by a lock so that it is made once; and files put in place."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import CacheError, ClipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold PATH.lock, however long that takes to be free; the operating system frees it when its holder dies."""
    with _lock(path, timeout=-1):
        yield


@contextmanager
def locked_now(path: Path) -> Iterator[bool]:
    """Hold PATH.lock if it is free this moment; whether it is held. The lock's file goes when PATH is there: nobody needs it then."""
    with _lock(path, timeout=0) as mine:
        yield mine
        if mine and path.exists():
            Path(f"{path}.lock").unlink(missing_ok=True)


@contextmanager
def _lock(path: Path, *, timeout: float) -> Iterator[bool]:
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock")
        lock.acquire(timeout=timeout)
    except Timeout:
        yield False
        return
    except OSError as error:
        cure = "choose another with --clip-cache-dir=DIR, or use --clip-no-cache"
        raise CacheError(f"the cache at {path.parent} cannot be written ({error.strerror}); {cure}") from error
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, for this thread alone; becomes `path` all at once or goes. CacheError for what the disk refuses."""
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = aside(path)
        yield part
        part.replace(path)
    except OSError as error:
        raise CacheError(
            f"cannot write {path} ({error.strerror}); free space, or choose another place with --clip-cache-dir=DIR"
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def aside(path: Path) -> Path:
    """An empty file beside `path`, made now, under a name that nobody can foresee: no link that was put there before is followed."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666))
    return part


def recall(path: Path, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The array stored at PATH (.npy), made and stored first where it is missing or not what was stored."""
    import numpy as np

    with locked(path):
        if path.exists():
            try:
                return stored(path)
            except ValueError:
                path.unlink()
        array = make()
        with writing(path) as part, part.open("wb") as out:
            np.save(out, array, allow_pickle=False)
            out.write(_checksum(array))
    return array


def stored(path: Path) -> NDArray[np.float32]:
    """The array that `recall` has stored at PATH; ValueError when it is another or none."""
    import numpy as np

    with path.open("rb") as file:  # np.load would also take a zip or a pickle for what it says it is
        array: NDArray[np.float32] = np.lib.format.read_array(file, allow_pickle=False)
        if file.read() != _checksum(array):
            raise ValueError("the checksum differs from the one it was written with")
    return array


def _checksum(array: NDArray[np.float32]) -> bytes:
    """What follows the array in its file, and np.load does not look at."""
    return b"sha256: " + hashlib.sha256(f"{array.dtype.str} {array.shape}".encode() + array.tobytes()).digest()


_SEAL, _HELD = "sha256", "holds"


def write_sealed(path: Path, content: Any) -> None:
    """Put `content` at `path` as JSON with a checksum over it and the name it lies under, whole or not at all.

    It tells damage and changes by hand from what was written. Who may write the folder may also write a new checksum: docs/security.md.
    CacheError when it cannot be written, TypeError for what is no JSON.
    """
    with writing(path) as part:
        part.write_text(json.dumps({_SEAL: _seal(path, content), _HELD: content}), encoding="utf-8")


def read_sealed(path: Path) -> Any:
    """What was written to `path`; ValueError when it holds anything else, OSError when it cannot be read."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(whole, dict) or set(whole) != {_SEAL, _HELD}:
        raise ValueError("it has no checksum")
    if whole[_SEAL] != _seal(path, whole[_HELD]):
        raise ValueError("the checksum differs from the one it was written with")
    return whole[_HELD]


def _seal(path: Path, content: Any) -> str:
    return hashlib.sha256(json.dumps([path.name, content], sort_keys=True).encode()).hexdigest()


def put(path: Path, content: str | bytes) -> None:
    """All of it or nothing, outside the cache; a link keeps pointing at the file, and the file keeps its permissions. OSError."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def path_of(text: str) -> Path:
    """The path that a user wrote; ClipError for the home of nobody, and for a name that no file can have: every look at it would raise."""
    try:
        path = Path(text).expanduser()
        path.lstat()
    except RuntimeError:
        raise ClipError(f"{text[:200]}: there is no user of that name on this machine; write the path in full") from None
    except (OSError, ValueError) as error:  # a ValueError: a zero byte, half a surrogate
        if getattr(error, "errno", errno.EINVAL) in (errno.EINVAL, errno.ENAMETOOLONG):
            raise ClipError(f"{text[:200]!r} can be no path ({getattr(error, 'strerror', error)}); write another") from None
    return path


def unwritable(path: Path) -> str | None:
    """Why `path` must not be replaced, with the cure, as the end of a sentence; None where it may.

    A rename asks nobody for the file's own permissions, and root is never refused anything, so the bits are read here.
    """
    path = path.resolve()
    mode = None
    with suppress(OSError):
        mode = path.stat().st_mode
    if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "it is no plain file; name another"
    if mode is not None and not (mode & 0o222 and os.access(path, os.W_OK)):
        return f"it is write-protected (mode {stat.S_IMODE(mode):04o}); allow it with: chmod u+w {path}"
    if not os.access(path.parent, os.W_OK):
        return f"the folder {path.parent} is not writable; allow it with: chmod u+w {path.parent}"
    return None


def umask() -> int:
    """What new files of this process are not allowed: temporary files are private, and what becomes of them is as any other file."""
    with suppress(OSError, ValueError, IndexError):  # Linux tells it without changing it, which other threads would notice
        text = Path("/proc/self/status").read_text("ascii", "replace")
        return int(text.partition("\nUmask:")[2].split()[0], 8)
    mask = os.umask(0)
    os.umask(mask)
    return mask
