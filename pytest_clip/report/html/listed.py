"""All gates of the page in one table, which sorts by each of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_clip.report import order
from pytest_clip.report.html import reading
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, number


@dataclass(frozen=True)
class Cell:
    """`sort` is what the column is sorted by where that is not the text: a number; empty where there is none, which comes last."""

    text: str
    sort: str | None = None


@dataclass(frozen=True)
class Line:
    """A gate: where its full entry is, its verdict, and a cell for each column but the first two, which are verdict and gate."""

    anchor: str
    verdict: str
    place: int
    gate: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Listed:
    head: tuple[str, ...]
    lines: tuple[Line, ...]


def listed(rows: Sequence[Row], *, many: bool) -> Listed:
    """The worst first. `many` models or data sets: then they are columns."""
    head = ("verdict", "gate", *(("model", "data") if many else ()), "suite", "value", "interval", "bound", "room", "images", "drop")
    return Listed(head, tuple(_line(row, many=many) for row in order.worst_first(rows)))


def keys(row: Row) -> dict[str, str | None]:
    """The numbers that gates are sorted by, by the name that the page gives them."""
    near = min(order.rooms(row), default=None)
    baseline = row.get("baseline") or {}
    found = {"value": row["value"], "bound": near and near[2], "room": order.room(row), "images": row["n"], "drop": baseline.get("drop")}
    return {name: None if value is None else f"{value:.9g}" for name, value in found.items()}


def _line(row: Row, *, many: bool) -> Line:
    by = keys(row)
    room, drop = order.room(row), (row.get("baseline") or {}).get("drop")
    cells = (
        *((Cell(str(row["model"])), Cell(str(row["data"]))) if many else ()),
        Cell(str(row["suite"])),
        Cell(reading.value(row), by["value"] or ""),
        Cell(reading.interval(row) or DASH, "" if not row["ci"] or row["ci"][0] is None else f"{row['ci'][0]:.9g}"),
        Cell(reading.bound(row) or DASH, by["bound"] or ""),
        Cell(DASH if room is None else f"{100 * room:.1f} %", by["room"] or ""),
        Cell(DASH if row["n"] is None else f"{row['n']:,}", by["images"] or ""),
        Cell(number(drop), by["drop"] or ""),
    )
    place = order.rank(row)[0]
    return Line(reading.anchor(row, many=many), str(row["verdict"]), place, str(row["gate"]), cells)
