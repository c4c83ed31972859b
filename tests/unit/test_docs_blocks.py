"""Every ini, TOML, shell and CI block of README, CONTRIBUTING and docs/ is read by what would read it: pytest, the rules, our parsers."""

from __future__ import annotations

import argparse
import re
import shlex
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_clip.cli import main as cli
from pytest_clip.gates import layers, thresholds
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.plugin import resolve

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(*languages: str) -> list:
    found = []
    for page in sorted(PAGES):
        text = page.read_text(encoding="utf-8")
        for block in FENCE.finditer(text):
            if block[1] in languages:
                line = text[: block.start()].count("\n") + 2
                found.append(pytest.param(block[2], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


def settings_of(pytester: pytest.Pytester, name: str, text: str):
    """What a run makes of a configuration file; UsageError where pytest or we refuse it."""
    (pytester.path / name).write_text(text, encoding="utf-8")
    return resolve.resolve(pytester.parseconfig("-c", name, "--strict-config"))


@pytest.mark.parametrize("text", blocks("ini"))
def test_ini_blocks_are_taken_as_they_stand(pytester, text):
    settings_of(pytester, "pytest.ini", text)


@pytest.mark.parametrize("text", blocks("toml"))
def test_toml_blocks_are_taken_as_they_stand(pytester, text):
    content = tomllib.loads(text)
    if "tool" in content:
        settings_of(pytester, "pyproject.toml", text)
    elif "pytest" in content:
        settings_of(pytester, "pytest.toml", text)
    else:
        whole = text if "schema" in content else f"schema = 1\n{text}"
        thresholds.check([layers.parse(whole, "page")], today=date(2026, 1, 1), extra_gates=None)


def commands(text: str, *, console: bool) -> list[list[str]]:
    """The command lines of a block, without what goes before a command: variables, `&&`, a path."""
    lines = text.replace("\\\n", " ").splitlines()
    if console:
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    found: list[list[str]] = []
    for line in lines:
        command: list[str] = []
        for word in [*shlex.split(line, comments=True), "&&"]:
            if word in ("&&", "|", ";", ">"):
                found += [command] if command else []
                command = []
            elif command or "=" not in word:
                command.append(word)
    return found


SHELL = [
    pytest.param(words, id=f"{block.id}-{at}")
    for language in ("sh", "console")
    for block in blocks(language)
    for at, words in enumerate(commands(block.values[0], console=language == "console"))
]


@pytest.mark.parametrize("words", SHELL)
def test_commands_of_pages_are_parsed(pytester, words, monkeypatch):
    """`pytest` by pytest's own parser with our options, `pytest-clip` by its own; of others only that they are commands."""
    name = words[0].rpartition("/")[2]
    if name == "pytest":
        pytester.parseconfig(*words[1:])
    elif name == "pytest-clip":
        parsed: list[argparse.Namespace] = []
        monkeypatch.setattr(cli, "COMMANDS", [replace(each, run=lambda args: parsed.append(args) or 0) for each in cli.COMMANDS])
        assert cli.main(words[1:]) == 0
        assert len(parsed) == 1
    else:
        assert name in ("python", "python3", "pip", "ray", "git", "ruff", "mypy", "pre-commit", "run", "browser", "cp"), words


def test_a_command_is_found_behind_variables_and_other_commands():
    text = "A=1 .venv/bin/pytest -k 'a b' \\\n  --clip-list && pytest-clip list  # why\n"
    assert commands(text, console=False) == [[".venv/bin/pytest", "-k", "a b", "--clip-list"], ["pytest-clip", "list"]]
    assert commands("$ pytest -q\n1 passed\n", console=True) == [["pytest", "-q"]]


# Recipes for CI


def recipes() -> list:
    """The YAML blocks of docs/ci.md."""
    return [block for block in blocks("yaml") if block.id.startswith("docs/ci.md")]


def lines_in(tree: Any) -> list[str]:
    """Every line of shell in a recipe: `run`, `script` and what is below them."""
    if isinstance(tree, list):
        return [line for each in tree for line in lines_in(each)]
    if not isinstance(tree, dict):
        return []
    found = []
    for key, value in tree.items():
        if key in ("run", "script"):
            found += [line for each in ([value] if isinstance(value, str) else value) for line in each.splitlines()]
        else:
            found += lines_in(value)
    return found


def given(tree: Any) -> list[tuple[str, dict[str, Any]]]:
    """What is handed to our action (`uses`, `with`) and our component (`component`, `inputs`)."""
    if isinstance(tree, list):
        return [one for each in tree for one in given(each)]
    if not isinstance(tree, dict):
        return []
    own = [(kind, tree[inputs]) for kind, inputs in (("uses", "with"), ("component", "inputs")) if "pytest-clip" in str(tree.get(kind))]
    return own + [one for each in tree.values() for one in given(each)]


@pytest.mark.parametrize("text", recipes())
def test_recipes_run_what_there_is(pytester, text):
    tree = yaml.safe_load(text)
    runs = [line for line in lines_in(tree) if line.startswith("pytest ")]
    for line in runs:
        pytester.parseconfig(*shlex.split(line)[1:])
    names = {
        "uses": yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"],
        "component": next(yaml.safe_load_all((ROOT / "templates/pytest-clip/template.yml").read_text(encoding="utf-8")))["spec"]["inputs"],
    }
    handed = given(tree)
    for kind, inputs in handed:
        assert set(inputs) <= set(names[kind]), f"{kind} has no such input"
    assert runs or handed, "a recipe without the plugin"


def test_the_inputs_that_the_table_of_ci_names_are_there():
    table = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \|", (ROOT / "docs/ci.md").read_text(encoding="utf-8"), re.MULTILINE)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    named = [name for row in table for name in re.findall(r"`([\w-]+)`", row)]
    assert len(named) > 5
    assert set(named) <= set(inputs)
