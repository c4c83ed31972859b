"""The run: what was asked for, what has been loaded, what has been judged. One object per process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip.session.choices import DataChoice, ModelChoice
from pytest_clip.session.progress import ProgressFactory, silent
from pytest_clip.session.reach import Reach
from pytest_clip.session.settings import Settings

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.gates.ids import GateId
    from pytest_clip.gates.rules import Rulebook
    from pytest_clip.session.factors import Said
    from pytest_clip.session.regressions import Regressions
    from pytest_clip.session.updating import Target

Row = dict[str, Any]


@dataclass
class ClipSession:
    """Frozen settings, and everything built from them on first use."""

    settings: Settings
    models: tuple[ModelChoice, ...]
    data: tuple[DataChoice, ...]
    sets: Mapping[str, Sequence[SetInfo]]
    rulebook: Rulebook
    said: Mapping[str, Said] = field(default_factory=dict)
    """by model what people say of its factors"""
    threshold_files: tuple[Path, ...] = ()
    progress: ProgressFactory = silent
    forget: Callable[[Any], None] = lambda model: None
    """frees what is kept of a model that no test asks for any more"""
    loaded: dict[str, Any] = field(default_factory=dict)
    unloaded: set[str] = field(default_factory=set)
    """models that could not be loaded, which has been said"""
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

    @cached_property
    def reach(self) -> Reach:
        """Which gates the data of this run can answer."""
        return Reach(self.settings, self.sets)

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

    def names_for(self, gate: GateId, label: str) -> tuple[str, ...]:
        """What thresholds may call the model behind a gate: a gate of the suite lmm is of the LMM as well."""
        names, lmm = self.model_names(label), self.settings.lmm
        return (*names, lmm.label, lmm.text) if lmm is not None and gate.suite == "lmm" else names

    @property
    def named(self) -> set[str]:
        """All that thresholds may call a model of this run."""
        lmm = self.settings.lmm
        return {name for choice in self.models for name in choice.names} | (set() if lmm is None else {lmm.label, lmm.text})

    def model_spec(self, label: str) -> str | None:
        return next((choice.spec.text for choice in self.models if choice.label == label), None)

    def reads_a_file(self, label: str) -> bool:
        """Whether a model comes from a checkpoint file of the user's."""
        from pytest_clip.models.sources import reads_a_file

        return any(reads_a_file(choice.spec) for choice in self.models if choice.label == label)

    def data_option(self, label: str) -> str | None:
        """What ``--clip-data`` must say to get this data set, None for the default."""
        text = next((choice.text for choice in self.data if choice.label == label), label)
        return None if text == "scenes" else text

    @property
    def prompts_option(self) -> str | None:
        """What ``--clip-prompts`` named, None for the data sets' own templates."""
        return None if self.settings.prompts is None else self.settings.prompts.text

    def precision_of(self, label: str) -> str | None:
        """The precision in which a model that has been measured computes."""
        precision: str | None = self.facts["models"].get(label, {}).get("precision")
        return precision

    def note(self, nodeid: str, rows: Sequence[Row]) -> None:
        """Keep the rows of a finished item. A test that is run again replaces what it said before."""
        for row in rows:
            self.rows[nodeid, f"{row['gate']} {row['model']} {row['data']}"] = row
