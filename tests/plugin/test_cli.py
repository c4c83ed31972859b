"""The console script: quick, quiet about tracebacks, and with an exit status that scripts can use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_clip import cli


@pytest.mark.parametrize("command", [each.name for each in cli.COMMANDS])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["list", "--limit=many"]])
def test_nonsense_has_exit_status_2(argv):
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2


def test_help_imports_nothing_heavy():
    code = "import sys, pytest_clip.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: print(*{'torch', 'pytest'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_list_shows_what_pytest_would(world, capsys, monkeypatch):
    monkeypatch.chdir(world.pytester.path)
    assert cli.main(["list", "--model=stub", "--suite=accuracy"]) == 0
    told = capsys.readouterr().out
    world.clip("--clip-list", "--clip-suite=accuracy").stdout.fnmatch_lines(told.replace("[", "[[]").splitlines(), consecutive=True)


def test_a_user_error_is_one_line(world, capsys):
    assert cli.main(["list", "--suite=odd"]) == 2
    assert capsys.readouterr().err == "pytest-clip list: --suite: no suite 'odd'; did you mean 'ood'?; there is accuracy, ood\n"


def test_models(capsys):
    assert cli.main(["models"]) == 0
    assert "pytest-clip models --all" in capsys.readouterr().out
