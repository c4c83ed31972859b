"""Gate ids: the one name a gate has in parameter ids, TOML keys, JUnit properties, baselines and the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_clip import ClipError

_WORD = re.compile(r"[a-z0-9][a-z0-9_]*")
_SLICE = re.compile(r"[a-z0-9_.=-]+")
_WHOLE = re.compile(r"(?P<suite>[^/\[\]]*)/(?P<metric>[^/\[\]]*)(?:\[(?P<slice>[^\[\]]*)\])?")
MAX_LENGTH = 100  # JUnit viewers cut longer names, and two gates cut to the same text cannot be told apart
FORM = "suite/metric or suite/metric[slice] in lower-case ASCII, such as accuracy/top1 or ood/auroc[near]"


@dataclass(frozen=True)
class GateId:
    """``suite/metric`` or ``suite/metric[slice]``; a metric without a slice stands for all its slices in a rule.

    >>> GateId.parse("ood/auroc[near]")
    GateId(suite='ood', metric='auroc', slice='near')
    """

    suite: str
    metric: str
    slice: str | None = None

    def __post_init__(self) -> None:
        text = str(self)
        for name, part, form in (("suite", self.suite, _WORD), ("metric", self.metric, _WORD), ("slice", self.slice, _SLICE)):
            if part is not None and not form.fullmatch(part):
                allowed = "a-z 0-9 _" if form is _WORD else "a-z 0-9 _ . = -"
                raise ClipError(f"{text!r} is not a gate id: the {name} {part!r} may hold only {allowed}; write {FORM}")
        if len(text) > MAX_LENGTH:
            raise ClipError(f"{text!r} is not a gate id: {len(text)} characters, at most {MAX_LENGTH}; write {FORM}")

    def __str__(self) -> str:
        return self.metric_id if self.slice is None else f"{self.metric_id}[{self.slice}]"

    @property
    def metric_id(self) -> str:
        """``suite/metric``, the key of the catalog."""
        return f"{self.suite}/{self.metric}"

    def covers(self, other: GateId) -> bool:
        """Whether a rule written for this id speaks about ``other``: the same gate, or any slice of this whole metric."""
        return self.metric_id == other.metric_id and self.slice in (None, other.slice)

    @classmethod
    def parse(cls, text: str) -> GateId:
        found = _WHOLE.fullmatch(text)
        if found is None:
            raise ClipError(f"{text!r} is not a gate id; write {FORM}")
        return cls(found["suite"], found["metric"], found["slice"])
