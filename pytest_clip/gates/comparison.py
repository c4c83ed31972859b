"""A gate held against a baseline: what changed, what the rule's ``max_drop`` makes of it, or why the two cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pytest_clip.gates.digits import distinct, short

if TYPE_CHECKING:
    from pytest_clip.gates.regression import Regression
    from pytest_clip.gates.rules import Bound

Status = Literal["pass", "fail", "insufficient"]

_FAMILY = {
    "observed": "; one of several gates, so p must be <= {alpha:.2g}",
    "sure": "; one of several gates, so its bound must be above at a level of {level:.5g}",
    "safe": "",  # each has to show that it is safe, whatever the others do
}


@dataclass(frozen=True)
class Comparison:
    """One gate against the baseline ``run`` (``run base``, ``model base-ViT-B-32``).

    ``value`` is the baseline's. ``bound`` is the ``max_drop`` that judges, None where no rule has one; ``allowed`` the same in the metric's
    own unit. ``change`` is the paired comparison. Where there is none, ``refused`` says why, and ``status`` what that means for the gate:
    None for nothing but a note.
    """

    run: str
    value: float | None
    bound: Bound | None
    change: Regression | None = None
    refused: str | None = None
    status: Status | None = None
    alpha: float | None = None
    flips: dict[str, Any] | None = None

    @property
    def sentence(self) -> str:
        """The outcome in words, with the name of the baseline."""
        if self.change is None:
            return f"not compared with {self.run}: {self.refused}"
        against = f"against {self.run}{'' if self.value is None else f' ({short(self.value)})'}"
        if self.bound is None:
            change, basis = self.change, self.change.basis
            return f"{_changed(change.drop)} {against} ({basis}); no max_drop, so not judged"
        share = f", {self.bound.text} of the baseline's {short(self.value)}" if self.bound.relative and self.value is not None else ""
        family = "" if self.alpha is None else _FAMILY[self.change.test].format(alpha=self.alpha, level=1 - self.alpha)
        return f"{self.change.sentence}{share} {against}{family}"

    @property
    def row(self) -> dict[str, Any]:
        """The ``baseline`` of the gate's row in the JSON record; builtins only."""
        change = self.change
        interval = None if change is None or change.lower is None else [change.lower, change.upper]
        return {
            "run": self.run,
            "value": self.value,
            "drop": None if change is None else change.drop,
            "ci": interval,
            "p": None if change is None else change.p,
            "method": None if change is None else change.method,
            "test": None if change is None or self.bound is None else change.test,
            "status": self.status,
            "allowed": None if change is None or self.bound is None else change.allowed,
            "alpha": self.alpha,
            "worse": None if change is None else change.worse,
            "better": None if change is None else change.better,
            "half_width": None if change is None else change.half_width,
            "needed_n": None if change is None else change.needed_n,
            "reason": self.refused if change is None else change.reason,
        }


def _changed(drop: float) -> str:
    [amount] = distinct(abs(drop))
    return "unchanged" if drop == 0 else f"worse by {amount}" if drop > 0 else f"better by {amount}"


SHOWN_IDS, SHOWN_GROUPS = 5, 3


def flip_lines(flips: Mapping[str, Any] | None) -> list[str]:
    """What a message says of the samples that went wrong: how many, the first of them, and the groups that stand out."""
    if not flips:
        return []
    ids: Sequence[str] = flips["ids"]
    rest = flips["worse"] - len(ids[:SHOWN_IDS])
    more = f" and {rest} more" if rest > 0 else ""
    lines = [f"{flips['worse']} of {flips['at_risk']} that were right are wrong: {', '.join(ids[:SHOWN_IDS])}{more}"]
    for group in [each for each in flips["groups"] if each["stands_out"]][:SHOWN_GROUPS]:
        odds = f"{group['odds_ratio']:.1f} times the odds of the others, corrected p = {group['p']:.2g}"
        lines.append(f"{group['fact']} {group['value']}: {group['worse']} of {group['at_risk']}, {odds}")
    return lines
