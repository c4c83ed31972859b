"""Sampling feature maps against torch's grid_sample and by hand; peaks against all cosines in exact order."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pytest_clip.metrics import dense


@pytest.mark.parametrize(("shape", "size"), [((5, 4, 4), (32, 32)), ((3, 2, 7), (48, 20)), ((2, 1, 1), (8, 8)), ((4, 16, 16), (10, 12))])
def test_sampling_is_grid_sample(shape, size):
    rng = np.random.default_rng(0)
    features = rng.normal(size=shape)
    places = rng.uniform(-2, [size[1] + 1, size[0] + 1], size=(40, 2))  # some outside: the edge goes on
    to = torch.from_numpy((places + 0.5) / [size[1], size[0]] * 2 - 1)
    want = F.grid_sample(torch.from_numpy(features)[None], to[None, None], align_corners=False, padding_mode="border")[0, :, 0].T
    np.testing.assert_allclose(dense.sample(features, places, size=size), want.numpy(), atol=1e-12)


def test_sampling_by_hand():
    features = np.array([[[0.0, 10.0], [20.0, 30.0]]])  # 2 x 2 cells over 4 x 4 pixels: cell centres at 0.5 and 2.5
    places = [[0.5, 0.5], [2.5, 0.5], [0.5, 2.5], [1.5, 0.5], [1.5, 1.5], [1.0, 0.5], [0, 0], [3, 3]]
    assert dense.sample(features, places, size=(4, 4))[:, 0].tolist() == [0, 10, 20, 5, 15, 2.5, 0, 30]


def test_the_grid_by_hand():
    assert dense.grid(size=(4, 8), cells=2).tolist() == [[1.5, 0.5], [5.5, 0.5], [1.5, 2.5], [5.5, 2.5]]


def test_peaks_are_the_highest_cosines():
    rng = np.random.default_rng(1)
    features, queries = rng.normal(size=(6, 3, 3)), rng.normal(size=(9, 6))
    places = dense.grid(size=(30, 60), cells=5)
    sampled = dense.sample(features, places, size=(30, 60))
    got = dense.peaks(queries, features, size=(30, 60), cells=5)
    for query, place in zip(queries, got, strict=True):
        cosines = [query @ each / np.linalg.norm(query) / np.linalg.norm(each) for each in sampled]
        assert place.tolist() == places[int(np.argmax(cosines))].tolist()
    own = dense.peaks(features.reshape(6, 9).T, features, size=(30, 60), cells=3)
    assert own.tolist() == dense.grid(size=(30, 60), cells=3).tolist()  # each cell finds itself


def test_a_collapsed_map_answers_with_its_corner():
    features = np.tile(np.random.default_rng(0).normal(size=(384, 1, 1)), (1, 7, 7))
    got = dense.peaks(np.random.default_rng(1).normal(size=(5, 384)), features, size=(64, 64), cells=8)
    assert got.tolist() == [[3.5, 3.5]] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dense.sample(np.zeros((2, 2)), [[0, 0]], size=(4, 4)), "features must have 3 dimensions"),
        (lambda: dense.sample(np.full((1, 2, 2), np.nan), [[0, 0]], size=(4, 4)), "NaN"),
        (lambda: dense.sample(np.zeros((1, 2, 2)), [[0, 0, 0]], size=(4, 4)), r"places must have shape \[n, 2\]"),
        (lambda: dense.sample(np.zeros((1, 2, 2)), [[0, 0]], size=(0, 4)), "size"),
        (lambda: dense.peaks(np.ones((1, 1)), np.zeros((1, 2, 2)), size=(4, 4), cells=2), "features have length 0"),
        (lambda: dense.peaks(np.ones((1, 3)), np.ones((1, 2, 2)), size=(4, 4), cells=2), "3 dimensions"),
    ],
)
def test_what_cannot_be_sampled(call, message):
    with pytest.raises(ValueError, match=message):
        call()
