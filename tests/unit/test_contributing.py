"""CONTRIBUTING.md and .pre-commit-config.yaml say what CI does."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def steps():
    """The commands of .ci/run by step."""
    found, name = {}, ""
    for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines():
        if told := re.fullmatch(r'step "(\w+)"', line):
            name = told[1]
        elif name and line:
            found.setdefault(name, []).append(line)
    return found


def test_the_hooks_before_a_commit_are_the_linters_of_ci():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"entry: (.+)", text) == [*steps()["lint"], *steps()["types"]]
    hooks = text.count("- id: ")
    assert text.count("language: system") == hooks, "the versions are those of the environment"
    assert text.count("pass_filenames: false") == hooks, "they check what CI checks, not the files of a commit"
    assert "rev:" not in text


def test_the_pages_name_the_test_command_of_ci():
    [command] = steps()["tests"]
    assert command in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_folders_of_tests_are_told():
    told = re.findall(r"^\| `tests/(\w+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(told) == sorted(path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py")))


def test_what_is_built_is_checked_as_the_index_would():
    build, check = (at for at, line in enumerate(steps()["wheel"]) if line.startswith(("python -m build ", "twine check --strict ")))
    assert build < check


def test_the_browser_step_is_told_and_said_to_be_left_out():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert 'if [ "${CLIP_CI_BROWSER:-}" = 1 ]; then .ci/browser && browser=; fi' in steps()["browser"]
    assert '[ -z "$browser" ] || echo "$browser"' in text.partition('step "done"')[2]
    assert "CLIP_CI_BROWSER=1 .ci/run" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "-rsfE" in (ROOT / "pyproject.toml").read_text(encoding="utf-8"), "what is skipped is named"


@pytest.mark.parametrize(
    ("there", "axe", "told"),
    [
        ([], "", "there is no chromium with its chromedriver, and no apt-get to install them"),
        (["chromium", "chromedriver"], "", "AXE_CORE does not name axe.min.js, and there is no npm to install axe-core"),
        (["chromium", "chromedriver"], "gone.js", "AXE_CORE=gone.js is no file that can be read"),
        (["apt-get", "sudo"], "", "apt-get cannot install chromium and chromium-driver"),
        (["chromium", "chromedriver", "npm"], "", "npm cannot install axe-core"),
    ],
)
def test_a_browser_that_cannot_be_had_is_a_failure(tmp_path, there, axe, told):
    """With a PATH that holds what the script itself needs, and commands that fail."""
    for name in ("bash", "dirname", "id", "mktemp", "rm"):
        (tmp_path / name).symlink_to(shutil.which(name))
    for name in there:
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / "bash", ROOT / ".ci" / "browser"],
        env={"PATH": str(tmp_path), "AXE_CORE": axe},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, f".ci/browser: {told}")


def test_asked_for_the_browser_nothing_is_skipped():
    """Where there is none the tests fail."""
    env = {**os.environ, "CLIP_CI_BROWSER": "1", "PATH": "", "AXE_CORE": ""}
    asked = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "slow",
        "tests/unit/test_html_browser.py",
        "-k",
        "passing",
    ]
    told = [
        subprocess.run(asked, env=each, cwd=ROOT, capture_output=True, text=True, check=False)
        for each in (env, env | {"CLIP_CI_BROWSER": ""})
    ]
    assert [each.returncode for each in told] == [1, 0]
    assert "skipped" not in told[0].stdout.splitlines()[-1]
    assert "no chromedriver here; .ci/browser installs what these need" in told[1].stdout
