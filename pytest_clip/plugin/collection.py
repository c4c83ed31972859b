"""Which tests run: finding the shipped suites, making them immune to the project's own collection settings, expanding gates into items."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_clip import ClipError
from pytest_clip.itemgates import marked_gate, model_label_of, param
from pytest_clip.options import ALL_SUITES, PARSER
from pytest_clip.session import Case, ClipSession, DataChoice
from pytest_clip.settings import Settings

PACKAGE = Path(__file__).parent
#: The suites lie inside the package in a wheel, and beside it in the repository and its editable installs.
SUITES = next((path for path in (PACKAGE / "suites", PACKAGE.parent / "suites") if path.is_dir()), PACKAGE / "suites")

# What a person can type to run a part of the tests on purpose.
_NARROWING = {
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "lf": "--lf",
    "stepwise": "--stepwise",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
}


@dataclass(frozen=True)
class Invocation:
    """What was typed on the command line itself, apart from what ``addopts`` and ``testpaths`` add to it."""

    paths: tuple[str, ...]
    asks_for_clip: bool
    narrowed_by: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """``suites`` are the shipped suites that must be collected, ``only`` the names that may be (None: any)."""

    suites: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    narrowed_by: tuple[str, ...] = ()


def read_invocation(config: pytest.Config) -> Invocation:
    keeper = config.pluginmanager.get_plugin(PARSER)
    typed = keeper.parser.parse_known_args([str(arg) for arg in config.invocation_params.args]) if keeper is not None else config.option
    paths = tuple(getattr(typed, "file_or_dir", None) or ())
    narrowed = [option for dest, option in _NARROWING.items() if getattr(typed, dest, None)]
    return Invocation(
        paths,
        bool(getattr(typed, "clip_model", None) or getattr(typed, "clip_suite", None)),
        (*narrowed, *(["a node id"] if any("::" in path for path in paths) else [])),
    )


def available_suites() -> tuple[str, ...]:
    return tuple(sorted(path.stem.removeprefix("test_") for path in SUITES.glob("test_*.py")))


def choose_suites(settings: Settings, *, option: str = "--clip-suite") -> tuple[str, ...]:
    """The suites that the user named, or all of them."""
    from pytest_clip.gates.catalog import did_you_mean

    names = available_suites()
    if not names:
        raise ClipError(f"no suite was found in {SUITES}; reinstall pytest-clip")
    if settings.suites is None or ALL_SUITES in settings.suites:
        return names
    for name in settings.suites:
        if name not in names:
            raise ClipError(f"{option}: no suite {name!r}{did_you_mean(name, names)}; there is {', '.join(names)}")
    return settings.suites


def make_plan(settings: Settings, invocation: Invocation, *, suites_asked: bool) -> Plan:
    if not (suites_asked or (invocation.asks_for_clip and not invocation.paths)):
        return Plan(narrowed_by=invocation.narrowed_by)
    suites = choose_suites(settings)
    return Plan(suites, frozenset(suites), invocation.narrowed_by)


def set_arguments(config: pytest.Config, plan: Plan, invocation: Invocation) -> None:
    """Point pytest at the suites; nothing that ``testpaths`` or ``addopts`` would have added runs with them.

    This happens after rootdir, ini file and ``conftest.py`` have been found, so they stay the project's own.
    """
    if plan.suites and not invocation.paths:
        config.args[:] = [str(SUITES)]
        config.args_source = config.ArgsSource.ARGS
        config.option.pyargs = False  # the argument is a folder now
        return
    config.args[:] = [_shipped(arg, config.invocation_params.dir) for arg in config.args]
    if plan.suites:
        config.args.append(str(SUITES))


def _shipped(arg: str, here: Path) -> str:
    """``suites/test_ood.py::...`` as a report prints it, anywhere: the shipped file when the project has none of that name."""
    path, colons, rest = arg.partition("::")
    own = SUITES.parent / path
    return f"{own}{colons}{rest}" if path.startswith("suites/") and not (here / path).exists() and own.exists() else arg


def is_suite_file(path: Path) -> bool:
    if path.suffix != ".py" or not path.name.startswith("test_") or path.parent.name != SUITES.name:
        return False
    return path.parent == SUITES or path.parent.resolve() == SUITES.resolve()


class SuiteModule(pytest.Module):
    """A shipped suite. Its node id is ``suites/test_<name>.py`` wherever it is installed, and the project's ``python_files``,
    ``python_functions`` and ``filterwarnings`` do not reach into it."""

    @classmethod
    def of(cls, path: Path, parent: pytest.Collector) -> SuiteModule:
        module: SuiteModule = cls.from_parent(parent, path=path, nodeid=f"suites/{path.name}")
        # A project may turn warnings into errors; those of torch and open_clip are no property of the checkpoint.
        module.add_marker(pytest.mark.filterwarnings("default"))
        return module

    @property
    def suite(self) -> str:
        return self.path.stem.removeprefix("test_")

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        return [node for node in super().collect() if not _meant_for_other_data(node)]

    def funcnamefilter(self, name: str) -> bool:
        return name.startswith("test_")

    def classnamefilter(self, name: str) -> bool:
        return name.startswith("Test")


class SuiteWithoutModel(SuiteModule):
    """The shipped suites were named as a path, but no model: that must not look like a run in which nothing failed."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        raise self.CollectError(f"{self.path.name} measures a model and none is named; add --clip-model=NAME[,PRETRAINED]")


def expand(metafunc: pytest.Metafunc, session: ClipSession) -> None:
    """One item per model, data set and slice. The ids of the parameters together are ``<model>-<data>-<gate id>``."""
    names = metafunc.fixturenames
    done = {name for mark in metafunc.definition.iter_markers("parametrize") for name in _argnames(mark)}
    text = marked_gate(metafunc.definition)
    # Session scope keeps the items of one model together; anything narrower would load the model again for every test.
    if "clip_model" in names and "clip_model" not in done:
        choices = [*session.models, *(session.copies if text is not None else ())]
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


def _cases(text: str, data: DataChoice, session: ClipSession) -> list[tuple[Case, Sequence[pytest.MarkDecorator]]]:
    from pytest_clip.gates.catalog import CATALOG
    from pytest_clip.gates.ids import GateId

    if text not in CATALOG:  # a project's own gate, or one slice of a shipped one
        return [(Case(GateId.parse(text)), ())]
    cases: list[tuple[Case, Sequence[pytest.MarkDecorator]]] = [(Case(gate), ()) for gate in session.gates(text, data)]
    cases += [(Case(gate), (pytest.mark.skip(reason=reason),)) for gate, reason in session.gates_out_of_reach(text, data)]
    if lacking := session.lacking(text, data):
        here = bool(cases)  # then it breaks no promise of a rule for the whole metric
        return [*cases, (Case(GateId.parse(text), lacking=here), (pytest.mark.skip(reason=f"{data.label} has no {lacking}"),))]
    if cases or CATALOG[text].imagenet or CATALOG[text].particular:
        return cases
    return [(Case(GateId.parse(text)), (pytest.mark.skip(reason=session.nothing_for(text, data)),))]


def _meant_for_other_data(item: pytest.Item | pytest.Collector) -> bool:
    """Whether the gate of a suite's test exists on none of the data sets of the run, because none of them is of its kind."""
    from pytest_clip.gates.catalog import CATALOG

    text = marked_gate(item)
    callspec = getattr(item, "callspec", None)
    if text not in CATALOG or not (CATALOG[text].imagenet or CATALOG[text].particular) or callspec is None:
        return False
    return not isinstance(callspec.params.get("clip_case"), Case)


def _argnames(mark: pytest.Mark) -> list[str]:
    names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def suite_of(item: pytest.Item) -> str | None:
    """The shipped suite an item belongs to."""
    module = item.getparent(SuiteModule)
    return module.suite if module is not None else None


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
    added = [f"{_NARROWING[dest]} {shlex.quote(str(value))}" for dest, value in _added(config)]
    cause = f"{where} adds {' and '.join(added)}" if added else f"a plugin, a conftest.py or {where} takes them out"
    verb = "were deselected" if lost else "was collected"
    return (
        f"{what} of {of} {verb}: {cause}. A gate that does not run looks like a gate that passed; "
        "choose with --clip-suite, -k or -m on the command line"
    )


def _added(config: pytest.Config) -> list[tuple[str, Any]]:
    return [(dest, value) for dest in _NARROWING if (value := getattr(config.option, dest, None)) and dest != "stepwise"]


class NeverMeasured(pytest.Item):
    """A failing item for something that was asked for and that no test of this run measures."""

    message: str
    line: tuple[Path, int] | None

    @classmethod
    def of(cls, session: pytest.Session, *, suite: str, name: str, message: str, line: tuple[Path, int] | None = None) -> NeverMeasured:
        item: NeverMeasured = cls.from_parent(session, name=name, nodeid=f"suites/test_{suite}.py::{name}")
        item.message, item.line = message, line
        return item

    def runtest(self) -> None:
        pytest.fail(self.message, pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        if self.line is None:
            return SUITES, None, self.name
        return self.line[0], self.line[1] - 1, self.name
