"""A run against its baseline: a dumbbell a gate, from what it was to what it is, with the drop that its rule allows."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Scale, around, x_axis
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, Figure, Table, bar, dot, drawing, line, number, short, text

WIDTH, LEFT, RIGHT, HIGH = 880.0, 300.0, 860.0, 16.0
WORDS = {"fail": "regressed", "insufficient": "insufficient", "pass": "held", None: "not judged"}


def compared(rows: Sequence[Row]) -> list[Row]:
    """Rows with a drop, the surest losses first."""

    def order(row: Row) -> tuple[object, ...]:
        told = row["baseline"]
        status = {"fail": 0, "insufficient": 1}.get(told.get("status"), 2)
        return status, p if (p := adjusted(row)) is not None else 2.0, -told["drop"], row["gate"], row["model"], row["data"]

    return sorted((row for row in rows if (row.get("baseline") or {}).get("drop") is not None), key=order)


def adjusted(row: Row) -> float | None:
    """p, corrected for the number of gates where that is known."""
    told = row["baseline"]
    found: float | None = told.get("p") if told.get("p_holm") is None else told["p_holm"]
    return found


def figure(rows: Sequence[Row], *, title: str, text: str, most: int) -> Figure:
    """The first `most` of `rows` as `compared` gives them, on the axis of the drop: right of 0 is worse, whatever side is the good one."""
    drawn, many = rows[:most], len(reading.pairs(rows)) > 1
    known = [end for row in drawn for end in [row["baseline"]["drop"], row["baseline"].get("allowed"), *(row["baseline"]["ci"] or ())]]
    ends = [each for each in known if each is not None and abs(each) <= _far(known)]
    lo, hi = around([*ends, 0.0])
    scale, bottom = Scale(lo, hi, LEFT, RIGHT), 8 + HIGH * len(drawn) + 6
    parts = [*x_axis(scale, 8, bottom, label="drop against the baseline (right: worse)", about=6)]
    parts.append(line(scale(0), 8, scale(0), bottom, "zero"))
    for at, row in enumerate(drawn):
        parts += _line(row, many, scale, 11 + HIGH * at)
    return Figure(title, text, drawing(WIDTH, bottom + 34, parts, title=title, text=text), table(rows), wide=True)


def _far(known: Sequence[float | None]) -> float:
    """Beyond which an interval is drawn to the edge: one gate that counts in ranks would else press all shares into a point."""
    sizes = sorted(abs(each) for each in known if each is not None)
    return max(4 * sizes[int(0.9 * (len(sizes) - 1))], 1e-9) if sizes else 1.0


def _line(row: Row, many: bool, scale: Scale, y: float) -> list[Markup]:
    told, at = row["baseline"], y + HIGH / 2
    name = f"{row['gate']} {row['model']}" if many else str(row["gate"])
    parts = [text(LEFT - 8, at + 4, short(name, 42), "tick", "end")]
    if told.get("allowed") is not None:
        start = scale(0)
        parts.append(bar(start, y + 3, scale(told["allowed"]) - start, HIGH - 6, "allowed", f"max_drop allows {number(told['allowed'])}"))
    if told["ci"] and None not in told["ci"]:
        parts.append(line(scale(told["ci"][0]), at, scale(told["ci"][1]), at, "whisker s0"))
    status = told.get("status")
    before, drop = number(told["value"], 4), number(told["drop"], 4)
    tip = f"{row['gate']}: {before} before, {reading.value(row)} now, drop {drop}, {WORDS.get(status, status)}"
    parts.append(line(scale(0), at, scale(told["drop"]), at, "dumbbell"))
    parts.append(dot(scale(0), at, "mark open s0", f"before: {number(told['value'], 4)}", size=3.4))
    parts.append(
        dot(
            scale(told["drop"]),
            at,
            "mark s0 bad" if status == "fail" else "mark s2" if status == "pass" else "mark s0",
            tip,
            series=2 if status == "fail" else 0,
        )
    )
    return parts


def table(rows: Sequence[Row]) -> Table:
    head = ("gate", "model", "data", "before", "now", "drop", "95 % bounds, one-sided", "allowed", "p", "adjusted p", "outcome")
    return Table(head, tuple(_told(row) for row in rows))


def _told(row: Row) -> tuple[str, ...]:
    told = row["baseline"]
    ends = DASH if not told["ci"] or None in told["ci"] else f"{number(told['ci'][0], 4)} to {number(told['ci'][1], 4)}"
    numbers = (number(told["value"], 4), reading.value(row), number(told["drop"], 4), ends, number(told.get("allowed"), 4))
    status = told.get("status")
    return (
        str(row["gate"]),
        str(row["model"]),
        str(row["data"]),
        *numbers,
        _p(told.get("p")),
        _p(told.get("p_holm")),
        str(WORDS.get(status, status)),
    )


def _p(p: float | None) -> str:
    return DASH if p is None else f"{p:.2g}"
