"""Tar archives read where they lie: nothing is extracted, so nothing can be written anywhere; members are read when asked for.

The reader is our own because `tarfile` reads a pax header of any claimed size into memory and follows links inside the archive. This one
knows regular files and folders; every size is held against the file's own before anything is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .. import ClipError
from .tarheaders import BLOCK, COMPRESSED, DEVICES, LINKS, checksum, checksum_of_signed, padded, text

MAX_MEMBER = 256 * 2**20
"""Bytes of one member; the largest photograph in use is a tenth of that."""
MAX_HEADER = 2**16
"""Bytes of a long name or a pax record."""
MAX_TAIL = 2**20
"""Bytes of zeros that may follow the end; GNU tar pads to 10 KB."""


@dataclass(frozen=True)
class Member:
    """A regular file in an archive: `size` bytes from `offset`."""

    name: str
    offset: int
    size: int


def members(path: Path) -> Iterator[Member]:
    """The regular files of an uncompressed tar in its order. ClipError names archive and member for what is damaged or dangerous:

    a compressed or truncated archive, links, devices, sparse files, absolute names, names with `..` or control characters, a member above
    `MAX_MEMBER`.
    """
    try:
        with path.open("rb") as tar:
            yield from _Walk(path, tar)
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror}); fetch the shard again") from error


def read(path: Path, member: Member) -> bytes:
    """The bytes of a member; ClipError when the archive is gone or shorter than it was."""
    return next(contents(path, (member,)))


def contents(path: Path, some: Iterable[Member]) -> Iterator[bytes]:
    """The bytes of each of some members, the archive opened once; errors as `read`."""
    try:
        with path.open("rb") as tar:
            for member in some:
                tar.seek(member.offset)
                found = tar.read(member.size)
                if len(found) != member.size:
                    raise ClipError(
                        f"{path}: {member.name} ends after {len(found)} of {member.size} bytes; the shard has changed, fetch it again"
                    )
                yield found
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror}); fetch the shard again") from error


class _Walk:
    """One pass over the headers."""

    def __init__(self, path: Path, tar: BinaryIO) -> None:
        self.path, self.tar, self.end = path, tar, os.fstat(tar.fileno()).st_size
        self.at = 0

    def __iter__(self) -> Iterator[Member]:
        name, size = None, None  # what a long-name or pax record says of the member after it
        while (header := self._block()) is not None:
            kind = header[156:157].decode("latin-1")
            own = text(header[:100])
            if header[257:263] == b"ustar\0" and (prefix := text(header[345:500])):
                own = f"{prefix}/{own}"
            length = self._number(header[124:136], own)
            if kind in "gxLK":
                if length > MAX_HEADER:
                    raise self._bad(f"a header record of {length} bytes (at most {MAX_HEADER})")
                record = self._take(length, own)
                if kind == "L":
                    name = text(record)
                elif kind == "x":
                    facts = self._pax(record)
                    name = facts.get("path", name)
                    size = self._pax_size(facts["size"]) if "size" in facts else None
                    if any(key.startswith("GNU.sparse") for key in facts):
                        raise self._bad(f"{name or own} is a sparse file")
                continue
            own, length = name if name is not None else own, size if size is not None else length
            name = size = None
            self._check(own, kind)
            if kind == "5":
                self.at += padded(length)
                continue
            if length > MAX_MEMBER:
                raise self._bad(f"{own} has {length} bytes (at most {MAX_MEMBER})")
            if self.at + length > self.end:
                raise self._bad(f"{own} ends behind the end of the file", cure="the shard is truncated: fetch it again")
            yield Member(own, self.at, length)
            self.at += padded(length)

    def _block(self) -> bytes | None:
        """The next header, None at the end."""
        block = self._read(BLOCK)
        if not self.at and block.startswith(b"version https://git-lfs"):
            raise self._bad("is a Git LFS pointer, not the shard itself", cure="run git lfs pull in its folder")
        if len(block) < BLOCK:
            what = "ends without its closing blocks" if self.at else f"has {self.end} bytes, too few for a tar archive"
            raise self._bad(what, cure="the shard is truncated: fetch it again")
        if block == bytes(BLOCK):
            rest = self._read(MAX_TAIL + 1)
            if len(rest) > MAX_TAIL or rest.strip(b"\0"):
                raise self._bad("has data behind its end", cure="archives that were joined with cat must be written anew")
            return None
        try:
            told = int(text(block[148:156]).strip() or "0", 8)
        except ValueError:
            told = -1
        if told != checksum(block) and told != checksum_of_signed(block):
            magic = next((kind for start, kind in COMPRESSED.items() if block.startswith(start)), None) if not self.at else None
            if magic:
                raise self._bad(f"is compressed with {magic}", cure="shards are read in place: decompress it")
            raise self._bad(f"is no tar archive, or damaged at byte {self.at}", cure="fetch the shard again")
        self.at += BLOCK
        return block

    def _read(self, n: int) -> bytes:
        self.tar.seek(self.at)
        return self.tar.read(n)

    def _take(self, length: int, name: str) -> bytes:
        record = self._read(length)
        if len(record) < length:
            raise self._bad(f"the header record of {name} ends behind the end of the file", cure="the shard is truncated: fetch it again")
        self.at += padded(length)
        return record

    def _number(self, field: bytes, name: str) -> int:
        if field[0] & 0x80:  # base 256, for what octal digits cannot hold
            value = int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
        else:
            digits = text(field).strip() or "0"
            value = int(digits, 8) if digits.isascii() and digits.isdigit() and not set(digits) & set("89") else -1
        if value < 0:
            raise self._bad(f"{name} has no sensible size")
        return value

    def _pax(self, record: bytes) -> dict[str, str]:
        """`length key=value\\n` records, the length counting itself."""
        facts, at = {}, 0
        while at < len(record):
            digits, space, _ = record[at : at + 12].partition(b" ")
            length = int(digits) if space and digits.isdigit() else 0
            line = record[at : at + length]
            if length < len(digits) + 3 or len(line) < length or line[-1:] != b"\n" or b"=" not in line:
                raise self._bad(f"a damaged pax record at byte {self.at}")
            key, _, value = line[len(digits) + 1 : -1].partition(b"=")
            facts[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
            at += length
        return facts

    def _pax_size(self, told: str) -> int:
        if not (told.isascii() and told.isdigit() and len(told) < 20):
            raise self._bad(f"a pax record gives the size {told[:20]!r}")
        return int(told)

    def _check(self, name: str, kind: str) -> None:
        if any(ord(c) < 32 or ord(c) == 127 for c in name) or not name:
            raise self._bad(f"the name {name!r} holds control characters" if name else "a member has no name")
        if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
            raise self._bad(f"{name!r} points out of the archive")
        if kind in LINKS or kind in DEVICES:
            raise self._bad(f"{name} is {(LINKS | DEVICES)[kind]}", cure="write the shard anew with the files themselves (tar -h)")
        if kind not in ("\0", "0", "5", "7"):
            raise self._bad(f"{name} is of the unknown kind {kind!r}")

    def _bad(self, what: str, *, cure: str = "do not use this archive") -> ClipError:
        return ClipError(f"{self.path}: {what}; {cure}")
