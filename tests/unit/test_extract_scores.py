"""Class scores as zero-shot answers: names that mean the same, fewer and merged classes, what has no cosines, and the store."""

from pathlib import Path

import numpy as np
import pytest
import tiny_photo
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pytest_clip import ModelError
from pytest_clip.data import load
from pytest_clip.data.imageset import ImageSet
from pytest_clip.extract.answers import answered
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.scores import columns, plain, scored
from pytest_clip.metrics.calibration import softmax
from pytest_clip.models.protocol import NeedsEmbeddingsError
from pytest_clip.mutants import build


def at(names, classes):
    return columns(names, classes, model="M", data="D").tolist()


def test_capitals_underscores_and_hyphens_mean_nothing():
    assert at(["great white shark", "Tiger-Cat", "iPod"], ["IPOD", "great_white  shark", "tiger cat"]) == [2, 0, 1]


def test_of_classes_with_one_name_the_second_is_the_second():
    assert at(["missile", "bow", "missile"], ["missile", "missile", "bow"]) == [0, 2, 1]
    assert at(["missile", "bow"], ["missile", "missile"]) == [0, 0]


@given(st.lists(st.sampled_from(["a", "A b", "a_b", "c-d", "e"]), min_size=1, max_size=12))
def test_a_list_is_its_own_order(names):
    assert at(names, names) == list(range(len(names)))


@given(st.text(max_size=20))
def test_a_plain_name_is_plain(name):
    assert plain(plain(name)) == plain(name) == plain(name.upper().lower().replace(" ", "_")) or not name.isascii()


def test_strangers_are_named_with_both_sizes_and_the_nearest():
    with pytest.raises(ModelError) as caught:
        at(["tabby cat", "tiger cat", "crate", "mug"], ["tabbycat", "crates", "sphere", "torus", "mug"])
    assert str(caught.value).startswith(
        "M scores 4 classes, and 4 of the 5 classes of D are none of them: 'tabbycat' (nearest: 'tabby cat'), "
        "'crates' (nearest: 'crate'), 'sphere' (nothing like it) and 1 more. Measure it on data with its classes"
    ), caught.value


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Five of the twelve classes, spelled otherwise."""
    root = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    for name in ("Red", "GREEN", "blue", "brown", "white"):
        (root / name).mkdir()
        for k in range(4):
            Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(root / name / f"{k}.png")
    return load(str(root))


@pytest.fixture
def extraction(tmp_path):
    return Extraction(tmp_path)


def logits_of(model, data):
    images = data.images("clean")
    batch = torch.stack([model.preprocess(Image.open(file)) for file in images.files])
    return model.class_scores(batch).numpy()


def test_answers_are_the_logits_of_the_classes_of_the_data(data, extraction):
    model = tiny_photo.classifier()
    answers = extraction.zero_shot(model, data, "clean")
    mine = [tiny_photo.NAMES.index(name.lower()) for name in data.classes]
    logits = logits_of(model, data)[:, mine].astype(np.float64)
    assert np.abs(answers.logits - logits).max() < 1e-5
    assert np.abs(answers.probabilities - softmax(logits)).max() < 1e-5
    assert (answers.right == (logits.argmax(1) == data.images("clean").labels)).all()
    assert answers.classes == data.classes
    told = "5 of 12 classes of the model: softmax over these alone"
    assert answers.conventions == {"scores": "logits of the model", "classes": 5, "scored": told}


def test_scores_are_stored_like_all_answers(data, extraction, tmp_path):
    model = tiny_photo.classifier()
    first = extraction.zero_shot(model, data, "clean")
    keys = [file.read_text() for file in tmp_path.rglob("*.json")]
    assert sum('"kind": "scores"' in key for key in keys) == 1
    model.class_scores = lambda images: pytest.fail("it is stored")
    again = Extraction(tmp_path).zero_shot(model, data, "clean")
    assert np.array_equal(again.logits, first.logits)


def test_what_needs_texts_or_cosines_says_so(data, extraction):
    model = tiny_photo.classifier()
    for asked in (
        lambda: extraction.embeddings(model, data, "clean"),
        lambda: extraction.texts(model, ["red"]),
        lambda: extraction.classifier(model, data),
        lambda: extraction.zero_shot(model, data, "clean", templates=("{c}",)),
        lambda: extraction.ask(model, ["red"]),
        lambda: extraction.zero_shot(model, data, "clean").mcm(1.0),
    ):
        with pytest.raises(NeedsEmbeddingsError, match="tiny scores classes: it has no texts and no cosines"):
            asked()


def test_asked_for_images_it_gives_rows_of_length_one(data, extraction):
    model = tiny_photo.classifier()
    rows = extraction.ask(model, extraction.batch(model, data, "clean", first=7))
    logits = logits_of(model, data)[:7]
    assert np.abs(rows - logits / np.linalg.norm(logits, axis=1, keepdims=True)).max() < 1e-5


class Broken(type(tiny_photo.classifier())):
    answer = None

    def class_scores(self, images):
        return self.answer(super().class_scores(images))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda rows: rows[:, :5], "returned rows of 5 scores; .*: it has 12 names"),
        (lambda rows: rows * float("nan"), "5 of 5 rows that hold NaN"),
        (lambda rows: rows.double(), "returned float64"),
    ],
)
def test_a_classifier_that_answers_otherwise_is_one_sentence(data, extraction, answer, said):
    model = tiny_photo.classifier()
    model.__class__ = Broken
    model.answer = answer
    with pytest.raises(ModelError, match=said):
        extraction.zero_shot(model, data, "clean")


def test_it_has_no_damaged_copies():
    excuse = build.attempt("noise_10", tiny_photo.classifier(), data=(), extraction=lambda: None, other=lambda: None)
    assert excuse.kind == "not_applicable"
    assert excuse.reason == "tiny scores classes, and damages are made to models that embed images and texts"


def grouped(members, merge, n=3):
    labels = np.zeros(n, dtype=np.int64)
    return ImageSet(
        "set", "D", "shift", tuple(map(str, range(n))), labels, tuple(f"g{k}" for k in range(len(members))), "f", files=(Path(),) * n,
        members=members, merge=merge,
    )  # fmt: skip


class Colours:
    name, classes = "D", tiny_photo.NAMES


def test_merged_classes_are_the_best_or_the_mean_of_their_members():
    logits = np.random.default_rng(0).normal(-5, 3, (3, 12)).astype(np.float32)
    model, members = tiny_photo.classifier(), ((3, 5), (), (0,))
    best = scored(model, Colours, grouped(members, "max"), logits)
    assert np.allclose(best.logits[:, 0], logits[:, [3, 5]].max(1))
    assert np.allclose(best.logits[:, 2], logits[:, 0])
    assert (best.logits[:, 1] < logits.min()).all(), "a class that stands for none of the model's is never answered"
    mean = scored(model, Colours, grouped(((3, 5), (0,)), "mean"), logits)
    p = softmax(logits.astype(np.float64))
    assert np.allclose(mean.probabilities, np.stack([p[:, [3, 5]].mean(1), p[:, 0]], axis=1))


def test_cosines_keep_the_lowest_answer_that_they_had():
    model = tiny_photo.classifier()
    logits = np.random.default_rng(0).uniform(-1, 1, (3, 12)).astype(np.float32)
    whole = scored(model, Colours, grouped(tuple((k,) for k in range(12)), "max"), logits)
    assert (answered(whole, grouped(((3, 5), ()), "max")).cosines[:, 1] == -1).all()
