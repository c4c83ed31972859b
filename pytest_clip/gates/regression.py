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
    such a drop where there is none; all None where only the two values are known (``method`` says so). ``worse`` and ``better``
    count the samples that only the new model gets wrong and right. ``needed_n``: with about so many images the drop, if it stays, would be
    certain, or certainly small enough. ``test`` decided: ``observed``, ``sure`` or ``safe``.
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
    test: str = "observed"

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
        beyond, basis = f"drop {drop} > max_drop {allowed}", f"({self.basis}; drop_test {self.test})"
        needed = "" if self.needed_n is None else f"; about {self.needed_n:,} images would settle it"
        up_to = "" if self.upper is None else f"one of up to {self.upper:.4f} not excluded"
        if self.status == "pass":
            held = f"no drop above max_drop {allowed}: drop {drop}"
            if self.drop > self.allowed:
                held = f"no drop surely above max_drop {allowed}: drop {drop}"
            return f"{held}{f', {up_to}' if self.upper is not None and self.upper > self.allowed else ''} {basis}"
        if self.status == "fail":
            return f"{beyond} {basis}"
        if self.drop <= self.allowed:
            unsafe = up_to or self.reason
            return f"insufficient: drop {drop} is within max_drop {allowed}, but {unsafe}{needed} {basis}"
        if self.half_width is None:
            return f"insufficient: {beyond}, but {self.reason}"
        return f"insufficient: {beyond}, but it may be chance: +-{self.half_width:.4f}{needed} {basis}"

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
    test: str = "observed",
) -> Regression:
    """Hold the drop from ``base_value`` to ``value`` against ``allowed``, in the metric's own unit, by the one of three tests.

    ``observed``, null hypothesis: there is no drop. *fail*: the drop is larger than allowed, its one-sided 95 % lower bound is above 0 and
    p <= ``alpha``. *insufficient*: the drop is larger than allowed but the interval holds 0 too, so chance explains it as well;
    ``needed_n`` says how many images would tell. *pass*: the drop is not larger than allowed. A true drop of exactly what is allowed is
    larger in about half of all samples, so it fails in nearly half of them.

    ``sure``, null hypothesis: the drop is at most what is allowed. *fail*: its lower bound (at 1 - ``alpha``) is above that. Else *pass*.

    ``safe``, null hypothesis: the drop is at least what is allowed (non-inferiority). *pass*: its 95 % upper bound is below that.
    *fail*: the drop is larger than allowed. Else *insufficient*.

    Models with the same outcomes pass whatever is allowed by the first two; a looser rule never turns a pass into anything else.

    ``gate`` seeds the resampling, so the same two runs always get the same verdict. Shares of right answers whose samples stand alone
    are decided by an exact test, everything else by the paired bootstrap, clustered where samples share a scene. Without outcomes or a
    statistic for them the values alone decide by ``observed``; by the others what has no bound is *insufficient*. ``alpha`` below 0.05 is
    for control over many gates (``metrics.holm``). ValueError for outcomes of different samples, for values that are not finite, and for a
    metric that is neither better high nor low.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"{gate}: a drop needs a better side, 'higher' or 'lower', not {better!r}")
    if not (math.isfinite(base_value) and math.isfinite(value)):
        raise ValueError(f"{gate}: a drop is between two finite values, not {base_value} and {value}")
    if not (allowed >= 0 and math.isfinite(allowed)):
        raise ValueError(f"{gate}: the allowed drop must be 0 or more, not {allowed}")
    sign = -1 if better == "higher" else 1
    drop = drop_of(base_value, value, sign=sign, allowed=allowed)
    if base is None or now is None or base.statistic is None or now.statistic is None:
        reason = "no paired outcomes: judged on the values alone"
        status: Status = "fail" if drop > allowed else "pass"
        if test != "observed":
            status, reason = _status(test, drop, allowed, None, alpha), "no paired outcomes: no interval"
        return Regression(status, drop, allowed, None, None, None, VALUES, None, reason=reason, test=test)
    now = now.like(base)
    worse, improved, bounds, method = _compared(base, now, gate, sign, drop, paired.SURE)
    status = _status(test, drop, allowed, bounds, alpha)
    if not math.isfinite(bounds.half_width):
        few = bounds.units < 2
        reason = f"{bounds.units} sample is too few to compare" if few else "the statistic is undefined on too many resamples"
        return Regression(status, drop, allowed, None, None, None, method, base.n, worse, improved, None, reason, test)
    if test == "sure" and status == "fail" and alpha < 1 - paired.SURE:
        status = _status(test, drop, allowed, _compared(base, now, gate, sign, drop, 1 - alpha)[2], alpha)
    needed = _needed(test, drop, allowed, bounds, base.n) if status == "insufficient" else None
    if needed is not None and test == "observed" and method == MCNEMAR and worse is not None and improved is not None:
        needed = paired.pairs_to_settle(worse, improved, n=base.n, alpha=alpha)
    return Regression(
        status, drop, allowed, bounds.lower, bounds.upper, bounds.p, method, base.n, worse, improved, needed, None, test
    )  # fmt: skip


def _status(test: str, drop: float, allowed: float, bounds: paired.Bounds | None, alpha: float) -> Status:
    lower, upper, p = (-math.inf, math.inf, 1.0) if bounds is None else (bounds.lower, bounds.upper, bounds.p)
    beyond = drop > allowed
    if test == "safe":
        return "fail" if beyond else "pass" if upper < allowed else "insufficient"
    if not beyond:
        return "pass"
    if test == "sure":
        return "fail" if lower > allowed else "pass" if math.isfinite(lower) else "insufficient"
    return "fail" if lower > 0 and p <= alpha else "insufficient"


def _needed(test: str, drop: float, allowed: float, bounds: paired.Bounds, n: int) -> int | None:
    """About how many images bring the bound to where it decides, if the drop stays: its distance shrinks as their square root grows."""
    if test == "safe":
        return None if drop >= allowed else math.ceil(n * ((bounds.upper - drop) / (allowed - drop)) ** 2) + 1
    return max(math.ceil(n * ((drop - min(bounds.lower, 0.0)) / drop) ** 2), n + 1)


def _compared(
    base: Outcomes, now: Outcomes, gate: str, sign: int, drop: float, level: float
) -> tuple[int | None, int | None, paired.Bounds, str]:
    """Samples that became worse and better where that can be counted, the bounds of the drop, and the name of the method."""
    one, two, seed = base.binary, now.binary, seed_from(gate)
    if one is None or two is None:
        return None, None, paired.bootstrap(base, now, seed=seed, sign=sign, drop=drop, level=level), BOOTSTRAP
    lost, gained = int(np.count_nonzero(one & ~two)), int(np.count_nonzero(two & ~one))
    worse, better = (lost, gained) if sign < 0 else (gained, lost)
    if base.clusters is not None and np.unique(base.clusters).size < base.n:
        return worse, better, paired.bootstrap(base, now, seed=seed, sign=sign, drop=drop, level=level), BOOTSTRAP
    return worse, better, paired.mcnemar(worse, better, n=base.n, level=level), MCNEMAR
