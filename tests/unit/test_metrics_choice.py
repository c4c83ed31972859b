"""Multiple choice and paraphrase triples, against a few lines that say the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_clip.metrics.choice import PARAPHRASE_CHANCE, chosen, paraphrased, text_only

COARSE = st.integers(-3, 3).map(lambda k: k / 4)  # ties come up


@given(
    st.integers(1, 8).flatmap(lambda n: st.tuples(arrays(float, (n, 4), elements=COARSE), arrays(np.int64, n, elements=st.integers(0, 3))))
)
def test_the_choice_is_the_best_and_a_tie_is_wrong(told) -> None:
    scores, right = told
    for row, true, found in zip(scores.tolist(), right.tolist(), chosen(scores, right).tolist(), strict=True):
        rest = [score for k, score in enumerate(row) if k != true]
        if row[true] > max(rest):
            assert found == true
        else:
            assert found != true
            assert row[found] == max(rest)


@given(st.integers(1, 8).flatmap(lambda n: arrays(float, (3, n), elements=COARSE)))
def test_both_wordings_must_win(scores) -> None:
    said = paraphrased(*scores)
    assert said.tolist() == [a > f and b > f for a, b, f in scores.T.tolist()]


@given(st.integers(1, 8).flatmap(lambda n: arrays(float, (3, n, 2), elements=COARSE)))
def test_the_true_wordings_must_be_nearest_to_each_other(rows) -> None:
    told = text_only(*rows).tolist()
    assert told == [a @ b > a @ f and a @ b > b @ f for a, b, f in zip(*rows, strict=True)]


def test_text_only_asks_for_the_same_shapes_and_knows_rounding() -> None:
    g = np.random.default_rng(0)
    rows = g.normal(size=(3, 60_000, 8))
    assert text_only(*(rows / np.linalg.norm(rows, axis=-1, keepdims=True))).mean() == pytest.approx(1 / 3, abs=0.01)
    with pytest.raises(ValueError, match="false has the shape"):
        text_only(rows[0], rows[1], rows[2, :5])
    same = np.array([[1.0, 0.0]])
    assert not text_only(same, same, same).any()
    assert not text_only(same, same, np.array([[1 - 1e-8, 0.0]]), margin=1e-6).any()


def test_chance_and_margin() -> None:
    g = np.random.default_rng(0)
    assert paraphrased(*g.random((3, 60_000))).mean() == pytest.approx(PARAPHRASE_CHANCE, abs=0.01)
    assert (chosen(g.random((60_000, 4)), g.integers(0, 4, 60_000)) == 0).mean() == pytest.approx(0.25, abs=0.01)
    near = np.array([[0.5 + 1e-8, 0.5]])
    assert chosen(near, [0]).tolist() == [0]
    assert chosen(near, [0], margin=1e-6).tolist() == [1]
    assert paraphrased([0.5 + 1e-8], [1.0], [0.5], margin=1e-6).tolist() == [False]
    assert chosen([[1.0, 1.0]], [0]).tolist() == [1]  # all the same: never the true one


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: chosen([[0.1]], [0]), "two captions or more"),
        (lambda: chosen([[0.1, 0.2]], [2]), "right must be below the number of captions, 2; found 2"),
        (lambda: chosen([[0.1, np.nan]], [0]), "scores"),
        (lambda: chosen([[0.1, 0.2]], [0, 1]), "right"),
        (lambda: paraphrased([0.1], [0.1, 0.2], [0.1]), "second has 2 entries where 1 are needed"),
        (lambda: paraphrased([0.1], [0.2], [np.inf]), "false"),
    ],
)
def test_wrong_input_is_refused(call, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
