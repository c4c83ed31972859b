"""Which gates the data of a run can answer: what is out of reach, what is lacking, which image sets are behind a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_clip.session.choices import DataChoice
from pytest_clip.session.settings import Settings

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.gates.ids import GateId


@dataclass(frozen=True)
class Reach:
    """``sets`` are the image sets of each data set by its label, those included that are not there."""

    settings: Settings
    sets: Mapping[str, Sequence[SetInfo]]
    _reasons: dict[tuple[str, str], list[tuple[GateId, str | None]]] = field(default_factory=dict, repr=False, compare=False)
    """of the gates that were asked for, found so far: collection, listing, cost and report ask for the same ones"""
    _layouts: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    """by what --clip-data said; a data set lacks the sets of 30 metrics, and each of them asks"""

    def gates(self, metric_id: str, data: DataChoice) -> list[GateId]:
        """The gates of one metric that this run can measure on this data."""
        return [gate for gate, reason in self._weighed(metric_id, data) if reason is None]

    def out(self, metric_id: str, data: DataChoice) -> list[tuple[GateId, str]]:
        """Those that were asked for and that this data cannot answer, each with the reason."""
        return [(gate, reason) for gate, reason in self._weighed(metric_id, data) if reason]

    def lacking(self, metric_id: str, data: DataChoice) -> str | None:
        """Which image sets of this data the metric could be measured on if they were there, and how to get them; None if all are there."""
        from pytest_clip.gates.catalog import expand

        sets = self.sets[data.label]
        reasons = {each.name: each.absent for each in sets if getattr(each, "absent", "")}
        if not reasons:
            return None
        here = expand(metric_id, sets)
        names = [gate.slice for gate in expand(metric_id, sets, absent=True) if gate not in here]
        alike: dict[str, list[str]] = {}
        for name in names:
            alike.setdefault(reasons.get(name or "", reasons.get("clean", "")), []).append(name or metric_id)
        return "; ".join(f"{', '.join(some)}: {reason}" for reason, some in alike.items() if reason) or None

    def nothing_for(self, metric_id: str, data: DataChoice) -> str:
        """Why a data set has no gate of a metric, and what to put where to have one."""
        from pytest_clip.data import sources
        from pytest_clip.gates.catalog import CATALOG, needs

        over = CATALOG[metric_id].over or (("role:factor",) if metric_id.startswith("factors/") else ())
        over = ("role:backdrop",) if metric_id == "factors/background_gap" else over
        over = ("columns",) if CATALOG[metric_id].of_columns else over
        way = sources.PAIRED if needs.paired(metric_id) else sources.advice(over, data=data.text, kind=self._layout(data.text))
        return f"the data set {data.label} has no image set for {metric_id} ({', '.join(over)})" + (f"; {way}" if way else "")

    def _layout(self, text: str) -> str:
        from pytest_clip.data import sources

        if text not in self._layouts:
            self._layouts[text] = "" if text == "scenes" else sources.kind_of(text)
        return self._layouts[text]

    def behind(self, gate: GateId, label: str) -> tuple[str, ...]:
        """The image sets of a data set that a gate is a number of, as far as its name tells."""
        from pytest_clip.gates.catalog import CATALOG
        from pytest_clip.gates.catalog.metric import STORED
        from pytest_clip.gates.catalog.needs import matches

        there = [each for each in self.sets.get(label, ()) if not getattr(each, "absent", "")]
        if gate.slice in [each.name for each in there]:
            return (gate.slice,)
        if gate.suite in self._corruptions and (stored := [each.name for each in there if each.role == STORED]):
            kinds = self._kinds(gate.suite, self.sets[label]) if gate.slice is None else (gate.slice,)
            return tuple(name for name in stored if name.partition("-")[0] in kinds)
        over = CATALOG[gate.metric_id].over if gate.metric_id in CATALOG else ()
        named = tuple(each.name for each in there if any(matches(each, pattern) for pattern in over))
        return named or (("clean",) if gate.metric_id in CATALOG and "clean" in [each.name for each in there] else ())

    def of_other_kinds(self, gate: GateId) -> bool:
        """Whether it is a mean over corruptions that the ini file chose, or an attack of its steps or images: shipped bounds are those of
        the defaults."""
        from pytest_clip.views import catalog as views
        from pytest_clip.views.attacks.budgets import IMAGES, STEPS

        if gate.suite == "adversarial":
            return (self.settings.adversarial_images, self.settings.adversarial_steps) != (IMAGES, STEPS)
        default = {"corruptions": views.IMAGENET_C, "corruptions_3d": views.GEOMETRIC}
        return gate.slice is None and gate.suite in default and self._corruptions[gate.suite] != default[gate.suite]

    @property
    def _corruptions(self) -> dict[str, tuple[str, ...]]:
        chosen = self.settings
        return {
            "corruptions": chosen.corruptions, "corruptions_3d": chosen.corruptions_3d, "corruptions_laion_c": chosen.corruptions_laion_c,
        }  # fmt: skip

    def _kinds(self, suite: str, sets: Sequence[SetInfo]) -> tuple[str, ...]:
        """The kinds that a mean is over: those that were chosen; of LAION-C all that lie on disk, unless some were chosen."""
        from pytest_clip.views import catalog as views

        stored = {each.name.partition("-")[0] for each in sets if each.role == "corruption" and not getattr(each, "absent", "")}
        if suite != "corruptions_laion_c" or self._corruptions[suite] or not stored:
            return self._corruptions[suite]
        return tuple(kind for kind in views.STORED_LAION if kind in stored)

    def _weighed(self, metric_id: str, data: DataChoice) -> list[tuple[GateId, str | None]]:
        key = metric_id, data.label
        if key not in self._reasons:
            self._reasons[key] = [(gate, self._reason(gate, data)) for gate in self._asked(metric_id, data)]
        return self._reasons[key]

    def _asked(self, metric_id: str, data: DataChoice) -> list[GateId]:
        from pytest_clip.gates.catalog import expand

        chosen, gates = self._corruptions, expand(metric_id, self.sets[data.label])
        if metric_id.startswith("corruptions_laion_c/"):
            return self._of_laion(gates, self.sets[data.label])
        return [g for g in gates if g.suite not in chosen or g.slice is None or g.slice.partition("-")[0] in chosen[g.suite]]

    def _of_laion(self, gates: Sequence[GateId], sets: Sequence[SetInfo]) -> list[GateId]:
        """Of kinds that lie on disk all that there is; of those made in memory one severity of each, unless kinds were chosen."""
        from pytest_clip.views import catalog as views

        kinds = self._kinds("corruptions_laion_c", sets)
        if kinds:
            return [gate for gate in gates if gate.slice is None or gate.slice.partition("-")[0] in kinds]
        alone = {f"{kind}-{views.ALONE}" for kind in views.KINDS_LAION}
        stored = any(each.role == "corruption" and not getattr(each, "absent", "") for each in sets)
        return [gate for gate in gates if gate.metric == "accuracy" and gate.slice in alone and not stored]

    def _reason(self, gate: GateId, data: DataChoice) -> str | None:
        """Why a gate is out of reach. A mean over fewer kinds than were asked for is another number, so it is not measured under the same
        name."""
        if gate.suite not in self._corruptions:
            return None
        from pytest_clip.data.classfolders import LAY_DEPTH
        from pytest_clip.gates.catalog import CATALOG
        from pytest_clip.views import catalog as views

        kinds = self._kinds(gate.suite, self.sets[data.label]) if gate.slice is None else (gate.slice.partition("-")[0],)
        stored = {each.name for each in self.sets[data.label] if each.role == "corruption" and not getattr(each, "absent", "")}
        if stored and (gone := [f"{k}-{s}" for k in kinds for s in views.SEVERITIES if gate.slice is None and f"{k}-{s}" not in stored]):
            more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
            return f"{gate.metric} is a mean over {', '.join(kinds)}; the data set {data.label} has no {', '.join(gone[:3])}{more}"
        if CATALOG[gate.metric_id].imagenet and not stored:
            title, folder = ("ImageNet-C" if gate.suite == "corruptions" else "ImageNet-3DCC"), data.text.partition("::")[0]
            told = f"{gate.metric} is over errors of AlexNet on the files of {title}, and corruptions made in memory are not these files"
            return (
                f"{told} (up to 10 points of accuracy a kind); put them into {folder}/{title.lower()}/, or read {gate.metric}_unnormalised"
            )
        seen = bool(stored) or self.settings.depth_model is not None or any(getattr(each, "depth", False) for each in self.sets[data.label])
        if not seen and (blind := [kind for kind in kinds if kind in views.NEEDS_DEPTH]):
            follow = f"{', '.join(blind)} follow{'s' * (len(blind) == 1)} depth"
            return f"{follow}, and the data set {data.label} has no depth maps; {LAY_DEPTH.format(folder=data.text)}"
        whole = views.IMAGENET_C if gate.suite == "corruptions" else views.KINDS_3D
        if CATALOG[gate.metric_id].imagenet and (left_out := [kind for kind in whole if kind not in kinds]):
            return f"{gate.metric} is a mean over {len(whole)} kinds; the ini key clip_{gate.suite} leaves out {', '.join(left_out)}"
        return None
