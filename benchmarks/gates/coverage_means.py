"""How often the 95 % intervals of means, rates, extremes and crossed designs hold the truth: the tables of docs/statistics/means.md.

    python benchmarks/gates/coverage_means.py [--part=means|rates|areas|extremes|prompts|crossed|ece]... [--repeats=500]

Every row is one kind of data whose true number is known. "before" is the interval that was used at first, written down here; "after" is
the one that ships. In brackets: how often it lies wholly below and wholly above the truth. "open": how often an end is missing, because n
is too small; an open end holds everything. Seeds are fixed. 500 repeats know a coverage of 95 % to +-1 point.
"""

import argparse
import time

import numpy as np
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student

from pytest_clip.metrics import _weighted, calibration, extremes, intervals
from pytest_clip.metrics.crossed import crossed_interval
from pytest_clip.metrics.ood_intervals import aupr_interval, fpr95_interval
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.resampling import weights_of

Z = norm.ppf(0.975)


def percentiles(values):
    """The plain percentile interval of resampled numbers [R]."""
    return np.quantile(values, [0.025, 0.975])


def weights(n, resamples, rng):
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)


class Counter:
    """Intervals of one number, and how they stand to the truth."""

    def __init__(self, truth):
        self.truth, self.ends = truth, []

    def add(self, interval):
        self.ends.append(interval)

    def __str__(self):
        low, high = np.array(self.ends).T
        below, above = np.mean(high < self.truth - 1e-12), np.mean(low > self.truth + 1e-12)
        opened = np.mean(~np.isfinite(high) | ~np.isfinite(low))
        width = f"{np.median(high - low):.3f}" if opened < 0.5 else "-"
        return f"{1 - below - above:.3f} ({below:.3f}, {above:.3f}) | {width}" + (f", open {opened:.2f}" if opened else "")


def header(*columns):
    print("\n| " + " | ".join((*columns, "before | width", "after | width")) + " |")
    print("|" + "---|" * (len(columns) + 4))


def row(*columns):
    print("| " + " | ".join(str(each) for each in columns) + " |", flush=True)


def losses(n, rng, wrong):
    """NLL-like: small where the model is right, large in a share `wrong` of the samples."""
    return np.where(rng.random(n) < wrong, 0.7 + rng.exponential(2.5, n), rng.exponential(0.05, n))


POSITIVE = (0.0, np.inf)
TERMS = {
    "losses, 10 % wrong": (lambda n, rng: losses(n, rng, 0.1), 0.1 * 3.2 + 0.9 * 0.05, POSITIVE),
    "losses, 30 % wrong": (lambda n, rng: losses(n, rng, 0.3), 0.3 * 3.2 + 0.7 * 0.05, POSITIVE),
    "lognormal, sigma 1.5": (lambda n, rng: np.exp(rng.normal(0, 1.5, n)), np.exp(1.125), POSITIVE),
    "lognormal, sigma 1": (lambda n, rng: np.exp(rng.normal(0, 1, n)), np.exp(0.5), POSITIVE),
    "exponential": (lambda n, rng: rng.exponential(1, n), 1.0, POSITIVE),
    "normal": (lambda n, rng: rng.normal(0, 1, n), 0.0, (-np.inf, np.inf)),
    "shares of 4, mean 0.95": (lambda n, rng: rng.binomial(4, 0.95, n) / 4, 0.95, (0.0, 1.0)),
}


def means(repeats):
    header("mean of", "n")
    for name, (draw, truth, within) in TERMS.items():
        for n in (20, 30, 50, 190):
            rng, before, after = np.random.default_rng(n), Counter(truth), Counter(truth)
            drawn = weights(n, 1000, rng) / n
            for seed in range(repeats):
                terms = draw(n, rng)
                before.add(percentiles(drawn @ terms))
                after.add(intervals.mean_interval(terms, seed=seed, resamples=1000, within=within))
            row(name, n, before, after)


def average_precision(n, m, apart):
    """That of infinitely many scores N(apart, 1) and N(0, 1), n of the first for m of the second."""

    def at(x):
        return norm.pdf(x - apart) * n * norm.sf(x - apart) / (n * norm.sf(x - apart) + m * norm.sf(x))

    return quad(at, -9, 9 + apart)[0]


def rates(repeats):
    header("number", "known, unknown", "truth")
    for n, m in ((20, 20), (50, 50), (50, 200), (190, 190), (1900, 500)):
        for apart in (1.0, 2.0, 3.0) if n < 1000 else (2.0,):
            truths = {
                "FPR95": norm.sf(norm.ppf(0.05) + apart), "AUPR": average_precision(n, m, apart), "AUROC": norm.cdf(apart / np.sqrt(2)),
            }  # fmt: skip
            rng, counts = np.random.default_rng(n + m), {name: (Counter(truth), Counter(truth)) for name, truth in truths.items()}
            few = repeats if n < 1000 else max(repeats // 5, 40)
            for seed in range(few):
                known, unknown = rng.normal(apart, 1, n), rng.normal(0, 1, m)
                pairs = list(weights_of(n, m, seed=seed, resamples=400))
                each = (_weighted.passed_at_95, _weighted.average_precision, _weighted.auroc)
                old = [percentiles(np.concatenate([of(known, unknown)(*pair) for pair in pairs])) for of in each]
                new = (
                    fpr95_interval(known, unknown), aupr_interval(known, unknown, seed=seed, resamples=400),
                    intervals.auroc_interval(known, unknown),
                )  # fmt: skip
                for (before, after), one, two in zip(counts.values(), old, new, strict=True):
                    before.add(one)
                    after.add(two)
            for name, (before, after) in counts.items():
                row(name, f"{n}, {m}", f"{truths[name]:.3f}", before if name != "AUROC" else "the same, normal quantile | -", after)


def delong(known, unknown):
    """Before: DeLong's variance on the logit scale, alone, with Student's t."""
    won = (known[:, None] > unknown).astype(float)
    area, few = won.mean(), min(won.shape)
    error = np.sqrt(won.mean(axis=1).var(ddof=1) / len(known) + won.mean(axis=0).var(ddof=1) / len(unknown))
    if error == 0:
        return intervals.wilson_share(float(area), few)
    reach = student.ppf(0.975, few - 1) * error / (area * (1 - area))
    return expit(logit(area) - reach), expit(logit(area) + reach)


def areas(repeats):
    """AUROCs where the scores of the unknown spread less or more than those of the known, which are 1 wide."""
    header("AUROC, width of the unknown", "known, unknown", "truth")
    for n, m in ((20, 20), (50, 50), (50, 200), (200, 50), (190, 190)):
        for width in (0.5, 1.0, 2.0):
            for apart in (1.0, 2.0, 3.0):
                apart *= max(1.0, np.sqrt(width))
                truth, rng = norm.cdf(apart / np.hypot(1, width)), np.random.default_rng(n + m)
                before, after = Counter(truth), Counter(truth)
                for _ in range(2 * repeats):
                    known, unknown = rng.normal(apart, 1, n), rng.normal(0, width, m)
                    before.add(delong(known, unknown))
                    after.add(intervals.auroc_interval(known, unknown))
                row(width, f"{n}, {m}", f"{truth:.3f}", before, after)


def worst(repeats):
    """Ten factors of images of their own, and of the same scenes."""
    header("lowest of ten accuracies", "n")
    cases = {
        "equal, 0.9": [0.9] * 10, "equal, 0.98": [0.98] * 10, "one 5 points lower": [0.85] + [0.9] * 9,
        "one 30 points lower": [0.6] + [0.9] * 9, "0.80 to 0.95": np.linspace(0.8, 0.95, 10),
    }  # fmt: skip
    for n in (50, 190, 1900):
        for name, rates_of in cases.items():
            for shared in (False, True):
                if (shared and (n != 190 or "equal, 0.9" not in name)) or (n == 1900 and name not in ("equal, 0.9", "one 5 points lower")):
                    continue
                rng, truth = np.random.default_rng(n), float(np.min(rates_of))
                before, after = Counter(truth), Counter(truth)
                for seed in range(repeats if n < 1000 else max(repeats // 5, 40)):
                    scene = rng.normal(size=(n, 1)) if shared else rng.normal(size=(n, 10))
                    noisy = np.sqrt(0.7) * scene + np.sqrt(0.3) * rng.normal(size=(n, 10))
                    right = (noisy < norm.ppf(rates_of)).T
                    units = [np.arange(n) + (0 if shared else n * g) for g in range(10)]
                    before.add(intervals.wilson(int(right.sum(axis=1).min()), n))
                    after.add(extremes.lowest_share(right, units=units, seed=seed, resamples=400))
                row(name + (", same scenes" if shared else ""), n, before, after)


def drops(repeats):
    header("largest of ten drops", "n")
    for name, lost in {"equal, 0.03": [0.03] * 10, "one 10 points": [0.1] + [0.0] * 9}.items():
        n, rng = 190, np.random.default_rng(5)
        before, after = Counter(max(lost)), Counter(max(lost))
        for seed in range(repeats // 2):
            first = [rng.random(n) < 0.9 for _ in lost]
            second = [np.where(one, rng.random(n) >= (0.02 + d) / 0.9, rng.random(n) < 0.2) for one, d in zip(first, lost, strict=True)]
            units = [np.arange(n) + n * g for g in range(10)]
            chosen = int(np.argmax([one.mean() - two.mean() for one, two in zip(first, second, strict=True)]))
            before.add(intervals.paired_difference(first[chosen], second[chosen]))
            after.add(extremes.largest_drop(first, second, units=units, seed=seed, resamples=400))
        row(name, n, before, after)


def extreme(repeats):
    worst(repeats)
    drops(repeats)


def templates(repeats):
    """Seven prompt sets on the same images, whose answers correlate."""
    header("seven prompt sets", "n", "accuracies", "correlation")
    cases = {"equal": np.zeros(7), "one 6 points lower": np.r_[-0.3, np.zeros(6)], "0.87 to 0.92": np.linspace(-0.15, 0.15, 7)}
    for n in (190, 1900):
        for rho in (0.7, 0.95) if n < 1000 else (0.95,):
            for name, shift in cases.items():
                rng, truths = np.random.default_rng(7), norm.cdf(norm.ppf(0.9) + shift)
                counts = {
                    what: (Counter(truth), Counter(truth))
                    for what, truth in (("worst", truths.min()), ("spread", np.ptp(truths)), ("deviation", truths.std()))
                }
                for seed in range(max(repeats // 2, 40) if n < 1000 else max(repeats // 10, 40)):
                    latent = np.sqrt(rho) * rng.normal(size=(n, 1)) + np.sqrt(1 - rho) * rng.normal(size=(n, 7))
                    right = latent < norm.ppf(0.9) + shift
                    found, of = right.mean(0), Outcomes("mean_std", {"correct": right})
                    values, noise = extremes.resampled_columns("mean", of, seed=seed, resamples=400)
                    old = {
                        "worst": intervals.wilson(int(right.sum(0).min()), n),
                        "spread": intervals.paired_difference(right[:, found.argmax()], right[:, found.argmin()]),
                        "deviation": percentiles((values + noise - noise.mean(axis=0)).std(axis=1)),
                    }
                    new = {
                        "worst": extremes.lowest_share(right.T, units=[np.arange(n)] * 7, seed=seed, resamples=400),
                        "spread": extremes.share_spread(right, seed=seed, resamples=400),
                        "deviation": extremes.deviation_interval(values, noise),
                    }
                    for what, (before, after) in counts.items():
                        before.add(old[what])
                        after.add(new[what])
                for what, (before, after) in counts.items():
                    row(what, n, name, rho, before, after)


def other_spreads(repeats):
    """Calibration errors and AUROCs under seven prompt sets; the interval before was that of the two farthest sets."""
    header("seven prompt sets", "n", "true values")
    equal = np.zeros(7)
    for base, shift in (("ece", equal), ("ece", np.r_[0.05, equal[1:]]), ("auroc", equal), ("auroc", np.r_[0.5, equal[1:]])):
        rng, n = np.random.default_rng(9), 500
        truths = 0.05 + shift if base == "ece" else norm.cdf((1.5 - shift) / np.sqrt(2))
        counts = {what: (Counter(truth), Counter(truth)) for what, truth in (("spread", np.ptp(truths)), ("deviation", np.std(truths)))}
        for seed in range(max(repeats // 4, 40)):
            common, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 7))
            latent = np.sqrt(0.9) * common + np.sqrt(0.1) * own
            if base == "ece":
                sure = 0.5 + 0.5 * norm.cdf(np.sqrt(0.9) * rng.normal(size=(n, 1)) + np.sqrt(0.1) * rng.normal(size=(n, 7)))
                of = Outcomes("ece_std", {"confidence": sure, "correct": norm.cdf(latent) < sure - truths}, params={"bins": 15})
            else:
                unknown = np.sqrt(0.9) * rng.normal(size=(n, 1)) + np.sqrt(0.1) * rng.normal(size=(n, 7))
                of = Outcomes("auroc_std", {"score": latent + 1.5 - shift}, others={"score": unknown})
            values, noise = extremes.resampled_columns(base, of, seed=seed, resamples=400)
            drawn = noise - noise.mean(axis=0) + values
            old = {
                "spread": percentiles(drawn[:, values.argmax()] - drawn[:, values.argmin()]),
                "deviation": percentiles(drawn.std(axis=1)),
            }
            new = {"spread": extremes.spread_interval(values, noise), "deviation": extremes.deviation_interval(values, noise)}
            for what, (before, after) in counts.items():
                before.add(old[what])
                after.add(new[what])
        for what, (before, after) in counts.items():
            row(f"{base} {what}", n, "equal" if not shift.any() else "one differs", before, after)


def prompts(repeats):
    templates(repeats)
    other_spreads(repeats)


def crossed(repeats):
    """1,200 of 160 shapes x 48 textures; what a shape, a texture and the image itself add to the side that is chosen is normal."""
    header("deviation of shapes, textures, images", "bias", "decided")
    shapes, textures, n = 160, 48, 1200
    for of_shape, of_texture, centre, decided in (
        (0, 0, -0.8, 0.5), (0.5, 0.5, -0.9, 0.5), (1, 0.7, -1.2, 0.7), (0.3, 1, -1.2, 0.7), (1, 0.3, -1, 0.7), (0.5, 0.5, 2, 0.7),
    ):  # fmt: skip
        rng, truth = np.random.default_rng(5), norm.cdf(centre / np.sqrt(1 + of_shape**2 + of_texture**2))
        before, after, twoway = Counter(truth), Counter(truth), Counter(truth)
        for seed in range(repeats):
            shape, texture = np.divmod(rng.choice(shapes * textures, n, replace=False), textures)
            leaning = centre + of_shape * rng.normal(size=shapes)[shape] + of_texture * rng.normal(size=textures)[texture]
            whole = rng.random(n) < decided
            part = whole & (leaning + rng.normal(size=n) > 0)
            before.add(intervals.wilson(int(part.sum()), int(whole.sum())))
            after.add(crossed_interval(part, whole, first=shape, second=texture))
            if seed < repeats // 4:
                w = weights(shapes, 400, rng)[:, shape] * weights(textures, 400, rng)[:, texture]
                twoway.add(percentiles((w @ part) / (w @ whole)))
        row(f"{of_shape}, {of_texture}, 1", f"{truth:.3f}", decided, before, after)
        print(f"|   the same by a two-way bootstrap | | | | | {twoway} |")


def ece(repeats):
    """Confidences of a Beta, right less often by a gap, which is the true error whatever the bins; or on a line that is too flat.

    The interval is the same before and after.
    """
    header("calibration error", "n", "true")
    lines = {gap: lambda sure, gap=gap: sure - gap for gap in (0.0, 0.05, 0.1)}
    lines |= {f"slope {slope}": lambda sure, slope=slope: 0.8 + slope * (sure - 0.8) for slope in (0.8, 0.5)}
    many = 0.3 + 0.7 * np.random.default_rng(0).beta(3, 1, 1_000_000)
    for adaptive in (False, True):
        for n in (300, 500, 1900):
            for name, line in lines.items():
                which = calibration.binned(many, many < 0, bins=15, adaptive=adaptive)[2]
                truth = float(np.abs(np.bincount(which, many - line(many))).sum() / many.size)
                rng, after = np.random.default_rng(11), Counter(truth)
                for seed in range(repeats if n < 1000 else repeats // 2):
                    sure = 0.3 + 0.7 * rng.beta(3, 1, n)
                    right = rng.random(n) < line(sure)
                    after.add(intervals.ece_interval(sure, right, seed=seed, resamples=300, adaptive=adaptive))
                row("adaptive ECE" if adaptive else "ECE", n, f"{truth:.3f} ({name})", "-", "-", after)


PARTS = {"means": means, "rates": rates, "areas": areas, "extremes": extreme, "prompts": prompts, "crossed": crossed, "ece": ece}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--repeats", type=int, default=500)
    options = parser.parse_args()
    for part in options.part or PARTS:
        began = time.monotonic()
        PARTS[part](options.repeats)
        print(f"\n({part}: {time.monotonic() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
