"""A bundled model of class scores: its file, its forward pass, the way from the zero-shot classifier, and what it is asked in vain."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data.scenes.vocabulary import CLASSES, TEMPLATES
from pytest_clip.models import bundled, derived, headed, openclip, reader
from pytest_clip.models.protocol import is_classifier
from pytest_clip.models.spec import parse

NAME, START = "scenes-rn-head", "scenes-rn"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def clip(cache):
    return openclip.load(parse(START), device="cpu", cache_dir=cache)


def pictures(n=5):
    g = np.random.default_rng(0)
    small = g.integers(0, 256, (n, 7, 9, 3), np.uint8)
    return [Image.fromarray(each).resize((150, 110)) for each in small]


def test_it_scores_the_classes_of_scenes_and_has_no_words(cache):
    model = reader.load(parse(NAME), device="cpu", cache_dir=cache)
    assert is_classifier(model)
    assert model.names == tuple(CLASSES)
    assert model.class_scores(torch.zeros(2, 3, 64, 64)).shape == (2, 19)
    assert not hasattr(model, "encode_text")


def test_it_sees_pictures_as_the_model_does_that_it_was_tuned_from(cache, clip):
    model = reader.load(parse(NAME), device="cpu", cache_dir=cache)
    for picture in pictures():
        torch.testing.assert_close(model.preprocess(picture), clip.preprocess(picture), rtol=0, atol=1e-6)


def test_the_way_begins_at_the_zero_shot_classifier_and_ends_at_the_head(cache, clip):
    """At 0 the scores are the logits of the dual encoder, to what fp16 keeps of the head; at 1 those of the head."""
    images = torch.stack([clip.preprocess(each) for each in pictures()])
    heads = torch.stack([clip.encode_text([t.replace("{c}", c) for c in CLASSES]) for t in TEMPLATES]).mean(0)
    zero_shot = clip.logit_scale * clip.encode_image(images) @ torch.nn.functional.normalize(heads, dim=-1).T
    start, middle, end = (
        reader.load(parse(f"wise:{START}::{NAME}::{alpha}"), device="cpu", cache_dir=cache) for alpha in ("0", "0.5", "1")
    )
    head = reader.load(parse(NAME), device="cpu", cache_dir=cache)
    torch.testing.assert_close(start.class_scores(images), zero_shot, rtol=0, atol=0.05)
    assert torch.equal(end.class_scores(images), head.class_scores(images))
    assert end.fingerprint == head.fingerprint
    assert len({start.fingerprint, middle.fingerprint, end.fingerprint}) == 3
    assert middle.facts["wise"] == {"base": clip.fingerprint, "base_text": START, "tuned_text": NAME, "alpha": 0.5}


def test_the_forward_pass_is_that_of_its_parts(cache, clip):
    state, start, config = headed.read(NAME)
    model = reader.load(parse(NAME), device="cpu", cache_dir=cache)
    tower = {k.removeprefix("visual."): v.float() if v.is_floating_point() else v for k, v in state.items() if k.startswith("visual.")}
    clip.module.visual.load_state_dict(tower)  # the last test of this module that uses `clip`
    images = torch.stack([clip.preprocess(each) for each in pictures()])
    expected = clip.encode_image(images) @ state[headed.HEAD].float().T
    torch.testing.assert_close(model.class_scores(images), expected, rtol=0, atol=1e-4)
    assert start[headed.HEAD].shape == (19, 128)
    assert config["classes"] == list(CLASSES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"wise:scenes-rn-ft::{NAME}::0.5", f"{NAME} was fine-tuned from {START}; write wise:{START}::{NAME}::0.5"),
        (f"{NAME},random", f"{NAME} scores classes and has no folder that open_clip loads; write {NAME} alone"),
        (f"wise:{NAME}::{START}::0.5", "scores classes and has no folder that open_clip loads"),
    ],
)
def test_what_it_is_asked_in_vain(cache, text, said):
    with pytest.raises(ClipError, match=said.replace("(", r"\(")):
        reader.load(parse(text), device="cpu", cache_dir=cache)


def test_a_crop_that_is_not_the_shorter_sides_is_refused():
    with pytest.raises(ClipError, match='not with resize_mode "squash"'):
        headed.sight_of({"resize_mode": "squash"})


def test_its_factors_are_those_of_its_training():
    found = derived.of_bundled(NAME)
    assert (found.loss, found.finetuned_on, found.family) == ("classification", "scenes:typical", "resnet")
    assert bundled.is_head(NAME)
    assert not bundled.is_head(START)
    assert json.dumps(bundled.record(NAME)["metrics"])


def test_what_ships_is_small_and_was_made_by_the_recipe_of_its_name():
    """Records of older models lack keys that came later; a key that both have is the same."""
    from dataclasses import asdict

    from pytest_clip.train.recipe import RECIPES

    sizes = {name: bundled.path(name).stat().st_size for name in bundled.names()}
    assert max(sizes.values()) <= 4 << 20
    assert sum(sizes.values()) <= 30 << 20
    for name in bundled.names():
        told, recipe = bundled.record(name)["recipe"], json.loads(json.dumps(asdict(RECIPES[name])))
        assert told == {key: recipe[key] for key in told}


def test_the_family_differs_from_its_reference_in_one_factor_each():
    from dataclasses import asdict

    from pytest_clip.study.matched import different

    base = asdict(derived.of_bundled("scenes-rn-base"))
    for name, factor in {
        "scenes-rn-correlated": "training_set",
        "scenes-rn-small": "training_set_size",
        "scenes-rn-siglip": "loss",
    }.items():
        if name in bundled.names():
            assert different(base, asdict(derived.of_bundled(name))) == [factor]
    students = [asdict(derived.of_bundled(name)) for name in ("scenes-vit", "scenes-convnext") if name in bundled.names()]
    for one, other in pairwise(students):
        assert different(one, other) == ["family"]
