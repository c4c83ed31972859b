"""Retrieval: does an image find its caption among all captions and a caption its image, and does a true caption beat a nearly true one?

Directions are named as in CLIP_benchmark: *image retrieval* asks with a caption for images, *text retrieval* with an image for captions.
The captions of `scenes` name everything: object, colour, texture, companion, surroundings. Images with the same caption form a group; any
image of the group is a right answer, and the caption asks once. On Flickr30k and COCO every image has about five captions of its own: each
of them asks for its image, and an image has found its caption when any of them comes first (Karpathy's test splits as in CLIP_benchmark). A
negative that ties with the best right answer counts against it, so collapsed embeddings rank last.

Compositionality, on images of two objects: the true caption must score strictly above one that is false in a single fact (ARO, Yuksekgonul
et al. 2023; SugarCrepe, Hsieh et al. 2023). Of "a red brick mug left of a blue dog on a pink background" these are

    object_replace      a red brick chair left of a blue dog ...       background_replace  ... on a green background
    companion_replace   a red brick mug left of a blue key ...         relation_replace    a red brick mug right of a blue dog ...
    colour_replace      a green brick mug left of a blue dog ...       object_swap         a red brick dog left of a blue mug ...
    texture_replace     a red marble mug left of a blue dog ...        attribute_swap      a blue brick mug left of a red dog ...
                                                                       relation_swap       a blue dog left of a red brick mug ...

Guessing scores 0.5. A swap has the very words of the true caption, so a text encoder that does not see their order scores 0 on all three.
SugarCrepe's kinds are slices of the same gate. Winoground (Thrush et al. 2022) crosses two images with two captions of the same words.
"""

from functools import cache, partial

import numpy as np
import pytest

from pytest_clip.data.published import comparable
from pytest_clip.extract.captions import Captions
from pytest_clip.extract.instead import instead
from pytest_clip.gates.evidence import Picture, Queries, Query, Seen
from pytest_clip.metrics.intervals import bootstrap, mean_interval, seed_from, wilson
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.retrieval import (
    WINOGROUND_CHANCE,
    chance_preference,
    mean_rank,
    median_rank,
    prefers,
    ranks,
    recall,
    winoground,
)

pytestmark = pytest.mark.clip_suite("retrieval")

ROUNDING = 1e-6
"""Cosines of float32 embeddings that differ by less are one score: the sum of the same numbers in another order."""


@pytest.fixture(scope="session")
def captions(clip_data):
    """The `Captions` of an image set."""

    @cache
    def of(name):
        images = clip_data.images(name)
        if images.captions is None and images.all_captions is None:
            pytest.skip(f"{clip_data.name} has no captions")
        return Captions(images)

    return of


@pytest.fixture(scope="session")
def ranked(clip_model, clip_data, clip_extraction, captions):
    """By image set and direction, the rank of the best right answer to every query.

    `twins="wrong"` counts the image of another's caption with the same words as a wrong answer, as CLIP_benchmark does. (It counts that
    caption, too, but it ties with the image's own, and there chance decides which of the two comes first; here it never does.)
    """

    @cache
    def of(name, twins="left out"):
        told = captions(name)
        images = clip_extraction.embeddings(clip_model, clip_data, name)
        texts = clip_extraction.texts(clip_model, told.texts)
        asked = told.same if twins == "left out" else None
        return {
            "image": ranks(texts, images, query_groups=told.of_text, gallery_groups=told.of_image, query_same=asked),
            "text": ranks(images, texts, query_groups=told.of_image, gallery_groups=told.of_text, same=told.same),
        }

    return of


def interval(statistic, mine, told, direction, seed):
    """Of `statistic` of ranks. Captions of one image are not independent, so images are drawn, each with all of its captions."""
    if direction == "text" or told.same is None:
        return bootstrap(statistic, mine, seed=seed)
    first = np.flatnonzero(np.r_[True, np.diff(told.of_text) > 0])
    rows = np.split(np.arange(len(mine)), first[1:])
    return bootstrap(lambda drawn: statistic(mine[np.concatenate([rows[i] for i in drawn])]), np.arange(len(rows)), seed=seed)


@pytest.fixture
def outcomes(clip_case, clip_data, ranked, captions):
    """The ranks of one direction as the outcomes of a statistic; images of one caption, or captions of one image, are drawn together."""

    def of(statistic, direction, **params):
        told = captions(clip_case.slice)
        ids, clusters = (told.texts, told.of_text) if direction == "image" else (clip_data.images(clip_case.slice).ids, told.of_image)
        return Outcomes(statistic, {"rank": ranked(clip_case.slice)[direction]}, tuple(ids), clusters, params)

    return of


@pytest.fixture
def worst(clip_case, clip_model, clip_data, clip_extraction, ranked, captions):
    """For a report: the queries of one direction whose answer comes latest, beyond `k`, and what is found in its place."""

    def of(direction, wanted, k=1):
        name, told = clip_case.slice, captions(clip_case.slice)
        images = clip_extraction.embeddings(clip_model, clip_data, name)
        texts = clip_extraction.texts(clip_model, told.texts)
        see = partial(clip_extraction.picture, clip_data, name)
        return instead(
            told, direction, ranked(name)[direction], images, texts, ids=clip_data.images(name).ids, see=see, k=k, most=wanted.most
        )

    return of


@pytest.fixture
def judge_recall(gate, clip_case, ranked, outcomes, captions, worst):
    """Recall at k in one direction."""

    def judge(direction, k):
        mine, told = ranked(clip_case.slice)[direction], captions(clip_case.slice)
        hits = mine <= k
        clustered = direction == "image" and told.same is not None

        def ci():
            if clustered:
                return mean_interval(hits, seed=seed_from(str(clip_case.gate)), groups=told.of_text, within=(0, 1))
            return wilson(int(hits.sum()), len(mine))

        gate(
            clip_case.gate, recall(mine, k=k), n=len(mine), ci=ci, per_image=outcomes("recall", direction, k=k),
            conventions=told.conventions(direction) | {"chance": round(float(told.chance(direction, k)), 6)},
            shows=lambda wanted: worst(direction, wanted, k),
        )  # fmt: skip

    return judge


@pytest.fixture
def judge_rank(gate, clip_case, ranked, outcomes, captions, worst):
    """A summary of the ranks in one direction."""

    def judge(direction, summary):
        mine, told = ranked(clip_case.slice)[direction], captions(clip_case.slice)
        seed = seed_from(str(clip_case.gate))
        groups = None if direction == "text" or told.same is None else told.of_text

        def ci():
            if summary is mean_rank:
                return mean_interval(mine, seed=seed, groups=groups, within=(1, np.inf))
            return interval(summary, mine, told, direction, seed)

        gate(
            clip_case.gate, summary(mine), n=len(mine), conventions=told.conventions(direction),
            per_image=outcomes("mean" if summary is mean_rank else "median", direction),
            ci=ci, shows=lambda wanted: worst(direction, wanted),
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


@pytest.mark.clip_gate("retrieval/published_gap")
def test_published_gap(gate, clip_case, clip_model, clip_data, ranked):
    """The recall, of six, that is farthest from what is published for this checkpoint, minus that number."""
    known, reason = comparable("recall", clip_model, clip_data, clip_case.slice)
    if known is None:
        pytest.skip(reason)
    gaps = {}
    for metric, value in known.values.items():
        direction, _, k = metric.replace("_retrieval_recall_at_", " ").partition(" ")
        gaps[metric] = recall(ranked(clip_case.slice, "wrong")[direction], k=int(k)) - value
    worst = max(gaps, key=lambda metric: abs(gaps[metric]))
    gate(
        clip_case.gate, gaps[worst], n=len(clip_data.images(clip_case.slice)),
        conventions={"source": known.source, "twins": "wrong"}
        | {"measured": {"gaps": {m: round(gap, 6) for m, gap in gaps.items()}, "farthest": worst}},
    )  # fmt: skip


@pytest.mark.clip_gate("retrieval/compositionality")
def test_compositionality(gate, clip_case, clip_model, clip_data, clip_extraction):
    """Share of images whose true caption scores strictly above the one that is false in this fact."""
    kind = clip_case.slice
    home = kind if kind in [each.name for each in clip_data.sets] else "pairs"
    images = clip_data.images(home)
    pictures = clip_extraction.embeddings(clip_model, clip_data, home).astype(np.float64)
    true, false = (clip_extraction.texts(clip_model, texts).astype(np.float64) for texts in (images.captions, images.foils[kind]))
    scores = (pictures * true).sum(1), (pictures * false).sum(1)
    better = prefers(*scores, margin=ROUNDING)

    def shown(wanted):
        rows = sorted(np.flatnonzero(~better).tolist(), key=lambda row: (scores[0][row] - scores[1][row], images.ids[row]))[: wanted.most]
        queries = []
        for row in rows:
            asked = Seen(images.ids[row], picture=Picture(clip_extraction.picture(clip_data, home, row)))
            found, wanted = (Seen(text=texts[row]) for texts in (images.foils[kind], images.captions))
            queries.append(Query(asked, (found,), wanted, rank=2, of=2))
        return Queries(queries) if queries else None

    told = {"chance": chance_preference(foils=1), "foils": 1, "rule": "strictly above", "rounding": ROUNDING}
    gate.share(clip_case.gate, better, ids=images.ids, conventions=told, shows=shown)


@pytest.fixture(scope="session")
def crossed(clip_model, clip_data, clip_extraction):
    """By image set, the outcomes of Winoground's three scores: row 2i and 2i + 1 are the two images of a quadruple."""

    @cache
    def of(name):
        images = clip_extraction.embeddings(clip_model, clip_data, name).astype(np.float64)
        texts = clip_extraction.texts(clip_model, clip_data.images(name).captions).astype(np.float64)
        pairs = images.reshape(-1, 2, images.shape[1]), texts.reshape(-1, 2, texts.shape[1])
        return winoground(np.einsum("nid,ncd->nci", *pairs), margin=ROUNDING)

    return of


@pytest.fixture
def judge_crossed(gate, clip_case, clip_data, crossed):
    """One of the three scores."""

    def judge(score):
        told = {"chance": round(WINOGROUND_CHANCE[score], 6), "rule": "strictly above", "rounding": ROUNDING}
        ids = clip_data.images(clip_case.slice).ids[::2]
        gate.share(clip_case.gate, getattr(crossed(clip_case.slice), score), ids=ids, conventions=told)

    return judge


@pytest.mark.clip_gate("retrieval/winoground_text")
def test_winoground_text(judge_crossed):
    """Share of quadruples whose two images both prefer their own caption."""
    judge_crossed("text")


@pytest.mark.clip_gate("retrieval/winoground_image")
def test_winoground_image(judge_crossed):
    """Share of quadruples whose two captions both prefer their own image."""
    judge_crossed("image")


@pytest.mark.clip_gate("retrieval/winoground_group")
def test_winoground_group(judge_crossed):
    """Share of quadruples in which all four comparisons are right."""
    judge_crossed("group")
