"""Corrections for many tests against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from pytest_clip.metrics.holm import benjamini_hochberg, holm, rejected

quick = settings(derandomize=True, deadline=None, max_examples=100)
pvalues = st.lists(st.floats(0, 1) | st.sampled_from([0.01, 0.05, 0.0]), min_size=1, max_size=30)


@quick
@given(pvalues)
def test_adjusted_p_values_equal_statsmodels(p):
    named = {f"gate{i}": each for i, each in enumerate(p)}
    for ours, theirs in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        got = ours(named)
        assert list(got) == list(named)
        assert list(got.values()) == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-12)
    assert list(rejected(named).values()) == [each <= 0.05 for each in holm(named).values()]


def test_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert rejected({"a": 0.01, "b": 0.04, "c": 0.03}) == {"a": True, "b": False, "c": False}
    assert holm({}) == benjamini_hochberg({}) == {}
    assert holm({("accuracy", 1): 0.5}) == {("accuracy", 1): 0.5}


def test_a_family_of_true_hypotheses_has_at_most_5_percent_of_any_alarm():
    rng = np.random.default_rng(0)
    alarms = sum(any(rejected(dict(enumerate(rng.random(40)))).values()) for _ in range(2000))
    assert 0.035 < alarms / 2000 < 0.065


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_no_p_value(p):
    with pytest.raises(ValueError, match="the p value of ood/auroc must be between 0 and 1, not"):
        holm({"ood/auroc": p})
