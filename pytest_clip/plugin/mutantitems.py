"""What a run shows of mutants: an item for each damaged copy of a model, and one for all of them."""

from __future__ import annotations

from typing import Any

import pytest

import pytest_clip.plugin.suites as shipped
from pytest_clip.mutants.outcome import Outcome, score
from pytest_clip.plugin.items import marked_gate
from pytest_clip.plugin.rows import rows_of
from pytest_clip.session.choices import ModelChoice
from pytest_clip.session.judge import judge
from pytest_clip.session.run import ClipSession


class MutantItem(pytest.Item):
    """One damaged copy of one model: passes when a gate has noticed the damage."""

    base: ModelChoice
    copies: list[ModelChoice]
    clip: ClipSession
    outcomes: list[Outcome]

    @classmethod
    def of(cls, session: pytest.Session, gate: str, base: ModelChoice, copies: list[ModelChoice], clip: ClipSession) -> MutantItem:
        name = f"test_{gate.removeprefix('mutants/').partition('[')[0]}[{base.label}-{gate}]"
        item: MutantItem = cls.from_parent(session, name=name, nodeid=f"suites/test_mutants.py::{name}")
        item.base, item.copies, item.clip, item.outcomes = base, copies, clip, []
        item.add_marker(pytest.mark.clip_gate(gate))
        item.add_marker(pytest.mark.filterwarnings("default"))
        return item

    def hear(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        if not [each for each in outcomes if each.excused is None]:  # a rule for what cannot be measured is not broken
            self.own_markers[:] = [mark for mark in self.own_markers if mark.name != "clip_gate"]

    def runtest(self) -> None:
        (outcome,) = self.outcomes
        if outcome.excused is not None:
            pytest.skip(f"{outcome.excused.kind.replace('_', ' ')}: {outcome.excused.reason}")
        self.judge(len(outcome.killed_by), n=outcome.judged, fingerprint=outcome.fingerprint, conventions={"damage": outcome.what})

    def judge(self, value: float, *, n: int, fingerprint: str | None = None, conventions: dict[str, object] | None = None) -> None:
        from pytest_clip.gates.measurement import Measurement
        from pytest_clip.gates.rows import to_row

        gate = str(marked_gate(self))
        data = "+".join(choice.label for choice in self.clip.data)
        measurement = Measurement.measured(gate, value, n=n, model=self.base.label, data=data, conventions=conventions)
        verdict = judge(self.clip, measurement, fingerprint=fingerprint)
        rows_of(self).append(to_row(verdict) | {"fingerprint": fingerprint})
        if not verdict.ok:
            pytest.fail(verdict.message, pytrace=False)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return shipped.SUITES, None, self.name


class ScoreItem(MutantItem):
    """All copies of one model: the share that some gate has noticed."""

    def runtest(self) -> None:
        killed, ran = score(self.outcomes)
        if not ran:
            pytest.skip("every mutant is equivalent or not applicable")
        excused = [each.name for each in self.outcomes if each.excused is not None]
        survivors = [each.name for each in self.outcomes if each.survived]
        self.judge(killed / ran, n=ran, conventions={"survivors": survivors, "excused": excused})
