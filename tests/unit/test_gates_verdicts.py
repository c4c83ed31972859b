"""Measurements, verdicts and the sentences that explain them."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip import ClipError
from pytest_clip.gates.digits import distinct
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.rerun import rerun_command
from pytest_clip.gates.rows import to_row
from pytest_clip.gates.rules import Bound, Rule, Severity
from pytest_clip.gates.verdicts import judge
from pytest_clip.gates.waivers import Waiver

GATE = GateId.parse("accuracy/top1[clean]")
WAIVER = Waiver(GATE, "tracked in #41", date(2027, 3, 1), "thresholds.toml:20")
DOCS = Path(__file__).parents[2] / "docs" / "gates.md"


def measured(value=0.893, n=10000, ci=(0.887, 0.899), **more):
    return Measurement.measured(GATE, value, n=n, ci=ci, model="ViT-B-32", data="scenes", **more)


def rule(relative=False, why=None, **bounds):
    return Rule(GATE, {key: Bound(key, value, why, f"t.toml:{line}", relative) for line, (key, value) in enumerate(bounds.items(), 3)})


# verdicts


@pytest.mark.parametrize(
    ("measurement", "asked", "waiver", "status", "headline"),
    [
        (measured(), rule(min=0.85), None, "pass", "0.8930 >= min 0.8500 (n = 10000, 95 % interval 0.8870..0.8990)"),
        (measured(), rule(min=0.95), None, "fail", "0.8930 < min 0.9500 (n = 10000, 95 % interval 0.8870..0.8990)"),
        (measured(), rule(max=0.5), None, "fail", "0.8930 > max 0.5000 (n = 10000, 95 % interval 0.8870..0.8990)"),
        (measured(ci=None), rule(max=0.9), None, "pass", "0.8930 <= max 0.9000 (n = 10000)"),
        (measured(ci=None), rule(min=0.8, max=0.9), None, "pass", "0.8930 >= min 0.8000 and <= max 0.9000 (n = 10000)"),
        (measured(ci=None), rule(min=0.8, max=0.85), None, "fail", "0.8930 > max 0.8500 (n = 10000)"),
        (measured(0.9, ci=None), rule(min=0.9, max=0.9), None, "pass", "0.9000 >= min 0.9000 and <= max 0.9000 (n = 10000)"),
        (measured(0.89999, ci=None), rule(min=0.9), None, "fail", "0.89999 < min 0.90000 (n = 10000)"),
        (
            measured(0.9, ci=(0.899999, 0.9)),
            rule(max=0.9),
            None,
            "pass",
            "0.9000 <= max 0.9000 (n = 10000, 95 % interval 0.899999..0.9000)",
        ),
        (measured(n=100), rule(min=0.8, min_n=500), None, "insufficient", "insufficient: n = 100 < min_n 500 (value 0.8930, min 0.8000)"),
        (
            measured(n=100),
            rule(min=0.95, min_n=500),
            WAIVER,
            "insufficient",
            "insufficient: n = 100 < min_n 500 (value 0.8930, min 0.9500)",
        ),
        (measured(n=500, ci=None), rule(min=0.8, min_n=500), None, "pass", "0.8930 >= min 0.8000 (n = 500)"),
        (measured(ci=None), None, None, "unjudged", "0.8930 (n = 10000): unjudged, no rule in any thresholds file"),
        (measured(ci=None), None, WAIVER, "unjudged", "0.8930 (n = 10000): unjudged, no rule in any thresholds file"),
        (measured(ci=None), rule(max_drop=0.1), None, "unjudged", "0.8930 (n = 10000): unjudged, its rule has no min and no max"),
        (measured(None, reason="empty"), rule(min=0.8), None, "fail", "no value: empty (min 0.8000, n = 10000)"),
        (measured(None, reason="empty"), rule(min=0.8, min_n=10**6), None, "fail", "no value: empty (min 0.8000, n = 10000)"),
        (measured(None, reason="empty"), rule(max_drop=0.8), None, "fail", "no value: empty (n = 10000)"),
        (measured(float("nan"), reason="bad"), rule(max=1), None, "fail", "no value: the value is nan: bad (max 1.0000, n = 10000)"),
        (
            measured(None, reason="empty"),
            None,
            None,
            "not_measured",
            "no value: empty (n = 10000): not measured, no rule in any thresholds file",
        ),
        (
            measured(ci=None),
            rule(min=0.95),
            WAIVER,
            "waived",
            "0.8930 < min 0.9500 (n = 10000): waived until 2027-03-01: tracked in #41",
        ),
        (
            measured(ci=None),
            rule(min=0.85),
            WAIVER,
            "fail",
            "0.8930 >= min 0.8500 (n = 10000): stale waiver, the gate passes; remove thresholds.toml:20 (tracked in #41)",
        ),
    ],
)
def test_the_status_and_the_first_line(measurement, asked, waiver, status, headline):
    verdict = judge(measurement, asked, waiver)
    assert (verdict.status, verdict.headline) == (status, f"accuracy/top1[clean]: {headline}")
    assert verdict.ok is (status in ("pass", "waived", "unjudged", "not_measured"))
    assert (verdict.measurement, verdict.rule, verdict.waiver) == (measurement, asked, waiver)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite, st.sampled_from(["min", "max"]))
def test_the_printed_sentence_is_true(value, bound, key):
    verdict = judge(measured(value, ci=None), rule(**{key: bound}))
    left, sign, right = re.match(r"accuracy/top1\[clean\]: (\S+) (\S+) m[a-z]+ (\S+) ", verdict.message).groups()
    a, b = float(left), float(right)
    assert {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[sign]
    assert (verdict.status == "pass") is (value >= bound if key == "min" else value <= bound)
    assert (left == right) is (value == bound)
    assert (left, right) == distinct(value, bound)


def lines(verdict):
    return [line.strip() for line in verdict.message.splitlines()[1:]]


@pytest.mark.parametrize(("low", "status"), [(0.89, "pass"), (0.899, "fail"), (0.887, "pass")])
def test_a_bound_inside_the_interval_is_said_whatever_the_verdict(low, status):
    verdict = judge(measured(n=500), rule(min=low))
    assert verdict.status == status
    assert f"note         the interval 0.8870..0.8990 includes min {low}: n = 500 is too few to be sure" in lines(verdict)


@pytest.mark.parametrize("low", [0.88, 0.9])
def test_a_bound_outside_the_interval_needs_no_note(low):
    assert "note" not in judge(measured(n=500), rule(min=low)).message


def test_a_drop_without_a_baseline_is_not_silently_green():
    assert "note         max_drop 5% not judged: no baseline" in lines(judge(measured(), rule(relative=True, max_drop=0.05)))
    assert "note         max_drop 0.02 not judged: no baseline" in lines(judge(measured(), rule(min=0.5, max_drop=0.02)))


def test_an_unjudged_gate_says_how_to_judge_it():
    assert 'fix          give [gates."accuracy/top1[clean]"] a min or a max in thresholds.toml' in lines(judge(measured(), None))
    assert "note         the waiver excuses nothing: no rule judges this gate" in lines(judge(measured(), None, WAIVER))


def test_the_message_on_the_page_is_what_is_printed():
    asked = Rule(GATE, {"min": Bound("min", 0.95, "reference minus two points", "thresholds.toml:14")})
    verdict = judge(measured(conventions={"logit_scale": np.float32(100)}), asked, spec="ViT-B-32,openai", fingerprint="3f9c1a0000000000")
    assert f"```\n{verdict.message}\n```" in DOCS.read_text()


def test_only_the_reason_of_the_broken_bound_is_given_and_every_place():
    bounds = {
        "min": Bound("min", 0.95, "high", "a.toml:1"),
        "max": Bound("max", 0.99, "low", "b.toml:2"),
        "min_n": Bound("min_n", 10, "enough", "c.toml:3"),
    }
    text = lines(judge(measured(), Rule(GATE, bounds)))
    assert [line for line in text if line.startswith("why")] == ["why          high"]
    assert "rule         min 0.95 (a.toml:1), max 0.99 (b.toml:2), min_n 10 (c.toml:3)" in text


@pytest.mark.parametrize(
    ("gate", "spec", "options", "command"),
    [
        (GATE, None, (), 'pytest --clip-model=ViT-B-32 --clip-suite=accuracy -k "accuracy/top1[clean]"'),
        (
            GATE,
            "ViT-B-32,my runs/e1.pt",
            ("--clip-data=/d/im net", "--clip-limit=95"),
            "pytest --clip-model='ViT-B-32,my runs/e1.pt' --clip-data='/d/im net' --clip-limit=95 --clip-suite=accuracy "
            '-k "accuracy/top1[clean]"',
        ),
        (GateId.parse("mine/metric"), "m", (), 'pytest --clip-model=m -k "mine/metric"'),
    ],
)
def test_the_command_that_measures_it_again(gate, spec, options, command):
    assert rerun_command(Measurement.measured(gate, 1, n=1, model="ViT-B-32", data="d"), spec, options) == command


def test_a_test_of_ones_own_is_repeated_by_its_node_id():
    mine = Measurement.measured("mine/metric", 1, n=1, model="m", data="d")
    assert rerun_command(mine, None, (), "tests/test_a.py::test_b[x y]") == "pytest --clip-model=m 'tests/test_a.py::test_b[x y]'"


WARNS = Severity("warn", "t.toml:9")


@pytest.mark.parametrize(
    ("measurement", "bounds", "waiver", "status", "ending"),
    [
        (measured(), {"min": 0.85}, None, "pass", "0.8870..0.8990)"),
        (measured(), {"min": 0.95}, None, "warn", 'interval 0.8870..0.8990): no failure, t.toml:9 says severity = "warn"'),
        (measured(n=9), {"min": 0.5, "min_n": 10}, None, "warn", '(value 0.8930, min 0.5000): no failure, t.toml:9 says severity = "warn"'),
        (measured(None, reason="x"), {"min": 0.5}, None, "warn", 'n = 10000): no failure, t.toml:9 says severity = "warn"'),
        (measured(), {"min": 0.95}, WAIVER, "waived", "waived until 2027-03-01: tracked in #41"),
        (measured(), {"min": 0.85}, WAIVER, "fail", "stale waiver, the gate passes; remove thresholds.toml:20 (tracked in #41)"),
        (measured(), {"max_drop": 0.02}, None, "unjudged", "its rule has no min and no max"),
    ],
)
def test_a_severity_of_warn_keeps_the_item_green_and_nothing_else(measurement, bounds, waiver, status, ending):
    asked = replace(rule(**bounds), severity=WARNS)
    verdict = judge(measurement, asked, waiver)
    assert verdict.status == status
    assert verdict.headline.endswith(ending)
    assert verdict.ok is (status != "fail")
    assert to_row(verdict)["rule"]["severity"] == "warn"
    strict = judge(measurement, replace(asked, severity=Severity("fail", "t.toml:9")), waiver)
    assert strict.status == {"warn": "insufficient" if "min_n" in bounds else "fail"}.get(status, status)


def test_a_stale_waiver_says_how_to_keep_it_for_others():
    wide, narrow = (judge(measured(), rule(min=0.5), waiver) for waiver in (WAIVER, replace(WAIVER, model="ViT-B-32", data="scenes")))
    assert 'fix          remove it, or limit it to what it is for with model = "NAME" or data = "NAME"' in lines(wide)
    assert "fix" not in narrow.message
    assert to_row(narrow)["waiver"] == {
        "reason": "tracked in #41", "until": "2027-03-01", "source": "thresholds.toml:20", "model": "ViT-B-32", "data": "scenes",
    }  # fmt: skip


# rows


def test_a_row_holds_the_contract_in_builtins():
    verdict = judge(measured(np.float32(0.5), n=np.int64(7), conventions={"bins": np.int32(15)}), rule(min=0.95, min_n=5, why="x"), WAIVER)
    row = to_row(verdict)
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row == {
        "gate": "accuracy/top1[clean]",
        "suite": "accuracy",
        "metric": "top1",
        "slice": "clean",
        "model": "ViT-B-32",
        "data": "scenes",
        "value": 0.5,
        "ci": [0.887, 0.899],
        "n": 7,
        "reason": None,
        "verdict": "waived",
        "rule": {"min": 0.95, "min_n": 5, "why": "x", "source": "t.toml:3", "sources": {"min": "t.toml:3", "min_n": "t.toml:4"}},
        "waiver": {"reason": "tracked in #41", "until": "2027-03-01", "source": "thresholds.toml:20"},
        "baseline": None,
        "flips": None,
        "conventions": {"bins": 15},
        "message": verdict.message,
    }


def test_a_row_without_value_or_rule():
    row = to_row(judge(measured(float("nan"), reason="no images of class 3"), None))
    assert (row["value"], row["ci"], row["rule"], row["waiver"]) == (None, None, None, None)
    assert row["reason"] == "the value is nan: no images of class 3"


def test_the_source_of_a_row_is_the_key_that_decided():
    assert to_row(judge(measured(), rule(min=0.1, max=0.2)))["rule"]["source"] == "t.toml:4"
    assert to_row(judge(measured(n=5), rule(min=0.1, min_n=20)))["rule"]["source"] == "t.toml:4"
    assert to_row(judge(measured(), rule(relative=True, max_drop=0.05)))["rule"]["max_drop"] == "5%"


def test_an_open_end_of_an_interval_is_null():
    verdict = judge(measured(2.0, ci=(1.5, float("inf"))), rule(max=3))
    assert to_row(verdict)["ci"] == [1.5, None]
    assert verdict.headline.endswith("(n = 10000, 95 % interval 1.5000..inf)")


# measurements


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.array(0.5), 0.5])
def test_numpy_numbers_become_plain_ones(value):
    one = measured(
        value, n=np.int64(3), ci=np.array([0.25, 0.75]), conventions={"a": [value, None, ("x", Path("p"))], "b": {1: np.bool_(True)}}
    )
    assert (type(one.value), type(one.n), [type(end) for end in one.ci]) == (float, int, [float, float])
    assert one.conventions == {"a": [0.5, None, ["x", "p"]], "b": {"1": True}}
    assert type(one.conventions["a"][0]) is float
    assert one.conventions["b"]["1"] is True


def test_subclasses_of_builtins_become_the_builtins():
    class Share(float):
        pass

    class Name(str):
        __slots__ = ()

    one = measured(Share(0.5), conventions={"name": Name("x")})
    assert (type(one.value), type(one.conventions["name"])) == (float, str)


def test_whole_floats_count_images():
    assert measured(n=np.float64(12)).n == 12


def test_conventions_without_a_json_number_are_words():
    assert measured(conventions={"tau": float("inf"), "x": float("nan")}).conventions == {"tau": "inf", "x": "nan"}


def test_an_interval_may_leave_out_its_own_value():
    assert measured(0.5, ci=(0.6, 0.7)).ci == (0.6, 0.7)


def test_no_value_has_no_interval():
    assert measured(None, ci=(float("nan"), float("nan")), reason="r").ci is None


def test_arrays_take_no_part_in_equality():
    one, two = (measured(per_image={"correct": np.arange(size)}) for size in (3, 4))
    assert one == two
    assert "correct" not in repr(one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value": None}, "the value is None; say why: gate(..., reason='...')"),
        ({"value": float("inf")}, "the value is inf; say why: gate(..., reason='...')"),
        ({"value": np.float32("nan")}, "the value is nan; say why: gate(..., reason='...')"),
        ({"value": True}, "the value must be one number, not True"),
        ({"value": "0.5"}, "the value must be one number, not '0.5'"),
        ({"value": np.array([0.5])}, "the value must be one number, not array([0.5])"),
        ({"n": 0}, "n must be a positive whole number of images, not 0"),
        ({"n": -1}, "n must be a positive whole number of images, not -1"),
        ({"n": 2.5}, "n must be a positive whole number of images, not 2.5"),
        ({"n": True}, "n must be a positive whole number of images, not True"),
        ({"n": None}, "n must be a positive whole number of images, not None"),
        ({"ci": (0.9, 0.1)}, "ci must be two numbers in order, not (0.9, 0.1)"),
        ({"ci": (float("nan"), 1)}, "ci must be two numbers in order, not (nan, 1.0)"),
        ({"ci": (1, 2, 3)}, "ci must be two numbers (low, high), not (1, 2, 3)"),
        ({"ci": 0.5}, "ci must be two numbers (low, high), not 0.5"),
        ({"ci": ("a", "b")}, "an end of ci must be one number, not 'a'"),
        ({"conventions": {"f": {1}}}, "convention 'f' is a set; use numbers, texts, lists and dicts of them"),
        ({"conventions": {"f": np.arange(2)}}, "convention 'f' is a ndarray; use numbers, texts, lists and dicts of them"),
    ],
)
def test_what_a_report_could_not_show_is_refused(arguments, message):
    with pytest.raises(ClipError) as caught:
        measured(**arguments)
    assert str(caught.value) == f"accuracy/top1[clean]: {message}"


def test_a_gate_may_be_given_as_text():
    assert Measurement.measured("ood/auroc[near]", 1, n=1, model="m", data="d").gate == GateId("ood", "auroc", "near")
    with pytest.raises(ClipError, match="is not a gate id"):
        Measurement.measured("auroc", 1, n=1, model="m", data="d")
