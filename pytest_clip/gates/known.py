"""The gates and slices that a thresholds file may name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_clip import ClipError
from pytest_clip.gates.catalog import CATALOG, SUITES, SetLike, did_you_mean, expand
from pytest_clip.gates.ids import GateId


@dataclass(frozen=True)
class KnownGates:
    """`extra`: metrics of collected tests that are not in the catalog; None: nothing is collected yet, and suites that are not shipped
    pass. `sets`: the image sets of each data set; without them slices are not checked."""

    extra: Collection[str] | None
    sets: Mapping[str, Sequence[SetLike]] | None
    _slices: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """found so far: a file names the slices of a metric one by one"""

    def find(self, text: str, data: str | None) -> GateId:
        """The gate that ``text`` names, on ``data`` (None: on any); ClipError if there is none."""
        gate = GateId.parse(text)
        if gate.metric_id in CATALOG:
            return self._with_known_slice(gate, data)
        if gate.metric_id in (self.extra or ()) or (self.extra is None and gate.suite not in SUITES):
            return gate
        hint = did_you_mean(gate.metric_id, [*CATALOG, *(self.extra or ())])
        if gate.suite not in SUITES:
            hint = f" (no shipped suite {gate.suite!r} and no collected test is marked clip_gate({gate.metric_id!r})){hint}"
        raise ClipError(f"unknown gate {text!r}{hint or f'; suite {gate.suite!r} has no such metric'}")

    def _with_known_slice(self, gate: GateId, data: str | None) -> GateId:
        if gate.slice is None:
            return gate
        if not CATALOG[gate.metric_id].sliced:
            raise ClipError(f"{gate.metric_id} has no slices; write {gate.metric_id!r}")
        if not self.sets or (data is not None and data not in self.sets):
            return gate
        if gate.slice in CATALOG[gate.metric_id].slices:
            return gate  # a view, not an image set: whether this data can be seen so is said where the gate is measured
        names = [data] if data is not None else list(self.sets)
        slices = frozenset[str]().union(*(self._of(gate.metric_id, name, self.sets[name]) for name in names))
        if gate.slice in slices:
            return gate
        hint = did_you_mean(gate.slice, slices, otherwise=f"; known: {', '.join(sorted(slices)) or 'none'}")
        raise ClipError(f"unknown slice {gate.slice!r} of {gate.metric_id} on {' or '.join(names)}{hint}")

    def _of(self, metric_id: str, data: str, sets: Sequence[SetLike]) -> frozenset[str]:
        """The slices of a metric on a data set."""
        if (metric_id, data) not in self._slices:
            self._slices[metric_id, data] = frozenset(str(each.slice) for each in expand(metric_id, sets, absent=True))
        return self._slices[metric_id, data]
