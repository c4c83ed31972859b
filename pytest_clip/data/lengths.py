"""Texts that are longer than a text tower reads: what is behind the cut says nothing, and names that differ only there are one class."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from ..store import read_sealed
from .content import keep, memory
from .layouts.found import Problem
from .prompts import fill

if TYPE_CHECKING:
    from .dataset import Data
    from .imageset import ImageSet

CONTEXT = 77
"""Tokens of CLIP's text towers, two of which are the start and the end."""
SAFE = CONTEXT - 2
"""Bytes up to which no text can have more tokens: a token is at least one byte."""


def of_classes(data: Data) -> list[Problem]:
    """Of the prompts: how many are cut, and which classes become one by it; `refuse` where all templates cut two of them alike."""
    classes, templates = data.classes, data.templates
    cut, partly = 0, set()
    whole: list[list[str]] = [[] for _ in classes]
    for template in templates:
        lengths, keys = _read([fill(template, name) for name in classes])
        cut += sum(n > CONTEXT - 2 for n in lengths)
        for k, key in enumerate(keys):
            whole[k].append(key or f"class {k}")
        often = Counter(keys)
        partly |= {k for k, key in enumerate(keys) if key and often[key] > 1}
    if not cut:
        return []
    told = (
        f"{cut} of {len(classes) * len(templates)} prompts have more than {CONTEXT} of CLIP's tokens, and what is behind them is not read"
    )
    first: dict[tuple[str, ...], int] = {}
    for k, keys in enumerate(whole):
        if (before := first.setdefault(tuple(keys), k)) != k:
            what = f"{told}: the classes {_short(classes[before])} and {_short(classes[k])} are the same up to there"
            return [Problem("refuse", f"{what}, and no model can tell them apart; shorten their names, or write what differs first")]
    more = f", and in some of them {len(partly)} classes are the same as another up to there" if partly else ""
    return [Problem("warn", f"{told}{more}; shorten the names or the templates")]


def of_captions(images: ImageSet) -> Iterator[Problem]:
    """How many captions of a set are cut."""
    if images.within is not None and not images.foils:
        return
    texts = [*(images.captions or ()), *(text for each in images.all_captions or () for text in each)]
    texts += [text for foils in images.foils.values() for text in foils]
    lengths, _ = _read(texts)
    if long := [text for text, n in zip(texts, lengths, strict=True) if n > CONTEXT - 2]:
        told = f"{len(long)} of {len(texts)} captions of {images.name} have more than {CONTEXT} of CLIP's tokens"
        yield Problem("warn", f"{told}, and what is behind them is not read, such as {_short(long[0])}; shorten them")


def _short(text: str) -> str:
    return repr(text if len(text) < 50 else f"{text[:40]}...")


def _read(texts: Sequence[str]) -> tuple[list[int], list[str]]:
    """How many tokens each text has (0: few enough, nobody counted), and of a long one what is read of it."""
    long = [text for text in texts if len(text.encode()) > SAFE]
    known = dict(zip(long, _counted(long), strict=True)) if long else {}
    return [known[text][0] if text in known else 0 for text in texts], [known[text][1] if text in known else "" for text in texts]


def _counted(texts: Sequence[str]) -> list[tuple[int, str]]:
    """Remembered by the texts, because the tokenizer comes with all of open_clip, which a run of stored answers need not import."""
    held = memory()
    place = None if held is None else held / f"lengths-{sha256(json.dumps(list(texts)).encode()).hexdigest()[:32]}.json"
    if place is not None:
        with suppress(OSError, ValueError, TypeError):
            known = [(int(n), str(key)) for n, key in read_sealed(place)["tokens"]]
            if len(known) == len(texts):
                return known
    from open_clip.tokenizer import SimpleTokenizer

    encode = SimpleTokenizer().encode
    tokens = [encode(text) for text in texts]
    out = [(len(each), sha256(repr(each[: CONTEXT - 2]).encode()).hexdigest()[:16] if len(each) > CONTEXT - 2 else "") for each in tokens]
    if place is not None:
        keep(place, {"tokens": out})
    return out
