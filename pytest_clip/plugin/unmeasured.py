"""Rules and waivers that no test of the run measures: each becomes an item that fails, so that a gate cannot disappear in silence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_clip.plugin.suites as shipped
from pytest_clip.plugin.items import data_label_of, gate_of, model_label_of
from pytest_clip.plugin.rows import rows_of, without_value
from pytest_clip.session import closing
from pytest_clip.session.judge import rule_for
from pytest_clip.session.run import ClipSession, Row

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.gates.rules import Entry
    from pytest_clip.gates.waivers import Waiver


class NeverMeasured(pytest.Item):
    """A failing item for something that was asked for and that no test of this run measures."""

    message: str
    line: tuple[Path, int] | None

    @classmethod
    def of(cls, session: pytest.Session, *, suite: str, name: str, message: str, line: tuple[Path, int] | None = None) -> NeverMeasured:
        item: NeverMeasured = cls.from_parent(session, name=name, nodeid=f"suites/test_{suite}.py::{name}")
        item.message, item.line = message, line
        return item

    def runtest(self) -> None:
        pytest.fail(self.message, pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        if self.line is None:
            return shipped.SUITES, None, self.name
        return self.line[0], self.line[1] - 1, self.name


def entries(run: ClipSession, gates: Sequence[GateId], suites: Sequence[str]) -> list[Entry | Waiver]:
    """Rules of suites that ran, for models and data of the run, then waivers of the same."""
    from pytest_clip.gates import waivers

    names = {name for choice in run.models for name in choice.names}
    data = {choice.label for choice in run.data}
    ran = {gate.suite for gate in gates}.union(suites)
    rules = [entry for entry in run.rulebook.unmeasured(gates, ran, names, data) if entry.layer > 0 or _possible(run, entry)]
    return [*rules, *waivers.unmeasured(run.rulebook.waivers, gates, ran, names, data)]


def elsewhere(run: ClipSession, gates: Sequence[GateId], suites: Sequence[str]) -> list[str]:
    """A line for the rules and waivers of a project's own suites that have no test in this run: another command runs them, or a name is
    mistyped."""
    from pytest_clip.gates.catalog import SUITES, did_you_mean

    ran = {gate.suite for gate in gates}.union(suites)
    sources: dict[str, list[str]] = {}
    written: list[Entry | Waiver] = [*run.rulebook.entries, *run.rulebook.waivers]
    for each in written:
        if each.gate.suite not in SUITES and each.gate.suite not in ran:
            sources.setdefault(each.gate.suite, []).append(each.source)
    own = sorted(ran - SUITES.keys())
    return [
        f"NOT MEASURED suite {suite}, named in {', '.join(places[:3])}{f' and {len(places) - 3} more places' if len(places) > 3 else ''}, "
        f"has no test in this run{did_you_mean(suite, own)}"
        for suite, places in sources.items()
    ]


def void(run: ClipSession) -> list[Entry]:
    """The project's rules for a model or a data set that is not in this run; the shipped ones are for many models."""
    return [entry for entry in run.rulebook.out_of_scope(run.named, {choice.label for choice in run.data}) if entry.layer > 0]


def out_of_scope(run: ClipSession) -> list[str]:
    """A line for each model or data set that rules of the project speak about and that is not in this run: it may be mistyped."""
    from pytest_clip.gates.catalog import did_you_mean

    names, data = [choice.label for choice in run.models], [choice.label for choice in run.data]
    sources: dict[tuple[str, str], list[str]] = {}
    for entry in void(run):
        if entry.data is not None and entry.data not in data:
            sources.setdefault((f"data set {entry.data!r}", did_you_mean(entry.data, data)), []).append(entry.source)
        else:
            sources.setdefault((f"model {entry.model!r}", did_you_mean(str(entry.model), names)), []).append(entry.source)
    return [
        f"NOT IN THIS RUN {about}: {len(places)} rule{'s' * (len(places) > 1)} for it ({places[0]}{', ...' if len(places) > 1 else ''}) "
        f"held nothing{close}"
        for (about, close), places in sources.items()
    ]


def nothing_judged(run: ClipSession, items: Sequence[pytest.Item], session: pytest.Session) -> NeverMeasured | None:
    """The failing item of a run in which gates are measured and no rule is for any of them."""
    measured = [item for item in items if gate_of(item) is not None and run.role_of(model_label_of(item, run)) is None]
    if not measured or closing.allowed(run.settings):
        return None
    for item in measured:
        rule = rule_for(run, gate_of(item), model_label_of(item, run), data_label_of(item, run))
        if rule is not None and any(rule.get(key) is not None for key in ("min", "max", "max_drop")):
            return None
    message = f"no rule judges any of the {len(measured)} gates of this run, so it says nothing about the model; {closing.HOW_TO_JUDGE}"
    return NeverMeasured.of(session, suite="run", name="nothing_judged", message=message)


def _possible(run: ClipSession, entry: Entry) -> bool:
    """A shipped rule speaks about every data set; one that lacks the image set breaks no promise of the user's."""
    from pytest_clip.gates.catalog import CATALOG

    if entry.gate.metric_id not in CATALOG:
        return True
    return any(entry.gate.covers(gate) for data in run.data for gate in run.reach.gates(entry.gate.metric_id, data))


def item_for(entry: Entry | Waiver, session: pytest.Session) -> pytest.Item:
    """The failing item, at the line that asks."""
    from pytest_clip.gates.catalog import SUITES
    from pytest_clip.gates.waivers import Waiver

    gate, source = entry.gate, entry.source
    scope = f" ({entry.scope})" if entry.scope else ""
    own = "" if gate.suite in SUITES else f'; the one that does needs @pytest.mark.clip_gate("{gate}")'
    what, then = ("waiver of", "excuses nothing") if isinstance(entry, Waiver) else ("rule for", "was never measured")
    message = f"{source}: {what} {gate}{scope} {then}: no test of this run measures that gate{own}"
    path, _, line = source.rpartition(":")
    item = NeverMeasured.of(
        session,
        suite=gate.suite,
        name=f"never_measured[{gate}-{Path(path).name}-{line}]",
        message=message,
        line=(Path.cwd() / path, int(line)) if line.isdigit() and (Path.cwd() / path).is_file() else None,
    )
    if isinstance(entry, Waiver):
        asked: Row = {"waiver": {"source": source, "reason": entry.reason, "until": entry.until.isoformat()}}
    else:
        asked = {"rule": {"source": source, "why": entry.why}}
    rows_of(item).append(without_value(gate, "", entry.data or "", "fail", message) | asked)
    return item
