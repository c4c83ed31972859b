"""OOD scores and separation metrics against scikit-learn, pytorch-ood, pair loops and worked examples."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_ood.metrics import functional as pytorch_ood
from sklearn.metrics import average_precision_score, roc_auc_score

from pytest_clip.metrics import ood

quick = settings(derandomize=True, deadline=None, max_examples=80)
SEPARATION = [ood.auroc, ood.aupr_in, ood.aupr_out, ood.fpr95_id_positive, ood.fpr95_ood_positive]

tied = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=50)
smooth = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)
scores = st.one_of(tied, smooth)


@quick
@given(scores, scores)
def test_auroc_and_aupr_equal_scikit_learn(inside, outside):
    truth, values = [1] * len(inside) + [0] * len(outside), np.array(inside + outside)
    assert ood.auroc(inside, outside) == pytest.approx(roc_auc_score(truth, values))
    assert ood.aupr_in(inside, outside) == pytest.approx(average_precision_score(truth, values))
    assert ood.aupr_out(inside, outside) == pytest.approx(average_precision_score(1 - np.array(truth), -values))


@quick
@given(scores, scores)
def test_auroc_from_all_pairs(inside, outside):
    wins = sum(Fraction(1) if a > b else Fraction(1, 2) if a == b else Fraction(0) for a in inside for b in outside)
    assert ood.auroc(inside, outside) == float(wins / (len(inside) * len(outside)))
    assert ood.auroc(outside, inside) == pytest.approx(1 - ood.auroc(inside, outside))


def slow_fpr95(positive, negative):
    """Try every threshold from the strictest: the first that keeps at least 95 % of the positives."""
    for t in sorted(set(positive + negative), reverse=True):
        if Fraction(sum(p >= t for p in positive), len(positive)) >= Fraction(95, 100):
            return sum(q >= t for q in negative) / len(negative)
    raise AssertionError


@quick
@given(scores, scores)
def test_fpr95_from_all_thresholds(inside, outside):
    assert ood.fpr95_id_positive(inside, outside) == slow_fpr95(inside, outside)
    assert ood.fpr95_ood_positive(inside, outside) == slow_fpr95([-x for x in outside], [-x for x in inside])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("decimals", [1, 12])
def test_separation_equals_pytorch_ood(seed, decimals):
    rng = np.random.default_rng(seed)
    inside, outside = rng.normal(1, 1, 130).round(decimals), rng.normal(0, 1, 70).round(decimals)
    outlier = torch.from_numpy(-np.concatenate([inside, outside]))  # theirs: higher = more OOD, OOD labels below 0
    labels = torch.tensor([0] * 130 + [-1] * 70)
    assert ood.auroc(inside, outside) == pytest.approx(float(pytorch_ood.auroc(outlier, labels)))
    assert ood.fpr95_ood_positive(inside, outside) == pytest.approx(float(pytorch_ood.fpr_at_tpr(outlier, labels, 0.95)))
    turned = torch.tensor([-1] * 130 + [0] * 70)  # ID as the positive class
    assert ood.fpr95_id_positive(inside, outside) == pytest.approx(float(pytorch_ood.fpr_at_tpr(-outlier, turned, 0.95)))


def test_worked_example():
    inside, outside = [0.9, 0.8, 0.7, 0.4], [0.6, 0.3, 0.2]
    assert ood.auroc(inside, outside) == pytest.approx(11 / 12)  # only the pair (0.4, 0.6) is wrong
    assert ood.fpr95_id_positive(inside, outside) == pytest.approx(1 / 3)  # keep all 4 (95 % of 4 is 3.8): 0.6 comes along
    assert ood.fpr95_ood_positive(inside, outside) == pytest.approx(1 / 4)  # flag all 3: 0.4 is flagged too
    assert ood.aupr_in(inside, outside) == pytest.approx((1 + 1 + 1 + 4 / 5) / 4)
    assert ood.aupr_out(inside, outside) == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_95_percent_is_counted_in_whole_numbers():
    # 20 ID scores: 19 are 95 %, so the lowest may be lost, and everything below 2 is rejected
    inside, outside = [float(x) for x in range(1, 21)], [1.0, 1.5, 2.0, 30.0]
    assert ood.fpr95_id_positive(inside, outside) == 0.5
    assert ood.fpr95_ood_positive([-x for x in outside], [-x for x in inside]) == 0.5


@pytest.mark.parametrize("n", [1, 19, 20, 21, 40, 60, 100, 999, 1000, 1900, 2000])
def test_95_percent_of_n(n):
    ranks = np.arange(1, n + 1, dtype=float)
    needed = math.ceil(Fraction(95 * n, 100))
    assert ood.fpr95_ood_positive(ranks, ranks) == needed / n


@pytest.mark.parametrize(("n", "m"), [(1, 1), (7, 3)])
def test_all_equal_scores_are_chance(n, m):
    same = [0.5] * n, [0.5] * m
    assert ood.auroc(*same) == 0.5
    assert ood.fpr95_id_positive(*same) == ood.fpr95_ood_positive(*same) == 1.0
    assert ood.aupr_in(*same) == pytest.approx(n / (n + m))
    assert ood.aupr_out(*same) == pytest.approx(m / (n + m))


def test_perfect_and_reversed():
    high, low = np.arange(10.0, 40.0), np.arange(0.0, 10.0)
    assert [f(high, low) for f in SEPARATION] == [1, 1, 1, 0, 0]
    assert ood.auroc(low, high) == 0
    assert [f(low, high) for f in SEPARATION][3:] == [1, 1]
    assert all(type(f(high, low)) is float for f in SEPARATION)


def test_scores_within_1e_9_still_rank():
    inside, outside = 0.1 + np.arange(5, 10) * 1e-12, 0.1 + np.arange(5) * 1e-12
    assert ood.auroc(inside, outside) == 1.0


@pytest.mark.parametrize("metric", SEPARATION)
def test_separation_refuses(metric):
    with pytest.raises(ValueError, match="2 of 3 values in id_scores are NaN or infinite"):
        metric([1.0, math.nan, math.nan], [0.0])
    with pytest.raises(ValueError, match="1 of 2 values in ood_scores are NaN or infinite"):
        metric([1.0], [0.0, math.inf])
    with pytest.raises(ValueError, match=r"ood_scores is empty: shape \(0,\)"):
        metric([1.0], [])
    with pytest.raises(ValueError, match=r"id_scores must have 1 dimension, not shape \(1, 1\)"):
        metric([[1.0]], [0.0])


@quick
@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from([0.01, 0.1, 1.0]))
def test_scores_from_the_definition(rows, tau):
    cosines = np.array(rows)
    for row, got in zip(rows, ood.mcm(cosines, tau=tau), strict=True):
        assert got == pytest.approx(1 / math.fsum(math.exp((c - max(row)) / tau) for c in row))
    for row, got in zip(rows, ood.energy(cosines, temperature=tau), strict=True):
        assert got == pytest.approx(max(row) + tau * math.log(math.fsum(math.exp((c - max(row)) / tau) for c in row)))
    assert ood.max_logit(cosines).tolist() == [max(row) for row in rows]
    assert ood.mcm(cosines, tau=0.01) == pytest.approx(ood.msp(cosines * 100), rel=1e-9)


@pytest.mark.parametrize("score", [ood.mcm, ood.msp, ood.max_logit, ood.energy])
def test_scores_are_higher_in_distribution_and_float64(score):
    sure, unsure = [0.9, 0.0, 0.0], [0.3, 0.3, 0.3]
    got = score(np.array([sure, unsure], dtype=np.float32))
    assert got.dtype == np.float64
    assert got[0] > got[1]
    with pytest.raises(ValueError, match=r"1 of 2 values in (logits|cosines) are NaN"):
        score(np.array([[0.5, math.nan]]))
    with pytest.raises(ValueError, match="must have 2 dimensions"):
        score(np.array([0.5, 0.2]))


def test_scores_take_huge_logits_and_mcm_refuses_them():
    huge = np.array([[1e6, -1e6], [1e6, 1e6]])
    assert ood.msp(huge).tolist() == [1.0, 0.5]
    assert ood.energy(huge)[0] == 1e6
    assert ood.energy(huge)[1] == pytest.approx(1e6 + math.log(2))
    with pytest.raises(ValueError, match=r"cosines must be in \[-1, 1\]; found -1e\+06 to 1e\+06: leave out the logit scale"):
        ood.mcm(huge)
    with pytest.raises(ValueError, match=r"tau must be a finite number above 0, not -1\.0"):
        ood.mcm(np.eye(2), tau=-1)
    with pytest.raises(ValueError, match=r"temperature must be a finite number above 0, not 0\.0"):
        ood.energy(np.eye(2), temperature=0)
