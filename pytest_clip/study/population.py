"""Many models at once: their factors, the numbers of each, and the lineage that each belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_clip import ClipError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """Models [m] in one order. Models of one `lineage` (the same towers on the same data) are not independent of each other.

    `factors`: a level, or None where it is not known, per model. `amounts`: sizes that are numbers (parameters, samples seen), NaN where
    unknown. `values`: shares in [0, 1] by the name of the set they are measured on, NaN where a model was not; `counts`: images of that
    set, 0 where it is not known. `drawn`: values [R, m] of resamples of the images, the same images for all models, NaN for a model whose
    outcomes are not known; only of sets that some model has outcomes of.
    """

    names: tuple[str, ...]
    lineages: tuple[str, ...]
    factors: Mapping[str, tuple[str | None, ...]]
    amounts: Mapping[str, Floats]
    values: Mapping[str, Floats]
    counts: Mapping[str, int]
    drawn: Mapping[str, Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for what, each in (("lineages", {"": self.lineages}), ("factor", self.factors), ("amount", self.amounts), ("value", self.values)):
            for key, column in each.items():
                if len(column) != len(self.names):
                    raise ClipError(f"{what} {key!r} has {len(column)} entries for {len(self.names)} models")

    def __len__(self) -> int:
        return len(self.names)

    def only(self, kept: npt.ArrayLike) -> Population:
        """The models at these places, or where a mask is true."""
        at = np.arange(len(self))[np.asarray(kept)]

        def pick(column: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(column[i] for i in at)

        return Population(
            pick(self.names), pick(self.lineages), {key: pick(each) for key, each in self.factors.items()},
            {key: each[at] for key, each in self.amounts.items()}, {key: each[at] for key, each in self.values.items()}, self.counts,
            {key: each[:, at] for key, each in self.drawn.items()},
        )  # fmt: skip

    def slim(self, *, values: Collection[str], factors: Collection[str], amounts: Collection[str] = ()) -> Population:
        """The same models with these columns alone: choosing among models copies every column."""
        return replace(
            self, factors={key: self.factors[key] for key in factors if key in self.factors},
            amounts={key: self.amounts[key] for key in amounts if key in self.amounts},
            values={key: self.values[key] for key in values if key in self.values},
            drawn={key: self.drawn[key] for key in values if key in self.drawn},
        )  # fmt: skip

    def families(self, factor: str) -> dict[str, int]:
        """How many lineages each level of a factor has, largest first."""
        held: dict[str, set[str]] = {}
        for level, lineage in zip(self.factors[factor], self.lineages, strict=True):
            if level is not None:
                held.setdefault(level, set()).add(lineage)
        return dict(sorted(((level, len(each)) for level, each in held.items()), key=lambda pair: (-pair[1], pair[0])))

    def members(self, factor: str) -> dict[str, int]:
        """How many models each level of a factor has."""
        levels = [level for level in self.factors[factor] if level is not None]
        return {level: levels.count(level) for level in dict.fromkeys(levels)}
