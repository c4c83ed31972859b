"""How often the study finds a planted effect, and one that is not there: `python benchmarks/study/planted.py [REPEATS]`.

A population has 30 to 40 models in families (lineages) of one to four; families differ by a normal deviate of 0.15 logits, models of a
family by 0.05, around a line of slope 0.9. The factor has three levels of 3, 5 and 8 families. "Confounded": a second factor has the same
levels.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.special import expit

from pytest_clip.metrics.holm import holm
from pytest_clip.study.effects import Question, effects
from pytest_clip.study.population import Population

FAMILIES = {"a": 8, "b": 5, "c": 3}


def made(seed: int, effect: float, *, between: float = 0.15, within: float = 0.05, confounded: bool = False) -> Population:
    rng = np.random.default_rng(seed)
    names, lineages, levels, xs, ys = [], [], [], [], []
    for level, families in FAMILIES.items():
        for family in range(families):
            centre, own = rng.normal(0.6, 0.6), rng.normal(0, between)
            for k in range(int(rng.integers(1, 5))):
                x = centre + rng.normal(0, 0.2)
                names.append(f"{level}{family}-{k}")
                lineages.append(f"{level}{family}")
                levels.append(level)
                xs.append(x)
                ys.append(0.9 * x - 0.4 + own + rng.normal(0, within) + (effect if level != "a" else 0.0))
    other = {"other": tuple("xyz"["abc".index(level)] for level in levels)} if confounded else {}
    shares = {"clean": expit(np.array(xs)), "shift": expit(np.array(ys))}
    return Population(tuple(names), tuple(lineages), {"factor": tuple(levels), **other}, {}, shares, {"clean": 0, "shift": 0})


def main(repeats: int) -> None:
    print("effect (logits)  between  level  families  found at 5 %  after Holm  covered  mean half width  refused")
    for between in (0.15, 0.0):
        for effect in (0.0, 0.15, 0.3, 0.6):
            found: dict[str, list[tuple[float, float, bool, float]]] = {"b": [], "c": []}
            for repeat in range(repeats):
                told = effects(made(repeat, effect, between=between), Question("factor", "shift", ("clean",)), resamples=200)
                p_of = holm({each.level: each.estimate.p for each in told if each.estimate is not None})
                for each in told:
                    if each.estimate is not None:
                        low, high = each.estimate.interval
                        found[each.level].append((each.estimate.p, p_of[each.level], low <= effect <= high, (high - low) / 2))
            for level, rows in found.items():
                p, corrected, covered, half = np.array(rows, dtype=float).T
                found_, after = np.mean(p < 0.05), np.mean(corrected < 0.05)
                print(
                    f"{effect:15.2f}  {between:7.2f}  {level:>5}  {FAMILIES[level]:8}  {found_:12.3f}  {after:10.3f}"
                    f"  {covered.mean():7.3f}  {half.mean():15.3f}  {repeats - len(rows):7}"
                )
    question = Question("factor", "shift", ("clean",), beside=("other",))
    told = [each for repeat in range(repeats) for each in effects(made(repeat, 0.6, confounded=True), question, resamples=0)]
    print(f"confounded: {sum(each.refused is not None for each in told)} of {len(told)} refused")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
