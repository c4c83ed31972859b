"""What intervals and tests of robustness numbers hold, before (the formulas that they replaced, kept here) and after. docs/statistics.md.

    python benchmarks/gates/coverage_robustness.py [--part=effective|alarms|classes|drops|ratios|all] [--lines=CSV]

Truth is known because outcomes are drawn: an image has a probability of being answered rightly, a model draws from it. Seeds are fixed.
`--lines=CSV` reads `results/val/top_factor/imagenet_testbed/class/accuracies_per_factor.csv` of facebookresearch/imagenetx, rows of its 83
`STANDARD` models (`imagenet_x/model_types.py`), and prints what `metrics/published_lines.py` holds of them.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from pytest_clip.gates.regression import regress
from pytest_clip.metrics import _weighted, accuracy, factors
from pytest_clip.metrics import effective_robustness as er
from pytest_clip.metrics.intervals import ratio_interval, wilson
from pytest_clip.metrics.line import fit_line, over_models
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.statistics import STATISTICS, Statistic

LINE = er.published("objectnet")
NOMINAL = 0.95


def row(statistic, n, before, after, nominal=f"{NOMINAL:.3f}"):
    print(f"| {statistic} | {n} | {nominal} | {before} | {after} |", flush=True)


def header(title):
    print(f"\n{title}\n\n| statistic | n | nominal | before | after |\n|---|---|---|---|---|")


def holds(intervals, truth):
    low, high = np.asarray(intervals).T
    return f"{np.mean((low <= truth) & (truth <= high)):.3f}"


# ---- effective robustness of one model ----


def without_clean_error(k, n, overall, n_overall):
    """Before: the shift's sampling error alone, the clean accuracy taken for known."""
    low, high = wilson(k, n)
    base = er.expected(overall, line=LINE, n=n_overall)
    return low - base, high - base


def effective(repeats):
    header("Interval of effective robustness (line of ObjectNet)")
    rng = np.random.default_rng(0)
    for p, q in ((0.40, 0.63), (0.55, 0.80), (0.05, 0.30), (0.93, 0.95)):
        for n, m in ((50, 50), (190, 190), (190, 1900), (1900, 1900)):
            k, j = rng.binomial(n, p, repeats), rng.binomial(m, q, repeats)
            truth = p - float(expit(LINE.slope * logit(q) + LINE.intercept))
            old = [without_clean_error(a, n, b / m, m) for a, b in zip(k, j, strict=True)]
            new = [er.interval(int(a), n, int(b), m, line=LINE) for a, b in zip(k, j, strict=True)]
            row(f"effective robustness, shift {p}, clean {q}", f"{n} shift, {m} clean", holds(old, truth), holds(new, truth))
    for share in (0.02, 0.33):
        n = 1900
        part = int(share * n)
        k, j = rng.binomial(part, 0.5, repeats), rng.binomial(n - part, 0.7, repeats)
        truth = 0.5 - float(expit(LINE.slope * logit((part * 0.5 + (n - part) * 0.7) / n) + LINE.intercept))
        old = [without_clean_error(a, part, (a + b) / n, n) for a, b in zip(k, j, strict=True)]
        new = [er.interval(int(a), part, int(b), n - part, line=LINE, part=True) for a, b in zip(k, j, strict=True)]
        row("effective robustness of a factor", f"{part} of {n}", holds(old, truth), holds(new, truth))


# ---- equally robust models ----


def copies(rng, n, p):
    """Two equally good models: each image is as hard for the one as for the other."""
    chance = rng.beta(2 * p, 2 * (1 - p), n)
    return rng.random(n) < chance, rng.random(n) < chance


def unequal_spread(rng, n, p):
    """The first is always right on the same images, the second on any with the same probability."""
    return np.random.default_rng(n).permutation(n) < round(p * n), rng.random(n) < round(p * n) / n


def along_the_line(rng, n, p, better):
    """The second is better, on every image it did not have."""
    one, two = copies(rng, n, p)
    return one, two | (rng.random(n) < (better - p) / (1 - p))


def null(name, rng, n, m):
    q = 0.60
    p = float(expit(LINE.slope * logit(q) + LINE.intercept))
    if name == "crossed":
        r = 0.66
        return along_the_line(rng, n, p, float(expit(LINE.slope * logit(r) + LINE.intercept))), along_the_line(rng, m, q, r)
    draw = copies if name == "copies" else unequal_spread
    return draw(rng, n, p), draw(rng, m, q)


def known_overall(shift, clean):
    """Before: outcomes beyond what a known clean accuracy lets expect."""
    beyond = shift - er.expected(float(clean.mean()), line=LINE, n=len(clean))
    return Outcomes("mean", {"beyond": beyond})


def two_samples(shift, clean):
    return Outcomes("effective", {"correct": shift}, others={"correct": clean}, params=er.params(LINE, part=False))


def judged(outcomes, shift, clean, seed):
    one, two = (outcomes(s, c) for s, c in zip(shift, clean, strict=True))
    return regress(one, two, gate=f"alarm {seed}", base_value=one.value, value=two.value, better="higher", allowed=0.0)


def share(found):
    return f"{100 * np.mean(found):.1f} %"


def alarms(repeats):
    header("Equally robust models, `max_drop = 0`: false alarms, and in brackets how often each one-sided 95 % bound holds")
    for name in ("copies", "unequal spread", "crossed"):
        for n, m in ((50, 50), (190, 190), (190, 1900), (1900, 1900)):
            times = repeats if n + m < 1000 else repeats // 2
            if (name, n, m) == ("copies", 190, 1900):
                times = 1000  # the first 200 happen to hold 18 alarms
            cells = []
            for outcomes in (known_overall, two_samples):
                rng = np.random.default_rng(1)
                found = [judged(outcomes, *null(name, rng, n, m), seed) for seed in range(times)]
                lower, upper = np.mean([f.lower <= 0 for f in found]), np.mean([f.upper >= 0 for f in found])
                cells.append(f"{share([f.status == 'fail' for f in found])} ({lower:.2f}, {upper:.2f})")
            row(f"effective robustness, {name}", f"{n} shift, {m} clean, {times} times", *cells, nominal="5 %")
    rng = np.random.default_rng(7)
    shift, clean = rng.random(5000) < 0.4, rng.permutation(5000) < 3000
    other = clean.copy()
    other[np.flatnonzero(~clean)[0]] = True
    cells = [judged(o, (shift, shift), (clean, other), 0) for o in (known_overall, two_samples)]
    row("the same shift answers, clean .6000 and .6002", 5000, *(f"{c.status}, p = {c.p:.2g}" for c in cells), nominal="no fail")


# ---- mean over classes ----


def shapes():
    rng = np.random.default_rng(1)
    few, ones, twos = np.full(20, 200), np.full(80, 1), np.full(80, 2)
    yield "19 classes of 100, accuracy about .94", np.full(19, 100), rng.beta(15, 1, 19)
    yield "19 of 27, about .4", np.full(19, 27), rng.beta(2, 3, 19)
    yield "102 of 20 to 230, about .67", rng.integers(20, 230, 102), rng.beta(4, 2, 102)
    yield "37 of 100, about .9", np.full(37, 100), rng.beta(9, 1, 37)
    yield "hard classes rare: 20 of 200 at .95, 80 of 2 at .03", np.r_[few, twos], np.repeat([0.95, 0.03], [20, 80])
    yield "easy classes rare: 20 of 200 at .30, 80 of 2 at .90", np.r_[few, twos], np.repeat([0.30, 0.90], [20, 80])
    yield "20 of 200 at .90, 80 of 1 at .50", np.r_[few, ones], np.repeat([0.90, 0.50], [20, 80])
    yield "50 of 100 at .90, 50 of 1 at .20", np.repeat([100, 1], 50), np.repeat([0.90, 0.20], 50)
    yield "1,000 of 1, 0 to 1", np.full(1000, 1), rng.beta(1, 1, 1000)
    yield "200 of 5, mostly near 0 or 1", np.full(200, 5), rng.beta(0.5, 0.5, 200)
    yield "100 of 1,000 to 10 (Zipf), about .06", 1000 // np.arange(1, 101), rng.beta(0.2, 3, 100)
    yield "100 of 1,000 to 10 (Zipf), about .91", 1000 // np.arange(1, 101), rng.beta(5, 0.5, 100)
    yield "20 of 3 at .90", np.full(20, 3), np.full(20, 0.9)
    yield "19 of 10, about .89", np.full(19, 10), rng.beta(8, 1, 19)
    yield "5 of 6, .20 to .99", np.full(5, 6), np.array([0.9, 0.5, 0.2, 0.99, 0.7])
    yield "4 of 50, .05 to .99", np.full(4, 50), np.array([0.99, 0.6, 0.3, 0.05])
    yield "190 at .97, 10 at .60", np.array([190, 10]), np.array([0.97, 0.60])
    yield "190 at .99, 10 at .95", np.array([190, 10]), np.array([0.99, 0.95])
    yield "500, 50, 5 at .90, .80, .50", np.array([500, 50, 5]), np.array([0.9, 0.8, 0.5])
    yield "500, 50, 5 at .99, .99, .95", np.array([500, 50, 5]), np.array([0.99, 0.99, 0.95])
    yield "10 of 50 at .995", np.full(10, 50), np.full(10, 0.995)
    yield "10 of 50 at .999", np.full(10, 50), np.full(10, 0.999)
    yield "10 of 50 at .02", np.full(10, 50), np.full(10, 0.02)


def images_of(hits, sizes):
    labels = np.repeat(np.arange(sizes.size), sizes)
    return np.concatenate([np.arange(n) < k for k, n in zip(hits, sizes, strict=True)]), labels


def of_images(hits, sizes, rng, resamples=400):
    """Before: percentiles over images drawn with replacement (their counts by class are multinomial); classes not drawn are left out."""
    drawn = rng.multinomial(sizes.sum(), np.concatenate([hits, sizes - hits]) / sizes.sum(), size=resamples)
    right, wrong = np.split(drawn, 2, axis=1)
    with np.errstate(invalid="ignore"):
        means = np.nanmean(right / (right + wrong), axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


def classes(repeats):
    header("Interval of mean_per_class; before, in brackets: how often the interval did not hold its own value")
    rng = np.random.default_rng(2)
    for name, sizes, p in shapes():
        hits = rng.binomial(sizes, p, size=(repeats, sizes.size))
        new = [accuracy.mean_per_class_interval(*images_of(k, sizes), classes=sizes.size) for k in hits]
        some = hits[: repeats // 4]
        old = np.array([of_images(k, sizes, rng) for k in some])
        values = (some / sizes).mean(axis=1)
        lost = np.mean((values < old[:, 0] - 1e-12) | (values > old[:, 1] + 1e-12))
        row(f"mean_per_class, {name}", int(sizes.sum()), f"{holds(old, p.mean())} ({lost:.2f})", holds(new, p.mean()))


def of_present_classes(arrays, others, params):
    """Before: each resample's mean over the classes that it happens to have."""
    means = _weighted.group_means(arrays["correct"].astype(np.float64), arrays["label"])
    return lambda w, v: np.nanmean(means(w), axis=1)


def drops(repeats):
    header("Drop of mean_per_class between equally good models: false alarms (lower bound holds, upper bound holds)")
    STATISTICS["of_present_classes"] = Statistic(of_present_classes, ("correct", "label"))
    for name, sizes, p in (
        ("10 classes of 30", np.full(10, 30), np.full(10, 0.8)),
        ("10 of 25, 25 of 2", np.repeat([25, 2], [10, 25]), np.repeat([0.9, 0.3], [10, 25])),
        ("10 of 20, 100 of 1", np.repeat([20, 1], [10, 100]), np.repeat([0.9, 0.5], [10, 100])),
        ("190 and 10", np.array([190, 10]), np.array([0.9, 0.6])),
    ):
        labels, cells = np.repeat(np.arange(sizes.size), sizes), []
        for statistic in ("of_present_classes", "mean_per_class"):
            rng, found = np.random.default_rng(3), []
            for seed in range(repeats):
                chance = rng.beta(p[labels], 1 - p[labels])
                one, two = (Outcomes(statistic, {"correct": rng.random(labels.size) < chance, "label": labels}) for _ in range(2))
                found.append(regress(one, two, gate=f"drop {seed}", base_value=one.value, value=two.value, better="higher", allowed=0.0))
            lower, upper = np.mean([f.lower <= 0 for f in found]), np.mean([f.upper >= 0 for f in found])
            cells.append(f"{share([f.status == 'fail' for f in found])} ({lower:.3f}, {upper:.3f})")
        row(f"drop of mean_per_class, {name}", f"{labels.size}, {repeats} times", *cells, nominal="5 % (.95)")
    del STATISTICS["of_present_classes"]


# ---- ratios ----


def ratios(repeats):
    header("Error ratio of a factor to all images, of which it is a part")
    rng = np.random.default_rng(4)
    for part, rest in ((60, 1840), (633, 1267), (950, 950)):
        for p, q in ((0.3, 0.2), (0.5, 0.5)):
            truth = p / ((part * p + rest * q) / (part + rest))
            old, new = [], []
            for _ in range(repeats):
                wrong, others = rng.random(part) < p, rng.random(rest) < q
                old.append(ratio_interval(wrong, np.concatenate([wrong, others]), paired=False))
                new.append(factors.part_error_ratio_interval(wrong, others))
            row(f"error ratio, rates {p} and {q}", f"{part} of {part + rest}", holds(old, truth), holds(new, truth))
    print(
        "\nRelative robustness, from accuracies in imagenet-testbed @0170eec (clean accuracy on all classes and on those of the shift):\n"
    )
    print("| model, shift | shift | clean, 1,000 classes | clean, its classes | before | after |\n|---|---|---|---|---|---|")
    for name, top, whole, own in (
        ("ViT-B/32 openai, ImageNet-R", 0.6926, 0.6330, 0.8810), ("RN50 openai, ImageNet-R", 0.6046, 0.5981, 0.8576),
        ("ViT-B/32 openai, ImageNet-A", 0.3139, 0.6330, 0.8742), ("ViT-B/32 openai, ObjectNet", 0.4396, 0.6330, 0.7093),
        ("ViT-B/32 openai, Vid-Robust pm0", 0.8224, 0.6330, 0.9769), ("RN50 openai, Vid-Robust pm0", 0.7556, 0.5981, 0.9722),
    ):  # fmt: skip
        before, after = accuracy.relative(top, whole), accuracy.relative(top, own)
        print(f"| {name} | {top:.4f} | {whole:.4f} | {own:.4f} | {before:.3f} | {after:.3f} |")


# ---- lines ----

IMAGES = {
    "pose": 15_064, "background": 14_751, "pattern": 5972, "color": 6150, "smaller": 1450, "shape": 679, "partial_view": 638,
    "subcategory": 585, "texture": 282, "larger": 150,
}  # fmt: skip


def lines(path):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    overall = np.array([float(r["average"]) for r in rows])
    print(f"\n{len(rows)} models, {overall.min():.4f} to {overall.max():.4f}, spread {logit(overall).std():.4f} in logits\n")
    print("| factor | slope | intercept | r | scatter | in points | from r | level error | slope error, least squares' | left out inside |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, n in IMAGES.items():
        of = np.array([float(r[name]) for r in rows])
        line, plain = (f(overall, of, n_overall=46_110, n_accuracy=n, **more) for f, more in ((over_models, {"seed": 0}), (fit_line, {})))
        told = er.published(f"imagenet-x/{name}")
        from_r = told.slope * logit(overall).std() * np.sqrt((1 / told.r**2 - 1) * 83 / 81)
        points = 100 * line.scatter * np.mean(of * (1 - of))
        print(
            f"| {name} | {line.slope:.4f} | {line.intercept:.4f} | {line.r:.4f} | {line.scatter:.4f} | {points:.2f} | {from_r:.4f} "
            f"| {line.level_error:.4f} | {line.slope_error:.4f}, {plain.slope_error:.4f} | {left_out(overall, of, n)} of {len(rows)} |"
        )


def left_out(overall, of, n):
    """Models that lie within the 95 % band of a line through all others."""
    inside = 0
    for k in range(overall.size):
        rest = np.arange(overall.size) != k
        line = fit_line(overall[rest], of[rest], n_overall=46_110, n_accuracy=n)
        low, high = er.around(overall[k], line=line, n=46_110).models
        inside += low <= of[k] <= high
    return inside


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"effective": effective, "alarms": alarms, "classes": classes, "drops": drops, "ratios": ratios}
    repeats = {"effective": 4000, "alarms": 400, "classes": 2000, "drops": 400, "ratios": 2000}
    parser.add_argument("--part", choices=(*parts, "all"), default="all")
    parser.add_argument("--lines", type=Path)
    given = parser.parse_args()
    if given.lines:
        lines(given.lines)
        return
    for name, part in parts.items():
        if given.part in (name, "all"):
            part(repeats[name])
    print(f"\nprocessor time {time.process_time():.0f} s")


if __name__ == "__main__":
    main()
