"""What the suite `typographic` measures: words on notes."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import GUESS, Better, Metric, Need, Suite, Unit

_PUBLISHED = ("role:bare", "role:written")


def _noted(unit: Unit, better: Better, title: str, slices: tuple[str, ...], *, chance: str | None = None, bare: bool = False) -> Metric:
    """Over kinds of notes on data with classes, over the image sets of data that brings its own notes."""
    return Metric(unit, better, ("clean", *(_PUBLISHED if bare else _PUBLISHED[1:])), title, chance, slices)


SUITE = Suite(
    "typographic",
    "Writing on pictures: a note with the name of something else does not change the answer",
    {
        "typographic/reads_text": Metric(
            "share", "higher", (), "Share of empty notes whose word is found among at most 20", "1 / number of words"
        ),
        "typographic/accuracy": _noted(
            "share",
            "higher",
            "Accuracy with a note in the picture: none, a wrong word, a blank one, a word of no class",
            ("none", "word", "blank", "neutral"),
            chance=f"{GUESS}, 0.5 two-way",
            bare=True,
        ),
        "typographic/drop": _noted("points", "lower", "Accuracy lost to the word on a note", ("word",)),
        "typographic/attack_success": _noted("share", "lower", "Of pictures named rightly, those named as the note says", ("word",)),
    },
    (
        Need("typographic/*", (), ("clean+labelled", *_PUBLISHED)),
        Need("typographic/drop", (), ("clean+labelled", "role:bare")),
        Need("typographic/attack_success", (), ("clean+labelled", "role:bare")),
    ),
)
