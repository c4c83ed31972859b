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
    from pytest_clip.session import ClipSession
    from pytest_clip.settings import Settings


@dataclass
class Regressions:
    """``spool`` takes the outcomes of every gate, ``baseline`` answers what a gate was; either may be None.

    ``family`` counts the gates that share one error rate, None when each has its own.
    """

    baseline: SavedBaseline | LiveBaseline | None = None
    spool: Spool | None = None
    family: int | None = None
    _facts: dict[tuple[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def compare(self, session: ClipSession, measurement: Measurement, rule: Rule | None) -> Comparison | None:
        """The gate against the baseline, with a list of what went wrong when it regressed; None without a baseline."""
        if self.baseline is None:
            return None
        now, base = measurement.per_image, self.baseline.find(measurement.model, measurement.data, str(measurement.gate))
        precision = session.facts["models"].get(measurement.model, {}).get("precision")
        found = compare(
            measurement, now, base, None if rule is None else rule.get("max_drop"), run=self.baseline.name, precision=precision,
            family=self.family, test=session.settings.drop_test if rule is None or rule.drop_test is None else rule.drop_test.name,
        )  # fmt: skip
        if found.status != "fail" or found.change is None or now is None or base is None or base.outcomes is None:
            return found
        return replace(found, flips=listed(base.outcomes, now, self.known(session, measurement.data, measurement.gate.slice, now.ids)))

    def keep(self, session: ClipSession, measurement: Measurement, row: Mapping[str, Any]) -> None:
        """Put the outcomes of a measured gate where the saved run, or the models after a baseline, will find them."""
        if self.spool is None or not (session.settings.save is not None or session.role_of(measurement.model)):
            return
        outcomes = measurement.per_image
        known = {} if outcomes is None else self.known(session, measurement.data, measurement.gate.slice, outcomes.ids)
        precision = session.facts["models"].get(measurement.model, {}).get("precision")
        told = {key: row[key] for key in ("gate", "model", "data", "value", "n", "reason", "conventions")} | {"precision": precision}
        self.spool.put(Parcel(told, outcomes, known))

    def known(self, session: ClipSession, data: str, image_set: str | None, ids: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Class and attributes of images, looked up once for each list of them."""
        if (data, ids) not in self._facts:
            self._facts[data, ids] = facts.of(session.loaded_data.get(data), ids, prefer=image_set)
        return self._facts[data, ids]

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
        return Regressions()
    request = settings.baseline
    folder = names.existing(request.text, request.folder, rootpath=settings.rootpath, option=request.named_by)
    try:
        baseline = SavedBaseline(store.read(folder))
    except ClipError as error:
        raise ClipError(f"{request.named_by}: {error}") from None
    baseline.check_asked(settings, list(models), list(data))
    return Regressions(baseline)
