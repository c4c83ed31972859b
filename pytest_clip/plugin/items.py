"""What an item measures: its gate, the model and the data set, and the image sets that the gates of a run name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from pytest_clip import ClipError
from pytest_clip.session.choices import Case
from pytest_clip.session.run import ClipSession


def marked_gate(node: pytest.Item | Any) -> str | None:
    """The id in ``@pytest.mark.clip_gate("suite/metric")``, or None for a test without that marker."""
    mark = node.get_closest_marker("clip_gate")
    if mark is None:
        return None
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], str):
        raise ClipError(f'{node.nodeid}: @pytest.mark.clip_gate takes one gate id, such as clip_gate("accuracy/top1")')
    return str(mark.args[0])


def gate_of(item: pytest.Item) -> Any:
    """The gate id that ``item`` must measure, or None."""
    from pytest_clip.gates.ids import GateId

    if (text := marked_gate(item)) is None:
        return None
    params = item.callspec.params if hasattr(item, "callspec") else {}
    case = params.get("clip_case")
    return case.gate if isinstance(case, Case) else GateId.parse(_filled(text, params, item.nodeid))


def _filled(text: str, params: Mapping[str, object], nodeid: str) -> str:
    """``clip_gate("shop/top1[{town}]")`` takes its slice from the test's own parameters."""
    try:
        return text.format(**params)
    except (KeyError, IndexError, ValueError, AttributeError):
        names = ", ".join(params) or "none"
        raise ClipError(f"{nodeid}: clip_gate({text!r}) names what is no parameter of the test; its parameters: {names}") from None


class Reason(str):
    """Why pytest-clip itself skips a test; a skip with any other reason is the project's."""


def skip(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.skip(reason=Reason(reason))


def skipped_by_the_project(item: pytest.Item) -> bool:
    """Whether a mark skips a test that neither its file nor pytest-clip has put on it."""
    places = (getattr(item, "obj", None), getattr(item, "cls", None), getattr(item, "module", None))
    written = [mark for place in places for mark in _marks(getattr(place, "pytestmark", ()))]
    marks = [*item.iter_markers("skip"), *item.iter_markers("skipif")]
    return any(not isinstance(mark.kwargs.get("reason"), Reason) and mark not in written for mark in marks)


def _marks(marks: Any) -> list[Any]:
    return [getattr(mark, "mark", mark) for mark in (marks if isinstance(marks, list | tuple) else [marks])]


def is_lacking(item: pytest.Item) -> bool:
    """Whether ``item`` only says which image sets are not there."""
    case = getattr(item, "callspec", None) and item.callspec.params.get("clip_case")  # type: ignore[attr-defined]
    return isinstance(case, Case) and case.lacking


def model_label_of(item: pytest.Item, session: ClipSession) -> str:
    choice = param(item, "clip_model")
    return str(choice.label) if choice is not None else session.judged[0].label


def data_label_of(item: pytest.Item, session: ClipSession) -> str:
    choice = param(item, "clip_data")
    return str(choice.label) if choice is not None else session.data[0].label


def param(item: pytest.Item, name: str) -> Any:
    callspec = getattr(item, "callspec", None)
    value = callspec.params.get(name) if callspec is not None else None
    return value if hasattr(value, "label") else None


def slices_of(items: Iterable[pytest.Item]) -> tuple[str, ...]:
    """The image sets that the tests of this run name, ``clean`` first: what is rendered together is rendered on all cores."""
    from pytest_clip.gates.catalog import CATALOG

    names = ["clean"]
    for item in items:
        case = item.callspec.params.get("clip_case") if hasattr(item, "callspec") else None
        if isinstance(case, Case) and case.slice is not None:
            metric = CATALOG.get(case.gate.metric_id)
            by_view = metric is not None and case.slice in metric.slices
            names += [name for name in metric.over if not name.startswith("role:")] if metric is not None and by_view else [case.slice]
    return tuple(dict.fromkeys(names))


def sets_asked(items: Iterable[pytest.Item], session: ClipSession) -> dict[str, tuple[str, ...]]:
    """By data set the image sets that the gates of this run are numbers of."""
    asked: dict[str, dict[str, None]] = {choice.label: {} for choice in session.data}
    for item in items:
        if "clip_data" not in getattr(item, "fixturenames", ()) or item.get_closest_marker("skip") is not None:
            continue
        if (gate := gate_of(item)) is not None and (label := data_label_of(item, session)) in asked:
            asked[label] |= dict.fromkeys(session.reach.behind(gate, label))
    return {label: tuple(names) for label, names in asked.items()}
