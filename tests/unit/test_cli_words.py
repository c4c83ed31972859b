"""Commands speak of their own options."""

from __future__ import annotations

import pytest

from pytest_clip.cli import main as cli
from pytest_clip.cli.words import own


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("--clip-data=x: no such folder; use --clip-data=scenes", "--data=x: no such folder; use --data=scenes"),
        ("no gate; run pytest --clip-data=x --clip-suite=y", "no gate; run pytest --clip-data=x --clip-suite=y"),
        ("pytest is installed; name one with --clip-suite=y", "pytest is installed; name one with --suite=y"),
        ("--clip-database=x, --clip-device=cpu", "--clip-database=x, --clip-device=cpu"),
    ],
)
def test_options_of_the_command_and_of_pytest(text, told):
    assert own(text, ("data", "suite")) == told


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["list", "--data", "gone"], "--data=gone: no such folder"),
        (["list", "--suite", "oood"], "--suite"),
        (["list", "--thresholds", "gone.toml"], "named by --thresholds"),
        (["doctor", "--data", "gone"], "--data=gone: no such folder"),
        (["doctor", "--data", "here.txt"], "--data=here.txt: is a file; data is a folder: --data=. looks at what lies beside it"),
        (["doctor", "--data", "here.txt", "--quick"], "--data=here.txt: is a file"),
        (["doctor", "--data", "gone::imagenet"], "--data=gone::imagenet: no such folder"),
    ],
)
def test_a_request_that_makes_no_sense_leaves_with_2_and_one_line(args, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.txt").touch()
    assert cli.main(args) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "--clip-" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("limit", ["0", "-3", "x", "1.5"])
def test_a_limit_is_a_whole_number_of_images(limit, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["list", f"--limit={limit}"])
    assert left.value.code == 2
    assert f"argument --limit: '{limit}' is not a whole number of at least 1" in capsys.readouterr().err


def test_what_the_doctor_finds_is_said_in_its_own_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert cli.main(["doctor", "--data", "empty"]) == 1
    out = capsys.readouterr().out
    assert "--data=empty: needs at least two class folders" in out
    assert "--clip-data" not in out
