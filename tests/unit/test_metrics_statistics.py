"""Every statistic of outcomes against the metric of the same number, on the samples and on resamples of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics import (
    accuracy,
    below_path,
    calibration,
    correspondence,
    corruption,
    effective_robustness,
    factors,
    ood,
    paired,
    retrieval,
    shape_bias,
    spread,
)
from pytest_clip.metrics.outcomes import Outcomes, of_plain
from pytest_clip.metrics.statistics import STATISTICS

quick = settings(derandomize=True, deadline=None, max_examples=25)
BINS = 5
MARGIN = 0.1
LINE = effective_robustness.Line(slope=1.1, intercept=-0.7, r=0.99, n_models=83)


def columns(measure):
    return lambda a: [measure({name: each[:, k] for name, each in a.items()}) for k in range(next(iter(a.values())).shape[1])]


def ece(a):
    return calibration.ece(a["confidence"], a["correct"], bins=BINS)


def pairs(measure):
    return lambda a: measure(a["score"], a["score2"])


def by_group(a, of):
    return [of({name: each[a["group"] == g] for name, each in a.items()}) for g in np.unique(a["group"])]


def drop(a):
    return factors.paired_drop(a["before"], a["correct"])


def mean_correct(a):
    return float(np.mean(a["correct"]))


def aurocs(a):
    return [ood.auroc(a["score"][:, k], a["score2"][:, k]) for k in range(a["score"].shape[1])]


def effective(a, part):
    everything = np.concatenate([a["correct2"], a["correct"]]) if part else a["correct2"]
    overall, n = float(np.mean(everything)), len(everything)
    return effective_robustness.effective_robustness(mean_correct(a), overall, line=LINE, n_overall=n)


def part_error_ratio(a):
    return factors.error_ratio(mean_correct(a), float(np.mean(np.concatenate([a["correct"], a["correct2"]]))))


ORACLES = {
    "mean": lambda a: float(np.mean(a["value"])),
    "recall": lambda a: retrieval.recall(a["rank"], k=3),
    "median": lambda a: retrieval.median_rank(a["rank"]),
    "share": lambda a: a["part"].sum() / a["whole"].sum(),
    "drop": drop,
    "error_ratio": lambda a: factors.error_ratio(mean_correct(a), float(np.mean(a["before"]))),
    "kept": lambda a: accuracy.relative(mean_correct(a), float(np.mean(a["before"]))),
    "relative": lambda a: accuracy.relative(mean_correct(a), float(np.mean(a["correct2"]))),
    "difference": lambda a: float(np.mean(a["correct2"])) - mean_correct(a),
    "effective": lambda a: effective(a, part=True),
    "part_error_ratio": part_error_ratio,
    "mean_per_class": lambda a: accuracy.mean_per_class(a["correct"], a["label"], classes=4),
    "lowest_group": lambda a: min(by_group(a, mean_correct)),
    "largest_group_drop": lambda a: max(by_group(a, drop)),
    "group_gap": lambda a: max(by_group(a, mean_correct)) - min(by_group(a, mean_correct)),
    "largest_group_ece": lambda a: max(by_group(a, ece)),
    "ece": ece,
    "adaptive_ece": lambda a: calibration.adaptive_ece(a["confidence"], a["correct"], bins=BINS),
    "auroc": pairs(ood.auroc),
    "aupr_in": pairs(ood.aupr_in),
    "aupr_out": pairs(ood.aupr_out),
    "fpr95_id_positive": pairs(ood.fpr95_id_positive),
    "fpr95_ood_positive": pairs(ood.fpr95_ood_positive),
    "lowest_mean": lambda a: spread.worst(a["correct"].mean(0), better="higher"),
    "highest_mean": lambda a: spread.worst(a["correct"].mean(0), better="lower"),
    "largest_rise": lambda a: corruption.monotonicity(corruption.error_table(a["correct"].T[None]))[0].largest_fall,
    "mean_spread": lambda a: spread.spread(a["correct"].mean(0)),
    "mean_std": lambda a: spread.deviation(a["correct"].mean(0)),
    "ece_spread": lambda a: spread.spread(columns(ece)(a)),
    "ece_std": lambda a: spread.deviation(columns(ece)(a)),
    "auroc_spread": lambda a: spread.spread(aurocs(a)),
    "auroc_std": lambda a: spread.deviation(aurocs(a)),
    "below_path": lambda a: below_path.gap(a["path2"], a["path"], margin=MARGIN).value,
}
WIDE = {
    name
    for name in ORACLES
    if name.startswith(("lowest_mean", "highest", "largest_rise", "below_path")) or name.endswith(("_spread", "_std"))
}


def outcomes(name, rng, n, m, ties):
    """Arrays as the suites hand them over; with `ties` few different scores."""
    statistic = STATISTICS[name]
    shape = (lambda k: (k, 3)) if name in WIDE else (lambda k: (k,))
    grid = 4 if ties else 10**6

    def array(kind, k):
        if kind == "rank":
            return rng.integers(1, 6, size=k)
        if kind in ("label", "group"):
            return rng.integers(0, 4, size=k)
        if kind == "part":
            return rng.integers(0, 3, size=k)
        if kind == "whole":
            return rng.integers(2, 5, size=k)
        if kind in ("confidence", "score", "value"):
            return rng.integers(0, grid + 1, size=shape(k)) / grid
        return rng.random(shape(k)) < 0.6

    reads = statistic.reads or (("correct",) if name in WIDE else ("value",))
    params = {"bins": BINS, "k": 3, "margin": MARGIN, **effective_robustness.params(LINE, part=True)}
    arrays, others = {kind: array(kind, n) for kind in reads}, {kind: array(kind, m) for kind in statistic.reads_others}
    return Outcomes(name, arrays, params={key: params[key] for key in statistic.params}, others=others)


def oracle(name, given, first, second):
    return ORACLES[name]({k: v[first] for k, v in given.arrays.items()} | {f"{k}2": v[second] for k, v in given.others.items()})


def test_every_statistic_has_an_oracle_here():
    assert set(ORACLES) == set(STATISTICS)


@pytest.mark.parametrize("name", STATISTICS)
@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_statistics_equal_the_metric_of_the_resampled_arrays(name, seed, n, m, ties):
    rng = np.random.default_rng(seed)
    given = outcomes(name, rng, n, m, ties)
    rows, others = np.arange(n), np.arange(len(given.other_ids))
    assert given.value == pytest.approx(oracle(name, given, rows, others), abs=1e-12, nan_ok=True)
    drawn = [(rng.integers(n, size=n), rng.integers(m, size=len(others))) for _ in range(3)]
    weights = [np.stack([np.bincount(d[side], minlength=k) for d in drawn]).astype(float) for side, k in ((0, n), (1, len(others)))]
    got = given.prepared()(*weights)
    if name == "mean_per_class":  # by the class sizes of the whole sample, so that no resample is of fewer classes
        right, label, sizes = given.arrays["correct"], given.arrays["label"], np.bincount(given.arrays["label"])
        terms = right / (np.count_nonzero(sizes) * sizes[label])
        assert got == pytest.approx(np.array([terms[d[0]].sum() for d in drawn]), abs=1e-12)
        return
    expected = [oracle(name, given, *d) for d in drawn]
    assert got == pytest.approx(np.array(expected), abs=1e-12, nan_ok=True)


def test_effective_robustness_on_other_images():
    given = outcomes("effective", np.random.default_rng(0), 20, 30, False)
    given = replace(given, params=effective_robustness.params(LINE, part=False))
    assert given.value == pytest.approx(effective({"correct": given.arrays["correct"], "correct2": given.others["correct"]}, part=False))


@pytest.mark.parametrize("clusters", [False, True])
@pytest.mark.parametrize("name", ["median", "adaptive_ece", "auroc", "aupr_in", "aupr_out", "fpr95_id_positive", "fpr95_ood_positive"])
def test_a_bootstrap_by_counts_equals_one_that_sorts_every_resample(name, clusters, monkeypatch):
    """The same draws, bounds and p; average precisions to the last digits, because they add fractions in another order."""
    rng = np.random.default_rng(7)
    base, now = (replace(outcomes(name, rng, 60, 50, ties=clusters), clusters=np.arange(60) // 2 if clusters else None) for _ in range(2))
    sign = 1 if now.value > base.value else -1
    fast = paired.bootstrap(base, now, seed=3, sign=sign, resamples=400)

    def slow(arrays, others, params):
        given = {name: np.asarray(each) for name, each in arrays.items()}, {f"{name}2": np.asarray(each) for name, each in others.items()}

        def one(*weights):
            rows = [np.repeat(np.arange(w.size), w.astype(int)) for w in weights]
            drawn = {key: each[chosen] for side, chosen in zip(given, rows, strict=True) for key, each in side.items()}
            return np.median(drawn["rank"]) if name == "median" else ORACLES[name](drawn)  # also of ranks among both models' values

        return lambda w, v: np.array([one(*weights) for weights in zip(w, v, strict=True)])

    monkeypatch.setitem(STATISTICS, name, replace(STATISTICS[name], of=slow))
    expected = paired.bootstrap(base, now, seed=3, sign=sign, resamples=400)
    assert (fast.p, fast.units, fast.differing) == (pytest.approx(expected.p, rel=1e-9), expected.units, expected.differing)
    assert (fast.lower, fast.upper) == pytest.approx((expected.lower, expected.upper), abs=1e-13)


@pytest.mark.parametrize("name", ["fpr95_id_positive", "fpr95_ood_positive"])
def test_19_of_20_are_95_percent(name):
    known, unknown = np.arange(20.0), np.arange(20.0) - 18.5
    given = Outcomes(name, {"score": known}, others={"score": unknown})
    assert given.value == ORACLES[name]({"score": known, "score2": unknown}) == 0.0


def test_a_share_of_nothing_is_not_a_number():
    assert np.isnan(Outcomes("share", {"part": np.zeros(3), "whole": np.zeros(3)}).value)
    assert np.isnan(Outcomes("error_ratio", {"before": np.ones(3), "correct": np.zeros(3)}).value)


def test_shape_bias_is_a_share():
    decided, shape, texture = np.array([0, 1, -1, 2, 1]), np.array([0, 0, 1, 1, 1]), np.array([1, 1, 0, 2, 2])
    given = Outcomes("share", {"part": decided == shape, "whole": (decided == shape) | (decided == texture)})
    assert given.value == shape_bias.shape_bias(decided, shape=shape, texture=texture) == 0.5


def test_pck_per_point_is_a_share():
    hits = [np.array([True, False]), np.array([True])]
    given = Outcomes("share", {"part": np.array([h.sum() for h in hits]), "whole": np.array([len(h) for h in hits])})
    assert given.value == correspondence.pck_per_point(np.concatenate(hits))


RIGHT = np.array([True, False, True])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"statistic": "mean", "arrays": {}}, "outcomes need at least one array"),
        ({"statistic": "meen", "arrays": {"correct": RIGHT}}, "unknown statistic 'meen'; known: mean, recall, "),
        ({"statistic": "drop", "arrays": {"correct": RIGHT}}, "the statistic 'drop' needs the array 'before'; given: correct"),
        (
            {"statistic": "auroc", "arrays": {"score": RIGHT}},
            "'auroc' needs the array of the second sample 'score'; given: none",
        ),
        ({"statistic": "recall", "arrays": {"rank": np.ones(3)}}, "the statistic 'recall' needs the parameter 'k'; given: none"),
        ({"statistic": "mean", "arrays": {"correct": RIGHT}, "ids": ("a",)}, "ids has 1 entries where 3 are needed, one per sample"),
        ({"statistic": None, "arrays": {"a": RIGHT, "b": RIGHT[:2]}}, "b has 2 entries where 3 are needed, one per sample"),
        ({"statistic": "mean", "arrays": {"a": RIGHT}, "clusters": np.array([0, 1])}, "clusters has 2 values where 3 are needed"),
        ({"statistic": "mean", "arrays": {"nll": np.array([1, np.nan])}}, "1 of 2 values in nll are NaN or infinite"),
        ({"statistic": "mean", "arrays": {"nll": np.array([])}}, "nll is empty"),
        ({"statistic": "mean", "arrays": {"name": np.array(["a"])}}, "name must hold one number or more per sample, not <U1 of shape"),
    ],
)
def test_outcomes_refuse(how, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Outcomes(**how)


def test_a_mean_is_of_one_array():
    with pytest.raises(ValueError, match="a mean is of one array; given: a, b"):
        _ = Outcomes("mean", {"a": RIGHT, "b": RIGHT}).value


def test_plain_arrays_are_those_of_a_mean_where_they_have_that_mean():
    assert of_plain({"correct": RIGHT}, 2 / 3).statistic == "mean"
    assert of_plain({"correct": RIGHT}, 0.5).statistic is None
    assert of_plain({"correct": RIGHT}, None).statistic is None
    assert of_plain({"before": RIGHT, "correct": RIGHT}, 2 / 3).statistic is None
    assert of_plain({"correct": np.stack([RIGHT, RIGHT])}, 2 / 3).statistic is None
    assert of_plain({"correct": [1, 0, 1]}, 2 / 3).ids == ("0", "1", "2")


def test_outcomes_of_another_order_are_brought_into_that_of_the_first():
    first = Outcomes("mean", {"correct": np.array([1, 0, 0])}, ("a", "b", "c"), clusters=np.array([5, 5, 7]))
    second = Outcomes("mean", {"correct": np.array([0, 1, 0])}, ("c", "a", "b"))
    lined = second.like(first)
    assert lined.arrays["correct"].tolist() == [1, 0, 0]
    assert (lined.ids, lined.clusters.tolist()) == (first.ids, [5, 5, 7])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            Outcomes("mean", {"correct": RIGHT}, ("a", "b", "d")),
            "samples: 3 and 3, 1 of these unknown to those, for example c",
        ),
        (Outcomes("mean", {"correct": RIGHT[:2]}, ("a", "b")), "not the same samples: 2 and 3"),
        (Outcomes(None, {"correct": RIGHT}, ("a", "b", "c")), "not the same statistic: None and mean"),
        (Outcomes("mean", {"nll": RIGHT}, ("a", "b", "c")), "not the same arrays: {'nll': ()} and {'correct': ()}"),
    ],
)
def test_outcomes_of_other_samples_are_refused(other, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)").replace("{", r"\{")):
        other.like(Outcomes("mean", {"correct": RIGHT}, ("a", "b", "c")))


def test_another_number_of_bins_is_another_statistic():
    arrays = {"confidence": np.array([0.2, 0.7]), "correct": np.array([0, 1])}
    five, ten = (Outcomes("ece", arrays, params={"bins": bins}) for bins in (5, 10))
    with pytest.raises(ValueError, match=r"not the same statistic: ece \{'bins': 5\} and ece \{'bins': 10\}"):
        five.like(ten)


@pytest.mark.parametrize(
    ("given", "binary", "right"),
    [
        (Outcomes("mean", {"correct": RIGHT}), RIGHT, RIGHT),
        (Outcomes("mean", {"correct": RIGHT.astype(float)}), RIGHT, RIGHT),
        (Outcomes("mean", {"same": RIGHT}), RIGHT, RIGHT),
        (Outcomes("mean", {"correct": RIGHT / 2}), None, None),
        (Outcomes("recall", {"rank": np.array([1, 9, 2])}, params={"k": 2}), RIGHT, RIGHT),
        (Outcomes("ece", {"confidence": RIGHT, "correct": RIGHT}, params={"bins": 2}), None, RIGHT),
        (Outcomes("drop", {"before": RIGHT, "correct": ~RIGHT}), None, ~RIGHT),
        (Outcomes("mean_std", {"correct": np.stack([RIGHT, RIGHT])}), None, None),
    ],
)
def test_what_is_right_and_what_an_exact_test_takes(given, binary, right):
    for got, expected in ((given.binary, binary), (given.right, right)):
        assert (got is None) == (expected is None)
        assert got is None or got.tolist() == expected.tolist()
