"""One gate of this run held against the same gate of the baseline."""

from __future__ import annotations

from pytest_clip.gates.agreement import differences
from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.comparison import Comparison, Status
from pytest_clip.gates.exact import share_of
from pytest_clip.gates.layers import SHIPPED
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.regression import regress
from pytest_clip.gates.rules import Bound
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs.baseline import Base

ALPHA = 0.05


def compare(
    measurement: Measurement,
    outcomes: Outcomes | None,
    base: Base | None,
    bound: Bound | None,
    *,
    run: str,
    precision: str | None = None,
    family: int | None = None,
    test: str = "observed",
) -> Comparison:
    """Hold ``measurement`` against ``base``, by ``bound`` (the rule's max_drop) where there is one.

    What cannot be compared is a failure when a rule of the project asks for it, and a note when nobody or only a shipped rule does;
    numbers made by different conventions are a failure for either. ``family`` counts the gates that share the error rate, None when each
    has its own. ``test`` is the rule's ``drop_test``.
    """
    lacking: Status | None = None if bound is None or bound.source.startswith(f"{SHIPPED}:") else "insufficient"
    judged: Status | None = None if bound is None else "fail"
    if base is None:
        return Comparison(run, None, bound, refused="it has not measured this gate", status=lacking)
    value = base.row["value"]
    if problem := _disagreement(measurement, base, precision):
        return Comparison(run, value, bound, refused=problem, status=judged)
    if value is None:
        return Comparison(run, None, bound, refused=f"it has no value: {base.row.get('reason') or 'not said why'}", status=lacking)
    if measurement.value is None:
        return Comparison(run, value, bound, refused="this run has no value", status=judged)
    side = measurement.better_side
    if side is None:
        known = measurement.gate.metric_id in CATALOG
        why = "neither more nor less of it is better" if known else "the test does not say which side is better: gate(..., better='higher')"
        return Comparison(run, value, bound, refused=why, status=lacking)
    allowed = 0.0 if bound is None else share_of(bound.value, value) if bound.relative else bound.value
    alpha = ALPHA if family is None else ALPHA / family
    try:
        change = regress(
            base.outcomes, outcomes, gate=str(measurement.gate), base_value=value, value=measurement.value, better=side, allowed=allowed,
            alpha=alpha, test=test,
        )  # fmt: skip
    except ValueError as error:  # other samples, or another statistic of them
        return Comparison(run, value, bound, refused=str(error), status=judged)
    status = None if bound is None else change.status
    return Comparison(run, value, bound, change, None, status, alpha if family is not None and bound is not None else None)


def _disagreement(measurement: Measurement, base: Base, precision: str | None) -> str | None:
    told = differences(base.row["conventions"], measurement.conventions)
    if None not in (precision, base.precision) and precision != base.precision:
        told.append(f"precision: {base.precision} in the baseline, {precision} now")
    return f"other conventions ({'; '.join(told)}); measure both alike" if told else None
