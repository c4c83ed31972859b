"""A user's models among the public checkpoints: how far they lie from the published lines, where those speak at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_clip.study.axes import onto
from pytest_clip.study.clusters import Estimate
from pytest_clip.study.effects import in_shares
from pytest_clip.study.lines import Line, of_share
from pytest_clip.study.members import Member
from pytest_clip.study.study import Study


@dataclass(frozen=True)
class Placed:
    """A model on one shift: both accuracies, and how far it lies above the published line in shares (value, low, high of 95 %).

    `refused` says why it is not drawn or has no distance; `drawn` is whether it is in the figure.
    """

    model: str
    shift: str
    clean: float | None
    value: float | None
    shares: tuple[float, float, float] | None
    refused: str | None = None

    @property
    def drawn(self) -> bool:
        return self.clean is not None and self.value is not None


def placed(study: Study, members: Sequence[Member]) -> list[Placed]:
    """Every model on every shift that the published study has a straight line of; the lines are those of the public checkpoints alone.

    The variance of a distance is that of the line there, over families, and that of both shares of the model, as of independent images.
    """
    found = []
    for member in members:
        for shift in study.plan.shifts:
            found.append(_one(study, member, shift))  # noqa: PERF401 - a function that reads well
    return found


def _one(study: Study, member: Member, shift: str) -> Placed:
    clean, on = (member.published.get(name) for name in (study.plan.clean, shift))
    if clean is None or on is None:
        lacking = study.plan.clean if clean is None else shift
        return Placed(member.name, shift, None, None, None, "; ".join(member.strange) or f"it was not measured on {lacking}")
    at, value = clean[0], on[0]
    line = next((each for each in study.lines if each.on == shift and not each.group and len(each.clean) == 1), None)
    if line is None or not line.coefficients:
        return Placed(
            member.name,
            shift,
            at,
            value,
            None,
            "the published line is curved in every range that was tried" if line is None else line.refused,
        )
    if not line.lowest <= at <= line.highest:
        why = f"its {study.plan.clean} of {at:.3f} is outside the line's range ({line.lowest:.3f} to {line.highest:.3f})"
        return Placed(member.name, shift, None, None, None, why)
    return Placed(member.name, shift, at, value, _distance(line, clean, on))


def _distance(line: Line, clean: tuple[float, int], on: tuple[float, int]) -> tuple[float, float, float]:
    x, y = (float(onto(np.array([share]), "logit", n=n)[0]) for share, n in (clean, on))
    row, coefficients = np.array([1.0, x]), np.array(line.coefficients)
    assert line.slope is not None
    own = float(of_share(np.array([on[0]]), on[1])[0] + coefficients[1] ** 2 * of_share(np.array([clean[0]]), clean[1])[0])
    level = float(row @ coefficients)
    variance = float(row @ np.array(line.covariance) @ row)
    return in_shares(Estimate(y - level, float(np.sqrt(variance + own)), line.slope.df), level, "logit")
