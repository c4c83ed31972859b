"""A model that does not know the embedded benchmark is warned by what ships for everybody, and by nothing else, and never green for it."""

from types import SimpleNamespace

import pytest

from pytest_clip.gates.ids import GateId
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.rows import to_row
from pytest_clip.gates.rules import Bound
from pytest_clip.gates.verdicts import Verdict
from pytest_clip.session import domain
from pytest_clip.session.closing import nothing_judged

SHIPPED, OWN = "pytest_clip/thresholds.toml:5", "thresholds.toml:5"


def verdict(gate="accuracy/top1[clean]", *, data="scenes", status="fail", key="min", source=SHIPPED, waiver=None):
    measured = Measurement(GateId.parse(gate), 0.05, None, 190, "ours", data, {})
    return Verdict(measured, None, status, f"{gate}: 0.05 < min 0.2\n  rule  x", waiver, Bound(key, 0.2, None, source))


def session(*entries, original="ours"):
    return SimpleNamespace(model_names=lambda model: (model,), original=lambda model: original, rulebook=SimpleNamespace(entries=entries))


def below():
    return 0.08, 1 / 19


def test_an_absolute_shipped_rule_warns_and_names_the_commands():
    found = domain.within(session(), verdict(), below)
    assert found.status == "warn"
    head = found.message.partition("\n")[0]
    assert "ours names 0.080 of clean rightly (chance 0.053), so scenes is outside what it knows" in head
    assert "--clip-data=DIR" in head
    assert "--clip-baseline-model=NAME" in head
    assert found.outside


@pytest.mark.parametrize(
    "case",
    [
        {"gate": "checkpoint/alignment"},
        {"gate": "accuracy/top1[studio]"},
        {"gate": "metamorphic/agreement"},
        {"data": "photos"},
        {"key": "max_drop"},
        {"source": OWN},
        {"waiver": object()},
        {"status": "pass"},
        {"status": "unjudged"},
    ],
)
def test_everything_else_is_judged_as_ever(case):
    asked = []
    given = verdict(**case)
    assert domain.within(session(), given, lambda: asked.append(1) or below()) is given
    assert not asked  # no picture is looked at for it


def test_a_model_above_twice_chance_fails():
    assert domain.within(session(), verdict(), lambda: (0.11, 1 / 19)).status == "fail"


def test_a_damaged_copy_fails():
    assert domain.within(session(original="whole"), verdict(), below).status == "fail"


def test_a_model_with_shipped_rules_of_its_own_fails():
    own = SimpleNamespace(model="ours", source=SHIPPED, applies=lambda gate, names, data: True)
    assert domain.within(session(own), verdict(), below).status == "fail"
    other = SimpleNamespace(model="theirs", source=SHIPPED, applies=lambda gate, names, data: False)
    assert domain.within(session(other), verdict(), below).status == "warn"


def row(found, **more):
    return to_row(found) | {"rule": {"sources": {"min": SHIPPED}}} | more


@pytest.mark.parametrize(
    ("beside", "judged"),
    [
        ({}, False),
        ({"verdict": "pass", "message": "0.09 >= min 0.08"}, False),  # luck: one slice in twenty
        ({"verdict": "warn", "message": 'no failure, x says severity = "warn"'}, False),
        ({"gate": "calibration/temperature", "verdict": "pass", "message": "1 >= 0.06"}, False),
        ({"verdict": "pass", "message": "fine", "rule": {"sources": {"min": OWN}}}, True),
        ({"verdict": "pass", "message": "no drop", "baseline": {"drop": 0.0}}, True),
        ({"gate": "checkpoint/finite_weights", "verdict": "pass", "message": "1 >= 1"}, True),
        ({"data": "photos", "verdict": "pass", "message": "fine"}, True),
        ({"model": "other", "verdict": "pass", "message": "fine"}, True),
        ({"model": "other", "verdict": "warn", "message": "of a project, so photos is outside what it knows"}, True),
    ],
)
def test_what_a_model_that_knows_nothing_here_passes_is_no_judgement(beside, judged):
    found, fine = domain.within(session(), verdict(), below), verdict(status="warn")
    settings = SimpleNamespace(save=None, update=(), unjudged="warn")
    told = nothing_judged({("t", "g"): row(found, message="in other words"), ("u", "h"): row(fine, **beside)}, settings)
    assert (told is None) == judged


def test_the_row_says_whether_the_verdict_was_softened():
    assert [to_row(domain.within(session(), verdict(status=each), below)).get("outside") for each in ("fail", "pass")] == [True, None]
