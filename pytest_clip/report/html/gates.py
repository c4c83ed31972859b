"""A gate as the page shows it: one line that is complete in itself, and what stands below it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from pytest_clip.report import order
from pytest_clip.report.html import docs, listed, reading
from pytest_clip.report.html import shown as behind
from pytest_clip.report.html.axes import Scale, around
from pytest_clip.report.html.evidence import Shown
from pytest_clip.report.html.figures.intervals import WITHIN
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, Figure, Strip, Table, dot, el, line, number

ICONS = {"fail": "✗", "insufficient": "?", "warn": "!", "waived": "~", "unjudged": DASH, "not_measured": "∅", "pass": "✓"}
_NAME = 12
"""Characters of a name in the message of a verdict (`gates.verdicts.judge`)."""


@dataclass(frozen=True)
class Fact:
    """A line below a gate. `link` is the place in the page that says more, `copy` a text that a person wants to have."""

    name: str
    text: str
    link: str | None = None
    copy: bool = False


@dataclass(frozen=True)
class Titled:
    title: str
    table: Table


@dataclass(frozen=True)
class GateView:
    """All texts of a gate; `docs` is the address of its documentation, `sort` are numbers for sorting, by name."""

    gate: str
    metric: str
    on: str
    anchor: str
    verdict: str
    word: str
    headline: str
    value: str
    interval: str
    bound: str
    sort: tuple[tuple[str, str], ...]
    mini: Markup
    meaning: str
    docs: str | None
    facts: tuple[Fact, ...]
    strips: tuple[Strip, ...]
    drawn: tuple[Figure, ...]
    tables: tuple[Titled, ...]


def view(row: Row, *, many: bool, shown: Shown | None = None) -> GateView:
    """`many` models or data sets: then each line says which. With `shown` it has what stands behind it."""
    headline, facts = _message(row)
    if shown is not None and (why := behind.lacking(shown, row)):
        facts.append(Fact("pictures", f"none could be made: {why}"))
    return GateView(
        gate=str(row["gate"]),
        metric=reading.metric(row),
        on=f"{row['model']}, {row['data']}" if many else "",
        anchor=reading.anchor(row, many=many),
        verdict=str(row["verdict"]),
        word=reading.WORDS.get(row["verdict"], str(row["verdict"])),
        headline=headline,
        value=reading.value(row),
        interval=reading.interval(row),
        bound=reading.bound(row),
        sort=tuple((name, key) for name, key in listed.keys(row).items() if key is not None),
        mini=_mini(row),
        meaning=reading.title(row),
        docs=docs.link(reading.metric(row)),
        facts=tuple(facts),
        strips=() if shown is None else tuple(shown.strips(row)),
        drawn=() if shown is None else tuple(behind.drawn(shown, row)),
        tables=tuple(_tables(row)),
    )


def _message(row: Row) -> tuple[str, list[Fact]]:
    """The first line of the verdict's message, and the others as facts; what they lack is added from the row."""
    first, *rest = str(row.get("message") or "").split("\n")
    facts: list[Fact] = []
    for each in rest:
        if each.startswith("  ") and len(each) > _NAME + 3 and each[2 : 2 + _NAME].strip():
            facts.append(_fact(each[2 : 2 + _NAME].strip(), each[_NAME + 3 :].strip(), row))
        elif each.strip():
            facts.append(Fact("", each.strip()))
    told = {fact.name for fact in facts}
    rule = row.get("rule") or {}
    if rule and "rule" not in told:
        facts.insert(0, Fact("rule", f"{reading.bound(row)} ({rule.get('source')})", _rule_anchor(row)))
    if row.get("n") is not None:
        facts.append(Fact("images", f"{row['n']:,}"))
    if row.get("nodeid"):
        facts.append(Fact("test", str(row["nodeid"]), copy=True))
    return first.removeprefix(f"{row['gate']}: ") or order.measured(row), facts


def _fact(name: str, text: str, row: Row) -> Fact:
    return Fact(name, text, link=_rule_anchor(row) if name == "rule" else None, copy=name == "rerun")


def _rule_anchor(row: Row) -> str | None:
    source = (row.get("rule") or {}).get("source")
    return None if source is None else reading.fragment(f"rule={source}")


def _tables(row: Row) -> list[Titled]:
    flips = row.get("flips") or {}
    found = []
    if flips.get("groups"):
        rows = tuple(
            (
                *(f"{each['fact']} {each['value']}", str(each["worse"]), str(each["at_risk"]), number(each["odds_ratio"], 2)),
                *(f"{each['p']:.2g}", "yes" if each["stands_out"] else "no"),
            )
            for each in flips["groups"]
        )
        head = ("group", "right before, wrong now", "right before", "odds ratio", "p, corrected", "stands out")
        found.append(Titled(f"What the {flips['worse']} images that went wrong have in common", Table(head, rows)))
    if flips.get("ids"):
        names = tuple((str(each),) for each in flips["ids"])
        found.append(Titled(f"Right before, wrong now: {len(names)} of {flips['worse']} by name", Table(("image",), names)))
    return found


def _mini(row: Row) -> Markup:
    """The interval, the value and the bounds on a strip; the same is beside it in words."""
    if row["value"] is None:
        return Markup("")
    bounds = reading.bounds(row).values()
    known = [row["value"], *(end for end in row["ci"] or () if end is not None), *bounds]
    lo, hi = WITHIN["share"] if reading.unit(row) == "share" else around(known)
    scale, parts = Scale(lo, hi, 4, 96), [line(4, 8, 96, 8, "grid")]
    if row["ci"]:
        ends = [edge if end is None else end for end, edge in zip(row["ci"], (lo, hi), strict=True)]
        parts.append(line(scale(ends[0]), 8, scale(ends[1]), 8, "whisker s0"))
    parts += [line(scale(each), 2, scale(each), 14, "bound") for each in bounds]
    parts.append(dot(scale(row["value"]), 8, "mark s0", size=3.2))
    return el("svg", *parts, class_="mini", viewBox="0 0 100 16", width=100, height=16, aria_hidden="true")
