"""A small world for the plugin: stub suites, stub data and a stub model, all in the pytester folder, so that nothing heavy is imported."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

# What a project's conftest.py does here in place of torch and rendered images. The suites lie outside the project's folder, as in a wheel.
WORLD = '''
import pytest
from pathlib import Path
from dataclasses import dataclass
from pytest_clip import collection, session
from pytest_clip.gates import layers

HOME = Path({home!r})
collection.SUITES = HOME / "suites"
layers.DEFAULTS = HOME / "defaults.toml"

@dataclass(frozen=True)
class SetInfo:
    name: str
    role: str
    n: int

SETS = [SetInfo("clean", "clean", 100), SetInfo("shift_far", "shift", 100), SetInfo("near", "ood", 50)]
session.image_sets = lambda name: SETS

class Data:
    name = "scenes"
    fingerprint = "d" * 16

session.load_data = lambda run, choice: Data()

class Model:
    precision = "fp32"
    device = "cpu"
    def __init__(self, label):
        self.label = label
        self.fingerprint = format(sum(map(ord, label)), "016x")
        self.facts = {{"architecture": "stub", "pretrained": None, "parameters": 7}}

def pytest_clip_make_model(spec, config):
    with open(HOME / "loads.txt", "a") as log:
        log.write(spec.text + "\\n")
    return Model(spec.text)
'''

SUITE = '''
import pytest

pytestmark = pytest.mark.clip_suite("accuracy")

VALUES = {"clean": 0.9, "shift_far": 0.6}

@pytest.mark.clip_gate("accuracy/top1")
def test_top1(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, VALUES[clip_case.slice], n=100, ci=(0.5, 0.95), conventions={"prompts": "abc"})

@pytest.mark.clip_gate("accuracy/top5")
def test_top5(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 1.0, n=100)
'''

OOD = '''
import pytest

pytestmark = pytest.mark.clip_suite("ood")

@pytest.mark.clip_gate("ood/auroc")
def test_auroc(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.75, n=150)
'''

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
        self.defaults('schema = 1\n')
        self.project(RULES)
        self.conftest()

    def conftest(self, extra: str = "") -> None:
        self.pytester.makeconftest(WORLD.format(home=str(self.home)) + textwrap.dedent(extra))

    def suites(self, **files: str) -> None:
        (self.home / "suites" / "__init__.py").touch()
        for name, text in files.items():
            (self.home / "suites" / f"{name}.py").write_text(textwrap.dedent(text), "utf-8")

    def defaults(self, text: str) -> None:
        (self.home / "defaults.toml").write_text(text, "utf-8")

    def project(self, text: str) -> None:
        (self.pytester.path / "thresholds.toml").write_text(text, "utf-8")

    @property
    def loads(self) -> list[str]:
        log = self.home / "loads.txt"
        return log.read_text().split() if log.exists() else []

    def run(self, *args: str) -> pytest.RunResult:
        """In a process of its own: the world is made by patching modules."""
        return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *args)

    def clip(self, *args: str) -> pytest.RunResult:
        return self.run("--clip-model=stub", *args)


@pytest.fixture
def world(pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in [name for name in os.environ if name.startswith(("PYTEST_CLIP", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    return World(pytester, tmp_path_factory.mktemp("installed") / "pytest_clip_stub")


Run = Callable[..., Sequence[str]]
