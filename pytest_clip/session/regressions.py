"""What a run needs to keep outcomes and to hold them against a baseline. Made only when a run is saved or has a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError
from pytest_clip.runs import facts, names, store
from pytest_clip.runs.baseline import LiveBaseline, SavedBaseline
from pytest_clip.runs.compare import compare
from pytest_clip.runs.flips import listed
from pytest_clip.runs.spool import Parcel, Spool

if TYPE_CHECKING:
    from pytest_clip.gates.comparison import Comparison
    from pytest_clip.gates.measurement import Measurement
    from pytest_clip.gates.rules import Rule
    from pytest_clip.session.settings import Settings


@dataclass
class Regressions:
    """``spool`` takes the outcomes of every gate, ``baseline`` answers what a gate was; either may be None.

    ``family`` counts the gates that share one error rate, None when each has its own.
    """

    baseline: SavedBaseline | LiveBaseline | None = None
    spool: Spool | None = None
    family: int | None = None
    drop_test: str = "observed"
    """what decides on a max_drop whose rule does not say"""
    _facts: dict[tuple[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def compare(self, measurement: Measurement, rule: Rule | None, *, precision: str | None, data: Any) -> Comparison | None:
        """The gate against the baseline, with a list of what went wrong when it regressed; None without a baseline.

        ``precision`` is the one that the model was measured in, ``data`` the data set itself where it is loaded.
        """
        if self.baseline is None:
            return None
        now, base = measurement.per_image, self.baseline.find(measurement.model, measurement.data, str(measurement.gate))
        found = compare(
            measurement, now, base, None if rule is None else rule.get("max_drop"), run=self.baseline.name, precision=precision,
            family=self.family, test=self.drop_test if rule is None or rule.drop_test is None else rule.drop_test.name,
        )  # fmt: skip
        if found.status != "fail" or found.change is None or now is None or base is None or base.outcomes is None:
            return found
        return replace(found, flips=listed(base.outcomes, now, self.known(measurement.data, data, measurement.gate.slice, now.ids)))

    def keep(self, measurement: Measurement, row: Mapping[str, Any], *, precision: str | None, data: Any) -> None:
        """Put the outcomes of a measured gate where the saved run, or the models after a baseline, will find them."""
        if self.spool is None:
            return
        outcomes = measurement.per_image
        known = {} if outcomes is None else self.known(measurement.data, data, measurement.gate.slice, outcomes.ids)
        told = {key: row[key] for key in ("gate", "model", "data", "value", "n", "reason", "conventions")} | {"precision": precision}
        self.spool.put(Parcel(told, outcomes, known))

    def known(self, label: str, data: Any, image_set: str | None, ids: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Class and attributes of images, looked up once for each list of them."""
        if (label, ids) not in self._facts:
            self._facts[label, ids] = facts.of(data, ids, prefer=image_set)
        return self._facts[label, ids]

    def check_data(self, label: str, data: Any) -> None:
        """Refuse a saved baseline of other pictures, before a model loads."""
        if isinstance(self.baseline, SavedBaseline):
            self.baseline.check_data(label, getattr(data, "fingerprint", None), getattr(data, "fingerprints", None) or {})

    def spool_in(self, folder: Path, base: str | None) -> None:
        """Keep outcomes in ``folder``; ``base`` is the label of the model that is the baseline of this run."""
        self.spool = Spool(folder)
        if base is not None:
            self.baseline = LiveBaseline(self.spool, base)


def start(settings: Settings, *, models: Sequence[str], data: Sequence[str]) -> Regressions | None:
    """None when nothing is saved or compared. ClipError for a baseline that cannot be read or was asked for other things."""
    if settings.baseline is None and settings.baseline_model is None and settings.save is None:
        return None
    if settings.baseline is None:
        return Regressions(drop_test=settings.drop_test)
    request = settings.baseline
    folder = names.existing(request.text, request.folder, rootpath=settings.rootpath, option=request.named_by)
    try:
        baseline = SavedBaseline(store.read(folder))
    except ClipError as error:
        raise ClipError(f"{request.named_by}: {error}") from None
    baseline.check_asked(asked(settings), list(models), list(data))
    return Regressions(baseline, drop_test=settings.drop_test)


def asked(settings: Settings) -> dict[str, Any]:
    """What a run was asked for, as its saved folder remembers it."""
    prompts = settings.prompts
    return {
        "limit": settings.limit,
        "precision": settings.precision,
        # A known set by its name, one from a file by what the file holds; the gates' own hash of all texts is the last word.
        "prompts": None if prompts is None else {"name": prompts.name} if prompts.given is None else {"templates": list(prompts.given)},
        "data": list(settings.data),
        "suites": None if settings.suites is None else list(settings.suites),
    }
