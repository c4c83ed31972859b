"""Findings that are no effect and no correlation: shape bias and fine-tuning, calibration, fewer prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from pytest_clip.study.population import Floats, Population
from pytest_clip.study.properties import FEW, SHAPE
from pytest_clip.study.seeds import Seeded
from pytest_clip.study.study import Study

Answer = Literal["supported", "contradicted", "cannot tell"]
Ask = Callable[[Study], tuple[Answer, str]]
FEWEST = 3
UNTUNED = (None, "none", "no")


def leans(study: Study) -> tuple[Answer, str]:
    """Shape bias above one half over families of models that were not fine-tuned, and lower in each pair before and after."""
    held = study.population
    if SHAPE not in held.values:
        return "cannot tell", "these models have no figures of shape bias"
    factor = next((name for name in ("finetuned_on", "finetuned") if name in held.factors), None)
    plain = held if factor is None else held.only([level in UNTUNED for level in held.factors[factor]])
    first, told = _mean(plain, SHAPE, above=0.5)
    tuned = [
        (pair, each)
        for pair in study.pairs
        if pair.factor == factor and sum(level in (*UNTUNED, "None") for level in pair.levels) == 1
        for each in pair.changes
        if each.gate.startswith("shape_bias/shape_bias") and each.found.change is not None
    ]
    if not tuned:
        return "cannot tell", f"{told}; no two runs differ in fine-tuning alone"
    falls, rises, said = 0, 0, []
    for pair, each in tuned:
        change = each.found.change
        assert change is not None
        after = pair.levels[0] in (*UNTUNED, "None")  # the second run is the tuned one
        drop = change.drop if after else -change.drop
        sure = change.lower is not None and change.upper is not None and (change.lower > 0 or change.upper < 0)
        falls, rises = falls + (sure and drop > 0), rises + (sure and drop < 0)
        said.append(f"{pair.second if after else pair.first} {'loses' if drop > 0 else 'gains'} {abs(100 * drop):.1f} points of it")
    second: Answer = "supported" if falls == len(tuned) else "contradicted" if rises == len(tuned) else "cannot tell"
    both = {first, second}
    answer: Answer = "contradicted" if "contradicted" in both else "supported" if both == {"supported"} else "cannot tell"
    return answer, f"{told}; {', '.join(said)}: {falls} of {len(tuned)} surely lose"


def fewer_prompts(study: Study) -> tuple[Answer, str]:
    """One prompt less OpenAI's eighty, of the prompts suite: the calibration error falls and the near AUROC rises, over families."""
    held = study.population
    if FEW["ece"] not in held.values or FEW["auroc"] not in held.values:
        return "cannot tell", "these models have no figures of other prompts"
    ece, first = _mean(held, FEW["ece"], above=0.0)
    auroc, second = _mean(held, FEW["auroc"], above=0.0)
    both = {"supported": "contradicted", "contradicted": "supported"}.get(ece, "cannot tell"), auroc  # an error is better low
    answer: Answer = "supported" if set(both) == {"supported"} else "contradicted" if "contradicted" in both else "cannot tell"
    return answer, f"{first}; {second}"


def calibration(by_set: Ask, by_size: Ask) -> Ask:
    """Both parts of one statement: supported where both are, contradicted where one is."""

    def ask(study: Study) -> tuple[Answer, str]:
        (first, one), (second, other) = by_set(study), by_size(study)
        if one == other or "no figures" in one:
            return first, one
        answer: Answer = "contradicted" if "contradicted" in (first, second) else first if first == second else "cannot tell"
        return answer, f"training set: {one}; size: {other}"

    return ask


def seeded_line(each: Seeded) -> str:
    """A difference over seeds, for a list of reasons."""
    if each.estimate is None:
        return f"{each.what}: {each.factor} {each.level} against {each.reference}: {each.refused}"
    (low, high), value, unit = each.estimate.interval, each.estimate.value, "logits beyond clean accuracy" if each.gap else "points"
    scale = 1 if each.gap else 100
    digits = 2 if each.gap else 1
    ends = f"{scale * value:+.{digits}f} {unit} ({scale * low:+.{digits}f} to {scale * high:+.{digits}f})"
    p = "" if each.p_holm is None else f", p = {each.p_holm:.2g}"
    return f"{each.what}: {each.factor} {each.level} against {each.reference} {ends}, {each.seeds[0]} and {each.seeds[1]} seeds{p}"


def _mean(held: Population, what: str, *, above: float) -> tuple[Answer, str]:
    """Whether the mean over families lies above a number, each family counting once."""
    values: Floats = held.values[what]
    families: dict[str, list[float]] = {}
    for value, lineage in zip(values, held.lineages, strict=True):
        if np.isfinite(value):
            families.setdefault(lineage, []).append(float(value))
    means = np.array([np.mean(each) for each in families.values()])
    if len(means) < FEWEST:
        seen = f" ({', '.join(f'{100 * each:.1f}' for each in means)})" if len(means) else ""
        known = f"{what} is known of {len(means)} {'family' if len(means) == 1 else 'families'}{seen}"
        return "cannot tell", f"{known}: at least {FEWEST} are needed"
    half = float(-stdtrit(len(means) - 1, 0.025) * means.std(ddof=1) / np.sqrt(len(means)))
    mean = float(means.mean())
    low, high = max(100 * (mean - half), -100.0), min(100 * (mean + half), 100.0)
    told = f"{what} {100 * mean:.1f} points ({low:.1f} to {high:.1f}), {len(means)} families"
    return ("supported" if mean - half > above else "contradicted" if mean + half < above else "cannot tell"), told
