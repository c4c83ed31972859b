"""The fields of a tar header."""

from __future__ import annotations

BLOCK = 512
LINKS = {"1": "a hard link", "2": "a symbolic link"}
DEVICES = {"3": "a character device", "4": "a block device", "6": "a FIFO"}
COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"(\xb5/\xfd": "zstd"}


def text(field: bytes) -> str:
    """A field of characters: what comes before its first NUL."""
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def padded(size: int) -> int:
    """Bytes that `size` of them take, in whole blocks."""
    return -(-size // BLOCK) * BLOCK


def checksum(block: bytes) -> int:
    """The header's checksum, with its own field read as spaces."""
    return sum(block[:148]) + 8 * 32 + sum(block[156:])


def checksum_of_signed(block: bytes) -> int:
    """Some old writers add bytes as signed."""
    return sum(b - 256 if b > 127 else b for b in block[:148] + b" " * 8 + block[156:])
