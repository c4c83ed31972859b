"""Correspondence: do the features of a place say which place it is, when the camera moves and when the instance changes?

The protocol is Probe3D's (El Banani et al. 2024): the model as it is, nothing trained. Geometric: of two views of one object, every point
that both show is matched to the most similar point of the other view (one direction, cosine, ratio test), the clearest quarter is kept, and
a match is right within 8 of 128 pixels, or within a tenth of the object's length, of the true place. The slices are the angle between the
views, in degrees, over the same scenes. Semantic: a landmark of one instance of a class is sought in the whole picture of another (PCK
within a tenth of the object's box, as in SPair-71k). The truth is the geometry of the scenes, so it is exact.

Real data are read by the same protocol: SPair-71k, NAVI (a match is right within 2 cm of the object) and ScanNet's 1,500 pairs (within 10
of 160 pixels); every picture is made a square first, so that no model's crop cuts away what is asked for, and a quarter of the points and
of the matches of Probe3D's are used.

Features are those of the last layer; a tower with fewer than 7 x 7 places left there answers with the deepest layer that still has them,
unless the ini key `clip_dense_layer` names one: a block of a ViT, a stage of a CNN. `chance` is what random features score, `same_place`
what an answer scores that knows nothing but the place that was asked about.
"""

import math
from functools import cache, lru_cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pytest_clip.extract.found import found
from pytest_clip.extract.truths import keypoint_pairs, view_pairs
from pytest_clip.gates.evidence import Match, Pair, Pairs, Picture
from pytest_clip.metrics import correspondence
from pytest_clip.metrics.dense import grid, peaks, sample
from pytest_clip.metrics.intervals import bootstrap, mean_interval, ratio_interval_of_sums, seed_from
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("correspondence")

KEEP = 0.25
"""Share of a pair's matches that the ratio test leaves; Probe3D keeps 1,000 of several thousand."""
PIXELS = 8
"""Of 128: the sixteenth of the width that Probe3D's 10 pixels are of 160."""
DISTANCE = 0.2
"""In object units, of which an object is 2 long: a tenth, as Probe3D's 2 cm are of an object of 20 cm."""
ALPHA = 0.1
AT_ONCE = 64
"""Pairs whose maps are in memory together."""
MANY, SOME = 2**21, 64
"""Distances from which on random answers are judged by some of the places, and how many of them."""
CELLS = 32
"""Places a side among which a landmark is sought."""
LINES = 16
"""Matches of a pair that a report draws: more than that hide each other."""


def apart(a, b):
    """Distance [n] of places or points [n, d], one by one."""
    return np.linalg.norm(a - b, axis=1)


@pytest.fixture(scope="session")
def seen_twice(clip_model, clip_data, clip_extraction, clip_settings):
    """Pairs of feature maps [d, gh, gw] of the first views and of the images of a set, in order, and the conventions behind them."""
    if lacking := found(clip_extraction.cache, clip_model, None, "no maps", lambda: clip_extraction.no_maps(clip_model)):
        pytest.skip(lacking)

    @lru_cache(maxsize=1)  # the sets are second views of the same scenes
    def first_views(rows, layer):
        return clip_extraction.maps(clip_model, clip_data, "clean", rows=rows, layer=layer)

    def pictured(pool, pairs, layer):
        """Both maps of the pairs of rows of a pool of pictures, a few pairs at a time: of all they would fill the memory."""
        for at in range(0, len(pairs), AT_ONCE):
            some = pairs[at : at + AT_ONCE]
            rows = tuple(sorted({row for pair in some for row in pair}))
            maps = clip_extraction.maps(clip_model, clip_data, pool, rows=rows, layer=layer).features
            yield from ((maps[rows.index(one)], maps[rows.index(other)]) for one, other in some)

    def maps(name):
        images = clip_data.images(name)
        rows = tuple(int(row) for row in images.pairs)
        if len(rows) < 2:
            pytest.skip(f"--clip-limit leaves {len(rows)} of the pairs of {name}")
        if images.within is not None:
            pairs = [(one, int(other)) for one, other in zip(rows, images.at, strict=True)]
            probe = clip_extraction.maps(clip_model, clip_data, images.within, rows=rows[:1], layer=clip_settings.dense_layer)
            return pictured(images.within, pairs, probe.layer), probe.conventions
        second = clip_extraction.maps(clip_model, clip_data, name, layer=clip_settings.dense_layer)
        first = first_views(rows, second.layer)
        return zip(first.features, second.features, strict=True), second.conventions

    return maps


def some_of(true, places):
    """All distances between two sets of places; of very many the distances between some of both, evenly taken."""
    if len(true) * len(places) > MANY:
        true, places = (each[:: math.ceil(len(each) / SOME)] for each in (true, places))
    return cdist(true, places).ravel()


def drawn(first, second, true, *, size):
    """Places of matches in the first view, where they were found in the second, and where they are there: [n, 6], as a report draws them.

    In shares of a square as wide as the larger side, with the picture in its middle.
    """
    larger = max(size)
    middle = 0.5 - np.array([size[1], size[0]]) / (2 * larger)
    return np.concatenate([middle + (at + 0.5) / larger for at in (first, second, true)], axis=1).astype(np.float32)


def found_again(pair, first, second):
    """Matches of one pair of views as errors in pixels and in object units, and the same for random and same-place answers."""
    x, y = (sample(maps, places, size=pair.size) for maps, places in ((first, pair.source), (second, pair.target)))
    match = correspondence.match(x, y, keep=math.ceil(KEEP * len(x)) if pair.keep is None else pair.keep)
    stay = cdist(pair.source, pair.target).argmin(1)
    ways = {"drawn": drawn(pair.source[match.source], pair.target[match.target], pair.landing[match.source], size=pair.size)}
    for unit, true, places in (("px", pair.landing, pair.target), ("distance", pair.source_points, pair.target_points)):
        ways[unit] = apart(true[match.source], places[match.target]), some_of(true, places), apart(true, places[stay])
    return ways


@pytest.fixture(scope="session")
def views(seen_twice, clip_data, clip_extraction):
    """`found_again` of every pair of a set, what is near in pixels and units (None: the suite's own), and the conventions behind it."""

    @cache
    def pairs(name):
        seen, conventions = seen_twice(name)
        each, degrees, near, keep = [], [], None, KEEP
        for pair, both in zip(view_pairs(clip_extraction.cache, clip_data, name), seen, strict=True):
            each.append(found_again(pair, *both))
            degrees.append(pair.degrees)
            near, keep = pair.near, KEEP if pair.keep is None else pair.keep
        return each, near, conventions | {"keep": keep, "mean_degrees": round(float(np.mean(degrees)), 1)}

    return pairs


@pytest.fixture
def pairs_of(clip_case, clip_data, clip_extraction):
    """For a report: pairs from the worst to the best, evenly by their value, with `LINES` of their matches, evenly by their clearness."""

    def of(values, lines, right, wanted, rows=None):
        images = clip_data.images(clip_case.slice)
        order = np.argsort(values, kind="stable")
        chosen = order[np.unique(np.linspace(0, len(order) - 1, wanted.most).astype(int))]
        pairs = []
        for at in chosen.tolist():
            row, some = at if rows is None else rows[at], np.unique(np.linspace(0, len(lines[at]) - 1, LINES).astype(int))
            each = zip(lines[at][some].tolist(), right[at][some].tolist(), strict=True)
            matches = [Match((x1, y1), (x2, y2), hit, (x3, y3)) for (x1, y1, x2, y2, x3, y3), hit in each]
            pools = ("clean", clip_case.slice) if images.within is None else (images.within,) * 2
            places = int(images.pairs[row]), row if images.within is None else int(images.at[row])
            pictures = [Picture(clip_extraction.picture(clip_data, *place)) for place in zip(pools, places, strict=True)]
            pairs.append(Pair(images.ids[row], float(values[at]), len(lines[at]), matches, *pictures))
        return Pairs(pairs)

    return of


@pytest.fixture
def judge_recall(gate, clip_case, clip_data, views, pairs_of):
    """Mean over pairs of the share of matches within `threshold`; the interval is over pairs, each of another scene."""

    def measured(unit, threshold):
        pairs, near, conventions = views(clip_case.slice)
        threshold = threshold if near is None else near[unit == "distance"]
        ours, random, stay = (np.array([correspondence.recall(each[unit][way], threshold=threshold) for each in pairs]) for way in range(3))
        gate(
            clip_case.gate, ours.mean(), n=len(ours), ci=lambda: mean_interval(ours, seed=seed_from(str(clip_case.gate)), within=(0, 1)),
            per_image=Outcomes("mean", {"recall": ours}, clip_data.images(clip_case.slice).ids),
            shows=lambda wanted: pairs_of(ours, [each["drawn"] for each in pairs], [each[unit][0] <= threshold for each in pairs], wanted),
            conventions=conventions
            | {"threshold": threshold, "chance": round(float(random.mean()), 3), "same_place": round(float(stay.mean()), 3)},
        )  # fmt: skip

    return measured


@pytest.mark.clip_gate("correspondence/recall_px")
def test_recall_px(judge_recall):
    """Share of matches that land within 8 of 128 pixels of where the point is in the second view."""
    judge_recall("px", PIXELS)


@pytest.mark.clip_gate("correspondence/recall_distance")
def test_recall_distance(judge_recall):
    """Share of matches whose point lies within a tenth of the object's length of the point that was sought."""
    judge_recall("distance", DISTANCE)


def landmarks_of(pair, first, second):
    """Whether each landmark of one pair of instances is found, what share of all places would be right, whether its own place would, and
    the places themselves."""
    boxes = np.tile(pair.box, (len(pair.first), 1))
    answers = peaks(sample(first, pair.first, size=pair.size), second, size=pair.size, cells=CELLS)
    found, stay = (correspondence.keypoints_hit(at, pair.second, box_sizes=boxes, alpha=ALPHA) for at in (answers, pair.first))
    right = cdist(pair.second, grid(size=pair.size, cells=CELLS)) <= ALPHA * max(pair.box)
    return found, right.mean(1), stay, drawn(pair.first, answers, pair.second, size=pair.size)


@pytest.fixture(scope="session")
def landmarks(seen_twice, clip_data, clip_extraction):
    """`landmarks_of` of every pair of a set that shows any, the ids of these, their places and rows, and the conventions behind them."""

    @cache
    def pairs(name):
        seen, conventions = seen_twice(name)
        truth = zip(keypoint_pairs(clip_extraction.cache, clip_data, name), seen, strict=True)
        told = {row: landmarks_of(pair, *both) for row, (pair, both) in enumerate(truth) if len(pair.first)}
        shown, (found, chance, stay, lines) = tuple(told), zip(*told.values(), strict=True)
        ids = clip_data.images(name).ids
        return found, tuple(ids[row] for row in shown), (lines, shown), conventions | {
            "alpha": ALPHA, "box": "larger side", "cells": CELLS, "landmarks": sum(map(len, found)),
            "chance": round(float(np.concatenate(chance).mean()), 3), "same_place": round(float(np.concatenate(stay).mean()), 3),
        }  # fmt: skip

    return pairs


@pytest.mark.clip_gate("correspondence/pck_per_image")
def test_pck_per_image(gate, clip_case, landmarks, pairs_of):
    """Share of a pair's landmarks that are found, averaged over pairs."""
    found, ids, (lines, rows), conventions = landmarks(clip_case.slice)
    shares = np.array([correspondence.pck_per_point(each) for each in found])
    gate(
        clip_case.gate, shares.mean(), n=len(shares), ci=lambda: mean_interval(shares, seed=seed_from(str(clip_case.gate)), within=(0, 1)),
        per_image=Outcomes("mean", {"pck": shares}, ids), conventions=conventions,
        shows=lambda wanted: pairs_of(shares, lines, found, wanted, rows),
    )  # fmt: skip


@pytest.mark.clip_gate("correspondence/pck_per_point")
def test_pck_per_point(gate, clip_case, landmarks):
    """Share of all landmarks that are found: pairs with many of them weigh more. The interval draws whole pairs."""
    found, ids, _, conventions = landmarks(clip_case.slice)
    hits, all_of_them = np.array([each.sum() for each in found]), np.array([len(each) for each in found])
    gate(
        clip_case.gate, correspondence.pck_per_point(np.concatenate(found)), n=len(found),
        ci=lambda: ratio_interval_of_sums(hits, all_of_them, seed=seed_from(str(clip_case.gate)), within=(0, 1)),
        per_image=Outcomes("share", {"part": hits, "whole": all_of_them}, ids), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("correspondence/pck_per_class")
def test_pck_per_class(gate, clip_case, clip_data, landmarks):
    """Share of all landmarks of a class that are found, averaged over classes (Probe3D on SPair-71k). The interval draws whole pairs."""
    found, ids, _, conventions = landmarks(clip_case.slice)
    images = clip_data.images(clip_case.slice)
    place = dict(zip(images.ids, images.attributes["category"], strict=True))
    names, of = np.unique([place[each] for each in ids], return_inverse=True)
    hits, all_of_them = np.array([each.sum() for each in found]), np.array([len(each) for each in found])

    def macro(hit, n, cls):
        some = np.bincount(cls, n, minlength=len(names)) > 0
        return (np.bincount(cls, hit, minlength=len(names))[some] / np.bincount(cls, n, minlength=len(names))[some]).mean()

    gate(
        clip_case.gate, macro(hits, all_of_them, of), n=len(found),
        ci=lambda: bootstrap(macro, hits, all_of_them, of, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes(None, {"part": hits, "whole": all_of_them, "class": of}, ids), conventions=conventions | {"classes": len(names)},
    )  # fmt: skip
