"""The zero-shot classifier against open_clip's, and the answers made from it."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import tiny_models

from pytest_clip.data.scenes.vocabulary import CLASSES, TEMPLATES
from pytest_clip.extract.zeroshot import ZeroShot, classifier, prompts, prompts_hash
from pytest_clip.models import openclip, spec
from pytest_clip.models.openclip_model import OpenClipModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OpenClipModel:
    place = tiny_models.folder(tmp_path_factory.mktemp("model") / "tiny")
    return openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=place)


def test_prompts_fill_every_template_with_every_class() -> None:
    assert prompts(["dog", "guinea pig"], ["a {c}", "the {c} and the {c}"]) == [
        ["a dog", "the dog and the dog"],
        ["a guinea pig", "the guinea pig and the guinea pig"],
    ]


def test_the_hash_of_prompts_follows_words_and_order() -> None:
    base = prompts_hash(["dog", "cat"], ["a {c}"])
    assert base == prompts_hash(["dog", "cat"], ["a {c}"])
    others = [(["cat", "dog"], ["a {c}"]), (["dog", "cat"], ["the {c}"]), (["dog"], ["a {c}"]), (["dog", "cat"], ["a {c}", "b {c}"])]
    assert len({base, *(prompts_hash(*o) for o in others)}) == 5


@pytest.mark.parametrize("templates", [TEMPLATES, TEMPLATES[:1]])
def test_the_classifier_is_that_of_open_clip(model: OpenClipModel, templates: tuple[str, ...]) -> None:
    functions = [lambda c, t=t: t.replace("{c}", c) for t in templates]
    expected = open_clip.build_zero_shot_classifier(
        model.module, model.tokenizer, CLASSES, functions, num_classes_per_batch=7, device="cpu"
    )
    found = classifier(lambda texts: model.encode_text(texts).numpy(), CLASSES, templates)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected.T.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-12)


def answers(cosines: list[list[float]], labels: list[int], *, scale: float = 50.0) -> ZeroShot:
    n = len(labels)
    return ZeroShot(np.array(cosines), np.array(labels), scale, tuple(map(str, range(n))), ("a", "b", "c"), "abc", 8)


def test_right_wants_the_label_strictly_highest() -> None:
    found = answers([[0.3, 0.2, 0.1], [0.3, 0.2, 0.1], [0.2, 0.2, 0.1], [0.2, 0.2, 0.2]], [0, 1, 0, 2])
    assert found.right.tolist() == [True, False, False, False]


def test_logits_are_scaled_cosines() -> None:
    found = answers([[0.5, -0.25, 0.0]], [0], scale=100)
    assert found.logits.tolist() == [[50.0, -25.0, 0.0]]


def test_conventions_say_what_a_number_depends_on() -> None:
    assert answers([[0.5, -0.25, 0.0]], [0], scale=100).conventions == {"logit_scale": 100, "prompts": "abc", "templates": 8, "classes": 3}


def test_extraction_gives_the_answers_of_embeddings_and_classifier(model: OpenClipModel, tmp_path: Path) -> None:
    from pytest_clip.data import load
    from pytest_clip.extract.cores import cores
    from pytest_clip.extract.extraction import Extraction

    data, extraction = load("scenes", limit=24), Extraction(cache=tmp_path, cores=cores(1))
    clean, pose = (extraction.zero_shot(model, data, n) for n in ("clean", "pose"))
    heads = classifier(lambda texts: model.encode_text(texts).numpy(), data.classes, data.templates)
    expected = extraction.embeddings(model, data, "clean").astype(np.float64) @ heads.T
    np.testing.assert_allclose(clean.cosines, expected, atol=1e-12)
    assert (np.abs(clean.cosines) <= 1).all()
    assert clean.labels.tolist() == [i % 19 for i in range(24)]
    assert (clean.scale, clean.templates, clean.classes) == (model.logit_scale, len(data.templates), data.classes)
    assert pose.pairs is not None
    assert (clean.labels[pose.pairs] == pose.labels).all()
    part = extraction.zero_shot(model, data, "pose", first=3)
    np.testing.assert_allclose(part.cosines, pose.cosines[:3], atol=1e-12)
    assert part.pairs is not None
    assert part.pairs.tolist() == pose.pairs[:3].tolist()
    assert part.ids == pose.ids[:3]
