"""One thresholds file read: what is right becomes entries and waivers, what is wrong becomes sentences with their lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates import fields
from pytest_clip.gates.catalog import CATALOG, LARGEST_DROPS, NEVER_NEGATIVE, RANGES, Metric
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.known import KnownGates
from pytest_clip.gates.layers import Layer
from pytest_clip.gates.rules import KEYS, Bound, DropTest, Entry, Severity
from pytest_clip.gates.tables import Keys, Tables, header
from pytest_clip.gates.waivers import Waiver

SCHEMA = 1

_FIELDS: dict[str, Callable[[object], Any]] = {"min": fields.number, "max": fields.number, "max_drop": fields.drop, "min_n": fields.count}


class Reader(Tables):
    """Walks one layer from its top."""

    def __init__(self, layer: Layer, number: int, today: date, known: KnownGates) -> None:
        super().__init__(layer)
        self.number, self.today, self.known = number, today, known
        self.entries: list[Entry] = []
        self.waivers: list[Waiver] = []

    def read(self) -> None:
        content = self.layer.content
        schema = content.get("schema")
        if "schema" not in content:
            self.problem((), f"schema is missing; the file must begin with: schema = {SCHEMA}")
        elif isinstance(schema, bool) or not isinstance(schema, int) or schema != SCHEMA:
            self.problem(("schema",), f"schema must be {SCHEMA}, the only one this version reads, not {fields.shown(schema)}")
            return  # another schema may give every other key another meaning
        self.only(("schema", "gates", "data", "model", "waiver"), ())
        self._gates(("gates",), None, None)
        self._models(("model",), None)
        for name in self.children(("data",)):
            self.only(("gates", "model"), ("data", name))
            self._gates(("data", name, "gates"), name, None)
            self._models(("data", name, "model"), name)
        self._waivers()
        self.entries.sort(key=_line)

    def refuse_rules_without_bound(self, bounded: set[str]) -> None:
        for entry in self.entries:
            if entry.gate.metric_id not in bounded and (entry.bounds or entry.severity is not None):
                has = "min_n" if entry.bounds else "severity"
                self.problems.append((_line(entry), f"{entry.gate} has a {has} but no min, max or max_drop to judge by"))

    def refuse_tests_without_drop(self, dropping: set[str]) -> None:
        for entry in self.entries:
            if entry.drop_test is not None and entry.gate.metric_id not in dropping:
                line = int(entry.drop_test.source.rpartition(":")[2])
                self.problems.append((line, f"{entry.gate} has a drop_test but no max_drop that it could decide on"))

    def _models(self, path: Keys, data: str | None) -> None:
        for name in self.children(path):
            self.only(("gates",), (*path, name))
            self._gates((*path, name, "gates"), data, name)

    def _gates(self, path: Keys, data: str | None, model: str | None) -> None:
        for text in self.children(path):
            here = (*path, text)
            gate = self._gate(text, here, data)
            self.only((*KEYS, "drop_test", "severity", "why"), here)
            written = self.value(here)
            if not isinstance(written, dict):
                continue
            why = self.field(here, "why", fields.text)
            level = self.field(here, "severity", fields.severity)
            severity = None if level is None else Severity(level, self.layer.source(*here, "severity"))
            decides = self.field(here, "drop_test", fields.drop_test)
            test = None if decides is None else DropTest(decides, self.layer.source(*here, "drop_test"))
            values = {key: self.field(here, key, _FIELDS[key]) for key in KEYS if key in written}
            if not any(key in written for key in (*KEYS, "severity", "drop_test")):
                self.problem(here, f"{header(here)} asks for nothing; give at least one of {', '.join(KEYS)}")
            if gate is None:
                continue
            bounds = {key: self._bound(gate, key, value, why, (*here, key)) for key, value in values.items() if value is not None}
            if bounds or severity is not None or test is not None:
                self.entries.append(Entry(gate, data, model, bounds, why, self.number, self.layer.source(*here), severity, test))

    def _bound(self, gate: GateId, key: str, value: Any, why: str | None, path: Keys) -> Bound:
        amount, relative = value if key == "max_drop" else (value, False)
        metric = CATALOG.get(gate.metric_id)
        if metric is not None and key in ("min", "max") and metric.unit in RANGES:
            low, high = RANGES[metric.unit]
            if not low <= amount <= high:
                self.problem(path, f"{key} {amount:g} is outside {low:g}..{high:g}, the range of {gate.metric_id}; 5 % is written 0.05")
        if metric is not None and key == "max_drop" and metric.better == "none":
            self.problem(path, f"max_drop cannot judge {gate.metric_id}: neither more nor less of it is better; give it a min and a max")
        if metric is not None and key == "max_drop":
            most = LARGEST_DROPS.get(metric.unit) if not relative else 1.0 if _falls_to_zero(metric) else None
            if most is not None and amount > most:
                bound = Bound(key, amount, why, "", relative)
                limit = "100%" if relative else f"{most:g}"
                hint = '; 5 % is written "5%"' if relative else "; 5 percentage points are written 0.05"
                self.problem(path, f"max_drop {bound.text} judges nothing: {gate.metric_id} falls by at most {limit}{hint}")
        return Bound(key, amount, why, self.layer.source(*path), relative)

    def _waivers(self) -> None:
        written = self.layer.content.get("waiver", [])
        if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
            self.problem(("waiver",), "waivers are written as [[waiver]] tables, with gate, reason and until")
            return
        seen: dict[tuple[GateId, str | None, str | None], str] = {}
        for position in range(len(written)):
            here = ("waiver", position)
            self.only(("gate", "reason", "until", "model", "data"), here)
            model, data = (self.field(here, key, fields.text) for key in ("model", "data"))
            name, reason, until = (
                self.field(here, key, reader, required=True)
                for key, reader in (("gate", fields.text), ("reason", fields.text), ("until", fields.day))
            )
            gate = None if name is None else self._gate(name, (*here, "gate"), data)
            source = self.layer.source(*here)
            if gate is not None and gate.slice is None and gate.metric_id in CATALOG and CATALOG[gate.metric_id].sliced:
                self.problem((*here, "gate"), f"a waiver excuses one gate, and {gate} has slices; write {str(gate) + '[SLICE]'!r}")
            if gate is not None and (gate, model, data) in seen:
                self.problem((*here, "gate"), f"{gate} has a waiver already, at {seen[gate, model, data]}")
            if until is not None and until < self.today:
                named = name or "a gate"
                self.problem((*here, "until"), f"the waiver of {named} expired on {until}; fix the gate, or set a later day and say why")
            if gate is not None and reason is not None and until is not None:
                seen.setdefault((gate, model, data), source)
                self.waivers.append(Waiver(gate, reason, until, source, model, data))

    def _gate(self, text: str, path: Keys, data: str | None) -> GateId | None:
        """The gate that ``text`` names if it exists, else None and a problem."""
        try:
            return self.known.find(text, data)
        except ClipError as error:
            self.problem(path, str(error))
            return None


def _line(entry: Entry) -> int:
    return int(entry.source.rpartition(":")[2])


def _falls_to_zero(metric: Metric) -> bool:
    """Whether it can lose all of its value and no more; what is better low may well grow to several times of it."""
    return metric.better == "higher" and metric.unit in NEVER_NEGATIVE
