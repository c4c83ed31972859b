"""Whether what is read back from a file has the shape in which it was written. Checked before anything in it is believed or shown."""

from __future__ import annotations

import json
from typing import Any

from pytest_clip.gates.verdicts import JUDGED, OK
from pytest_clip.runs.evidence import evidence
from pytest_clip.runs.forms import (
    Check,
    any_table,
    conventions,
    count,
    gate,
    interval,
    list_of,
    number,
    one_of,
    or_none,
    param,
    parsed,
    shown,
    string,
    table,
    table_of,
    text,
    text_or_number,
)


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
    table(
        {"session": any_table, "models": list_of(_MODEL), "data": list_of(_DATA), "gates": list_of(_row), "evidence": or_none(evidence)},
        optional=("session", "evidence"),
    )(thing, "")
    gates = [{**dict.fromkeys(_ROW), "conventions": {}, **row} for row in thing["gates"]]
    for at, row in enumerate(gates):
        gate = parsed(row["gate"])
        for key, part in (("suite", gate.suite), ("metric", gate.metric), ("slice", gate.slice)):
            if row[key] not in (None, part):
                raise ValueError(f"gates[{at}].{key} is {shown(row[key])}, and its gate is {gate}")
            row[key] = part
        if row["value"] is not None and row["n"] is None:
            raise ValueError(f"gates[{at}] has a value and no n")
    return {"session": {}, **thing, "gates": gates}


def manifest(thing: Any, files: tuple[str, ...]) -> None:
    """The manifest of a saved run with these `files`."""
    told = table({"bytes": count(0), "sha256": text})
    table(
        {
            "saved": or_none(text), "commit": or_none(text), "pytest-clip": or_none(text), "models": list_of(_MODEL),
            "data": list_of(_DATA), "partial": list_of(string), "asked": _ASKED, "verdicts": table_of(count(0)),
            "files": table(dict.fromkeys(files, told)),
        },
        optional=("commit", "pytest-clip", "verdicts"),
    )(thing, "")  # fmt: skip


def index(thing: Any) -> None:
    """What says which arrays belong to which gate."""
    sides = {each: table_of(text) for each in ("arrays", "others")}
    names = dict.fromkeys(("ids", "clusters", "other_ids", "other_clusters"), text)
    entry = table(
        {"statistic": or_none(text), "params": table_of(param), **sides, **names},
        optional=(*names, "others"),
        closed=True,
    )
    coded = table({"values": list_of(string), "codes": text})
    table({"gates": table_of(entry), "samples": table_of(table_of(coded))})(thing, "")


_TEXT = or_none(string)
_ROW: dict[str, Check] = {
    "gate": gate, "model": text, "data": text, "value": or_none(number), "n": or_none(count(1)),
    "verdict": one_of(*sorted({*OK, *JUDGED})),
    "ci": or_none(interval), "conventions": conventions, "reason": _TEXT, "message": _TEXT, "suite": _TEXT, "metric": _TEXT,
    "slice": _TEXT, "fingerprint": _TEXT, "role": _TEXT, "nodeid": _TEXT, "better": or_none(one_of("higher", "lower")),
    **dict.fromkeys(("rule", "waiver", "baseline", "flips"), or_none(any_table)),
}  # fmt: skip
_row = table(_ROW, optional=tuple(_ROW.keys() - {"gate", "model", "data", "value", "n", "verdict"}))
_FACTORS = table_of(table({"value": or_none(text_or_number), "from": or_none(one_of("derived", "card", "option"))}))
_MODEL = table(
    dict.fromkeys(("fingerprint", "precision", "role"), or_none(text)) | {"name": text, "factors": or_none(_FACTORS)},
    optional=("fingerprint", "precision", "role", "factors"),
)
_DATA = table(
    {"name": text, "fingerprint": or_none(text), "sets": or_none(table_of(or_none(text)))},
    optional=("fingerprint", "sets"),
)
_PROMPTS = table({"name": or_none(text), "templates": list_of(string)}, optional=("name", "templates"))
_ASKED = table(
    {
        "limit": or_none(count(1)), "precision": or_none(text), "prompts": or_none(_PROMPTS), "data": or_none(list_of(string)),
        "suites": or_none(list_of(text)),
    },
    optional=("limit", "precision", "prompts", "data", "suites"),
)  # fmt: skip
