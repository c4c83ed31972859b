"""What becomes of an item that cannot measure its gate: one sentence for what the user can put right, a skip for what is nobody's fault."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

import pytest_clip.plugin.suites as shipped
from pytest_clip import CacheError, ClipError, ModelError
from pytest_clip.models.protocol import UnableError
from pytest_clip.plugin.items import Reason, data_label_of, gate_of, is_lacking, model_label_of, skipped_by_the_project
from pytest_clip.plugin.suites import suite_of
from pytest_clip.session import load
from pytest_clip.session.facts import BY_LIMIT
from pytest_clip.session.judge import rule_for
from pytest_clip.session.run import ClipSession

BROKEN: pytest.StashKey[dict[str, str]] = pytest.StashKey()
"""Models that do not answer as a model must, by label, with the item that has said why."""


def unloaded(item: pytest.Item, session: ClipSession) -> str | None:
    """Why an item is not run whose model could not be loaded; the first that asked for it has failed with the reason."""
    label = model_label_of(item, session)
    if "clip_model" not in getattr(item, "fixturenames", ()) or label not in session.unloaded:
        return None
    return f"the model {label} cannot be loaded, as its first gate says"


def emptied(item: pytest.Item, session: ClipSession) -> str | None:
    """Why the gate of an item has no image to be measured on, where that is the doing of --clip-limit. Asked before a model loads."""
    if "clip_data" not in getattr(item, "fixturenames", ()) or (gate := gate_of(item)) is None or gate.slice is None:
        return None
    label = data_label_of(item, session)
    choice = next(each for each in session.data if each.label == label)
    if gate.slice not in session.reach.behind(gate, label):
        return None
    data = load.data_of(session, choice)
    try:
        empty = hasattr(data, "images") and len(data.images(gate.slice)) == 0
    except ClipError as error:
        return str(error) if str(error).startswith(BY_LIMIT) else None  # anything else is said where it belongs
    return f"{BY_LIMIT}={session.settings.limit} leaves no image of {gate.slice}; raise it" if empty else None


def _of_the_project(item: pytest.Item, skip: BaseException) -> str | None:
    """Who skips a shipped gate, if that is neither its suite nor pytest-clip: a mark, or code of the project."""
    if isinstance(getattr(skip, "msg", None), Reason):
        return None
    trace, places = skip.__traceback__, list[Path]()
    while trace is not None:
        places.append(Path(trace.tb_frame.f_code.co_filename))
        trace = trace.tb_next
    last = next((path for path in reversed(places) if not {"_pytest", "pluggy"} & set(path.parts)), None)
    ours = last is None or last.is_relative_to(shipped.PACKAGE) or shipped.is_suite_file(last)
    if not ours:
        return f"{last} of the project"
    return "a mark of the project" if skipped_by_the_project(item) and last == Path(__file__) else None


def _without_ability(item: pytest.Item, session: ClipSession) -> Generator[None, None, None]:
    """A gate of a shipped suite that asks a model for what it cannot have (texts of one of class scores, gradients) is skipped, with one
    reason a suite."""
    try:
        yield
    except UnableError as error:
        if (suite := suite_of(item)) is None:
            raise
        raise pytest.skip.Exception(Reason(f"{suite}: what needs them is not measured: {error}")) from None


def guarded(item: pytest.Item, session: ClipSession) -> Generator[None, None, None]:
    """What the user can put right is one sentence, not a traceback; a skipped gate with a rule of the user's is not green.

    A shipped rule speaks about every model; one that cannot do what its suite needs breaks no promise of the user's.
    """
    try:
        yield from _without_ability(item, session)
    except ModelError as error:
        label = model_label_of(item, session)
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
        gate = gate_of(item)
        if gate is None or is_lacking(item):
            raise
        if suite_of(item) is not None and (whose := _of_the_project(item, skip)) is not None:
            how = "leave a gate out with --clip-suite or -k on the command line, or excuse it by a [[waiver]] in thresholds.toml"
            text = f"{gate}: {whose} skips it ({skip.msg}), and a gate that is skipped looks green; {how}"
            raise pytest.fail.Exception(text, pytrace=False) from None
        if session.settings.limit is not None and str(skip.msg).startswith(BY_LIMIT):
            raise  # a part of the data was asked for: neither the model nor the data breaks a promise, and nothing is green
        if session.role_of(model_label_of(item, session)) is not None or model_label_of(item, session) in session.unloaded:
            raise
        model, data = model_label_of(item, session), data_label_of(item, session)
        from pytest_clip.gates.layers import SHIPPED

        rule = rule_for(session, gate, model, data)
        sources = [bound.source for bound in rule.bounds.values()] if rule is not None else []
        source = next((each for each in sources if not each.startswith(f"{SHIPPED}:")), None)
        if source is None:
            raise
        raise pytest.fail.Exception(f"{gate}: rule {source} was never measured: {skip.msg}", pytrace=False) from None
