"""What the pages read from rows of a record: names, words, bounds, how near a value is to one, what a metric means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.digits import distinct, short
from pytest_clip.report import order
from pytest_clip.report.order import WORDS as WORDS

Row = Mapping[str, Any]


def bounds(row: Row) -> dict[str, float]:
    """`min` and `max` of the rule that are numbers."""
    rule = row.get("rule") or {}
    return {key: float(rule[key]) for key in ("min", "max") if isinstance(rule.get(key), int | float) and not isinstance(rule[key], bool)}


def worst(rows: Sequence[Row], n: int) -> list[Row]:
    """The `n` gates that a person should look at first: those that are not green, else those nearest to their bounds."""
    judged = [row for row in rows if row["verdict"] not in ("unjudged", "not_measured")]
    if not any(row["verdict"] != "pass" for row in judged) and any(row["ci"] for row in judged):
        judged = [row for row in judged if row["ci"]]  # what is exact and holds is not near to anything
    return order.worst_first([row for row in judged if row["verdict"] != "pass" or order.room(row) is not None])[:n]


def value(row: Row) -> str:
    return "no value" if row.get("value") is None else distinct(row["value"], *bounds(row).values())[0]


def before(row: Row) -> str:
    """What the baseline's value was."""
    value = (row.get("baseline") or {}).get("value")
    return "no value" if value is None else short(value)


def interval(row: Row) -> str:
    ends = row.get("ci")
    if not ends:
        return ""
    low, high = ("∞" if end is None else short(end) for end in ends)
    return f"{'-' if ends[0] is None else ''}{low} to {high}"


def told(row: Row) -> str:
    """Value and interval in words."""
    return f"{value(row)} ({interval(row) or 'no interval'})"


def bound(row: Row) -> str:
    rule, value = row.get("rule") or {}, row.get("value")
    told = []
    for key in ("min", "max", "max_drop", "min_n"):
        if (asked := rule.get(key)) is None:
            continue
        plain = isinstance(asked, int | float) and key in ("min", "max")
        told.append(f"{key} {distinct(asked, *([] if value is None else [value]))[0] if plain else asked}")
    return ", ".join(told)


def counts(rows: Iterable[Row]) -> list[tuple[str, str, int]]:
    """Verdict, its word and its number, the worst first, for those that there are."""
    found = Counter(row["verdict"] for row in rows)
    return [(verdict, word, found[verdict]) for verdict, word in WORDS.items() if found[verdict]]


def gates(n: int) -> str:
    return f"{n:,} gate{'' if n == 1 else 's'}"


def metric(row: Row) -> str:
    """The id of the metric, `suite/metric`."""
    return str(row["gate"]).partition("[")[0]


def title(row: Row) -> str:
    """What the catalog says the metric is; empty for one of a project's own."""
    known = CATALOG.get(metric(row))
    return "" if known is None else known.title


def unit(row: Row) -> str:
    known = CATALOG.get(metric(row))
    return "" if known is None else known.unit


def better(row: Row) -> str | None:
    known = CATALOG.get(metric(row))
    side = row.get("better") if known is None else known.better
    return side if side in ("higher", "lower") else None


def measured(row: Row) -> dict[str, float]:
    """What the gate measured beside its value, by name: the numbers of it."""
    told = (row.get("conventions") or {}).get("measured")
    known = told.items() if isinstance(told, Mapping) else ()
    return {str(name): float(each) for name, each in known if isinstance(each, int | float) and not isinstance(each, bool)}


def pairs(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Models and data sets of these rows, in order."""
    return list(dict.fromkeys((str(row["model"]), str(row["data"])) for row in rows))


def anchor(row: Row, *, many: bool) -> str:
    """The part of the address after #: `gate=accuracy/top1[clean]`, and which model and data set where there are several."""
    told = f"gate={row['gate']}"
    return fragment(f"{told}&model={row['model']}&data={row['data']}" if many else told)


def link(row: Row, *, many: bool) -> str:
    """The same with all quoted that means something in an address, for links from other files; a browser finds the gate by either."""
    told = {"gate": row["gate"], **({"model": row["model"], "data": row["data"]} if many else {})}
    return "&".join(f"{key}={quote(str(value), safe='', errors='backslashreplace')}" for key, value in told.items())


def fragment(told: str) -> str:
    """An id that a link can name: what a browser would change in an address is written as it would be."""
    return quote(told, safe="=&/[]~,.:@+()", errors="backslashreplace")
