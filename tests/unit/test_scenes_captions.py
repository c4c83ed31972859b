"""Captions say what the picture shows, in words that the bundled token table holds."""

import re
from dataclasses import replace

import numpy as np
import pytest

from pytest_clip.data.scenes.camera import pose, view_rotation
from pytest_clip.data.scenes.captions import (
    ATTRIBUTE_TEMPLATES,
    DRAWN,
    STYLE_TEMPLATES,
    TEXTURE_WORDS,
    article,
    attribute_prompts,
    caption,
    fill,
    full_caption,
    noun_phrase,
    relation,
    surroundings,
)
from pytest_clip.data.scenes.sets import scene_set
from pytest_clip.data.scenes.spec import Companion, Scene, sample, with_companion
from pytest_clip.data.scenes.vocabulary import CLASSES, COLOURS, STYLES, TEMPLATES, TEXTURES, TWO_COLOURED


@pytest.fixture
def scene() -> Scene:
    """A photograph of a red and white striped mug on grass."""
    s = sample(np.random.default_rng(1), "mug", companion_share=0.0)
    return replace(
        s, style="photo", colour="red", colour2="white", texture="striped", background="outdoor", background_colour="blue", occluder="none"
    )


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Scene, str]]:
    """Three hundred scenes of the training distribution with a caption each."""
    g = np.random.default_rng(8)
    scenes = [sample(g, CLASSES[i % len(CLASSES)], companion_share=0.3) for i in range(300)]
    return [(s, caption(s, g)) for s in scenes]


@pytest.mark.parametrize(
    ("words", "out"),
    [("mug", "a mug"), ("umbrella", "an umbrella"), ("orange mug", "an orange mug"), ("red airplane", "a red airplane")],
)
def test_article(words: str, out: str) -> None:
    assert article(words) == out


@pytest.mark.parametrize(
    ("template", "words", "out"),
    [
        ("a photo of a {c}", "dog", "a photo of a dog"),
        ("a photo of a {c}", "umbrella", "a photo of an umbrella"),
        ("a {c}", "airplane", "an airplane"),
        ("a photo of the {c}", "airplane", "a photo of the airplane"),
        ("the {c} on a {c}", "airplane", "the airplane on an airplane"),
    ],
)
def test_templates_fill(template: str, words: str, out: str) -> None:
    assert fill(template, words) == out


def test_every_template_has_one_place_to_fill() -> None:
    for t in (*TEMPLATES, *ATTRIBUTE_TEMPLATES, *(t for ts in STYLE_TEMPLATES.values() for t in ts)):
        assert t.count("{c}") == 1
        assert "{" not in fill(t, "mug")
    assert set(STYLE_TEMPLATES) == set(STYLES)
    assert set(TEXTURE_WORDS) == set(TEXTURES)


@pytest.mark.parametrize(
    ("changes", "out"),
    [
        ({}, "red and white striped mug"),
        ({"texture": "dotted"}, "red striped mug"),  # the texture word is the caller's; dots are one colour on another
        ({"style": "sketch"}, "mug"),
        ({"style": "silhouette"}, "mug"),
        ({"style": "grayscale"}, "striped mug"),
        ({"style": "cartoon"}, "red and white striped mug"),
    ],
)
def test_noun_phrase_names_what_the_style_shows(scene: Scene, changes: dict[str, str], out: str) -> None:
    assert noun_phrase(replace(scene, **changes), colour=True, texture="striped") == out  # type: ignore[arg-type]


def test_noun_phrase_without_colour_or_texture(scene: Scene) -> None:
    assert noun_phrase(scene, colour=False, texture="") == "mug"
    assert noun_phrase(scene, colour=True, texture="") == "red mug"


def test_full_caption_names_everything(scene: Scene) -> None:
    assert full_caption(scene) == "a photo of a red and white striped mug on the grass"
    mate = Companion("dog", 1, "blue", 1.2, 0.0, 0.0, 0.5, 0.0)
    assert full_caption(replace(scene, companions=(mate,))) == "a photo of a red and white striped mug left of a blue dog on the grass"
    assert full_caption(replace(scene, occluder="bar", style="sketch")) == "a sketch of a mug partly hidden"
    assert surroundings(replace(scene, background="striped wall", style="grayscale"), wording=0) == "a striped wall"


def test_drawn_styles_name_no_colour_texture_or_place(drawn: list[tuple[Scene, str]]) -> None:
    hues = set(COLOURS)
    for s, text in drawn:
        words = set(re.findall(r"\w+", text.replace("black and white photo", "")))
        if s.style in DRAWN:
            assert not words & (hues | {"striped", "checkered", "wooden", "grass", "lawn", "background"}), text
        if s.style == "grayscale":
            assert not words & hues, text


def test_captions_name_their_object_and_only_colours_of_the_scene(drawn: list[tuple[Scene, str]]) -> None:
    for s, text in drawn:
        words = set(re.findall(r"\w+", text.replace("black and white photo", "")))
        assert s.cls in words, text
        shown = {s.colour, s.background_colour, *(c.colour for c in s.companions)} | ({s.colour2} if s.texture in TWO_COLOURED else set())
        assert words & set(COLOURS) <= shown, text
        assert ("hidden" in words or "behind" in words) <= (s.occluder != "none"), text


def test_captions_use_an_before_vowels_and_a_before_consonants(drawn: list[tuple[Scene, str]]) -> None:
    for s, text in drawn:
        for word, following in re.findall(r"\b(an?) (\w)", text):
            assert (word == "an") == (following in "aeiou"), (text, s)


def test_surroundings_use_an_before_orange(scene: Scene) -> None:
    assert surroundings(replace(scene, background="plain", background_colour="orange"), wording=0) == "an orange background"


def screen_x(s: Scene) -> tuple[float, float]:
    """Horizontal place on the screen of the main object and of its companion."""
    (mate,) = s.companions
    centre = pose(s)[1]
    other = centre + view_rotation(s) @ np.array([mate.right, mate.up, mate.near])
    return float(centre[0] / -centre[2]), float(other[0] / -other[2])


def test_left_and_right_are_those_of_the_screen() -> None:
    g = np.random.default_rng(3)
    scenes = [with_companion(g, sample(g, CLASSES[i % 19], companion_share=0.0)) for i in range(300)]
    scenes += [s for s in scene_set("clean").scenes if s.companions]
    assert len(scenes) > 400
    for s in scenes:
        main, other = screen_x(s)
        assert relation(s).startswith("left of" if main < other else "right of"), s


def test_a_scene_of_many_or_of_one_has_no_relation(scene: Scene) -> None:
    assert relation(scene) == ""
    assert relation(scene_set("multiple_objects").scenes[0]) == ""


def test_the_token_table_holds_every_word_of_captions_and_prompts(drawn: list[tuple[Scene, str]]) -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from pytest_clip.train.loss import TEXTURE_NAMES, class_prompts
    from pytest_clip.train.pool import token_ids

    texts = [t for _, t in drawn] + [full_caption(s) for s, _ in drawn]
    for group in (*class_prompts(), *attribute_prompts(list(COLOURS)), *attribute_prompts(TEXTURE_NAMES)):
        texts += group
    tokens = SimpleTokenizer(context_length=77)(texts).numpy()
    missing = set(np.unique(tokens)) - set(token_ids())
    assert not missing, [t for t, row in zip(texts, tokens, strict=True) if missing & set(row)][:5]


def test_no_caption_is_longer_than_the_models_context(drawn: list[tuple[Scene, str]]) -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from pytest_clip.train.recipe import CONTEXT

    tokens = SimpleTokenizer(context_length=77)([full_caption(s) for s, _ in drawn] + [t for _, t in drawn]).numpy()
    assert (tokens != 0).sum(1).max() <= CONTEXT


def test_captions_derive_from_their_generator_alone(drawn: list[tuple[Scene, str]]) -> None:
    scenes = [s for s, _ in drawn]
    first, again = ([caption(s, g) for s in scenes] for g in (np.random.default_rng(2), np.random.default_rng(2)))
    assert first == again
    assert first != [caption(s, np.random.default_rng(9)) for s in scenes]
