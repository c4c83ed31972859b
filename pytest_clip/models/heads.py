"""Why the beginning of a file, or its size, cannot be those of a checkpoint. Light."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_clip.models import strange

_HEADER = 16
_LARGEST_HEADER = 100 << 20


def unlike_a_checkpoint(path: Path) -> str | None:
    """Why the first bytes of a file, or its size, cannot be those of a checkpoint."""
    if not path.is_file():
        return f"{path} is a folder; name the checkpoint in it" if path.is_dir() else f"{path} is no file"
    try:
        with path.open("rb") as file:
            head = file.read(200)
            size = path.stat().st_size
            if not head:
                return f"{path} is empty; copy it again"
            if (told := strange.outside(path)) is not None:
                return told
            if path.suffix == ".safetensors":
                return _unlike_safetensors(path, head, size)
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror or error}"
    if head.lstrip()[:1] in (b"<", b"{") and path.suffix in (".pt", ".pth", ".bin", ".ckpt"):
        return f"{path} is text ({head[:40]!r}...), not a checkpoint; it may be an error page saved by a download: fetch it again"
    return None


def _unlike_safetensors(path: Path, head: bytes, size: int) -> str | None:
    if len(head) < _HEADER:
        return f"{path} is cut off; copy it again"
    length = int.from_bytes(head[:8], "little")
    if not 2 <= length <= min(_LARGEST_HEADER, size - 8) or head[8:9] != b"{":
        return f"{path} is no safetensors file, or only the beginning of one ({size} bytes); copy it again"
    with path.open("rb") as file:
        file.seek(8)
        try:
            told = json.loads(file.read(length))
            end = max((each["data_offsets"][1] for name, each in told.items() if name != "__metadata__"), default=0)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError):
            return f"{path} is no safetensors file: its header cannot be read; copy it again"
    if not isinstance(end, int) or end + 8 + length != size:
        return f"{path} has {size} bytes where its header says {end + 8 + length}; copy it again"
    return None
