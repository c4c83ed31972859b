"""Retrieval against exact arithmetic over all pairs, counting over all orders, and worked examples."""

import itertools
import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics import retrieval

quick = settings(derandomize=True, deadline=None, max_examples=80)


def exact_order(query, item):
    """Grows with the cosine to `query`, in whole numbers: sign(q.x) (q.x)^2 / |x|^2."""
    dot = sum(a * b for a, b in zip(query, item, strict=True))
    return Fraction(dot * abs(dot), sum(b * b for b in item))


@st.composite
def galleries(draw):
    """Small whole-number embeddings, so with many exact ties, and groups such that every query has a positive."""
    vectors = st.tuples(*[st.integers(-2, 2)] * 3).filter(any)
    gallery = draw(st.lists(vectors, min_size=1, max_size=9))
    held = draw(st.lists(st.integers(0, 3), min_size=len(gallery), max_size=len(gallery)))
    queries = draw(st.lists(vectors, min_size=1, max_size=7))
    wanted = draw(st.lists(st.sampled_from(held), min_size=len(queries), max_size=len(queries)))
    return queries, gallery, wanted, held


@quick
@given(galleries(), st.sampled_from([1, 2, 3, 1024]))
def test_ranks_in_exact_arithmetic(case, chunk):
    queries, gallery, wanted, held = case
    expected = []
    for query, own in zip(queries, wanted, strict=True):
        # best first, and among equals the negatives first: where does the first positive stand?
        order = sorted(range(len(gallery)), key=lambda i: (-exact_order(query, gallery[i]), held[i] == own))
        expected.append(1 + next(place for place, i in enumerate(order) if held[i] == own))
    got = retrieval.ranks(queries, gallery, query_groups=wanted, gallery_groups=held, chunk=chunk)
    assert got.dtype == np.int64
    assert got.tolist() == expected


@quick
@given(galleries(), st.data(), st.sampled_from([1, 2, 3, 1024]))
def test_a_twin_of_an_own_item_is_no_negative(case, data, chunk):
    queries, gallery, wanted, held = case
    same = data.draw(st.lists(st.integers(0, 3), min_size=len(gallery), max_size=len(gallery)))
    expected = []
    for query, own in zip(queries, wanted, strict=True):
        things = {same[i] for i in range(len(gallery)) if held[i] == own}
        negatives = [i for i in range(len(gallery)) if held[i] != own and same[i] not in things]
        best = max(exact_order(query, gallery[i]) for i in range(len(gallery)) if held[i] == own)
        expected.append(1 + sum(exact_order(query, gallery[i]) >= best for i in negatives))
    got = retrieval.ranks(queries, gallery, query_groups=wanted, gallery_groups=held, same=same, chunk=chunk)
    assert got.tolist() == expected


@quick
@given(galleries(), st.data(), st.sampled_from([1, 2, 3, 1024]))
def test_an_item_of_a_twin_of_the_query_is_no_negative(case, data, chunk):
    queries, gallery, wanted, held = case
    same = data.draw(st.lists(st.integers(0, 3), min_size=len(queries), max_size=len(queries)))
    expected = []
    for query, own, thing in zip(queries, wanted, same, strict=True):
        left_out = {group for group, each in zip(wanted, same, strict=True) if each == thing}
        negatives = [i for i in range(len(gallery)) if held[i] not in left_out]
        best = max(exact_order(query, gallery[i]) for i in range(len(gallery)) if held[i] == own)
        expected.append(1 + sum(exact_order(query, gallery[i]) >= best for i in negatives))
    got = retrieval.ranks(queries, gallery, query_groups=wanted, gallery_groups=held, query_same=same, chunk=chunk)
    assert got.tolist() == expected


def test_two_images_with_one_caption_leave_each_other_out_both_ways():
    # images 0 and 1 share the text of captions 1 and 2, which shows image 1
    images, texts = np.eye(3), np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    of_text, thing = [0, 0, 1, 2], [0, 1, 1, 2]
    to_image = {"query_groups": of_text, "gallery_groups": [0, 1, 2]}
    assert retrieval.ranks(texts, images, **to_image).tolist() == [1, 3, 1, 1]
    assert retrieval.ranks(texts, images, **to_image, query_same=thing).tolist() == [1, 2, 1, 1]
    to_text = {"query_groups": [0, 1, 2], "gallery_groups": of_text}
    assert retrieval.ranks(images, texts, **to_text).tolist() == [1, 2, 1]
    assert retrieval.ranks(images, texts, **to_text, same=thing).tolist() == [1, 1, 1]


@pytest.mark.parametrize("captions", [1, 5])
def test_recall_equals_an_argsort_without_ties(captions):
    rng = np.random.default_rng(captions)
    image_groups, text_groups = np.arange(60), np.repeat(np.arange(60), captions)
    images = rng.normal(size=(60, 16)).astype(np.float32)
    texts = (images[text_groups] + 2 * rng.normal(size=(60 * captions, 16))).astype(np.float32)
    cosines = (images / np.linalg.norm(images, axis=1, keepdims=True)) @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T
    to_texts = retrieval.ranks(images, texts, query_groups=image_groups, gallery_groups=text_groups, chunk=17)
    to_images = retrieval.ranks(texts, images, query_groups=text_groups, gallery_groups=image_groups, chunk=17)
    for k in (1, 5, 10):
        first_texts, first_images = np.argsort(-cosines, axis=1)[:, :k], np.argsort(-cosines.T, axis=1)[:, :k]
        hit_texts = [bool({*text_groups[row]} & {image}) for image, row in enumerate(first_texts)]
        hit_images = [text_groups[text] in row for text, row in enumerate(first_images)]
        assert retrieval.recall(to_texts, k=k) == pytest.approx(np.mean(hit_texts))
        assert retrieval.recall(to_images, k=k) == pytest.approx(np.mean(hit_images))


def test_by_hand():
    # three images on axes; captions: near 0, exactly between 0 and 1, near 1 but belongs to 2
    images = np.eye(3)
    texts = np.array([[0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.1, 0.9, 0.2]])
    ranked = retrieval.ranks(texts, images, query_groups=[0, 1, 2], gallery_groups=[0, 1, 2])
    assert ranked.tolist() == [1, 2, 2]  # the tie of the second goes against it
    assert [retrieval.recall(ranked, k=k) for k in (1, 2)] == pytest.approx([1 / 3, 1.0])
    assert retrieval.mean_rank(ranked) == pytest.approx(5 / 3)
    assert retrieval.median_rank(ranked) == 2.0
    assert retrieval.median_rank([1, 2, 5, 9]) == 3.5
    assert [type(f([1, 2])) for f in (retrieval.mean_rank, retrieval.median_rank)] == [float, float]


@pytest.mark.parametrize("chunk", [3, 8, 64])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_collapsed_embeddings_rank_last(chunk, dtype):
    rng = np.random.default_rng(0)
    images, texts = np.tile(rng.normal(size=(1, 768)), (20, 1)).astype(dtype), np.tile(rng.normal(size=(1, 768)), (40, 1)).astype(dtype)
    groups = np.repeat(np.arange(20), 2)
    to_texts = retrieval.ranks(images, texts, query_groups=np.arange(20), gallery_groups=groups, chunk=chunk)
    to_images = retrieval.ranks(texts, images, query_groups=groups, gallery_groups=np.arange(20), chunk=chunk)
    assert set(to_texts.tolist()) == {39}  # behind all 38 negatives, before its own second caption
    assert set(to_images.tolist()) == {20}
    assert retrieval.recall(to_images, k=10) == 0.0


def test_one_group_is_always_found_first():
    rng = np.random.default_rng(1)
    ranked = retrieval.ranks(rng.normal(size=(5, 4)), rng.normal(size=(3, 4)), query_groups=[7] * 5, gallery_groups=[7] * 3)
    assert ranked.tolist() == [1] * 5


def test_lengths_do_not_matter_and_close_scores_still_rank():
    rng = np.random.default_rng(2)
    queries, gallery, groups = rng.normal(size=(30, 8)), rng.normal(size=(30, 8)), np.arange(30)
    plain = retrieval.ranks(queries, gallery, query_groups=groups, gallery_groups=groups)
    longer = retrieval.ranks(queries * rng.uniform(0.1, 9, (30, 1)), gallery * 5, query_groups=groups, gallery_groups=groups)
    assert longer.tolist() == plain.tolist()
    near = np.array([[1.0, 1e-4], [1.0, 2e-4]])  # cosines to [1, 0] differ by 1.5e-8
    assert retrieval.ranks([[1.0, 0.0]], near, query_groups=[0], gallery_groups=[0, 1]).tolist() == [1]


def test_memory_is_flat():
    rng = np.random.default_rng(3)
    n, chunk = 3000, 128
    queries, groups = rng.normal(size=(n, 4)), rng.integers(0, 3, n)  # few groups: even the positives are n x n / 3
    tracemalloc.start()
    retrieval.ranks(queries, queries, query_groups=groups, gallery_groups=groups, chunk=chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * n * 4 * 8 + 6 * chunk * chunk * 8  # copies of the inputs and a few blocks: 2 MB, where n x n bits are 9 MB


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("positives", [1, 2, 4])
def test_chance_from_all_orders(k, positives):
    orders = list(itertools.permutations(range(4)))
    expected = sum(any(item < positives for item in order[:k]) for order in orders) / len(orders)
    assert retrieval.chance_recall(positives=positives, gallery=4, k=k) == pytest.approx(expected)


def test_ranks_refuse():
    eye = np.eye(3)

    def ask(queries=eye, gallery=eye, wanted=(0, 1, 2), held=(0, 1, 2), chunk=8):
        retrieval.ranks(queries, gallery, query_groups=np.array(wanted), gallery_groups=np.array(held), chunk=chunk)

    for change, message in [
        ({"held": (0, 1, 1)}, "1 of 3 queries have no item of their group in the gallery"),
        ({"queries": np.vstack([eye[:2], np.zeros(3)])}, "1 of 3 rows of queries have length 0"),
        ({"gallery": np.full((3, 3), np.nan)}, "9 of 9 values in gallery are NaN or infinite"),
        ({"gallery": np.ones((3, 2))}, "queries have 3 dimensions and gallery have 2"),
        ({"wanted": (0, 1)}, "query_groups has 2 values where 3 are needed"),
        ({"held": (0, 1, -1)}, "gallery_groups must be 0 or more; found -1 to 1"),
        ({"queries": np.zeros((0, 3)), "wanted": ()}, "queries is empty"),
        ({"chunk": 0}, "chunk must be a whole number of at least 1, not 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            ask(**change)
    with pytest.raises(ValueError, match="ranked must be 1 or more; found 0"):
        retrieval.recall([0, 1], k=1)
    with pytest.raises(ValueError, match="ranked must hold integers"):
        retrieval.mean_rank([math.nan])
    with pytest.raises(ValueError, match="ranked is empty"):
        retrieval.median_rank(np.zeros(0, dtype=int))
    with pytest.raises(ValueError, match="k must be a whole number of at least 1, not 0"):
        retrieval.recall([1], k=0)
    with pytest.raises(ValueError, match="positives must be at most gallery; got 3 in 2"):
        retrieval.chance_recall(positives=3, gallery=2, k=1)


few = st.integers(-2, 2).map(float)


@quick
@given(st.lists(st.tuples(few, st.lists(few, min_size=2, max_size=2)), min_size=1, max_size=10))
def test_preference_is_strict(rows):
    true, foils = [row[0] for row in rows], [row[1] for row in rows]
    assert retrieval.prefers(true, foils).tolist() == [all(score > foil for foil in others) for score, others in rows]
    assert retrieval.prefers(true, foils, margin=1).tolist() == [all(score - foil > 1 for foil in others) for score, others in rows]
    assert retrieval.prefers(true, [row[0] for row in foils]).tolist() == [s > others[0] for s, others in rows]


@pytest.mark.parametrize("foils", [1, 2, 3])
def test_chance_preference_from_all_orders(foils):
    orders = np.array(list(itertools.permutations(range(1 + foils))), dtype=float)
    assert retrieval.prefers(orders[:, 0], orders[:, 1:]).mean() == pytest.approx(retrieval.chance_preference(foils=foils))


def test_a_model_blind_to_word_order_prefers_nothing():
    assert not retrieval.prefers(np.full(4, 0.3), np.full((4, 2), 0.3)).any()
    noise = np.float32(0.3) + np.array([1e-7, -1e-7, 0], dtype=np.float32)
    assert not retrieval.prefers(noise, np.full(3, np.float32(0.3)), margin=1e-6).any()
    flat = retrieval.winoground(np.full((4, 2, 2), 0.3))
    assert not (flat.text | flat.image | flat.group).any()


@quick
@given(st.lists(st.tuples(few, few, few, few), min_size=1, max_size=8))
def test_winoground_from_the_four_comparisons(rows):
    got = retrieval.winoground(np.array(rows).reshape(-1, 2, 2))
    for i, (c0i0, c0i1, c1i0, c1i1) in enumerate(rows):
        text, image = c0i0 > c1i0 and c1i1 > c0i1, c0i0 > c0i1 and c1i1 > c1i0
        assert (got.text[i], got.image[i], got.group[i]) == (text, image, text and image)


def test_winoground_chance_from_all_orders():
    got = retrieval.winoground(np.array(list(itertools.permutations(range(4)))).reshape(-1, 2, 2))
    assert {name: getattr(got, name).mean() for name in retrieval.WINOGROUND_CHANCE} == pytest.approx(retrieval.WINOGROUND_CHANCE)


def test_winoground_by_hand():
    right = [[0.9, 0.8], [0.1, 0.85]]
    one_image_wins, tie = [[0.5, 0.6], [0.4, 0.7]], [[0.5, 0.5], [0.4, 0.7]]  # image 1 suits both captions at least as well
    got = retrieval.winoground([right, one_image_wins, tie])
    assert got.text.tolist() == [True, True, True]
    assert got.image.tolist() == [True, False, False]
    assert got.group.tolist() == [True, False, False]


def test_comparisons_refuse():
    with pytest.raises(ValueError, match="foil_scores has 1 rows where 2 are needed"):
        retrieval.prefers([0.1, 0.2], [[0.1, 0.2]])
    with pytest.raises(ValueError, match="1 of 2 values in true_scores are NaN"):
        retrieval.prefers([0.1, math.nan], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"margin must be a finite number of 0 or more, not -1\.0"):
        retrieval.prefers([0.1], [0.1], margin=-1)
    with pytest.raises(ValueError, match=r"scores must have shape \[n, 2, 2\] \(caption, image\), not \(1, 2, 3\)"):
        retrieval.winoground(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="foils must be a whole number of at least 1, not 0"):
        retrieval.chance_preference(foils=0)
