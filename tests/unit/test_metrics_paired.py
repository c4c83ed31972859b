"""Paired comparison against scipy and statsmodels, against enumeration, and on seeded simulations of models that are equally good."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from scipy.stats import bootstrap as scipy_bootstrap
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from pytest_clip.metrics import _pairs, paired
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.statistics import STATISTICS

quick = settings(derandomize=True, deadline=None, max_examples=80)


@quick
@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 100))
def test_mcnemar_equals_scipy_and_statsmodels(worse, better, both):
    n, m = worse + better + both, worse + better
    got = paired.mcnemar(worse, better, n=n)
    assert got.lower < got.upper
    assert got.p == pytest.approx(binomtest(worse, m, alternative="greater").pvalue if m else 1.0, rel=1e-9)
    table = [[both, worse], [better, 0]]
    two_sided = min(1.0, 2 * min(got.p, paired.mcnemar(better, worse, n=n).p))
    assert two_sided == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, abs=1e-9)
    assert (got.lower > 0) == (got.p <= 0.05)
    assert got.lower <= (worse - better) / n <= got.upper
    assert (got.units, got.differing) == (n, m)


def test_mcnemar_by_hand():
    """Five worse and none better: p = 2^-5; four leave it open."""
    assert paired.mcnemar(5, 0, n=100).p == pytest.approx(1 / 32)
    assert paired.mcnemar(5, 0, n=100).lower > 0
    assert paired.mcnemar(4, 0, n=100).p == pytest.approx(1 / 16)
    assert paired.mcnemar(4, 0, n=100).lower == 0.0  # the score bound is above, the exact test not sure
    assert paired.mcnemar(0, 1, n=1).p == 1.0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ((-1, 0, 5), "worse must be a whole number of at least 0, not -1"),
        ((3, 3, 5), "3 worse and 3 better are more than 5 pairs"),
        ((0, 0, 0), "n must be a whole number of at least 1, not 0"),
    ],
)
def test_mcnemar_refuses(how, message):
    with pytest.raises(ValueError, match=message):
        paired.mcnemar(*how[:2], n=how[2])


@quick
@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 500))
def test_pairs_to_settle_is_where_the_test_begins_to_reject(worse, better, rest):
    n = worse + better + rest
    needed = paired.pairs_to_settle(worse, better, n=n)
    if worse <= better:
        assert needed is None
        return
    if paired.mcnemar(worse, better, n=n).p <= 0.05:
        assert needed == n
        return
    # as many times the same counts, rounded against and in favour of a rejection
    times = needed / n
    more = paired.mcnemar(math.ceil(worse * times) + 1, math.floor(better * times), n=needed + 2)
    less = paired.mcnemar(max(math.floor(worse * times) - 1, 0), math.ceil(better * times), n=needed + 2)
    assert needed > n
    assert more.p <= 0.05 < less.p


def test_what_is_sure_needs_no_more_pairs():
    assert paired.pairs_to_settle(5, 0, n=100) == 100  # p = 1 / 32
    assert paired.pairs_to_settle(4, 0, n=100) == math.ceil(100 * math.log(0.05, 0.5) / 4)


def means(base, now, **how):
    return Outcomes("mean", {"x": np.asarray(base)}, **how), Outcomes("mean", {"x": np.asarray(now)}, **how)


def test_bounds_of_a_mean_are_those_of_scipys_bootstrap():
    rng = np.random.default_rng(0)
    base = rng.exponential(size=400)
    now = base + rng.normal(0.05, 0.4, size=400)
    got = paired.bootstrap(*means(base, now), seed=1, sign=1, resamples=20_000)
    theirs = scipy_bootstrap((now - base,), np.mean, n_resamples=20_000, confidence_level=0.90, method="percentile", rng=2)
    assert got.lower == pytest.approx(theirs.confidence_interval.low, abs=0.002)
    assert got.upper == pytest.approx(theirs.confidence_interval.high, abs=0.002)
    assert (got.units, got.differing) == (400, 400)


def test_higher_is_better_turns_the_sign_and_the_bounds():
    rng = np.random.default_rng(0)
    base, now = rng.random(50), rng.random(50)
    up = paired.bootstrap(*means(base, now), seed=1, sign=-1)
    down = paired.bootstrap(*means(now, base), seed=1, sign=1)
    assert (up.lower, up.upper) == pytest.approx((down.lower, down.upper), abs=1e-12)


def test_few_units_widen_the_bounds():
    """Expanded percentiles: with 5 units the plain ones hold 0.90 of a normal sample's mean in about 0.77 of the cases."""
    rng = np.random.default_rng(3)
    held = 0
    for seed in range(400):
        x = rng.normal(size=5)
        got = paired.bootstrap(*means(np.zeros(5), x), seed=seed, sign=1, resamples=300)
        # a lower bound that the exchange does not confirm is moved to 0, which is the truth here: count what it was before
        held += got.lower <= 0 <= got.upper
    assert held / 400 > 0.90


@pytest.mark.parametrize("statistic", ["mean", "auroc"])
def test_the_same_outcomes_never_differ(statistic):
    rng = np.random.default_rng(0)
    name = "score" if statistic == "auroc" else "x"
    others = {"score": rng.random(30)} if statistic == "auroc" else {}
    one = Outcomes(statistic, {name: rng.random(40)}, others=others)
    got = paired.bootstrap(one, one, seed=0, sign=-1)
    assert (got.p, got.differing) == (1.0, 0)
    assert got.lower == -got.upper
    reach = {"mean": np.ptp(one.arrays[name]), "auroc": 1.0}[statistic]
    assert 0 < got.upper <= 2 * reach * (1 - 0.05 ** (1 / 30))


def test_where_nothing_differs_a_share_of_all_images_still_may():
    """95 % of the samples of 30 have one of them when 1 - 0.05^(1/30) = 9.5 % differ: each by as much as the values reach."""
    x = np.linspace(0, 2, 30)
    got = paired.bootstrap(*means(x, x), seed=0, sign=1)
    assert got.upper == pytest.approx(2 * (1 - 0.05 ** (1 / 30)))
    same = paired.bootstrap(*means(np.full(30, 3.0), np.full(30, 3.0)), seed=0, sign=1)
    assert same.upper == pytest.approx(1 - 0.05 ** (1 / 30))


def test_bounds_are_never_a_point():
    """Every sample lost exactly 0.1, the bootstrap's copies too."""
    rng = np.random.default_rng(0)
    x = rng.random(30)
    got = paired.bootstrap(*means(x, np.round(x, 2)), seed=0, sign=1)
    assert got.lower < got.upper
    shifted = paired.bootstrap(*means(x, x + 0.1), seed=0, sign=1)
    assert 0.08 < shifted.lower < 0.099
    lost = paired.bootstrap(*means(np.zeros(30), np.full(30, 0.125)), seed=0, sign=1)
    assert 0.1 < lost.lower < 0.125 == lost.upper
    gained = paired.bootstrap(*means(np.full(30, 0.125), np.zeros(30)), seed=0, sign=1)
    assert -0.125 == gained.lower < gained.upper < 0


def test_one_sample_says_nothing():
    got = paired.bootstrap(*means([0.0], [1.0]), seed=0, sign=1)
    assert (got.lower, got.upper, got.p) == (-math.inf, math.inf, 1.0)


def test_a_statistic_that_most_resamples_lack_says_nothing():
    """One error in 20: 36 % of the resamples have none, and no error ratio."""
    before = np.ones(20)
    before[0] = 0
    base, now = (Outcomes("error_ratio", {"before": before, "correct": c}) for c in (np.ones(20), before))
    got = paired.bootstrap(base, now, seed=0, sign=1)
    assert (got.lower, got.upper, got.p, got.differing) == (-math.inf, math.inf, 1.0, 1)


def test_four_samples_to_the_worse_are_no_proof():
    """A bootstrap alone would call them 0.98 sure; exchanged, all four are on one side in 1 of 16."""
    base, now = np.zeros(500), np.zeros(500)
    now[:4] = 1.0
    four = paired.bootstrap(*means(base, now), seed=0, sign=1)
    assert four.lower == 0.0
    assert four.p == pytest.approx(1 / 16, abs=0.02)
    now[:12] = 1.0
    twelve = paired.bootstrap(*means(base, now), seed=0, sign=1)
    assert twelve.lower > 0
    assert twelve.p == pytest.approx(2.0**-12, rel=1)
    assert twelve.p >= 2.0**-12


def test_the_exchange_gives_the_p_of_all_ways_to_exchange():
    rng = np.random.default_rng(5)
    base = rng.normal(size=10)
    now = base + np.abs(rng.normal(0.6, 0.5, size=10)) * np.where(rng.random(10) < 0.9, 1, -1)
    d = now - base
    all_ways = np.array([np.mean(d * signs) for signs in itertools.product((1, -1), repeat=10)])
    exact = float(np.mean(all_ways >= d.mean() - 1e-12))
    got = paired.bootstrap(*means(base, now), seed=0, sign=1, resamples=20_000)
    assert got.p == pytest.approx(exact, rel=0.25)


def test_tiny_p_values_do_not_stop_at_the_number_of_resamples():
    rng = np.random.default_rng(0)
    base = rng.normal(size=2000)
    now = base + rng.normal(0.02, 0.1, size=2000)
    z = (now - base).mean() / ((now - base).std() / math.sqrt(2000))
    got = paired.bootstrap(*means(base, now), seed=0, sign=1)
    assert 6 < z < 12
    assert got.p < 1e-8


def test_samples_of_one_scene_count_once():
    """Every scene eight times: the bounds are those of the scenes, not those of eight times as many."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=60)
    now = base + rng.normal(0.1, 1.0, size=60)
    scenes = paired.bootstrap(*means(base, now), seed=4, sign=1)
    eight = [np.repeat(x, 8) for x in (base, now)]
    clustered = paired.bootstrap(*means(*eight, clusters=np.repeat(np.arange(60), 8)), seed=4, sign=1)
    alone = paired.bootstrap(*means(*eight), seed=4, sign=1)
    assert (clustered.lower, clustered.upper, clustered.units, clustered.differing) == pytest.approx((scenes.lower, scenes.upper, 60, 60))
    assert alone.half_width < 0.5 * clustered.half_width


def test_both_samples_of_an_auroc_are_drawn_and_paired():
    """Both models err on the same images, so the difference is far narrower than either."""
    rng = np.random.default_rng(0)
    hard, easy = rng.normal(1, 1, size=200), rng.normal(0, 1, size=150)
    base = Outcomes("auroc", {"score": hard}, others={"score": easy})
    now = Outcomes("auroc", {"score": hard + rng.normal(-0.1, 0.1, 200)}, others={"score": easy + rng.normal(0, 0.1, 150)})
    got = paired.bootstrap(base, now, seed=0, sign=-1)
    assert got.units == 150
    assert 0 < got.lower < base.value - now.value < got.upper
    assert got.half_width < 0.01


def test_only_unknown_images_differ_and_they_are_exchanged_too():
    """Three of 60 unknown images score as high as known ones, no other image changes: all on one side in 1 of 8."""
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(3, 1, size=80), rng.normal(0, 1, size=60)
    up = unknown.copy()
    up[:3] = 9.0
    base, now = (Outcomes("auroc", {"score": known}, others={"score": each}) for each in (unknown, up))
    got = paired.bootstrap(base, now, seed=0, sign=-1)
    assert got.differing == 3
    assert got.lower <= 0
    assert got.p >= 1 / 8
    up[:40] += 3.0
    many = paired.bootstrap(base, Outcomes("auroc", {"score": known}, others={"score": up}), seed=0, sign=-1)
    assert many.lower > 0
    assert many.p < 1e-3


def test_samples_are_paired_by_id_not_by_place():
    rng = np.random.default_rng(0)
    x, y, ids = rng.random(50), rng.random(50), tuple(f"image{i}" for i in range(50))
    base, now = means(x, y, ids=ids)
    order = rng.permutation(50)
    turned = Outcomes("mean", {"x": y[order]}, tuple(ids[i] for i in order))
    assert paired.bootstrap(base, turned, seed=3, sign=1) == paired.bootstrap(base, now, seed=3, sign=1)


def test_the_bound_to_which_noise_has_not_pushed_is_farther():
    """A calibrated model against an overconfident one: noise lifts both ECEs, the smaller one more, so the drop seen is too small."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1.0, size=300)
    right = rng.random(300) < p
    base, now = ece_of(p, right), ece_of(np.minimum(p + 0.06, 1.0), right)
    got, drop = paired.bootstrap(base, now, seed=0, sign=1), now.value - base.value
    tested = paired._plain(_pairs.Pair.of(base, now, 1), np.random.default_rng(0), 2000, drop)
    off = np.sort(tested.at(0.0)[1])
    assert tested.pushed == pytest.approx(-0.0096, abs=0.001)
    assert got.lower == pytest.approx(drop - off[-100], abs=1e-6)  # around the mean of the resamples: off by 0.011
    assert got.upper == pytest.approx(drop - off[99] - tested.pushed, abs=1e-6)


def test_the_seed_decides_everything():
    rng = np.random.default_rng(0)
    pair = means(rng.random(40), rng.random(40))
    assert paired.bootstrap(*pair, seed=1, sign=1) == paired.bootstrap(*pair, seed=1, sign=1)
    assert paired.bootstrap(*pair, seed=1, sign=1) != paired.bootstrap(*pair, seed=2, sign=1)


@pytest.mark.parametrize(("n", "expected"), [(100, 2000), (200, 2000), (400, 1000), (4000, 500)])
def test_many_samples_get_fewer_resamples(monkeypatch, n, expected):
    assert paired.MANY == 20_000
    monkeypatch.setattr(paired, "MANY", 200)  # a hundredth of the samples, and of the seconds
    asked = []
    found = lambda pair, rng, resamples, observed: (asked.append(resamples) or np.zeros(resamples), np.ones(resamples), 0.0)  # noqa: E731
    monkeypatch.setattr(paired, "_off", found)
    paired.bootstrap(*means(np.zeros(n), np.ones(n)), seed=0, sign=1)
    assert asked == [expected]


def ece_of(confidence, right):
    return Outcomes("ece", {"confidence": confidence, "correct": right}, params={"bins": 10})


@pytest.mark.parametrize("kind", ["sparse", "ece"])
def test_equally_good_models_are_told_apart_in_at_most_5_percent(kind):
    """300 pairs of models of the same law; 24 of 300 or more would happen to a method with 5 % in 1.5 % of all seeds."""
    rng = np.random.default_rng(7)
    alarms = 0
    for seed in range(300):
        if kind == "sparse":  # a mean in which few samples differ
            x, y = rng.random((2, 120)) * (rng.random((2, 120)) < 0.03)
            base, now = means(x, y)
        else:
            p = rng.random((2, 150))
            base, now = (ece_of(each, rng.random(150) < each) for each in p)
        got = paired.bootstrap(base, now, seed=seed, sign=1, resamples=400)
        alarms += got.lower > 0
    assert alarms < 24


def test_few_images_that_gain_much_are_no_loss_of_the_rest():
    """Equal means: one image in ten gains 1, the others lose 1/9. A percentile bootstrap with an exchange finds a loss in 9 % of them."""
    rng = np.random.default_rng(11)
    alarms = 0
    for seed in range(300):
        lost = np.where(rng.random(50) < 0.1, -1.0, 1 / 9) + rng.normal(0, 0.01, size=50)
        alarms += paired.bootstrap(*means(np.zeros(50), lost), seed=seed, sign=1, resamples=300).lower > 0
    assert alarms <= 9


@pytest.mark.parametrize(("times", "plus"), [(1, 0), (10, 0), (1, 3)])
def test_what_the_exchange_mixes_need_not_be_on_one_scale(times, plus):
    """Scores of two models that differ in scale or offset: a mixture of them is no model. Not studentised, the exchange gave p = 0.04."""
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(1.5, 1, size=200), rng.normal(0, 1, size=200)
    worse, other = known + rng.normal(-0.25, 0.5, size=200), unknown + rng.normal(0, 0.5, size=200)
    base = Outcomes("auroc", {"score": known}, others={"score": unknown})
    now = Outcomes("auroc", {"score": times * worse + plus}, others={"score": times * other + plus})
    got = paired.bootstrap(base, now, seed=0, sign=-1)
    assert got.lower > 0
    assert got.p < 1e-6


def test_studentised_the_exchange_of_a_mean_is_the_plain_one():
    """A sign-flip's drop over its own standard error rises with the drop: d_s / sqrt(q - d_s^2 / n), q fixed."""
    rng = np.random.default_rng(2)
    base = rng.normal(size=30)
    now = base + rng.normal(0.2, 0.5, size=30)
    lost = now - base
    signs = np.random.default_rng(1).choice((1.0, -1.0), size=(20_000, 30))
    plain = np.mean(signs @ lost >= lost.sum())
    studentised = np.mean([t >= lost.mean() / lost.std() for t in (signs * lost).mean(axis=1) / (signs * lost).std(axis=1)])
    assert plain == studentised
    got = paired.bootstrap(*means(base, now), seed=0, sign=1, resamples=20_000)
    assert got.p >= plain - 0.01


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999, 0.99999])
def test_a_bound_of_a_higher_level_lies_farther_out(level):
    rng = np.random.default_rng(0)
    base = rng.normal(size=400)
    now = base + rng.normal(0.2, 0.4, size=400)
    one, two = (paired.bootstrap(*means(base, now), seed=0, sign=1, level=each) for each in (0.8, level))
    assert two.lower < one.lower < one.upper < two.upper
    z, error = norm.ppf(level), (now - base).std() / 20
    assert two.lower == pytest.approx((now - base).mean() - z * error, abs=0.35 * error)


def clustered(fate, base):
    scenes = np.repeat(np.arange(len(fate) // 4), 4)
    return [Outcomes("mean", {"right": each}, clusters=scenes) for each in (base, base - fate)]


def test_clustered_shares_have_score_bounds_of_their_effective_number():
    """Scenes whose four images go together count once, images that go each its own way count four times."""
    rng = np.random.default_rng(0)
    together = np.repeat(rng.choice((1.0, -1.0, 0.0), p=(0.2, 0.1, 0.7), size=400), 4)
    alone = rng.permutation(together)
    bounds = [paired.bootstrap(*clustered(each, (each > 0).astype(float)), seed=0, sign=-1) for each in (together, alone)]
    n = together.size
    lost, won = np.count_nonzero(together > 0), np.count_nonzero(together < 0)
    low, high = paired.score_bounds(lost / 4, won / 4, n / 4)
    assert (bounds[0].lower, bounds[0].upper) == pytest.approx((float(low), float(high)), abs=0.003)
    low, high = paired.score_bounds(lost, won, n)
    assert (bounds[1].lower, bounds[1].upper) == pytest.approx((float(low), float(high)), abs=0.003)


def test_where_no_scene_differs_their_number_bounds_the_drop():
    same = np.zeros(80)
    got = paired.bootstrap(*clustered(same, same), seed=0, sign=-1)
    low, high = paired.score_bounds(0, 0, 20)
    assert (got.lower, got.upper) == pytest.approx((float(low), float(high)), abs=1e-9)
    assert got.upper > 0.1


def of_ratio(base, now, statistic="error_ratio", names=("before", "correct")):
    return [Outcomes(statistic, dict(zip(names, each, strict=True))) for each in (base, now)]


@pytest.mark.parametrize("kind", ["mean", "error_ratio", "kept", "share"])
def test_the_error_of_a_ratio_is_that_of_each_resample(kind):
    """Against the formula, unit by unit, on resamples; and against the jackknife on all units."""
    rng = np.random.default_rng(0)
    if kind == "mean":
        pair = _pairs.Pair.of(*means(rng.random(200), rng.random(200)), 1)
    else:
        names = ("before", "correct") if kind in ("error_ratio", "kept") else ("part", "whole")
        answers = [(rng.random((2, 200)) < 0.6).astype(float) for _ in range(2)]
        pair = _pairs.Pair.of(*of_ratio(*answers, kind, names), 1)
    none = np.zeros((3, 0))
    drawn = _pairs.with_replacement(rng, 3, 200)
    for w, got in zip(drawn, pair.errors()(drawn, none), strict=True):
        each = np.repeat(np.arange(200), w.astype(int))
        adds = []
        for model in (pair.base, pair.now):
            top, bottom = STATISTICS[kind].sums(model.arrays, model.params)
            adds.append((top[each] - top[each].sum() / bottom[each].sum() * bottom[each]) / bottom[each].sum())
        assert got == pytest.approx(math.sqrt(((adds[1] - adds[0]) ** 2).sum()))
    [left_out, _], ones = pair.left_out(pair.drops()), np.ones((1, 200))
    assert pair.errors()(ones, none[:1])[0] == pytest.approx(left_out.std() / math.sqrt(200), rel=0.03)


def test_of_many_units_blocks_are_left_out():
    rng = np.random.default_rng(0)
    pair = _pairs.Pair.of(*means(rng.random(4000), rng.random(4000)), 1)
    [left_out, _] = pair.left_out(pair.drops())
    assert left_out.std() == pytest.approx((pair.now.arrays["x"] - pair.base.arrays["x"]).std(), rel=0.1)
