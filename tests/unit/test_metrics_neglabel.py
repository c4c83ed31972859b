"""NegLabel and GL-MCM against the published recipe in a few lines of numpy and torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from pytest_clip.metrics.neglabel import gl_mcm, groups, local_mcm, mine, neglabel

SEEDS = st.integers(0, 10_000)


def unit(g: np.random.Generator, *shape: int) -> np.ndarray:
    x = g.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 60), st.integers(1, 9))
def test_mining_is_the_quantile_the_sort_and_the_first_part(seed: int, m: int, c: int) -> None:
    g = np.random.default_rng(seed)
    words, classes = unit(g, m, 5), unit(g, c, 5)
    near = torch.quantile(torch.from_numpy(words @ classes.T), 0.95, dim=-1)
    expected = near.sort(stable=True).indices[: max(1, int(m * 0.15))]
    assert mine(words, classes).tolist() == expected.tolist()
    assert mine(3 * words, 7 * classes).tolist() == expected.tolist()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 6), st.integers(1, 5), st.integers(1, 45))
def test_the_score_is_the_mean_over_groups_of_the_mass_on_the_classes(seed: int, n: int, c: int, m: int) -> None:
    g = np.random.default_rng(seed)
    known, negative = g.uniform(-1, 1, (n, c)), g.uniform(-1, 1, (n, m))
    grouped = groups(m, least=4)
    expected = np.zeros(n)
    for group in grouped:
        expected += softmax(100 * np.concatenate([known, negative[:, group]], axis=1), axis=1)[:, :c].sum(1) / len(grouped)
    assert neglabel(known, negative, grouped) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 5000))
def test_groups_are_of_one_size_and_drop_the_end_of_the_list(n: int) -> None:
    found = groups(n)
    many, size = found.shape
    assert many == (min(100, n // 10) or 1)
    assert sorted(found.ravel().tolist()) == list(range(many * size))
    assert n - many * size == n % many
    assert np.array_equal(found, groups(n))
    assert n < 30 or not np.array_equal(found, groups(n, seed=1))


def test_a_long_list_has_a_hundred_groups() -> None:
    assert groups(11_923).shape == (100, 119)
    assert groups(7).shape == (1, 7)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 5), st.integers(1, 6), st.integers(1, 5), st.sampled_from([1.0, 0.5, 0.01]))
def test_gl_mcm_is_the_whole_and_the_surest_place(seed: int, n: int, p: int, c: int, tau: float) -> None:
    g = np.random.default_rng(seed)
    cosines, places = g.uniform(-1, 1, (n, c)), g.uniform(-1, 1, (n, p, c))
    local = softmax(places / tau, axis=-1).max((1, 2))
    assert local_mcm(places, tau=tau) == pytest.approx(local, abs=1e-12)
    expected = softmax(cosines / tau, axis=1).max(1) + 0.5 * local
    assert gl_mcm(cosines, local, tau=tau, weight=0.5) == pytest.approx(expected, abs=1e-12)


def test_far_words_tell_the_unknown_from_the_known() -> None:
    g = np.random.default_rng(0)
    classes, words = unit(g, 10, 64), unit(g, 400, 64)
    kept = words[mine(words, classes)]
    known, unknown = (unit(g, 50, 64) + 2 * each for each in (classes[g.integers(0, 10, 50)], kept[g.integers(0, len(kept), 50)]))
    score = [
        neglabel(x @ classes.T, x @ kept.T, groups(len(kept)))
        for x in (each / np.linalg.norm(each, axis=1)[:, None] for each in (known, unknown))
    ]
    assert score[0].min() > score[1].max()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mine([[0.0, 0.0]], [[1.0, 0.0]]), "1 of 1 rows of words have length 0"),
        (lambda: mine([[1.0, 0.0]], [[1.0, 0.0]], share=0), "share above 0"),
        (lambda: mine([[1.0, 0.0]], [[1.0]]), "words have 2 dimensions and classes have 1"),
        (lambda: neglabel([[0.1]], [[0.1], [0.2]], [[0]]), "negative has 2 rows where 1 are needed"),
        (lambda: neglabel([[0.1]], [[0.1]], [[1]]), r"grouped must be whole numbers \[groups, size\] below 1"),
        (lambda: neglabel([[0.1]], [[0.1]], [0]), "grouped must be whole numbers"),
        (lambda: neglabel([[30.0]], [[0.1]], [[0]]), "leave out the logit scale"),
        (lambda: local_mcm([[[np.nan]]]), "cosines"),
        (lambda: gl_mcm([[0.1]], [0.1, 0.2]), "local has 2 entries where 1 are needed"),
        (lambda: gl_mcm([[0.1]], [0.1], weight=-1), "weight must be a finite number of 0 or more"),
    ],
)
def test_wrong_input_is_refused(call, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
