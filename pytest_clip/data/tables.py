"""Tables of own data: csv, tsv, jsonl and parquet as rows of text, every row with the place to name when it is wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import ClipError
from .layouts.found import is_utf8, shown

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
MOST_ROWS = 5_000_000
"""Of a parquet file, which can claim any number of rows in a few bytes; a row is half a kilobyte in memory."""
NEEDS_ARROW = "pip install pytest-clip[shards]"


@dataclass(frozen=True)
class Row:
    """One row: `where` is FILE:LINE (FILE: row N for parquet), `cells` hold text; a list of texts is kept as one."""

    where: str
    cells: Mapping[str, str | tuple[str, ...]]

    def text(self, column: str) -> str:
        """A cell as one stripped text, "" where the row has none."""
        cell = self.cells.get(column, "")
        return (cell if isinstance(cell, str) else " ".join(cell)).strip()

    def texts(self, column: str) -> tuple[str, ...]:
        """A cell as several texts, without the empty ones."""
        cell = self.cells.get(column, "")
        return tuple(text.strip() for text in ((cell,) if isinstance(cell, str) else cell) if text.strip())


@dataclass(frozen=True)
class Table:
    """The columns in the order of the file, and the rows."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read(path: Path) -> Table:
    """The table in a file; ClipError names file and line for what is none."""
    reader: Callable[[Path], Iterator[Row]] = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}[path.suffix.lower()]
    try:
        rows = tuple(reader(path))
    except UnicodeDecodeError:
        raise ClipError(f"{path}:{_not_text(path)}: no UTF-8 text; save the table as UTF-8 (iconv -f latin1 -t utf8)") from None
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); write it as UTF-8 text") from None
    if not rows:
        raise ClipError(f"{path}: holds no row; write one an image")
    return Table(path, tuple(dict.fromkeys(column for row in rows for column in row.cells)), rows)


def _not_text(path: Path) -> int:
    """The first line that is no UTF-8."""
    with path.open("rb") as file:
        return next((k for k, line in enumerate(file, 1) if not _is_text(line)), 1)


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        try:
            header = [name.strip() for name in next(lines, [])]
            if len(set(header)) < len(header) or "" in header:
                raise ClipError(f"{path}:1: a column has no name, or the name of another: {', '.join(header)}; name each one")
            number = lines.line_num
            for cells in lines:
                start, number = number + 1, lines.line_num
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    raise ClipError(
                        f"{path}:{start}: {len(cells)} cells under {len(header)} columns; put a text that holds the separator into quotes"
                    )
                yield Row(f"{path}:{start}", dict(zip(header, cells, strict=True)))
        except csv.Error as error:
            raise ClipError(
                f"{path}:{lines.line_num}: no {path.suffix[1:]} ({error}); put texts with quotes or line ends into quotes"
            ) from None


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                told = json.loads(line)
            except (ValueError, RecursionError) as error:  # a number of 5,000 digits is JSON, and more than Python reads
                raise ClipError(f"{where}: no JSON ({str(error).partition(';')[0]}); write one object a line") from None
            if isinstance(told, dict) and not all(map(is_utf8, told)):
                raise ClipError(f"{where}: the name of a column holds half a character; write whole ones, as UTF-8")
            if not isinstance(told, dict):
                raise ClipError(f'{where}: no object; write one a line, such as {{"path": "a.jpg", "label": "cat"}}')
            yield Row(where, {str(key): _cell(value, where, str(key)) for key, value in told.items()})


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ClipError(f"{path}: parquet is read with pyarrow; {NEEDS_ARROW}") from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
        if file.metadata.num_rows > MOST_ROWS:
            raise ClipError(f"{path}: says it holds {file.metadata.num_rows} rows, at most {MOST_ROWS} are read; split it")
        names = file.schema_arrow.names
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ClipError(f"{path}: two columns are called {twice[0]}; rename one")
        plain = [field.name for field in file.schema_arrow if not pyarrow.types.is_nested(field.type) or pyarrow.types.is_list(field.type)]
        number = 0
        for batch in file.iter_batches(columns=plain, batch_size=4096):
            columns = {name: _values(batch.column(name), f"{path}: column {name}") for name in batch.schema.names}
            for k in range(batch.num_rows):
                number += 1
                where = f"{path}: row {number}"
                yield Row(where, {str(key): _cell(values[k], where, str(key)) for key, values in columns.items()})
    except (pyarrow.ArrowException, OSError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise ClipError(f"{path}: cannot be read as parquet ({why}); write it again") from None


def _values(column: Any, where: str) -> list[Any]:
    """The cells as Python has them; dates that it has not, such as the year 10000, are texts as Arrow writes them."""
    import pyarrow

    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, LookupError) as error:  # out of range for datetime, no such time zone, bytes that are no text
        with suppress(pyarrow.ArrowException, ValueError):
            return list(column.cast(pyarrow.string()).to_pylist())
        raise ClipError(f"{where}: holds what Python cannot read ({str(error).splitlines()[0]}); write it as text") from None


def _cell(value: Any, where: str, column: str) -> str | tuple[str, ...]:
    if value is None or value != value:  # NaN is how pandas writes a cell that is empty
        return ""
    if isinstance(value, list):
        return tuple(str(_cell(each, where, column)) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str) and not is_utf8(value):
        raise ClipError(f"{where}: {shown(column)} holds half a character ({shown(value)[:60]}); write whole ones, as UTF-8")
    if isinstance(value, dict | bytes):
        raise ClipError(f"{where}: {column} holds a {type(value).__name__}; use texts, numbers and lists of texts")
    return str(value)
