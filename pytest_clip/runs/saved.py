"""A saved run as it was read: its record, and the outcomes behind each number of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_clip import ClipError
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs.packing import Pack, unpack

CLOSE = 1e-6
"""How far the number of a gate may be from the statistic of its outcomes; it was checked to 1e-9 when it was measured."""


@dataclass(frozen=True)
class SavedRun:
    """A saved run as read from `folder`. `manifest` says what it is, `record` is its JSON record, `asked` what the run was asked for."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]
    record: Mapping[str, Any]
    index: Mapping[str, Any] = field(repr=False)
    arrays: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    close: float = CLOSE

    @property
    def asked(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.manifest["asked"]
        return found

    @cached_property
    def rows(self) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        """Rows by model, data set and gate; without those of rules that nobody measured."""
        return {(row["model"], row["data"], row["gate"]): row for row in self.record["gates"] if row["n"] is not None}

    @property
    def models(self) -> list[str]:
        """Labels of the models that were under test, not of a baseline measured beside them."""
        return list(dict.fromkeys(row["model"] for row in self.rows.values() if not row.get("role")))

    def outcomes(self, model: str, data: str, gate: str) -> Outcomes | None:
        """Outcomes of one gate, None where it handed over none. ClipError where they do not make the number that the record has."""
        entry = self.index["gates"].get(key(model, data, gate))
        if entry is None:
            return None
        try:
            found = unpack(entry, self.arrays)
            told = self.rows[model, data, gate]["value"]
            if found.statistic is not None and told is not None and not abs(found.value - told) <= self.close * max(abs(told), 1.0):
                raise ValueError(f"they make {found.value:.6g} where the record says {told:.6g}")
        except (LookupError, ValueError, TypeError, ArithmeticError) as error:
            raise self._damaged(f"outcomes of {gate}", error) from error
        return found

    def facts(self, ids: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """What was known of these samples when the run was saved."""
        entry = self.index["samples"].get(Pack().put_texts(ids), {})
        try:
            found = {name: tuple(np.asarray(each["values"])[self.arrays[each["codes"]]].tolist()) for name, each in entry.items()}
            if wrong := [name for name, values in found.items() if len(values) != len(ids)]:
                raise ValueError(f"{len(found[wrong[0]])} values of {wrong[0]!r} for {len(ids)} samples")
        except (LookupError, ValueError, TypeError) as error:
            raise self._damaged("facts of its samples", error) from error
        return found

    def _damaged(self, what: str, error: Exception) -> ClipError:
        return ClipError(f"the saved run {self.folder} is damaged: {what} ({error}); save it again")


def key(model: str, data: str, gate: str) -> str:
    return f"{model} {data} {gate}"  # labels are free of spaces
