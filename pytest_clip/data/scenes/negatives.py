"""Hard negatives: for a scene of two things, captions that differ from the true one in a single fact, and without a 'not' in them.

Each states what another scene would show, so it is false by construction. The `replace` kinds bring a new word; the `swap` kinds hold the
very words of the true caption in another order, so that a text encoder blind to order cannot tell them apart (ARO, Yuksekgonul et al.
2023; SugarCrepe, Hsieh et al. 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .captions import TEXTURE_WORDS, article, full_caption, noun_phrase
from .changes import ONE_COLOURED, Draw
from .spec import Companion, Scene, contrast
from .vocabulary import CLASSES, COLOURS


def _pick(g: Draw, options: tuple[str, ...], *, but: tuple[str, ...]) -> str:
    left = [o for o in options if o not in but]
    return left[int(g.integers(len(left)))]


def _new_colour(s: Scene, g: Draw, *, unlike: str) -> str:
    near = tuple(c for c in COLOURS if contrast(c, unlike) < 0.3)
    return _pick(g, tuple(COLOURS), but=(*near, s.colour, s.colour2, s.accent, s.background_colour, s.companions[0].colour))


def _with_mate(scene: Scene, mate: Companion) -> Scene:
    return replace(scene, companions=(mate,))


def object_replace(s: Scene, g: Draw) -> str:
    """The main object is of a class that the scene does not show."""
    return full_caption(replace(s, cls=_pick(g, CLASSES, but=(s.cls, s.companions[0].cls))))


def companion_replace(s: Scene, g: Draw) -> str:
    """The companion is of a class that the scene does not show."""
    mate = s.companions[0]
    return full_caption(_with_mate(s, replace(mate, cls=_pick(g, CLASSES, but=(s.cls, mate.cls)))))


def colour_replace(s: Scene, g: Draw) -> str:
    """The main object has a colour that nothing in the scene has."""
    return full_caption(replace(s, colour=_new_colour(s, g, unlike=s.colour)))


def background_replace(s: Scene, g: Draw) -> str:
    """The backdrop has a colour that nothing in the scene has."""
    return full_caption(replace(s, background_colour=_new_colour(s, g, unlike=s.background_colour)))


def texture_replace(s: Scene, g: Draw) -> str:
    """The main object has another texture of one colour."""
    return full_caption(replace(s, texture=_pick(g, ONE_COLOURED, but=(s.texture,))))


def relation_replace(s: Scene, g: Draw) -> str:
    """Left for right."""
    del g
    mate = s.companions[0]
    return full_caption(_with_mate(s, replace(mate, right=-mate.right)))


def object_swap(s: Scene, g: Draw) -> str:
    """The two classes change places, their colours stay where they were."""
    del g
    mate = s.companions[0]
    return full_caption(replace(_with_mate(s, replace(mate, cls=s.cls)), cls=mate.cls))


def attribute_swap(s: Scene, g: Draw) -> str:
    """Each of the two objects has the other's colour."""
    del g
    mate = s.companions[0]
    return full_caption(replace(_with_mate(s, replace(mate, colour=s.colour)), colour=mate.colour))


def relation_swap(s: Scene, g: Draw) -> str:
    """'a left of b' becomes 'b left of a', both with all that is said about them."""
    del g
    mate = s.companions[0]
    main, other = article(noun_phrase(s, colour=True, texture=TEXTURE_WORDS[s.texture][-1])), article(f"{mate.colour} {mate.cls}")
    return full_caption(s).replace(main, "\0").replace(other, main).replace("\0", other)


NEGATIVES: dict[str, Callable[[Scene, Draw], str]] = {
    f.__name__: f for f in (object_replace, companion_replace, colour_replace, texture_replace, background_replace, relation_replace,
                            object_swap, attribute_swap, relation_swap)
}  # fmt: skip
"""By kind, a function from a scene and its source of chance to a false caption. The scene is one of the set `pairs`."""
