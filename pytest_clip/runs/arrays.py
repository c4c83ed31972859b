"""The arrays of a saved run: a zip of .npy files, of which nothing is unpacked before its size is known and small enough."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

LARGEST = 2 * 2**30
"""Bytes of all arrays of a run, unpacked: ImageNet's validation set with 1,000 gates takes 0.9 GB, and a zip of 2 MB can hold as much."""
MOST_FILES = 100_000
HEADER = 4096
"""Bytes before the numbers of an array, at most: numpy writes 128 for those that are stored here."""
SUFFIX = ".npy"
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, NotImplementedError, RuntimeError, MemoryError),
    *(ValueError, TypeError, LookupError, SyntaxError, OverflowError),
)
"""What zipfile and numpy raise for files that are broken on purpose."""


@dataclass(frozen=True)
class Arrays(Mapping[str, npt.NDArray[Any]]):
    """Arrays by name, each unpacked when it is asked for. ValueError for one that is not what the directory of the zip says."""

    archive: zipfile.ZipFile
    held: Mapping[str, zipfile.ZipInfo] = field(repr=False)

    @classmethod
    def of(cls, content: bytes) -> Arrays:
        """Those of a zip file. ValueError for what is none, or would unpack to more than `LARGEST`."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(content))
        except _BROKEN as error:
            raise ValueError(f"no arrays can be read: {error}") from None
        members = archive.infolist()
        size = sum(each.file_size for each in members)
        if size > LARGEST or len(members) > MOST_FILES:
            raise ValueError(f"{len(content):,} bytes would unpack to {size:,} in {len(members):,} files; at most {LARGEST:,} are read")
        if other := [each.filename for each in members if not each.filename.endswith(SUFFIX)]:
            raise ValueError(f"there is something else than arrays: {ascii(other[0])[:60]}")
        return cls(archive, {each.filename.removesuffix(SUFFIX): each for each in members})

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        member = self.held[name]
        try:
            with self.archive.open(member) as stream:
                version = np.lib.format.read_magic(stream)
                if version == (1, 0):
                    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=HEADER)
                else:
                    shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream, max_header_size=HEADER)
                if dtype.hasobject or dtype.kind not in "biufU" or fortran:
                    raise ValueError(f"{dtype} arrays are not read")
                count = int(np.prod(shape, dtype=object)) if shape else 1
                there = member.file_size - stream.tell()
                if min(shape, default=0) < 0 or not dtype.itemsize or count * dtype.itemsize != there:
                    raise ValueError(f"it says {count:,} values of {dtype}, and has {there:,} bytes")
                found = np.frombuffer(stream.read(there), dtype) if there else np.empty(0, dtype)
                return found.reshape(shape)
        except _BROKEN as error:
            raise ValueError(f"array {name}: {error}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)
