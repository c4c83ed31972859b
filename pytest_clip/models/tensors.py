"""Names and shapes of the tensors in a file, read without torch and without running anything from it."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pytest_clip.models.cures import AVERAGED, PLAIN

_LARGEST = 100 << 20
_MAGIC = 0x1950A86A20F9469CFC6C
"""The first object of a file by torch before 1.6."""


class Shape(tuple[int, ...]):
    """Of a tensor."""

    __slots__ = ()


@dataclass(frozen=True)
class Tensors:
    """What a file holds: the tensors where a checkpoint has its weights, and texts beside them (`arch`, ...)."""

    state: dict[str, Shape]
    says: dict[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


def read(path: Path) -> Tensors | None:
    """None for what cannot be told so: the file is no checkpoint, or another kind of one."""
    with suppress(Exception):  # a damaged file can make zip, pickle and JSON raise anything; what loads it says so
        with path.open("rb") as file:
            head = file.read(9)
        content: Any = _safetensors(path) if head[8:9] == b"{" else _torch(path)
        if not isinstance(content, Mapping):
            return None
        found = next((key for key in (*PLAIN, *AVERAGED) if _has_tensors(content.get(key))), None)
        state = content[found] if found is not None else content
        if not _has_tensors(state):
            return None
        kept = {str(key): value for key, value in state.items() if isinstance(value, Shape)}
        says = {str(key): value for key, value in content.items() if isinstance(value, str) and len(value) < 200}
        return Tensors(kept, says, tuple(str(key) for key in content if found is not None))
    return None


def _has_tensors(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(each, Shape) for each in value.values())


def _safetensors(path: Path) -> dict[str, Shape]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        told = json.loads(file.read(length)) if length <= _LARGEST else {}
    return {name: Shape(each["shape"]) for name, each in told.items() if name != "__metadata__"}


def _torch(path: Path) -> object:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            if not _is_old(file):
                return None
            for _ in range(3):  # the magic number, the version, the machine
                _Shapes(file).load()
            return _Shapes(file).load()
    with zipfile.ZipFile(path) as archive:
        name = next(each for each in archive.namelist() if each.endswith("/data.pkl"))
        if archive.getinfo(name).file_size > _LARGEST:
            return None
        with archive.open(name) as file:
            return _Shapes(file).load()


def _is_old(file: BinaryIO) -> bool:
    start = file.read(64)
    file.seek(0)
    return start[:1] == b"\x80" and _MAGIC.to_bytes(10, "little") in start


class _Shapes(pickle.Unpickler):
    """Of a pickle by torch: a tensor becomes its shape, and every class but ordered mappings a thing that does nothing."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name.startswith("_rebuild_tensor"):
            return lambda storage, offset, size, *rest: Shape(size)
        if module == "torch._utils" and name.startswith("_rebuild_parameter"):
            return lambda data, *rest: data
        return _Nothing

    def persistent_load(self, pid: Any) -> Any:
        return None


class _Nothing:
    """Whatever a pickle makes of it."""

    def __init__(self, *args: Any, **options: Any) -> None: ...

    def __call__(self, *args: Any) -> _Nothing:
        return self

    def __setstate__(self, state: Any) -> None: ...

    def __setitem__(self, key: Any, value: Any) -> None: ...

    def append(self, value: Any) -> None: ...

    def extend(self, values: Any) -> None: ...
