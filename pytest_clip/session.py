"""The run: what was asked for, what has been loaded, what has been judged. One object per process; knows nothing of pytest."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip.report.progress import ProgressFactory, silent

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.gates.comparison import Comparison
    from pytest_clip.gates.ids import GateId
    from pytest_clip.gates.measurement import Measurement
    from pytest_clip.gates.rules import Rule, Rulebook
    from pytest_clip.gates.verdicts import Verdict
    from pytest_clip.models.spec import ModelSpec
    from pytest_clip.runs.regressions import Regressions
    from pytest_clip.settings import Settings
    from pytest_clip.updating import Target

Row = dict[str, Any]


@dataclass(frozen=True)
class ModelChoice:
    """One ``--clip-model``. ``label`` is unique in the run, in node ids and reports; ``names`` are what thresholds may call it.

    ``role`` is ``baseline`` for ``--clip-baseline-model``, which is measured and not judged. A damaged copy has the label of its model as
    ``copy_of`` and the name of the damage as ``mutant``.
    """

    label: str
    spec: ModelSpec
    names: tuple[str, ...]
    role: str | None = None
    copy_of: str | None = None
    mutant: str | None = None


@dataclass(frozen=True)
class DataChoice:
    """One ``--clip-data``: the text given, and the label that node ids, reports and thresholds use."""

    label: str
    text: str


@dataclass(frozen=True)
class Case:
    """What a test marked ``clip_gate`` measures in one run of it. ``slice`` is the image set, None for a gate without slices."""

    gate: GateId
    lacking: bool = False
    """whether it stands for image sets that are not there, beside others that are measured"""

    @property
    def slice(self) -> str | None:
        return self.gate.slice


@dataclass
class ClipSession:
    """Frozen settings, and everything built from them on first use."""

    settings: Settings
    models: tuple[ModelChoice, ...]
    data: tuple[DataChoice, ...]
    sets: Mapping[str, Sequence[SetInfo]]
    rulebook: Rulebook
    threshold_files: tuple[Path, ...] = ()
    progress: ProgressFactory = silent
    forget: Callable[[Any], None] = lambda model: None
    """frees what is kept of a model that no test asks for any more"""
    loaded: dict[str, Any] = field(default_factory=dict)
    loaded_data: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, dict[str, Row]] = field(default_factory=lambda: {"models": {}, "data": {}})
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    regressions: Regressions | None = None
    update: Target | None = None
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """by data set, what its names and counts leave in doubt, and its pictures once they have been read"""
    inspected: set[str] = field(default_factory=set)
    """data sets whose pictures have been read"""

    @property
    def judged(self) -> tuple[ModelChoice, ...]:
        """The models under test."""
        return tuple(choice for choice in self.models if choice.role is None)

    def role_of(self, label: str) -> str | None:
        return next((choice.role for choice in self.models if choice.label == label), None)

    def gates(self, metric_id: str, data: DataChoice) -> list[GateId]:
        """The gates of one metric that this run can measure on this data."""
        return [gate for gate in self._asked(metric_id, data) if self._out_of_reach(gate, data) is None]

    def gates_out_of_reach(self, metric_id: str, data: DataChoice) -> list[tuple[GateId, str]]:
        """Those that were asked for and that this data cannot answer, each with the reason."""
        return [(gate, reason) for gate in self._asked(metric_id, data) if (reason := self._out_of_reach(gate, data))]

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
        way = sources.PAIRED if needs.paired(metric_id) else sources.advice(over, data=data.text)
        return f"the data set {data.label} has no image set for {metric_id} ({', '.join(over)})" + (f"; {way}" if way else "")

    def _asked(self, metric_id: str, data: DataChoice) -> list[GateId]:
        from pytest_clip.gates.catalog import expand

        chosen, gates = self._corruptions, expand(metric_id, self.sets[data.label])
        return [g for g in gates if g.suite not in chosen or g.slice is None or g.slice.partition("-")[0] in chosen[g.suite]]

    @property
    def _corruptions(self) -> dict[str, tuple[str, ...]]:
        return {"corruptions": self.settings.corruptions, "corruptions_3d": self.settings.corruptions_3d}

    def _out_of_reach(self, gate: GateId, data: DataChoice) -> str | None:
        """A mean over fewer kinds than were asked for is another number, so it is not measured under the same name."""
        if gate.suite not in self._corruptions:
            return None
        from pytest_clip.data.classfolders import LAY_DEPTH
        from pytest_clip.gates.catalog import CATALOG
        from pytest_clip.views import catalog as views

        kinds = self._corruptions[gate.suite] if gate.slice is None else (gate.slice.partition("-")[0],)
        stored = {each.name for each in self.sets[data.label] if each.role == "corruption" and not getattr(each, "absent", "")}
        if stored and (gone := [f"{k}-{s}" for k in kinds for s in views.SEVERITIES if gate.slice is None and f"{k}-{s}" not in stored]):
            more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
            return f"{gate.metric} is a mean over {', '.join(kinds)}; the data set {data.label} has no {', '.join(gone[:3])}{more}"
        seen = bool(stored) or self.settings.depth_model is not None or any(getattr(each, "depth", False) for each in self.sets[data.label])
        if not seen and (blind := [kind for kind in kinds if kind in views.NEEDS_DEPTH]):
            follow = f"{', '.join(blind)} follow{'s' * (len(blind) == 1)} depth"
            return f"{follow}, and the data set {data.label} has no depth maps; {LAY_DEPTH.format(folder=data.text)}"
        whole = views.IMAGENET_C if gate.suite == "corruptions" else views.KINDS_3D
        if CATALOG[gate.metric_id].imagenet and (left_out := [kind for kind in whole if kind not in kinds]):
            return f"{gate.metric} is a mean over {len(whole)} kinds; the ini key clip_{gate.suite} leaves out {', '.join(left_out)}"
        return None

    @cached_property
    def copies(self) -> tuple[ModelChoice, ...]:
        """The damaged copies of ``--clip-mutants``, each model's first one undamaged."""
        if not self.settings.mutants:
            return ()
        from pytest_clip.mutants.catalog import SOUND

        names = (SOUND, *self.settings.mutants)
        return tuple(
            replace(choice, label=f"{choice.label}~{name}", copy_of=choice.label, mutant=name) for choice in self.judged for name in names
        )

    def original(self, label: str) -> str:
        """The model that a damaged copy is a copy of; any other model's own label."""
        return next((choice.copy_of for choice in self.copies if choice.label == label and choice.copy_of is not None), label)

    def model_names(self, label: str) -> tuple[str, ...]:
        return next((choice.names for choice in self.models if choice.label == self.original(label)), (label,))

    def model_spec(self, label: str) -> str | None:
        return next((choice.spec.text for choice in self.models if choice.label == label), None)

    def data_option(self, label: str) -> str | None:
        """What ``--clip-data`` must say to get this data set, None for the default."""
        text = next((choice.text for choice in self.data if choice.label == label), label)
        return None if text == "scenes" else text

    @property
    def prompts_option(self) -> str | None:
        """What ``--clip-prompts`` named, None for the data sets' own templates."""
        return None if self.settings.prompts is None else self.settings.prompts.text

    def _of_other_kinds(self, gate: GateId) -> bool:
        """Whether it is a mean over corruptions that the ini file chose: shipped bounds are those of the mean over the default kinds."""
        from pytest_clip.views import catalog as views

        default = {"corruptions": views.IMAGENET_C, "corruptions_3d": views.GEOMETRIC}
        return gate.slice is None and gate.suite in default and self._corruptions[gate.suite] != default[gate.suite]

    def rule_for(self, gate: GateId, model: str, data: str | None) -> Rule | None:
        rule = self.rulebook.rule_for(gate, self.model_names(model), data)
        if self._of_other_kinds(gate):
            for key in ("min", "max"):
                rule = rule and rule.without_shipped(key)
        if rule is None or self.settings.baseline is not None or self.settings.baseline_model is not None:
            return rule
        return rule.without_shipped("max_drop")  # waits for whoever has a baseline; to all others it would say nothing

    def judge(self, measurement: Measurement, *, fingerprint: str | None, test: str | None = None) -> Verdict:
        """Hold it against its rule. ``test`` is the node id of a test that is in no shipped suite, for the command that repeats it."""
        from pytest_clip.gates.verdicts import as_baseline, judge

        if self.role_of(measurement.model) is not None:
            return as_baseline(measurement)
        rule = self.rule_for(measurement.gate, measurement.model, measurement.data)
        return judge(
            measurement,
            rule,
            self.rulebook.waiver_for(measurement.gate, self.model_names(measurement.model), measurement.data),
            spec=self.model_spec(measurement.model),
            fingerprint=fingerprint,
            options=self.options_of(measurement.data),
            test=test,
            comparison=self._compared(measurement, rule),
        )

    def _compared(self, measurement: Measurement, rule: Rule | None) -> Comparison | None:
        """Against the baseline; a damaged copy against that of its model."""
        if self.regressions is None:
            return None
        return self.regressions.compare(self, replace(measurement, model=self.original(measurement.model)), rule)

    def options_of(self, data: str) -> tuple[str, ...]:
        """The options of this run that decide about a number or its verdict, for the command that measures it again."""
        from pytest_clip.gates.layers import ThresholdsFile

        settings = self.settings
        given: dict[str, Sequence[object]] = {
            "data": [self.data_option(data)],
            "prompts": [self.prompts_option],
            "depth-model": [None if settings.depth_model is None else settings.depth_model.folder or settings.depth_model.text],
            "limit": [settings.limit],
            "max-unreadable": [settings.max_unreadable or None],
            "precision": [settings.precision if settings.precision != "fp32" else None],
            "baseline": [settings.baseline.text if settings.baseline is not None and settings.baseline.named_by.startswith("--") else None],
            "baseline-model": [settings.baseline_model],
            "thresholds": [ThresholdsFile(path).label for path, by in settings.thresholds if by == "--clip-thresholds"],
        }
        return tuple(f"--clip-{name}={value}" for name, values in given.items() for value in values if value is not None)

    def describe_model(self, label: str, model: Any) -> None:
        """Remember the facts of a model that was really used; reports show the fingerprint, so that a wrong model is seen."""
        from pytest_clip.gates.measurement import plain

        facts: Row = {"name": label, "fingerprint": None, "architecture": None, "pretrained": None, "preprocess": None, "precision": None}
        facts.update(plain(dict(getattr(model, "facts", None) or {}), f"facts of the model {label}"))
        for name in ("fingerprint", "precision", "device"):
            facts[name] = plain(getattr(model, name, None), f"{name} of the model {label}")
        if role := self.role_of(label):
            facts["role"] = role
        self.facts["models"][label] = facts

    def sets_behind(self, gate: GateId, label: str) -> tuple[str, ...]:
        """The image sets of a data set that a gate is a number of, as far as its name tells."""
        from pytest_clip.gates.catalog import CATALOG
        from pytest_clip.gates.catalog.metric import STORED
        from pytest_clip.gates.catalog.needs import matches

        there = [each for each in self.sets.get(label, ()) if not getattr(each, "absent", "")]
        if gate.slice in [each.name for each in there]:
            return (gate.slice,)
        if gate.suite in self._corruptions and (stored := [each.name for each in there if each.role == STORED]):
            kinds = self._corruptions[gate.suite] if gate.slice is None else (gate.slice,)
            return tuple(name for name in stored if name.partition("-")[0] in kinds)
        over = CATALOG[gate.metric_id].over if gate.metric_id in CATALOG else ()
        named = tuple(each.name for each in there if any(matches(each, pattern) for pattern in over))
        return named or (("clean",) if gate.metric_id in CATALOG and "clean" in [each.name for each in there] else ())

    def note(self, nodeid: str, rows: Sequence[Row]) -> None:
        """Keep the rows of a finished item. A test that is run again replaces what it said before."""
        for row in rows:
            self.rows[nodeid, f"{row['gate']} {row['model']} {row['data']}"] = row


# The calls to the heavy neighbours, each in one place.


def image_sets(name: str) -> Sequence[SetInfo]:
    """The image sets of a data set by name, role and size, without making or reading one image."""
    from pytest_clip.data import catalog

    return catalog.sets(name)


def doubts(data: Sequence[DataChoice]) -> dict[str, tuple[str, ...]]:
    """What the doctor says about names and counts; what makes a run impossible has been refused before."""
    from pytest_clip.data import doctor

    return {choice.label: tuple(each.what for each in doctor.quick(choice.text) if each.level == "warn") for choice in data}


def load_data(session: ClipSession, choice: DataChoice) -> Any:
    from pytest_clip import data
    from pytest_clip.data import content

    content.remember_in(session.settings.cache_dir / "content" if session.settings.cache else None)
    known = session.sets.get(choice.label)
    settings = session.settings
    made = data.load(choice.text, limit=settings.limit, prompts=settings.prompts, known=known, max_unreadable=settings.max_unreadable)
    return replace(made, depth_model=settings.depth_model)


def load_model(session: ClipSession, choice: ModelChoice) -> Any:
    from pytest_clip.models import lazy
    from pytest_clip.xdist import visible_cards

    settings = session.settings

    def build() -> Any:
        from pytest_clip.models.quiet import unswept

        with unswept():
            from pytest_clip.models import openclip

        return openclip.load(
            choice.spec, device=settings.device, precision=settings.precision, compile=settings.compile, cache_dir=settings.cache_dir
        )

    if not settings.cache or session.copies:  # damaged copies are made of the model itself
        return build()
    conditions = {
        "device": settings.device,
        "precision": settings.precision,
        "compile": settings.compile,
        "cards": len(visible_cards(os.environ)),
    }
    return lazy.load(choice.spec, cache=settings.cache_dir, conditions=conditions, build=build)


def make_mutant(model: Any, name: str, *, data: Sequence[Any], extraction: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """The damaged copy, or the `Excuse` for there being none."""
    from pytest_clip.mutants import build

    return build.attempt(name, model, data=data, extraction=extraction, other=other)
