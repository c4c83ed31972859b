"""Second captions are true, in other words than the first, and nearer to nothing than the false ones in what they share."""

import re

import pytest

from pytest_clip.data import load
from pytest_clip.data.scenes.captions import TEXTURE_WORDS
from pytest_clip.data.scenes.paraphrases import MIRRORED, TRIPLES
from pytest_clip.data.scenes.vocabulary import CLASSES, COLOURS
from pytest_clip.gates.catalog import CATALOG

PAIRS = load("scenes").images("pairs")
SCENES = PAIRS.scenes or ()
WORDS = {word: name for name, words in TEXTURE_WORDS.items() for word in words if word}
THING = rf"({'|'.join(COLOURS)})(?: ({'|'.join(WORDS)}))? ({'|'.join(CLASSES)})"
FORM = re.compile(rf"(?:a (?:picture|view) of|an image of|there is|this is) an? {THING} (left|right) of an? {THING} in front of (.*)")


def test_the_kinds_are_those_of_the_catalog() -> None:
    assert tuple(TRIPLES) == CATALOG["retrieval/paraphrase"].slices == tuple(PAIRS.triples)


@pytest.mark.parametrize("kind", TRIPLES)
def test_the_second_caption_is_true_and_the_third_is_not(kind: str) -> None:
    assert PAIRS.captions is not None
    for s, first, (second, false) in zip(SCENES, PAIRS.captions, PAIRS.triples[kind], strict=True):
        (mate,) = s.companions
        found = FORM.fullmatch(second)
        assert found, second
        things = [(found[1], found[2], found[3]), (found[5], found[6], found[7])]
        main, other = things[::-1] if kind == MIRRORED else things
        assert main[::2] == (s.colour, s.cls)
        assert WORDS.get(main[1] or "", "plain") == s.texture
        assert other == (mate.colour, None, mate.cls)
        left = mate.right > 0  # the main object is left of its companion
        assert found[4] == ("left" if left != (kind == MIRRORED) else "right")
        assert s.background_colour in found[8].split()
        assert len({first, second, false}) == 3
        assert false in {PAIRS.foils[TRIPLES[kind]][k] for k in range(len(SCENES))}


def test_the_false_caption_shares_more_words_with_the_first_than_the_second_does() -> None:
    assert PAIRS.captions is not None
    closer = [
        len({*first.split()} & {*false.split()}) >= len({*first.split()} & {*second.split()})
        for kind in TRIPLES
        for first, (second, false) in zip(PAIRS.captions, PAIRS.triples[kind], strict=True)
    ]
    assert sum(closer) / len(closer) > 0.99


def test_they_fit_the_bundled_models() -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from pytest_clip.train.pool import token_ids
    from pytest_clip.train.recipe import CONTEXT

    tokens = SimpleTokenizer(context_length=77)([second for rows in PAIRS.triples.values() for second, _ in rows]).numpy()
    assert (tokens != 0).sum(1).max() <= CONTEXT
    assert set(tokens.ravel().tolist()) <= set(token_ids().tolist())


def test_a_limit_keeps_what_is_said_of_each() -> None:
    part = load("scenes", limit=38).images("pairs")
    assert {kind: rows[:38] for kind, rows in PAIRS.triples.items()} == part.triples
    assert (PAIRS.questions or ())[:38] == part.questions
    assert (PAIRS.negated or ())[:38] == part.negated
    assert {each.kind for each in part.questions or ()} == {"positive", "negative", "hybrid"}
    assert load("scenes", limit=19).images("clean").questions is None
