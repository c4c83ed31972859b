"""What becomes of an item that cannot measure its gate: one sentence for what the user can put right, a skip for what is nobody's fault."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_clip import CacheError, ClipError, ModelError, itemgates
from pytest_clip.datafacts import BY_LIMIT
from pytest_clip.session import ClipSession

BROKEN: pytest.StashKey[dict[str, str]] = pytest.StashKey()
"""Models that do not answer as a model must, by label, with the item that has said why."""


def emptied(item: pytest.Item, session: ClipSession) -> str | None:
    """Why the gate of an item has no image to be measured on, where that is the doing of --clip-limit. Asked before a model loads."""
    if "clip_data" not in getattr(item, "fixturenames", ()) or (gate := itemgates.gate_of(item)) is None or gate.slice is None:
        return None
    from pytest_clip.fixtures import loaded_data

    label = itemgates.data_label_of(item, session)
    choice = next(each for each in session.data if each.label == label)
    if gate.slice not in session.sets_behind(gate, label):
        return None
    data = loaded_data(session, choice)
    try:
        empty = hasattr(data, "images") and len(data.images(gate.slice)) == 0
    except ClipError as error:
        return str(error) if str(error).startswith(BY_LIMIT) else None  # anything else is said where it belongs
    return f"{BY_LIMIT}={session.settings.limit} leaves no image of {gate.slice}; raise it" if empty else None


def guarded(item: pytest.Item, session: ClipSession) -> Generator[None, None, None]:
    """What the user can put right is one sentence, not a traceback; a skipped gate with a rule of the user's is not green.

    A shipped rule speaks about every model; one that cannot do what its suite needs breaks no promise of the user's.
    """
    try:
        yield
    except ModelError as error:
        label = itemgates.model_label_of(item, session)
        if not item.config.stash.setdefault(BROKEN, {}).setdefault(label, item.nodeid) == item.nodeid:
            # What needs no answer of the model is still measured; the others would only say the same once more.
            raise pytest.skip.Exception(f"{label} does not answer as a model must, as {item.config.stash[BROKEN][label]} says") from None
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except ClipError as error:
        if isinstance(error, CacheError):
            # One error for the one thing that is wrong, not one for each gate that is still to come.
            item.session.shouldfail = "the cache cannot be used, so no other gate is measured"
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except pytest.skip.Exception as skip:
        gate = itemgates.gate_of(item)
        if gate is None or itemgates.is_lacking(item):
            raise
        if session.settings.limit is not None and str(skip.msg).startswith(BY_LIMIT):
            raise  # a part of the data was asked for: neither the model nor the data breaks a promise, and nothing is green
        if session.role_of(itemgates.model_label_of(item, session)) is not None:
            raise
        model, data = itemgates.model_label_of(item, session), itemgates.data_label_of(item, session)
        from pytest_clip.gates.layers import SHIPPED

        rule = session.rule_for(gate, model, data)
        sources = [bound.source for bound in rule.bounds.values()] if rule is not None else []
        source = next((each for each in sources if not each.startswith(f"{SHIPPED}:")), None)
        if source is None:
            raise
        raise pytest.fail.Exception(f"{gate}: rule {source} was never measured: {skip.msg}", pytrace=False) from None
