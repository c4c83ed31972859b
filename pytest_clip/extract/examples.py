"""What a corruption does to a picture and to the answer, for reports: one image severity by severity, and the surest mistakes at one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..gates.evidence import Answered, Example, Mistakes, Picture, Step, Wanted

if TYPE_CHECKING:
    from ..data import Data
    from ..models.protocol import ClipModel
    from ..views import View
    from .corrupted import Corrupted
    from .extraction import Extraction
    from .zeroshot import ZeroShot

See = Callable[[str, int, "View | None"], Any]
"""From an image set, a row and a view to what a person sees there."""
SMALL = 96
"""Pixels a side of an example: six of them lie below a curve, and 21 kinds at five severities are 105 pictures."""


def eyes(extraction: Extraction, model: ClipModel, data: Data) -> See:
    """Pictures as the model sees them."""
    return lambda name, row, view: extraction.seen(model, data, name, row, view=view)


def answer(answers: ZeroShot, row: int) -> tuple[str, float]:
    """What is answered, and how surely."""
    scores = answers.cosines if answers.shares is None else answers.shares
    best = int(scores[row].argmax())
    return answers.classes[best], float(answers.probabilities[row, best])


def truth(answers: ZeroShot, row: int) -> str:
    return answers.classes[int(answers.labels[row])]


def surest(answers: ZeroShot, rows: Sequence[int]) -> list[int]:
    """`rows` by how sure the answers are, the surest first."""
    return sorted(rows, key=lambda row: (-answer(answers, row)[1], answers.ids[row]))


def example(corrupted: Corrupted, kind: str, see: See) -> Example:
    """Of the images that are answered rightly without corruption the one that is answered most surely, as it is and at each severity.

    The same one for all kinds. Where the images without corruption are not known, the first severity that there is stands for them.
    """
    clean = corrupted.clean if corrupted.knows_clean else None
    known = corrupted.any if clean is None else clean
    row = surest(known, np.flatnonzero(known.right).tolist() or [0])[0]
    all_of_them = {s: corrupted.answers(kind, s) for s in corrupted.severities} | ({} if clean is None else {0: clean})
    steps = [_step(each, row, s, see(*corrupted.place(kind, s, row))) for s, each in sorted(all_of_them.items())]
    return Example(corrupted.any.ids[row], truth(corrupted.any, row), steps)


def _step(answers: ZeroShot, row: int, severity: int, pixels: Any) -> Step:
    said, sure = answer(answers, row)
    return Step(severity, said, bool(answers.right[row]), sure, Picture(pixels, SMALL))


def mistakes(corrupted: Corrupted, kind: str, severity: int, see: See, wanted: Wanted) -> Mistakes | None:
    """The surest wrong answers at one severity, of a gate that somebody has to look into."""
    answers = corrupted.answers(kind, severity)
    wrong = np.flatnonzero(~answers.right).tolist()
    if wanted.green or not wrong:
        return None
    rows = surest(answers, wrong)[: wanted.most]
    pictures = [Picture(see(*corrupted.place(kind, severity, row))) for row in rows]
    return Mistakes(
        [Answered(answers.ids[row], truth(answers, row), *answer(answers, row), at) for row, at in zip(rows, pictures, strict=True)]
    )
