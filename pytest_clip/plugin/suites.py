"""Where the shipped suites lie, and how they are collected: immune to the project's own collection settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.plugin.items import marked_gate
from pytest_clip.plugin.options import ALL_SUITES
from pytest_clip.session import onrequest, paths
from pytest_clip.session.choices import Case
from pytest_clip.session.settings import Settings

PACKAGE = Path(__file__).parents[1]
LMM = "lmm"
"""The suite that needs a large multimodal model, and is measured only with one."""
#: The suites lie inside the package in a wheel, and beside it in the repository and its editable installs.
SUITES = next((path for path in (PACKAGE / "suites", PACKAGE.parent / "suites") if path.is_dir()), PACKAGE / "suites")


def available_suites() -> tuple[str, ...]:
    return tuple(sorted(path.stem.removeprefix("test_") for path in SUITES.glob("test_*.py")))


def choose_suites(settings: Settings, *, gated: Collection[str] = (), option: str = "--clip-suite") -> tuple[str, ...]:
    """The suites that the user named, or all of them; those that need a path of weights or an LMM only where there is one, and those that
    run on request only where they are named, too, or ``gated`` by a rule of the project."""
    from pytest_clip.gates.catalog import did_you_mean

    names = available_suites()
    if not names:
        raise ClipError(f"no suite was found in {SUITES}; reinstall pytest-clip")
    without = {paths.SUITE: not paths.asked(settings), LMM: settings.lmm is None}
    if settings.suites is None or ALL_SUITES in settings.suites:
        without |= dict.fromkeys({*onrequest.SUITES} - {*gated, *(settings.suites or ())}, True)
        return tuple(name for name in names if not without.get(name, False))
    for name in settings.suites:
        if name not in names:
            raise ClipError(f"{option}: no suite {name!r}{did_you_mean(name, names)}; there is {', '.join(names)}")
    if LMM in settings.suites and settings.lmm is None and option == "--clip-suite":
        raise ClipError(f"the suite {LMM} asks a large multimodal model, and none is named; add --clip-lmm=ID-or-PATH")
    return settings.suites


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


def suite_of(item: pytest.Item) -> str | None:
    """The shipped suite an item belongs to."""
    module = item.getparent(SuiteModule)
    return module.suite if module is not None else None


def _meant_for_other_data(item: pytest.Item | pytest.Collector) -> bool:
    """Whether the gate of a suite's test exists on none of the data sets of the run, because none of them is of its kind."""
    from pytest_clip.gates.catalog import CATALOG

    text = marked_gate(item)
    callspec = getattr(item, "callspec", None)
    if text not in CATALOG or not (CATALOG[text].imagenet or CATALOG[text].particular) or callspec is None:
        return False
    return not isinstance(callspec.params.get("clip_case"), Case)
