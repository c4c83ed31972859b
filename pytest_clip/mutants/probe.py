"""Is a damaged model another model at all? Asked with a few pictures and texts before any gate runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_clip.data import Data
    from pytest_clip.extract.extraction import Extraction

PICTURES = 24
TOLERANCE = {"fp32": 1e-5, "bf16": 2e-2, "fp16": 2e-3}
"""Largest change of an embedding's entries that rounding explains (entries of a unit vector), as in the checkpoint suite."""


def same(sound: Any, damaged: Any, data: Data, extraction: Extraction) -> bool:
    """Whether both give the same embeddings of the first pictures of the data set, of its captions and class prompts, at the same scale."""
    if damaged.logit_scale != sound.logit_scale:
        return False
    allowed, texts = TOLERANCE[sound.precision], _texts(data)
    if _apart(sound.encode_text(texts), damaged.encode_text(texts)) > allowed:
        return False
    name = next((each.name for each in data.sets if each.role == "clean"), data.sets[0].name)
    pictures = (extraction.batch(model, data, name, first=PICTURES) for model in (sound, damaged))
    return _apart(*(model.encode_image(batch) for model, batch in zip((sound, damaged), pictures, strict=True))) <= allowed


def _apart(first: Any, second: Any) -> float:
    return float((first - second).abs().nan_to_num(nan=float("inf")).max())


def _texts(data: Data) -> list[str]:
    asked = [text for template in data.templates for text in data.ask(template)]
    captions = [text for each in data.sets if each.role == "clean" for text in (data.images(each.name).captions or ())[:PICTURES]]
    return list(dict.fromkeys([*asked, *captions]))
