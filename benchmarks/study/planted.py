"""How often the study finds a planted effect, and one that is not there: `python benchmarks/study/planted.py [REPEATS]`.

A population has 30 to 40 models in families (lineages) of one to four; families differ by a normal deviate of 0.15 logits, models of a
family by 0.05, around a line of slope 0.9. The factor has three levels of 3, 5 and 8 families. "Confounded": a second factor has the same
levels. Beside them: recipes of three seeds each that differ by so many standard deviations of a seed; distances of models from the line of
the others, of which one was moved; correlations within levels.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.special import expit

from pytest_clip.metrics.holm import holm
from pytest_clip.study.correlations import correlation
from pytest_clip.study.effects import Question, effects
from pytest_clip.study.lines import line
from pytest_clip.study.population import Population
from pytest_clip.study.seeds import welch

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
    over_seeds(repeats)
    from_lines(repeats)
    within(repeats)


def over_seeds(repeats: int) -> None:
    """Three seeds of each of two recipes in four properties, Holm over the four; the first property has the effect."""
    print("\neffect (deviations of a seed)  found at 5 %  after Holm  covered  any other after Holm")
    for effect in (0.0, 2.0, 5.0, 10.0):
        rows = []
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            found = {at: welch(rng.normal(0, 1, 3), rng.normal(effect if at == 0 else 0, 1, 3)) for at in range(4)}
            p = holm({at: each.p for at, each in found.items()})
            low, high = found[0].interval
            rows.append((found[0].p <= 0.05, p[0] <= 0.05, low <= effect <= high, any(p[at] <= 0.05 for at in (1, 2, 3))))
        print("{:29.0f}  {:12.3f}  {:10.3f}  {:7.3f}  {:20.3f}".format(effect, *np.mean(rows, axis=0)))


def from_lines(repeats: int) -> None:
    """Fifteen models of a family each, 500 independent images a set; one lies `off` logits above the line of the others."""
    print("\noff the line (logits)  found at 5 %  covered  others found")
    for off in (0.0, 0.2, 0.4, 0.8):
        rows = []
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            x = rng.uniform(-1, 2, 15)
            x[0] = 0.5
            moved = np.where(np.arange(15) == 0, off, 0.0)
            truth = {"clean": expit(x), "shift": expit(0.9 * x - 0.4 + moved)}
            values = {name: rng.binomial(500, each) / 500 for name, each in truth.items()}
            names = tuple(map(str, range(15)))
            _, told = line(Population(names, names, {}, {}, values, {"clean": 500, "shift": 500}), "shift", ("clean",))
            ends = [each.shares for each in told]
            if ends[0] is None:
                continue
            wanted = float(expit(0.9 * 0.5 - 0.4 + off) - expit(0.9 * 0.5 - 0.4))
            others = [low > 0 or high < 0 for _, low, high in (each for each in ends[1:] if each)]
            rows.append((ends[0][1] > 0 or ends[0][2] < 0, ends[0][1] <= wanted <= ends[0][2], np.mean(others)))
        print("{:21.1f}  {:12.3f}  {:7.3f}  {:12.3f}".format(off, *np.mean(rows, axis=0)))


def within(repeats: int) -> None:
    """Three levels of five lineages, between which both numbers differ much; among the models of a level they go together so closely."""
    print("\ncorrelation within levels  interval leaves out 0  ignoring levels")
    for r in (0.0, 0.5, 0.9):
        rows = []
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            level = np.repeat(np.arange(3), 5)
            x, noise = rng.normal(size=15), rng.normal(size=15)
            columns = {"x": expit(x + 3 * level), "y": expit(r * x + np.sqrt(1 - r**2) * noise + 3 * level)}
            names = tuple(map(str, range(15)))
            held = Population(names, names, {"f": tuple("abc"[each] for each in level)}, {}, columns, {})
            found = [correlation(held, "x", "y", within=each, resamples=200).interval for each in ("f", "")]
            rows.append([end is not None and (end[0] > 0 or end[1] < 0) for end in found])
        print("{:25.1f}  {:21.3f}  {:15.3f}".format(r, *np.mean(rows, axis=0)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
