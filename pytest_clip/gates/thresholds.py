"""What a thresholds file may say; everything else is an error with file and line, before a model loads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates import fields
from pytest_clip.gates.catalog import CATALOG, RANGES, SUITES, SetLike, did_you_mean, expand
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.layers import Layer, ThresholdsFile, read
from pytest_clip.gates.rules import KEYS, Bound, Entry, Rulebook, Severity
from pytest_clip.gates.waivers import Waiver

SCHEMA = 1

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FIELDS: dict[str, Callable[[object], Any]] = {"min": fields.number, "max": fields.number, "max_drop": fields.drop, "min_n": fields.count}

_Path = tuple[str | int, ...]
_Known = Mapping[str, Sequence[SetLike]]


def load(
    files: Iterable[ThresholdsFile | Path | str] = (),
    *,
    today: date,
    extra_gates: Collection[str] | None = (),
    known: _Known | None = None,
) -> Rulebook:
    """Read the shipped defaults and ``files`` and check them; see :func:`check`."""
    return check(read(files), today=today, extra_gates=extra_gates, known=known)


def check(
    layers: Iterable[Layer],
    *,
    today: date,
    extra_gates: Collection[str] | None = (),
    known: _Known | None = None,
) -> Rulebook:
    """The rulebook of ``layers``, or one ``ClipError`` with a line for everything that is wrong in any of them.

    ``today`` decides which waivers have expired. ``extra_gates`` are the ids of collected ``clip_gate`` tests that are not in
    the catalog; None means that nothing is collected yet, and lets ids of suites that are not shipped pass for now. ``known`` maps each
    data set to its image sets; without it slices are not checked.
    """
    extra = None if extra_gates is None else {GateId.parse(each).metric_id for each in extra_gates}
    readers = [_Reader(layer, number, today, extra, known) for number, layer in enumerate(layers)]
    for reader in readers:
        reader.read()
    book = Rulebook((entry for reader in readers for entry in reader.entries), (each for reader in readers for each in reader.waivers))
    bounded = {entry.gate.metric_id for entry in book.entries if entry.bounds.keys() - {"min_n"}}
    if not any(reader.problems for reader in readers):  # a bound that could not be read must not count as missing too
        for reader in readers:
            reader.refuse_rules_without_bound(bounded)
    problems = [problem for reader in readers for problem in reader.sorted_problems()] + book.contradictions()
    if problems:
        raise ClipError("\n".join(problems))
    return book


class _Reader:
    """Walks one layer: what is right becomes entries and waivers, what is wrong becomes sentences."""

    def __init__(self, layer: Layer, number: int, today: date, extra: set[str] | None, known: _Known | None) -> None:
        self.layer, self.number, self.today, self.extra, self.known = layer, number, today, extra, known
        self.entries: list[Entry] = []
        self.waivers: list[Waiver] = []
        self.problems: list[tuple[int, str]] = []

    def sorted_problems(self) -> list[str]:
        return [f"{self.layer.label}:{line}: {text}" for line, text in sorted(self.problems, key=lambda problem: problem[0])]

    def problem(self, path: _Path, text: str) -> None:
        self.problems.append((self.layer.lines.at(*path), text))

    def read(self) -> None:
        content = self.layer.content
        schema = content.get("schema")
        if "schema" not in content:
            self.problem((), f"schema is missing; the file must begin with: schema = {SCHEMA}")
        elif isinstance(schema, bool) or not isinstance(schema, int) or schema != SCHEMA:
            self.problem(("schema",), f"schema must be {SCHEMA}, the only one this version reads, not {fields.shown(schema)}")
            return  # another schema may give every other key another meaning
        self._only(("schema", "gates", "data", "model", "waiver"), ())
        self._gates(("gates",), None, None)
        self._models(("model",), None)
        for name in self._children(("data",)):
            self._only(("gates", "model"), ("data", name))
            self._gates(("data", name, "gates"), name, None)
            self._models(("data", name, "model"), name)
        self._waivers()
        self.entries.sort(key=_line)

    def refuse_rules_without_bound(self, bounded: set[str]) -> None:
        for entry in self.entries:
            if entry.gate.metric_id not in bounded:
                has = "min_n" if entry.bounds else "severity"
                self.problems.append((_line(entry), f"{entry.gate} has a {has} but no min, max or max_drop to judge by"))

    def _models(self, path: _Path, data: str | None) -> None:
        for name in self._children(path):
            self._only(("gates",), (*path, name))
            self._gates((*path, name, "gates"), data, name)

    def _gates(self, path: _Path, data: str | None, model: str | None) -> None:
        for text in self._children(path):
            here = (*path, text)
            gate = self._gate(text, here, data)
            self._only((*KEYS, "severity", "why"), here)
            written = self._value(here)
            if not isinstance(written, dict):
                continue
            why = self._field(here, "why", fields.text)
            level = self._field(here, "severity", fields.severity)
            severity = None if level is None else Severity(level, self.layer.source(*here, "severity"))
            values = {key: self._field(here, key, _FIELDS[key]) for key in KEYS if key in written}
            if not any(key in written for key in (*KEYS, "severity")):
                self.problem(here, f"{_header(here)} asks for nothing; give at least one of {', '.join(KEYS)}")
            if gate is None:
                continue
            bounds = {key: self._bound(gate, key, value, why, (*here, key)) for key, value in values.items() if value is not None}
            if bounds or severity is not None:
                self.entries.append(Entry(gate, data, model, bounds, why, self.number, self.layer.source(*here), severity))

    def _bound(self, gate: GateId, key: str, value: Any, why: str | None, path: _Path) -> Bound:
        amount, relative = value if key == "max_drop" else (value, False)
        metric = CATALOG.get(gate.metric_id)
        if metric is not None and key in ("min", "max") and metric.unit in RANGES:
            low, high = RANGES[metric.unit]
            if not low <= amount <= high:
                self.problem(path, f"{key} {amount:g} is outside {low:g}..{high:g}, the range of {gate.metric_id}; 5 % is written 0.05")
        if metric is not None and key == "max_drop" and metric.better == "none":
            self.problem(path, f"max_drop cannot judge {gate.metric_id}: neither more nor less of it is better; give it a min and a max")
        return Bound(key, amount, why, self.layer.source(*path), relative)

    def _waivers(self) -> None:
        written = self.layer.content.get("waiver", [])
        if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
            self.problem(("waiver",), "waivers are written as [[waiver]] tables, with gate, reason and until")
            return
        seen: dict[tuple[GateId, str | None, str | None], str] = {}
        for position in range(len(written)):
            here = ("waiver", position)
            self._only(("gate", "reason", "until", "model", "data"), here)
            model, data = (self._field(here, key, fields.text) for key in ("model", "data"))
            name, reason, until = (
                self._field(here, key, reader, required=True)
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

    def _gate(self, text: str, path: _Path, data: str | None) -> GateId | None:
        """The gate that ``text`` names if it exists, else None and a problem."""
        try:
            gate = GateId.parse(text)
        except ClipError as error:
            self.problem(path, str(error))
            return None
        if gate.metric_id in CATALOG:
            return self._with_known_slice(gate, path, data)
        if gate.metric_id in (self.extra or ()) or (self.extra is None and gate.suite not in SUITES):
            return gate
        hint = did_you_mean(gate.metric_id, [*CATALOG, *(self.extra or ())])
        if gate.suite not in SUITES:
            hint = f" (no shipped suite {gate.suite!r} and no collected test is marked clip_gate({gate.metric_id!r})){hint}"
        self.problem(path, f"unknown gate {text!r}{hint or f'; suite {gate.suite!r} has no such metric'}")
        return None

    def _with_known_slice(self, gate: GateId, path: _Path, data: str | None) -> GateId | None:
        if gate.slice is None:
            return gate
        if not CATALOG[gate.metric_id].sliced:
            self.problem(path, f"{gate.metric_id} has no slices; write {gate.metric_id!r}")
            return None
        if not self.known or (data is not None and data not in self.known):
            return gate
        if gate.slice in CATALOG[gate.metric_id].slices:
            return gate  # a view, not an image set: whether this data can be seen so is said where the gate is measured
        names = [data] if data is not None else list(self.known)
        slices = {str(each.slice) for name in names for each in expand(gate.metric_id, self.known[name], absent=True)}
        if gate.slice in slices:
            return gate
        hint = did_you_mean(gate.slice, slices, otherwise=f"; known: {', '.join(sorted(slices)) or 'none'}")
        self.problem(path, f"unknown slice {gate.slice!r} of {gate.metric_id} on {' or '.join(names)}{hint}")
        return None

    def _field(self, here: _Path, key: str, reader: Callable[[object], Any], *, required: bool = False) -> Any:
        """The value of ``key``, or None: absent, or wrong and reported."""
        table = self._value(here)
        if key not in table:
            if required:
                self.problem(here, f"{_header(here)} needs {key}")
            return None
        try:
            return reader(table[key])
        except ValueError as error:
            self.problem((*here, key), f"{key} {error} in {_header(here)}")
            return None

    def _only(self, allowed: Sequence[str], here: _Path) -> None:
        """Report keys that mean nothing."""
        for key in self._children(here):
            if key not in allowed:
                where = _header(here) if here else "at the top of the file"
                hint = did_you_mean(key, allowed, otherwise=f"; known: {', '.join(allowed)}")
                self.problem((*here, key), f"unknown key {key!r} {'in ' if here else ''}{where}{hint}")

    def _children(self, here: _Path) -> Mapping[str, Any]:
        """The table at ``here``; empty when it is absent, or is something else and reported."""
        value = self._value(here)
        if isinstance(value, dict):
            return value
        self.problem(here, f"{_header(here)} must be a table, not {fields.shown(value)}")
        return {}

    def _value(self, path: _Path) -> Any:
        value: Any = self.layer.content
        for key in path:
            if isinstance(value, dict):
                value = value.get(str(key), {})
            elif isinstance(value, list) and isinstance(key, int):
                value = value[key]
            else:
                return {}
        return value


def _line(entry: Entry) -> int:
    return int(entry.source.rpartition(":")[2])


def _header(path: _Path) -> str:
    """The path as a table header: ``[gates."accuracy/top1"]``; a list element as ``[[waiver]]``."""
    dotted = ".".join(each if _BARE.fullmatch(each) else f'"{each}"' for each in path if isinstance(each, str))
    return f"[[{dotted}]]" if isinstance(path[-1], int) else f"[{dotted}]"
