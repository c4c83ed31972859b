"""Matches drawn on pairs of pictures: lines between places that the model takes for the same one, right and wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pytest_clip.report.html.svg import Figure, Table, drawing, el, line, number, text

WIDTH, SIDE, HIGH, ACROSS = 440.0, 104.0, 128.0, 2


def figure(pairs: Sequence[Mapping[str, Any]], *, title: str) -> Figure:
    """`pairs` are of evidence of the kind `matches`: two `pictures` by key, and lines `[x1, y1, x2, y2]` in shares of a picture's side."""
    said = "Lines join a place of the first view and what the model takes for it in the second: blue right, orange and dashed wrong."
    parts: list[Markup] = []
    for at, pair in enumerate(pairs):
        parts += _pair(pair, 4 + (2 * SIDE + 12) * (at % ACROSS), 4 + HIGH * (at // ACROSS))
    rows = tuple((str(pair["id"]), f"{len(pair['right'])}", f"{len(pair['wrong'])}", number(pair["value"])) for pair in pairs)
    table = Table(("pair", "right matches drawn", "wrong matches drawn", "share right of all"), rows)
    return Figure(title, said, drawing(WIDTH, 4 + HIGH * -(-len(pairs) // ACROSS), parts, title=title, text=said), table)


def _pair(pair: Mapping[str, Any], x: float, y: float) -> list[Markup]:
    parts = [el("use", href=f"#picture-{key}", x=x + k * SIDE, y=y, width=SIDE, height=SIDE) for k, key in enumerate(pair["pictures"])]
    for name in ("wrong", "right"):
        for x1, y1, x2, y2 in pair[name]:
            ends = (x + x1 * SIDE, y + y1 * SIDE, x + SIDE + x2 * SIDE, y + y2 * SIDE)
            parts.append(line(*ends, f"match {name}"))
    parts.append(text(x, y + SIDE + 13, f"{number(pair['value'])} of its matches are right", "tick small"))
    return parts
