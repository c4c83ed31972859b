"""Workers: gates that share answers stay together, a worker stays with the model that it has loaded."""

from __future__ import annotations

import json
from collections import OrderedDict
from types import SimpleNamespace

import pytest

from pytest_clip.plugin.scheduling import ByAnswers, unit_of


@pytest.mark.parametrize(
    ("nodeid", "unit", "who"),
    [
        ("suites/test_ood.py::test_auroc[m-scenes-ood/auroc[near]]", "suites/test_ood.py[m-scenes]", "m-scenes"),
        ("suites/test_ood.py::test_fpr[m-scenes-ood/fpr]", "suites/test_ood.py[m-scenes]", "m-scenes"),
        ("suites/test_ood.py::test_auroc[a-b,x.pt-my-data-ood/auroc[near]]", "suites/test_ood.py[a-b,x.pt-my-data]", "a-b,x.pt-my-data"),
        ("suites/test_corruptions.py::test_accuracy[m-d-corruptions/accuracy[fog-3]]", "suites/test_corruptions.py[m-d]fog", "m-d"),
        ("suites/test_corruptions.py::test_accuracy[m-d-corruptions/accuracy[fog]]", "suites/test_corruptions.py[m-d]fog", "m-d"),
        ("suites/test_corruptions.py::test_mce[m-d-corruptions/mce]", "suites/test_corruptions.py[m-d]", "m-d"),
        ("suites/test_corruptions_3d.py::test_a[m-d-corruptions_3d/a[fog_3d-1]]", "suites/test_corruptions_3d.py[m-d]fog_3d", "m-d"),
        ("suites/test_ood.py::never_measured[ood/auroc-thresholds.toml-3]", "suites/test_ood.py", ""),
        ("tests/test_own.py::test_it[m-d]", "tests/test_own.py", ""),
        ("tests/test_own.py::Case::test_it", "tests/test_own.py", ""),
    ],
)
def test_units(nodeid, unit, who):
    assert unit_of(nodeid) == (unit, who)


def test_a_worker_keeps_to_its_model_and_a_free_one_takes_a_model_that_nobody_has(monkeypatch):
    given = []
    monkeypatch.setattr(
        "xdist.scheduler.loadscope.LoadScopeScheduling._assign_work_unit", lambda self, node: given.append((node, take(self)))
    )

    def take(scheduler):
        return scheduler.workqueue.popitem(last=False)[0]

    scheduler = ByAnswers(SimpleNamespace(option=SimpleNamespace(tx=["popen"] * 2), getvalue=lambda name: ["popen"] * 2))
    nodeids = [f"suites/test_{suite}.py::t[{model}-d-{suite}/x]" for suite in ("a", "b", "c") for model in ("m", "n")]
    scheduler.workqueue = OrderedDict((unit_of(nodeid)[0], {nodeid: False}) for nodeid in nodeids)
    for node in ("w0", "w1", "w0", "w1", "w0", "w0"):
        scheduler._assign_work_unit(node)
    assert [(node, unit.removeprefix("suites/test_")) for node, unit in given] == [
        ("w0", "a.py[m-d]"), ("w1", "a.py[n-d]"), ("w0", "b.py[m-d]"), ("w1", "b.py[n-d]"), ("w0", "c.py[m-d]"), ("w0", "c.py[n-d]"),
    ]  # fmt: skip


class Workers:
    """A scheduler with nodes that only note what they are given."""

    def __init__(self, monkeypatch, nodeids, **labels):
        self.given, self.down = [], []
        monkeypatch.setattr("xdist.scheduler.loadscope.LoadScopeScheduling._assign_work_unit", lambda _, node: self._take(node))
        self.scheduler = ByAnswers(SimpleNamespace(option=SimpleNamespace(tx=["popen"] * 2), getvalue=lambda name: ["popen"] * 2), **labels)
        for nodeid in nodeids:
            self.scheduler.workqueue.setdefault(unit_of(nodeid)[0], {})[nodeid] = False

    def _take(self, node):
        unit, tests = self.scheduler.workqueue.popitem(last=False)
        self.scheduler.assigned_work.setdefault(node, {})[unit] = tests
        self.given.append((node.name, unit.removeprefix("suites/test_")))

    def node(self, name):
        node = Node(name=name, shutdown=lambda: self.down.append(name))
        self.scheduler.assigned_work[node] = {}
        return node


class Node(SimpleNamespace):
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def test_groups_of_a_model_follow_those_of_the_baseline_to_their_worker(monkeypatch):
    nodeids = [f"suites/test_{suite}.py::t[{model}-d-{suite}/x]" for suite in ("a", "b", "c") for model in ("base-m", "m", "base-m-2")]
    nodeids += ["tests/test_own.py::test_it[m-d]"]
    workers = Workers(monkeypatch, nodeids, baseline="base-m", models=["m", "base-m-2"])
    one, two = workers.node("w0"), workers.node("w1")
    for node in (one, two, one, one, two, two, one, one, one, two):
        workers.scheduler._assign_work_unit(node)
    assert workers.given == [
        ("w0", "a.py[base-m-d]"), ("w1", "tests/test_own.py"), ("w0", "b.py[base-m-d]"), ("w0", "c.py[base-m-d]"),
        ("w0", "a.py[m-d]"), ("w0", "b.py[m-d]"), ("w0", "c.py[m-d]"),
    ]  # fmt: skip
    assert workers.down == ["w1", "w1", "w1"]  # nothing of the baseline was measured there
    assert list(workers.scheduler.workqueue) == [f"suites/test_{suite}.py[base-m-2-d]" for suite in ("a", "b", "c")]  # no baseline


def test_groups_whose_worker_has_crashed_go_to_any_other(monkeypatch):
    nodeids = [f"suites/test_{suite}.py::t[{model}-d-{suite}/x]" for suite in ("a", "b") for model in ("base-m", "m")]
    workers = Workers(monkeypatch, nodeids, baseline="base-m", models=["m"])
    one, two = workers.node("w0"), workers.node("w1")
    workers.scheduler._assign_work_unit(one)
    workers.scheduler._assign_work_unit(two)
    del workers.scheduler.assigned_work[one]
    workers.scheduler._assign_work_unit(two)
    workers.scheduler._assign_work_unit(two)
    assert workers.given[2:] == [("w1", "a.py[m-d]"), ("w1", "b.py[m-d]")]


def test_two_models_on_two_workers_are_loaded_once_each_unless_one_worker_is_idle(world):
    result = world.run_process("-p", "xdist", "--clip-model=stub", "--clip-model=other", "-n", "2", "--clip-report=json")
    result.assert_outcomes(passed=10)
    rows = json.loads((world.pytester.path / "clip-report.json").read_text())["gates"]
    assert {row["model"] for row in rows} == {"stub", "other"}
    assert set(world.loads) == {"other", "stub"}
    assert len(world.loads) <= 3  # a worker that has nothing left of its own model helps with the last group of the other


def test_a_distribution_that_the_user_chose_is_left_alone(world):
    result = world.run_process("-p", "xdist", "--clip-model=stub", "-n", "2", "--dist=load", "-v")
    assert "LoadScheduling" in result.stdout.str()
    result = world.run_process("-p", "xdist", "--clip-model=stub", "-n", "2", "-v")
    assert "scheduling tests via ByAnswers" in result.stdout.str()
