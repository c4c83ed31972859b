"""Samples in tar shards, as webdataset writes them: files that share everything before the first dot of their name are one sample."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from .archives import Member, contents, members, read

PICTURES = ("webp", "png", "jpg", "jpeg")
"""Keys of the picture of a sample."""


@dataclass(frozen=True)
class Samples:
    """What the shards hold, in their order; nothing but headers and the small members has been read."""

    ids: tuple[str, ...]
    """`SHARD/KEY`: keys start anew in every shard of some writers"""
    labels: tuple[str | None, ...]
    """the text of the member `cls`"""
    captions: tuple[str | None, ...]
    """the text of the member `txt`"""
    pictures: ShardReader
    arrays: tuple[bool, ...] = ()
    """whether there is a member `npy`"""


@dataclass(frozen=True)
class ShardReader:
    """Encoded pictures by row, each read at its place in its shard."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]

    def __call__(self, row: int) -> bytes:
        """The encoded picture of a row; ClipError when its shard is gone or has changed."""
        return read(self.paths[self.shard[row]], Member(self.names[row], int(self.offset[row]), int(self.size[row])))

    def where(self, row: int) -> str:
        """`SHARD: MEMBER`."""
        return f"{self.paths[self.shard[row]]}: {self.names[row]}"

    def take(self, rows: Sequence[int]) -> ShardReader:
        """These rows, in this order."""
        at = np.asarray(rows, dtype=np.int64)
        return ShardReader(self.paths, tuple(self.names[row] for row in rows), self.shard[at], self.offset[at], self.size[at])


def samples(paths: Sequence[Path]) -> Samples:
    """All samples of the shards; ClipError names shard and member for a sample without a picture, or with two."""
    ids: list[str] = []
    texts: dict[str, list[str | None]] = {"cls": [], "txt": []}
    names: list[str] = []
    arrays: list[bool] = []
    places: list[tuple[int, int, int]] = []
    for number, path in enumerate(paths):
        found = _grouped(path)
        for key, parts in found:
            kinds = [suffix for suffix in PICTURES if suffix in parts]
            if len(kinds) != 1:
                what = f"{len(kinds)} pictures ({', '.join(kinds)})" if kinds else f"no picture ({', '.join(PICTURES)})"
                raise ClipError(f"{path}: the sample {key} has {what}; write the shard anew with one")
            member = parts[kinds[0]]
            ids.append(f"{path.name.removesuffix('.tar')}/{key}")
            names.append(member.name)
            arrays.append("npy" in parts)
            places.append((number, member.offset, member.size))
        for suffix, told in texts.items():
            small = [parts[suffix] for _, parts in found if suffix in parts]
            read_now = iter(contents(path, small))
            told += [_text(next(read_now), path, parts[suffix]) if suffix in parts else None for _, parts in found]
    if not ids:
        raise ClipError(f"{paths[0].parent}: the {len(paths)} shards hold no sample; fetch them again")
    if len(set(ids)) < len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise ClipError(f"{paths[0].parent}: the sample {twice} is there twice; its two parts must stand together in the shard")
    shard, offset, size = (np.array(column, dtype=kind) for column, kind in zip(zip(*places, strict=True), _KINDS, strict=True))
    pictures = ShardReader(tuple(paths), tuple(names), shard, offset, size)
    return Samples(tuple(ids), tuple(texts["cls"]), tuple(texts["txt"]), pictures, tuple(arrays))


_KINDS = (np.int32, np.int64, np.int64)
LONGEST_TEXT = 2**20


def _grouped(path: Path) -> list[tuple[str, dict[str, Member]]]:
    """Key -> members by what follows the first dot; members of one sample stand together."""
    out: list[tuple[str, dict[str, Member]]] = []
    for member in members(path):
        folder, name = os.path.split(member.name)
        if name.startswith("."):
            continue  # ._x of macOS
        stem, dot, suffix = name.partition(".")
        if not dot:
            continue
        key = f"{folder}/{stem}" if folder.strip("./") else stem
        if not out or out[-1][0] != key:
            out.append((key, {}))
        if suffix.lower() in out[-1][1]:
            raise ClipError(f"{path}: {member.name} is there twice; write the shard anew")
        out[-1][1][suffix.lower()] = member
    return out


def _text(data: bytes, path: Path, member: Member) -> str:
    if len(data) > LONGEST_TEXT:
        raise ClipError(f"{path}: {member.name} has {len(data)} bytes, at most {LONGEST_TEXT} are text; do not use this shard")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClipError(f"{path}: {member.name} is no UTF-8 text ({error.reason} at byte {error.start}); write the shard anew") from None
