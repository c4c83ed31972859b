"""With workers the verdicts, the reports and the exit status are the same, and nobody fights for cores and cards."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from pytest_clip.models import cards
from pytest_clip.plugin import xdist

OWN = """
import os
import pytest

@pytest.mark.clip_gate("own/numbers")
def test_numbers(gate, clip_model):
    numpy = pytest.importorskip("numpy")
    gate("own/numbers", numpy.float32(0.5), n=numpy.int64(7), ci=numpy.array([0.25, 0.75]), conventions={"tau": numpy.float64(1)})

def test_threads():
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert os.environ["OMP_NUM_THREADS"].isdigit()
"""


def properties(path) -> dict[str, dict[str, str]]:
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    found = {}
    for case in root.iter("testcase"):
        assert set(case.attrib) - {"file", "line"} == {"classname", "name", "time"}  # xunit2, and the place of the rule
        assert [child.tag for child in case][:1] in ([], ["properties"])  # properties come first
        key = f"{case.get('classname')}::{case.get('name')}"
        assert key not in found
        pairs = [(each.get("name"), each.get("value")) for each in case.iter("property")]
        assert len(dict(pairs)) == len(pairs)
        found[key] = dict(pairs)
    return found


def test_the_same_rows_and_properties_with_and_without_workers(world, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # where the tests of this repository have workers themselves
    world.pytester.makepyfile(test_own=OWN)
    world.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\n[gates.'accuracy/mean_per_class']\nmin = 0.1")
    world.suites(test_ood="import pytest\n@pytest.mark.clip_gate('ood/auroc')\ndef test_auroc(gate, clip_case): pytest.skip('later')")
    results, records, junits = [], [], []
    for number in ("0", "2"):
        args = ("-n", number, "-W", "error", f"--junitxml=junit{number}.xml", f"--clip-report=json:out/{number}.json")
        results.append(world.run_process("-p", "xdist", "--clip-model=stub", "--clip-suite=all", "test_own.py", *args))
        assert results[-1].ret == pytest.ExitCode.TESTS_FAILED, results[-1].stdout.str()
        results[-1].assert_outcomes(passed=5, failed=2, skipped=1)
        records.append(json.loads((world.pytester.path / "out" / f"{number}.json").read_text()))
        junits.append(properties(world.pytester.path / f"junit{number}.xml"))
    assert records[0]["gates"] == records[1]["gates"]
    assert records[0]["models"] == records[1]["models"]
    assert records[0]["data"] == records[1]["data"]
    assert junits[0] == junits[1]
    top1 = junits[0]["suites.test_accuracy::test_top1[stub-scenes-accuracy/top1[shift_far]]"]
    assert top1 == {
        "clip.gate": "accuracy/top1[shift_far]",
        "clip.suite": "accuracy",
        "clip.metric": "top1",
        "clip.slice": "shift_far",
        "clip.model": "stub",
        "clip.fingerprint": "00000000000001be",
        "clip.data": "scenes",
        "clip.value": "0.6",
        "clip.n": "100",
        "clip.verdict": "fail",
        "clip.ci_low": "0.5",
        "clip.ci_high": "0.95",
        "clip.rule.min": "0.7",
        "clip.rule.source": "thresholds.toml:3",
        "clip.conventions": '{"prompts": "abc"}',
    }
    starts = ("FAILED accuracy", "FAILED thresholds", "UNJUDGED", "suite ", "model ")
    summaries = [result.stdout.str().partition("= clip gates =")[2].splitlines() for result in results]
    told = [[line for line in lines if line.startswith(starts)] for lines in summaries]
    assert told[0] == told[1]
    assert len(told[0]) == 7
    assert world.loads == ["stub", *world.loads[1:]]
    assert len(world.loads) <= 1 + 2  # whole files on a worker: at most one load for each


def test_a_setting_that_takes_gates_out_fails_with_workers_too(world):
    world.pytester.makeini("[pytest]\naddopts = -k top1")
    result = world.run_process("-p", "xdist", "--clip-model=stub", "-n", "1")
    assert result.ret != 0
    assert "choose with --clip-suite, -k or -m on the command line" in result.stdout.str() + result.stderr.str()


def test_not_installed_xdist_is_not_missed(world):
    world.clip("-p", "no:xdist").assert_outcomes(passed=5)


class Config:
    def __init__(self, **option):
        self.option = type("Option", (), option)()


@pytest.mark.parametrize(
    ("option", "dist"),
    [
        ({"numprocesses": 2, "dist": "no", "distload": False}, "loadfile"),
        ({"numprocesses": "auto", "dist": "no", "distload": False}, "loadfile"),
        ({"numprocesses": 2, "dist": "load", "distload": False}, "load"),
        ({"numprocesses": 2, "dist": "no", "distload": True}, "no"),
        ({"numprocesses": None, "dist": "no", "distload": False}, "no"),
        ({"numprocesses": 0, "dist": "no", "distload": False}, "no"),
    ],
)
def test_suites_stay_whole_unless_the_user_chose_otherwise(option, dist):
    config = Config(**option)
    xdist.keep_suites_whole(config)
    assert config.option.dist == dist


def test_workers_share_only_the_cards_that_the_caller_sees(tmp_path):
    assert cards.visible_cards({"CUDA_VISIBLE_DEVICES": "2, 5"}) == ["2", "5"]
    assert cards.visible_cards({"CUDA_VISIBLE_DEVICES": ""}) == []
    for bus in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / bus).mkdir()
    assert cards.visible_cards({}, tmp_path) == ["0", "1"]
    assert cards.visible_cards({}, tmp_path / "none") == []
    assert [xdist.card_of(f"gw{n}", ["2", "5"]) for n in range(3)] == ["2", "5", "2"]
    assert xdist.card_of("gw0", []) is None


def test_a_worker_settles_before_torch_looks(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    config = Config()
    config.workerinput = {"workerid": "gw1", "workercount": 1000}
    xdist.settle_worker(config, "cpu")
    assert (xdist.os.environ["OMP_NUM_THREADS"], xdist.os.environ["CUDA_VISIBLE_DEVICES"]) == ("1", "2,5")
    xdist.settle_worker(config, "auto")
    assert xdist.os.environ["CUDA_VISIBLE_DEVICES"] == "5"
    assert xdist.auto_workers("cpu") is None
    assert xdist.auto_workers("cuda") == 1
