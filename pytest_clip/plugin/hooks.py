"""The entry point: imported in every pytest session of every project that has pytest-clip installed, so it does next to nothing there.

Without a model nothing but options, markers and fixtures is registered. With one, the run object goes on ``config.stash`` and the hooks
that judge and report are registered as :class:`pytest_clip.plugin.gating.Gating`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

import pytest_clip.plugin.hookspecs as hookspecs
import pytest_clip.plugin.xdist as xdist
from pytest_clip import ClipError
from pytest_clip.plugin.keys import MUTATING, PLAN, SESSION, running
from pytest_clip.plugin.options import PARSER, ParserKeeper, add_options

MARKERS = (
    "clip_suite(name): the tests of one shipped suite, or of a suite of your own",
    "clip_gate(id): the test measures this gate (suite/metric) and fails when it does not; it runs once per model, data set and slice",
    "clip_slow: takes minutes on a laptop",
    "clip_gpu: needs a CUDA device",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    add_options(parser)
    pluginmanager.register(ParserKeeper(parser), PARSER)
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
    from pytest_clip.plugin.making import makes_models
    from pytest_clip.plugin.resolve import resolve
    from pytest_clip.plugin.suites import choose_suites
    from pytest_clip.report import listing
    from pytest_clip.session import onrequest
    from pytest_clip.session.start import start

    settings = resolve(config)
    try:
        session = start(settings, check=lambda: choose_suites(settings), ours=False, hooked=makes_models(config))  # nothing will be loaded
        suites = choose_suites(settings, gated=onrequest.gated(session))
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
    from pytest_clip.extract import inuse
    from pytest_clip.plugin.closing import Closing
    from pytest_clip.plugin.gating import Gating
    from pytest_clip.plugin.heartbeat import begin
    from pytest_clip.plugin.invocation import make_plan, not_running, read_invocation, set_arguments
    from pytest_clip.plugin.making import make_model, makes_models
    from pytest_clip.plugin.progress import terminal_progress
    from pytest_clip.plugin.reporting import Reporting
    from pytest_clip.plugin.resolve import resolve
    from pytest_clip.plugin.suites import choose_suites
    from pytest_clip.plugin.testcases import Testcases
    from pytest_clip.session.start import start

    settings = resolve(config)
    xdist.settle_worker(config, settings.device)
    beat = begin(config)
    if settings.update and not xdist.is_worker(config):
        from pytest_clip.session import updating

        updating.refuse(settings, environ=os.environ, workers=xdist.has_workers(config))
    if not settings.models:
        asked = "suite" if config.option.clip_suite else "mutants"
        raise ClipError(f"--clip-{asked} needs a model to measure; add --clip-model=NAME[,PRETRAINED]")
    if settings.cache or settings.cache_dir.is_dir():
        inuse.hold(settings.cache_dir)
        config.add_cleanup(lambda: inuse.release(settings.cache_dir))
    invocation = read_invocation(config)
    session = start(settings, check=lambda: choose_suites(settings), ours=not (invocation.paths or makes_models(config)), hooked=True)
    if settings.executor.startswith("ray:") and not xdist.is_worker(config):
        from pytest_clip.extract import cluster

        cluster.check(settings.executor.partition(":")[2])
    plan = make_plan(session, invocation, suites_asked=bool(config.option.clip_suite))
    set_arguments(config, plan, invocation)
    if (problem := not_running(config)) is not None:
        raise ClipError(problem)
    session.progress = terminal_progress(config, beat)
    config.stash[SESSION], config.stash[PLAN] = session, plan
    reporting = Reporting(config, session, plan)
    for each in (reporting, Testcases(config, settings.junit), Gating(config, session, plan, reporting)):
        config.pluginmanager.register(each)
    if session.copies:
        from pytest_clip.plugin.mutants import Mutating

        mutating = Mutating(config, session, lambda choice: make_model(config, session, choice))
        reporting.more = mutating.records
        config.pluginmanager.register(mutating)
        config.stash[MUTATING] = mutating
    if session.regressions is not None:
        from pytest_clip.plugin.saving import Saving

        config.pluginmanager.register(Saving(config, session, session.regressions, reporting))
    config.pluginmanager.register(Closing(config, session, reporting))


@pytest.hookimpl(tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of our own package only the suites are tests, whatever the project's ``python_files`` says."""
    if running(config) is None:
        return None
    import pytest_clip.plugin.suites as suites

    if not collection_path.is_relative_to(suites.PACKAGE):
        return None
    inside = collection_path.is_relative_to(suites.SUITES) or suites.SUITES.is_relative_to(collection_path)
    return None if inside else True


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Around the others, to put one collector of ours in place of whatever the project's settings make of a suite's file."""
    collectors = yield
    if file_path.parent.name != "suites":  # nearly all files of nearly all projects
        return collectors
    import pytest_clip.plugin.suites as suites

    if not suites.is_suite_file(file_path):
        return collectors
    if running(parent.config) is None:
        return [suites.SuiteWithoutModel.of(file_path, parent)]
    only = parent.config.stash[PLAN].only
    module = suites.SuiteModule.of(file_path, parent)
    return [module] if only is None or module.suite in only or parent.session.isinitpath(file_path) else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    session = running(metafunc.config)
    if session is None:
        return
    from pytest_clip.plugin.collection import expand

    try:
        expand(metafunc, session)
    except ClipError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    from pytest_clip.plugin.resolve import resolve

    return xdist.auto_workers(resolve(config).device) if _asked(config) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    session = running(config)
    if session is None or not getattr(config.option, "clip_dist", False):
        return None
    from pytest_clip.plugin.scheduling import ByAnswers

    baseline = next((choice.label for choice in session.models if choice.role == "baseline"), None)
    return ByAnswers(config, log, baseline=baseline, models=[choice.label for choice in session.judged])
