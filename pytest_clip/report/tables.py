"""`-v`: a compact table of each suite, a metric after the other, several slices on a line, the worst first."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.report import order as said
from pytest_clip.report.plain import columns, cut, padded, plain

Row = Mapping[str, Any]

MARKS = {"fail": "FAIL", "insufficient": "FEW", "warn": "WARN", "waived": "WAIVED", "unjudged": "-", "not_measured": "none", "pass": "ok"}
LEGEND = "verdict slice value [interval] bound; FEW: too few images, -: no rule, none: not measured"
GAP = 3
WIDE = 200
"""Columns where nobody knows how many there are."""


def lines(rows: Sequence[Row], *, width: int | None) -> list[str]:
    """The tables of all suites in at most `width` columns."""
    wide = width or WIDE
    told = textwrap.wrap(LEGEND, wide)
    for suite in dict.fromkeys(row["suite"] for row in sorted(rows, key=lambda row: str(row["suite"]))):
        mine = [row for row in rows if row["suite"] == suite]
        many = list(dict.fromkeys((row["model"], row["data"]) for row in sorted(mine, key=lambda row: (row["model"], row["data"]))))
        for model, data in many:
            some = [row for row in mine if (row["model"], row["data"]) == (model, data)]
            on = f" on {plain(model, 60)}, {plain(data, 60)}" if len(many) > 1 else ""
            told += [cut(f"suite {suite}{on}  {said.counts(some)}", wide), *_table(some, wide)]
    return told


def _table(rows: Sequence[Row], wide: int) -> list[str]:
    """Metrics without slices together, then each metric under its name."""
    place = {name: at for at, name in enumerate(CATALOG)}
    metrics = sorted({row["metric"] for row in rows}, key=lambda name: (place.get(f"{rows[0]['suite']}/{name}", len(place)), name))
    whole = [row for row in rows if row["slice"] is None]
    told = _cells([_cell(row, row["metric"]) for row in said.worst_first(whole)], wide)
    for metric in metrics:
        sliced = [row for row in rows if row["metric"] == metric and row["slice"] is not None]
        if sliced:
            told += [cut(f"  {metric}", wide), *_cells([_cell(row, row["slice"]) for row in said.worst_first(sliced)], wide)]
    return told


def _cell(row: Row, name: str) -> tuple[str, str, str]:
    """Verdict, name, numbers."""
    return MARKS[row["verdict"]], plain(name, 100), numbers(row)


def _cells(cells: Sequence[tuple[str, str, str]], wide: int) -> list[str]:
    """As many side by side as there is room for, under each other in columns; a name gives way where there is not even room for one."""
    if not cells:
        return []
    marks, names, rest = (max(columns(cell[k]) for cell in cells) for k in range(3))
    names = min(names, max(8, wide - 6 - marks - rest))
    size = marks + names + rest + 2
    beside = max(1, (wide - 4 + GAP) // (size + GAP))
    shown = [f"{padded(mark, marks)} {padded(cut(name, names), names)} {padded(told, rest)}" for mark, name, told in cells]
    return [cut(f"    {(' ' * GAP).join(shown[at : at + beside])}".rstrip(), wide) for at in range(0, len(shown), beside)]


def numbers(row: Row) -> str:
    """``.696 [.65 .73] >=.799``: the value, its interval, the nearer bound"""
    if row["value"] is None:
        return "no value"
    held = [(key, bound) for _, key, bound in sorted(said.rooms(row))]
    value, *bounds = _digits(row["value"], *(bound for _, bound in held[:1]))
    told = [value]
    if row.get("ci"):
        told.append(f"[{' '.join('?' if end is None else _short(end, 2) for end in row['ci'])}]")
    told += [f"{'>=' if key == 'min' else '<='}{bound}" for (key, _), bound in zip(held, bounds, strict=False)]
    against = row.get("baseline") or {}
    if against.get("status") is not None and against.get("drop") is not None:
        told.append(f"drop {_short(against['drop'], 3)}<={_short(against.get('allowed') or 0.0, 3)}")
    return " ".join(told)


def _digits(*values: float) -> list[str]:
    """With three decimals, more where a value would read like a bound that it is not."""
    for decimals in range(3, 9):
        shown = [_short(value, decimals) for value in values]
        if len(set(shown)) == len(set(values)):
            break
    return shown


def _short(value: float, decimals: int) -> str:
    """Without the nought in front, as statistics print shares; large numbers with fewer decimals."""
    if abs(value) >= 1000:
        return f"{value:.4g}"
    text = f"{value:.{decimals if abs(value) < 10 else max(decimals - 1, 1)}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and not text.startswith(("1", "-1")) else text
