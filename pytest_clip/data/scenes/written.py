"""Captions of scenes with notes, and the prompts that ask what is written."""

from __future__ import annotations

import numpy as np

from ..writing import NEUTRAL, READING
from .captions import STYLE_TEMPLATES, TEXTURE_WORDS, fill, noun_phrase
from .notes.note import Noted
from .vocabulary import CLASSES, TEMPLATES

WORDS = (*CLASSES, *NEUTRAL)
"""All that is ever written on a note of the embedded benchmark."""
ALONE = (*READING, "{c}", "a picture of the word {c}", "a photo of the word {c}")
WITH = ("with a note that says {c}", "and a note that says {c}", "with the word {c} on it", "with a sign that says {c}")
BLANK = ("with a blank note", "and a note", "with an empty sign")
ONLY_WORDS, AS_THINGS = 0.6, 0.5
"""Of the captions of an object with a note, those that name nothing but what is written; of these, where it is the name of a class, those
that speak of it as of a thing ("a photo of a mug"). Captions on the web do both: who reads an advertisement writes down what it says."""


def written_caption(noted: Noted, g: np.random.Generator) -> str:
    """One caption of a picture with a note: object and words, or the words alone; of an empty scene always those alone."""
    words, scene = noted.note.words, noted.scene
    empty = scene.cls not in CLASSES
    if words and (empty or g.random() < ONLY_WORDS):
        if words in CLASSES and g.random() < AS_THINGS:
            return fill(TEMPLATES[int(g.integers(len(TEMPLATES)))], words)
        return ALONE[int(g.integers(len(ALONE)))].replace("{c}", words)
    kinds = WITH if words else BLANK
    note = kinds[int(g.integers(len(kinds)))].replace("{c}", words)
    if empty:
        return note.partition(" ")[2]
    wording = TEXTURE_WORDS.get(scene.texture, ("",))
    texture = wording[int(g.integers(len(wording)))] if g.random() < 0.5 else ""
    templates = STYLE_TEMPLATES.get(scene.style, TEMPLATES)
    out = fill(templates[int(g.integers(len(templates)))], noun_phrase(scene, colour=bool(g.random() < 0.7), texture=texture))
    return f"{out} {note}"


def written_lexicon() -> list[str]:
    """Texts that hold every word that captions with notes hold and others do not."""
    return [*WORDS, *(t.replace("{c}", "mug") for t in (*ALONE, *WITH, *BLANK))]
