"""What a rule makes of a drop: fail, insufficient or pass, and in which words."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip import ClipError
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.regression import Outcomes, regress
from pytest_clip.metrics import effective_robustness as er

quick = settings(derandomize=True, deadline=None, max_examples=60)


def answered(right, **how):
    return Outcomes("mean", {"correct": np.asarray(right, dtype=bool)}, **how)


def shifted(n, worse, better, *, right=0.8):
    """Outcomes of two models, of which the second gets `worse` images wrong and `better` images right that the first did not."""
    base = np.arange(n) < right * n
    now = base.copy()
    now[:worse] = False
    now[n - better :] = True
    return answered(base), answered(now)


def judged(base, now, *, allowed, better="higher", **how):
    return regress(base, now, gate="a/b", base_value=base.value, value=now.value, better=better, allowed=allowed, **how)


@pytest.mark.parametrize(
    ("worse", "better", "allowed", "status"),
    [
        (60, 20, 0.02, "fail"),
        (60, 20, 0.04, "pass"),  # exactly what is allowed is allowed
        (60, 20, 0.039, "fail"),
        (5, 1, 0.0, "insufficient"),
        (5, 0, 0.0, "fail"),
        (5, 1, 0.004, "pass"),
        (20, 60, 0.0, "pass"),
        (0, 0, 0.0, "pass"),
        (1, 1, 0.0, "pass"),
    ],
)
def test_verdicts_on_accuracy(worse, better, allowed, status):
    got = judged(*shifted(1000, worse, better), allowed=allowed)
    assert got.status == status
    assert got.method == "exact McNemar"
    assert (got.worse, got.better, got.n) == (worse, better, 1000)
    assert got.drop == pytest.approx((worse - better) / 1000)
    assert (got.status == "fail") == (got.drop > allowed + 1e-9 and got.lower > 0)
    assert got.lower < got.upper
    assert (got.needed_n is not None) == (status == "insufficient")


@pytest.mark.parametrize(
    ("worse", "better", "allowed", "sure", "safe"),
    [
        (60, 20, 0.02, "fail", "fail"),  # at least 0.0252
        (60, 20, 0.03, "pass", "fail"),
        (60, 20, 0.05, "pass", "insufficient"),  # up to 0.0556
        (60, 20, 0.056, "pass", "pass"),
        (5, 1, 0.0, "pass", "fail"),
        (0, 0, 0.0, "pass", "insufficient"),
        (0, 0, 0.004, "pass", "pass"),  # 0 of 1000: up to 0.0031
        (20, 60, 0.0, "pass", "pass"),
    ],
)
def test_sure_fails_what_is_surely_beyond_and_safe_passes_what_is_surely_within(worse, better, allowed, sure, safe):
    pair = shifted(1000, worse, better)
    one, two = (judged(*pair, allowed=allowed, test=test) for test in ("sure", "safe"))
    assert (one.status, two.status) == (sure, safe)
    assert (one.lower, one.upper, one.p) == (two.lower, two.upper, two.p)
    assert (one.test, two.test) == ("sure", "safe")
    assert one.needed_n is None


def test_sentences_of_sure_and_safe():
    basis = "(exact McNemar, 60 worse and 20 better of 1000, 95 % sure of at least 0.0252, p = 4.3e-06; drop_test"
    pair = shifted(1000, 60, 20)
    assert judged(*pair, allowed=0.02, test="sure").sentence == f"drop 0.0400 > max_drop 0.0200 {basis} sure)"
    assert judged(*pair, allowed=0.03, test="sure").sentence == (
        f"no drop surely above max_drop 0.0300: drop 0.0400, one of up to 0.0556 not excluded {basis} sure)"
    )
    assert judged(*pair, allowed=0.03, test="safe").sentence == f"drop 0.0400 > max_drop 0.0300 {basis} safe)"
    open_to = judged(*pair, allowed=0.05, test="safe")
    assert open_to.sentence == (
        f"insufficient: drop 0.0400 is within max_drop 0.0500, but one of up to 0.0556 not excluded; about {open_to.needed_n:,} images "
        f"would settle it {basis} safe)"
    )
    times = math.ceil(open_to.needed_n / 1000)
    assert judged(*shifted(1000 * times, 60 * times, 20 * times), allowed=0.05, test="safe").status == "pass"
    assert judged(*pair, allowed=0.06, test="safe").sentence == f"no drop above max_drop 0.0600: drop 0.0400 {basis} safe)"


def test_of_many_gates_sure_needs_a_stricter_bound_and_safe_does_not():
    pair = shifted(1000, 60, 20)
    assert judged(*pair, allowed=0.02, test="sure", alpha=0.0001).status == "pass"
    assert judged(*pair, allowed=0.006, test="sure", alpha=0.0001).status == "fail"
    assert judged(*pair, allowed=0.056, test="safe", alpha=0.0001).status == "pass"
    base, now = losses(0, drop=0.2)
    assert judged(base, now, allowed=0.15, better="lower", test="sure").status == "fail"
    assert judged(base, now, allowed=0.15, better="lower", test="sure", alpha=0.0001).status == "pass"
    assert judged(base, now, allowed=0.05, better="lower", test="sure", alpha=0.0001).status == "fail"


@pytest.mark.parametrize(("test", "small", "large"), [("sure", "pass", "insufficient"), ("safe", "insufficient", "fail")])
@pytest.mark.parametrize("pair", [(None, None), tuple(Outcomes("mean", {"nll": np.array([x])}) for x in (0.9, 0.8))])
def test_without_an_interval_nothing_is_sure_or_safe(pair, test, small, large):
    for allowed, status in ((0.2, small), (0.01, large)):
        got = regress(*pair, gate="a/b", base_value=0.9, value=0.8, better="higher", allowed=allowed, test=test)
        assert (got.status, got.half_width) == (status, None)
        assert got.reason in got.sentence


def test_a_fall_of_what_is_better_low_is_no_drop():
    """The share of flipped answers: 1 is bad."""
    base, now = shifted(1000, 60, 20)
    assert judged(base, now, allowed=0.0, better="lower").status == "pass"
    got = judged(now, base, allowed=0.0, better="lower")
    assert (got.status, got.worse, got.better) == ("fail", 60, 20)


@quick
@given(st.integers(0, 30), st.integers(0, 30), st.integers(61, 300), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_looser_rule_never_makes_a_pass_anything_else(worse, better, n, one, two):
    tight, loose = (judged(*shifted(n, worse, better, right=0.5), allowed=each).status for each in sorted((one, two)))
    assert tight != "pass" or loose == "pass"
    assert tight == "fail" or loose != "fail"


def test_insufficient_says_how_wide_and_how_many():
    got = judged(*shifted(200, 6, 2), allowed=0.01)
    assert got.status == "insufficient"
    assert got.half_width == pytest.approx((got.upper - got.lower) / 2)
    assert got.sentence == (
        f"insufficient: drop 0.0200 > max_drop 0.0100, but it may be chance: +-{got.half_width:.4f}; about {got.needed_n:,} images would "
        "settle it (exact McNemar, 6 worse and 2 better of 200, p = 0.14; drop_test observed)"
    )
    times = math.ceil(got.needed_n / 200)
    assert judged(*shifted(200 * times, 6 * times, 2 * times), allowed=0.01).status == "fail"


def test_sentences():
    assert judged(*shifted(1000, 60, 20), allowed=0.02).sentence == (
        "drop 0.0400 > max_drop 0.0200 (exact McNemar, 60 worse and 20 better of 1000, 95 % sure of at least 0.0252, p = 4.3e-06; "
        "drop_test observed)"
    )
    assert judged(*shifted(1000, 4, 2), allowed=0.01).sentence == (
        "no drop above max_drop 0.0100: drop 0.0020 (exact McNemar, 4 worse and 2 better of 1000, p = 0.34; drop_test observed)"
    )
    assert judged(*shifted(100, 5, 3), allowed=0.02).sentence == (
        "no drop above max_drop 0.0200: drop 0.0200, one of up to 0.0783 not excluded "
        "(exact McNemar, 5 worse and 3 better of 100, p = 0.36; drop_test observed)"
    )
    same = answered([1, 0])
    up_to = judged(same, same, allowed=0.0).upper
    assert judged(same, same, allowed=0.0).sentence == (
        f"no drop above max_drop 0.0000: drop 0.0000, one of up to {up_to:.4f} not excluded "
        "(exact McNemar, 0 worse and 0 better of 2, p = 1; drop_test observed)"
    )


def test_a_noisy_copy_is_no_regression():
    """One answer in a thousand changes, either way."""
    rng = np.random.default_rng(0)
    base = rng.random(1900) < 0.85
    for seed in range(50):
        now = base ^ (np.random.default_rng(seed).random(1900) < 0.001)
        assert judged(answered(base), answered(now), allowed=0.0).status != "fail"
        assert judged(answered(base), answered(now), allowed=0.005).status == "pass"


def test_shared_scenes_are_drawn_together():
    base, now = shifted(400, 16, 4)
    alone = judged(base, now, allowed=0.0)
    scenes = np.arange(400) // 8  # two scenes hold all that became worse
    together = judged(answered(base.arrays["correct"], clusters=scenes), now, allowed=0.0)
    assert (alone.method, alone.status) == ("exact McNemar", "fail")
    assert (together.method, together.status) == ("paired bootstrap", "insufficient")
    assert (together.worse, together.better) == (16, 4)
    each_its_own = judged(answered(base.arrays["correct"], clusters=np.arange(400)), now, allowed=0.0)
    assert each_its_own.method == "exact McNemar"


def losses(seed, n=300, drop=0.0):
    rng = np.random.default_rng(seed)
    base = rng.exponential(size=n)
    return Outcomes("mean", {"nll": base}), Outcomes("mean", {"nll": base + rng.normal(drop, 0.3, size=n)})


def test_verdicts_by_bootstrap():
    base, now = losses(0, drop=0.2)
    got = judged(base, now, allowed=0.05, better="lower")
    assert (got.status, got.method, got.n, got.worse) == ("fail", "paired bootstrap", 300, None)
    assert got.sentence.startswith(f"drop {got.drop:.4f} > max_drop 0.0500 (paired bootstrap, n = 300, 95 % sure of at least ")
    base, now = losses(1, drop=0.02)
    got = judged(base, now, allowed=0.0, better="lower")
    assert (got.status, got.lower <= 0 < got.drop) == ("insufficient", True)
    assert got.needed_n == math.ceil(300 * ((got.drop - got.lower) / got.drop) ** 2) > 300
    times = math.ceil(got.needed_n / 300) + 1
    more = [Outcomes("mean", {"nll": np.tile(each.arrays["nll"], times)}) for each in (base, now)]
    assert judged(*more, allowed=0.0, better="lower").status == "fail"
    assert judged(base, base, allowed=0.0, better="lower").status == "pass"


def test_the_gate_seeds_the_resamples():
    base, now = losses(2)
    one, two, again = (
        regress(base, now, gate=gate, base_value=base.value, value=now.value, better="lower", allowed=0.0) for gate in ("a/b", "a/c", "a/b")
    )
    assert one == again
    assert one.p != two.p


def test_a_stricter_level_turns_a_failure_into_insufficient():
    pair = shifted(1000, 30, 14)
    assert judged(*pair, allowed=0.01).status == "fail"
    got = judged(*pair, allowed=0.01, alpha=0.001)
    assert (got.status, got.needed_n > 1000) == ("insufficient", True)


@pytest.mark.parametrize("pair", [(None, None), (Outcomes(None, {"flipped": np.ones(3)}),) * 2])
@pytest.mark.parametrize(("value", "status"), [(0.88, "fail"), (0.885, "pass"), (0.95, "pass")])
def test_without_a_statistic_the_values_decide_and_say_so(pair, value, status):
    got = regress(*pair, gate="a/b", base_value=0.9, value=value, better="higher", allowed=0.0150001)
    assert (got.status, got.p, got.half_width, got.method) == (status, None, None, "values alone")
    assert got.sentence.endswith("(no paired outcomes: judged on the values alone; drop_test observed)")


def test_one_image_is_too_few():
    base, now = (Outcomes("mean", {"nll": np.array([x])}) for x in (0.1, 0.9))
    got = judged(base, now, allowed=0.0, better="lower")
    assert (got.status, got.reason) == ("insufficient", "1 sample is too few to compare")
    assert got.sentence == "insufficient: drop 0.8000 > max_drop 0.0000, but 1 sample is too few to compare"
    one = judged(answered([1]), answered([0]), allowed=0.0)
    assert (one.status, one.needed_n) == ("insufficient", 5)


def test_the_row_is_json():
    row = judged(*shifted(200, 6, 2), allowed=0.01).row
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert {"status", "drop", "allowed", "lower", "upper", "p", "method", "n", "worse", "better", "needed_n", "half_width"} <= set(row)
    few = judged(*(Outcomes("mean", {"nll": np.array([x])}) for x in (0.1, 0.9)), allowed=0.0, better="lower")
    json.dumps(few.row, allow_nan=False)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"better": "none"}, "a/b: a drop needs a better side, 'higher' or 'lower', not 'none'"),
        ({"value": math.nan}, "a/b: a drop is between two finite values, not 0.5 and nan"),
        ({"allowed": -0.1}, "a/b: the allowed drop must be 0 or more, not -0.1"),
        ({"allowed": math.nan}, "a/b: the allowed drop must be 0 or more, not nan"),
        ({"now": answered([1, 0, 1])}, "not the same samples: 3 and 2"),
    ],
)
def test_refuses(how, message):
    pair = {"base": answered([1, 0]), "now": answered([0, 1])}
    given = pair | {"gate": "a/b", "base_value": 0.5, "value": 0.5, "better": "higher", "allowed": 0.0} | how
    with pytest.raises(ValueError, match=message):
        regress(**given)


def measured(value, per_image):
    return Measurement.measured("mysuite/right", value, n=3, model="m", data="d", per_image=per_image, reason="none")


def test_a_gate_checks_that_the_outcomes_give_its_value():
    right = np.array([1, 0, 1])
    assert measured(right.mean(), {"correct": right}).per_image.statistic == "mean"
    assert measured(right.mean(), answered(right)).per_image.statistic == "mean"
    assert measured(0.5, {"correct": right}).per_image.statistic is None
    assert measured(math.nan, answered(right)).per_image.statistic == "mean"
    assert measured(0.5, None).per_image is None
    with pytest.raises(ClipError, match=r"^mysuite/right: the outcomes in per_image give 0\.66\d+ as mean, but the value is 0\.6666$"):
        measured(0.6666, answered(right))
    with pytest.raises(ClipError, match=r"^mysuite/right: per_image: name must hold one number or more per sample, not <U1"):
        measured(0.5, {"name": np.array(["a", "b"])})
    with pytest.raises(ClipError, match=r"^mysuite/right: per_image: 1 of 2 values in nll are NaN or infinite"):
        measured(0.5, {"nll": np.array([0.5, np.nan])})
    with pytest.raises(ClipError, match=r"^mysuite/right: per_image must name its arrays, .*; given: ndarray$"):
        measured(0.5, np.array([True, False]))


def robust(shift, clean, line="objectnet"):
    """Outcomes of effective robustness."""
    return Outcomes("effective", {"correct": shift}, others={"correct": clean}, params=er.params(er.published(line), part=False))


def test_one_clean_image_more_is_no_loss_of_robustness():
    """Clean accuracy .6000 and .6002 with the same shift answers: taken for known, clean accuracy made this sure, p = 1e-158."""
    rng = np.random.default_rng(7)
    shift, clean = rng.random(5000) < 0.4, rng.permutation(5000) < 3000
    other = clean.copy()
    other[np.flatnonzero(~clean)[0]] = True
    got = judged(robust(shift, clean), robust(shift, other), allowed=0.0)
    assert (got.status, got.method) == ("insufficient", "paired bootstrap")
    assert got.p > 0.1
    assert got.lower <= 0 < got.drop


def test_equally_robust_models_seldom_fail():
    """The same rule by the shift's answers alone fails 16 of these 150 pairs."""
    failed = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        chances = [rng.beta(2 * p, 2 * (1 - p), 120) for p in (0.18, 0.6)]
        one, two = (robust(*(rng.random(120) < chance for chance in chances)) for _ in range(2))
        failed += judged(one, two, allowed=0.0).status == "fail"
    assert failed <= 12


def test_a_loss_under_the_shift_alone_is_seen():
    rng = np.random.default_rng(1)
    shift, clean = rng.random(1000) < 0.4, rng.random(1000) < 0.6
    worse = shift & (rng.random(1000) < 0.85)
    assert judged(robust(shift, clean), robust(worse, clean), allowed=0.02).status == "fail"
    assert judged(robust(worse, clean), robust(shift, clean), allowed=0.0).status == "pass"
