"""A study as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_clip.study.lines import Distance, Line
from pytest_clip.study.matched import Pair
from pytest_clip.study.placed import Placed
from pytest_clip.study.straight import Range, straight_said
from pytest_clip.study.study import Study, Told
from pytest_clip.study.told import Everything, counted
from pytest_clip.study.traits import seeded_line
from pytest_clip.study.watch import Watch

FEW = 12
"""Distances of one line that are told; all are in JSON and on the page."""


def lines(told: Everything) -> list[str]:
    """Findings first, then lines, then every effect, then runs that differ in one factor alone, then paths."""
    found = []
    if told.study is not None:
        found = [f"{told.title} (architecture x training set)", "", "findings"]
        found += [f"  {each.answer.upper():12} {each.statement}\n{'':15}{each.why}" for each in told.findings]
        found += _study(told.study, told.uncompared)
    found += [line for watch in told.watches for line in ["", *_watch(watch)]]
    if told.study is None and not told.watches:
        found.append("nothing to follow")
    if told.placed:
        found += ["", "these runs among the public checkpoints", *(f"  {_placed(each)}" for each in told.placed)]
    return found


def _study(study: Study, uncompared: int) -> list[str]:
    told = ["", f"lines of accuracy under shift against {study.plan.clean}"]
    for shift, (found, tried) in study.ranges.items():
        if found is None:
            told.append(f"  {shift}: {straight_said(tried)}{_tried(tried)}; nothing is read off a line")
        else:
            told.append(f"  {shift}: straight from {found.lowest:.3f} to {found.highest:.3f} ({found.models} models{_tried(tried)})")
    told += [f"  {_line(each)}" for each in study.lines]
    told += ["", "beyond the line of the other families, points of accuracy (95 % interval over families and images), farthest first"]
    for line in study.lines:
        own = sorted(
            (each for each in study.distances if each.line is line and each.shares), key=lambda each: -abs((each.shares or (0,))[0])
        )
        told += [f"  {_distance(each)}" for each in own[:FEW]]
        told += [f"  ... and {len(own) - FEW} more"] if len(own) > FEW else []
    told += ["", "effects at equal clean accuracy, points of accuracy under shift (95 % interval over families)"]
    told += [f"  {_effect(each)}" for each in study.effects if each.effect.points is not None]
    told += [f"  {each}" for each in _refused(study)]
    told += [line for pair in study.pairs for line in _pair(pair)]
    if uncompared:
        told += ["", f"{counted(uncompared, 'more pair')} of runs that differ in one factor alone were not compared; name fewer runs"]
    if study.seeded:
        told += ["", "recipes that differ in one factor, over seeds (95 % interval of seeds, p by Holm)"]
        told += [f"  {seeded_line(each)}{': sure' if each.sure else ''}" for each in study.seeded]
    told += ["", "rank correlations"]
    for each in study.correlations:
        what = each.refused or f"rho {each.rho:.3f} ({each.interval[0]:.3f} to {each.interval[1]:.3f})" if each.interval else each.refused
        within = f" within {each.within}" if each.within else ""
        told.append(f"  {each.one} and {each.other}{within}: {what}, {each.models} models in {each.lineages} families")
    return told


def _pair(pair: Pair) -> list[str]:
    """What the second run has lost by more than chance explains, most sure first."""
    both = sum(each.found.change is not None for each in pair.changes)
    head = f"{pair.first} and {pair.second} differ in {pair.factor} alone ({pair.levels[0]}, {pair.levels[1]})"
    if not both:
        return ["", f"{head}: no gate of both was asked alike, so none is compared image by image"]
    told = ["", f"{head}: of {both} gates {len(pair.worse)} are worse in {pair.second}, all pairs and gates considered"]
    return told + [f"  {each.gate}: drop {each.found.change.drop:.4f}" for each in pair.worse if each.found.change is not None]


def _tried(tried: Sequence[Range]) -> str:
    """Every range once, with what the test of a curve said; nothing where there was none."""
    if all(each.p is None for each in tried):
        return ""
    said = dict.fromkeys(f"from {each.lowest:.2f} {'too few' if each.p is None else f'p = {each.p:.2g}'}" for each in tried)
    return f"; {', '.join(said)}"


def _line(line: Line) -> str:
    of = f"{line.on} on {' and '.join(line.clean)}, {line.group or 'all models'}"
    if line.slope is None:
        return f"{of}: no line: {line.refused}"
    low, high = line.slope.interval
    return f"{of}: slope {line.slope.value:.2f} ({low:.2f} to {high:.2f}), {line.models} models in {line.families} families"


def _distance(each: Distance) -> str:
    assert each.shares is not None
    value, low, high = (100 * one for one in each.shares)
    of = f"{each.line.on} on {' and '.join(each.line.clean)}{f', {each.line.group}' if each.line.group else ''}"
    return f"{each.model}: {value:+.1f} ({low:+.1f} to {high:+.1f}) beyond {of}"


def _effect(told: Told) -> str:
    effect = told.effect
    name = f"{effect.question.on}: {effect.question.factor} {effect.level} against {effect.reference}"
    value, low, high = (100 * each for each in effect.points or ())
    families = f"{effect.families[0]}{f' and {effect.families[1]}' if effect.families[1] else ''} families"
    return f"{name}: {value:+.1f} ({low:+.1f} to {high:+.1f}), {families}: {told.verdict}: {told.why}"


def _refused(study: Study) -> list[str]:
    """Comparisons that nobody can tell, those of one reason in one line."""
    held: dict[str, list[str]] = {}
    for each in study.effects:
        if each.effect.points is None:
            asked = f"{each.effect.question.factor} {each.effect.level} against {each.effect.reference}"
            held.setdefault(f"{asked}: cannot tell: {each.why}", []).append(each.effect.question.on)
    return [f"{shifts[0] if len(shifts) == 1 else f'{len(shifts)} sets'}: {said}" for said, shifts in held.items()]


def _placed(each: Placed) -> str:
    if each.shares is None:
        return f"{each.model} on {each.shift}: {'no distance' if each.drawn else 'not drawn'}: {each.refused}"
    value, low, high = (100 * one for one in each.shares)
    return f"{each.model} on {each.shift}: {value:+.1f} points ({low:+.1f} to {high:+.1f}) beyond the published line"


def _watch(watch: Watch) -> list[str]:
    told = [f"epochs of {watch.run}, {watch.clean} as accuracy in distribution"]
    told += [f"  epoch {epoch:g}: {name}, {value:.4f}" for epoch, name, value in watch.epochs]
    first = watch.epochs[0][0]
    told.append(f"  properties against epoch {first:g}, image by image, p by Holm over {counted(len(watch.moves), 'comparison')}")
    for gate, epoch in watch.first_falls.items():
        own = [each for each in watch.moves if each.gate == gate]
        if all(each.change is None or each.change.p is None for each in own):
            told.append(f"  {gate}: cannot tell: no outcomes of single images that both epochs have")
            continue
        falls = next((each for each in own if each.epoch == epoch), None)
        if falls is None or falls.change is None:
            told.append(f"  {gate}: no sure fall up to epoch {own[-1].epoch:g} ({own[0].first:.4f} to {own[-1].value:.4f})")
            continue
        at = "" if falls.mixed is None else f"; WiSE-FT has {falls.mixed:.4f} at this accuracy in distribution"
        p = f"p = {falls.p_holm:.2g}"
        told.append(f"  {gate}: falls from epoch {epoch:g} on ({falls.first:.4f} to {falls.value:.4f}, {p}){at}")
    return told
