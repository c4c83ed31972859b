"""The first and last bytes of a picture: whether it is whole, and of how many bits; and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

from .. import ClipError
from .layouts.found import shown

HEAD, TAIL = 32, 64


class UnreadableError(ClipError):
    """A picture that is damaged, cut off, none at all or too large."""


def sound(head: bytes, tail: bytes, size: int) -> bool:
    """Whether a file begins as a picture does and ends as that format does. No: it may still be one, only decoding it can tell."""
    if head.startswith(b"\xff\xd8\xff"):
        return b"\xff\xd9" in tail
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" in tail
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return int.from_bytes(head[4:8], "little") + 8 <= size
    return False


def deep(head: bytes) -> str:
    """Of a PNG, by its header: 16 bits, and grey. Colours of 16 bits Pillow brings to 8 itself."""
    return "16-bit grey" if head.startswith(b"\x89PNG") and head[24:26] == b"\x10\x00" else ""


def unopened(path: Path, error: OSError) -> str:
    """Why a file cannot be opened. Links to nothing are those of git-annex and DVC whose content was never fetched."""
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        to = shown(path.readlink())
        told = f"{shown(path)}: not a readable image (a link to {to}: nothing is there)"
        return f"{told}; fetch it (git annex get, dvc pull), or remove the link"
    return f"{shown(path)}: not a readable image ({error.strerror}); replace or remove the file"
