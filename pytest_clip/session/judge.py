"""From a measurement to its verdict: rule, waiver and baseline are collected first, then `gates.verdicts` is asked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_clip.gates.comparison import Comparison
    from pytest_clip.gates.ids import GateId
    from pytest_clip.gates.measurement import Measurement
    from pytest_clip.gates.rules import Rule
    from pytest_clip.gates.verdicts import Verdict
    from pytest_clip.session.run import ClipSession


def rule_for(session: ClipSession, gate: GateId, model: str, data: str | None) -> Rule | None:
    """What the thresholds files ask of a gate in this run."""
    rule = session.rulebook.rule_for(gate, session.names_for(gate, model), data)
    if session.reach.of_other_kinds(gate):
        for key in ("min", "max"):
            rule = rule and rule.without_shipped(key)
    if rule is None or session.settings.baseline is not None or session.settings.baseline_model is not None:
        return rule
    return rule.without_shipped("max_drop")  # waits for whoever has a baseline; to all others it would say nothing


def judge(
    session: ClipSession,
    measurement: Measurement,
    *,
    fingerprint: str | None,
    test: str | None = None,
    clean: Callable[[], tuple[float, float]] | None = None,
) -> Verdict:
    """Hold it against its rule. ``test`` is the node id of a test that is in no shipped suite, for the command that repeats it.

    ``clean`` gives top-1 on ``clean`` and that of guessing, for `domain.within`.
    """
    from pytest_clip.gates.verdicts import as_baseline, judge
    from pytest_clip.session import domain

    if session.role_of(measurement.model) is not None:
        return as_baseline(measurement)
    rule = rule_for(session, measurement.gate, measurement.model, measurement.data)
    waiver = session.rulebook.waiver_for(measurement.gate, session.names_for(measurement.gate, measurement.model), measurement.data)
    comparison = _compared(session, measurement, rule)
    options = options_of(session, measurement.model, measurement.data, suite=measurement.gate.suite)
    spec = session.model_spec(measurement.model)
    verdict = judge(measurement, rule, waiver, spec=spec, fingerprint=fingerprint, options=options, test=test, comparison=comparison)
    if clean is not None:
        verdict = domain.within(session, verdict, clean)
    if verdict.status == "unjudged" and session.settings.unjudged == "fail":
        return replace(verdict, status="fail", message=verdict.message.replace(": unjudged, ", ": unjudged, and clip_unjudged = fail; ", 1))
    return verdict


def _compared(session: ClipSession, measurement: Measurement, rule: Rule | None) -> Comparison | None:
    """Against the baseline; a damaged copy against that of its model."""
    if session.regressions is None:
        return None
    of = replace(measurement, model=session.original(measurement.model))
    return session.regressions.compare(of, rule, precision=session.precision_of(of.model), data=session.loaded_data.get(of.data))


def options_of(session: ClipSession, model: str, data: str, *, suite: str | None = None) -> tuple[str, ...]:
    """The options of this run that decide about a number or its verdict, for the command that measures it again; those of one suite alone
    where it is no other."""
    from pytest_clip.gates.layers import ThresholdsFile

    settings = session.settings
    lmm = settings.lmm if suite in (None, "lmm") else None
    given: dict[str, Sequence[object]] = {
        "classes": [settings.classes if str(session.model_spec(session.original(model))).startswith("timm:") else None],
        "strip-prefix": [settings.strip_prefix if session.reads_a_file(session.original(model)) else None],
        "data": [session.data_option(data)],
        "prompts": [session.prompts_option],
        "depth-model": [None if settings.depth_model is None else settings.depth_model.folder or settings.depth_model.text],
        "lmm": [None if lmm is None else lmm.text],
        "lmm-dtype": [None if lmm is None or lmm.dtype == "auto" else lmm.dtype],
        "limit": [settings.limit],
        "max-unreadable": [settings.max_unreadable or None],
        "precision": [settings.precision if settings.precision != "fp32" else None],
        "baseline": [settings.baseline.text if settings.baseline is not None and settings.baseline.named_by.startswith("--") else None],
        "baseline-model": [settings.baseline_model],
        "thresholds": [
            *(f"like:{name}" for name in settings.likes),
            *(ThresholdsFile(path).label for path, by in settings.thresholds if by == "--clip-thresholds"),
        ],
    }
    return tuple(f"--clip-{name}={value}" for name, values in given.items() for value in values if value is not None)
