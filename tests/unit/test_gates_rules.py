"""The cascade of rules, and the rules that nothing measured."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.layers import parse
from pytest_clip.gates.rules import Bound, Entry, Rulebook
from pytest_clip.gates.thresholds import check

DOCS = Path(__file__).parents[2] / "docs" / "gates.md"
NEAR, FAR = GateId.parse("ood/auroc[near]"), GateId.parse("ood/auroc[far]")


def book(*texts):
    layers = [parse("schema = 1\n" + text, f"t{n or ''}.toml") for n, text in enumerate(texts)]
    return check(layers, today=date(2026, 6, 1))


def rule(scope, gate, keys):
    return f'[{scope}gates."{gate}"]\n{keys}\n'


GENERAL = rule("", "ood/auroc", "min = 0.1")
SLICE = rule("", "ood/auroc[near]", "min = 0.2")
DATA = rule("data.scenes.", "ood/auroc", "min = 0.3")
DATA_SLICE = rule("data.scenes.", "ood/auroc[near]", "min = 0.4")
MODEL = rule('model."ViT-B-32".', "ood/auroc", "min = 0.5")
MODEL_SLICE = rule('model."ViT-B-32".', "ood/auroc[near]", "min = 0.6")
LONG_MODEL = rule('model."ViT-B-32,openai".', "ood/auroc", "min = 0.7")
BOTH = rule('data.scenes.model."ViT-B-32".', "ood/auroc", "min = 0.8")
BOTH_SLICE = rule('data.scenes.model."ViT-B-32".', "ood/auroc[near]", "min = 0.9")
LADDER = [GENERAL, SLICE, DATA, DATA_SLICE, MODEL, MODEL_SLICE, LONG_MODEL, BOTH, BOTH_SLICE]
NAMES = ("ViT-B-32,openai", "ViT-B-32")


@pytest.mark.parametrize("rungs", range(1, len(LADDER) + 1))
@pytest.mark.parametrize("order", [1, -1], ids=["written-up", "written-down"])
def test_each_rung_wins_over_all_below_it_however_it_is_written(rungs, order):
    found = book("".join(LADDER[:rungs][::order])).rule_for(NEAR, NAMES, "scenes")
    assert found["min"].value == pytest.approx(rungs / 10)


@pytest.mark.parametrize(
    ("names", "data", "value"),
    [((), None, 0.2), (("ViT-B-32",), None, 0.6), ((), "scenes", 0.4), (("RN50",), "photos", 0.2), (("vit-b-32",), "Scenes", 0.2)],
)
def test_a_scope_holds_only_for_its_own_names(names, data, value):
    assert book("".join(LADDER)).rule_for(NEAR, names, data)["min"].value == value


def test_a_later_file_wins_even_with_its_most_general_rule():
    found = book(BOTH_SLICE, GENERAL).rule_for(NEAR, NAMES, "scenes")
    assert (found["min"].value, found["min"].source) == (0.1, "t1.toml:3")


def test_every_key_is_decided_on_its_own_and_keeps_its_place_and_reason():
    found = book(
        rule("", "ood/auroc", 'min = 0.5\nmin_n = 100\nwhy = "base"'), rule("", "ood/auroc[near]", 'max = 0.9\nmin_n = 200\nwhy = "slice"')
    ).rule_for(NEAR)
    assert {key: (each.value, each.source, each.why) for key, each in found.bounds.items()} == {
        "min": (0.5, "t.toml:3", "base"),
        "max": (0.9, "t1.toml:3", "slice"),
        "min_n": (200, "t1.toml:4", "slice"),
    }
    assert list(found.bounds) == ["min", "max", "min_n"]
    assert (found.get("max_drop"), found.gate) == (None, NEAR)


def test_no_rule_is_none():
    assert book(SLICE).rule_for(FAR) is None
    assert book(SLICE).rule_for(GateId("ood", "auroc")) is None
    assert book("").rule_for(NEAR) is None


def test_a_min_above_a_max_of_another_file_names_both_places_once():
    with pytest.raises(ClipError) as caught:
        book(rule("data.scenes.", "ood/auroc", "max = 0.8") + SLICE.replace("0.2", "0.1"), rule("", "ood/auroc", "min = 0.9"))
    assert str(caught.value) == "t1.toml:3: min 0.9 of ood/auroc is above max 0.8 of t.toml:3; no value can pass"


def test_a_contradiction_of_a_slice_and_its_metric():
    with pytest.raises(ClipError) as caught:
        book(rule("", "ood/auroc", "max = 0.8"), rule("", "ood/auroc[near]", "min = 0.9"))
    assert str(caught.value) == "t1.toml:3: min 0.9 of ood/auroc[near] is above max 0.8 of t.toml:3; no value can pass"


def test_scopes_that_never_meet_do_not_contradict_each_other():
    book(rule("data.scenes.", "ood/auroc", "max = 0.8") + rule("data.photos.", "ood/auroc", "min = 0.9"))
    book(rule("", "ood/auroc[far]", "max = 0.8") + rule("", "ood/auroc[near]", "min = 0.9"))
    book(rule("", "ood/auroc", "max = 0.8\nmin = 0.8"))


def test_two_names_of_one_model_that_contradict_are_refused_when_they_meet():
    rules = book(rule("model.a.", "ood/auroc", "max = 0.8") + rule("model.bb.", "ood/auroc", "min = 0.9"))
    with pytest.raises(ClipError, match=re.escape("t.toml:5: min 0.9 of ood/auroc[near] is above max 0.8 of t.toml:3")):
        rules.rule_for(NEAR, ("a", "bb"))


def test_a_rulebook_can_be_built_by_hand():
    entry = Entry(NEAR, None, None, {"min": Bound("min", 0.5, None, "here:1")}, None, 0, "here:1")
    later = replace(entry, layer=1, bounds={"min": Bound("min", 0.6, None, "there:1")})
    assert Rulebook([later, entry]).rule_for(NEAR)["min"].source == "there:1"


# rules that nothing measured

WRITTEN = (
    rule("", "ood/auroc", "min = 0.1")
    + rule("", "ood/auroc[near]", "min = 0.2")
    + rule("data.scenes.", "accuracy/top1", "min = 0.3")
    + rule("model.m.", "accuracy/top5", "min = 0.3")
)


@pytest.mark.parametrize(
    ("measured", "suites", "models", "data", "left"),
    [
        ([], ["ood"], ["m"], ["scenes"], ["ood/auroc", "ood/auroc[near]"]),
        (["ood/auroc[far]"], ["ood"], ["m"], ["scenes"], ["ood/auroc[near]"]),
        ([NEAR], ["ood"], ["m"], ["scenes"], []),
        (["ood/auroc"], ["ood"], ["m"], ["scenes"], ["ood/auroc[near]"]),
        (["ood/auroc_msp[near]"], ["ood"], [], [], ["ood/auroc", "ood/auroc[near]"]),
        ([], [], ["m"], ["scenes"], []),
        ([], ["accuracy"], ["m"], ["scenes"], ["accuracy/top1", "accuracy/top5"]),
        ([], ["accuracy"], ["m"], ["photos"], ["accuracy/top5"]),
        ([], ["accuracy"], ["n"], ["scenes"], ["accuracy/top1"]),
    ],
)
def test_rules_of_suites_that_ran_must_be_measured(measured, suites, models, data, left):
    assert [str(entry.gate) for entry in book(WRITTEN).unmeasured(measured, suites, models, data)] == left


def test_rules_for_names_that_are_not_in_the_run_can_be_listed():
    assert [entry.source for entry in book(WRITTEN).out_of_scope(["m"], ["photos"])] == ["t.toml:6"]
    assert [entry.scope for entry in book(WRITTEN).out_of_scope(["n"], ["scenes"])] == ['model."m"']
    assert book(WRITTEN).out_of_scope(["m"], ["scenes"]) == []


# the page


def test_the_example_of_the_page_does_what_its_table_says():
    page = DOCS.read_text()
    rules = check([parse(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1], "thresholds.toml")], today=date(2026, 6, 1))
    rows = re.findall(r"^\| `(ood/\S+)` \| (\S+) \| (\S+) \| ([0-9.]+), .*? \| (\d+) \|$", page, re.MULTILINE)
    assert len(rows) == 5
    for gate, model, data, low, few in rows:
        found = rules.rule_for(GateId.parse(gate), [model], data)
        assert (found["min"].value, found["min_n"].value) == (float(low), int(few)), (gate, model, data)
