"""The classes that lose most, and what their images are taken for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_clip.report.html.axes import Scale
from pytest_clip.report.html.svg import DASH, Figure, Table, bar, drawing, short, text

WIDTH, LEFT, RIGHT, HIGH = 440.0, 116.0, 428.0, 30.0


def figure(told: Mapping[str, Any], *, title: str) -> Figure:
    """`told` is evidence of the kind `confusion`: `classes`, each with `name`, `n` images, and what its wrong ones are `taken_for`."""
    said = (
        "A bar is all images of a class: those answered rightly, then the wrong ones by what they are taken for, the most frequent first."
    )
    parts, lines = [], []
    for at, each in enumerate(told["classes"]):
        y, right = 4 + HIGH * at, each["n"] - each["wrong"]
        scale = Scale(0, max(each["n"], 1), LEFT, RIGHT)
        parts.append(text(LEFT - 8, y + 12, short(each["name"], 16), "tick", "end"))
        parts.append(bar(LEFT, y + 2, scale(right) - LEFT, 13, "rightly", f"{right} of {each['n']} right"))
        start = right
        for k, (name, n) in enumerate(each["taken_for"]):
            tip = f"{n} of {each['n']} {each['name']} taken for {name}"
            parts.append(bar(scale(start), y + 2, scale(start + n) - scale(start), 13, f"wrongly w{min(k, 2)}", tip))
            start += n
        names = ", ".join(f"{name} {n}" for name, n in each["taken_for"][:3]) or "undecided"
        parts.append(text(LEFT, y + 25, short(f"{each['wrong']} of {each['n']} wrong: {names}", 54), "tick small"))
        lines.append((each["name"], str(each["n"]), str(each["wrong"]), ", ".join(f"{name} {n}" for name, n in each["taken_for"]) or DASH))
    table = Table(("class", "images", "wrong", "taken for"), tuple(lines))
    return Figure(title, said, drawing(WIDTH, 6 + HIGH * len(told["classes"]), parts, title=title, text=said), table)
