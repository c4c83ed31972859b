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

Paraphrase (SugarCrepe++, Dumpala et al. 2024): a second true caption in other words, and both must score strictly above the false one.
Guessing scores 1/3. Without the image (`measured`: `text_only`), the two true captions are nearer to each other than either is to the
false one. `mirrored` goes round the scene the other way: "a blue dog right of a red mug" for "a red mug left of a blue dog".

Negation (NegBench, Alhamoud et al. 2025): of four captions of an image one is true, and one each of those that affirm (positive), deny
(negative) and do both (hybrid) is false. Guessing scores 0.25; a model that reads over the 'no' takes what is denied for what is there, and
scores near 0 where the true caption denies. NegBench's questions on CheXpert are between two captions: guessing scores 0.5.

    true, of a mug     a mug     there is no tree    a mug but no tree
    false              a tree    there is no mug     a tree but no mug

On `scenes` the questions are about the main object: companions are small, and what is asked is whether the 'no' is read.
"""

from functools import cache, partial

import numpy as np
import pytest

from pytest_clip.data.published import comparable
from pytest_clip.extract.captions import Captions, texts_hash
from pytest_clip.extract.instead import instead
from pytest_clip.gates.evidence import Picture, Queries, Query, Seen
from pytest_clip.metrics.choice import PARAPHRASE_CHANCE, chosen, paraphrased, text_only
from pytest_clip.metrics.intervals import bootstrap, mean_interval, paired_difference, seed_from, wilson
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


@pytest.fixture
def home(clip_case, clip_data):
    """The image set behind a gate whose slices are sets of their own on published data and kinds of caption on `scenes`."""
    return clip_case.slice if clip_case.slice in [each.name for each in clip_data.sets] else "pairs"


@pytest.fixture(scope="session")
def scored(clip_model, clip_data, clip_extraction):
    """`scored(set, texts)`: the cosine of each image with its own text, float64 [n]."""

    def of(name, texts):
        images = clip_extraction.embeddings(clip_model, clip_data, name).astype(np.float64)
        return (images * clip_extraction.texts(clip_model, texts)).sum(1)

    return of


@pytest.fixture
def mistaken(clip_data, clip_extraction, home):
    """For a report: the images whose false caption won by most; `scores` of the true and the false one, and which texts they are."""

    def of(rows, scores, true, false, wanted, k):
        worst = sorted(rows, key=lambda row: (scores[0][row] - scores[1][row], clip_data.images(home).ids[row]))[: wanted.most]
        queries = []
        for row in worst:
            picture = Seen(clip_data.images(home).ids[row], picture=Picture(clip_extraction.picture(clip_data, home, row)))
            queries.append(Query(picture, (Seen(text=false[row]),), Seen(text=true[row]), rank=2, of=k))
        return Queries(queries) if queries else None

    return of


@pytest.mark.clip_gate("retrieval/paraphrase")
def test_paraphrase(gate, clip_case, clip_data, clip_model, clip_extraction, home, scored, mistaken):
    """Share of images of whose two true captions both score strictly above the one that is false in this fact. `measured` has the share
    of the text-only task beside it."""
    images = clip_data.images(home)
    if clip_case.slice not in images.triples:
        pytest.skip(f"{clip_data.name}/{home} has no second true captions")
    first = images.captions
    second, false = zip(*images.triples[clip_case.slice], strict=True)
    scores = [scored(home, texts) for texts in (first, second, false)]
    right = paraphrased(*scores, margin=ROUNDING)
    near = text_only(*(clip_extraction.texts(clip_model, texts) for texts in (first, second, false)), margin=ROUNDING)
    same = sum(foil in (one, two) for one, two, foil in zip(first, second, false, strict=True))
    told = {"chance": round(PARAPHRASE_CHANCE, 6), "rule": "both strictly above", "rounding": ROUNDING}
    told |= {
        "captions": texts_hash([*first, *second, *false]),
        "unanswerable": same,
        "measured": {"text_only": round(float(near.mean()), 6)},
    }

    def shown(wanted):
        lower = [one if a < b else two for one, two, a, b in zip(first, second, *scores[:2], strict=True)]
        return mistaken(np.flatnonzero(~right).tolist(), (np.minimum(*scores[:2]), scores[2]), lower, false, wanted, 3)

    gate.share(clip_case.gate, right, ids=images.ids, conventions=told, shows=shown)


@pytest.fixture(scope="session")
def answered(clip_data, scored):
    """By image set: its questions, the scores of their captions float64 [n, k], and which of them was chosen, int [n]."""

    @cache
    def of(name):
        questions = clip_data.images(name).questions
        if questions is None:
            pytest.skip(f"{clip_data.name}/{name} has no questions of four captions")
        captions = zip(*(each.captions for each in questions), strict=True)
        scores = np.stack([scored(name, list(texts)) for texts in captions], axis=1)
        return questions, scores, chosen(scores, [each.right for each in questions], margin=ROUNDING)

    return of


@pytest.fixture
def asked(clip_case, clip_data, home, answered):
    """The questions of this case: their rows, and the conventions of numbers made of them."""
    questions, _, choices = answered(home)
    kinds = [each.kind for each in questions]
    rows = [row for row, kind in enumerate(kinds) if home == clip_case.slice or clip_case.slice in (kind, "all")]
    wrong = [questions[row].types[choices[row]] for row in rows if choices[row] != questions[row].right]
    texts = [text for row in rows for text in questions[row].captions]
    chance = round(1 / len(questions[0].captions), 6)
    told = {"chance": chance, "captions": texts_hash(texts), "rule": "strictly above", "rounding": ROUNDING}
    return rows, told | {"measured": {"wrong": {kind: wrong.count(kind) for kind in sorted(set(wrong))}}}


@pytest.mark.clip_gate("retrieval/negation_accuracy")
def test_negation_accuracy(gate, clip_case, clip_data, home, answered, asked, mistaken):
    """Share of questions in which the true one of four captions scores strictly above the false ones."""
    (questions, scores, choices), (rows, told), images = answered(home), asked, clip_data.images(home)
    right = np.array([each.right for each in questions])

    def shown(wanted):
        at = np.arange(len(right))
        true, false = ([each.captions[k] for each, k in zip(questions, which, strict=True)] for which in (right, choices))
        lost = [row for row in rows if choices[row] != right[row]]
        return mistaken(lost, (scores[at, right], scores[at, choices]), true, false, wanted, scores.shape[1])

    reason = None if rows else f"no question of {clip_data.name}/{home} has a true caption of type {clip_case.slice}"
    ids = [images.ids[row] for row in rows]
    gate.share(clip_case.gate, (choices == right)[rows], ids=ids, conventions=told, shows=shown, reason=reason)


@pytest.fixture
def judge_wrong(gate, clip_case, clip_data, home, answered, asked):
    """Share of questions answered with a false caption of one type."""

    def judge(kind):
        (questions, _, choices), (rows, told) = answered(home), asked
        if not any(questions[row].kind for row in rows):
            pytest.skip(f"{clip_data.name}/{home} does not say which of its captions affirm and which deny")
        fell = np.array([choices[row] != questions[row].right and questions[row].types[choices[row]] == kind for row in rows])
        ids = tuple(clip_data.images(home).ids[row] for row in rows)
        ci, outcomes = wilson(int(fell.sum()), len(fell)), Outcomes("mean", {"wrong": fell}, ids)
        gate(clip_case.gate, fell.mean(), n=len(fell), ci=ci, per_image=outcomes, conventions=told)

    return judge


@pytest.mark.clip_gate("retrieval/negation_wrong_positive")
def test_negation_wrong_positive(judge_wrong):
    """Share of questions answered with a caption that names what is absent."""
    judge_wrong("positive")


@pytest.mark.clip_gate("retrieval/negation_wrong_negative")
def test_negation_wrong_negative(judge_wrong):
    """Share of questions answered with a caption that denies what is there."""
    judge_wrong("negative")


@pytest.mark.clip_gate("retrieval/negation_wrong_hybrid")
def test_negation_wrong_hybrid(judge_wrong):
    """Share of questions answered with a false caption that affirms and denies."""
    judge_wrong("hybrid")


@pytest.mark.clip_gate("retrieval/negated_recall_drop")
def test_negated_recall_drop(gate, clip_case, clip_model, clip_data, clip_extraction):
    """Share of captions that lose their image from the first five when they also deny something absent."""
    images, k = clip_data.images(clip_case.slice), 5
    if images.negated is None:
        pytest.skip(f"{clip_data.name}/{clip_case.slice} has no captions with a negation")
    plain = images.all_captions or tuple((text,) for text in images.captions)
    groups = np.arange(len(images)) if images.captions is None else np.unique(images.captions, return_inverse=True)[1]
    gallery = clip_extraction.embeddings(clip_model, clip_data, clip_case.slice)

    def found(told):
        """Of each image the share of its captions that find it."""
        texts, rows = [text for each in told for text in each], np.repeat(np.arange(len(told)), [len(each) for each in told])
        same = None if images.captions is not None else np.unique(texts, return_inverse=True)[1]
        asked = clip_extraction.texts(clip_model, texts)
        hits = ranks(asked, gallery, query_groups=groups[rows], gallery_groups=groups, query_same=same) <= k
        return np.bincount(rows, hits) / np.bincount(rows)

    before, after = found(plain), found(images.negated)
    whole, chance = np.isin(np.r_[before, after], (0, 1)).all(), min(1.0, k / len(images))
    low = mean_interval(before, seed=0, within=(0, 1))[0] if chance < 1 else 0.0  # among k pictures all are found
    lost = None if low > chance else f"recall at {k} of plain captions is not above chance ({chance:.3f})"

    def ci():
        if whole:
            return paired_difference(before.astype(bool), after.astype(bool))
        return mean_interval(before - after, seed=seed_from(str(clip_case.gate)), within=(-1, 1))

    told = {"k": k, "gallery": len(images), "ties": "against the right answer", "mean": "over images"}
    told |= {"captions": texts_hash(text for each in (*plain, *images.negated) for text in each)}
    gate(
        clip_case.gate, None if lost else float((before - after).mean()), n=len(images), reason=lost, ci=None if lost else ci,
        per_image=None if lost else Outcomes("drop", {"before": before, "correct": after}, images.ids, groups),
        conventions=told | {"measured": {"plain": round(float(before.mean()), 6), "negated": round(float(after.mean()), 6)}},
    )  # fmt: skip


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
