"""Training scenes with notes: what share of the pictures has one, and what their captions say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..data.scenes.captions import caption
from ..data.scenes.negations import negated_caption
from ..data.scenes.notes.note import FLOORED, Note, Noted, draw, places
from ..data.scenes.spec import Scene
from ..data.scenes.vocabulary import BACKGROUNDS
from ..data.scenes.written import WORDS, written_caption

HELD, EMPTY = 0.35, 0.25
"""Shares of the scenes that have a note beside or on an object, and of those that hold nothing but a note."""
BLANKS = 0.15
"""Of the notes beside an object, those with nothing on them."""
ON_OBJECT, ALONE = (0.02, 0.25), (0.08, 0.45)
"""Shares of the picture that notes cover. At 64 pixels, 2 % of it are 13 x 6 pixels: the word is a stain."""
DENYING = 0.3
"""Of the captions of scenes without a note, those that deny something."""
CALM = tuple(b for b in BACKGROUNDS if b not in FLOORED)


def noted(scene: Scene, g: np.random.Generator) -> Scene | Noted:
    """A scene of the training distribution as it is, with a note, or replaced by a wall with a note. Only photographs have notes."""
    u, words = g.random(), WORDS[int(g.integers(len(WORDS)))]
    if u >= HELD + EMPTY or scene.style != "photo":
        return scene
    if u >= HELD:
        wall = scene.background if scene.background in CALM else CALM[int(g.integers(len(CALM)))]
        return Noted(
            replace(scene, cls="nothing", companions=(), occluder="none", background=wall), draw(g, words, place="wall", area=ALONE)
        )
    words = "" if g.random() < BLANKS else words
    large = g.random() < 0.7
    kinds = places(scene, large=large)
    area = (0.06, ON_OBJECT[1]) if large else (ON_OBJECT[0], 0.07)
    note: Note = draw(g, words, place=kinds[int(g.integers(len(kinds)))], area=area)
    return Noted(scene, note)


def captions(scene: Scene | Noted, g: np.random.Generator, *, count: int, extra: Sequence[str]) -> list[str]:
    """So many captions of one picture."""
    if isinstance(scene, Noted):
        return [written_caption(scene, g) for _ in range(count)]
    return [negated_caption(scene, g) if g.random() < DENYING else caption(scene, g, extra=extra) for _ in range(count)]
