"""The factors of the study that a model has: what they are called, what may be said of them, and who said it.

A factor is derived (from open_clip's and timm's own tables, from the built model), said by a `clip-card.json` beside the weights, or said
by `--clip-factor`; the later wins. What nobody knows is None, and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches

from pytest_clip import ClipError
from pytest_clip.models import trainsets

Value = str | int | float | None


@dataclass(frozen=True)
class Factors:
    """Of one model. Counts are whole numbers; `gflops` are those of one image and one text, as open_clip counts them."""

    family: str | None = None
    """of the image tower: vit, resnet, convnext, eva, ..."""
    parameters: int | None = None
    gflops: float | None = None
    resolution: int | None = None
    """pixels on a side of what the model takes; None where the sides differ"""
    training_set: str | None = None
    """by its name in `trainsets.SETS`, where it is there; `none` for weights that are random"""
    training_set_size: int | None = None
    samples_seen: int | None = None
    loss: str | None = None
    """softmax, sigmoid, softmax+caption, softmax+distillation, classification, ..."""
    finetuned_on: str | None = None
    """`none` for a model that was not"""
    activation: str | None = None
    """gelu or quickgelu, of the transformer blocks that have a choice"""


COUNTS = ("parameters", "resolution", "training_set_size", "samples_seen")
KEYS = tuple(each.name for each in fields(Factors))
UNKNOWN = "unknown"
_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)([KMBT]?)", re.IGNORECASE | re.ASCII)
_TIMES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_NAME = re.compile(r"[a-z0-9][a-z0-9._+:-]{0,59}", re.ASCII)
_MOST = 1e18


def check(key: str, value: object) -> Value:
    """A value that a person wrote for a factor, as it is kept; None for `unknown` or null. ClipError for a key or value that is none."""
    if key not in KEYS:
        near = get_close_matches(key, KEYS, n=1)
        raise ClipError(f"{key[:60]!r} is no factor{f'; did you mean {near[0]}?' if near else ''}; there is {', '.join(KEYS)}")
    if value is None or value == UNKNOWN:
        return None
    if key in COUNTS or key == "gflops":
        number = _number(value)
        if number is None or not 0 <= number < _MOST or (key in ("parameters", "resolution", "gflops") and not number):
            raise ClipError(f"{key} is a number, such as {'400M, 2.3B or 34e9' if key in COUNTS else '14.8'}, and not {_shown(value)}")
        if key == "gflops":
            return number
        if number != int(number):
            raise ClipError(f"{key} is a whole number, and not {_shown(value)}")
        return int(number)
    text = value.strip().lower() if isinstance(value, str) else ""
    if not _NAME.fullmatch(text):
        raise ClipError(f"{key} is a name of letters, digits and . _ + : - (at most 60), and not {_shown(value)}")
    return text


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return None if found is None else round(float(found[1]) * _TIMES[found[2].lower()], 6)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def told(derived: Factors, *, card: Mapping[str, Value], option: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """What the record says: of each factor its `value`, and `from` where it is (derived, card or option; None where it is unknown).

    Another training set than the derived one takes with it what was derived of the old: its size comes from the table, and how many samples
    were seen is unknown, unless they are said as well.
    """
    said = {key: (value, origin) for origin, given in (("card", card), ("option", option)) for key, value in given.items()}
    known: dict[str, Value] = asdict(derived)
    trained, _ = said.get("training_set", (derived.training_set, ""))
    if trained != derived.training_set:
        found = trainsets.SETS.get(str(trained))
        known |= {"training_set_size": None if found is None else found.size, "samples_seen": None}
    whole = {key: said.get(key, (known[key], "derived")) for key in KEYS}
    return {
        key: {"value": value, "from": None if value is None and origin == "derived" else origin} for key, (value, origin) in whole.items()
    }
