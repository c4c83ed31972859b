"""Whether the embedded benchmark is something that a model knows at all: absolute rules of the sanity layer say nothing where it is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_clip.gates.verdicts import Verdict
    from pytest_clip.session.run import ClipSession

SUITES = ("accuracy", "calibration")
"""Whose absolute rules warn for a model that does not know the benchmark. `checkpoint`, `metamorphic` and regressions keep judging."""
TIMES_CHANCE = 2.0
FIRST = "studio"
"""The set that every unknown model is judged on: its rules fail whatever is known of `clean` (40 random models reached 0.105 of 0.3)."""


def within(session: ClipSession, verdict: Verdict, clean: Callable[[], tuple[float, float]]) -> Verdict:
    """The verdict, or a warning in its place: a shipped absolute rule failed on `scenes` a model below twice chance on `clean`.

    `clean()` is its top-1 there and that of guessing, asked for when everything else holds. A rule of a project, a rule for one model, a
    drop, a waiver and a damaged copy are judged as ever. A run in which every judged gate became such a warning has judged nothing, and
    fails.
    """
    gate, data, model = verdict.measurement.gate, verdict.measurement.data, verdict.measurement.model
    if data != "scenes" or gate.suite not in SUITES or verdict.status not in ("fail", "insufficient") or session.original(model) != model:
        return verdict
    if verdict.waiver is not None or gate.slice == FIRST or not _for_all(session, verdict):
        return verdict
    found, chance = clean()
    if found >= TIMES_CHANCE * chance:
        return verdict
    why = (
        f"no failure: {model} names {found:.3f} of clean rightly (chance {chance:.3f}), so scenes is outside what it knows; "
        f"measure it on your own data (pytest --clip-model={model} --clip-data=DIR) or against its base (--clip-baseline-model=NAME)"
    )
    head, _, rest = verdict.message.partition("\n")
    return replace(verdict, status="warn", message=f"{head}: {why}\n{rest}", outside=True)


def _for_all(session: ClipSession, verdict: Verdict) -> bool:
    """Whether a bound decided that ships for every model, and none ships for this one."""
    from pytest_clip.gates.layers import SHIPPED

    gate, names, bound = verdict.measurement.gate, session.model_names(verdict.measurement.model), verdict.decided_by
    if bound is None or bound.key == "max_drop" or not bound.source.startswith(f"{SHIPPED}:"):
        return False
    own = (each for each in session.rulebook.entries if each.model is not None and each.source.startswith(f"{SHIPPED}:"))
    return not any(each.applies(gate, names, verdict.measurement.data) for each in own)


def luck(row: Mapping[str, Any], lost: Collection[str]) -> bool:
    """Whether a row judges nothing: a shipped rule of accuracy or calibration on `scenes`, for one of the models `lost` there.

    A pass among them is luck: one slice in twenty has 8 % right where one knows nothing.
    """
    from pytest_clip.gates.layers import SHIPPED

    if row["model"] not in lost or row["data"] != "scenes" or str(row["gate"]).partition("/")[0] not in SUITES or row.get("baseline"):
        return False
    return all(source.startswith(f"{SHIPPED}:") for source in ((row.get("rule") or {}).get("sources") or {}).values())
