"""Triples of captions: two true ones in other words and a false one, for scenes of two things; the words are those of `captions` only.

After SugarCrepe++ (Dumpala et al. 2024, arXiv 2406.11171): the false caption shares more words with the first one than the second does, so
that to count words is no way to tell. Its five kinds are here, and a sixth in which the second wording goes round the scene the other way.
"""

from __future__ import annotations

from .captions import TEXTURE_WORDS, article, fill, noun_phrase, surroundings
from .changes import Draw
from .spec import Scene

TEMPLATES = ("a picture of a {c}", "an image of a {c}", "there is a {c}", "a view of a {c}", "this is a {c}")
MIRRORED = "mirrored"
TRIPLES = {
    **{kind: kind for kind in ("object_replace", "colour_replace", "relation_replace", "object_swap", "attribute_swap")},
    MIRRORED: "object_replace",
}
"""By kind, the one of `negatives.NEGATIVES` that gives the false caption."""


def reworded(scene: Scene, g: Draw, kind: str) -> str:
    """Another template, texture word, preposition and word for the ground than `full_caption` has.

    `mirrored` tells it from the companion's side, too: 'a blue dog right of a red mug' for 'a red mug left of a blue dog'.
    """
    mate = scene.companions[0]
    main = noun_phrase(scene, colour=True, texture=TEXTURE_WORDS.get(scene.texture, ("",))[0])
    other, (side, opposite) = f"{mate.colour} {mate.cls}", ("left", "right") if mate.right > 0 else ("right", "left")
    template = TEMPLATES[int(g.integers(len(TEMPLATES)))]
    first, where, second = (other, opposite, main) if kind == MIRRORED else (main, side, other)
    return f"{fill(template, first)} {where} of {article(second)} in front of {surroundings(scene, wording=1)}"
