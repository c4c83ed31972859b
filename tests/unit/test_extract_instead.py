"""What a query found in place of its answer, on embeddings that say which caption belongs to which image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_clip.data.imageset import ImageSet
from pytest_clip.extract.captions import Captions
from pytest_clip.extract.instead import AHEAD, instead
from pytest_clip.metrics.retrieval import ranks


def images(captions=None, several=None):
    n = len(captions or several)
    return ImageSet(
        "clean", "d", "clean", tuple(f"i{k}" for k in range(n)), np.zeros(n, int), ("a",), "f", captions=captions, all_captions=several
    )


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


SETS = {
    "one caption each, two of them the same": images(captions=("a", "b", "a", "c", "d", "e")),
    "several": images(several=(("a", "b"), ("c",), ("d", "e", "f"), ("g", "h"))),
    "several, one of them shared": images(several=(("a", "x"), ("x",), ("d", "x", "f"), ("g", "h"))),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("direction", ["image", "text"])
def test_what_is_shown_agrees_with_the_ranks(name, direction, seed):
    rng, some = np.random.default_rng(seed), SETS[name]
    told = Captions(some)
    pictures, texts = unit(rng, len(some), 8), unit(rng, len(told.texts), 8)
    texts = texts[np.unique(told.texts, return_inverse=True)[1]]  # the same text is the same embedding
    mine = {
        "image": ranks(texts, pictures, query_groups=told.of_text, gallery_groups=told.of_image, query_same=told.same),
        "text": ranks(pictures, texts, query_groups=told.of_image, gallery_groups=told.of_text, same=told.same),
    }[direction]
    found = instead(told, direction, mine, pictures, texts, ids=some.ids, see=lambda row: row, k=1, most=99)
    late = sorted(mine[mine > 1].tolist(), reverse=True)
    assert [query.rank for query in (found.queries if found else [])] == late
    for query in found.queries if found else []:
        asked, offered = (texts, pictures) if direction == "image" else (pictures, texts)
        names = {text: k for k, text in enumerate(told.texts)} | {each: k for k, each in enumerate(some.ids)}
        row, right, *wrong = (names[each.id or each.text] for each in (query.asked, query.wanted, *query.found))
        assert len(wrong) == min(AHEAD, query.rank - 1)
        scores = offered @ asked[row]
        ahead = [scores[each] for each in wrong]
        assert ahead == sorted(ahead, reverse=True)
        assert min(ahead) >= scores[right]
        of = some.all_captions or [(each,) for each in some.captions]
        if direction == "image":
            assert not any(query.asked.text in of[each] for each in wrong)
        else:
            assert not any(seen.text in of[row] for seen in query.found)
        own, theirs = (told.of_text, told.of_image) if direction == "image" else (told.of_image, told.of_text)
        assert (own[row] == theirs[right]) or told.same is not None
        assert not any(own[row] == theirs[each] for each in wrong) or told.same is not None
        for seen in (query.asked, *query.found, query.wanted):
            if seen.picture is not None:
                assert seen.id == some.ids[seen.picture.pixels]


def test_an_image_is_named_with_a_caption_of_its_own():
    some = replace(images(several=(("first", "other"), ("second",), ("third",))))
    told, eye = Captions(some), np.eye(4)
    texts = eye[[0, 0, 1, 2]]
    found = instead(told, "image", np.array([1, 2, 1, 1]), eye[[1, 0, 2]], texts, ids=some.ids, see=lambda row: row, k=1, most=3)
    [query] = found.queries
    assert (query.asked.text, query.wanted.id, query.wanted.text) == ("other", "i0", "first")
    assert [(each.id, each.text) for each in query.found] == [("i1", "second")]


def test_only_what_comes_beyond_k_is_shown():
    some = images(captions=("a", "b", "c"))
    eye = np.eye(3)
    how = {"ids": some.ids, "see": lambda row: row}
    assert instead(Captions(some), "image", np.array([1, 3, 2]), eye, eye, k=3, most=3, **how) is None
    assert [q.rank for q in instead(Captions(some), "image", np.array([1, 3, 2]), eye, eye, k=1, most=1, **how).queries] == [3]
    assert [q.rank for q in instead(Captions(some), "image", np.array([1, 3, 2]), eye, eye, k=2, most=3, **how).queries] == [3]


def test_a_caption_that_another_image_shares_is_not_shown_as_wrong_where_all_tie():
    some = images(several=(("a", "x"), ("x",), ("d",)))
    told, eye = Captions(some), np.eye(4)
    found = instead(told, "text", np.array([2, 1, 1]), eye[[1, 1, 1]], eye[[0, 1, 1, 1]], ids=some.ids, see=lambda row: row, k=1, most=1)
    assert [each.text for each in found.queries[0].found] == ["d"]
