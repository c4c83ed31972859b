"""Which tests run: gates are expanded into items, put in order, and missed where the project's settings have taken them away."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence

import pytest

from pytest_clip.plugin.invocation import NARROWING, Plan, added
from pytest_clip.plugin.items import marked_gate, model_label_of, param, skip
from pytest_clip.plugin.suites import suite_of
from pytest_clip.session import paths
from pytest_clip.session.choices import Case, DataChoice
from pytest_clip.session.run import ClipSession


def expand(metafunc: pytest.Metafunc, session: ClipSession) -> None:
    """One item per model, data set and slice. The ids of the parameters together are ``<model>-<data>-<gate id>``."""
    names = metafunc.fixturenames
    done = {name for mark in metafunc.definition.iter_markers("parametrize") for name in _argnames(mark)}
    text = marked_gate(metafunc.definition)
    if text is not None and _of_path(text):
        _expand_path(metafunc, text, session)
        return
    # Session scope keeps the items of one model together; anything narrower would load the model again for every test.
    if "clip_model" in names and "clip_model" not in done:
        # A damaged copy has distractors of its own, so an LMM would be asked everything anew for each.
        choices = [*session.models, *(session.copies if text is not None and not text.startswith("lmm/") else ())]
        metafunc.parametrize("clip_model", choices, ids=[choice.label for choice in choices], indirect=True, scope="session")
    wants_data = "clip_data" in names and "clip_data" not in done
    wants_case = text is not None and "{" not in text and "clip_case" in names and "clip_case" not in done
    cases = {data: _cases(text, data, session) for data in session.data} if wants_case and text is not None else {}
    if wants_data and wants_case and len({tuple(case for case, _ in each) for each in cases.values()}) > 1:
        # The data sets have different slices: only the pairs that exist.
        pairs = [(data, case, marks) for data, each in cases.items() for case, marks in each]
        values = [pytest.param(data, case, marks=marks) for data, case, marks in pairs]
        ids = [f"{data.label}-{case.gate}" for data, case, _ in pairs]
        metafunc.parametrize("clip_data,clip_case", values, ids=ids, indirect=["clip_data"], scope="session")
        return
    if wants_data:
        metafunc.parametrize("clip_data", list(session.data), ids=[data.label for data in session.data], indirect=True, scope="session")
    if wants_case:
        own = cases[session.data[0]]
        prefix = "" if wants_data else f"{session.data[0].label}-"
        metafunc.parametrize(
            "clip_case", [pytest.param(case, marks=marks) for case, marks in own], ids=[f"{prefix}{case.gate}" for case, _ in own]
        )


def _of_path(text: str) -> bool:
    from pytest_clip.gates.catalog import CATALOG

    return text in CATALOG and CATALOG[text].of_path


def _expand_path(metafunc: pytest.Metafunc, text: str, session: ClipSession) -> None:
    """The end of each path of weights has the gate, and no other model; without a path one item says so."""
    from pytest_clip.gates.ids import GateId

    found = [path.end for path in paths.of(session.models).values()]
    values = [(end, data, case, marks) for end in found for data in session.data for case, marks in _cases(text, data, session)]
    if not found:
        values = [(session.judged[0], session.data[0], Case(GateId.parse(text)), (skip(paths.NO_PATH),))]
    metafunc.parametrize(
        "clip_model,clip_data,clip_case",
        [pytest.param(end, data, case, marks=marks) for end, data, case, marks in values],
        ids=[f"{end.label}-{data.label}-{case.gate}" for end, data, case, _ in values],
        indirect=["clip_model", "clip_data"],
        scope="session",
    )


def _cases(text: str, data: DataChoice, session: ClipSession) -> list[tuple[Case, Sequence[pytest.MarkDecorator]]]:
    from pytest_clip.gates.catalog import CATALOG
    from pytest_clip.gates.ids import GateId

    if text not in CATALOG:  # a project's own gate, or one slice of a shipped one
        return [(Case(GateId.parse(text)), ())]
    cases: list[tuple[Case, Sequence[pytest.MarkDecorator]]] = [(Case(gate), ()) for gate in session.reach.gates(text, data)]
    cases += [(Case(gate), (skip(reason),)) for gate, reason in session.reach.out(text, data)]
    if lacking := session.reach.lacking(text, data):
        here = bool(cases)  # then it breaks no promise of a rule for the whole metric
        return [*cases, (Case(GateId.parse(text), lacking=here), (skip(f"{data.label} has no {lacking}"),))]
    if cases or CATALOG[text].imagenet or CATALOG[text].particular:
        return cases
    return [(Case(GateId.parse(text)), (skip(session.reach.nothing_for(text, data)),))]


def _argnames(mark: pytest.Mark) -> list[str]:
    names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def put_in_order(items: list[pytest.Item], before: Sequence[pytest.Item], session: ClipSession) -> None:
    """Shipped suites in the order of their files (pytest moves tests that need no data set to the end), and all that use a model by model,
    so that one model is in memory at a time. ``before`` is the order of collection. Other tests stay where they are."""
    collected = {item: at for at, item in enumerate(before)}
    models = {choice.label: at for at, choice in enumerate(session.models)}
    _sort_in_place(items, [item for item in items if suite_of(item) is not None], lambda item: collected.get(item, len(collected)))
    _sort_in_place(
        items,
        [item for item in items if param(item, "clip_model") is not None],
        lambda item: models.get(model_label_of(item, session), len(models)),
    )


def _sort_in_place(items: list[pytest.Item], some: Sequence[pytest.Item], key: Callable[[pytest.Item], int]) -> None:
    """Sort ``some`` of ``items`` among the places that they hold, stably."""
    chosen = set(some)
    places = [at for at, item in enumerate(items) if item in chosen]
    for at, item in zip(places, sorted(some, key=key), strict=True):
        items[at] = item


def missing(plan: Plan, before: Collection[pytest.Item], after: Collection[pytest.Item], config: pytest.Config) -> str | None:
    """The sentence for shipped suites that the project's settings, not the person at the keyboard, have taken out of the run."""
    if plan.narrowed_by:
        return None
    kept = set(after)
    lost = [item for item in before if item not in kept and suite_of(item) in plan.suites]
    absent = [suite for suite in plan.suites if suite not in {suite_of(item) for item in after}]
    if not lost and not absent:
        return None
    what = f"{len(lost)} of {len(lost) + len([item for item in after if suite_of(item)])} gates" if lost else "no test"
    of = f"the suite{'s' * (len(absent) > 1)} {', '.join(absent)}" if absent else "the shipped suites"
    where = config.inipath.name if config.inipath is not None else "PYTEST_ADDOPTS"
    told = [f"{NARROWING[dest]} {shlex.quote(str(value))}" for dest, value in added(config)]
    cause = f"{where} adds {' and '.join(told)}" if told else f"a plugin, a conftest.py or {where} takes them out"
    verb = "were deselected" if lost else "was collected"
    return (
        f"{what} of {of} {verb}: {cause}. A gate that does not run looks like a gate that passed; "
        "choose with --clip-suite, -k or -m on the command line"
    )
