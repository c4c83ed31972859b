"""The HTML report: one page that is complete in itself, in which every name stays a text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from html_pages import record, rendered, row
from unit.test_report_text import HOSTILE

from pytest_clip.report.html import page
from pytest_clip.report.writing import write

FOLDER = Path(page.__file__).parent / "templates"
STYLE, SCRIPT = (FOLDER / "style.css").read_text("utf-8"), (FOLDER / "script.js").read_text("utf-8")


def test_the_policy_lets_run_what_is_in_the_page_and_nothing_else():
    text = page.render(record([row()]))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    assert style == STYLE
    assert f"style-src '{page._hash(style)}'" in policy
    assert f"script-src '{page._hash(re.search(r'<script>(.*?)</script>', text, re.DOTALL).group(1))}'" in policy
    assert "</" not in SCRIPT
    assert not re.search(r"https?:|innerHTML|eval\(|fetch|import", SCRIPT)
    assert not re.search(r"url\(|@import|https?:", STYLE)


def named(name):
    """A record in which all that others write is `name`."""
    said = " ".join(name.split())
    message = f"accuracy/top1[clean]: {said}\n  why          {said}\n  rerun        pytest -k {said}"
    rule = {"min": 0.7, "why": name, "source": f"{name}:3"}
    rows = [row(model=name, data=name, message=message, reason=name, nodeid=name, rule=rule)]
    return record([*rows, row("ood/auroc[near]", "pass", 0.9, model="other", data="d")], argv=[name], commit=name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_a_text(name):
    found = rendered(named(name))
    assert page.plain(" ".join(name.split())) in found.text
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in rendered(named("usual")).elements]


def test_same_record_same_bytes_and_two_gates_with_one_name_are_two_places():
    several = record([row(model="a"), row(model="b"), row(model="a", data="other")])
    found = rendered(several)
    assert {"gate=accuracy/top1[clean]&model=a&data=scenes", "gate=accuracy/top1[clean]&model=a&data=other"} <= found.ids
    assert page.render(several) == page.render(several)


def test_an_empty_run_is_not_green():
    found = rendered(record([], exit_status=5))
    assert "Empty no gate was measured" in found.text
    assert found.all("header")[0]["class"] == "top doubt"
    assert "form" not in {tag for tag, _ in found.elements}


@pytest.mark.parametrize(
    ("verdicts", "status", "tone", "told"),
    [
        (["pass", "pass"], 0, "good", "Passed 2 gates, 2 judged"),
        (["pass", "warn"], 0, "good", "Passed 2 gates, 1 of them only warned or waived"),
        (["pass", "unjudged"], 0, "good", "Passed 2 gates, 1 judged"),
        (["unjudged", "unjudged"], 0, "doubt", "Not judged none of 2 gates was held against a rule"),
        (["pass", "fail"], 1, "bad", "Failed 1 of 2 gates"),
        (["pass", "insufficient"], 1, "bad", "Failed 1 of 2 gates"),
        (["pass", "pass"], 1, "bad", "Failed no gate failed, but the run ended with exit status 1"),
        (["pass", "fail"], 0, "bad", "Failed 1 of 2 gates"),
    ],
)
def test_the_headline_is_green_only_where_the_run_was(verdicts, status, tone, told):
    rows = [row(f"accuracy/top1[s{k}]", verdict) for k, verdict in enumerate(verdicts)]
    found = rendered(record(rows, exit_status=status))
    assert told in found.text
    assert found.all("header")[0]["class"] == f"top {tone}"


def test_the_worst_gates_come_first():
    values = {
        "a": ("fail", 0.69),
        "b": ("fail", 0.2),
        "c": ("insufficient", 0.8),
        "d": ("pass", 0.9),
        "e": ("pass", 0.71),
    }
    rows = [row(f"accuracy/top1[{name}]", verdict, value) for name, (verdict, value) in values.items()]
    rows.append(row("accuracy/top1[f]", "unjudged", 0.1))
    found = rendered(record(rows))
    worst = found.text[found.text.index("The worst gates\n") :].partition("Gates\n")[0]
    assert re.findall(r"top1\[(\w)\]", worst) == ["b", "a", "c", "e", "d"]


def test_a_thousand_gates_are_each_there_once():
    rows = [row(f"accuracy/top1[s{k}]", ("pass", "fail", "unjudged")[k % 3], k / 1000) for k in range(1000)]
    told = record(rows)
    found = rendered(told)
    assert len([each for each in found.ids if each.startswith("gate=")]) == 1000
    assert len(page.render(told)) < 4_000_000


def test_three_models_are_beside_each_other_and_ties_are_said_to_be_ties():
    ends = {"a": (0.9, [0.88, 0.92]), "b": (0.89, [0.87, 0.91]), "c": (0.5, [0.45, 0.55])}
    rows = [row("accuracy/top1[clean]", "pass", value, model=name, ci=ci) for name, (value, ci) in ends.items()]
    rows += [row("ood/auroc[near]", "pass", value, model=name, ci=[value, value]) for name, (value, _) in ends.items()]
    found = rendered(record(rows))
    assert "tie: the intervals of a, b overlap" in found.text
    assert "best: a" in found.text
    assert "Headline gates on scenes" in found.text


def drop(value, allowed, status, p, **more):
    return {
        "run": "run base",
        "value": 0.9,
        "drop": value,
        "ci": [value - 0.02, value + 0.02],
        "p": p,
        "status": status,
        "allowed": allowed,
        **more,
    }


def test_a_baseline_is_drawn_with_what_is_allowed():
    refused = {**dict.fromkeys(drop(0, 0, None, None)), "run": "run base", "reason": "too few"}
    rows = [
        row("accuracy/top1[a]", "pass", 0.89, baseline=drop(0.01, 0.05, "pass", 0.2)),
        row("accuracy/top1[b]", "fail", 0.7, baseline=drop(0.2, 0.05, "fail", 0.001, p_holm=0.002)),
        row(
            "accuracy/top1[c]",
            "fail",
            None,
            ci=None,
            baseline=refused,
        ),
    ]
    found = rendered(record(rows))
    assert "2 gates compared with run base on the same images." in found.text
    assert "1 gate could not be compared: too few." in found.text
    table = found.text[found.text.index("The numbers of “Against run base”") :].split("Gates\n")[0]
    assert table.index("top1[b]") < table.index("top1[a]")
    assert "0.002" in table
    assert "regressed" in table
    marks = [attrs for tag, attrs in found.elements if tag == "rect" and attrs.get("class") == "allowed"]
    assert len(marks) == 2


def test_an_infinite_bound_is_none_in_a_page_as_in_the_record(tmp_path):
    lost = {**drop(0.1, 0.05, "insufficient", 1.0), "ci": [float("-inf"), float("inf")]}
    told = record([row("accuracy/top1[a]", "insufficient", 0.8, baseline=lost)])
    write("html", told, tmp_path / "a.html")
    write("json", told, tmp_path / "a.json")
    text = (tmp_path / "a.html").read_text("utf-8")
    assert text == page.render(json.loads((tmp_path / "a.json").read_text("utf-8")))
    assert "inf</" not in text


def test_epochs_of_one_run_are_a_curve():
    files = ["run/e1.pt", "run/e2.pt", "other/e2.pt", "run/e3.pt"]
    told = record([row("accuracy/top1[clean]", "pass", 0.5 + k / 10, model=name) for k, name in enumerate(files)])
    for each in told["models"]:
        each |= {"architecture": "RN", "pretrained": each["name"], "checkpoint": {"epoch": int(each["name"][-4])}}
    text = rendered(told).text
    assert "Epochs of RN in run on scenes" in text
    assert "RN in other" not in text
    numbers = text.partition("The numbers of “Epochs")[2].partition("Gates\n")[0]
    assert [numbers.count(name) for name in files] == [1, 1, 0, 1]


def test_mutants_are_a_matrix():
    ran = {"model": "m", "what": "is damaged", "judged": 3, "equivalent": None, "not_applicable": None}
    mutants = [
        {**ran, "name": "noise", "killed_by": ["accuracy/top1[clean]"], "survived": False},
        {**ran, "name": "swap", "killed_by": [], "survived": True},
        {**ran, "name": "same", "killed_by": [], "survived": False, "equivalent": "it is the model"},
    ]
    found = rendered(record([row()], {"mutants": mutants, "toothless": {"m": ["ood/auroc[near]"]}}))
    assert "1 of 2 damaged copies are noticed." in found.text
    assert "Survived: swap, the model is damaged." in found.text
    assert "Not counted: same: it is the model." in found.text
    assert "1 gate noticed none of them: ood/auroc[near]." in found.text


def test_a_multimodal_model_is_drawn_beside_the_clip_on_the_same_pairs():
    sets = {"clean": (0.9, 0.8), "shift_far": (0.6, 0.7), "fog-3": (0.5, None)}
    rows = [row(f"lmm/accuracy[{name}]", "pass", lmm) for name, (lmm, _) in sets.items()]
    rows += [row(f"lmm/accuracy[{name}]", "pass", 0.77) for name in ("vanilla-2", "circular-2")]
    rows += [
        row(f"lmm/gain_over_clip[{name}]", "pass", 0.1, conventions={"measured": {"clip": clip, "lmm": lmm}})
        for name, (lmm, clip) in sets.items()
    ]
    text = page.render(record(rows))
    beside, protocols = (text.index(each) for each in ("the LMM beside the CLIP", "lmm/accuracy by protocol"))
    assert beside < protocols
    drawn = text[beside:protocols]
    assert "Open marks are the CLIP on the same pairs." in drawn
    assert "shift_far" in drawn
    assert "fog-3" in drawn
    assert "0.7000" in drawn  # of the CLIP, in the table behind the figure
    assert "vanilla-2" not in drawn


def part(text, start, end='<ul class="gates">'):
    return text[text.index(start) : text.index(end, text.index(start))]


def test_groups_are_drawn_each_with_its_interval():
    told = {"groups": {"brick": 120, "wood <b>": 100, "hay": 0}, "measured": {"brick": 0.5, "wood <b>": 0.9, "hay": 0.1, "odd": 0.3}}
    rows = [row("groups/worst_accuracy[texture]", "pass", 0.5, conventions=told), row("groups/gap[texture]", "pass", 0.4)]
    drawn = part(page.render(record(rows)), "Accuracy by texture")
    assert re.findall(r"<bdi>(.*?)</bdi>", drawn) == [
        *("brick", "0.5", "0.412 to 0.588", "120", "wood &lt;b&gt;", "0.9", "0.826 to 0.945", "100"),
    ]  # Wilson's of 60 of 120 and of 90 of 100
    assert "hay" not in drawn


@pytest.mark.parametrize(
    "told", [{}, {"groups": 3, "measured": {"a": 0.5}}, {"groups": {"a": "x"}, "measured": {"a": 0.5}}, {"measured": 3}]
)
def test_a_record_that_does_not_tell_its_groups_has_no_figure_of_them(told):
    assert "Accuracy by texture" not in page.render(record([row("groups/worst_accuracy[texture]", "pass", 0.5, conventions=told)]))


def test_what_an_attack_leaves_stands_beside_the_images_before_it():
    left = {"linf-0.5": 0.6, "linf-1": 0.2}
    rows = [row(f"adversarial/robust_accuracy[{k}]", "unjudged", v, conventions={"measured": {"clean": 0.95}}) for k, v in left.items()]
    drawn = part(page.render(record(rows)), "adversarial/robust_accuracy</h4>")
    assert "Open marks are the same images before the attack." in drawn
    assert "m: 0.95 without it" in drawn


def test_the_gap_of_backgrounds_stands_among_the_drops():
    rows = [row(f"factors/drop[{name}]", "pass", 0.1) for name in ("pose", "light")]
    drawn = part(page.render(record([*rows, row("factors/background_gap", "pass", 0.02)])), "factors/drop</h4>")
    assert "background_gap is what another class's background costs." in drawn.replace("&#39;", "'")
    assert re.findall(r'<th scope="row"><bdi>(.*?)</bdi>', drawn) == ["light", "pose", "background_gap"]
    assert "background_gap" not in part(page.render(record(rows)), "factors/drop</h4>")


def test_types_of_denials_are_beside_each_other():
    rows = [row(f"retrieval/negation_accuracy[{name}]", "pass", 0.5) for name in ("positive", "hybrid")]
    assert "retrieval/negation_accuracy</h4>" in page.render(record(rows))


def test_one_severity_alone_is_an_interval_and_not_a_curve():
    told = {"measured": {"without": 0.9}}
    rows = [row(f"corruptions_laion_c/accuracy[{kind}-1]", "pass", 0.4, ci=[0.3, 0.5], conventions=told) for kind in ("stickers", "lines")]
    text = page.render(record(rows))
    drawn = part(text, "Accuracy at severity 1")
    assert "A panel a corruption: accuracy at severity 1 with 95 % intervals." in drawn
    assert re.findall(r'<th scope="col">(.*?)</th>', drawn) == ["corruption", "without", "severity 1"]
    assert drawn.count('class="whisker s0"') == 2
    assert "0.4000 (0.3000 to 0.5000)" in drawn
    assert drawn.count('class="reference s0"') == 2
    several = [row(f"corruptions/accuracy[fog-{s}]", "pass", 0.4, ci=[0.3, 0.5]) for s in (1, 2)]
    assert "severities 1 to 5" in page.render(record(several))
