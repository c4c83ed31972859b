"""One file of finished rows: safetensors, whose header says what the rows belong to and how to tell that they are whole."""

from __future__ import annotations

import hashlib
import json
import math
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import CacheError
from ..store import writing

SUFFIX = ".safetensors"
_DTYPES = {"U8": np.uint8, "F32": np.float32, "F64": np.float64, "I64": np.int64, "BOOL": np.bool_}
_LONGEST_HEADER = 100_000
_CHECKED: dict[Path, tuple[int, ...]] = {}
"""What was whole when this process looked, by the state of the file."""
_SYSTEM = re.compile(r"^.*I/O error: (.+) \(os error \d+\)$")  # as safetensors reports what the system said


class TornError(Exception):
    """A shard that is not what its header says; whoever finds it removes it and makes it again."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path


@dataclass(frozen=True)
class Header:
    """What the first bytes of a shard say."""

    dtype: type[np.generic]
    shape: tuple[int, ...]
    offset: int
    """bytes before the first row"""
    facts: dict[str, str]


def write(path: Path, rows: NDArray[Any], *, entry: str) -> None:
    """Put `rows` at `path`, all or nothing, with the entry they belong to and their checksum; CacheError when they cannot be written."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    data = np.ascontiguousarray(rows)
    with writing(path) as part:
        try:
            save_file({"rows": data}, part, metadata={"entry": entry, "sha256": _checksum(path, data, entry)})
        except SafetensorError as error:
            raise OSError(0, _SYSTEM.sub(r"\1", str(error))) from error


def header(path: Path) -> Header:
    """The header of the shard at `path`; TornError when the file is cut off or no shard at all, FileNotFoundError when it is gone.

    CacheError when the system does not let it be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise TornError(path, "no file")
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _LONGEST_HEADER:
                raise TornError(path, "no safetensors file")
            said = json.loads(file.read(length))
        rows, shape = said["rows"], tuple(int(size) for size in said["rows"]["shape"])
        dtype = _DTYPES[rows["dtype"]]
        bytes_ = math.prod(shape) * np.dtype(dtype).itemsize
        if min(shape, default=0) < 0 or not isinstance(said["__metadata__"], dict):
            raise TornError(path, "no shard of pytest-clip")
        if path.stat().st_size != 8 + length + bytes_ or rows["data_offsets"] != [0, bytes_]:
            raise TornError(path, "cut off")
        return Header(dtype, shape, 8 + length, said["__metadata__"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:  # JSON's errors are ValueErrors
        raise TornError(path, f"no shard of pytest-clip ({error})") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        cure = "remove it, or choose another place with --clip-cache-dir=DIR"
        raise CacheError(f"cannot read {path} ({error.strerror}); {cure}") from error


def read(path: Path) -> NDArray[Any]:
    """All rows of a shard, its checksum compared; TornError when they differ."""
    data = np.array(mapped(path))
    _compare(path, data)
    return data


def mapped(path: Path) -> NDArray[Any]:
    """The rows of a shard, memory-mapped; its length is compared, its checksum is not (see `read` and `checked`)."""
    head = header(path)
    if 0 in head.shape:
        return np.empty(head.shape, head.dtype)
    return np.memmap(path, head.dtype, "r", head.offset, head.shape)


def checked(path: Path) -> NDArray[Any]:
    """The rows of a shard, memory-mapped, its checksum compared once a process and again when the file has changed; TornError as `read`.

    Comparing takes a gigabyte 0.6 s to 2.5 s of one core, by processor. Rows of pictures are asked for by the batch, again and again.
    """
    now = path.stat()
    mark = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
    data = mapped(path)
    if _CHECKED.get(path) != mark:
        _compare(path, data)
        _CHECKED[path] = mark
    return data


def _compare(path: Path, data: NDArray[Any]) -> None:
    facts = header(path).facts
    if _checksum(path, data, facts.get("entry")) != facts.get("sha256"):
        raise TornError(path, "the checksum differs from the one it was written with")


def _checksum(path: Path, data: NDArray[Any], entry: Any) -> str:
    """Of the rows, how they are to be read and whose they are: the shards of an entry may be alike in all but their names."""
    whole = hashlib.sha256(json.dumps([path.name, entry, data.dtype.str, data.shape]).encode())
    whole.update(np.ascontiguousarray(data).reshape(-1).view(np.uint8).data)
    return whole.hexdigest()
