"""Captions with a 'no' in them: what a scene shows and what it does not, said truly or falsely, in several wordings each.

After NegBench (Alhamoud et al. 2025, arXiv 2501.09425): *positive* captions affirm, *negative* ones deny, *hybrid* ones do both. Only
classes are denied, so truth is exact: a scene shows its object and its companions and nothing else that bears the name of a class. Every
function is one of the scene and its source of chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..choices import Question
from .captions import DRAWN, STYLE_TEMPLATES, article, fill, noun_phrase
from .changes import Draw
from .spec import Scene
from .vocabulary import CLASSES, TEMPLATES

TYPES = ("positive", "negative", "hybrid")
MEDIA = {"photo": ("photo", "picture", "image"), "sketch": ("sketch", "drawing", "picture"), "cartoon": ("cartoon", "picture")}
"""What a picture may call itself, by style; any style is a picture or an image."""
AND = ("{p} and {q}", "{p} with {q}", "{p} next to {q}")
DENIALS = (
    "there is no {c}", "there is not a {c}", "a {m} with no {c}", "a {m} without a {c}", "no {c} in the {m}", "a {m} without any {c}",
    "this {m} is without a {c}", "there is not any {c} in the {m}", "no {c}",
)  # fmt: skip
HYBRIDS = (
    "{p} and no {c}", "{p} but no {c}", "{p} with no {c}", "{p} without a {c}", "{p}, no {c}", "{p} without any {c}",
    "{p}, there is no {c}", "{p}, and there is not a {c}", "there is no {c}. {p}", "{p}, but not any {c}",
)  # fmt: skip
"""None says 'not a {c}' of the thing itself: 'a mug, not a dog' is true of a mug beside a dog, too."""


def shown(scene: Scene) -> tuple[str, ...]:
    """The classes that the scene shows, each once, the main one first."""
    return tuple(dict.fromkeys((scene.cls, *(mate.cls for mate in scene.companions))))


def _pick(g: Draw, options: tuple[str, ...]) -> str:
    return options[int(g.integers(len(options)))]


def absent(scene: Scene, g: Draw) -> str:
    """A class that the scene does not show."""
    return _pick(g, tuple(c for c in CLASSES if c not in shown(scene)))


def present(scene: Scene, g: Draw) -> str:
    """A class that the scene shows."""
    return _pick(g, shown(scene))


def _framed(scene: Scene, g: Draw, *, hued: bool) -> str:
    """'a photo of a red mug', 'a sketch of a mug': the main object in a wording of the style."""
    return fill(_pick(g, STYLE_TEMPLATES.get(scene.style, TEMPLATES)), noun_phrase(scene, colour=hued, texture="")).rstrip(".")


def _mate(scene: Scene, *, hued: bool) -> str:
    mate = scene.companions[0]
    return article(f"{mate.colour} {mate.cls}" if hued and scene.style not in (*DRAWN, "grayscale") else mate.cls)


def _told_of(words: str, medium: str) -> str:
    return words.replace("a {m}", article(medium)).replace("{m}", medium)


def _deny(scene: Scene, g: Draw, cls: str) -> str:
    medium = _pick(g, MEDIA.get(scene.style, ("picture", "image")))
    return fill(_told_of(_pick(g, DENIALS), medium), cls)


def _affirm(scene: Scene, g: Draw, *, hued: bool) -> str:
    """All that the scene shows, up to its first companion."""
    main = _framed(scene, g, hued=hued)
    if not scene.companions:
        return main
    words, mate = _pick(g, AND), _mate(scene, hued=hued)
    return words.replace("{p}", main).replace("{q}", mate)


def _both(scene: Scene, g: Draw, cls: str, *, hued: bool) -> str:
    """The main object affirmed, `cls` denied."""
    words = fill(_pick(g, HYBRIDS), cls)
    main = _framed(scene, g, hued=hued)
    return words.replace("{p}", main)


def _hued(g: Draw) -> bool:
    return bool(g.random() < 0.5)


def positive(scene: Scene, g: Draw) -> str:
    """True: names the object and, where there is one, its companion."""
    return _affirm(scene, g, hued=_hued(g))


def negative(scene: Scene, g: Draw) -> str:
    """True: denies what is absent."""
    return _deny(scene, g, absent(scene, g))


def hybrid(scene: Scene, g: Draw) -> str:
    """True: names the object or its companion, denies what is absent."""
    return _both(_either(scene, g), g, absent(scene, g), hued=_hued(g))


def hybrid_of(scene: Scene, g: Draw, caption: str) -> str:
    """True: a true caption, and a denial of what is absent."""
    return fill(_pick(g, HYBRIDS), absent(scene, g)).replace("{p}", caption)


def false_positive(scene: Scene, g: Draw) -> str:
    """False: beside what is there (alone, in its place) it names what is absent."""
    other, hued = absent(scene, g), _hued(g)
    if not scene.companions:
        return _affirm(replace(scene, cls=other), g, hued=hued)
    return _affirm(replace(scene, companions=(replace(scene.companions[0], cls=other),)), g, hued=hued)


def false_negative(scene: Scene, g: Draw) -> str:
    """False: denies what is present."""
    return _deny(scene, g, present(scene, g))


def false_hybrid(scene: Scene, g: Draw) -> str:
    """False: names one of two and denies the other, or names what is absent and denies what is present."""
    one = _either(scene, g)
    if scene.companions and g.random() < 0.5:
        others = tuple(c for c in shown(scene) if c != one.cls)
        if others:
            return _both(one, g, _pick(g, others), hued=_hued(g))
    return _both(replace(scene, cls=absent(scene, g)), g, present(scene, g), hued=_hued(g))


def _either(scene: Scene, g: Draw) -> Scene:
    """The scene as it is, or (once in two) told from its first companion, which has a plain surface."""
    if not scene.companions or g.random() < 0.5:
        return scene
    mate = scene.companions[0]
    return replace(scene, cls=mate.cls, colour=mate.colour, texture="plain")


TRUE: dict[str, Callable[[Scene, Draw], str]] = {"positive": positive, "negative": negative, "hybrid": hybrid}
FALSE: dict[str, Callable[[Scene, Draw], str]] = {"positive": false_positive, "negative": false_negative, "hybrid": false_hybrid}


def negated_caption(scene: Scene, g: Draw) -> str:
    """A true caption that denies something, as a training text: seven times in ten it also says what is there."""
    return (hybrid if g.random() < 0.7 else negative)(scene, g)


def false_caption(scene: Scene, g: Draw) -> str:
    """A false caption of a random type, as a hard negative in training."""
    return FALSE[_pick(g, TYPES)](scene, g)


def question(scene: Scene, g: Draw, kind: str) -> Question:
    """Four captions: the true one of type `kind` among a false one of each type, in random order.

    They are about the main object, and companions are neither named nor denied: these are small, the bundled models are at chance about
    them, and what is asked is whether the 'no' is read.
    """
    told = [(_of_main(TRUE[kind], scene, g), kind, True), *((_of_main(FALSE[t], scene, g), t, False) for t in TYPES)]
    order = [told[int(k)] for k in g.permutation(len(told))]
    return Question(tuple(c for c, _, _ in order), tuple(t for _, t, _ in order), [true for _, _, true in order].index(True))


def _of_main(make: Callable[[Scene, Draw], str], scene: Scene, g: Draw) -> str:
    alone, mates = replace(scene, companions=()), {mate.cls for mate in scene.companions}
    while True:
        caption = make(alone, g)
        if not mates & {*caption.replace(".", " ").replace(",", " ").split()}:
            return caption


def lexicon() -> list[str]:
    """Texts that together hold every word that a caption of this module adds to those of `captions.lexicon`."""
    return [fill(_told_of(t, "photo"), "mug").replace("{p}", "a mug").replace("{q}", "a mug") for t in (*AND, *DENIALS, *HYBRIDS)]
