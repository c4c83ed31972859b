"""``--clip-update``: which bounds a run would write, and why it leaves the other gates alone. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pytest_clip.gates.catalog import SUITES
from pytest_clip.gates.digits import distinct
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.rules import Bound, Entry, Rulebook
from pytest_clip.gates.update_reasons import SIDES, Category, Key, Row, bound_of, broken, wanted_of


@dataclass(frozen=True)
class Place:
    """A table of a thresholds file: the gate as written there, and its scope."""

    gate: GateId
    data: str | None
    model: str | None

    @property
    def path(self) -> tuple[str, ...]:
        """The keys from the top of the file."""
        data = () if self.data is None else ("data", self.data)
        model = () if self.model is None else ("model", self.model)
        return (*data, *model, "gates", str(self.gate))


@dataclass(frozen=True)
class Change:
    """One bound to write. ``old`` is the number in force before (None: none), ``held_at`` its ``file:line`` where it stands elsewhere."""

    category: Category
    place: Place
    key: Key
    old: float | None
    new: float
    basis: str
    held_at: str | None = None

    @property
    def looseness(self) -> float:
        """The larger, the more it lets pass."""
        return -self.new if self.key == "min" else self.new


@dataclass(frozen=True)
class Plan:
    """``left`` maps each reason to the gates that were left alone for it."""

    changes: tuple[Change, ...]
    left: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Context:
    """What the planning knows of the run: ``layer`` is the number of the file that is edited, ``names`` all names of a model by its label,
    ``model_scope`` what a new rule calls a model (None: all models), ``narrowed`` whether some gates were not measured on purpose."""

    rulebook: Rulebook
    layer: int
    names: Callable[[str], Collection[str]]
    model_scope: Callable[[str], str | None]
    narrowed: bool
    today: str


def plan(rows: Iterable[Row], categories: Collection[str], context: Context) -> Plan:
    """The changes that ``categories`` ask for. Several measurements under one bound are given what the worst of them needs."""
    changes: dict[tuple[Place, Key], Change] = {}
    left: dict[str, list[str]] = {}
    passing: dict[tuple[str, Key], list[tuple[Row, Entry, Bound]]] = {}
    shaky: set[str] = set()  # sources of bounds that some measurement breaks, keeps by chance, or is told to keep here

    def want(change: Change) -> None:
        other = changes.get((change.place, change.key))
        if other is None or change.looseness > other.looseness:
            changes[change.place, change.key] = change

    for row in sorted(rows, key=lambda row: (row["gate"], row["model"], row["data"])):
        gate, names = GateId.parse(row["gate"]), context.names(row["model"])
        rule = context.rulebook.rule_for(gate, names, row["data"] or None)
        wanted, why_not = wanted_of(row, rule)
        fixed = wanted == "fix" and wanted in categories and why_not is None
        held = wanted == "trim" and why_not is None
        if rule is not None and not (fixed or held):
            shaky |= {bound.source for bound in rule.bounds.values()}
        if wanted not in categories:
            continue
        if why_not is not None:
            left.setdefault(why_not, []).append(str(gate))
        elif wanted == "create":
            key: Key = "min" if row["better"] == "higher" else "max"
            want(Change("create", _new_place(gate, row, context), key, None, bound_of(row, key), _basis(row, context)))
        elif wanted == "fix":
            for failing in broken(row, rule):
                entry = _entry_of(failing, context.rulebook)
                here = entry.layer == context.layer and entry.gate == gate
                key = cast("Key", failing.key)
                place = Place(gate, entry.data, entry.model)
                want(Change("fix", place, key, failing.value, bound_of(row, key), _basis(row, context), None if here else failing.source))
                if here:
                    shaky.add(failing.source)
        if rule is not None and (held or fixed):
            for key in SIDES:
                if (bound := rule.get(key)) is not None and (entry := _entry_of(bound, context.rulebook)).layer == context.layer:
                    passing.setdefault((bound.source, key), []).append((row, entry, bound))
    for (source, key), under in passing.items():
        # A slice that gets a bound of its own is under the one of its metric no longer.
        still = [each for each in under if (Place(GateId.parse(each[0]["gate"]), each[1].data, each[1].model), key) not in changes]
        if source not in shaky and still and "trim" in categories:
            _trim(still, key, context, want, left)
    return Plan(tuple(changes.values()), {reason: tuple(dict.fromkeys(gates)) for reason, gates in left.items()})


def _trim(
    held: Sequence[tuple[Row, Entry, Bound]], key: Key, context: Context, want: Callable[[Change], None], left: dict[str, list[str]]
) -> None:
    """The tightest bound that all measurements under it keep by the margin; only if that is tighter than what stands."""
    _, entry, bound = held[0]
    place = Place(entry.gate, entry.data, entry.model)
    new = max((Change("trim", place, key, bound.value, bound_of(row, key), _basis(row, context)) for row, _, _ in held), key=_looseness)
    if new.looseness >= replace(new, new=bound.value).looseness:
        return
    whole = entry.gate.slice is None and any("[" in row["gate"] for row, _, _ in held)
    if whole and context.narrowed:
        left.setdefault("not all slices of its rule were measured in this run", []).append(str(entry.gate))
        return
    want(new)


def _looseness(change: Change) -> float:
    return change.looseness


def _new_place(gate: GateId, row: Row, context: Context) -> Place:
    """Where the rule of a gate without one goes: for its data set, and for its model when there are several in the run."""
    shipped, uses = gate.suite in SUITES, row.get("uses") or ()
    data = row["data"] if shipped or "clip_data" in uses else None
    return Place(gate, data, context.model_scope(row["model"]) if shipped or "clip_model" in uses else None)


def _basis(row: Row, context: Context) -> str:
    """``measured 0.9000, 95 % interval 0.8870..0.9110, n = 500, on 2026-11-21 with ViT-B-32 (fingerprint 3f9c1a0000000000)``"""
    ends = row["ci"] or ()
    value, *rest = distinct(row["value"], *(end for end in ends if end is not None))
    told = iter(rest)
    interval = "..".join("open" if end is None else next(told) for end in ends)
    parts = [f"measured {value}", *([f"95 % interval {interval}"] if ends else []), f"n = {row['n']}"]
    model = f"{row['model']} (fingerprint {row['fingerprint']})" if row.get("fingerprint") else row["model"]
    return f"{', '.join(parts)}, on {context.today} with {model}"


def _entry_of(bound: Bound, rulebook: Rulebook) -> Entry:
    return next(entry for entry in rulebook.entries if entry.bounds.get(bound.key) is bound)
