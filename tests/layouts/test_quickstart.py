"""docs/quickstart.md is true: every file is written, every command run, in this process, with the models that ship."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import open_clip  # noqa: F401 - inner runs forget what they import; this is here already
import pytest
from followed import follow, steps

from pytest_clip.cli import main as cli
from pytest_clip.models import lazy, openclip  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"


@pytest.fixture
def call(pytester, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith(("PYTEST_CLIP", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_CLIP_CACHE", str(pytester.path / ".cache"))

    def run(program: str, args: list[str]) -> tuple[int, str, str]:
        if program == "pytest":
            result = pytester.runpytest_inprocess("-p", "clip", "-p", "no:cacheprovider", *args)
            return int(result.ret), result.stdout.str(), result.stderr.str()
        capsys.readouterr()
        if program == "python":
            runpy.run_path(args[0])
            status = 0
        else:
            assert program == "pytest-clip"
            status = cli.main(args)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_the_page_is_true(pytester, call):
    page = PAGE.read_text(encoding="utf-8")
    assert [name.split()[0] for what, name, _ in steps(page) if what == "run"].count("pytest") == 3
    follow(page, pytester.path, call)
