"""The table of a Hugging Face data set on disk: its rows, its pictures left encoded, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import ClipError
from . import content
from .layouts.found import is_there, of_kernel, shown


@dataclass(frozen=True)
class Rows:
    """Encoded pictures by row of the stored table."""

    folder: Path
    column: str
    rows: tuple[int, ...]

    def __call__(self, row: int) -> bytes:
        """As they were stored; ClipError where only a path was, and the file is gone."""
        cell = table(self.folder)[self.rows[row]][self.column]
        if cell is None or (cell.get("bytes") is None and cell.get("path") is None):
            raise ClipError(f"{self.where(row)}: the row has no picture; remove it from the data set")
        if cell["bytes"] is not None:
            return bytes(cell["bytes"])
        path = Path(cell["path"])
        try:
            if of_kernel(path) or path.stat().st_size > content.LARGEST:
                raise ClipError(f"{self.where(row)}: {shown(path)[:200]} is no picture; save the data set again")
            return path.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ClipError(f"{self.where(row)}: {shown(path)[:200]} cannot be read ({why}); save the data set again") from None

    def where(self, row: int) -> str:
        """FOLDER: row N."""
        return f"{self.folder}: row {self.rows[row]}"


def held(folder: Path, column: str) -> list[str]:
    """What the table and the pictures that it only names hold, whatever they are called and whenever they were written."""
    tables = content.sha256(sorted(folder.glob("*.arrow")), most=None)
    named = [Path(path) for path in _named(folder, column)]
    there = [path for path in named if is_there(path)]
    return [*tables, *content.sha256(there), *(f"{path} is not there" for path in named if not is_there(path))]


def _named(folder: Path, column: str) -> list[str]:
    """Paths of the pictures that are not in the table, in order; nothing is decoded, and those that are in it are not read."""
    import pyarrow.compute as pc

    cells = table(folder).data.column(column)
    paths: list[str | None] = pc.struct_field(cells, "path").filter(pc.is_null(pc.struct_field(cells, "bytes"))).to_pylist()
    return [path for path in paths if path is not None]


@cache
def table(folder: Path) -> Any:
    """The stored table, pictures left encoded."""
    try:
        import datasets
    except ImportError:
        raise ClipError(f"{folder}: a data set of Hugging Face; pip install pytest-clip[shards]") from None
    try:
        found = datasets.load_from_disk(str(folder))
        for name, kind in found.features.items():
            if type(kind).__name__ == "Image":
                found = found.cast_column(name, datasets.Image(decode=False))
    except Exception as error:  # whatever pyarrow makes of a damaged file
        raise ClipError(
            f"{folder}: cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__}); save it again"
        ) from None
    return found
