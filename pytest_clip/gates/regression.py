"""Regressions: one gate's outcomes of two models held against the drop that its rule allows."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from pytest_clip.gates.digits import distinct
from pytest_clip.gates.exact import drop_of
from pytest_clip.metrics import paired
from pytest_clip.metrics.outcomes import Outcomes as Outcomes
from pytest_clip.metrics.resampling import seed_from

Status = Literal["pass", "fail", "insufficient"]
MCNEMAR = "exact McNemar"
BOOTSTRAP = "paired bootstrap"
VALUES = "values alone"


@dataclass(frozen=True)
class Regression:
    """How much worse a gate's value became, how sure that is, and what its rule makes of it.

    ``drop`` is in the unit of the metric, above 0 = worse. ``lower`` and ``upper`` are its one-sided 95 % bounds, ``p`` the probability of
    such a drop between equally good models; all None where only the two values are known (``method`` says so). ``worse`` and ``better``
    count the samples that only the new model gets wrong and right. ``needed_n``: with about so many images the drop, if it stays, would be
    certain.
    """

    status: Status
    drop: float
    allowed: float
    lower: float | None
    upper: float | None
    p: float | None
    method: str
    n: int | None
    worse: int | None = None
    better: int | None = None
    needed_n: int | None = None
    reason: str | None = None

    @property
    def half_width(self) -> float | None:
        """Half of the interval between the two bounds."""
        return None if self.lower is None or self.upper is None else (self.upper - self.lower) / 2

    @property
    def row(self) -> dict[str, Any]:
        """Builtins for the JSON record."""
        return {**asdict(self), "half_width": self.half_width}

    @property
    def sentence(self) -> str:
        """The outcome in words, after the gate's name or by itself."""
        drop, allowed = distinct(self.drop, self.allowed)
        if self.status == "pass":
            held = f"no drop above max_drop {allowed}: drop {drop}"
            open_to = self.upper is not None and self.upper > self.allowed
            return f"{held}{f', one of up to {self.upper:.4f} not excluded' if open_to else ''} ({self.basis})"
        if self.status == "fail":
            return f"drop {drop} > max_drop {allowed} ({self.basis})"
        if self.half_width is None:
            return f"insufficient: drop {drop} > max_drop {allowed}, but {self.reason}"
        needed = "" if self.needed_n is None else f"; about {self.needed_n:,} images would settle it"
        return f"insufficient: drop {drop} > max_drop {allowed}, but it may be chance: +-{self.half_width:.4f}{needed} ({self.basis})"

    @property
    def basis(self) -> str:
        """``exact McNemar, 84 worse and 25 better of 1900, 95 % sure of at least 0.0190, p = 1.2e-08``"""
        if self.p is None or self.lower is None:
            return self.reason or "no paired outcomes: judged on the values alone"
        counts = f"n = {self.n}" if self.worse is None else f"{self.worse} worse and {self.better} better of {self.n}"
        sure = f", 95 % sure of at least {self.lower:.4f}" if self.lower > 0 else ""
        return f"{self.method}, {counts}{sure}, p = {self.p:.2g}"


def regress(
    base: Outcomes | None,
    now: Outcomes | None,
    *,
    gate: str,
    base_value: float,
    value: float,
    better: Literal["higher", "lower"],
    allowed: float,
    alpha: float = 0.05,
) -> Regression:
    """Hold the drop from ``base_value`` to ``value`` against ``allowed``, in the metric's own unit.

    *fail*: the drop is larger than allowed, its one-sided 95 % lower bound is above 0 and p <= ``alpha``. *insufficient*: the drop is
    larger than allowed but the interval holds 0 too, so chance explains it as well; ``needed_n`` says how many images would tell. *pass*:
    the drop is not larger than allowed. So models with the same outcomes pass whatever is allowed, and a looser rule never turns a pass
    into anything else.

    ``gate`` seeds the resampling, so the same two runs always get the same verdict. Shares of right answers whose samples stand alone
    are decided by an exact test, everything else by the paired bootstrap, clustered where samples share a scene. Without outcomes or a
    statistic for them the values alone decide. ``alpha`` below 0.05 is for control over many gates (``metrics.holm``). ValueError for
    outcomes of different samples, for values that are not finite, and for a metric that is neither better high nor low.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"{gate}: a drop needs a better side, 'higher' or 'lower', not {better!r}")
    if not (math.isfinite(base_value) and math.isfinite(value)):
        raise ValueError(f"{gate}: a drop is between two finite values, not {base_value} and {value}")
    if not (allowed >= 0 and math.isfinite(allowed)):
        raise ValueError(f"{gate}: the allowed drop must be 0 or more, not {allowed}")
    sign = -1 if better == "higher" else 1
    drop = drop_of(base_value, value, sign=sign, allowed=allowed)
    beyond = drop > allowed
    if base is None or now is None or base.statistic is None or now.statistic is None:
        reason = "no paired outcomes: judged on the values alone"
        return Regression("fail" if beyond else "pass", drop, allowed, None, None, None, VALUES, None, reason=reason)
    now = now.like(base)
    worse, improved, bounds, method = _compared(base, now, gate, sign, drop)
    needed: int | None = None
    status: Status = "fail" if bounds.lower > 0 and bounds.p <= alpha else "insufficient"
    if not beyond:
        status = "pass"
    if not math.isfinite(bounds.half_width):
        few = bounds.units < 2
        reason = f"{bounds.units} sample is too few to compare" if few else "the statistic is undefined on too many resamples"
        return Regression(status, drop, allowed, None, None, None, method, base.n, worse, improved, None, reason)
    if status == "insufficient":
        if method == MCNEMAR and worse is not None and improved is not None:
            needed = paired.pairs_to_settle(worse, improved, n=base.n, alpha=alpha)
        else:
            needed = max(math.ceil(base.n * ((drop - min(bounds.lower, 0.0)) / drop) ** 2), base.n + 1)
    return Regression(status, drop, allowed, bounds.lower, bounds.upper, bounds.p, method, base.n, worse, improved, needed)


def _compared(base: Outcomes, now: Outcomes, gate: str, sign: int, drop: float) -> tuple[int | None, int | None, paired.Bounds, str]:
    """Samples that became worse and better where that can be counted, the bounds of the drop, and the name of the method."""
    one, two = base.binary, now.binary
    if one is None or two is None:
        return None, None, paired.bootstrap(base, now, seed=seed_from(gate), sign=sign, drop=drop), BOOTSTRAP
    lost, gained = int(np.count_nonzero(one & ~two)), int(np.count_nonzero(two & ~one))
    worse, better = (lost, gained) if sign < 0 else (gained, lost)
    if base.clusters is not None and np.unique(base.clusters).size < base.n:
        return worse, better, paired.bootstrap(base, now, seed=seed_from(gate), sign=sign, drop=drop), BOOTSTRAP
    return worse, better, paired.mcnemar(worse, better, n=base.n), MCNEMAR
