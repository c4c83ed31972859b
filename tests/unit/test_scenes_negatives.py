"""Pairs of objects and their false captions: what each claims is read back from its words and held against the scene."""

import re

import pytest

from pytest_clip.data import load
from pytest_clip.data.scenes.captions import TEXTURE_WORDS
from pytest_clip.data.scenes.negatives import NEGATIVES
from pytest_clip.data.scenes.sets import scene_set
from pytest_clip.data.scenes.spec import Scene, contrast
from pytest_clip.data.scenes.vocabulary import CLASSES, COLOURS, TWO_COLOURED
from pytest_clip.gates.catalog import CATALOG

PAIRS = load("scenes").images("pairs")
SCENES = PAIRS.scenes or ()
TEXTURES = {words[-1]: name for name, words in TEXTURE_WORDS.items()}
FORM = re.compile(
    rf"a photo of an? (?P<colour>{'|'.join(COLOURS)})( (?P<texture>{'|'.join(TEXTURES)}))? (?P<cls>{'|'.join(CLASSES)})"
    rf" (?P<side>left|right) of an? (?P<colour_b>{'|'.join(COLOURS)})( (?P<texture_b>{'|'.join(TEXTURES)}))? (?P<cls_b>{'|'.join(CLASSES)})"
    rf" on a (?P<ground>.*)"
)
CHANGED = {
    "object_replace": {"cls"},
    "companion_replace": {"cls_b"},
    "colour_replace": {"colour"},
    "texture_replace": {"texture"},
    "background_replace": {"ground"},
    "relation_replace": {"side"},
    "object_swap": {"cls", "cls_b"},
    "attribute_swap": {"colour", "colour_b"},
    "relation_swap": {"cls", "cls_b", "colour", "colour_b", "texture", "texture_b"},
}
"""Which words of the true caption each kind may change."""


def read(caption: str) -> dict[str, str | None]:
    """What a caption claims."""
    found = FORM.fullmatch(caption.replace(" on an ", " on a "))
    assert found, caption
    return found.groupdict()


def words(caption: str) -> list[str]:
    return sorted(caption.split())


def true_of(scene: Scene, claim: dict[str, str | None]) -> bool:
    """Whether everything that the caption claims holds, in either order of mention."""
    (mate,) = scene.companions
    main = (scene.cls, scene.colour, scene.texture)
    other = (mate.cls, mate.colour, None)
    first, second = ((claim["cls" + k], claim["colour" + k], TEXTURES.get(claim["texture" + k] or "")) for k in ("", "_b"))
    ground = str(claim["ground"]).split()[0] == scene.background_colour
    if (first, second) == (main, other):
        return ground and claim["side"] == ("left" if mate.right > 0 else "right")
    if (first, second) == (other, main):
        return ground and claim["side"] == ("right" if mate.right > 0 else "left")
    return False


def test_the_kinds_are_those_of_the_catalog_and_of_this_file() -> None:
    assert set(CATALOG["retrieval/compositionality"].slices) == set(NEGATIVES) == set(PAIRS.foils) == set(CHANGED)


def test_pairs_show_two_things_that_a_caption_can_tell_apart() -> None:
    assert len(SCENES) >= 500
    for s in SCENES:
        (mate,) = s.companions
        assert mate.cls != s.cls
        assert (s.style, s.occluder, s.variant) == ("photo", "none", "standard")
        assert s.texture not in TWO_COLOURED
        assert s.background != "outdoor"
        assert len({s.colour, mate.colour, s.background_colour}) == 3
        assert {s.colour2, s.accent}.isdisjoint({s.colour, mate.colour, s.background_colour})
        assert min(contrast(mate.colour, s.colour), contrast(mate.colour, s.background_colour)) >= 0.3
    sides = [s.companions[0].right > 0 for s in SCENES]
    assert 0.4 < sum(sides) / len(sides) < 0.6


def test_true_captions_are_true() -> None:
    assert PAIRS.captions is not None
    assert all(true_of(s, read(c)) for s, c in zip(SCENES, PAIRS.captions, strict=True))


@pytest.mark.parametrize("kind", CHANGED)
def test_a_negative_is_false_and_changes_only_what_it_says(kind: str) -> None:
    assert PAIRS.captions is not None
    assert len(PAIRS.foils[kind]) == len(SCENES)
    for s, true, false in zip(SCENES, PAIRS.captions, PAIRS.foils[kind], strict=True):
        one, other = read(true), read(false)
        assert not true_of(s, other), false
        assert {k for k in one if one[k] != other[k]} <= CHANGED[kind]
        assert not {"not", "no", "without", "isn't"} & set(false.split())
        assert (words(true) == words(false)) == kind.endswith("swap")


def test_what_replaces_is_nowhere_in_the_scene() -> None:
    for kind, place in (("object_replace", "cls"), ("companion_replace", "cls_b")):
        for s, false in zip(SCENES, PAIRS.foils[kind], strict=True):
            assert read(false)[place] not in (s.cls, s.companions[0].cls)
    for kind in ("colour_replace", "background_replace"):
        for s, false in zip(SCENES, PAIRS.foils[kind], strict=True):
            new = str(read(false)["colour" if kind == "colour_replace" else "ground"]).split()[0]
            assert new not in (s.colour, s.colour2, s.accent, s.background_colour, s.companions[0].colour)


def test_the_sides_of_a_relation_swap_keep_all_their_words() -> None:
    for s, false in zip(SCENES[:50], PAIRS.foils["relation_swap"], strict=False):
        claim, mate = read(false), s.companions[0]
        assert (claim["cls"], claim["colour"], claim["texture"]) == (mate.cls, mate.colour, None)
        assert (claim["cls_b"], claim["colour_b"], TEXTURES[str(claim["texture_b"])]) == (s.cls, s.colour, s.texture)
        assert claim["side"] == ("left" if mate.right > 0 else "right")


def test_replacements_vary_and_come_back_the_same_under_a_limit() -> None:
    assert {read(f)["cls"] for f in PAIRS.foils["object_replace"]} == set(CLASSES)
    assert {read(f)["colour"] for f in PAIRS.foils["colour_replace"]} == set(COLOURS)
    part = load("scenes", limit=38).images("pairs")
    assert {k: v[:38] for k, v in PAIRS.foils.items()} == part.foils
    assert scene_set("pairs").scenes[:38] == part.scenes
    assert load("scenes", limit=19).images("clean").foils == {}


def test_captions_fit_the_bundled_models() -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from pytest_clip.train.pool import token_ids
    from pytest_clip.train.recipe import CONTEXT

    tokens = SimpleTokenizer(context_length=77)([c for kind in PAIRS.foils.values() for c in kind]).numpy()
    assert (tokens != 0).sum(1).max() <= CONTEXT
    assert set(tokens.ravel().tolist()) <= set(token_ids().tolist())
