"""What became of a mutant: which gates noticed it, and how near the others came. Rows in, plain data out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pytest_clip.mutants.excuse import Excuse

Row = Mapping[str, Any]
Rows = Mapping[tuple[str, str], Row]
"""By gate id and data set."""

NOTICED = ("fail", "insufficient")
"""Verdicts that stop a model; a rule with severity "warn" lets it through, so its warning notices nothing."""


@dataclass(frozen=True)
class Nearest:
    """The gate of a survivor that came nearest to noticing: it used up the largest share of the room to its bound."""

    gate: str
    key: str
    bound: float
    sound: float
    damaged: float


@dataclass(frozen=True)
class Outcome:
    """One mutant of one model. Either `excused`, or run: then `judged` gates pass on the sound model, and `killed_by` fail on this one."""

    name: str
    what: str
    model: str
    fingerprint: str | None = None
    killed_by: tuple[str, ...] = ()
    judged: int = 0
    nearest: Nearest | None = None
    excused: Excuse | None = None

    @property
    def survived(self) -> bool:
        """Whether it ran and nothing noticed."""
        return self.excused is None and not self.killed_by

    def row(self) -> dict[str, Any]:
        """For the JSON record: `equivalent` or `not_applicable` hold the reason of a mutant that did not run."""
        said: dict[str, str | None] = {
            kind: self.excused.reason if self.excused is not None and self.excused.kind == kind else None for kind in Excuse.KINDS
        }
        return {
            "name": self.name, "what": self.what, "model": self.model, "fingerprint": self.fingerprint, "killed_by": list(self.killed_by),
            "judged": self.judged, "survived": self.survived, **said, "nearest": None if self.nearest is None else asdict(self.nearest),
        }  # fmt: skip


def judged(sound: Rows) -> list[tuple[str, str]]:
    """The gates that can notice anything: those that pass on the sound model."""
    return [key for key, row in sound.items() if row["verdict"] == "pass"]


def killers(sound: Rows, damaged: Rows) -> tuple[str, ...]:
    """Ids of the gates that pass on the sound model and fail on the damaged one, in the order of `sound`."""
    found = [gate for gate, data in judged(sound) if (row := damaged.get((gate, data))) is not None and row["verdict"] in NOTICED]
    return tuple(dict.fromkeys(found))


def nearest(sound: Rows, damaged: Rows) -> Nearest | None:
    """Among the judged gates, the one whose value moved furthest towards its bound, as a share of the way; None if none moved."""
    found: list[tuple[float, Nearest]] = []
    for key in judged(sound):
        was, now = sound[key]["value"], damaged.get(key, {}).get("value")
        for side, sign in (("min", 1), ("max", -1)):
            bound = (sound[key].get("rule") or {}).get(side)
            if was is None or now is None or not isinstance(bound, int | float) or was == bound:
                continue
            share = (was - now) / (was - bound)
            if share > 0 and sign * (was - bound) > 0:
                found.append((share, Nearest(key[0], side, float(bound), float(was), float(now))))
    return max(found, key=lambda each: each[0])[1] if found else None


def score(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """Killed mutants, and all that ran: an equivalent mutant can be killed by nobody, so it does not count."""
    ran = [each for each in outcomes if each.excused is None]
    return sum(bool(each.killed_by) for each in ran), len(ran)


def toothless(sound: Iterable[Row], outcomes: Sequence[Row]) -> list[str]:
    """Gates that pass on the sound model and on every mutant, from rows of the record."""
    teeth = {gate for each in outcomes for gate in each["killed_by"]}
    return sorted({row["gate"] for row in sound if row["verdict"] == "pass"} - teeth)
