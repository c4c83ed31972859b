"""A small world for the plugin: stub suites, stub data and a stub model, so that nothing heavy is imported and a run takes no time."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from pathlib import Path

import numpy  # noqa: F401 - an inner run in this process takes its modules along when it ends, and numpy does not load twice
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import stub_world  # noqa: E402

# Inner runs in this process forget the modules they import; these they find here already, once for all.
_ONCE = (
    *("plugin.gating", "plugin.progress", "report.json", "report.listing", "session.start"),
    *("gates.thresholds", "gates.verdicts", "models.spec"),
)
for _module in _ONCE:
    importlib.import_module(f"pytest_clip.{_module}")

sys.path.remove(str(HERE))

# What a project's conftest.py holds here. The suites lie outside the project's folder, as they do in a wheel.
CONFTEST = """
import sys
sys.path.insert(0, {here!r})
import stub_world
stub_world.put({home!r})
del sys.path[0]

def pytest_clip_make_model(spec, config):
    return stub_world.make_model({home!r}, spec.text)
"""

SUITE = """
import pytest

pytestmark = pytest.mark.clip_suite("accuracy")

VALUES = {"clean": 0.9, "shift_far": 0.6}

@pytest.mark.clip_gate("accuracy/top1")
def test_top1(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, VALUES[clip_case.slice], n=100, ci=(0.5, 0.95), conventions={"prompts": "abc"})

@pytest.mark.clip_gate("accuracy/top5")
def test_top5(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 1.0, n=100)
"""

OOD = """
import pytest

pytestmark = pytest.mark.clip_suite("ood")

@pytest.mark.clip_gate("ood/auroc")
def test_auroc(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.75, n=150)
"""

RULES = """
schema = 1
[gates."accuracy/top1"]
min = 0.5
[gates."ood/auroc"]
min = 0.7
"""


class World:
    """A project folder in which ``pytest --clip-model=stub`` works, and the places a test may change."""

    def __init__(self, pytester: pytest.Pytester, home: Path) -> None:
        self.pytester = pytester
        self.home = home
        (home / "suites").mkdir(parents=True)
        self.suites(test_accuracy=SUITE, test_ood=OOD)
        self.defaults("schema = 1\n")
        self.project(RULES)
        self.conftest()

    def conftest(self, extra: str = "") -> None:
        self.pytester.makeconftest(CONFTEST.format(here=str(HERE), home=str(self.home)) + textwrap.dedent(extra))

    def suites(self, **files: str) -> None:
        (self.home / "suites" / "__init__.py").touch()
        for name, text in files.items():
            (self.home / "suites" / f"{name}.py").write_text(textwrap.dedent(text), "utf-8")

    def defaults(self, text: str) -> None:
        (self.home / "shipped.toml").write_text(text, "utf-8")

    def project(self, text: str) -> None:
        (self.pytester.path / "thresholds.toml").write_text(text, "utf-8")

    @property
    def loads(self) -> list[str]:
        log = self.home / "loads.txt"
        return log.read_text().split() if log.exists() else []

    def clip(self, *args: str) -> pytest.RunResult:
        """``pytest --clip-model=stub ARGS`` in this process, which is fast; the patches of the world end with the test."""
        return self.run("--clip-model=stub", *args)

    def run(self, *args: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess("-p", "clip", "-p", "no:cacheprovider", *args)

    def run_process(self, *args: str) -> pytest.RunResult:
        """The same in a process of its own, for xdist and for tests of what gets imported."""
        return self.pytester.runpytest_subprocess("-p", "clip", "-p", "no:cacheprovider", *args)


@pytest.fixture
def world(pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in [name for name in os.environ if name.startswith(("PYTEST_CLIP", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the other plugins of this machine cost most of the time
    home = tmp_path_factory.mktemp("installed") / "pytest_clip_stub"
    stub_world.put(str(home), monkeypatch.setattr)
    return World(pytester, home)
