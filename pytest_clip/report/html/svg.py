"""Small drawings as SVG text: elements, axes, and a figure with the table behind it.

Colours and fonts are classes of the page's style sheet, so that a drawing follows its light or dark scheme. Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

DASH = "\u2013"
"""Where there is nothing to say."""
SERIES = 6
"""Colours that are told apart (`.s0` to `.s5`); with more series than these the marks differ as well."""


EMPTY = Markup()


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure: `rows` are as wide as `head`, ready to be read."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Shot:
    """A picture of the record by its key, and what is said below it: lines of text, the first one its main one."""

    key: str
    lines: tuple[str, ...]
    mark: str = ""
    """`good`, `bad` or nothing"""
    words: str = ""
    """a text that stands in the place of a picture"""


@dataclass(frozen=True)
class Strip:
    """Pictures beside each other under a line of text; `joined`: they are one thing, read from left to right."""

    title: str
    shots: tuple[Shot, ...]
    joined: bool = False


@dataclass(frozen=True)
class Panel:
    """One of the small multiples of a figure: a name, which links to a place of the page, a few words, a drawing or pictures."""

    title: str
    text: str
    svg: Markup = EMPTY
    link: str | None = None
    strip: Strip | None = None


@dataclass(frozen=True)
class Figure:
    """A figure of the page: what it shows, a sentence about it, the drawing, the table behind it, small multiples, pictures."""

    title: str
    text: str
    svg: Markup = EMPTY
    table: Table | None = None
    wide: bool = False
    panels: tuple[Panel, ...] = ()
    strips: tuple[Strip, ...] = ()


def number(value: float | None, digits: int = 3) -> str:
    """A value for an axis or a table; a dash where there is none."""
    if value is None:
        return DASH
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits}g}"
    text = f"{value:.{digits}f}" if abs(value) < 100 else f"{value:.1f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def el(name: str, *inside: object, **attrs: object) -> Markup:
    """`<name ...>inside</name>`, everything escaped but what is markup already. `class_` is `class`, `x_y` is `x-y`; None is left out."""
    told = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"' for key, value in attrs.items() if value is not None)
    if not inside:
        return Markup(f"<{name}{told}/>")
    return Markup(f"<{name}{told}>{''.join(escape(each) for each in inside)}</{name}>")


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def drawing(width: float, height: float, parts: Sequence[Markup], *, title: str, text: str) -> Markup:
    """An image for everybody: the title and the sentence are its text alternative."""
    head = Markup('<svg class="plot" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img"><title>{2}</title><desc>{3}</desc>').format(
        _plain(float(width)), _plain(float(height)), title, text
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def text(
    x: float, y: float, said: str, class_: str = "", anchor: str | None = None, *, turn: tuple[float, float, float] | None = None
) -> Markup:
    """Text at a place; with `turn` at another one, x and y, and turned by degrees."""
    moved = None if turn is None else f"translate({turn[0]:g} {turn[1]:g}) rotate({turn[2]:g})"
    return el(
        "text",
        said,
        x=float(x),
        y=float(y),
        class_=class_ or None,
        text_anchor=anchor,
        font_size="11",
        fill="currentColor",
        transform=moved,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str, tip: str = "") -> Markup:
    """A line, thin and faint where the page's styles are blocked."""
    inside = [el("title", tip)] if tip else []
    ends = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
    return el("line", *inside, **ends, class_=class_, stroke="currentColor", stroke_opacity="0.3")


def path(points: Sequence[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """A line through the points; nothing without any."""
    if not points:
        return Markup("")
    steps = "L".join(f"{x:g},{y:g}" for x, y in points)
    look = {"fill_opacity": "0.15"} if closed else {"fill": "none", "stroke": "currentColor"}
    return el("path", d=f"M{steps}{'Z' if closed else ''}", class_=class_, **look)


def paths(lines: Sequence[tuple[tuple[float, float], tuple[float, float]]], class_: str) -> Markup:
    """Lines in one element; nothing without any."""
    steps = "".join(f"M{x1:g},{y1:g}L{x2:g},{y2:g}" for (x1, y1), (x2, y2) in lines)
    return el("path", d=steps, class_=class_, fill="none", stroke="currentColor") if steps else Markup("")


def picture(key: str | None, x: float, y: float, side: float, tip: str) -> Markup:
    """A picture of the page by its key; an empty frame where it has none."""
    if not key:
        return el("rect", el("title", tip), x=x, y=y, width=side, height=side, class_="missing", fill_opacity="0.1")
    return el("use", el("title", tip), href=f"#picture-{key}", x=x, y=y, width=side, height=side)


def bar(x: float, y: float, width: float, height: float, class_: str, tip: str = "") -> Markup:
    inside = [el("title", tip)] if tip else []
    at = {"x": round(x, 2), "y": round(y, 2), "width": round(max(width, 0.0), 2), "height": round(max(height, 0.0), 2)}
    return el("rect", *inside, **at, class_=class_, fill_opacity="0.4")


def dot(x: float, y: float, class_: str, tip: str = "", *, series: int = 0, size: float = 4.0) -> Markup:
    """A mark: a circle, and in other series a square, a diamond or a triangle, so that no colour alone says which."""
    inside = [el("title", tip)] if tip else []
    if series % 4 == 0:
        return el("circle", *inside, cx=float(x), cy=float(y), r=size, class_=class_)
    shapes: dict[int, list[tuple[float, float]]] = {
        1: [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        2: [(0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)],
        3: [(0, -1.25), (1.2, 0.95), (-1.2, 0.95)],
    }
    points = " ".join(f"{x + dx * size * 0.9:.4g},{y + dy * size * 0.9:.4g}" for dx, dy in shapes[series % 4])
    return el("polygon", *inside, points=points, class_=class_)


def short(said: str, most: int = 28) -> str:
    """A label that fits: the beginning and the end of a long one."""
    return said if len(said) <= most else f"{said[: most - 9]}…{said[-8:]}"
