"""Matches drawn on pairs of pictures: lines between places that the model takes for the same one, right and wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pytest_clip.report.html.svg import Figure, Panel, Table, dot, drawing, line, number, paths, picture

SIDE, GAP = 160.0, 6.0
Told = Mapping[str, Any]
SAID = (
    "Lines join a place of the first picture with what the model takes for it in the second: solid to a dot where that is right; where it "
    "is wrong dashed to a cross, with a ring where it should be. From the worst pair to the best; of the matches some are drawn, evenly by "
    "their clearness."
)


def figure(found: Sequence[tuple[str, str | None, Told]], *, title: str) -> Figure:
    """`found` are pairs of evidence of the kind `pairs`, pictures looked up, each with what it is of and the anchor of its gate."""
    rows = tuple(
        (of, str(pair["id"]), f"{_right(pair)}", f"{len(pair['matches'])}", number(pair["value"]), str(pair["of"])) for of, _, pair in found
    )
    table = Table(("of", "pair", "right of those drawn", "drawn", "share right of all", "all matches"), rows)
    return Figure(title, SAID, table=table, wide=True, panels=tuple(_panel(*each) for each in found))


def _right(pair: Told) -> int:
    return sum(match["right"] for match in pair["matches"])


def _panel(of: str, anchor: str | None, pair: Told) -> Panel:
    text = f"{round(pair['value'] * pair['of'])} of {pair['of']} right"
    title = str(pair["id"]) if str(pair["id"]).startswith(of) else f"{of}: {pair['id']}"
    said = f"{pair['id']}: {_right(pair)} of {len(pair['matches'])} matches drawn are right, {number(pair['value'])} of all {pair['of']}"
    parts = [picture(pair.get("first"), 0, 0, SIDE, "first picture"), picture(pair.get("second"), SIDE + GAP, 0, SIDE, "second picture")]
    for name, right in (("wrong", False), ("right", True)):
        ends = [_ends(match) for match in pair["matches"] if match["right"] == right]
        parts += [paths(ends, f"match halo {name}"), paths(ends, f"match {name}")]
        for (x1, y1), (x2, y2) in ends:
            parts.append(dot(x1, y1, f"end {name}", size=2.2))
            parts += [dot(x2, y2, f"end {name}", size=2.2)] if right else _cross(x2, y2)
    parts += [dot(*_second(match["true"]), "end true", size=3) for match in pair["matches"] if not match["right"]]
    return Panel(title, text, drawing(2 * SIDE + GAP, SIDE, parts, title=str(pair["id"]), text=said), anchor)


def _ends(match: Told) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = match["first"]
    return (round(x * SIDE, 1), round(y * SIDE, 1)), _second(match["second"])


def _second(place: Sequence[float]) -> tuple[float, float]:
    return round(SIDE + GAP + place[0] * SIDE, 1), round(place[1] * SIDE, 1)


def _cross(x: float, y: float) -> list[Markup]:
    r = 3.0
    return [
        line(x - r, y - r, x + r, y + r, "cross halo"),
        line(x - r, y + r, x + r, y - r, "cross halo"),
        line(x - r, y - r, x + r, y + r, "cross"),
        line(x - r, y + r, x + r, y - r, "cross"),
    ]
