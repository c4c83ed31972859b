"""How often a regression gate is wrong: false alarms between equally good models and power at known drops. The tables of docs/gates.md.

    python benchmarks/gates/error_rates.py [--cache=DIR] [--repeats=1000] [--part=alarms|accuracy|auroc|ece]

Two checkpoints of equal quality are made from the real answers of `scenes-rn`: Gaussian noise of one strength is added to its cosines,
independently for each image, class and checkpoint, so disagreements are exchangeable and the true drop of every statistic is 0. Images are
drawn with replacement from the 1,900 clean ones (unknown images from the 500 of `near`), anew in each repeat. A checkpoint that is worse by
d points is such a copy that in addition loses each right answer with probability d / accuracy.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from pytest_clip.data import load
from pytest_clip.extract.cores import cores
from pytest_clip.extract.extraction import Extraction
from pytest_clip.gates.regression import MCNEMAR, regress
from pytest_clip.metrics import calibration, ood, paired
from pytest_clip.metrics.accuracy import top_k
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.models import openclip
from pytest_clip.models.spec import parse

SIZES = (500, 2000, 10_000)
DROPS = (0.01, 0.02, 0.05)
SEVERITIES = 5
GATES = 350
"""Gates of a run with all suites on `scenes`."""


class Pool:
    """Real answers, to draw images from and to make noisy checkpoints of."""

    def __init__(self, cache):
        data, model = load("scenes"), openclip.load(parse("scenes-rn"), device="cpu", cache_dir=cache)
        extraction = Extraction(cache=cache, cores=cores(1))
        known, unknown = (extraction.zero_shot(model, data, name) for name in ("clean", "near"))
        extraction.close()
        self.known, self.labels, self.unknown, self.scale = known.cosines, known.labels, unknown.cosines, known.scale
        wrong = self.known.copy()
        wrong[np.arange(len(wrong)), self.labels] = -np.inf
        self.rival = wrong.argmax(1)

    def rights(self, noise, rng, times=400):
        """Probability [1900] that a checkpoint of this noise is right on each image."""
        return np.mean([self._right(self.known, self.labels, noise, rng) for _ in range(times)], axis=0)

    def disagreement(self, noise, rng):
        p = self.rights(noise, rng, times=100)
        return float(np.mean(2 * p * (1 - p)))

    def noise_for(self, disagreement, rng):
        """The strength at which two checkpoints disagree on being right for this share of the images."""
        low, high = 0.0, 0.5
        for _ in range(14):
            middle = (low + high) / 2
            low, high = (middle, high) if self.disagreement(middle, rng) < disagreement else (low, middle)
        return high

    @staticmethod
    def _right(cosines, labels, noise, rng):
        return top_k(cosines + noise * rng.normal(size=cosines.shape), labels, k=1)

    def sample(self, n, rng):
        return rng.integers(len(self.known), size=n), rng.integers(len(self.unknown), size=n)

    def checkpoint(self, rows, others, noise, rng, names=None, *, hotter=1.0):
        """What one noisy checkpoint answers to these images, as the outcomes of the statistics `names`; all when None.

        `hotter` multiplies its logit scale.
        """
        cosines, labels, unknown = self.known[rows], self.labels[rows], self.unknown[others]
        seen = cosines + noise * rng.normal(size=cosines.shape)
        right, own = top_k(seen, labels, k=1), seen[np.arange(len(rows)), labels][:, None]
        logits = hotter * self.scale * seen

        def sure():
            return {"confidence": calibration.softmax(logits).max(1), "correct": right}

        def scores():
            known, other = (ood.msp(self.scale * each) for each in (seen, unknown + noise * rng.normal(size=unknown.shape)))
            return {"arrays": {"score": known}, "others": {"score": other}}

        def severe():
            return np.mean([self._right(cosines, labels, 1.5 * noise, rng) for _ in range(SEVERITIES)], axis=0)

        five = {"group": np.arange(len(rows)) % 5, "correct": right}
        all_of_them = {
            "accuracy": lambda: Outcomes("mean", {"correct": right}),
            "accuracy, 5 severities": lambda: Outcomes("mean", {"correct": severe()}),
            "mean per class": lambda: Outcomes("mean_per_class", {"correct": right, "label": labels}),
            "NLL": lambda: Outcomes("mean", {"nll": calibration.nll_per_sample(logits, labels)}),
            "ECE": lambda: Outcomes("ece", sure(), params={"bins": 15}),
            "adaptive ECE": lambda: Outcomes("adaptive_ece", sure(), params={"bins": 15}),
            "AUROC": lambda: Outcomes("auroc", **scores()),
            "FPR95": lambda: Outcomes("fpr95_id_positive", **scores()),
            "shape bias": lambda: Outcomes("share", {"part": right, "whole": right | (seen.argmax(1) == self.rival[rows])}),
            "mean rank": lambda: Outcomes("mean", {"rank": 1 + (seen > own).sum(1)}),
            "error ratio": lambda: Outcomes("error_ratio", {"before": right, "correct": self._right(cosines, labels, 2 * noise, rng)}),
            "worst of 5 factors, by scene": lambda: Outcomes("lowest_group", five, clusters=np.arange(len(rows)) // 5),
        }
        return {name: make() for name, make in all_of_them.items() if names is None or name in names}


LOW = {"NLL", "ECE", "adaptive ECE", "FPR95", "mean rank", "error ratio"}
"""Better when low."""


def verdict(name, base, now, seed):
    if (now.value - base.value) * (1 if name in LOW else -1) <= 0:
        return "pass"  # no matter what the interval is
    side = "lower" if name in LOW else "higher"
    return regress(base, now, gate=f"{name}/{seed}", base_value=base.value, value=now.value, better=side, allowed=0.0).status


def false_alarms(pool, noise, *, n, repeats, names, rng):
    alarms = dict.fromkeys(names, 0)
    for seed in range(repeats):
        rows, others = pool.sample(n, rng)
        one, two = (pool.checkpoint(rows, others, noise, rng, names) for _ in range(2))
        for name in names:
            alarms[name] += verdict(name, one[name], two[name], seed) == "fail"
    return {name: count / repeats for name, count in alarms.items()}


def exact_p(worse, better):
    """p of `paired.mcnemar` for arrays of counts."""
    from scipy.special import betainc

    return np.where(worse > 0, betainc(np.maximum(worse, 1), better + 1, 0.5), 1.0)


def disagreements(p, n, drop, rng):
    """Images that only the second checkpoint gets wrong, and only the first; the second is worse by `drop`."""
    chance = p[rng.integers(len(p), size=n)]
    base, now = rng.random(n) < chance, (rng.random(n) < chance) & (rng.random(n) >= drop / p.mean())
    return int(np.count_nonzero(base & ~now)), int(np.count_nonzero(now & ~base))


def accuracy_table(pool, disagreement, *, repeats, rng):
    """For accuracy: shares of fail and insufficient by size, drop and allowed drop, alone and held to 0.05 / GATES."""
    p = pool.rights(pool.noise_for(disagreement, rng), rng)
    for n in SIZES:
        for drop in (0.0, *DROPS):
            counts = np.array([disagreements(p, n, drop, rng) for _ in range(repeats)])
            worse, better = counts.T
            pvalues, dropped = exact_p(worse, better), (worse - better) / n
            cells = []
            for allowed in (0.0, drop / 2) if drop else (0.0, 0.01, 0.02):
                beyond = dropped > allowed
                sure = beyond & (pvalues <= 0.05)
                cells.append((allowed, sure.mean(), (beyond & ~sure).mean(), (beyond & (pvalues <= 0.05 / GATES)).mean()))
            yield disagreement, n, drop, cells


def check_vectors(rng):
    """The counts above decide as `regress` does."""
    for _ in range(50):
        base, now = rng.random((2, 300)) < 0.8
        one, two = (Outcomes("mean", {"correct": each}) for each in (base, now))
        got = regress(one, two, gate="a/b", base_value=one.value, value=two.value, better="higher", allowed=0.0)
        worse, better = int((base & ~now).sum()), int((now & ~base).sum())
        assert got.method == MCNEMAR
        assert np.isclose(exact_p(np.array([worse]), np.array([better]))[0], paired.mcnemar(worse, better, n=300).p)
        assert (got.status == "fail") == (worse > better and got.p <= 0.05)


def auroc_power(pool, noise, *, n, drop, repeats, rng):
    """Share of fail at allowed 0 when unknown images take the scores of known ones with a probability that costs `drop`."""
    rows, others = pool.sample(20_000, rng)
    area = pool.checkpoint(rows, others, noise, rng, ("AUROC",))["AUROC"].value
    swapped = drop / (area - 0.5)
    failed = 0
    for seed in range(repeats):
        rows, others = pool.sample(n, rng)
        one, two = (pool.checkpoint(rows, others, noise, rng, ("AUROC",))["AUROC"] for _ in range(2))
        known, unknown = two.arrays["score"], two.others["score"].copy()
        taken = rng.random(n) < swapped
        unknown[taken] = rng.permutation(known)[: taken.sum()]
        two = Outcomes("auroc", {"score": known}, others={"score": unknown})
        failed += verdict("AUROC", one, two, seed) == "fail"
    return failed / repeats


def resampled(repeats):
    """Sizes and how often each is repeated where every repeat is a bootstrap: 0.1 s at n = 500, 2 s at 10,000."""
    return (500, repeats // 2), (2000, repeats // 10), (10_000, repeats // 20)


def family_alarms(p, *, n, repeats, rng):
    """Share of runs of GATES equally good accuracies with any failure, each held to 0.05 and to 0.05 / GATES (Holm's first step)."""
    disagreeing = rng.binomial(n, float(np.mean(2 * p * (1 - p))), size=(repeats, GATES))
    worse = rng.binomial(disagreeing, 0.5)
    pvalues = exact_p(worse, disagreeing - worse)
    return (pvalues.min(1) <= 0.05).mean(), (pvalues.min(1) <= 0.05 / GATES).mean()


def print_alarms(pool, noise, repeats):
    print("| A/A, n = 500, allowed 0 | false alarms |\n|---|---|")
    for name in pool.checkpoint(*pool.sample(50, np.random.default_rng(0)), noise, np.random.default_rng(0)):
        share = false_alarms(pool, noise, n=500, repeats=repeats, names=(name,), rng=np.random.default_rng(1))[name]
        print(f"| {name} | {share:.1%} |", flush=True)


def print_accuracy(pool, repeats):
    rng = np.random.default_rng(2)
    print("\n| disagree | n | true drop | allowed: fail / insufficient, fail when held to 0.05 / gates |\n|---|---|---|---|")
    for disagreement in (0.02, 0.10, 0.20):
        for _, n, drop, cells in accuracy_table(pool, disagreement, repeats=repeats, rng=rng):
            text = "; ".join(f"{allowed:.3f}: {fail:.1%} / {open_:.1%}, {family:.1%}" for allowed, fail, open_, family in cells)
            print(f"| {disagreement:.0%} | {n} | {drop:.0%} | {text} |", flush=True)


def print_auroc(pool, noise, repeats):
    rng = np.random.default_rng(3)
    print("\n| AUROC, n | true drop | fail at allowed 0 |\n|---|---|---|")
    for n, times in resampled(repeats):
        for drop in DROPS:
            found = auroc_power(pool, noise, n=n, drop=drop, repeats=times, rng=rng)
            print(f"| {n} | {drop:.0%} | {found:.0%} ({times} repeats) |", flush=True)


def print_ece(pool, noise, repeats):
    """A checkpoint with the same answers in law and a larger logit scale: overconfident."""
    rng = np.random.default_rng(5)
    print("\n| ECE, n | logit scale times | true rise | fail at allowed 0 |\n|---|---|---|---|")
    for n, times in resampled(repeats):
        many = pool.sample(50_000, rng)
        for hotter in (1.25, 1.5, 2.5):
            values = [pool.checkpoint(*many, noise, rng, ("ECE",), hotter=h)["ECE"].value for h in (1.0, hotter)]
            failed = 0
            for seed in range(times):
                drawn = pool.sample(n, rng)
                one, two = (pool.checkpoint(*drawn, noise, rng, ("ECE",), hotter=h)["ECE"] for h in (1.0, hotter))
                failed += verdict("ECE", one, two, seed) == "fail"
            print(f"| {n} | {hotter} | {values[1] - values[0]:.3f} | {failed / times:.0%} ({times} repeats) |", flush=True)


def print_families(p, repeats):
    rng = np.random.default_rng(4)
    for n in SIZES:
        each, together = family_alarms(p, n=n, repeats=2 * repeats, rng=rng)
        print(f"\nruns of {GATES} equally good accuracies, n = {n}: any failure {each:.1%}, with family-wise control {together:.1%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "pytest-clip")
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--part", choices=("alarms", "accuracy", "auroc", "ece", "all"), default="all")
    given = parser.parse_args()
    pool, rng = Pool(given.cache), np.random.default_rng(0)
    check_vectors(rng)
    noise = pool.noise_for(0.10, rng)
    p = pool.rights(noise, rng)
    print(f"accuracy of the noisy checkpoints {p.mean():.3f}, disagreement {np.mean(2 * p * (1 - p)):.3f}, noise {noise:.4f}\n")
    if given.part in ("alarms", "all"):
        print_alarms(pool, noise, given.repeats)
    if given.part in ("accuracy", "all"):
        print_accuracy(pool, given.repeats)
        print_families(p, given.repeats)
    if given.part in ("auroc", "all"):
        print_auroc(pool, noise, given.repeats)
    if given.part in ("ece", "all"):
        print_ece(pool, noise, given.repeats)
    print(f"\nprocessor time {time.process_time():.0f} s")


if __name__ == "__main__":
    main()
