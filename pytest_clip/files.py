"""Files that people and programs read later: put in place whole or not at all, and left alone where their owner has said so."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """All of it or nothing; a link keeps pointing at the file, and the file keeps its permissions. OSError of the disk."""
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


def unwritable(path: Path) -> str | None:
    """Why `path` must not be replaced, with the cure, as the end of a sentence; None where it may.

    A rename asks nobody for the file's own permissions, and root is never refused anything, so the bits are read here.
    """
    path = path.resolve()
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = None
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
