"""Two saved runs held against each other: what `pytest-clip compare A B` tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.comparison import Comparison, flip_lines
from pytest_clip.gates.digits import distinct
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.measurement import Measurement
from pytest_clip.metrics.holm import holm
from pytest_clip.runs import sides
from pytest_clip.runs.baseline import OneModel, SavedBaseline, other_pictures
from pytest_clip.runs.compare import ALPHA, compare
from pytest_clip.runs.flips import listed
from pytest_clip.runs.saved import SavedRun


@dataclass(frozen=True)
class Change:
    """One gate in both runs; `value` is that of the second one, `p` corrected by Holm for all gates of the comparison."""

    gate: str
    model: str
    data: str
    value: float | None
    found: Comparison
    p: float | None = None

    @property
    def sure(self) -> bool:
        """Whether it became worse by more than chance explains, all gates of the comparison considered."""
        return self.p is not None and self.p <= ALPHA

    @property
    def unknown(self) -> bool:
        """Whether its value is worse and nobody can say how sure that is: there are no outcomes to pair, or too few."""
        return self.found.change is not None and self.found.change.p is None and self.found.change.drop > 0

    @property
    def order(self) -> tuple[Any, ...]:
        """Surest losses first, then those of unknown certainty by their size, then the rest; what could not be compared last."""
        change = self.found.change
        if change is None:
            return (4, 0.0, self.gate, self.model, self.data)
        if change.p is None:
            return (1 if self.unknown else 3, -change.drop, self.gate, self.model, self.data)
        return (0 if self.sure else 2, change.p, self.gate, self.model, self.data)


def changes(
    first: SavedRun,
    second: SavedRun,
    *,
    models: tuple[str, str] | None = None,
    only: Callable[[str, str, str], bool] = lambda *_: True,
) -> list[Change]:
    """Every gate of `second` against that of `first`, worst first. ClipError when the runs were made by different conventions.

    `models`: one of each run, where they have several (the two runs may then be the same). `only` gates whose model, data set and id it
    takes, and p corrected for them.
    """
    if first is not second:
        _refuse(first, second)
    base = SavedBaseline(first) if models is None else OneModel(first, models[0])
    rows = [row for row in second.rows.values() if not row.get("role") and only(row["model"], row["data"], row["gate"])]
    rows = [row for row in rows if models is None or row["model"] == models[1]]
    found = [_change(base, second, row) for row in rows]
    corrected = holm({at: each.found.change.p for at, each in enumerate(found) if each.found.change and each.found.change.p is not None})
    return sorted((replace(each, p=corrected.get(at)) for at, each in enumerate(found)), key=lambda each: each.order)


def _change(base: SavedBaseline, run: SavedRun, row: Any) -> Change:
    model, data, gate = row["model"], row["data"], row["gate"]
    there, now = base.find(model, data, gate), run.outcomes(model, data, gate)
    precision = next((each.get("precision") for each in run.record["models"] if each["name"] == model), None)
    identity = GateId.parse(gate)
    side = None if identity.metric_id in CATALOG else row.get("better")
    measured = Measurement(identity, row["value"], None, row["n"], model, data, row["conventions"], reason=row["reason"], better=side)
    found = compare(replace(measured, per_image=now), now, there, None, run=base.name, precision=precision)
    if found.change is not None and there is not None and there.outcomes is not None and now is not None and found.change.drop > 0:
        found = replace(found, flips=listed(there.outcomes, now, run.facts(now.ids), most=None))
    return Change(gate, model, data, row["value"], found)


def _refuse(first: SavedRun, second: SavedRun) -> None:
    """Runs that were asked for other things, or saw other pictures, have nothing to say about each other."""
    for key in ("limit", "precision", "prompts"):
        there, here = first.asked.get(key), second.asked.get(key)
        if there != here:
            raise ClipError(f"{first.name} and {second.name} cannot be compared: {key} is {there} in the one and {here} in the other")
    pictures = {each["name"]: each for each in first.record["data"]}
    for each in second.record["data"]:
        if changed := other_pictures(pictures.get(each["name"], {}), each):
            name, there, here = changed
            why = f"the data set {name} has the fingerprint {there} in the one and {here} in the other"
            raise ClipError(f"{first.name} and {second.name} cannot be compared: {why}")


def compared(found: Sequence[Change]) -> list[Change]:
    """Those that both runs have a comparable number of."""
    return [each for each in found if each.found.change is not None]


def told(found: Sequence[Change], *, most: int, ids: bool) -> list[str]:
    """Lines for a person: the worst `most` changes with their interval and flip lists, and what could not be compared."""
    both = compared(found)
    worse = [each for each in both if each.found.change is not None and each.found.change.drop > 0]
    sure = [each for each in both if each.sure]
    unknown = [each for each in both if each.unknown]
    lines = [f"{len(found)} gates, {len(both)} compared, {len(sure)} worse by more than chance explains"]
    if unknown:
        why = "their images cannot be paired, so nobody can say how sure that is; gate(..., per_image=...) keeps them"
        lines[0] += f", {len(unknown)} worse by an unknown certainty: {why}"
    many = len({(each.model, each.data) for each in found}) > 1
    for each in worse[:most]:
        lines += _lines(each, many=many, ids=ids)
    if len(worse) > most:
        lines.append(f"... and {len(worse) - most} more that are worse; --all shows them")
    lines += [f"not compared: {each.gate}: {each.found.refused}" for each in found if each.found.change is None]
    return lines


def _lines(each: Change, *, many: bool, ids: bool) -> list[str]:
    change, value = each.found.change, each.found.value
    assert change is not None
    assert value is not None
    assert each.value is not None
    before, after = distinct(value, each.value)
    on = f" on {each.model}, {each.data}" if many else ""
    bounds = "" if change.lower is None or change.upper is None else f" ({change.lower:+.4f}..{change.upper:+.4f})"
    mark = "WORSE " if each.sure else "UNKNOWN " if each.unknown else "      "
    lines = [f"{mark}{each.gate}{on}: {before} -> {after}, drop {change.drop:.4f}{bounds}; {change.basis}"]
    lines += [f"        {line}" for line in flip_lines(each.found.flips)]
    if ids and each.found.flips:
        lines += [f"          {name}" for name in each.found.flips["ids"]]
    return lines


def record(first: SavedRun, second: SavedRun, found: Sequence[Change]) -> dict[str, Any]:
    """The record of `second` with every gate held against `first`, and what came of it as `comparison`: what a page shows."""
    told = {(each.gate, each.model, each.data): each for each in found}
    rows = []
    for gate in second.record["gates"]:
        each = told.get((gate["gate"], gate["model"], gate["data"]))
        if each is not None:
            rows.append({**gate, "baseline": row(each)["baseline"], "flips": each.found.flips})
    counts = {"compared": len(compared(found)), "sure": sum(each.sure for each in found), "unknown": sum(each.unknown for each in found)}
    comparison = {"first": first.name, "second": second.name, **counts, "evidence": sides.earlier(first, found)}
    return {**second.record, "gates": rows, "comparison": comparison, "evidence": sides.later(second, found)}


def row(each: Change) -> dict[str, Any]:
    """One change as JSON."""
    return {
        "gate": each.gate,
        "model": each.model,
        "data": each.data,
        "value": each.value,
        "baseline": each.found.row | {"p_holm": each.p},
        "worse": "unknown" if each.unknown else each.sure if each.found.change is not None else None,
        "flips": each.found.flips,
    }
