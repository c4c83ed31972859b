"""What a run chose among: a model, a data set, and the case of one test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.models.spec import ModelSpec


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        """The label: as parameters of a test these are shown by whoever writes a report."""
        return self.label


@dataclass(frozen=True, repr=False)
class DataChoice:
    """One ``--clip-data``: the text given, and the label that node ids, reports and thresholds use."""

    label: str
    text: str

    def __repr__(self) -> str:
        return self.label


@dataclass(frozen=True, repr=False)
class Case:
    """What a test marked ``clip_gate`` measures in one run of it. ``slice`` is the image set, None for a gate without slices."""

    gate: GateId
    lacking: bool = False
    """whether it stands for image sets that are not there, beside others that are measured"""

    def __repr__(self) -> str:
        return str(self.gate)

    @property
    def slice(self) -> str | None:
        return self.gate.slice
