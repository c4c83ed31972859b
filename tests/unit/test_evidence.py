"""What stands behind a gate: curves as other libraries make them, the images that were lost, and their way into a record."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.metrics import roc_auc_score, roc_curve

from pytest_clip.data.imageset import ImageSet
from pytest_clip.extract.thumbnails import thumbnail
from pytest_clip.extract.zeroshot import ZeroShot
from pytest_clip.gates.measurement import Measurement
from pytest_clip.metrics import ood, ood_curve
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.session import evidence

SCORES = arrays(np.float64, st.integers(1, 30), elements=st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]) | st.floats(0, 1))


@given(SCORES, SCORES)
def test_the_curve_is_that_of_sklearn(known, unknown):
    points = ood_curve.roc(known, unknown)
    labels, scores = [1] * known.size + [0] * unknown.size, np.concatenate([known, unknown])
    wanted = np.array(roc_curve(labels, scores, drop_intermediate=False)[:2]).T
    np.testing.assert_allclose(points, wanted, atol=1e-12)
    area = np.trapezoid([y for _, y in points], [x for x, _ in points])
    assert area == pytest.approx(roc_auc_score(labels, scores))


def test_a_long_curve_is_thinned_and_still_begins_and_ends():
    rng = np.random.default_rng(5)
    known, unknown = rng.normal(1, 1, 5000), rng.normal(0, 1, 5000)
    points = ood_curve.roc(known, unknown)
    assert len(points) <= 200
    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))
    area = np.trapezoid([y for _, y in points], [x for x, _ in points])
    assert area == pytest.approx(ood.auroc(known, unknown), abs=1e-3)


@given(SCORES, SCORES)
def test_both_points_lie_on_the_curve_at_their_values(known, unknown):
    points = {tuple(np.round(each, 9)) for each in ood_curve.roc(known, unknown)}
    found = ood_curve.fpr95(known, unknown)
    assert all(tuple(np.round(each.at, 9)) in points for each in found.values())
    assert found["id_positive"].value == ood.fpr95_id_positive(known, unknown) == found["id_positive"].at[0]
    assert found["id_positive"].at[1] >= 0.95
    assert found["ood_positive"].value == ood.fpr95_ood_positive(known, unknown) == pytest.approx(1 - found["ood_positive"].at[1])
    assert found["ood_positive"].at[0] <= 0.05 + 1e-12


@given(SCORES, SCORES)
def test_a_histogram_counts_every_image(known, unknown):
    edges, inside, outside = ood_curve.histogram(known, unknown)
    assert (sum(inside), sum(outside), len(edges)) == (known.size, unknown.size, 33)


@pytest.fixture
def photos(tmp_path):
    """Five pictures of three classes: the second is wide, the last is no picture."""
    files = tuple(tmp_path / f"{k}.png" for k in range(5))
    for k, file in enumerate(files[:4]):
        Image.new("RGB", (400, 100) if k == 1 else (50, 60), (60 * k, 0, 0)).save(file)
    files[4].write_text("no picture")
    labels = np.array([0, 0, 1, 1, 2])
    return ImageSet("clean", "d", "clean", tuple("abcde"), labels, ("cat", "dog", "<b>"), "f", files=files)


def asked(photos, cosines, tmp_path, most=3):
    answers = ZeroShot(np.array(cosines, dtype=float), photos.labels, 10.0, photos.ids, photos.classes, "h", 1)
    return evidence.Asked(answers, photos, tmp_path, most)


def top1(right, gate="accuracy/top1[clean]"):
    outcomes = Outcomes("mean", {"correct": right}, tuple("abcde"))
    return Measurement.measured(gate, right.mean(), n=5, model="m", data="d", per_image=outcomes)


COSINES = [[0.1, 0.5, 0], [0.9, 0.1, 0], [0.9, 0.1, 0], [0.3, 0.3, 0], [0.6, 0, 0.5]]
"""a is taken for dog, b is right, c is taken for cat and sure of it, d is a tie, e is taken for cat"""


def test_the_surest_mistakes_come_first_and_a_tie_is_none(photos, tmp_path):
    told = asked(photos, COSINES, tmp_path)
    confusion, mistakes = evidence.of_answers(top1(told.answers.right), told, None)
    assert [each["id"] for each in mistakes.told["images"]] == ["c", "a", "e"]
    first = mistakes.told["images"][0]
    assert (first["truth"], first["answer"]) == ("dog", "cat")
    assert first["confidence"] == pytest.approx(np.exp(9) / (np.exp(9) + np.exp(1) + 1))
    assert set(mistakes.pictures) == {each["picture"] for each in mistakes.told["images"]} - {None}
    assert mistakes.told["images"][2]["picture"] is None
    assert confusion.told["classes"] == [
        {"name": "dog", "n": 2, "wrong": 2, "taken_for": [["cat", 1]]},
        {"name": "<b>", "n": 1, "wrong": 1, "taken_for": [["cat", 1]]},
        {"name": "cat", "n": 2, "wrong": 1, "taken_for": [["dog", 1]]},
    ]


def test_only_accuracy_has_a_confusion_and_no_more_is_shown_than_asked(photos, tmp_path):
    told = asked(photos, COSINES, tmp_path, most=1)
    found = evidence.of_answers(top1(told.answers.right, "factors/accuracy[clean]"), told, {"ids": ["e", "gone", "c"]})
    assert [each.kind for each in found] == ["mistakes", "flips"]
    assert [each["id"] for each in found[1].told["images"]] == ["e"]
    assert found[1].told["images"][0]["before"] == "right"


def test_nothing_wrong_is_nothing_shown(photos, tmp_path):
    told = asked(photos, np.eye(3)[photos.labels], tmp_path)
    assert evidence.of_answers(top1(told.answers.right), told, None) == []


def test_a_thumbnail_is_small_and_the_same_picture_has_one_key(photos, tmp_path):
    key, content = thumbnail(photos, 1, tmp_path)
    picture = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (picture.format, picture.size) == ("JPEG", (160, 40))
    assert thumbnail(photos, 1, tmp_path) == (key, content)
    assert thumbnail(photos, 0, tmp_path)[0] != key


def test_the_record_has_one_order_and_each_picture_once():
    found = evidence.rows([evidence.Evidence("mistakes", {"images": []}, {"k": "x"})])
    rows = [{"gate": gate, "model": "m", "data": "d", "evidence": found} for gate in ("b", "a")] + [
        {"gate": "c", "model": "m", "data": "d"}
    ]
    told = evidence.record(rows)
    assert told == evidence.record(rows[::-1])
    assert [each["gate"] for each in told["figures"]] == ["a", "b"]
    assert told["pictures"] == {"k": "x"}
    assert evidence.record(rows[2:]) == {}
    json.dumps(told)
