"""Runs of the product as a user starts it, in a project folder of its own. Pictures come from PYTEST_CLIP_CACHE, or are rendered once."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """One for all workers of xdist, whose folders for temporary files lie side by side: what one has rendered no other renders again."""
    if named := os.environ.get("PYTEST_CLIP_CACHE"):
        return Path(named)
    mine = tmp_path_factory.getbasetemp()
    place = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "cache"
    place.mkdir(exist_ok=True)
    return place


@pytest.fixture
def measure(tmp_path, cache):
    """Run pytest in the folder `tmp_path`; gives (exit status, {gate id: row}, output). `conftest` is what its conftest.py holds."""

    def run(*options, conftest=""):
        (tmp_path / "conftest.py").write_text(textwrap.dedent(conftest), encoding="utf-8")
        report = tmp_path / "report.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *options, f"--clip-report=json:{report}", f"--clip-cache-dir={cache}"],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.returncode, {row["gate"]: row for row in json.loads(report.read_text())["gates"]}, done.stdout

    return run
