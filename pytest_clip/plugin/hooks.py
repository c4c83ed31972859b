"""The entry point: imported in every pytest session of every project that has pytest-clip installed, so it does next to nothing there.

Without a model nothing but options, markers and fixtures is registered. With one, the run object goes on ``config.stash`` and the hooks
that judge and report are registered as :class:`pytest_clip.gating.Gating`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_clip import ClipError, _keys, hookspecs, options, xdist
from pytest_clip.fixtures import clip_case, clip_data, clip_extraction, clip_model, clip_settings, gate, zero_shot

__all__ = [
    "clip_case",
    "clip_data",
    "clip_extraction",
    "clip_model",
    "clip_settings",
    "gate",
    "zero_shot",
]

MARKERS = (
    "clip_suite(name): the tests of one shipped suite, or of a suite of your own",
    "clip_gate(id): the test measures this gate (suite/metric) and fails when it does not; it runs once per model, data set and slice",
    "clip_slow: takes minutes on a laptop",
    "clip_gpu: needs a CUDA device",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    options.add_options(parser)
    pluginmanager.register(options.ParserKeeper(parser), options.PARSER)
    pluginmanager.register(BeforeXdist(), "clip-before-xdist")


class BeforeXdist:
    """Hooks that must run around xdist's implementation of the same hook; a plain ``tryfirst`` would come after it."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        if _asked(config):
            xdist.keep_suites_whole(config)
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not config.option.clip_list:
        return None
    from pytest_clip import collection, starting
    from pytest_clip.report import listing
    from pytest_clip.resolve import resolve

    settings = resolve(config)
    try:
        session = starting.start(settings)
        suites = collection.choose_suites(settings)
    except ClipError as error:
        raise pytest.UsageError(str(error)) from None
    print("\n".join(listing.lines(session, suites)))
    return int(pytest.ExitCode.OK)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """First of all, because the arguments that pytest collects and the environment that torch reads are settled here."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if not _asked(config):
        return
    try:
        _start(config)
    except ClipError as error:
        raise pytest.UsageError(str(error)) from None


def _asked(config: pytest.Config) -> bool:
    option = config.option
    return bool(option.clip_model or option.clip_suite or option.clip_mutants or config.getini("clip_model"))


def _start(config: pytest.Config) -> None:
    from pytest_clip import collection, starting
    from pytest_clip.gating import Gating
    from pytest_clip.report.progress import terminal_progress
    from pytest_clip.resolve import resolve

    settings = resolve(config)
    xdist.settle_worker(config, settings.device)
    if settings.update and not xdist.is_worker(config):
        from pytest_clip import updating

        updating.refuse(settings, environ=os.environ, workers=xdist.has_workers(config))
    if not settings.models:
        option = "--clip-suite" if config.option.clip_suite else "--clip-mutants"
        raise ClipError(f"{option} needs a model to measure; add --clip-model=NAME[,PRETRAINED]")
    session = starting.start(settings)
    invocation = collection.read_invocation(config)
    plan = collection.make_plan(settings, invocation, suites_asked=bool(config.option.clip_suite))
    collection.set_arguments(config, plan, invocation)
    session.progress = terminal_progress(config)
    config.stash[_keys.SESSION] = session
    config.stash[_keys.PLAN] = plan
    gating = Gating(config, session, plan)
    config.pluginmanager.register(gating, Gating.NAME)
    if session.copies:
        from pytest_clip.fixtures import make_model
        from pytest_clip.mutating import Mutating

        mutating = Mutating(config, session, lambda choice: make_model(config, session, choice))
        gating.more = mutating.records
        config.pluginmanager.register(mutating, Mutating.NAME)
    if session.regressions is not None:
        from pytest_clip.saving import Saving

        config.pluginmanager.register(Saving(config, session, session.regressions, gating), Saving.NAME)


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of our own package only the suites are tests, whatever the project's ``python_files`` says."""
    if _keys.running(config) is None:
        return None
    from pytest_clip import collection

    if not collection_path.is_relative_to(collection.PACKAGE):
        return None
    inside = collection_path.is_relative_to(collection.SUITES) or collection.SUITES.is_relative_to(collection_path)
    return None if inside else True


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Around the others, to put one collector of ours in place of whatever the project's settings make of a suite's file."""
    collectors = yield
    if file_path.parent.name != "suites":  # nearly all files of nearly all projects
        return collectors
    from pytest_clip import collection

    if not collection.is_suite_file(file_path):
        return collectors
    if _keys.running(parent.config) is None:
        return [collection.SuiteWithoutModel.of(file_path, parent)]
    only = parent.config.stash[_keys.PLAN].only
    module = collection.SuiteModule.of(file_path, parent)
    return [module] if only is None or module.suite in only or parent.session.isinitpath(file_path) else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    session = _keys.running(metafunc.config)
    if session is None:
        return
    from pytest_clip import collection

    try:
        collection.expand(metafunc, session)
    except ClipError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    from pytest_clip.resolve import resolve

    return xdist.auto_workers(resolve(config).device) if _asked(config) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    session = _keys.running(config)
    if session is None or not getattr(config.option, "clip_dist", False):
        return None
    from pytest_clip.scheduling import ByAnswers

    baseline = next((choice.label for choice in session.models if choice.role == "baseline"), None)
    return ByAnswers(config, log, baseline=baseline, models=[choice.label for choice in session.judged])
