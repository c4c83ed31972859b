"""Whether what is read back from a file has the shape in which it was written. Checked before anything in it is believed or shown."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.verdicts import JUDGED, OK

LONGEST = 200
LARGEST = 2**63
Check = Callable[[Any, str], None]
"""Takes a value and where it stands; ValueError with a sentence about the first thing that is wrong."""


def loads(content: bytes | str) -> Any:
    """JSON without NaN and infinities. ValueError for whatever cannot be read, also for what is nested too deeply."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no number of JSON")

    try:
        return json.loads(content, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def record(thing: Any) -> dict[str, Any]:
    """The record of a run, with None for each key of a row that it leaves out."""
    _table({"session": _any_table, "models": _list(_MODEL), "data": _list(_DATA), "gates": _list(_row)}, optional=("session",))(thing, "")
    gates = [{**dict.fromkeys(_ROW), "conventions": {}, **row} for row in thing["gates"]]
    for at, row in enumerate(gates):
        gate = GateId.parse(row["gate"])
        for key, part in (("suite", gate.suite), ("metric", gate.metric), ("slice", gate.slice)):
            if row[key] not in (None, part):
                raise ValueError(f"gates[{at}].{key} is {_shown(row[key])}, and its gate is {gate}")
            row[key] = part
        if row["value"] is not None and row["n"] is None:
            raise ValueError(f"gates[{at}] has a value and no n")
    return {"session": {}, **thing, "gates": gates}


def manifest(thing: Any, files: tuple[str, ...]) -> None:
    """The manifest of a saved run with these `files`."""
    told = _table({"bytes": count(0), "sha256": text})
    _table(
        {
            "saved": _or_none(text), "commit": _or_none(text), "pytest-clip": _or_none(text), "models": _list(_MODEL), "data": _list(_DATA),
            "partial": _list(_string), "asked": _ASKED, "verdicts": _table_of(count(0)), "files": _table(dict.fromkeys(files, told)),
        },
        optional=("commit", "pytest-clip", "verdicts"),
    )(thing, "")  # fmt: skip


def index(thing: Any) -> None:
    """What says which arrays belong to which gate."""
    sides = {each: _table_of(text) for each in ("arrays", "others")}
    names = dict.fromkeys(("ids", "clusters", "other_ids", "other_clusters"), text)
    entry = _table({"statistic": _or_none(text), "params": _table_of(_param), **sides, **names}, optional=(*names, "others"), closed=True)
    coded = _table({"values": _list(_string), "codes": text})
    _table({"gates": _table_of(entry), "samples": _table_of(_table_of(coded))})(thing, "")


def text(thing: Any, where: str) -> None:
    """One printable line."""
    if not isinstance(thing, str) or not thing.isprintable() or len(thing) > LONGEST:
        raise ValueError(f"{where} must be one line of at most {LONGEST} characters that can be printed, not {_shown(thing)}")


def number(thing: Any, where: str) -> None:
    if isinstance(thing, bool) or not isinstance(thing, int | float) or abs(thing) > 1e300 or not math.isfinite(thing):
        raise ValueError(f"{where} must be a number, not {_shown(thing)}")


def count(least: int) -> Check:
    def check(thing: Any, where: str) -> None:
        if isinstance(thing, bool) or not isinstance(thing, int) or not least <= thing < LARGEST:
            raise ValueError(f"{where} must be a whole number of at least {least}, not {_shown(thing)}")

    return check


def _param(thing: Any, where: str) -> None:
    number(thing, where)
    if abs(thing) > 1e6:  # bins: as many are made
        raise ValueError(f"{where} is out of range: {thing}")


def _string(thing: Any, where: str) -> None:
    if not isinstance(thing, str):
        raise ValueError(f"{where} must be a text, not {_shown(thing)}")
    thing.encode("utf-8")  # UnicodeEncodeError, a ValueError


def _gate(thing: Any, where: str) -> None:
    if not isinstance(thing, str) or len(thing) > LONGEST:
        raise ValueError(f"{where} must be the name of a gate, not {_shown(thing)}")
    try:
        GateId.parse(thing)
    except ClipError as error:
        raise ValueError(f"{where}: {error}") from None


def _interval(thing: Any, where: str) -> None:
    _list(_or_none(number))(thing, where)
    if len(thing) != 2 or (None not in thing and thing[0] > thing[1]):
        raise ValueError(f"{where} must be two ends, the lower one first, not {_shown(thing)}")


def _one_of(*choices: str) -> Check:
    def check(thing: Any, where: str) -> None:
        if thing not in choices:
            raise ValueError(f"{where} must be one of {', '.join(choices)}, not {_shown(thing)}")

    return check


def _any_table(thing: Any, where: str) -> None:
    if not isinstance(thing, dict):
        raise ValueError(f"{where or 'it'} must be a table, not {_shown(thing)}")


def _or_none(check: Check) -> Check:
    return lambda thing, where: None if thing is None else check(thing, where)


def _list(check: Check) -> Check:
    def every(thing: Any, where: str) -> None:
        if not isinstance(thing, list):
            raise ValueError(f"{where} must be a list, not {_shown(thing)}")
        for at, each in enumerate(thing):
            check(each, f"{where}[{at}]")

    return every


def _table_of(check: Check) -> Check:
    def every(thing: Any, where: str) -> None:
        _any_table(thing, where)
        for key, each in thing.items():
            check(each, f"{where}.{_shown(key)}")

    return every


def _table(checks: Mapping[str, Check], *, optional: tuple[str, ...] = (), closed: bool = False) -> Check:
    def every(thing: Any, where: str) -> None:
        _any_table(thing, where)
        if closed and (unknown := thing.keys() - checks.keys()):
            raise ValueError(f"{where} has a key that means nothing: {_shown(min(unknown))}")
        for key, check in checks.items():
            if key in thing:
                check(thing[key], f"{where}.{key}".lstrip("."))
            elif key not in optional:
                raise ValueError(f"{where or 'it'} lacks {key!r}")

    return every


def _shown(thing: Any) -> str:
    told = ascii(thing) if not isinstance(thing, dict | list) else f"a {'table' if isinstance(thing, dict) else 'list'}"
    return told if len(told) <= 60 else f"{told[:57]}..."


_TEXT = _or_none(_string)
_ROW: dict[str, Check] = {
    "gate": _gate, "model": text, "data": text, "value": _or_none(number), "n": _or_none(count(1)),
    "verdict": _one_of(*sorted({*OK, *JUDGED})),
    "ci": _or_none(_interval), "conventions": _any_table, "reason": _TEXT, "message": _TEXT, "suite": _TEXT, "metric": _TEXT,
    "slice": _TEXT, "fingerprint": _TEXT, "role": _TEXT, "nodeid": _TEXT, "better": _or_none(_one_of("higher", "lower")),
    **dict.fromkeys(("rule", "waiver", "baseline", "flips"), _or_none(_any_table)),
}  # fmt: skip
_row = _table(_ROW, optional=tuple(_ROW.keys() - {"gate", "model", "data", "value", "n", "verdict"}))
_MODEL = _table(
    dict.fromkeys(("name", "fingerprint", "precision", "role"), _or_none(text)) | {"name": text},
    optional=("fingerprint", "precision", "role"),
)
_DATA = _table({"name": text, "fingerprint": _or_none(text), "sets": _or_none(_table_of(_or_none(text)))}, optional=("fingerprint", "sets"))
_PROMPTS = _table({"name": _or_none(text), "templates": _list(_string)}, optional=("name", "templates"))
_ASKED = _table(
    {
        "limit": _or_none(count(1)), "precision": _or_none(text), "prompts": _or_none(_PROMPTS), "data": _or_none(_list(_string)),
        "suites": _or_none(_list(text)),
    },
    optional=("limit", "precision", "prompts", "data", "suites"),
)  # fmt: skip
