"""Questions about a scene and their answers: what is it, which of these, colour, texture, left or right, yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.scenes.spec import Scene
from ...data.scenes.vocabulary import CLASSES, COLOURS, TEXTURES, TWO_COLOURED

LIST, FEW, MOST = "Choose from the following list:", 2, 6
WHAT = ("What is the main object in this image?", "What is this?", "What is in the picture?", "What type of object is in this photo?")
COLOUR = ("What color is the object?", "What is the color of the object?")
TEXTURE = ("What texture does the object have?", "What pattern does the object have?")
LISTS = (LIST, "Choose one from:", "Options:")
"""The first of each, ImageNet-D's own words, is asked half of the time."""
THERE, WHERE = "Is there {a} in this image?", "Where is the {a}, left or right of the {b}?"
IS_IT = "Is the object {a}?"
SHARES = {"options": 0.5, "all": 0.08, "open": 0.12, "either": 0.05, "there": 0.07, "colour": 0.1, "texture": 0.05, "is_it": 0.03}
ASIDE = 0.4
"""Of the questions about a scene with a companion: where it is."""


@dataclass(frozen=True)
class Question:
    """Words to a person and the answer that is right; `options` are those named, in their order."""

    text: str
    answer: str
    options: tuple[str, ...] = ()


def article(word: str) -> str:
    """`word` with its indefinite article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def with_options(text: str, options: Sequence[str], *, lead: str = LIST) -> str:
    """The question with its options named: ImageNet-D's `... Choose from the following list: mug, car.`"""
    return f"{text} {lead} {', '.join(options)}."


def shown(scene: Scene) -> bool:
    """Whether its style shows colour and texture."""
    return scene.style in ("photo", "cartoon")


def one_of(g: np.random.Generator, wordings: Sequence[str]) -> str:
    """The first wording half of the time, else any."""
    return wordings[0] if g.random() < 0.5 else wordings[int(g.integers(len(wordings)))]


def choose(g: np.random.Generator, truth: str, others: Sequence[str], *, count: int, text: str) -> Question:
    """`truth` among `count` - 1 of `others`, in any order."""
    options = [truth, *(others[int(i)] for i in g.permutation(len(others))[: count - 1])]
    options = [options[int(i)] for i in g.permutation(len(options))]
    return Question(with_options(text, options, lead=one_of(g, LISTS)), truth, tuple(options))


def ask(g: np.random.Generator, scene: Scene) -> Question:
    """One question; kinds by SHARES, and the class where the picture does not show what would be asked."""
    if scene.companions and g.random() < ASIDE:
        return aside(g, scene)
    kind = str(g.choice(list(SHARES), p=list(SHARES.values())))
    if kind == "there":
        return is_there(g, scene)
    if shown(scene):
        if kind in ("colour", "is_it") and scene.texture not in TWO_COLOURED:
            return colour(g, scene) if kind == "colour" else is_it(g, scene)
        if kind == "texture":
            return texture(g, scene)
    return what(g, scene, kind)


def what(g: np.random.Generator, scene: Scene, kind: str) -> Question:
    """The class: without options, of two in the question itself, of a few, or of all; a companion is never a wrong option."""
    mates = {mate.cls for mate in scene.companions}
    others = [c for c in CLASSES if c != scene.cls and (kind == "all" or c not in mates)]
    if kind == "open":
        return Question(one_of(g, WHAT), scene.cls)
    if kind == "either":
        pair = [scene.cls, others[int(g.integers(len(others)))]]
        first, second = pair if g.random() < 0.5 else pair[::-1]
        return Question(f"Is this {article(first)} or {article(second)}?", scene.cls, (first, second))
    count = len(CLASSES) if kind == "all" else int(g.integers(FEW, MOST + 1))
    return choose(g, scene.cls, others, count=count, text=one_of(g, WHAT))


def is_there(g: np.random.Generator, scene: Scene) -> Question:
    """Yes for what the scene shows, no for another class, as often."""
    there = [scene.cls, *(mate.cls for mate in scene.companions)]
    absent = [c for c in CLASSES if c not in there]
    yes = g.random() < 0.5
    names = there if yes else absent
    return Question(THERE.format(a=article(names[int(g.integers(len(names)))])), "yes" if yes else "no")


def is_it(g: np.random.Generator, scene: Scene) -> Question:
    """The same of the colour of an object that has one."""
    yes = g.random() < 0.5
    others = [c for c in COLOURS if c != scene.colour]
    return Question(IS_IT.format(a=scene.colour if yes else others[int(g.integers(len(others)))]), "yes" if yes else "no")


def colour(g: np.random.Generator, scene: Scene) -> Question:
    """The colour of an object that has one, with options or without."""
    return attribute(g, scene.colour, tuple(COLOURS), text=one_of(g, COLOUR))


def texture(g: np.random.Generator, scene: Scene) -> Question:
    """The texture, with options or without."""
    return attribute(g, scene.texture, TEXTURES, text=one_of(g, TEXTURE))


def attribute(g: np.random.Generator, truth: str, names: Sequence[str], *, text: str) -> Question:
    """A question whose answer is one of `names`; without options one time in three."""
    if g.random() < 1 / 3:
        return Question(text, truth)
    return choose(g, truth, [n for n in names if n != truth], count=int(g.integers(FEW, MOST + 1)), text=text)


def aside(g: np.random.Generator, scene: Scene) -> Question:
    """Where one of two objects is, seen from the other."""
    mate = scene.companions[0]
    right = mate.right > 0
    if g.random() < 0.5:
        return Question(WHERE.format(a=mate.cls, b=scene.cls), "right" if right else "left", ("left", "right"))
    return Question(WHERE.format(a=scene.cls, b=mate.cls), "left" if right else "right", ("left", "right"))
