"""CONTRIBUTING.md and .pre-commit-config.yaml say what CI does."""

import re
from pathlib import Path

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
