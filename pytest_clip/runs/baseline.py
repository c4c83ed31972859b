"""The baseline of a run: a saved run, or a model that is measured first in the same run. Both answer what a gate was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_clip import ClipError
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs.saved import SavedRun
from pytest_clip.runs.spool import Spool


@dataclass(frozen=True)
class Base:
    """One gate of the baseline: its row of the record, and the outcomes behind it."""

    row: Mapping[str, Any]
    outcomes: Outcomes | None
    precision: str | None


@dataclass(frozen=True)
class SavedBaseline:
    """``--clip-baseline=RUN``. Everything that can be refused before a model loads is refused by :func:`check_asked`."""

    run: SavedRun

    @property
    def name(self) -> str:
        return f"run {self.run.name}"

    def model_for(self, label: str) -> str:
        """The model of the baseline that the model under test is held against: the only one, or the one of that name."""
        models = self.run.models
        return label if label in models else models[0]

    def find(self, model: str, data: str, gate: str) -> Base | None:
        """What the gate was, None where the baseline has not measured it."""
        held = self.model_for(model)
        row = self.run.rows.get((held, data, gate))
        if row is None:
            return None
        precision = next((each.get("precision") for each in self.run.record["models"] if each["name"] == held), None)
        return Base(row, self.run.outcomes(held, data, gate), precision)

    def check_asked(self, here: Mapping[str, Any], labels: list[str], data: list[str]) -> None:
        """Refuse a baseline that was asked for other things than this run (``here``, as a saved run remembers it); ClipError names both."""
        there = self.run.asked
        models = self.run.models
        if not models:
            raise self._refused("it holds no measured gate", "save it again")
        if unknown := [label for label in labels if len(models) > 1 and label not in models]:
            held = f"it holds {len(models)} models ({', '.join(models)}) and none is called {unknown[0]}"
            raise self._refused(held, "save a run of the one that is meant")
        for key, option in (("limit", "--clip-limit"), ("precision", "--clip-precision"), ("prompts", "--clip-prompts")):
            if there.get(key) != here[key]:
                raise self._refused(
                    f"it was measured with {option} {_shown(there.get(key))}, this run has {_shown(here[key])}", "measure both alike"
                )
        sets = [each["name"] for each in self.run.record["data"]]
        if sets and (missing := [label for label in data if label not in sets]):
            where = f"it was measured on {', '.join(sets)}, this run is on {', '.join(missing)}"
            raise self._refused(where, "measure both on the same data")

    def check_data(self, label: str, fingerprint: str | None, sets: Mapping[str, str]) -> None:
        """Refuse other pictures under the same name. `sets`: fingerprints of the image sets that this run asks for."""
        told: Mapping[str, Any] = next((each for each in self.run.record["data"] if each["name"] == label), {})
        if changed := other_pictures(told, {"name": label, "fingerprint": fingerprint, "sets": sets}):
            name, there, here = changed
            raise self._refused(
                f"the data set {name} had the fingerprint {there} there and has {here} now: pictures, ids or labels have changed",
                "save the baseline again on the data of today",
            )

    def _refused(self, why: str, fix: str) -> ClipError:
        return ClipError(f"the baseline {self.run.name} ({self.run.folder}) cannot be compared with this run: {why}; {fix}")


@dataclass(frozen=True)
class OneModel(SavedBaseline):
    """One model of a saved run, whatever the model under test is called."""

    only: str

    def model_for(self, label: str) -> str:
        return self.only


@dataclass(frozen=True)
class LiveBaseline:
    """``--clip-baseline-model=M``: measured before the models under test, in the same process or by the same worker."""

    spool: Spool
    model: str

    @property
    def name(self) -> str:
        return f"model {self.model}"

    def model_for(self, label: str) -> str:
        return self.model

    def find(self, model: str, data: str, gate: str) -> Base | None:
        """What the gate was, None where its test has not measured it."""
        parcel = self.spool.get(self.model, data, gate)
        return None if parcel is None else Base(parcel.row, parcel.outcomes, parcel.row.get("precision"))


def other_pictures(there: Mapping[str, Any], here: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The first image set that both records of a data set know under one name and that differs, with both fingerprints.

    Runs of different suites ask for different sets, so only those in both can be compared; as a whole where nobody knows the sets.
    """
    both = {name: (held, here["sets"][name]) for name, held in (there.get("sets") or {}).items() if name in (here.get("sets") or {})}
    if not (there.get("sets") and here.get("sets")):
        both = {"": (there.get("fingerprint"), here.get("fingerprint"))}
    changed = ((name, held, now) for name, (held, now) in both.items() if None not in (held, now) and held != now)
    name, held, now = next(changed, ("", "", ""))
    return (f"{here['name']}/{name}".rstrip("/"), held, now) if held else None


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or f"{len(value['templates'])} templates of a file, the first {value['templates'][0]!r}")
    return "left out" if value is None else str(value)
