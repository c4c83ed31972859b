"""Captions that deny: what each claims is read back from its words and held against the scene."""

import re
from collections import Counter

import numpy as np
import pytest

from pytest_clip.data.scenes.negations import (
    DENIALS,
    FALSE,
    HYBRIDS,
    TRUE,
    TYPES,
    false_caption,
    lexicon,
    negated_caption,
    question,
)
from pytest_clip.data.scenes.sets import scene_set
from pytest_clip.data.scenes.spec import Scene
from pytest_clip.data.scenes.vocabulary import CLASSES, COLOURS

SETS = ("clean", "pairs", "multiple_objects", "style")
DENIED = re.compile(rf"(?:\bno|without an?|without any|not an?|not any) ({'|'.join(CLASSES)})\b")
NAMED = re.compile(rf"\b({'|'.join(CLASSES)})\b")
HUED = re.compile(rf"\b({'|'.join(COLOURS)}) (?:and (?:{'|'.join(COLOURS)}) )?({'|'.join(CLASSES)})\b")


def scenes(names: tuple[str, ...] = SETS) -> list[Scene]:
    return [s for name in names for s in scene_set(name).scenes[:190]]


def claims(caption: str) -> tuple[set[str], set[str]]:
    """Classes that a caption affirms and those that it denies."""
    denied = set(DENIED.findall(caption))
    return set(NAMED.findall(DENIED.sub("", caption))), denied


def true_of(scene: Scene, caption: str) -> bool:
    there = {scene.cls, *(mate.cls for mate in scene.companions)}
    affirmed, denied = claims(caption)
    return affirmed <= there and not denied & there


@pytest.mark.parametrize("kind", TYPES)
def test_true_captions_are_true_and_false_ones_false(kind: str) -> None:
    g = np.random.default_rng(4)
    for s in scenes():
        for caption, truth in ((TRUE[kind](s, g), True), (FALSE[kind](s, g), False)):
            affirmed, denied = claims(caption)
            assert true_of(s, caption) == truth, (s.cls, s.companions, caption)
            assert (bool(affirmed), bool(denied)) == (kind != "negative", kind != "positive"), caption
            assert len(denied) <= 1


def test_colours_told_of_what_is_there_are_its_own() -> None:
    g = np.random.default_rng(5)
    for s in scene_set("pairs").scenes[:300]:
        own = {s.cls: s.colour} | {mate.cls: mate.colour for mate in s.companions}
        for caption in (TRUE["positive"](s, g), TRUE["hybrid"](s, g)):
            assert all(own[cls] == colour for colour, cls in HUED.findall(caption)), caption


def test_every_wording_and_every_class_comes_up() -> None:
    g = np.random.default_rng(6)
    told = [TRUE[kind](s, g) for s in scenes() for kind in ("negative", "hybrid")]
    assert {c for t in told for c in claims(t)[1]} == set(CLASSES)
    patterns = [re.sub(r"\\\{[a-z]\\\}", ".*", re.escape(re.sub(r"an? \{", "{", w))).replace(r"\ ", ".* ?") for w in (*DENIALS, *HYBRIDS)]
    assert all(any(re.fullmatch(p, t) for t in told) for p in patterns), patterns
    assert not [t for t in told if re.search(r"\ba [aeiou]|\ban [^aeiou]|[{}]|  ", t)]


@pytest.mark.parametrize("kind", TYPES)
def test_a_question_has_one_true_caption_and_a_false_one_of_each_type(kind: str) -> None:
    places: Counter[int] = Counter()
    for i, s in enumerate(scene_set("pairs").scenes[:300]):
        asked = question(s, np.random.default_rng(i), kind)
        assert [true_of(s, c) for c in asked.captions] == [k == asked.right for k in range(4)], asked
        assert asked.types[asked.right] == kind
        assert sorted(t for k, t in enumerate(asked.types) if k != asked.right) == sorted(TYPES)
        assert len(set(asked.captions)) == 4
        places[asked.right] += 1
    assert min(places.values()) >= 50


def test_captions_derive_from_their_generator_alone() -> None:
    some = scenes()[:60]
    first, again = ([negated_caption(s, g) for s in some] for g in (np.random.default_rng(2), np.random.default_rng(2)))
    assert first == again
    assert first != [negated_caption(s, np.random.default_rng(9)) for s in some]


def test_tokens_fit_a_table_grown_by_the_lexicon_and_the_context() -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from pytest_clip.train.pool import token_ids
    from pytest_clip.train.recipe import CONTEXT

    g = np.random.default_rng(7)
    told = [make(s, g) for s in scenes(("clean", "pairs")) for make in (*TRUE.values(), *FALSE.values(), negated_caption, false_caption)]
    tokens = SimpleTokenizer(context_length=77)(told).numpy()
    assert (tokens != 0).sum(1).max() <= CONTEXT
    plain, grown = set(token_ids().tolist()), set(token_ids(lexicon()).tolist())
    assert set(tokens.ravel().tolist()) <= grown
    new = SimpleTokenizer(context_length=3)(["no", "not", "without", "but", "any"]).numpy()[:, 1]
    assert grown - plain == set(new.tolist())
    assert len(plain) == 154  # the table of the bundled models, whose rows are stored in this order
