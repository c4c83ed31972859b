"""Scenes to English: captions that name object, colour, texture, surroundings and relation, and the prompts of attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .spec import Scene
from .vocabulary import BACKGROUNDS, CLASSES, COLOURS, STYLES, TEMPLATES, TEXTURES, TWO_COLOURED

TEXTURE_WORDS = {
    "plain": ("", "plain", "solid"),
    "checkered": ("checkered", "checked"),
    "striped": ("striped",),
    "dotted": ("dotted", "polka dot"),
    "wooden": ("wooden", "wood"),
    "marble": ("marble",),
    "spotted": ("spotted", "patchy"),
    "brick": ("brick",),
    "gradient": ("gradient", "shaded"),
    "zigzag": ("zigzag", "wavy"),
    "grid": ("grid", "plaid"),
}
BACKGROUND_WORDS = {
    "plain": ("a {c} background", "a plain {c} background"),
    "gradient": ("a {c} gradient background", "a {c} backdrop"),
    "cloudy": ("a {c} cloudy background", "a blurry {c} background"),
    "outdoor": ("the grass", "a lawn"),
    "checker floor": ("a {c} checkered floor", "a tiled {c} floor"),
    "striped wall": ("a {c} striped wall", "{c} stripes"),
}
STYLE_TEMPLATES = {
    "photo": (*TEMPLATES, "there is a {c}", "one {c}", "a photo of one {c}"),
    "sketch": ("a sketch of a {c}", "a drawing of a {c}"),
    "cartoon": ("a cartoon of a {c}", "a cartoon {c}"),
    "silhouette": ("a silhouette of a {c}", "the outline of a {c}"),
    "grayscale": ("a black and white photo of a {c}", "a grayscale photo of a {c}"),
}
ATTRIBUTE_TEMPLATES = ("a photo of a {c} object", "a picture of a {c} object", "an image of a {c} object", "a {c} object", "a {c} thing")
DRAWN = ("sketch", "silhouette")
"""Styles that show neither colour nor texture."""


def article(words: str) -> str:
    """`words` with its indefinite article."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def fill(template: str, words: str) -> str:
    """`template` with `words` for {c}; "a {c}" becomes "an {c}" where English wants it."""
    return template.replace("a {c}", article("{c}") if words[0] not in "aeiou" else "an {c}").replace("{c}", words)


def noun_phrase(scene: Scene, *, colour: bool, texture: str) -> str:
    """'red striped mug', 'red and white striped mug', 'striped mug' or 'mug'; drawn and grey styles have no colour to name."""
    shown = scene.style not in DRAWN
    words = texture if shown else ""
    hue = scene.colour if colour and shown and scene.style != "grayscale" else ""
    if hue and scene.texture != "plain" and words and scene.texture in TWO_COLOURED:
        hue = f"{scene.colour} and {scene.colour2}"
    return " ".join(w for w in (hue, words, scene.cls) if w)


def surroundings(scene: Scene, *, wording: int) -> str:
    """'the grass', 'a red striped wall', ...; colours only where the style shows them."""
    kinds = BACKGROUND_WORDS.get(scene.background)
    if kinds is None:
        return ""
    hue = "" if scene.style == "grayscale" else scene.background_colour
    words = " ".join(kinds[wording % len(kinds)].replace("{c}", hue).split())
    return article(words.removeprefix("a ")) if words.startswith("a ") else words


def relation(scene: Scene) -> str:
    """'left of a blue dog' when a companion stands to the right of the main object, else ''."""
    if len(scene.companions) != 1:
        return ""
    mate = scene.companions[0]
    side = "left of" if mate.right > 0 else "right of"
    hue = "" if scene.style in (*DRAWN, "grayscale") else f"{mate.colour} "
    return f"{side} {article(hue + mate.cls)}"


def caption(scene: Scene, g: np.random.Generator, *, extra: Sequence[str] = ()) -> str:
    """One caption. Object always; colour, texture, surroundings, relation and occlusion each with a probability of their own.

    `extra` are further templates with {c} (the 80 of ImageNet while training) taken for one photograph in seven.
    """
    wording = TEXTURE_WORDS.get(scene.texture, ("",))
    texture = wording[int(g.integers(len(wording)))] if g.random() < 0.7 else ""
    out = noun_phrase(scene, colour=bool(g.random() < 0.7), texture=texture)
    kinds = STYLE_TEMPLATES.get(scene.style, TEMPLATES)
    template = kinds[int(g.integers(len(kinds)))]
    if extra and scene.style == "photo" and g.random() < 1 / 7:
        template = extra[int(g.integers(len(extra)))]
    out = fill(template.rstrip("."), out)
    mate = relation(scene)
    if mate and g.random() < 0.75:
        out += f" {mate}" if g.random() < 0.8 else f" next to {mate.split(' of ', 1)[1]}"
    elif scene.style not in DRAWN and g.random() < 0.5:
        place = surroundings(scene, wording=int(g.integers(2)))
        out += f" {('on', 'in front of', 'with')[int(g.integers(3))]} {place}" if place else ""
    if scene.occluder != "none" and g.random() < 0.5:
        out += (" partly hidden", f" behind a {scene.occluder}")[int(g.integers(2))]
    return out + ("." if g.random() < 0.3 else "")


def full_caption(scene: Scene) -> str:
    """The caption that names everything: the retrieval text of a scene."""
    words = TEXTURE_WORDS.get(scene.texture, ("",))[-1]
    out = fill(STYLE_TEMPLATES.get(scene.style, TEMPLATES)[0], noun_phrase(scene, colour=True, texture=words))
    mate, place = relation(scene), surroundings(scene, wording=0) if scene.style not in DRAWN else ""
    out += f" {mate}" if mate else ""
    out += f" on {place}" if place else ""
    return out + (" partly hidden" if scene.occluder != "none" else "")


def attribute_prompts(names: Sequence[str]) -> list[list[str]]:
    """One list of prompts per attribute template, in the order of `names`."""
    return [[fill(t, n) for n in names] for t in ATTRIBUTE_TEMPLATES]


def vocabulary() -> tuple[list[str], list[str]]:
    """Nouns and adjectives of captions that name no class: what stands against the classes in `ood/auroc_neglabel`."""
    nouns = ["background", "backdrop", "grass", "lawn", "floor", "wall", "stripes", "sketch", "drawing", "cartoon", "silhouette", "outline"]
    nouns += ["photo", "picture", "image", "render", "view", "object", "thing", "bar", "ball", "fence"]
    return nouns, [*COLOURS, *sorted({word for words in TEXTURE_WORDS.values() for word in words if word})]


def lexicon() -> list[str]:
    """Texts that together hold every word a caption can hold: what the bundled models' token table must cover."""
    words = [*CLASSES, *COLOURS, *BACKGROUNDS, *(w for ws in TEXTURE_WORDS.values() for w in ws), *TEXTURES, *STYLES]
    patterns = [*TEMPLATES, *ATTRIBUTE_TEMPLATES, *(t for ts in STYLE_TEMPLATES.values() for t in ts)]
    patterns += [p for ps in BACKGROUND_WORDS.values() for p in ps]
    relations = [
        "left of, right of, next to, on, in front of, with, behind a bar, behind a ball, behind a fence, partly hidden. and an the"
    ]
    return words + [fill(p, "red") for p in patterns] + relations
