"""A study's figures as SVG: accuracy under each shift against clean accuracy, and every effect with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_clip.study.axes import back, onto
from pytest_clip.study.placed import Placed
from pytest_clip.study.population import Population
from pytest_clip.study.study import Study, Told
from pytest_clip.study.told import Everything
from pytest_clip.study.watch import Watch

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999", "#f0e442", "#882255")
"""Okabe and Ito's, which colour-blind people tell apart, and two more; markers differ as well."""
MARKERS = "osD^vPX*<>"


def write(told: Everything, folder: Path) -> list[Path]:
    """`shift-NAME.svg` of each shift, `effects.svg`, and `watch.svg` of each path (numbered where there are more); the same bytes for the
    same study."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    made = []
    with plt.rc_context(
        {"svg.hashsalt": "pytest-clip", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figures = [(f"watch{f'-{at}' if at else ''}", _paths(watch)) for at, watch in enumerate(told.watches) if watch.moves]
        if told.study is not None:
            figures += [(f"shift-{_plain(shift)}", _scatter(told.study, shift, told.placed)) for shift in told.study.ranges]
            figures += [("effects", _effects(told.study))]
        for name, figure in figures:
            made.append(folder / f"{name}.svg")
            figure.savefig(made[-1], metadata={"Date": None}, bbox_inches="tight")
            plt.close(figure)
    return made


def _scatter(study: Study, shift: str, placed: Sequence[Placed]) -> Any:
    from matplotlib import pyplot as plt

    held, clean, factor = study.population, study.plan.clean, study.plan.group
    levels: list[str | None] = [*held.families(factor), None] if factor else [None]
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
    for line in study.lines:
        if line.on == shift and len(line.clean) == 1 and line.coefficients:
            ends = onto(np.array([line.lowest, line.highest]), "logit")
            style = {"color": COLOURS[levels.index(line.group) % len(COLOURS)], "linewidth": 0.8, "alpha": 0.7} if line.group else {}
            look = style or {"color": "#444444", "linewidth": 1, "label": "robust line, where it is straight"}
            axes.plot(ends, line.coefficients[0] + line.coefficients[1] * ends, **look)
    if found is None:
        title += "; curved: no line is drawn"
    for each in placed:
        if each.shift == shift and each.clean is not None and each.value is not None:
            x, y = onto(np.array([each.clean, each.value]), "logit")
            axes.scatter([x], [y], marker="*", s=110, color="#c00000", zorder=5, label=each.model[:40])
    for axis, values in ((axes.xaxis, _logit(held, clean)), (axes.yaxis, _logit(held, shift))):
        ticks = [each for each in (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95) if _lies(values, each)]
        axis.set_ticks(onto(np.array(ticks), "logit"), [f"{each:g}" for each in ticks])
    axes.set(xlabel=clean, ylabel=shift, title=title)
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    return figure


def _paths(watch: Watch) -> Any:
    from matplotlib import pyplot as plt

    gates, accuracy = list(watch.first_falls), {epoch: value for epoch, _, value in watch.epochs}
    down = -(-len(gates) // 3)
    figure, panels = plt.subplots(down, 3, figsize=(8.4, 2.3 * down), squeeze=False)
    for axes in panels.flat[len(gates) :]:
        axes.set_axis_off()
    for axes, gate in zip(panels.flat, gates, strict=False):
        own = [each for each in watch.moves if each.gate == gate]
        mixed = [(clean, values[gate]) for _, clean, values in watch.mixtures if gate in values]
        if mixed:
            axes.plot(*zip(*mixed, strict=True), "s--", color="#999999", markersize=3, linewidth=1, label="mixtures (WiSE-FT)")
        xs, ys = [watch.epochs[0][2], *(accuracy[each.epoch] for each in own)], [own[0].first, *(each.value for each in own)]
        axes.plot(xs, ys, "o-", color="#0072b2", markersize=3.5, linewidth=1.2)
        falls = [(accuracy[each.epoch], each.value) for each in own if each.falls]
        if falls:
            axes.scatter(*zip(*falls, strict=True), s=42, facecolors="none", edgecolors="#d55e00", label="falls")
        axes.set_title(gate, fontsize=7)
        axes.tick_params(labelsize=6)
    panels.flat[0].legend(fontsize=6, frameon=False)
    figure.supxlabel(watch.clean, fontsize=8)
    figure.tight_layout()
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
