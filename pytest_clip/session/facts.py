"""What a run says about its models and its data: fingerprints, which image sets it asked for, what they are, what they lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError
from pytest_clip.session import factors

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.session.run import ClipSession, Row

BY_LIMIT = "--clip-limit"
"""What a reason begins with for something that is lacking because of the limit alone: nobody breaks a promise."""
NAMED = 10
"""Images that the record names; the rest it counts."""


def inspect(session: ClipSession, label: str, data: Any, names: Sequence[str]) -> None:
    """Read the pictures of the image sets that will be asked for, once; ClipError names those that cannot be read."""
    if label in session.inspected or not hasattr(data, "images"):  # of a project's own
        return
    from pytest_clip.data import doctor

    for name in names:
        try:
            data.images(name)
        except ClipError as error:  # noqa: PERF203 - a set or two is empty
            if not str(error).startswith(BY_LIMIT):
                raise
    session.inspected.add(label)
    told = [each.what for each in doctor.of_content(data)]
    session.doubts = {**session.doubts, label: tuple(dict.fromkeys([*session.doubts.get(label, ()), *told]))}


def left_out(session: ClipSession, gate: GateId, label: str) -> dict[str, str]:
    """Which conventions of a gate's number come from images that could not be read."""
    lost = getattr(session.loaded_data.get(label), "left_out", None)
    if not lost:
        return {}
    names = [name for name in dict.fromkeys([*session.reach.behind(gate, label), "clean"]) if name in lost]
    return {"left_out": ", ".join(f"{len(lost[name])} unreadable of {name}" for name in names)} if names else {}


def describe_model(session: ClipSession, label: str, model: Any) -> None:
    """Remember the facts of a model that was really used; reports show the fingerprint, so that a wrong model is seen."""
    from pytest_clip.gates.measurement import plain

    facts: Row = {"name": label, "fingerprint": None, "architecture": None, "pretrained": None, "preprocess": None, "precision": None}
    facts.update(plain(dict(getattr(model, "facts", None) or {}), f"facts of the model {label}"))
    for name in ("fingerprint", "precision", "device"):
        facts[name] = plain(getattr(model, name, None), f"{name} of the model {label}")
    facts["factors"] = factors.of(session.said, session.models, session.original(label), model)
    if role := session.role_of(label):
        facts["role"] = role
    session.facts["models"][label] = facts


def describe_data(session: ClipSession, label: str, data: Any) -> None:
    """Begin the record of a data set; `refresh` adds what is asked of it."""
    from pytest_clip.gates.measurement import plain

    limit = session.settings.limit
    sizes = {each.name: each.n if limit is None else min(each.n, limit) for each in session.sets.get(label, ())}
    templates = getattr(data, "templates", None)
    prompts = None if templates is None else {"name": session.prompts_option or "own", "templates": list(templates)}
    facts = {"name": label, "fingerprint": getattr(data, "fingerprint", None), "n": sizes, "limit": limit, "prompts": prompts}
    facts |= {"sets": {}, "doubts": [], "unreadable": {}}
    told = {each.name: getattr(each, "published", None) for each in session.sets.get(label, ())}  # data of a project's own has none
    if published := {name: held for name, held in told.items() if held}:
        facts["published"] = published
    session.facts["data"][label] = plain(facts, f"facts of the data set {label}")
    refresh(session)


def refresh(session: ClipSession) -> None:
    """Bring what is said about data up to what has been asked of it until now."""
    for label, facts in session.facts["data"].items():
        data = session.loaded_data.get(label)
        facts["doubts"] = list(session.doubts.get(label, ()))
        if data is None or (prints := getattr(data, "fingerprints", None)) is None or prints == facts["sets"]:
            continue
        facts["sets"], facts["fingerprint"] = prints, data.fingerprint
        facts["n"] |= {name: len(data.images(name)) for name in prints}
        facts["unreadable"] = {name: {"n": len(lost), "images": list(lost[:NAMED])} for name, lost in data.left_out.items()}


def merge(session: ClipSession, facts: Mapping[str, Mapping[str, Row]]) -> None:
    """Add what another process says about models and data."""
    from pytest_clip.data import together

    session.facts["models"].update(facts.get("models", {}))
    for label, row in facts.get("data", {}).items():
        known = session.facts["data"].get(label, row)
        sets = dict(sorted({**known["sets"], **row["sets"]}.items()))
        session.facts["data"][label] = {
            **row, "sets": sets, "fingerprint": together(sets) if sets else row["fingerprint"],
            "n": {name: min(n, known["n"][name]) for name, n in row["n"].items()},
            "unreadable": {**known["unreadable"], **row["unreadable"]}, "doubts": list(dict.fromkeys([*known["doubts"], *row["doubts"]])),
        }  # fmt: skip
