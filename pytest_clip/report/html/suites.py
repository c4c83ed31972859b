"""One section a suite: its gates, the worst first, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_clip.gates.catalog import SUITES
from pytest_clip.report import order
from pytest_clip.report.html import gates, reading
from pytest_clip.report.html.evidence import Shown
from pytest_clip.report.html.gates import GateView
from pytest_clip.report.html.makers import figures
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import Figure


@dataclass(frozen=True)
class SuiteView:
    name: str
    asks: str
    tally: str
    figures: tuple[Figure, ...]
    gates: tuple[GateView, ...]

    @property
    def anchor(self) -> str:
        return reading.fragment(f"suite={self.name}")


def suites(rows: Sequence[Row], shown: Shown, *, many: bool) -> list[SuiteView]:
    """In the order of the catalog; those of a project after them."""
    names = sorted(
        {str(row["suite"]) for row in rows}, key=lambda name: (list(SUITES).index(name) if name in SUITES else len(SUITES), name)
    )
    return [_suite(name, [row for row in rows if row["suite"] == name], rows, shown, many) for name in names]


def _suite(name: str, own: Sequence[Row], rows: Sequence[Row], shown: Shown, many: bool) -> SuiteView:
    drawn: list[Figure] = []
    for data in dict.fromkeys(str(row["data"]) for row in own):
        on = f" on {data}" if len({row["data"] for row in rows}) > 1 else ""
        here = [row for row in rows if row["data"] == data]
        drawn += figures(name, [row for row in here if row["suite"] == name], shown, on)
    ordered = order.worst_first(own)
    views = tuple(gates.view(row, many=many, shown=shown) for row in ordered)
    return SuiteView(name, SUITES.get(name, ""), ", ".join(f"{n:,} {word}" for _, word, n in reading.counts(own)), tuple(drawn), views)
