"""The pytest side of mutants: the gates of a run are collected for every damaged copy, too, and run inside one item for each copy.

The items of a copy are made by pytest like all others and taken out of what is collected, so a run of 360 gates and 18 copies shows 19
items more, not 6,500. Before the item of a copy runs, its gates run through pytest's own setup, call and teardown hooks in this process,
with the fixtures and the cache of the run and without reports of their own: one that fails has noticed the damage and fails nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest

from pytest_clip.mutants.catalog import MUTANTS, SOUND
from pytest_clip.mutants.excuse import Excuse
from pytest_clip.mutants.outcome import Outcome, judged, killers, nearest
from pytest_clip.plugin.aside import rows as measured_aside
from pytest_clip.plugin.copies import Copies
from pytest_clip.plugin.items import gate_of
from pytest_clip.plugin.mutantitems import MutantItem, ScoreItem
from pytest_clip.session.choices import ModelChoice
from pytest_clip.session.run import ClipSession, Row

Gates = dict[tuple[str, str], Row]


class Mutating:
    """Registered only with ``--clip-mutants``."""

    def __init__(self, config: pytest.Config, session: ClipSession, make_model: Callable[[ModelChoice], Any]) -> None:
        self.config, self.session = config, session
        self.copies = Copies(session, make_model)
        self.told: dict[tuple[str, str], Row] = {}
        self._gates: dict[str, list[pytest.Item]] = {choice.label: [] for choice in session.copies}
        self._outcomes: dict[str, Outcome] = {}
        self._sound: dict[str, Gates] = {}

    # Collection

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makeitem(self) -> Generator[None, Any, Any]:
        """Keep the items of damaged copies apart from what is collected."""
        nodes = yield
        if not isinstance(nodes, list):
            return nodes
        kept = []
        for node in nodes:
            choice = _choice(node)
            if choice is not None and choice.mutant is not None:
                self._gates[choice.label].append(node)
            else:
                kept.append(node)
        return kept

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> Generator[None, None, None]:
        """After -k, -m and others have chosen: a copy gets the gates that its model has kept, and one item."""
        yield
        for choice in self.session.copies:
            own = {_identity(item): item for item in self._gates[choice.label]}
            chosen = [item for item in items if (base := _choice(item)) is not None and base.label == choice.copy_of]
            self._gates[choice.label] = [own[key] for item in chosen if (key := _identity(item)) in own]
        for base in self.session.judged:
            copies = [choice for choice in self._of(base.label) if choice.mutant != SOUND and self._gates[choice.label]]
            items += [MutantItem.of(session, f"mutants/killed[{choice.mutant}]", base, [choice], self.session) for choice in copies]
            if copies:
                items.append(ScoreItem.of(session, "mutants/score", base, copies, self.session))

    def _of(self, label: str) -> list[ModelChoice]:
        return [choice for choice in self.session.copies if choice.copy_of == label]

    # Running

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Before the item itself is set up, because items inside another item's setup are more than pytest can take."""
        if isinstance(item, MutantItem) and not self.config.getoption("setuponly", False):
            for choice in item.copies:
                if choice.label not in self._outcomes:
                    self._outcomes[choice.label] = self._outcome(choice, item)
            item.hear([self._outcomes[choice.label] for choice in item.copies])

    def _outcome(self, choice: ModelChoice, item: pytest.Item) -> Outcome:
        assert choice.copy_of is not None
        assert choice.mutant is not None
        facts: dict[str, Any] = {"name": choice.mutant, "what": MUTANTS[choice.mutant].what, "model": choice.copy_of}
        sound = self._sound_gates(choice.copy_of, item)
        if not judged(sound):
            return Outcome(**facts, excused=Excuse("not_applicable", "no gate of this run passes on the sound model"))
        damaged = self._measured(choice, item)
        if (excuse := self.copies.excuses.get(choice.label)) is not None:
            return Outcome(**facts, excused=excuse)
        fingerprint = next((row["fingerprint"] for row in damaged.values() if row.get("fingerprint")), None)
        noticed = killers(sound, damaged)
        return Outcome(
            **facts, fingerprint=fingerprint, killed_by=noticed, judged=len({gate for gate, _ in judged(sound)}),
            nearest=None if noticed else nearest(sound, damaged),
        )  # fmt: skip

    def _sound_gates(self, label: str, item: pytest.Item) -> Gates:
        """What the gates said about the model itself: in this process, or else (another worker measured them) by asking once more."""
        if label not in self._sound:
            copy = next(choice for choice in self._of(label) if choice.mutant == SOUND)
            found = {(row["gate"], row["data"]): row for row in self.session.rows.values() if row["model"] == label}
            wanted = {str(gate_of(each)) for each in self._gates[copy.label]}
            self._sound[label] = found if wanted <= {gate for gate, _ in found} else self._measured(copy, item)
        return self._sound[label]

    def _measured(self, choice: ModelChoice, item: pytest.Item) -> Gates:
        """Run the gates of a copy and return their rows; stops early once the copy turns out to have an excuse."""
        gates, rows = self._gates[choice.label], dict[tuple[str, str], Row]()
        self.copies.keep(str(choice.copy_of))
        progress = self.session.progress(f"{choice.label}: gates", len(gates))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what is odd about a damaged model is no news
                for each, after in zip(gates, [*gates[1:], item], strict=True):
                    for row in measured_aside(each, partial(self._next, choice, after, item)):
                        rows[row["gate"], row["data"]] = row
                    progress.advance(1)
                    if choice.label in self.copies.excuses:
                        break
        finally:
            progress.close()
            self.session.facts["models"].pop(choice.label, None)
        if strange := {row["model"] for row in rows.values() if row["value"] is not None} - {choice.label}:
            why = f"conftest.py puts its own clip_model ({', '.join(sorted(strange))}) in the place of every model; make it in the hook"
            self.copies.excuses[choice.label] = Excuse("not_applicable", f"{why} pytest_clip_make_model, so that it can be damaged")
        return rows

    def _next(self, choice: ModelChoice, after: pytest.Item, last: pytest.Item) -> pytest.Item:
        """What runs after a gate of a copy, on which it depends what is torn down: with an excuse, no further gate."""
        return last if choice.label in self.copies.excuses else after

    # Reporting

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if type(item) is MutantItem:
            report.clip_mutants = [each.row() for each in item.outcomes]  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for row in getattr(report, "clip_mutants", ()):
            self.told[row["model"], row["name"]] = row

    def records(self) -> dict[str, Any]:
        """For the JSON record: the mutants of every model in the order of the catalog, and by model the gates that noticed none."""
        from pytest_clip.mutants.outcome import toothless

        order = list(MUTANTS)
        mutants = sorted(self.told.values(), key=lambda row: (row["model"], order.index(row["name"])))
        gates = [row for row in self.session.rows.values() if row["suite"] != "mutants"]
        by_model = {
            label: toothless([row for row in gates if row["model"] == label], [row for row in mutants if row["model"] == label])
            for label in dict.fromkeys(row["model"] for row in mutants)
        }
        return {"mutants": mutants, "toothless": by_model}

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.told or self.config.option.verbose < -1:
            return
        from pytest_clip.report import mutants

        terminalreporter.section("clip mutants", sep="=")
        for line in mutants.lines(self.records()):
            terminalreporter.write_line(line, **mutants.markup(line))


def _choice(node: Any) -> ModelChoice | None:
    """The model that an item measures in a gate."""
    callspec = getattr(node, "callspec", None)
    choice = callspec.params.get("clip_model") if callspec is not None else None
    return choice if isinstance(choice, ModelChoice) else None


def _identity(item: Any) -> tuple[object, ...]:
    """The same for the items of two models that ask the same."""
    params = {name: repr(value) for name, value in item.callspec.params.items() if name != "clip_model"}
    return (item.parent, item.originalname, tuple(sorted(params.items())))
