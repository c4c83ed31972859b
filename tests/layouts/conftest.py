"""Runs of the product on small trees, in this process: a stub model reads the answer from the pixels."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)

import painted  # noqa: E402, F401 - inner runs forget what they import; this is here already
import scipy.spatial.distance  # noqa: E402
import scipy.special  # noqa: E402, F401
import torch  # noqa: E402, F401

from pytest_clip.data import load  # noqa: E402, F401
from pytest_clip.extract import dense, extraction, zeroshot  # noqa: E402, F401
from pytest_clip.gates import evidence, first, layers, thresholds, verdicts  # noqa: E402, F401 - one class each for all inner runs
from pytest_clip.models import dense as dense_models  # noqa: E402, F401 - imports torchvision, which cannot be imported twice
from pytest_clip.plugin import collection, gating  # noqa: E402, F401
from pytest_clip.report import json as report_json  # noqa: E402, F401
from pytest_clip.session import pictured, start  # noqa: E402, F401

CONFTEST = f"""
import sys
sys.path.insert(0, {HERE!r})
import painted

def pytest_clip_make_model(spec, config):
    return painted.make(spec.text)
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A project folder in which any model name means the stub."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_CLIP", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    return pytester


@pytest.fixture
def measure(project):
    """Run suites on data; gives the rows of the gates by id, and the result. `model` is the name of the stub."""

    def run(data, *options, suites, model="ViT-B-32", rules="schema = 1\n"):
        (project.path / "thresholds.toml").write_text(rules)
        report = project.path / "report.json"
        report.unlink(missing_ok=True)
        result = project.runpytest_inprocess(
            "-p", "clip", "-p", "no:cacheprovider", f"--clip-model={model}", f"--clip-suite={suites}", f"--clip-data={data}",
            "--clip-no-cache", "--clip-workers=1", f"--clip-report=json:{report}", "-o", "clip_unjudged=allow", *options,
        )  # fmt: skip
        rows = {row["gate"]: row for row in json.loads(report.read_text())["gates"]} if report.exists() else {}
        return rows, result

    return run
