"""action.yml and templates/pytest-clip/template.yml: their shell is run here, with pytest and pip played or with the plugin itself."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from ci_runner import Machine, read_component, run_action, run_job

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
COMPONENT = ROOT / "templates" / "pytest-clip" / "template.yml"
HOSTILE = "$(touch pwned) `touch pwned` '; touch pwned; \" && touch pwned ${{ github.token }} $[[ inputs.model ]]"

REPORTED = ["clip.xml", "clip.json", "clip.html"]
FILLS_THE_CACHE = 'mkdir -p "$PYTEST_CLIP_CACHE/answers/a" && echo rows > "$PYTEST_CLIP_CACHE/answers/a/0"'


def pwned(machine: Machine) -> list[Path]:
    return list(machine.folder.rglob("pwned"))


@pytest.fixture
def machine(tmp_path):
    return lambda **how: Machine(tmp_path, **how)


# What GitHub checks


def test_the_action_has_the_shape_that_github_reads():
    assert {"name", "description", "inputs", "outputs", "runs"} <= set(ACTION)
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert ("run" in step) != ("uses" in step), step
        assert "run" not in step or step["shell"] == "bash", step
        assert re.fullmatch(r"actions/(cache/)?[\w-]+@v\d+", step.get("uses", "actions/none@v1")), step
    for name, each in ACTION["inputs"].items():
        assert set(each) <= {"description", "required", "default"}, name
        assert each.get("required") or isinstance(each["default"], str), f"GitHub makes text of all inputs: {name}"


def test_no_expression_stands_in_a_script():
    """An input of a composite action that is written into `run:` becomes part of the program."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]
    assert "$[[" not in yaml.safe_load_all(COMPONENT.read_text()).__next__()["spec"]
    _, job = read_component(COMPONENT, model=HOSTILE)
    assert "touch" not in "".join(job["script"])


def test_every_input_is_used_and_no_other():
    text = json.dumps(ACTION["runs"]) + json.dumps([step.get("if", "") for step in ACTION["runs"]["steps"]])
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    spec, jobs = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    assert set(re.findall(r"inputs\.([\w-]+)", json.dumps(jobs))) == set(spec["spec"]["inputs"])


# What they run


def test_what_pytest_and_pip_are_given(machine):
    here = machine()
    told = run_action(
        ACTION,
        here,
        model="ViT-B-32,runs/e 12.pt\nscenes-rn",
        data="/data/products\n/data/imagenet::imagenet",
        suites="accuracy,calibration",
        thresholds="ci.toml",
        baseline=".clip/runs/main",
        args="-n 2 -k 'ood/auroc[near] or top1' $HOME",
        extras="photo,shards",
        pip_args="--extra-index-url=https://example.org/whl\n",
        cache_size="2GB",
    )
    assert told["status"] == told["exit-status"] == "0", here.log
    assert here.words("pip") == [
        *("install", "--disable-pip-version-check", "--extra-index-url=https://example.org/whl", "--", "/the/action[photo,shards]")
    ]
    reports = here.folder / "work" / "clip-report"
    assert here.words("pytest") == [
        *("--clip-model=ViT-B-32,runs/e 12.pt", "--clip-model=scenes-rn", "--clip-data=/data/products"),
        *("--clip-data=/data/imagenet::imagenet", "--clip-suite=accuracy,calibration", "--clip-thresholds=ci.toml"),
        *("--clip-baseline=.clip/runs/main", "-n", "2", "-k", "ood/auroc[near] or top1", "$HOME", "-o", "clip_cache_size=2GB"),
        *(f"--junitxml={reports}/clip.xml", f"--clip-report=json:{reports}/clip.json"),
        *(f"--clip-report=html:{reports}/clip.html", "--clip-report=github"),
    ]
    assert told["reports"] == str(reports)
    assert [name for name, _ in here.used] == ["actions/setup-python@v6", "actions/cache/restore@v5", "actions/upload-artifact@v6"]


def test_the_cache_is_saved_when_there_is_something_new_in_it_and_then_under_a_new_key(machine):
    first = machine(made=FILLS_THE_CACHE, status=1)
    run_action(ACTION, first, model="m", cache_key="nightly")
    kept = {name: given for name, given in first.used if "cache" in name}
    restored, saved = kept["actions/cache/restore@v5"], kept["actions/cache/save@v5"]
    assert restored["restore-keys"] == "pytest-clip-Linux-X64-nightly-"
    assert saved["key"] == restored["key"]
    assert re.fullmatch(r"pytest-clip-Linux-X64-nightly-7-1-\d+", saved["key"])
    assert saved["path"] == restored["path"] == str(first.folder / "home" / ".cache" / "pytest-clip")
    again = machine(made=FILLS_THE_CACHE)
    run_action(ACTION, again, model="m")
    assert [name for name, _ in again.used if "cache" in name] == ["actions/cache/restore@v5"], "nothing was new"


def test_no_cache_and_no_artifact_where_none_are_wanted(machine):
    here = machine(made=FILLS_THE_CACHE)
    assert run_action(ACTION, here, model="m", cache="false", artifact="", python_version="")["status"] == "0"
    assert here.used == []


@pytest.mark.parametrize("status", [1, 4, 5])
def test_the_exit_status_is_pytest_s_and_the_reports_are_uploaded_all_the_same(machine, status):
    here = machine(status=status)
    told = run_action(ACTION, here, model="m")
    assert (told["status"], told["exit-status"]) == (str(status), str(status))
    assert here.used[-1][0] == "actions/upload-artifact@v6"
    assert told["summary"] == f"pytest-clip ended with exit status {status} and wrote no summary; the log says why.\n"


def test_a_run_that_was_stopped_keeps_what_it_has_made(machine):
    here = machine(made=f"{FILLS_THE_CACHE}; kill -9 $PPID")
    run_action(ACTION, here, model="m")
    assert "actions/cache/save@v5" in [name for name, _ in here.used]


def test_nothing_in_an_input_is_run(machine):
    here = machine()
    kept = ("cache", "python-version", "working-directory", "args", "extras")
    told = run_action(ACTION, here, **{name.replace("-", "_"): HOSTILE for name in ACTION["inputs"] if name not in kept})
    assert told["status"] == "0", here.log
    assert pwned(here) == []
    assert {f"--clip-{name}={HOSTILE}" for name in ("model", "data", "suite", "thresholds", "baseline", "baseline-model")} <= {
        *here.words("pytest")
    }
    assert here.words("pip")[-1] == HOSTILE
    run_action(ACTION, here, model="m", extras=HOSTILE, args="$(touch pwned) ; `touch pwned`")
    assert pwned(here) == []
    assert " ".join(here.words("pytest")).count("--clip-model=m $(touch pwned) ; `touch pwned` -o clip_cache_size=4GB") == 1


def test_a_quote_that_is_not_closed_is_one_line(machine):
    here = machine()
    assert run_action(ACTION, here, model="m", args="-k 'no end")["status"] == "4"
    assert here.log == "::error::args: a quote in it is not closed: -k 'no end\n"


def test_the_component_gives_pytest_and_pip_the_same(machine):
    here = machine(status=1)
    given = {"data": "/d", "suites": "ood", "thresholds": "ci.toml", "args": "-n 2 -k 'a b'", "baseline": "base"}
    name, job = read_component(COMPONENT, job_name="gates", model="a.pt\nb.pt", **given)
    assert name == "gates"
    assert run_job(job, here) == 1, here.log
    assert here.words("pip") == ["install", "--disable-pip-version-check", "--", "pytest-clip"]
    assert here.words("pytest")[:9] == [
        *("--clip-model=a.pt", "--clip-model=b.pt", "--clip-data=/d", "--clip-suite=ood", "--clip-thresholds=ci.toml"),
        *("--clip-baseline=base", "-n", "2", "-k"),
    ]
    assert here.words("pytest")[9:12] == ["a b", "-o", "clip_cache_size=4GB"]
    cache = here.folder / "work" / ".pytest-clip-cache"
    assert cache.stat().st_mode & 0o022 == 0
    assert job["cache"] == {"key": "pytest-clip-default", "paths": [".pytest-clip-cache/"], "when": "always"}
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"] == {"junit": "clip-report/clip.xml"}


def test_nothing_in_an_input_of_the_component_is_run(machine):
    here = machine()
    spec = next(yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8")))["spec"]["inputs"]
    _, job = read_component(COMPONENT, **{name.replace("-", "_"): HOSTILE for name in spec if name != "args"})
    assert run_job(job, here) == 0, here.log
    assert pwned(here) == []
    assert f"--clip-model={HOSTILE}" in here.words("pytest")
    _, job = read_component(COMPONENT, model="m", args=HOSTILE)
    assert run_job(job, here) == 1
    assert here.log.endswith(f"args: a quote in it is not closed: {HOSTILE}\n")


# With the plugin itself

PROJECT = {
    "conftest.py": """
        from types import SimpleNamespace
        def pytest_clip_make_model(spec, config):
            return SimpleNamespace(label=spec.text, fingerprint="c0" * 8, precision="fp32", facts={})
    """,
    "test_shop.py": """
        import pytest
        @pytest.mark.clip_gate("shop/top1")
        def test_top1(gate, clip_model):
            gate("shop/top1", {"good": 0.9, "bad": 0.4}[clip_model.label], n=100, ci=(0.3, 0.95))
    """,
    "thresholds.toml": "schema = 1\n[gates.'shop/top1']\nmin = 0.8\n",
}


@pytest.mark.parametrize(("model", "status"), [("good", 0), ("bad", 1)])
@pytest.mark.parametrize("where", ["github", "gitlab"])
def test_a_run_with_the_plugin(machine, monkeypatch, where, model, status):
    here = machine(real=True)
    for name, text in PROJECT.items():
        lines = text.replace("\n        ", "\n").lstrip("\n")
        (here.folder / "work" / name).write_text(lines)
    args = "-p clip -p no:cacheprovider test_shop.py"
    if where == "github":
        told = run_action(ACTION, here, model=model, args=args)
        assert told["status"] == told["exit-status"] == str(status), here.log
        assert "shop/top1" in told["summary"]
        assert ("::error" in here.log) == bool(status)
    else:
        _, job = read_component(COMPONENT, model=model, args=args)
        assert run_job(job, here) == status, here.log
    reports = here.folder / "work" / "clip-report"
    assert sorted(path.name for path in reports.iterdir()) == sorted(REPORTED)
    [case] = ElementTree.parse(reports / "clip.xml").getroot().findall(".//testcase")
    assert (case.find("failure") is not None) == bool(status)
    assert "shop/top1" in (reports / "clip.html").read_text("utf-8")
