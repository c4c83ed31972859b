"""Is a damaged model another model at all? Asked with a few pictures and texts before any gate runs on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_clip.data import Data
    from pytest_clip.extract.extraction import Extraction

PICTURES = 24
ALIKE = 0.05
"""Length of the difference of two embeddings of length 1 (an angle of 3 degrees) up to which both are one answer. Of `scenes-rn` bf16 moves
embeddings by 0.01, the other activation by 0.02, int8 by 0.04, and accuracy stays; noise of 10 % by 0.19, JPEG of quality 10 by 0.5."""


def moved(sound: Any, damaged: Any, data: Data, extraction: Extraction) -> float:
    """How far the damage moves embeddings of the first pictures of the data set, its captions and its class prompts: the largest length.

    Infinite where the two differ in their logit scale or in what they answer about one of the pictures, and for NaN.
    """
    if damaged.logit_scale != sound.logit_scale:
        return math.inf
    texts, name = _texts(data), next((each.name for each in data.sets if each.role == "clean"), data.sets[0].name)
    read = [model.encode_text(texts) for model in (sound, damaged)]
    seen = [model.encode_image(extraction.batch(model, data, name, first=PICTURES)) for model in (sound, damaged)]
    answers = [(images @ words[: len(data.classes)].T).argmax(1) for images, words in zip(seen, read, strict=True)]
    if not bool((answers[0] == answers[1]).all()):
        return math.inf
    return max(float((one - other).norm(dim=1).nan_to_num(nan=math.inf).max()) for one, other in (read, seen))


def _texts(data: Data) -> list[str]:
    """The prompts of the first template come first, one a class."""
    asked = [text for template in data.templates for text in data.ask(template)]
    captions = [text for each in data.sets if each.role == "clean" for text in (data.images(each.name).captions or ())[:PICTURES]]
    return [*asked, *captions]
