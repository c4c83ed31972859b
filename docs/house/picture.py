"""The house in one picture: draws docs/house.svg from the imports of the package, readable on light and on dark pages.

Only arrows that no other path implies are drawn; what a room imports besides stands in its box, so the picture is complete. It depends on
imports alone, not on time, machine or lengths of files.

Usage: python docs/house/picture.py
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from rooms import FLOOR, FLOORS, ROOT, arrows, below, read

PICTURE = ROOT / "docs" / "house.svg"

WIDTH, MARGIN, BOX, GAP, CHANNEL, LINE, NEAR = 960, 44, 256, 52, 40, 15, 60
Step = tuple[str, str]
COLUMNS = tuple(MARGIN + at * (BOX + GAP) for at in range(3))
#: Where an arrow may pass a floor: the middles of the columns, then the gaps beside them.
LANES = (*(x + BOX / 2 for x in COLUMNS), *(x + BOX + GAP / 2 for x in COLUMNS[:2]), MARGIN / 2, WIDTH - MARGIN / 2)
#: The lowest floor of each part, its colour, and what it is.
PARTS = (
    (3, "front", "what a person meets"),
    (5, "run", "a run, and what is done to models"),
    (10, "work", "the nouns of a measurement"),
    (11, "ground", "imports nothing of ours but ClipError"),
)
LEGEND = ("An arrow is an import, and points down only.", "Imports that other arrows imply are in the boxes.")

STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 12px; fill: #3d444d }
.name { font-size: 16px; font-weight: 600; fill: #1f2328 }
.also { font-size: 10.5px; fill: #656d76 }
.page { fill: #ffffff } .floor { stroke: #d8dee4; stroke-width: 1; stroke-dasharray: 2 5 }
.box { stroke-width: 1.25 }
.front { fill: #e7f0fd; stroke: #5b8fd6 } .run { fill: #e9f6ec; stroke: #55a269 }
.work { fill: #fdf3e2; stroke: #cf9a3d } .ground { fill: #f0eef8; stroke: #8a78c9 }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.5 } .head { fill: #57606a }
"""
DARK = """
text { fill: #c3cad3 } .name { fill: #f0f3f6 } .also { fill: #98a1ac }
.page { fill: #0d1117 } .floor { stroke: #2a313a }
.front { fill: #14243b; stroke: #4c80c8 } .run { fill: #12291a; stroke: #45905a }
.work { fill: #2e2310; stroke: #a97c2c } .ground { fill: #221d38; stroke: #7a69bd }
.arrow { stroke: #9aa4af } .head { fill: #9aa4af }
"""


@dataclass(frozen=True)
class Box:
    """A room as drawn: its corner and height, and its lines of text."""

    room: str
    what: str
    also: tuple[str, ...]
    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + BOX / 2


def draw(graph: Mapping[str, set[str]]) -> str:
    """The SVG of rooms and the arrows between them."""
    steps = [(a, b) for a in graph for b in sorted(graph[a], key=lambda each: (FLOOR[each], each)) if b not in below(graph, a, without=b)]
    boxes, bottom = _boxes({room: _also(graph[room], {b for a, b in steps if a == room}) for room in FLOOR})
    floors = sorted({box.y + box.height + CHANNEL / 2 for box in boxes.values()})[:-1]
    rules = [f'<line class="floor" x1="{MARGIN / 2:g}" x2="{WIDTH - MARGIN / 2:g}" y1="{y:g}" y2="{y:g}"/>' for y in floors]
    parts = [*rules, *_legend(), *_curves(steps, boxes), *(line for box in boxes.values() for line in _box(box))]
    about = "Rooms of the package on their floors; each imports only rooms below it."
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom:g}" width="{WIDTH}" height="{bottom:g}" role="img">',
            f"<title>{about}</title>",
            f"<style>{STYLE}@media (prefers-color-scheme: dark) {{{DARK}}}\n</style>",
            f'<defs>{head}<path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>',
            f'<rect class="page" width="{WIDTH}" height="{bottom:g}" rx="8"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _legend() -> list[str]:
    """Upper left, where no room is."""
    lines = [f'<text class="name" x="{MARGIN}" y="{CHANNEL + 22}">pytest_clip/</text>']
    lines += [f'<text x="{MARGIN}" y="{CHANNEL + 46 + 18 * at}">{text}</text>' for at, text in enumerate(LEGEND)]
    for at, (_, kind, what) in enumerate(PARTS):
        y = CHANNEL + 112 + 24 * at
        lines += [
            f'<rect class="box {kind}" x="{MARGIN}" y="{y}" width="18" height="14" rx="3"/>',
            f'<text x="{MARGIN + 28}" y="{y + 11}">{what}</text>',
        ]
    return lines


def _also(rooms: set[str], drawn: set[str]) -> tuple[str, ...]:
    """The lines for the arrows of a room that other paths imply."""
    rest = sorted(rooms - drawn, key=lambda each: (FLOOR[each], each))
    return tuple(wrap(f"also imports {', '.join(rest)}", 43)) if rest else ()


def _boxes(also: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, Box], float]:
    boxes, y = {}, float(CHANNEL)
    for floor in FLOORS:
        height = 50 + LINE * max(len(also[room]) for room, _, _ in floor)
        for room, column, what in floor:
            boxes[room] = Box(room, what, also[room], COLUMNS[column], y, height)
        y += height + CHANNEL
    return boxes, y


def _box(box: Box) -> list[str]:
    wing = next(name for last, name, _ in PARTS if FLOOR[box.room] <= last)
    lines = [("name", f"{box.room}/" if box.room != "store" else "store.py", 22), ("what", box.what, 40)]
    lines += [("also", line, 40 + LINE * (at + 1)) for at, line in enumerate(box.also)]
    drawn = [f'<rect class="box {wing}" x="{box.x:g}" y="{box.y:g}" width="{BOX}" height="{box.height:g}" rx="6"/>']
    return drawn + [f'<text class="{kind}" x="{box.x + 14:g}" y="{box.y + down:g}">{escape(text)}</text>' for kind, text, down in lines]


def _lane(a: Box, b: Box, boxes: Mapping[str, Box]) -> float:
    """Where an arrow passes the floors between two rooms: free of boxes, and the least out of the way."""
    between = [box for box in boxes.values() if FLOOR[a.room] < FLOOR[box.room] < FLOOR[b.room]]
    free = [x for x in LANES if not any(box.x <= x <= box.x + BOX for box in between)]
    return min(free, key=lambda x: (abs(x - a.middle) + abs(x - b.middle), abs(x - b.middle)))


def _curves(steps: Sequence[Step], boxes: Mapping[str, Box]) -> list[str]:
    """A path for each arrow: out of the bottom of one box, down its lane, into the top of the other."""
    lanes = {(a, b): _lane(boxes[a], boxes[b], boxes) if FLOOR[b] > FLOOR[a] + 1 else None for a, b in steps}
    out: dict[Step, float] = {}
    into: dict[Step, float] = {}
    for room, box in boxes.items():
        leaving = sorted((s for s in steps if s[0] == room), key=lambda s: (lanes[s] or boxes[s[1]].middle, boxes[s[1]].middle))
        coming = sorted((s for s in steps if s[1] == room), key=lambda s: (lanes[s] or boxes[s[0]].middle, boxes[s[0]].middle))
        out.update({s: box.middle + _spread(at, len(leaving), 44) for at, s in enumerate(leaving)})
        into.update({s: box.middle + _spread(at, len(coming), 44) for at, s in enumerate(coming)})
    for s in steps:  # an end that no other arrow needs goes where the line is straight
        if abs(out[s] - into[s]) < NEAR and sum(s[1] == other for _, other in steps) == 1:
            into[s] = out[s]
        elif abs(out[s] - into[s]) < NEAR and sum(s[0] == other for other, _ in steps) == 1:
            out[s] = into[s]
    aside: dict[Step, float] = {}
    for lane in sorted({lane for lane in lanes.values() if lane is not None}):
        shared = sorted((s for s in steps if lanes[s] == lane), key=lambda s: out[s] + into[s])
        aside.update({s: lane + _spread(at, len(shared), 14) for at, s in enumerate(shared)})
    for s, x in aside.items():
        aside[s] = next((end for end in (into[s], out[s]) if abs(end - x) < NEAR), x)
    return [f'<path class="arrow" d="{_path(s, boxes, out[s], into[s], aside.get(s))}" marker-end="url(#head)"/>' for s in steps]


def _spread(at: int, of: int, by: float) -> float:
    return (at - (of - 1) / 2) * by


def _path(step: Step, boxes: Mapping[str, Box], x0: float, x1: float, lane: float | None) -> str:
    a, b = boxes[step[0]], boxes[step[1]]
    y0, y1 = a.y + a.height, b.y - 2
    if lane is None:
        return f"M{x0:g} {y0:g}{_bend(x0, y0, x1, y1)}"
    top, end = y0 + CHANNEL - 6, y1 - CHANNEL + 8
    return f"M{x0:g} {y0:g}{_bend(x0, y0, lane, top)}L{lane:g} {end:g}{_bend(lane, end, x1, y1)}"


def _bend(x0: float, y0: float, x1: float, y1: float) -> str:
    """A curve that leaves and arrives upright."""
    half = (y0 + y1) / 2
    return f"C{x0:g} {half:g} {x1:g} {half:g} {x1:g} {y1:g}"


def main() -> None:
    graph = arrows(read())
    if unknown := sorted(graph.keys() - FLOOR.keys()):
        raise SystemExit(f"no floor for {', '.join(unknown)}; give it a place in FLOORS of docs/house/rooms.py")
    PICTURE.write_text(draw(graph), encoding="utf-8")
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
