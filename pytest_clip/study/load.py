"""Runs from disk as a study takes them, one after the other, so that no two lie in memory at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_clip.runs import names, packed, store
from pytest_clip.runs.saved import SavedRun
from pytest_clip.study import images, records
from pytest_clip.study.members import Member, members, outcomes
from pytest_clip.study.population import Population
from pytest_clip.study.properties import wanted, with_properties


@dataclass(frozen=True)
class Loaded:
    """Models of some runs, their factors by name, and where the saved runs lie, by the name of the model."""

    members: tuple[Member, ...]
    factors: Mapping[str, Mapping[str, Any]]
    saved: Mapping[str, Path]
    more: Mapping[str, Mapping[str, str]] | None

    @property
    def population(self) -> Population:
        """With a column for each property, and with images drawn again where outcomes are known. ClipError for runs that are not alike."""
        made = records.population(self.members, more=self.more)
        return with_properties(replace(made, drawn=images.drawn(self.members)), self.members)

    def open(self, name: str) -> tuple[SavedRun, str]:
        """The saved run of a model, and its name there."""
        return _cached(self.saved[name]), next(each.model for each in self.members if each.name == name)


def load(paths: Sequence[Path], table: Path | None) -> Loaded:
    """The models of all runs. ClipError names the first run or line of the table that cannot be read."""
    held: list[Member] = []
    saved: dict[str, Path] = {}
    for path in paths:
        name = path.name.removesuffix(packed.SUFFIX)
        if packed.is_packed(path) or (path / names.MANIFEST).is_file():
            run = open_run(path)
            own = members(run.record, run=name)
            own = [replace(each, outcomes=outcomes(run, each, wanted(each.values))) for each in own]
            saved |= {each.name: path for each in own}
        else:
            own = members(records.read(path), run=name)
        held += own
    more = records.table(table, [each.name for each in held]) if table else None
    factors = {each.name: {**each.factors, **(more or {}).get(each.name, {})} for each in held}
    return Loaded(tuple(held), factors, saved, more)


@lru_cache(maxsize=3)
def _cached(path: Path) -> SavedRun:
    return open_run(path)


def open_run(path: Path) -> SavedRun:
    return packed.read(path) if packed.is_packed(path) else store.read(path)
