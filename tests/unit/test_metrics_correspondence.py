"""Correspondence against sorting in exact order, numpy.histogram, scipy's rotations and worked examples."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation
from scipy.stats import binned_statistic

from pytest_clip.metrics import correspondence

quick = settings(derandomize=True, deadline=None, max_examples=60)
vectors = st.tuples(*[st.integers(-2, 2)] * 3).filter(any)


@quick
@given(st.lists(vectors, min_size=1, max_size=6), st.lists(vectors, min_size=2, max_size=9), st.sampled_from([1, 2, 4, 1024]))
def test_matches_by_sorting_all_distances(source, target, chunk):
    got = correspondence.match(source, target, chunk=chunk)
    assert sorted(got.source.tolist()) == list(range(len(source)))
    assert (got.source.dtype, got.target.dtype, got.weight.dtype) == (np.int64, np.int64, np.float64)
    assert got.weight.tolist() == sorted(got.weight, reverse=True)
    for i, j, weight in zip(got.source, got.target, got.weight, strict=True):
        dots = [sum(a * b for a, b in zip(source[i], x, strict=True)) for x in target]
        distances = [1 - dot / math.hypot(*source[i]) / math.hypot(*x) for dot, x in zip(dots, target, strict=True)]
        (near, first), (far, _) = sorted((round(d, 9), index) for index, d in enumerate(distances))[:2]
        assert j == first
        assert weight == pytest.approx(1 - near / far if far > 0 else 0.0, abs=1e-7)


@pytest.mark.parametrize("chunk", [7, 50, 1024])
def test_matches_equal_scipys_distances(chunk):
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(90, 16)).astype(np.float32), rng.normal(size=(110, 16)).astype(np.float32)
    distances = cdist(source.astype(float), target.astype(float), "cosine")
    near = np.sort(distances, axis=1)[:, :2]
    weights = 1 - near[:, 0] / near[:, 1]
    best = np.argsort(-weights)[:25]
    got = correspondence.match(source, target, keep=25, chunk=chunk)
    assert got.source.tolist() == best.tolist()
    assert got.target.tolist() == distances.argmin(axis=1)[best].tolist()
    assert got.weight == pytest.approx(weights[best], abs=1e-9)


def test_match_by_hand():
    source, target = [[1.0, 0.0], [1.0, 1.0]], [[0.0, 2.0], [3.0, 0.0], [0.8, 0.6]]
    got = correspondence.match(source, target)
    # point 0: distances 1, 0, .2 -> weight 1; point 1: 1-.7071, 1-.7071, 1-.9899 -> weight 1 - .01005/.29289
    assert got.source.tolist() == [0, 1]
    assert got.target.tolist() == [1, 2]
    assert got.weight == pytest.approx([1.0, 1 - 0.0100505 / 0.2928932], abs=1e-6)
    assert correspondence.match(source, target, keep=1).source.tolist() == [0]
    assert len(correspondence.match(source, target, keep=99).source) == 2


@pytest.mark.parametrize("chunk", [3, 16, 1024])
def test_collapsed_features_match_nothing(chunk):
    same = np.tile(np.random.default_rng(0).normal(size=(1, 384)), (64, 1)).astype(np.float32)
    got = correspondence.match(same, same, chunk=chunk)
    assert got.weight.tolist() == [0.0] * 64
    assert got.target.tolist() == [0] * 64
    row, column = np.divmod(got.source, 8)
    assert correspondence.recall(np.hypot(row, column), threshold=1.0) == 3 / 64  # only the corner and its neighbours


@pytest.mark.parametrize("chunk", [1, 16, 33, 1024])
def test_a_tie_is_a_tie_in_every_block_size(chunk):
    rng = np.random.default_rng(0)  # the last bits of a cosine depend on where in a block it is computed
    got = correspondence.match(rng.normal(size=(37, 384)), np.tile(rng.normal(size=(1, 384)), (101, 1)), chunk=chunk)
    assert set(got.target.tolist()) == {0}
    assert set(got.weight.tolist()) == {0.0}


def test_memory_is_flat():
    features = np.random.default_rng(1).normal(size=(3000, 4))
    tracemalloc.start()
    correspondence.match(features, features, chunk=128)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6  # 3000 x 3000 cosines would be 72 MB


@quick
@given(st.lists(st.one_of(st.integers(0, 6).map(float), st.just(math.inf)), min_size=1, max_size=20), st.integers(1, 6))
def test_recall_counts_the_threshold_in(errors, threshold):
    got = correspondence.recall(errors, threshold=threshold)
    assert type(got) is float
    assert got == sum(error <= threshold for error in errors) / len(errors)


@quick
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), min_size=1, max_size=25))
def test_bins_as_in_numpy_and_scipy(rows):
    values, where = [row[0] / 4 for row in rows], [row[1] * 15.0 for row in rows]
    edges = [0, 15, 30, 60, 180]
    got = correspondence.by_bin(values, where, edges=edges)
    assert (got.low, got.high) == ((0.0, 15.0, 30.0, 60.0), (15.0, 30.0, 60.0, 180.0))
    assert list(got.count) == np.histogram(where, bins=edges)[0].tolist()
    for mean, expected in zip(got.mean, binned_statistic(where, values, "mean", edges).statistic, strict=True):
        assert (mean is None) == math.isnan(expected)
        assert mean is None or mean == pytest.approx(expected)


def test_bins_by_hand():
    got = correspondence.by_bin([1.0, 0.0, 0.5], [15.0, 20.0, 180.0], edges=[0, 15, 30, 60, 180])
    assert (got.count, got.mean) == ((0, 2, 0, 1), (None, 0.5, None, 0.5))


@quick
@given(st.tuples(*[st.floats(-3, 3)] * 3))
def test_rotation_angle_equals_scipy(vector):
    rotation = Rotation.from_rotvec(vector)
    got = correspondence.rotation_degrees(rotation.as_matrix())
    assert got == pytest.approx(math.degrees(rotation.magnitude()), abs=3e-6)


def test_pck_by_hand():
    true = np.array([[10.0, 10.0], [50.0, 50.0], [20.0, 90.0], [0.0, 0.0]])
    predicted = true + np.array([[3.0, 4.0], [3.0, 4.1], [0.0, 5.0], [0.0, 0.0]])
    boxes = np.array([[50.0, 20.0], [20.0, 50.0], [40.0, 49.0], [1.0, 1.0]])  # limits 5, 5, 4.9, .1
    hits = correspondence.keypoints_hit(predicted, true, box_sizes=boxes, alpha=0.1)
    assert hits.dtype == np.bool_
    assert hits.tolist() == [True, False, False, True]  # a distance of exactly alpha max(h, w) is a hit
    assert correspondence.pck_per_point(hits) == 0.5
    assert correspondence.pck_per_image(hits, [5, 5, 5, 2]) == pytest.approx((1 / 3 + 1) / 2)
    assert type(correspondence.pck_per_image(hits, [5, 5, 5, 2])) is float
    assert correspondence.keypoints_hit(predicted, true, box_sizes=boxes, alpha=0.2).tolist() == [True] * 4


points = st.tuples(st.integers(0, 30), st.integers(0, 30))


@quick
@given(st.lists(st.tuples(points, points, st.tuples(st.integers(1, 200), st.integers(1, 200)), st.integers(0, 3)), min_size=1, max_size=15))
def test_pck_in_whole_numbers(rows):
    predicted, true, boxes, pairs = (np.array(column) for column in zip(*rows, strict=True))
    expected = [100 * ((a - c) ** 2 + (b - d) ** 2) <= max(size) ** 2 for (a, b), (c, d), size, _ in rows]  # squared, alpha = 1/10
    hits = correspondence.keypoints_hit(predicted, true, box_sizes=boxes)
    assert hits.tolist() == expected
    assert correspondence.pck_per_point(hits) == pytest.approx(sum(expected) / len(rows))
    each = [[hit for hit, row in zip(expected, rows, strict=True) if row[3] == pair] for pair in {row[3] for row in rows}]
    assert correspondence.pck_per_image(hits, pairs) == pytest.approx(sum(sum(own) / len(own) for own in each) / len(each))


def test_refuses():
    eye, ones = np.eye(3), np.ones((2, 2))
    for call, message in [
        (lambda: correspondence.match(eye, eye[:1]), "a ratio test needs at least 2 target points; got 1"),
        (lambda: correspondence.match(eye, np.zeros((2, 3))), "2 of 2 rows of target have length 0"),
        (lambda: correspondence.match(eye * np.nan, eye), "9 of 9 values in source are NaN"),
        (lambda: correspondence.match(eye, np.ones((4, 2))), "source have 3 dimensions and target have 2"),
        (lambda: correspondence.match(eye, eye, keep=0), "keep must be a whole number of at least 1"),
        (lambda: correspondence.recall([1.0, math.nan], threshold=1), "1 of 2 values in errors are NaN"),
        (lambda: correspondence.recall([1.0, -math.inf], threshold=1), "1 of 2 values in errors are NaN or infinite"),
        (lambda: correspondence.recall([-1.0], threshold=1), "errors must be distances of 0 or more; found -1"),
        (lambda: correspondence.recall([], threshold=1), "errors is empty"),
        (lambda: correspondence.recall([1.0], threshold=0), "threshold must be a finite number above 0"),
        (lambda: correspondence.by_bin([1.0], [181.0], edges=[0, 180]), "1 of 1 values in where lie outside the edges 0 to 180"),
        (lambda: correspondence.by_bin([1.0], [1.0, 2.0], edges=[0, 180]), "where has 2 values where 1 are needed"),
        (lambda: correspondence.by_bin([1.0], [1.0], edges=[0, 0, 5]), "edges must be at least 2 rising numbers"),
        (lambda: correspondence.rotation_degrees(2 * eye), "rotation must be a 3 x 3 rotation matrix"),
        (lambda: correspondence.rotation_degrees(-eye), "rotation must be a 3 x 3 rotation matrix"),
        (lambda: correspondence.keypoints_hit(ones, ones[:1], box_sizes=ones), r"true must have shape \[2, 2\], not \(1, 2\)"),
        (lambda: correspondence.keypoints_hit(ones, ones, box_sizes=ones * 0), "box_sizes must be above 0; found 0"),
        (lambda: correspondence.keypoints_hit(ones * np.inf, ones, box_sizes=ones), "4 of 4 values in predicted are NaN or infinite"),
        (lambda: correspondence.pck_per_image([1, 0], [0]), "pairs has 1 values where 2 are needed"),
        (lambda: correspondence.pck_per_point([]), "hits is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
