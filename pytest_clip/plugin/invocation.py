"""What was typed on the command line, and what pytest therefore collects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pytest_clip.plugin.suites as suites
from pytest_clip.plugin.options import PARSER
from pytest_clip.session import onrequest

if TYPE_CHECKING:
    from pytest_clip.session.run import ClipSession

# What a person can type to run a part of the tests on purpose.
NARROWING = {
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "lf": "--lf",
    "stepwise": "--stepwise",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
}


# What makes pytest run nothing.
NOT_RUNNING = {"collectonly": "--collect-only", "setuponly": "--setup-only", "setupplan": "--setup-plan"}


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


def _typed(config: pytest.Config) -> Any:
    """What the command line alone says."""
    keeper = config.pluginmanager.get_plugin(PARSER)
    return keeper.parser.parse_known_args([str(arg) for arg in config.invocation_params.args]) if keeper is not None else config.option


def read_invocation(config: pytest.Config) -> Invocation:
    typed = _typed(config)
    paths = tuple(getattr(typed, "file_or_dir", None) or ())
    narrowed = [option for dest, option in NARROWING.items() if getattr(typed, dest, None)]
    return Invocation(
        paths,
        bool(getattr(typed, "clip_model", None) or getattr(typed, "clip_suite", None)),
        (*narrowed, *(["a node id"] if any("::" in path for path in paths) else [])),
    )


def not_running(config: pytest.Config) -> str | None:
    """The sentence for a project whose settings, not the person at the keyboard, keep every gate from being measured."""
    typed = _typed(config)
    added = [name for dest, name in NOT_RUNNING.items() if getattr(config.option, dest, False)]
    if not added or hasattr(config, "workerinput") or any(getattr(typed, dest, False) for dest in NOT_RUNNING):
        return None
    where = f"{config.inipath.name} or PYTEST_ADDOPTS" if config.inipath is not None else "PYTEST_ADDOPTS"
    return f"{where} adds {' and '.join(added)}, so no gate would be measured; take it out, or type it if that is meant"


def make_plan(session: ClipSession, invocation: Invocation, *, suites_asked: bool) -> Plan:
    if not (suites_asked or (invocation.asks_for_clip and not invocation.paths)):
        return Plan(narrowed_by=invocation.narrowed_by)
    names = suites.choose_suites(session.settings, gated=onrequest.gated(session))
    return Plan(names, frozenset(names), invocation.narrowed_by)


def set_arguments(config: pytest.Config, plan: Plan, invocation: Invocation) -> None:
    """Point pytest at the suites; nothing that ``testpaths`` or ``addopts`` would have added runs with them.

    This happens after rootdir, ini file and ``conftest.py`` have been found, so they stay the project's own.
    """
    if plan.suites and not invocation.paths:
        config.args[:] = [str(suites.SUITES)]
        config.args_source = config.ArgsSource.ARGS
        config.option.pyargs = False  # the argument is a folder now
        return
    config.args[:] = [_shipped(arg, config.invocation_params.dir) for arg in config.args]
    if plan.suites:
        config.args.append(str(suites.SUITES))


def _shipped(arg: str, here: Path) -> str:
    """``suites/test_ood.py::...`` as a report prints it, anywhere: the shipped file when the project has none of that name."""
    path, colons, rest = arg.partition("::")
    own = suites.SUITES.parent / path
    return f"{own}{colons}{rest}" if path.startswith("suites/") and not (here / path).exists() and own.exists() else arg


def added(config: pytest.Config) -> list[tuple[str, Any]]:
    """What narrows the run without having been typed: the option's name in pytest and its value."""
    return [(dest, value) for dest in NARROWING if (value := getattr(config.option, dest, None)) and dest != "stepwise"]
