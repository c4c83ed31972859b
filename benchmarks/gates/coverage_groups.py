"""How often the 95 % intervals of the suite `groups` hold the truth: the table of docs/statistics/means.md.

    python benchmarks/gates/coverage_groups.py [--repeats=500] [--only=TEXT]

Groups of images with known chances to be right. "before" takes the group that happens to be worst (or best and worst) for one chosen
beforehand: Wilson's, Newcombe's, and the interval of its own calibration error; "after" is the one that ships. In brackets: how often it
lies wholly below and wholly above the truth. Seeds are fixed. 500 repeats know a coverage of 95 % to +-1 point, 100 to +-2. `--only`: rows
whose name holds this.
"""

import argparse
import time

import numpy as np
from coverage_means import Counter, header, row

from pytest_clip.metrics import calibration, groups
from pytest_clip.metrics.extremes import lowest_share
from pytest_clip.metrics.intervals import ece_interval, unpaired_difference, wilson

WORLDS = {
    "5 equal": ([0.8] * 5, [100] * 5),
    "5, one 10 points worse": ([0.8] * 4 + [0.7], [300, 250, 200, 150, 100]),
    "5, one 30 points worse": ([0.8] * 4 + [0.5], [200] * 5),
    "11 equal": ([0.9] * 11, [170] * 11),
    "11 rising from 0.60 to 0.95": (np.linspace(0.6, 0.95, 11), [170] * 11),
    "24 equal": ([0.7] * 24, [100] * 24),
    "24, one 10 points worse": ([0.95] * 23 + [0.85], [100] * 23 + [1000]),
    "2 equal, nearly all right": ([0.995] * 2, [100] * 2),
}
SURE = np.array([0.35, 0.55, 0.75, 0.9, 0.98])
"""Confidences of a model, which are its chances to be right where it is calibrated."""


def shares(repeats, only):
    header("groups", "number")
    for name, (chances, sizes) in WORLDS.items():
        if only not in name:
            continue
        rng = np.random.default_rng(len(sizes))
        truths = min(chances), max(chances) - min(chances)
        counters = [Counter(truth) for truth in truths for _ in range(2)]
        for seed in range(repeats):
            right = [rng.random(n) < p for p, n in zip(chances, sizes, strict=True)]
            order = np.argsort([each.mean() for each in right], kind="stable")
            worst, best = right[order[0]], right[order[-1]]
            counters[0].add(wilson(int(worst.sum()), worst.size))
            counters[1].add(lowest_share(right, units=groups.apart(right), seed=seed))
            counters[2].add(unpaired_difference(best, worst))
            counters[3].add(groups.gap_interval(right, seed=seed))
        row(name, "worst_accuracy", *counters[:2])
        row(name, "gap", *counters[2:])


def errors(repeats, only):
    """Groups whose model says `more` than its chance in each of them."""
    header("groups", "number")
    for name, more, sizes in (
        ("5 calibrated", [0.0] * 5, [100] * 5),
        ("5, one too sure by 0.1", [0.0] * 4 + [0.1], [200] * 5),
        ("11 too sure by 0.05", [0.05] * 11, [170] * 11),
        ("11, too sure by 0 to 0.15", np.linspace(0, 0.15, 11), [170] * 11),
        ("24, one too sure by 0.2", [0.0] * 23 + [0.2], [100] * 24),
    ):
        if only not in name:
            continue
        rng, truth = np.random.default_rng(len(sizes)), max(more)
        before, after = Counter(truth), Counter(truth)
        for seed in range(repeats):
            sure, right = [], []
            for gap, n in zip(more, sizes, strict=True):
                sure.append(rng.choice(SURE, n))
                right.append(rng.random(n) < sure[-1] - gap)
            worst = int(np.argmax([calibration.ece(s, r) for s, r in zip(sure, right, strict=True)]))
            before.add(ece_interval(sure[worst], right[worst], seed=seed))
            after.add(groups.worst_ece_interval(sure, right, seed=seed))
        row(name, "worst_ece", before, after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--only", default="")
    given, start = parser.parse_args(), time.process_time()
    shares(given.repeats, given.only)
    errors(given.repeats, given.only)
    print(f"\n{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
