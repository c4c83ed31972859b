"""Why a mutant does not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Kind = Literal["equivalent", "not_applicable"]


@dataclass(frozen=True)
class Excuse:
    """`equivalent`: the damaged copy answers like the model, so nobody can tell them apart. `not_applicable`: there is no such copy."""

    KINDS: ClassVar[tuple[Kind, ...]] = ("equivalent", "not_applicable")

    kind: Kind
    reason: str
