"""Retrieval: does an image find its caption among all captions and a caption its image, and does a true caption beat a nearly true one?

Directions are named as in CLIP_benchmark: *image retrieval* asks with a caption for images, *text retrieval* with an image for captions.
The captions of `scenes` name everything: object, colour, texture, companion, surroundings. Images with the same caption form a group; any
image of the group is a right answer, and the caption asks once. A negative that ties with the best right answer counts against it, so
collapsed embeddings rank last.

Compositionality, on images of two objects: the true caption must score strictly above one that is false in a single fact (ARO, Yuksekgonul
et al. 2023; SugarCrepe, Hsieh et al. 2023). Of "a red brick mug left of a blue dog on a pink background" these are

    object_replace      a red brick chair left of a blue dog ...       background_replace  ... on a green background
    companion_replace   a red brick mug left of a blue key ...         relation_replace    a red brick mug right of a blue dog ...
    colour_replace      a green brick mug left of a blue dog ...       object_swap         a red brick dog left of a blue mug ...
    texture_replace     a red marble mug left of a blue dog ...        attribute_swap      a blue brick mug left of a red dog ...
                                                                       relation_swap       a blue dog left of a red brick mug ...

Guessing scores 0.5. A swap has the very words of the true caption, so a text encoder that does not see their order scores 0 on all three.
"""

from functools import cache

import numpy as np
import pytest

from pytest_clip.metrics.intervals import bootstrap, mean_interval, seed_from, wilson
from pytest_clip.metrics.retrieval import chance_preference, chance_recall, mean_rank, median_rank, prefers, ranks, recall

pytestmark = pytest.mark.clip_suite("retrieval")

ROUNDING = 1e-6
"""Cosines of float32 embeddings that differ by less are one score: the sum of the same numbers in another order."""


@pytest.fixture(scope="session")
def groups(clip_data):
    """The distinct captions of an image set, and for each image the one that is its own."""

    @cache
    def of(name):
        images = clip_data.images(name)
        if images.captions is None:
            pytest.skip(f"{clip_data.name} has no captions")
        texts, own = np.unique(images.captions, return_inverse=True)
        return texts.tolist(), own

    return of


@pytest.fixture(scope="session")
def ranked(clip_model, clip_data, clip_extraction, groups):
    """By image set and direction, the rank of the best right answer to every query."""

    @cache
    def of(name):
        texts, own = groups(name)
        images = clip_extraction.embeddings(clip_model, clip_data, name)
        captions = clip_extraction.texts(clip_model, texts)
        each = np.arange(len(texts))
        return {
            "image": ranks(captions, images, query_groups=each, gallery_groups=own),
            "text": ranks(images, captions, query_groups=own, gallery_groups=each),
        }

    return of


@pytest.fixture
def judge_recall(gate, clip_case, ranked, groups):
    """Recall at k in one direction."""

    def judge(direction, k):
        mine, (texts, own) = ranked(clip_case.slice)[direction], groups(clip_case.slice)
        gallery, positives = (len(own), np.bincount(own)) if direction == "image" else (len(texts), np.ones(len(own), dtype=int))
        chance = np.mean([chance_recall(positives=int(p), gallery=gallery, k=k) for p in positives])
        gate(
            clip_case.gate, recall(mine, k=k), n=len(mine), ci=wilson(int((mine <= k).sum()), len(mine)), per_image={"rank": mine},
            conventions={"gallery": gallery, "groups": len(texts), "ties": "against the right answer", "chance": round(float(chance), 6)},
        )  # fmt: skip

    return judge


@pytest.fixture
def judge_rank(gate, clip_case, ranked, groups):
    """A summary of the ranks in one direction."""

    def judge(direction, summary):
        mine, (texts, own) = ranked(clip_case.slice)[direction], groups(clip_case.slice)
        seed = seed_from(str(clip_case.gate))
        gate(
            clip_case.gate, summary(mine), n=len(mine), per_image={"rank": mine},
            ci=mean_interval(mine, seed=seed) if summary is mean_rank else bootstrap(summary, mine, seed=seed),
            conventions={"gallery": len(own if direction == "image" else texts), "groups": len(texts), "ties": "against the right answer"},
        )  # fmt: skip

    return judge


@pytest.mark.clip_gate("retrieval/image_retrieval_recall_at_1")
def test_image_retrieval_recall_at_1(judge_recall):
    """Share of captions that find their image first."""
    judge_recall("image", 1)


@pytest.mark.clip_gate("retrieval/image_retrieval_recall_at_5")
def test_image_retrieval_recall_at_5(judge_recall):
    """Share of captions with their image among the first five."""
    judge_recall("image", 5)


@pytest.mark.clip_gate("retrieval/image_retrieval_recall_at_10")
def test_image_retrieval_recall_at_10(judge_recall):
    """Share of captions with their image among the first ten."""
    judge_recall("image", 10)


@pytest.mark.clip_gate("retrieval/text_retrieval_recall_at_1")
def test_text_retrieval_recall_at_1(judge_recall):
    """Share of images that find their caption first."""
    judge_recall("text", 1)


@pytest.mark.clip_gate("retrieval/text_retrieval_recall_at_5")
def test_text_retrieval_recall_at_5(judge_recall):
    """Share of images with their caption among the first five."""
    judge_recall("text", 5)


@pytest.mark.clip_gate("retrieval/text_retrieval_recall_at_10")
def test_text_retrieval_recall_at_10(judge_recall):
    """Share of images with their caption among the first ten."""
    judge_recall("text", 10)


@pytest.mark.clip_gate("retrieval/image_retrieval_mean_rank")
def test_image_retrieval_mean_rank(judge_rank):
    """Mean rank of a caption's image, 1 = always first."""
    judge_rank("image", mean_rank)


@pytest.mark.clip_gate("retrieval/image_retrieval_median_rank")
def test_image_retrieval_median_rank(judge_rank):
    """Median rank of a caption's image."""
    judge_rank("image", median_rank)


@pytest.mark.clip_gate("retrieval/text_retrieval_mean_rank")
def test_text_retrieval_mean_rank(judge_rank):
    """Mean rank of an image's caption, 1 = always first."""
    judge_rank("text", mean_rank)


@pytest.mark.clip_gate("retrieval/text_retrieval_median_rank")
def test_text_retrieval_median_rank(judge_rank):
    """Median rank of an image's caption."""
    judge_rank("text", median_rank)


@pytest.mark.clip_gate("retrieval/compositionality")
def test_compositionality(gate, clip_case, clip_model, clip_data, clip_extraction):
    """Share of images whose true caption scores strictly above the one that is false in this fact."""
    images, kind = clip_data.images("pairs"), clip_case.slice
    pictures = clip_extraction.embeddings(clip_model, clip_data, "pairs").astype(np.float64)
    true, false = (clip_extraction.texts(clip_model, texts).astype(np.float64) for texts in (images.captions, images.foils[kind]))
    better = prefers((pictures * true).sum(1), (pictures * false).sum(1), margin=ROUNDING)
    gate(
        clip_case.gate, better.mean(), n=len(better), ci=wilson(int(better.sum()), len(better)), per_image={"correct": better},
        conventions={"chance": chance_preference(foils=1), "foils": 1, "rule": "strictly above", "rounding": ROUNDING},
    )  # fmt: skip
