"""The console script: quick, quiet about tracebacks, and with an exit status that scripts can use."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from types import ModuleType

import pytest

from pytest_clip.cli import main as cli


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
    code = "import sys, pytest_clip.cli.main as c\ntry: c.main(['--help'])\nexcept SystemExit: print(*{'torch', 'pytest'} & {*sys.modules})"
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


@pytest.mark.parametrize(
    ("argv", "module", "name", "told"),
    [
        (["scenes", "--contact=sheet.png"], "pytest_clip.data.scenes.contact", "write", "wrote (PosixPath('sheet.png'),) {}"),
        (
            ["train", "scenes-rn", "--out=runs", "--cache-dir=c"],
            "pytest_clip.train.run",
            "run",
            "wrote ('scenes-rn',) {'out': PosixPath('runs/scenes-rn'), 'cache': PosixPath('c'), 'seed': 0}",
        ),
    ],
)
def test_commands_hand_over_what_they_were_given(monkeypatch, capsys, argv, module, name, told):
    package = sys.modules.get(module.rpartition(".")[0]) or importlib.import_module(module.rpartition(".")[0])
    stub = ModuleType(module)
    setattr(stub, name, lambda *args, **kwargs: f"{args} {kwargs}")
    monkeypatch.setitem(sys.modules, module, stub)
    monkeypatch.setattr(package, module.rpartition(".")[2], stub, raising=False)
    assert cli.main(argv) == 0
    assert capsys.readouterr().out.strip() == told


def test_models(capsys):
    assert cli.main(["models"]) == 0
    said = capsys.readouterr().out
    assert "pytest-clip models --all" in said
    assert re.search("photo-dual +trained on photographs: dual encoder, photo-lite0 and MiniLM by ConSE", said)
    assert "timm:NAME[,PATH]" in said


def test_models_say_what_is_known_of_them(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert cli.main(["models", "--factor", "loss=sigmoid", "--factor", "resolution>=336"]) == 0
    said = capsys.readouterr().out
    assert ["ViT-SO400M-14-SigLIP-384,webli", "sigmoid", "webli-en"] in [line.split()[:3] for line in said.splitlines()]
    assert "ViT-B-16-SigLIP,webli" not in said
    assert max(map(len, said.splitlines())) <= 100
    assert "left out here: " in said
    assert cli.main(["models", "--factor", "family=nothing"]) == 1
    assert capsys.readouterr().out == "no model has all of these factors\n"


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_models_fit_the_terminal(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    assert cli.main(["models", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert any(line.startswith("ViT-B-32,laion2b_s34b_b79k*") for line in lines)
    assert cli.main(["models"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= int(width)


def test_models_as_json(capsys):
    import json

    from pytest_clip.models.kinds import NOTATIONS

    assert cli.main(["models", "--all", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["form"] for each in told["notations"]] == [each.form for each in NOTATIONS]
    rows = {row["text"]: row for row in told["models"]}
    assert rows["ViT-B-32,openai"]["factors"]["training_set"] == "wit-400m"
    assert rows["scenes-rn-ft"]["factors"]["finetuned_on"] == "scenes:typical"
    assert rows["ViT-B-32,laion2b_s34b_b79k"]["default"] is True


def test_a_wrong_condition_is_one_line(capsys):
    assert cli.main(["models", "--factor=los=x"]) == 2
    assert capsys.readouterr().err.startswith(
        "pytest-clip models: --factor='los=x': 'los' is no factor; did you mean loss?; there is family"
    )


def test_models_import_nothing_heavy():
    code = (
        "import sys, pytest_clip.cli.main as c; c.main(['models', '--all', '--json']);"
        "print('LOADED', *{'torch', 'numpy', 'pytest', 'open_clip', 'timm', 'PIL'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_the_cache_of_a_run_is_in_use_until_its_end(world):
    from pytest_clip.extract import inuse

    cache = world.pytester.path / "cache"
    world.suites(
        test_ood="""
        import pytest
        from pathlib import Path
        from pytest_clip.extract import inuse
        @pytest.mark.clip_gate("ood/auroc")
        def test_auroc(gate, clip_case, clip_model):
            with inuse.alone(Path("cache").resolve()) as free:
                assert not free
            gate(clip_case.gate, 0.75, n=150)
        """
    )
    world.clip(f"--clip-cache-dir={cache}", "--clip-suite=ood").assert_outcomes(passed=1)
    with inuse.alone(cache) as free:
        assert free
    world.clip("--clip-cache-dir=none", "--clip-no-cache", "--clip-suite=accuracy")
    assert not (world.pytester.path / "none").exists()
