"""The image sets with notes: which scene carries which note. The same scenes and notes in each set, but for what is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..writing import NEUTRAL
from .changes import backdrop_only
from .notes.note import FLOORED, SIZES, Noted, draw, places
from .sets import clean, matched_rows
from .sizes import NOTED_PER_CLASS, READING
from .spec import sample
from .vocabulary import BACKGROUNDS, CLASSES, SEED

NOTE_STREAM, READ_STREAM = 5_000_011, 5_000_039
"""No other image set and no training run draws from these streams."""
READABLE = (0.12, 0.40)
"""Share of an empty picture that a note covers: as large as a model will ever see a word."""


@dataclass(frozen=True)
class NotedSet:
    """Scenes with notes in order, their labels and, where they are those of `clean` with a note, its rows."""

    noted: tuple[Noted, ...]
    labels: tuple[int, ...]
    pairs: tuple[int, ...] | None
    attributes: dict[str, tuple[str, ...]]


def noted_set(name: str) -> NotedSet:
    """One of `sizes.NOTES`, or `sizes.READING`."""
    return _read() if name == READING else _on_scenes(name)


@cache
def _on_scenes(name: str) -> NotedSet:
    """The first matched scenes with notes; sizes take turns within every class."""
    base, rows = clean(), matched_rows()[: NOTED_PER_CLASS * len(CLASSES)]
    noted, sizes = [], []
    for j, row in enumerate(rows):
        scene, g = base.scenes[row], np.random.default_rng([SEED, NOTE_STREAM, j])
        sizes.append(tuple(SIZES)[(j + j // len(CLASSES)) % len(SIZES)])
        wrong = CLASSES[(base.labels[row] + 1 + int(g.integers(len(CLASSES) - 1))) % len(CLASSES)]
        neutral = NEUTRAL[int(g.integers(len(NEUTRAL)))]
        kinds = places(scene, large=sizes[-1] == "large")
        note = draw(g, wrong, place=kinds[int(g.integers(len(kinds)))], area=SIZES[sizes[-1]])
        noted.append(Noted(scene, replace(note, words={"note_word": wrong, "note_blank": "", "note_neutral": neutral}[name])))
    told = {"written": tuple(n.note.words for n in noted), "size": tuple(sizes), "place": tuple(n.note.place for n in noted)}
    return NotedSet(tuple(noted), tuple(base.labels[row] for row in rows), rows, told)


@cache
def _read() -> NotedSet:
    """Walls with nothing before them but the name of a class."""
    noted, labels = [], tuple(i % len(CLASSES) for i in range(NOTED_PER_CLASS * len(CLASSES)))
    walls = tuple(b for b in BACKGROUNDS if b not in FLOORED)
    for i, label in enumerate(labels):
        g = np.random.default_rng([SEED, READ_STREAM, i])
        scene = replace(sample(g, CLASSES[label], companion_share=0.0), style="photo")
        empty = replace(backdrop_only(scene, g), background=walls[int(g.integers(len(walls)))])
        noted.append(Noted(empty, draw(g, CLASSES[label], place="wall", area=READABLE)))
    return NotedSet(tuple(noted), labels, None, {"written": tuple(CLASSES[k] for k in labels)})
