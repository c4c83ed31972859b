"""Rules: what the thresholds files ask of a gate, and which file and line asks it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pytest_clip import ClipError
from pytest_clip.gates import waivers as waiving
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.layers import SHIPPED
from pytest_clip.gates.waivers import Waiver

#: The keys of a rule that ask something, in the order in which they are shown.
KEYS = ("min", "max", "max_drop", "min_n")


@dataclass(frozen=True)
class Bound:
    """One key of a rule. ``relative`` is for ``max_drop = "5%"``, whose value is 0.05; ``source`` is ``file:line`` of the key."""

    key: str
    value: float
    why: str | None
    source: str
    relative: bool = False

    @property
    def text(self) -> str:
        """The value as one would write it."""
        return f"{self.value * 100:g}%" if self.relative else f"{self.value:g}" if self.key == "min_n" else repr(self.value)


@dataclass(frozen=True)
class Severity:
    """What a broken rule does: ``fail`` fails the test item, ``warn`` is said and counted. ``source`` is ``file:line`` of the key."""

    level: Literal["fail", "warn"]
    source: str


@dataclass(frozen=True)
class DropTest:
    """What decides on the rule's ``max_drop``: ``observed``, ``sure`` or ``safe``. ``source`` is ``file:line`` of the key."""

    name: Literal["observed", "sure", "safe"]
    source: str


@dataclass(frozen=True)
class Rule:
    """All that holds for one gate on one model and data set, each key from the place that won."""

    gate: GateId
    bounds: Mapping[str, Bound]
    severity: Severity | None = None
    drop_test: DropTest | None = None

    @property
    def warns(self) -> bool:
        """Whether breaking it is a warning and no failure."""
        return self.severity is not None and self.severity.level == "warn"

    def __getitem__(self, key: str) -> Bound:
        return self.bounds[key]

    def get(self, key: str) -> Bound | None:
        return self.bounds.get(key)

    def without_shipped(self, key: str) -> Rule | None:
        """The rule without this key where pytest-clip itself asks for it; None when nothing is left."""
        bound = self.get(key)
        if bound is None or not bound.source.startswith(f"{SHIPPED}:"):
            return self
        rest = {name: each for name, each in self.bounds.items() if name != key}
        return replace(self, bounds=rest) if rest else None

    def contradiction(self) -> str | None:
        """The sentence for a min above the max, with both places, or None."""
        low, high = self.get("min"), self.get("max")
        if low is None or high is None or low.value <= high.value:
            return None
        return f"{low.source}: min {low.text} of {self.gate} is above max {high.text} of {high.source}; no value can pass"


@dataclass(frozen=True)
class Entry:
    """One rule as written in one file: ``data`` and ``model`` are its scope (None: all), ``layer`` counts the files."""

    gate: GateId
    data: str | None
    model: str | None
    bounds: Mapping[str, Bound]
    why: str | None
    layer: int
    source: str
    severity: Severity | None = None
    drop_test: DropTest | None = None

    def applies(self, gate: GateId, model_names: Collection[str], data: str | None) -> bool:
        return self.covers(gate.slice, model_names, data) and self.gate.metric_id == gate.metric_id

    def covers(self, part: str | None, model_names: Collection[str], data: str | None) -> bool:
        """Whether it speaks about this slice of its own metric."""
        in_scope = (self.data is None or self.data == data) and (self.model is None or self.model in model_names)
        return in_scope and (self.gate.slice is None or self.gate.slice == part)

    @property
    def scope(self) -> str:
        """The table it was written in, without the gate: ``data.scenes`` or ``model."ViT-B-32"``, or nothing."""
        parts = [f"data.{self.data}"] if self.data is not None else []
        return ".".join([*parts, *([f'model."{self.model}"'] if self.model is not None else [])])

    @property
    def _rank(self) -> tuple[int, int, int, str, bool]:
        scope = (self.data is not None) + 2 * (self.model is not None)
        # A model answers to several names; the longer one says more (ViT-B-32,laion2b_s34b_b79k over ViT-B-32).
        name = self.model or ""
        return self.layer, scope, len(name), name, self.gate.slice is not None


class Rulebook:
    """Every rule and waiver of all thresholds files, in order of precedence.

    A later file wins over an earlier one; inside a file ``data + model`` wins over ``model``, over ``data``, over no scope; inside a scope
    a slice wins over its whole metric. Each key is decided on its own, so a file that only sets ``min_n`` keeps the ``min`` below it.
    """

    def __init__(self, entries: Iterable[Entry], waivers: Iterable[Waiver] = ()) -> None:
        self.entries: tuple[Entry, ...] = tuple(entries)
        self.waivers: tuple[Waiver, ...] = tuple(waivers)
        self._by_metric: dict[str, list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: entry._rank):
            self._by_metric.setdefault(entry.gate.metric_id, []).append(entry)

    def rule_for(self, gate: GateId, model_names: Collection[str] = (), data: str | None = None) -> Rule | None:
        """The rule for one gate, or None when no file says anything. ``model_names``: all names the model answers to (text, label, key)."""
        rule = self._merged(gate, model_names, data)
        if rule is not None and (problem := rule.contradiction()):
            raise ClipError(problem)
        return rule

    def waiver_for(self, gate: GateId, model_names: Collection[str] = (), data: str | None = None) -> Waiver | None:
        """The waiver of one gate on one model and data set: the most specific, the last one read of several."""
        return waiving.waiver_for(self.waivers, gate, model_names, data)

    def contradictions(self) -> list[str]:
        """Every min above a max that some gate, data set and model named in the files would meet."""
        found: dict[tuple[str, str], str] = {}  # one sentence per pair of places, not per gate that meets it
        for entries in self._by_metric.values():
            lows, highs = ([each.bounds[key].value for each in entries if key in each.bounds] for key in ("min", "max"))
            if not (lows and highs and max(lows) > min(highs)):  # nearly all: no choice among them can be one
                continue
            for gate in sorted({entry.gate for entry in entries}, key=str):  # the whole metric before its slices
                for data in dict.fromkeys([None, *(entry.data for entry in entries)]):
                    for model in dict.fromkeys([None, *(entry.model for entry in entries)]):
                        rule = self._merged(gate, () if model is None else (model,), data)
                        if rule is not None and (problem := rule.contradiction()):
                            found.setdefault((rule["min"].source, rule["max"].source), problem)
        return list(found.values())

    def unmeasured(
        self, measured: Iterable[GateId | str], suites: Collection[str], models: Collection[str], data: Collection[str]
    ) -> list[Entry]:
        """The written rules that this run should have measured and did not: each makes the run fail.

        Only rules of ``suites`` that ran, and of scopes in the run (``models``: all names of all models), count. A rule for a whole metric
        is measured as soon as one slice is.
        """
        gates = {GateId.parse(each) if isinstance(each, str) else each for each in measured}
        return [
            entry
            for entry in self.entries
            if entry.gate.suite in suites
            and (entry.model is None or entry.model in models)
            and (entry.data is None or entry.data in data)
            and not any(entry.gate.covers(gate) for gate in gates)
        ]

    def out_of_scope(self, models: Collection[str], data: Collection[str]) -> list[Entry]:
        """The written rules for a model or data set that is not in this run: worth a line, so that a mistyped name is seen."""
        return [
            entry
            for entry in self.entries
            if (entry.model is not None and entry.model not in models) or (entry.data is not None and entry.data not in data)
        ]

    def _merged(self, gate: GateId, model_names: Collection[str], data: str | None) -> Rule | None:
        bounds: dict[str, Bound] = {}
        severity: Severity | None = None
        drop_test: DropTest | None = None
        for entry in self._by_metric.get(gate.metric_id, ()):
            if entry.covers(gate.slice, model_names, data):
                bounds.update(entry.bounds)
                severity = entry.severity or severity
                drop_test = entry.drop_test or drop_test
        return Rule(gate, {key: bounds[key] for key in KEYS if key in bounds}, severity, drop_test) if bounds else None
