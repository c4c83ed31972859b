"""Gates in the reports of pytest-html, pytest-json-report and allure: numbers and sentences, no Python."""

from __future__ import annotations

import html
import json
import re
from importlib.util import find_spec

import pytest

PLUGINS = {
    "pytest_html": ["-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "--html=r.html", "--self-contained-html"],
    "pytest_jsonreport": ["-p", "pytest_metadata.plugin", "-p", "pytest_jsonreport.plugin", "--json-report", "--json-report-file=r.json"],
    "allure_pytest": ["-p", "allure_pytest.plugin", "--alluredir=allure"],
}
PYTHON = re.compile(r"\w+\(\w+='|GateId|ModelSpec|numpy|float64|\{'")
RULES = "schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\n"


def run(world, name):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed: what it shows of gates is NOT tested; pip install -e '.[test]'")
    world.project(RULES)
    result = world.run_process("--clip-model=stub", "--clip-suite=accuracy", *PLUGINS[name])
    result.assert_outcomes(passed=3, failed=1)
    return world.pytester.path


def test_pytest_html_says_what_was_measured_of_gates_that_pass_too(world):
    text = (run(world, "pytest_html") / "r.html").read_text("utf-8")
    tests = json.loads(html.unescape(re.search(r'data-jsonblob="(.*?)"', text)[1]))["tests"]
    logs = {name.partition("accuracy/")[2].rstrip("]"): html.unescape(rows[0]["log"]) for name, rows in tests.items()}
    assert "accuracy/top1[clean]: 0.9000 >= min 0.7000 (n = 100, 95 % interval 0.5000..0.9500)\n" in logs["top1[clean"]
    assert logs["top1[shift_far"].startswith("accuracy/top1[shift_far]: 0.6000 < min 0.7000 (n = 100")
    assert logs["top1[shift_far"].count("0.6000 <") == 1
    assert not [log for log in logs.values() if PYTHON.search(log)]


def test_pytest_json_report_has_the_numbers_as_numbers(world):
    tests = json.loads((run(world, "pytest_jsonreport") / "r.json").read_text("utf-8"))["tests"]
    told = [{k: v for each in test["user_properties"] for k, v in each.items()} for test in tests]
    assert [(each["clip.gate"], each["clip.value"], each.get("clip.ci_low")) for each in told] == [
        ("accuracy/top1[clean]", 0.9, 0.5),
        ("accuracy/top1[shift_far]", 0.6, 0.5),
        ("accuracy/top5[clean]", 1.0, None),
        ("accuracy/top5[shift_far]", 1.0, None),
    ]
    assert PYTHON.search(json.dumps(told)) is None


def test_allure_shows_labels_and_what_was_measured(world):
    folder = run(world, "allure_pytest") / "allure"
    found = [json.loads(path.read_text("utf-8")) for path in folder.glob("*-result.json")]
    assert len(found) == 4
    for each in found:
        told = {parameter["name"]: parameter["value"] for parameter in each["parameters"]}
        assert (told["clip_model"], told["clip_data"]) == ("stub", "scenes")
        [attached] = [part for part in each["attachments"] if part["name"] == "clip gate"]
        text = (folder / attached["source"]).read_text("utf-8")
        assert text.startswith(f"{told['clip_case']}: ")
        assert PYTHON.search(text + json.dumps(each["parameters"])) is None
