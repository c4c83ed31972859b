"""What the bounds and tests of a drop hold: coverage by enumeration, false alarms under three nulls. Figures of docs/statistics.md.

    python benchmarks/gates/coverage_paired.py [--part=shares|scenes|rare|drops|events|nulls|bounds] [--sizes=50,190,1900] [--repeats=1000]
        [--statistics=ece,auroc] [--before] [--few]

`before` is the formula that was replaced: McNemar's conditional bounds, a percentile bootstrap confirmed by an exchange (of the nulls with
--before only, which doubles the time). Nominal are 95 % for each bound by itself, 5 % for a test. Needs neither a model nor pictures:
processor time is printed at the end.
"""

import argparse
import math
import time
import warnings

import numpy as np
from scipy.special import betaincinv, gammaln, ndtri, stdtr, stdtrit, xlogy

from pytest_clip.metrics import _pairs, calibration, paired
from pytest_clip.metrics.mcnemar import score_bounds, tail
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.resampling import seed_from

SIZES = (50, 190, 1900)
RATES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2)
NAMED = ((190, 0.04, 0.01), (513, 0.02, 0.0), (1900, 0.10, 0.0))
"""Sizes and true shares of worse and better images at which the conditional bounds were found out."""


# --- shares of right answers, by enumeration of all outcomes


def outcomes(n, most):
    """All counts (worse, better) of n pairs that matter when so large a share disagrees."""
    worse, better = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    kept = worse + better <= min(n, n * most + 8 * math.sqrt(n * most) + 20)
    return worse[kept], better[kept]


def chances(worse, better, n, p01, p10):
    rest = n - worse - better
    log = gammaln(n + 1) - gammaln(worse + 1) - gammaln(better + 1) - gammaln(rest + 1)
    return np.exp(log + xlogy(worse, p01) + xlogy(better, p10) + xlogy(rest, 1 - p01 - p10))


def conditional(worse, better, n):
    """Before: Clopper-Pearson's bounds for the share of worse ones among those that disagree."""
    m = worse + better
    low = np.where(worse > 0, betaincinv(np.maximum(worse, 1), better + 1, 0.05), 0.0)
    high = np.where(better > 0, betaincinv(worse + 1, np.maximum(better, 1), 0.95), 1.0)
    return (2 * low - 1) * m / n, (2 * high - 1) * m / n


def exact_p(worse, better):
    return np.array([tail(a, b) for a, b in zip(worse.tolist(), better.tolist(), strict=True)])


def now(worse, better, n):
    low, high = score_bounds(worse, better, n)
    return np.where(exact_p(worse, better) <= 0.05, low, np.minimum(low, 0)), np.where(
        exact_p(better, worse) <= 0.05, high, np.maximum(high, 0)
    )


def covered(bounds, weight, drop):
    low, high = bounds
    return weight[low <= drop + 1e-12].sum(), weight[high >= drop - 1e-12].sum()


def print_shares():
    print("share of right answers (McNemar), coverage of the lower and of the upper bound, nominal 95 %, by enumeration\n")
    print("| n | worse | better | before: lower, upper | after: lower, upper |\n|---|---|---|---|---|")
    for n, p01, p10 in NAMED:
        worse, better = outcomes(n, p01 + p10)
        weight = chances(worse, better, n, p01, p10)
        cells = [", ".join(f"{each:.3f}" for each in covered(how(worse, better, n), weight, p01 - p10)) for how in (conditional, now)]
        print(f"| {n} | {p01:.0%} | {p10:.0%} | {cells[0]} | {cells[1]} |", flush=True)
    print(f"\nthe least of both over all pairs of the rates {', '.join(f'{each:g}' for each in RATES)}; mean width of both bounds\n")
    print("| n | before | after | width before | width after |\n|---|---|---|---|---|")
    for n in (5, 20, 50, 190, 513, 1900):
        worse, better = outcomes(n, 0.4)
        bounds = [how(worse, better, n) for how in (conditional, now)]
        least, width, count = [1.0, 1.0], [0.0, 0.0], 0
        for p01 in RATES:
            for p10 in RATES:
                weight, count = chances(worse, better, n, p01, p10), count + 1
                for side, (low, high) in enumerate(bounds):
                    least[side] = min(least[side], *covered((low, high), weight, p01 - p10))
                    width[side] += float(weight @ (high - low))
        print(f"| {n} | {least[0]:.3f} | {least[1]:.3f} | {width[0] / count:.4f} | {width[1] / count:.4f} |", flush=True)


# --- the paired bootstrap as it was


def percentile(base, now_, *, seed, sign, resamples):
    """Before: expanded percentiles around the observed drop, and an exchange that is not studentised. Bounds and p."""
    pair, observed = _pairs.Pair.of(base, now_, sign), float(sign * (now_.value - base.value))
    if pair.differing == 0:
        return 0.0, 0.0, 1.0
    rng, units, drops, both = np.random.default_rng(seed), pair.units, pair.drops(), pair.exchanged()
    drawn = np.concatenate([drops(w, v) for _, _, w, v in pair.draws(rng, resamples, _pairs.with_replacement)])
    drawn = np.sort(drawn[np.isfinite(drawn)])
    if drawn.size < 0.95 * resamples:
        return -math.inf, math.inf, 1.0
    drawn += observed - drawn.mean()
    width = math.sqrt(units / (units - 1))
    k = max(math.floor(float(paired_cdf(width * stdtrit(units - 1, 0.05))) * (drawn.size + 1)), 1)
    lower, upper = float(drawn[k - 1]), float(drawn[-k])
    share = (1 + np.count_nonzero(drawn <= 0)) / (drawn.size + 1)
    p = float(stdtr(units - 1, ndtri(share) / width)) if share < 1 else 1.0
    if lower > 0:
        values = np.concatenate([both(w, v) for _, _, w, v in pair.draws(rng, resamples, _pairs.coins, width=2)])
        p = max(p, (1 + np.count_nonzero(values >= observed - 1e-12)) / (values.size + 1), 0.5 ** min(pair.differing, 1000))
        lower = lower if p <= 0.05 else 0.0
    return lower, upper, p


def paired_cdf(z):
    from scipy.special import ndtr

    return ndtr(z)


# --- shares whose images lie in scenes


def scenes_of(n, per, *, alike, p01, p10, rng):
    """Outcomes of two models on n images of n / per scenes; a share `alike` of scenes has one fate for all its images."""
    count = n // per
    whole = rng.random(count) < alike
    fate = rng.choice((1, -1, 0), p=(p01, p10, 1 - p01 - p10), size=(count, per))
    fate[whole] = fate[whole, :1]
    fate = fate.ravel()
    base = np.where(fate == 1, 1.0, np.where(fate == -1, 0.0, rng.random(n) < 0.5))
    clusters = np.repeat(np.arange(count), per)
    return tuple(Outcomes("mean", {"right": each}, clusters=clusters) for each in (base, base - fate))


def print_scenes(repeats):
    print("\nshare of right answers, four images a scene, half of the scenes of one fate: coverage of lower, upper\n")
    print("| n | worse | better | before | after |\n|---|---|---|---|---|")
    for n in (100, 200, 1000):
        for p01, p10 in ((0.01, 0.0), (0.04, 0.01), (0.1, 0.1), (0.2, 0.05)):
            rng, held, times = np.random.default_rng(n), np.zeros((2, 2)), repeats // (4 if n == 1000 else 1)
            for seed in range(times):
                base, other = scenes_of(n, 4, alike=0.5, p01=p01, p10=p10, rng=rng)
                old = percentile(base, other, seed=seed, sign=-1, resamples=400)
                new = paired.bootstrap(base, other, seed=seed, sign=-1, resamples=400)
                for row, (low, high) in enumerate((old[:2], (new.lower, new.upper))):
                    held[row] += low <= p01 - p10 + 1e-12, high >= p01 - p10 - 1e-12
            before, after = (", ".join(f"{each:.3f}" for each in row / times) for row in held)
            print(f"| {n} | {p01:.0%} | {p10:.0%} | {before} | {after} |", flush=True)


# --- every statistic under three nulls

NULLS = ("equal copies", "unequal spread", "crossed")
COUNTED = ("accuracy", "share", "drop", "error_ratio", "part_error_ratio", "lowest_group", "fpr95_id_positive", "fpr95_ood_positive")
VIEWS = 3
LOW = {
    "NLL", "median", "error_ratio", "ece", "adaptive_ece", "fpr95_id_positive", "fpr95_ood_positive", "largest_group_drop", "drop",
    "highest_mean", "largest_rise", "mean_spread", "ece_spread", "auroc_spread", "mean_std", "ece_std", "auroc_std", "part_error_ratio",
    "group_gap", "largest_group_ece",
}  # fmt: skip
"""Better when low."""
NAMES = (
    "accuracy", "NLL", "recall", "median", "share", "drop", "error_ratio", "relative", "effective", "part_error_ratio", "mean_per_class",
    "lowest_group", "largest_group_drop", "ece", "adaptive_ece", "auroc", "aupr_in", "aupr_out", "fpr95_id_positive", "fpr95_ood_positive",
    "lowest_mean", "highest_mean", "largest_rise", "mean_spread", "ece_spread", "auroc_spread", "mean_std", "ece_std", "auroc_std",
    "group_gap", "largest_group_ece",
)  # fmt: skip


FEW = {"skill": 1.6, "noise": 0.5, "harder_only": False, "unknown": (0.8, 1.0), "apart": 0.4, "groups": 5}
"""Models of few errors: of 50 images they disagree on 8 and err on 3 to 8; equal error ratios take a second model that errs on one."""


class World:
    """8,000 images and 8,000 unknown ones, answered by two models whose statistic is the same on all of them.

    Equal copies: both models add noise of one strength to the four logits. Unequal spread: the second adds 2.4 times as much. Crossed: the
    second is much better on a tenth of the images and a little worse on the rest. A shift of the second model's skill, found by bisection
    for each statistic, makes its value on the 8,000 equal to that of the first; where the number compares views (a drop, a ratio, a
    spread), a shift on the hardest view only. Samples are drawn from them with replacement.

    How good the models are is one choice for all statistics, by Cochran's rule for tables of counts: of 50 images at least 5 are to be
    expected of everything that a test counts (`print_events`).
    """

    N, CLASSES = 8000, 4

    def __init__(self, seed=0, *, skill=1.0, noise=0.7, harder_only=True, unknown=(0.3, 0.5), apart=0.25, groups=3):
        rng = np.random.default_rng(seed)
        shape = (VIEWS, self.N, self.CLASSES)
        self.strength, self.harder_only = noise, harder_only
        self.skill, self.unknown = rng.normal(skill, 1.0, size=self.N), unknown[0] * rng.normal(size=(self.N, self.CLASSES))
        self.blur, self.gap = unknown[1], apart
        self.label, self.group = rng.integers(0, 10, size=self.N), rng.integers(0, groups, size=self.N)
        self.noise = [(rng.normal(size=shape), rng.normal(size=shape)) for _ in range(2)]
        self.gains = rng.random((2, self.N)) < 0.1

    def seen(self, model, null, shift, view, harder):
        """Logits [N, 4]; the right class is the first."""
        skill = self.skill - harder
        if model:
            skill = skill + (np.where(self.gains[0], 2.5, shift - 0.3) if null == "crossed" else shift)
        logits = self._strength(model, null) * self.noise[model][0][view]
        logits[:, 0] += skill
        return 2 * logits

    def strange(self, model, null, view):
        logits = (1 + 0.3 * view) * self.unknown + self.blur * self._strength(model, null) * self.noise[model][1][view]
        return 2 * (np.where(self.gains[1][:, None], 0.6 * logits, logits) if model and null == "crossed" else logits)

    def _strength(self, model, null):
        return self.strength * (2.4 if model and null == "unequal spread" else 1.0)

    def outcomes(self, name, model, null, shift):
        def see(view=0, harder=0.0, moved=True):
            return self.seen(model, null, shift if moved or not self.harder_only else 0.0, view, harder)

        def right(logits):
            return (logits.argmax(1) == 0).astype(float)

        def sure(logits, times=1.0):
            return calibration.softmax(times * logits).max(1)

        def nll(logits):
            return calibration.nll_per_sample(logits, np.zeros(self.N, dtype=int))

        def columns(of):
            one = many or name == "largest_rise"  # distances between views
            return np.stack([of(see(view, 0.15 * view, not one or view == VIEWS - 1)) for view in range(VIEWS)], axis=1)

        def apart():
            return [{"correct": right(see(*each))} for each in ((0, self.gap, True), (1, -self.gap, False))]

        first, kind = see(), name.removesuffix("_spread").removesuffix("_std")
        correct, before = right(first), right(see(1, -0.3, moved=False))
        bins, many = {"bins": 15}, name != kind
        tables = {
            "accuracy": lambda: Outcomes("mean", {"correct": correct}),
            "NLL": lambda: Outcomes("mean", {"nll": nll(first)}),
            "recall": lambda: Outcomes(name, {"rank": 1.0 + (first[:, 1:] > first[:, :1]).sum(1)}, params={"k": 1}),
            "median": lambda: Outcomes(name, {"rank": nll(first)}),
            "share": lambda: Outcomes(name, {"part": correct, "whole": np.maximum(correct, first.argmax(1) == 1)}),
            "relative": lambda: Outcomes(name, apart()[0], others=apart()[1]),
            "effective": lambda: Outcomes(name, apart()[0], params={"slope": 0.7, "intercept": -0.6, "part": 0}, others=apart()[1]),
            "part_error_ratio": lambda: Outcomes(name, apart()[0], others=apart()[1]),
            "mean_per_class": lambda: Outcomes(name, {"correct": correct, "label": self.label}),
            "lowest_group": lambda: Outcomes(name, {"correct": correct, "group": self.group}),
            "group_gap": lambda: Outcomes(name, {"correct": correct, "group": self.group}),
            "largest_group_ece": lambda: Outcomes(
                name, {"confidence": sure(first, 2), "correct": correct, "group": self.group}, params=bins
            ),
            "highest_mean": lambda: Outcomes(name, {"gain": columns(nll)}),
            "largest_rise": lambda: Outcomes(name, {"correct": 1 - columns(right)}),
            "lowest_mean": lambda: Outcomes(name, {"correct": columns(right)}),
            "mean": lambda: Outcomes(name, {"correct": columns(right)}),
        }
        if name in ("drop", "error_ratio", "largest_group_drop"):
            group = {"group": self.group} if name == "largest_group_drop" else {}
            return Outcomes(name, {"before": before, "correct": correct, **group})
        if kind in ("ece", "adaptive_ece"):
            held = columns(lambda logits: sure(logits, 2)) if many else sure(first, 2)
            return Outcomes(name, {"confidence": held, "correct": columns(right) if many else correct}, params=bins)
        if kind in ("auroc", "aupr_in", "aupr_out", "fpr95_id_positive", "fpr95_ood_positive"):
            unknown = [sure(self.strange(model, null, view)) for view in range(VIEWS if many else 1)]
            others = np.stack(unknown, axis=1) if many else unknown[0]
            return Outcomes(name, {"score": columns(sure) if many else sure(first)}, others={"score": others})
        return tables[kind if kind == "mean" else name]()

    def pair(self, name, null, off=0.0):
        """Outcomes of both models on everything, None where no shift makes them equal. `off`: beyond that shift, so that they are not."""
        base = self.outcomes(name, 0, null, 0.0)

        def excess(shift):
            return self.outcomes(name, 1, null, shift).value - base.value

        grid = np.concatenate([np.linspace(-2.5, 1.0, 36), np.linspace(1.5, 4.0, 6)])
        found = [excess(each) for each in grid]
        crossings = [i for i in range(len(grid) - 1) if found[i] * found[i + 1] <= 0]
        if not crossings:
            return None
        at = min(crossings, key=lambda i: abs(grid[i] + grid[i + 1]))
        low, high, sign = grid[at], grid[at + 1], found[at]
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if excess(middle) * sign > 0 else (low, middle)
        return base, self.outcomes(name, 1, null, (low + high) / 2 + off)


def drawn(outcomes, rows, others):
    first, second = ({k: v[at] for k, v in each.items()} for each, at in ((outcomes.arrays, rows), (outcomes.others, others)))
    return Outcomes(outcomes.statistic, first, params=outcomes.params, others=second)


def idle(one, two, drop, sign, *, seed):
    """Whether the drop is under 0.9 of its standard errors (60 resamples), which no test of a large sample calls one."""
    pair, rng = _pairs.Pair.of(one, two, sign), np.random.default_rng([seed, 1])
    found = np.concatenate([pair.drops()(w, v) for _, _, w, v in pair.draws(rng, 60, _pairs.with_replacement)])
    return drop < 0.9 * np.nanstd(found)


def alarms(base, now_, name, *, n, repeats, resamples, old, stream):
    """Shares of samples in which a drop is found, before (if `old`) and after, and of those that have no value."""
    rng, sign, size = np.random.default_rng([n, stream]), 1 if name in LOW else -1, len(base.ids)
    before = after = none = 0
    for seed in range(repeats):
        rows, others = rng.integers(size, size=(2, n))
        one, two = (drawn(each, rows, others) for each in (base, now_))
        drop = sign * (two.value - one.value)
        if not drop > 0:  # no test can find one
            none += not math.isfinite(drop)
            continue
        if n >= 150 and idle(one, two, drop, sign, seed=seed):
            continue
        if old:
            lower, _, p = percentile(one, two, seed=seed, sign=sign, resamples=resamples)
            before += lower > 0 and p <= 0.05
        found = paired.bootstrap(one, two, seed=seed, sign=sign, resamples=resamples)
        none += not math.isfinite(found.lower)
        after += found.lower > 0 and found.p <= 0.05
    return before / repeats, after / repeats, none / repeats


def exact_alarms(base, now_, *, n):
    """Shares of right answers: of all outcomes of n images, those in which McNemar's test finds a drop."""
    p01, p10 = (float(np.mean(one & ~two)) for one, two in ((base.binary, now_.binary), (now_.binary, base.binary)))
    worse, better = outcomes(n, p01 + p10)
    return chances(worse, better, n, p01, p10)[exact_p(worse, better) <= 0.05].sum()


def print_events():
    """What is counted in 50 images of both populations, and McNemar's false alarms by the number of images that differ."""
    print(
        "\nof 50 images, expected\n\n| population | null | statistic | counted | of the first | of the second |\n|---|---|---|---|---|---|"
    )
    for title, world in (("informative", World()), ("few events", World(**FEW))):
        for null in NULLS:
            for name in COUNTED:
                pair = world.pair(name, null)
                for what, cells in counted(name, pair, world) if pair else ():
                    print(f"| {title} | {null} | {name} | {what} | " + " | ".join(f"{50 * each:.1f}" for each in cells) + " |", flush=True)
    print("\n| images that differ | false alarms of McNemar's test |\n|---|---|")
    for many in (*range(1, 21), 30, 50, 100):
        law = chances(np.arange(many + 1), many - np.arange(many + 1), many, 0.5, 0.5)
        print(f"| {many} | {law[exact_p(np.arange(many + 1), many - np.arange(many + 1)) <= 0.05].sum():.1%} |")


def counted(name, pair, world):
    if name == "accuracy":
        return [("disagreements", [float(np.mean(pair[0].binary != pair[1].binary))])]
    if name.startswith("fpr95"):
        return [("passing at 95 %", [each.value for each in pair]), ("not passing", [1 - each.value for each in pair])]
    tables = {key: [each.arrays[key] for each in pair] for key in pair[0].arrays if key != "group"}
    tables |= {f"{key} of the rest": [each.others[key] for each in pair] for key in pair[0].others}
    per = max(len(np.unique(world.group)), 1) if name == "lowest_group" else 1
    return [(f"not {key}", [float(1 - each.mean()) / per for each in found]) for key, found in tables.items()]


def print_nulls(sizes, repeats, names, old, few, again):
    world = World(**FEW) if few else World()
    print("\nfalse alarms between models whose statistic is equal, nominal 5 %, one-sided\n")
    print("| statistic | null | n | before | after | no value | repeats |\n|---|---|---|---|---|---|---|")
    for name in names:
        for null in NULLS:
            pair = world.pair(name, null)
            if pair is None:
                continue
            for n in sizes:
                if pair[0].binary is not None:
                    print(f"| {name} | {null} | {n} | - | {exact_alarms(*pair, n=n):.1%} | 0% | enumerated |", flush=True)
                    continue
                times = repeats if n < 1000 else max(2 * repeats // 5, 100)
                before, after, none = alarms(
                    *pair, name, n=n, repeats=times, resamples=400, old=old, stream=seed_from(f"{name} {null}{again or ''}")
                )
                was = f"{before:.1%}" if old else "-"
                print(f"| {name} | {null} | {n} | {was} | {after:.1%} | {none:.0%} | {times} |", flush=True)


def print_bounds(sizes, repeats, names, old, few, again):
    """Coverage of both bounds where models are equal, and where the skill of the second is 0.4 less."""
    world = World(**FEW) if few else World()
    print("\ncoverage of the lower and of the upper bound of a drop, each nominally 95 %\n")
    print("| statistic | null | n | true drop | before | after | no value |\n|---|---|---|---|---|---|---|")
    for name in names:
        sign = 1 if name in LOW else -1
        for null, off in [(null, off) for null in NULLS for off in (0.0, -0.4)]:
            pair = world.pair(name, null, off)
            for n in sizes if pair else ():
                truth, rng, held, none = sign * (pair[1].value - pair[0].value), np.random.default_rng([n, again]), np.zeros((2, 2)), 0
                for seed in range(repeats):
                    rows, others = rng.integers(world.N, size=(2, n))
                    one, two = (drawn(each, rows, others) for each in pair)
                    if not math.isfinite(two.value - one.value):
                        none += 1
                        continue
                    new = paired.bootstrap(one, two, seed=seed, sign=sign, resamples=400)
                    was = percentile(one, two, seed=seed, sign=sign, resamples=400)[:2] if old else (math.nan, math.nan)
                    for row, (low, high) in enumerate((was, (new.lower, new.upper))):
                        held[row] += low <= truth + 1e-12, high >= truth - 1e-12
                before, after = (", ".join(f"{each:.3f}" for each in row / max(repeats - none, 1)) for row in held)
                cells = f"{truth:.3f} | {before if old else '-'} | {after} | {none / repeats:.0%}"
                print(f"| {name} | {null} | {n} | {cells} |", flush=True)


def print_rare(repeats):
    """A mean such as NLL: a share of images gains 1, the rest lose what makes the mean 0; noise of a tenth of that."""
    print("\nfalse alarms for a mean where few images gain much and all others lose a little\n")
    print("| share that gains | n | no such image in the sample | before | after |\n|---|---|---|---|---|")
    for share in (0.03, 0.1, 0.2):
        for n in SIZES:
            rng, before, after, times = np.random.default_rng(n), 0, 0, 2 * repeats if n < 1000 else repeats
            for seed in range(times):
                loss = share / (1 - share)
                x = np.where(rng.random(n) < share, -1.0, loss) + 0.1 * loss * rng.normal(size=n)
                if x.mean() <= 0:
                    continue
                one, two = Outcomes("mean", {"nll": np.zeros(n)}), Outcomes("mean", {"nll": x})
                lower, _, p = percentile(one, two, seed=seed, sign=1, resamples=400)
                before += lower > 0 and p <= 0.05
                after += paired.bootstrap(one, two, seed=seed, sign=1, resamples=400).lower > 0
            print(f"| {share:.0%} | {n} | {(1 - share) ** n:.1%} | {before / times:.1%} | {after / times:.1%} |", flush=True)


# --- what drop_test decides


def print_drops():
    print("\nshares of verdicts on accuracy by drop_test, by enumeration; images that disagree either way beside the drop: 5 %\n")
    print("| n | allowed | true drop | observed: fail, insufficient | sure: fail | safe: pass |\n|---|---|---|---|---|---|")
    for n in (190, 513, 1900, 10_000):
        for allowed in (0.01, 0.02, 0.05):
            for times in (0.0, 0.5, 1.0, 1.5, 2.0):
                drop = allowed * times
                worse, better = outcomes(n, 0.05 + drop) if n < 5000 else sampled(n, 0.025 + drop, 0.025)
                weight = chances(worse, better, n, 0.025 + drop, 0.025) if n < 5000 else np.full(len(worse), 1 / len(worse))
                low, high = now(worse, better, n)
                beyond, surely = (worse - better) / n > allowed + 1e-12, exact_p(worse, better) <= 0.05
                shares = [weight[each].sum() for each in (beyond & surely, beyond & ~surely, low > allowed, high < allowed)]
                cells = f"{shares[0]:.1%}, {shares[1]:.1%} | {shares[2]:.1%} | {shares[3]:.1%}"
                print(f"| {n} | {allowed:g} | {drop:g} | {cells} |", flush=True)


def sampled(n, p01, p10, many=20_000):
    worse, better, _ = np.random.default_rng(n).multinomial(n, (p01, p10, 1 - p01 - p10), size=many).T
    return worse, better


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("shares", "scenes", "events", "nulls", "bounds", "rare", "drops", "all"), default="all")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--statistics", default=",".join(NAMES))
    parser.add_argument("--before", action="store_true")
    parser.add_argument("--again", type=int, default=0, metavar="N", help="other samples: 1, 2, ...")
    parser.add_argument("--few", action="store_true", help="of models that err on few images")
    given = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # means of classes that a sample has not
    chosen = (
        [int(each) for each in given.sizes.split(",")],
        given.repeats,
        given.statistics.split(","),
        given.before,
        given.few,
        given.again,
    )
    parts = {
        "shares": print_shares,
        "scenes": lambda: print_scenes(given.repeats),
        "rare": lambda: print_rare(given.repeats),
        "drops": print_drops,
        "events": print_events,
        "nulls": lambda: print_nulls(*chosen),
        "bounds": lambda: print_bounds(*chosen),
    }
    for name, part in parts.items():
        if given.part in (name, "all"):
            part()
    print(f"\nprocessor time {time.process_time():.0f} s")


if __name__ == "__main__":
    main()
