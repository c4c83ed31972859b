"""Waivers: a known failure, excused for a reason and until a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from pytest_clip.gates.ids import GateId


@dataclass(frozen=True)
class Waiver:
    """One ``[[waiver]]`` table. It excuses exactly one gate id, through the day ``until``; ``source`` is its ``file:line``.

    ``model`` and ``data`` limit it to one of each (None: all); a model has several names, and any of them will do.
    """

    gate: GateId
    reason: str
    until: date
    source: str
    model: str | None = None
    data: str | None = None

    def applies(self, gate: GateId, model_names: Collection[str], data: str | None) -> bool:
        """Whether it speaks about ``gate`` measured on that model and data set."""
        return self.gate == gate and self.in_scope(model_names, () if data is None else (data,))

    def in_scope(self, model_names: Collection[str], data: Collection[str]) -> bool:
        """Whether its model and its data set are among these."""
        return self.model in (None, *model_names) and self.data in (None, *data)

    @property
    def scope(self) -> str:
        """``model "ViT-B-32", data scenes``, or nothing."""
        parts = [None if self.model is None else f'model "{self.model}"', None if self.data is None else f"data {self.data}"]
        return ", ".join(part for part in parts if part is not None)


def waiver_for(waivers: Iterable[Waiver], gate: GateId, model_names: Collection[str], data: str | None) -> Waiver | None:
    """The one that counts: with the most specific scope, and among those the last one read."""
    found = [waiver for waiver in waivers if waiver.applies(gate, model_names, data)]
    return max(reversed(found), key=lambda waiver: (waiver.model is not None) * 2 + (waiver.data is not None), default=None)


def unmeasured(
    waivers: Iterable[Waiver], measured: Collection[GateId], suites: Collection[str], models: Collection[str], data: Collection[str]
) -> list[Waiver]:
    """The waivers of ``suites`` that ran, for models and data of the run, whose gate no test of the run measures."""
    return [each for each in waivers if each.gate.suite in suites and each.in_scope(models, data) and each.gate not in measured]
