"""A study's figures as SVG: accuracy under each shift against clean accuracy, and every effect with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pytest_clip.metrics.robust import huber
from pytest_clip.study.axes import back, onto
from pytest_clip.study.population import Population
from pytest_clip.study.study import Study, Told

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999", "#f0e442", "#882255")
"""Okabe and Ito's, which colour-blind people tell apart, and two more; markers differ as well."""
MARKERS = "osD^vPX*<>"


def write(study: Study, folder: Path) -> list[Path]:
    """`shift-NAME.svg` of each shift and `effects.svg`; the same bytes for the same study."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    made = []
    with plt.rc_context(
        {"svg.hashsalt": "pytest-clip", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        for name, figure in [(f"shift-{_plain(shift)}", _scatter(study, shift)) for shift in study.ranges] + [("effects", _effects(study))]:
            made.append(folder / f"{name}.svg")
            figure.savefig(made[-1], metadata={"Date": None}, bbox_inches="tight")
            plt.close(figure)
    return made


def _scatter(study: Study, shift: str) -> Any:
    from matplotlib import pyplot as plt

    held, clean, factor = study.population, study.plan.clean, next(iter(study.plan.factors), "")
    levels = [*held.families(factor), None] if factor else [None]
    figure, axes = plt.subplots(figsize=(6.4, 4.6))
    for at, level in enumerate(levels):
        kept = [each == level for each in held.factors[factor]] if factor else [True] * len(held)
        own = held.only(kept)
        if len(own):
            colour, marker = ("#bbbbbb", "o") if level is None else (COLOURS[at % len(COLOURS)], MARKERS[at % len(MARKERS)])
            style: dict[str, Any] = {"color": colour, "marker": marker, "s": 22, "alpha": 0.85, "linewidths": 0}
            axes.scatter(_logit(own, clean), _logit(own, shift), label=f"{level or 'not known'} ({len(own)})", **style)
    found, _ = study.ranges[shift]
    title = f"{shift} against {clean}, logit axes"
    if found is not None:
        inside = held.only((held.values[clean] >= found.lowest) & np.isfinite(held.values[shift]))
        x = _logit(inside, clean)
        a, b = huber(np.column_stack([np.ones(len(x)), x]), _logit(inside, shift))
        ends = np.array([x.min(), x.max()])
        axes.plot(ends, a + b * ends, color="#444444", linewidth=1, label="robust line, where it is straight")
    else:
        title += "; curved: no line is drawn"
    for axis, values in ((axes.xaxis, _logit(held, clean)), (axes.yaxis, _logit(held, shift))):
        ticks = [each for each in (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95) if _lies(values, each)]
        axis.set_ticks(onto(np.array(ticks), "logit"), [f"{each:g}" for each in ticks])
    axes.set(xlabel=clean, ylabel=shift, title=title)
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    return figure


def _effects(study: Study) -> Any:
    from matplotlib import pyplot as plt

    told = [each for each in study.effects if each.effect.points is not None]
    figure, axes = plt.subplots(figsize=(7.2, 1 + 0.19 * len(told)))
    for at, each in enumerate(reversed(told)):
        value, low, high = (100 * one for one in each.effect.points or ())
        colour = "#999999" if each.verdict == "cannot tell" else "#d55e00" if each.verdict == "lower" else "#0072b2"
        axes.plot([low, high], [at, at], color=colour, linewidth=1.4)
        axes.plot([value], [at], "o" if each.verdict == "cannot tell" else "D", color=colour, markersize=4)
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_yticks(range(len(told)), [_name(each) for each in reversed(told)], fontsize=7)
    axes.set(xlabel="points under the shift at equal clean accuracy, 95 % interval over families; gray: cannot tell")
    axes.set_ylim(-0.7, len(told) - 0.3)
    return figure


def _name(told: Told) -> str:
    effect = told.effect
    return f"{effect.question.on}: {effect.question.factor} {effect.level} - {effect.reference}"


def _logit(population: Population, name: str) -> Any:
    return onto(population.values[name], "logit", n=population.counts[name])


def _lies(values: Any, share: float) -> bool:
    ends = back(np.array([np.nanmin(values), np.nanmax(values)]), "logit")
    return bool(ends[0] * 0.9 <= share <= 1 - 0.9 * (1 - ends[1]))


def _plain(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "-" for each in name)
