"""The plugin is installed in projects that never name a model. There it must not be noticed."""

from __future__ import annotations

import sys

import pytest

HEAVY = ("torch", "torchvision", "numpy", "scipy", "open_clip", "matplotlib", "PIL", "hypothesis", "jinja2", "safetensors", "filelock")
SPY = "\nimport sys\ndef pytest_unconfigure(config):\n    print('LOADED', *sorted(set({names}) & set(sys.modules)), file=sys.__stdout__)\n"


def loaded(result: pytest.RunResult) -> list[str]:
    (line,) = [line for line in result.outlines if line.startswith("LOADED")]
    return line.split()[1:]


@pytest.fixture
def spied(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # other plugins may import what they like
    pytester.makepyfile(test_own="def test_own(): pass")
    return pytester


@pytest.mark.parametrize("args", [[], ["--co"], ["--help"]])
def test_without_a_model_nothing_heavy_is_imported_and_nothing_is_printed(spied, args):
    spied.makeconftest(SPY.format(names=HEAVY))
    result = spied.runpytest_subprocess("-p", "clip", "-W", "error", "--strict-markers", *args)
    assert result.ret == 0
    assert loaded(result) == []
    if args != ["--help"]:
        plugins = [line for line in result.outlines if not line.startswith("plugins:")]
        assert "clip" not in "\n".join(plugins).lower().replace(str(spied.path).lower(), "")


def test_without_a_model_the_plugin_itself_stays_mostly_unloaded(spied):
    own = ("collection", "session", "gating", "gates.catalog", "report.terminal", "report.json", "models.spec")
    spied.makeconftest(SPY.format(names=tuple(f"pytest_clip.{name}" for name in own)))
    assert loaded(spied.runpytest_subprocess("-p", "clip")) == []


def test_the_check_above_can_fail(spied):
    spied.makeconftest("import filelock" + SPY.format(names=HEAVY))
    assert loaded(spied.runpytest_subprocess("-p", "clip")) == ["filelock"]


@pytest.mark.parametrize("args", [["--clip-list"], ["--collect-only", "-q"]])
def test_looking_at_what_would_run_imports_nothing_heavy(world, args):
    world.conftest(SPY.format(names=HEAVY).replace("pytest_unconfigure(config)", "pytest_sessionfinish()"))
    world.suites(test_zz="import atexit, sys\n")
    if args == ["--clip-list"]:  # there is no session to finish
        world.conftest(f"import atexit, sys\natexit.register(lambda: print('LOADED', *sorted(set({HEAVY}) & set(sys.modules))))")
    result = world.run_process("--clip-model=stub", "--clip-suite=accuracy,ood", *args)
    assert result.ret == 0
    assert loaded(result) == []


def test_the_modules_that_every_run_imports_are_few():
    """Each one costs every project that has the plugin installed, on every run."""
    code = "import pytest, sys; before = set(sys.modules); import pytest_clip.plugin; print(*sorted(set(sys.modules) - before))"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "pytest_clip",
        "pytest_clip.models",
        "pytest_clip.models.kinds",
        "pytest_clip.plugin",
        "pytest_clip.plugin.checks",
        "pytest_clip.plugin.factoroption",
        "pytest_clip.plugin.fixtures",
        "pytest_clip.plugin.hooks",
        "pytest_clip.plugin.hookspecs",
        "pytest_clip.plugin.keys",
        "pytest_clip.plugin.options",
        "pytest_clip.plugin.optiontable",
        "pytest_clip.plugin.xdist",
    ]


LISTED = """
import sys
import pytest
status = pytest.main(["-p", "clip", "-p", "no:cacheprovider", "--clip-model=scenes-rn", "--clip-list"])
print("LOADED", *sorted(set({names}) & set(sys.modules)))
sys.exit(status)
"""


def test_the_list_of_the_embedded_benchmark_imports_nothing_heavy(spied):
    """The real data, the real rules and a real name of a model."""
    (spied.path / "listed.py").write_text(LISTED.format(names=(*HEAVY, "pandas", "sklearn", "timm", "transformers", "tomlkit")))
    result = spied.runpython(spied.path / "listed.py")
    assert result.ret == 0
    assert any(line.startswith("suite accuracy on scenes") for line in result.outlines)
    assert loaded(result) == []


def test_help_imports_only_what_help_needs(spied):
    code = "import sys\nfrom pytest_clip.cli.main import main\ntry:\n    main(['--help'])\nfinally:\n    print('LOADED', *sys.modules)"
    (spied.path / "helped.py").write_text(code)
    result = spied.runpython(spied.path / "helped.py")
    assert result.ret == 0
    modules = {name.partition(".")[0] for name in loaded(result)}
    assert not modules & {*HEAVY, "pytest", "_pytest", "pluggy", "tomllib", "tomlkit", "asyncio", "multiprocessing", "email", "http"}
    assert {name for name in loaded(result) if name.startswith("pytest_clip.")} <= {f"pytest_clip.{name}" for name in ALLOWED}


ALLOWED = (
    "cli", "cli.cache", "cli.data", "cli.init", "cli.listing", "cli.main", "cli.models", "cli.report", "cli.runs", "cli.scenes",
    "cli.study", "cli.train", "cli.words", "cli.written", "runs", "runs.names", "runs.place", "store",
)  # fmt: skip
"""Of our own modules: each costs every call of every command a millisecond."""


def test_markers_are_registered_without_a_model(pytester):
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.clip_suite(name): *", "@pytest.mark.clip_gate(id): *", "@pytest.mark.clip_slow: *"])


def test_the_fixtures_explain_themselves(pytester):
    result = pytester.runpytest_inprocess("--fixtures")
    for fixture in ("clip_model", "clip_data", "clip_case", "gate", "zero_shot"):
        result.stdout.fnmatch_lines([f"{fixture}*"])
    assert "no docstring available" not in result.stdout.str()[result.stdout.str().index("pytest_clip") :]
