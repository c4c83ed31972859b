"""The forms that the evidence of a record may have, kind by kind: checked before a page shows it. Other kinds are left alone."""

from __future__ import annotations

from typing import Any

from pytest_clip.runs.forms import Check, any_table, boolean, count, gate, list_of, number, or_none, shown, string, table, table_of, text

MOST = 10_000
"""Things in a list: more than a run makes, fewer than a browser minds."""


def evidence(thing: Any, where: str) -> None:
    """`figures` of one kind, gate, model and data each, and `pictures` by the keys that figures name them with."""
    table({"figures": _some(_figure), "pictures": table_of(_picture)}, optional=("figures", "pictures"))(thing, where)


def _figure(thing: Any, where: str) -> None:
    table({"kind": text, "gate": gate, "model": text, "data": text})(thing, where)
    _KINDS.get(thing["kind"], any_table)(thing, where)


def _some(check: Check) -> Check:
    every = list_of(check)

    def some(thing: Any, where: str) -> None:
        if isinstance(thing, list) and len(thing) > MOST:
            raise ValueError(f"{where} holds {len(thing)} things, at most {MOST} are shown")
        every(thing, where)

    return some


def _picture(thing: Any, where: str) -> None:
    """A JPEG in base64: of these characters and of no others, so that nothing else can stand in an address of the page."""
    string(thing, where)
    if not thing.isascii() or not thing.replace("+", "").replace("/", "").rstrip("=").isalnum():
        raise ValueError(f"{where} must be a picture in base64, not {shown(thing)}")


def _share(thing: Any, where: str) -> None:
    number(thing, where)
    if not 0 <= thing <= 1:
        raise ValueError(f"{where} must be between 0 and 1, not {shown(thing)}")


def _place(thing: Any, where: str) -> None:
    """x and y, perhaps a little outside of the picture."""
    list_of(number)(thing, where)
    if len(thing) != 2 or not all(-9 <= each <= 9 for each in thing):
        raise ValueError(f"{where} must be two numbers, x and y in shares of a picture, not {shown(thing)}")


_KEY, _SURE = or_none(string), or_none(_share)
_ANSWERED = {"id": string, "truth": string, "answer": string, "confidence": _SURE, "picture": _KEY}
_MAYBE = ("confidence", "picture")
_SEEN = table({"id": string, "text": string, "picture": _KEY})
_STEP = table({"severity": count(0), "answer": string, "right": boolean, "confidence": _SURE, "picture": _KEY})
_QUERY = table({"asked": _SEEN, "found": _some(_SEEN), "wanted": _SEEN, "rank": count(1), "of": count(1)})
_CHANGED = table({"id": string, "was": string, "now": string, "truth": string, "before": _KEY, "after": _KEY})
_MATCH = table({"first": _place, "second": _place, "right": boolean, "true": _place})
_PAIR = table({"id": string, "value": _share, "of": count(0), "matches": _some(_MATCH), "first": _KEY, "second": _KEY})
_FLIP = table({**_ANSWERED, "before": string}, optional=_MAYBE)
_GROUP = table({"fact": string, "value": string, "worse": count(0), "at_risk": count(0), "stands_out": boolean, "images": _some(_FLIP)})
_KINDS: dict[str, Check] = {
    "mistakes": table({"images": _some(table(_ANSWERED, optional=_MAYBE))}),
    "flips": table({"images": _some(_FLIP)}),
    "flip_groups": table({"worse": count(0), "at_risk": count(0), "groups": _some(_GROUP)}),
    "example": table({"id": string, "truth": string, "steps": _some(_STEP)}),
    "queries": table({"queries": _some(_QUERY)}),
    "counterexamples": table({"what": string, "changed": count(0), "of": count(1), "images": _some(_CHANGED)}),
    "pairs": table({"pairs": _some(_PAIR)}),
    "unshown": table({"reason": string}),
}
