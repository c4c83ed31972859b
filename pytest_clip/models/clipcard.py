"""`clip-card.json` beside weights: what the one who trained them says of the study's factors.

    {"schema": 1, "factors": {"training_set": "coyo-700m", "training_set_size": "700M", "samples_seen": "12.8B", "loss": "sigmoid"}}

It lies beside the checkpoint file, or in the folder that --clip-model names. `note` may hold a text for readers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import factors
from pytest_clip.models.spec import RANDOM, ModelSpec
from pytest_clip.store import path_of

FILE = "clip-card.json"
SCHEMA = 1
KEYS = ("schema", "factors", "note")
LARGEST = 64 << 10
"""Bytes; a card is some lines."""
_WITH_A_FOLDER = ("local-dir", "hf", "run")
"""Kinds of models whose name is a folder."""


def place(spec: ModelSpec) -> Path | None:
    """Where the card of a model lies; None where there is none. Weights between two models have none: neither's card is theirs."""
    if spec.kind == "wise":
        return None
    places = [path_of(spec.name)] if spec.kind in _WITH_A_FOLDER else []
    if spec.pretrained not in (None, RANDOM) and (weights := path_of(str(spec.pretrained))).is_file():
        places.insert(0, weights.parent)
    return next((folder / FILE for folder in places if (folder / FILE).is_file()), None)


def read(path: Path) -> dict[str, factors.Value]:
    """The factors that a card gives; ClipError with file and line for what is no card."""
    try:
        if path.stat().st_size > LARGEST:
            raise ClipError(f"{path} has more than {LARGEST} bytes; a card holds {', '.join(KEYS)} and nothing else")
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, path, text))
    except json.JSONDecodeError as error:
        raise ClipError(f"{path}:{error.lineno}: no JSON ({error.msg}); correct it, or take the file away") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ClipError(f"{path} cannot be read as a card: {error}; write it again as UTF-8") from None
    if not isinstance(content, dict):
        raise ClipError(f"{path}:1: must be an object of JSON: " + '{"schema": 1, "factors": {...}}')
    for key in content:
        if key not in KEYS:
            near = get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(KEYS)}"
            raise ClipError(f"{_at(path, text, key)}: unknown key {key[:60]!r}; {hint}")
    if content.get("schema") != SCHEMA or isinstance(content["schema"], bool):
        raise ClipError(f'{_at(path, text, "schema")}: must say "schema": {SCHEMA}, the only one that this version reads')
    return _factors(content.get("factors", {}), path, text)


def _factors(given: Any, path: Path, text: str) -> dict[str, factors.Value]:
    if not isinstance(given, Mapping):
        raise ClipError(f"{_at(path, text, 'factors')}: factors must be an object of JSON")

    def checked(key: str) -> factors.Value:
        try:
            return factors.check(key, given[key])
        except ClipError as error:
            raise ClipError(f"{_at(path, text, key)}: {error}") from None

    return {key: checked(key) for key in given}


def _once(pairs: list[tuple[str, Any]], path: Path, text: str) -> dict[str, Any]:
    """A key that stands twice would be read as the second alone."""
    for at, (key, _) in enumerate(pairs):
        if key in [other for other, _ in pairs[:at]]:
            raise ClipError(f"{_at(path, text, key, last=True)}: {key[:60]!r} stands twice; keep one")
    return dict(pairs)


def _at(path: Path, text: str, key: str, *, last: bool = False) -> str:
    """File and line of a key; the first line where it is not there, or written with escapes."""
    word = json.dumps(key, ensure_ascii=False)
    found = text.rfind(word) if last else text.find(word)
    return f"{path}:{text.count(chr(10), 0, max(found, 0)) + 1}"
