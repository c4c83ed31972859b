"""`--clip-report=md` and `github`, and `pytest-clip report`: the record as something people read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import pytest_clip.session.regressions  # noqa: F401 - inner runs find numpy here already
from pytest_clip.cli.main import main
from pytest_clip.report import github, md
from pytest_clip.report.html import page

FAILING = "schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\nwhy = '100 % | sure, ::error::'"
LINE = "::error file=thresholds.toml,line=3,title=accuracy/top1[[]shift_far[]]::accuracy/top1[[]shift_far[]]: 0.6000 < min 0.7000 (n = 100*"


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch):
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "BUILD_SOURCESDIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def failing(world):
    world.project(FAILING)
    return world


def test_the_page_is_a_function_of_the_record(failing):
    result = failing.clip("--clip-report=json:run.json", "--clip-report=html", "--junitxml=run.xml")
    result.stdout.fnmatch_lines(["wrote run.json", "wrote clip-report.html"])
    text = (failing.pytester.path / "clip-report.html").read_text("utf-8")
    assert text == page.render(json.loads((failing.pytester.path / "run.json").read_text("utf-8")))
    assert 'Failed</span> <span class="headline">1 of 5 gates<' in text
    links = re.findall(r'clip-report.html#([^"]+)"', (failing.pytester.path / "run.xml").read_text("utf-8"))
    assert len(links) == 5
    assert all(f'<details id="{unquote(link)}">' in text for link in links)


def test_markdown_is_a_function_of_the_record(failing):
    result = failing.clip("--clip-report=json:run.json", "--clip-report=md")
    result.stdout.fnmatch_lines(["wrote run.json", "wrote clip-report.md"])
    text = (failing.pytester.path / "clip-report.md").read_text("utf-8")
    assert text == md.text(json.loads((failing.pytester.path / "run.json").read_text("utf-8")))
    assert text.startswith("## pytest-clip: ❌ 1 of 5 gates failed\n")
    assert "`accuracy/top1[shift_far]`" in text


def test_github_writes_the_summary_of_the_step_and_annotates_the_line(failing, monkeypatch):
    summary = failing.pytester.path / "summary.md"
    summary.write_text("from another command\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = failing.clip("--clip-report=github")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"{LINE}%0Awhy          100 %25 | sure, ::error::%0Arerun*", "wrote summary.md"])
    text = summary.read_text("utf-8")
    assert text.startswith("from another command\n## pytest-clip: ❌ 1 of 5 gates failed\n")


def test_without_a_step_github_only_annotates(failing):
    result = failing.clip("--clip-report=github", "-qq")
    result.stdout.fnmatch_lines([LINE])
    result.stdout.no_fnmatch_line("wrote *")
    assert [each.name for each in failing.pytester.path.glob("*.md")] == []


def test_github_with_a_file_annotates_once(failing):
    result = failing.clip("--clip-report=github:out/comment.md", "--clip-report=github")
    assert sum(line.startswith("::error") for line in result.outlines) == 1
    assert (failing.pytester.path / "out" / "comment.md").read_text("utf-8").startswith("## pytest-clip: ❌")


def test_annotations_need_no_terminal_and_come_from_the_controller(failing):
    out = failing.run_process("--clip-model=stub", "--clip-report=github", "-p", "no:terminal")
    assert sum(line.startswith("::error file=thresholds.toml,line=3,") for line in out.outlines) == 1
    out = failing.run_process("--clip-model=stub", "--clip-report=github", "-p", "xdist", "-n", "1")
    assert sum(line.startswith("::error file=thresholds.toml,line=3,") for line in out.outlines) == 1


def test_paths_of_annotations_count_from_the_root_of_the_repository(failing, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(failing.pytester.path.parent))
    name = failing.pytester.path.name
    result = failing.clip("--clip-report=github", "--clip-report=json:run.json")
    assert any(line.startswith(f"::error file={name}/thresholds.toml,line=3,") for line in result.outlines)
    session = json.loads((failing.pytester.path / "run.json").read_text("utf-8"))["session"]
    assert session["repository"] == {"root": str(failing.pytester.path.parent.resolve()), "folder": name}


def test_a_summary_that_cannot_be_written_is_no_success(failing, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(failing.pytester.path / "gone" / "summary.md"))
    result = failing.clip("--clip-report=github")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines([LINE, "--clip-report: could not write $GITHUB_STEP_SUMMARY: No such file or directory"])


@pytest.fixture
def recorded(failing, monkeypatch):
    """A record of a run, in the current folder."""
    failing.clip("--clip-report=json:run.json", "--clip-save=base")
    monkeypatch.chdir(failing.pytester.path)
    return failing.pytester.path


def test_a_record_or_a_saved_run_is_reported_again(recorded, capsys):
    record = json.loads((recorded / "run.json").read_text("utf-8"))
    for which in ("run.json", "base", ".clip/runs/base"):
        assert main(["report", which, "--md", "again.md", "--github", "comment.md"]) == 0
        out = capsys.readouterr().out.splitlines()
        assert out[:1] == ["wrote again.md"]
        assert out[1:2] == github.commands(record)[:1]
        text = (recorded / "again.md").read_text("utf-8")
        assert text == (recorded / "comment.md").read_text("utf-8")
        assert text == md.text(record)


def test_a_record_is_a_page_again(recorded, capsys):
    record = json.loads((recorded / "run.json").read_text("utf-8"))
    assert main(["report", "run.json", "--html", "again.html"]) == 0
    assert capsys.readouterr().out == "wrote again.html\n"
    assert (recorded / "again.html").read_text("utf-8") == page.render(record)
    assert main(["report", "base", "--html", "again.html"]) == 0
    assert "1 of 5 gates" in (recorded / "again.html").read_text("utf-8")


def test_two_saved_runs_as_a_page(recorded, failing, capsys):
    failing.clip("--clip-save=next")
    assert main(["compare", "base", "next", "--html=pages/diff.html"]) == 0
    assert capsys.readouterr().out.endswith(f"wrote {Path('pages/diff.html')}\n")
    text = (recorded / "pages" / "diff.html").read_text("utf-8")
    assert 'Not worse</span> <span class="headline">next against base: 5 gates compared<' in text
    assert "<title>Against run base</title>" in text
    assert main(["compare", "base", "next", "--html=pages"]) == 2
    assert capsys.readouterr().err == "pytest-clip compare: --html=pages: is a folder; name a file in it\n"


def test_the_command_writes_the_summary_of_the_step(recorded, capsys, monkeypatch):
    assert main(["report", "run.json", "--github"]) == 0
    assert "wrote" not in capsys.readouterr().out
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(recorded / "s.md"))
    assert main(["report", "run.json", "--github"]) == 0
    assert f"wrote {recorded / 's.md'}" in capsys.readouterr().out
    assert (recorded / "s.md").read_text("utf-8").startswith("## pytest-clip: ❌")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["run.json"], "says nothing to write; add --html=PATH, --md=PATH, --github=PATH"),
        (["gone.json", "--md=x.md"], "gone.json: no such file; write one with pytest --clip-report=json:PATH"),
        (["gone", "--md=x.md"], "RUN: no run 'gone'; there is base"),
        (["tox.json", "--md=x.md"], "tox.json: not the record of a run ("),
        (["run.json", "--md="], "--md=: is empty; name a file"),
        (["run.json", "--md=.clip"], "--md=.clip: is a folder; name a file in it"),
        (["run.json", "--md=run.json/x.md"], "run.json is no folder; name another file"),
        (["run.json", "--md=locked.md"], "it is write-protected (mode 0444); allow it with: chmod u+w"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line(recorded, capsys, args, told):
    (recorded / "tox.json").write_text('{"gates": 3}', "utf-8")
    (recorded / "locked.md").touch(mode=0o444)
    assert main(["report", *args]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.startswith("pytest-clip report: ")
    assert err.count("\n") == 1
    assert not (recorded / "x.md").exists()


FIGURE = {"gate": "accuracy/top1[clean]", "model": "stub", "data": "scenes"}


@pytest.mark.parametrize(
    "more",
    [{"mutants": [{"name": "x"}]}, {"mutants": 3}, {"evidence": {"figures": [FIGURE | {"kind": "confusion"}]}}],
)
def test_a_damaged_part_that_only_a_page_shows_is_one_line(recorded, capsys, more):
    record = json.loads((recorded / "run.json").read_text("utf-8"))
    (recorded / "bad.json").write_text(json.dumps({**record, **more}), "utf-8")
    assert main(["report", "bad.json", "--html=x.html"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pytest-clip report: --html: the record is damaged or of another version (")
    assert err.count("\n") == 1
    assert not (recorded / "x.html").exists()


@pytest.mark.parametrize(
    "evidence", [3, {"figures": 3}, {"figures": [{}]}, {"figures": [FIGURE | {"kind": "flips", "images": [{}]}]}, {"pictures": {"a": 3}}]
)
def test_damaged_evidence_is_no_record(recorded, capsys, evidence):
    record = json.loads((recorded / "run.json").read_text("utf-8"))
    (recorded / "bad.json").write_text(json.dumps({**record, "evidence": evidence}), "utf-8")
    assert main(["report", "bad.json", "--html=x.html"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pytest-clip report: bad.json: not the record of a run (evidence")
    assert err.count("\n") == 1


def test_the_command_loads_no_model(recorded):
    script = "import sys; from pytest_clip.cli.main import main; s = main(['report', 'run.json', '--html=a', '--md=b', '--github=c']); " \
        "assert not {'torch', 'open_clip', 'pytest', 'matplotlib'} & sys.modules.keys(); sys.exit(s)"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=recorded).returncode == 0
