"""Evidence from a run to its page: what a stub model got wrong is shown, and nothing else changes."""

import json
import re
from pathlib import Path

import painted
import pytest

from pytest_clip.cli.main import main


@pytest.fixture
def pets(tmp_path):
    """Two classes of twelve; two pictures of `class 0` show what is in `class 1`."""
    for k in range(24):
        painted.save(tmp_path / "pets" / f"class {k % 2}" / f"{k}.png", 1 if k in (2, 4) else k % 2)
    return tmp_path / "pets"


def of(project, kind):
    record = json.loads((project.path / "report.json").read_text("utf-8"))
    return [each for each in record.get("evidence", {}).get("figures", ()) if each["kind"] == kind], record


def test_mistakes_reach_the_record_and_the_page(measure, project, pets):
    measure(pets, "--clip-report=html:page.html", suites="accuracy,calibration")
    found, record = of(project, "mistakes")
    assert [each["gate"] for each in found] == ["accuracy/top1[clean]"]
    images = found[0]["images"]
    assert [(each["id"], each["truth"], each["answer"]) for each in images] == [
        ("class 0/2.png", "class 0", "class 1"),
        ("class 0/4.png", "class 0", "class 1"),
    ]
    assert {each["picture"] for each in images} == set(record["evidence"]["pictures"])
    assert len(record["evidence"]["pictures"]) == 1  # the same picture twice
    confusion, _ = of(project, "confusion")
    assert confusion[0]["classes"] == [{"name": "class 0", "n": 12, "wrong": 2, "taken_for": [["class 1", 2]]}]
    bins, _ = of(project, "reliability")
    assert [sum(each["n"] for each in told["bins"]) for told in bins if told["gate"] == "calibration/ece[clean]"] == [24]
    text = (project.path / "page.html").read_text("utf-8")
    assert text.count("data:image/jpeg;base64,") == 1
    assert re.search(r"<span><bdi>“class 1” \d+%</bdi></span> <span><bdi>is class 0</bdi></span> <span><bdi>class 0/2.png", text)
    assert "Classes that lose most: clean" in text
    assert "Reliability on clean" in text


def test_evidence_changes_no_number_and_can_be_left_out(measure, project, pets):
    rows, _ = measure(pets, suites="accuracy,calibration")
    without, _ = measure(pets, "--clip-evidence=0", suites="accuracy,calibration")
    assert rows == without
    assert of(project, "mistakes")[0] == []
    assert "evidence" not in of(project, "mistakes")[1]


def test_one_image_is_one_image_and_workers_send_theirs(measure, project, pets):
    measure(pets, "--clip-evidence=1", suites="accuracy")
    found, record = of(project, "mistakes")
    assert [len(each["images"]) for each in found] == [1]
    measure(pets, "--clip-evidence=1", "-p", "xdist", "-n1", suites="accuracy")
    assert of(project, "mistakes")[1]["evidence"] == record["evidence"]


BLIND = """
import sys
sys.path.insert(0, {here!r})
import painted, torch

class Blind(painted.Reader):
    def encode_image(self, images):
        return super().encode_image(images.clamp(min=torch.tensor([24, 0, 0]).view(3, 1, 1)))  # the number 0 looks like 1

def pytest_clip_make_model(spec, config):
    return Blind(spec.text)
"""


@pytest.fixture
def alike(tmp_path):
    """Three classes of eight, each picture of its class."""
    for k in range(24):
        painted.save(tmp_path / "pets" / f"class {k % 3}" / f"{k}.png", k % 3)
    return tmp_path / "pets"


def blind(project):
    project.makeconftest(BLIND.format(here=str(Path(painted.__file__).parent)))


def saved(project, name):
    return json.loads((project.path / ".clip" / "runs" / name / "record.json").read_text("utf-8"))


def page_of(project, *args):
    assert main([*args, "--html=again.html"]) in (0, 1)
    return (project.path / "again.html").read_text("utf-8")


def figures(text):
    """The figures of a page: titles and drawings."""
    return re.findall(r"<figure.*?</figure>", text, re.DOTALL)


def test_what_a_baseline_had_right_is_shown(measure, project, alike):
    measure(alike, "--clip-save=base", suites="accuracy")
    blind(project)
    measure(alike, "--clip-baseline=base", "--clip-report=html:page.html", suites="accuracy")
    found, record = of(project, "flips")
    row = next(row for row in record["gates"] if row["gate"] == "accuracy/top1[clean]")
    assert row["flips"]["worse"] > 0
    shown = [each["id"] for each in found[0]["images"]]
    assert shown == row["flips"]["ids"][:3]
    assert {each["before"] for each in found[0]["images"]} == {"right"}
    text = (project.path / "page.html").read_text("utf-8")
    assert "Right in the baseline, wrong now" in text
    told = next(each for each in of(project, "flip_groups")[0] if each["gate"] == row["gate"])
    assert (told["worse"], told["at_risk"]) == (row["flips"]["worse"], row["flips"]["at_risk"])
    classes = [group for group in told["groups"] if group["fact"] == "class"]
    assert sum(group["worse"] for group in classes) == told["worse"]
    for group in classes:
        assert group["at_risk"] == told["at_risk"] // 3  # three classes
        assert {each["id"].split("/")[0] for each in group["images"]} == {each["truth"] for each in group["images"]} == {group["value"]}
        assert len(group["images"]) == min(3, group["worse"])
        assert group["stands_out"] == any(each["stands_out"] for each in row["flips"]["groups"] if each["value"] == group["value"])
    assert f"class {classes[0]['value']}: {classes[0]['worse']} of {told['at_risk'] // 3}" in text


def test_a_saved_run_has_the_figures_of_its_own_page_and_no_own_pictures(measure, project, pets):
    measure(pets, "--clip-report=html:page.html", "--clip-save=base", suites="accuracy,calibration")
    record = saved(project, "base")
    assert record["evidence"]["pictures"] == {}
    told = next(each for each in record["evidence"]["figures"] if each["kind"] == "mistakes")
    assert [(each["id"], each["answer"], each["picture"]) for each in told["images"]] == [
        ("class 0/2.png", "class 1", None),
        ("class 0/4.png", "class 1", None),
    ]
    own, again = (project.path / "page.html").read_text("utf-8"), page_of(project, "report", "base")
    assert len(figures(own)) == 2  # classes that lose most, reliability
    assert figures(again) == figures(own)
    assert "“class 1” " in again
    assert own.count("data:image/jpeg") == 1
    assert "data:image/jpeg" not in again


def test_own_pictures_are_in_a_saved_run_that_was_asked_for_them(measure, project, pets):
    measure(pets, "--clip-report=html:page.html", "--clip-save=base", "-o", "clip_save_pictures=true", suites="accuracy,calibration")
    assert len(saved(project, "base")["evidence"]["pictures"]) == 1
    own, again = (project.path / "page.html").read_text("utf-8"), page_of(project, "report", "base")
    timeless = [re.sub(r"(took|duration)(</dt> <dd>|</bdi></th><td>)<bdi>[^<]*", "", text) for text in (own, again)]
    assert timeless[0] == timeless[1]


def test_evidence_of_no_image_is_left_out_of_a_saved_run(measure, project, pets):
    measure(pets, "--clip-save=base", "--clip-evidence=0", suites="accuracy,calibration")
    assert "evidence" not in saved(project, "base")


def test_two_saved_runs_are_shown_side_by_side(measure, project, alike):
    measure(alike, "--clip-save=base", suites="accuracy,calibration")
    blind(project)
    measure(alike, "--clip-save=next", "-o", "clip_save_pictures=true", suites="accuracy,calibration")
    text = page_of(project, "compare", "base", "next")
    titles = re.findall(r"<figcaption><h[34]>(.*?)</h[34]>", text)
    assert [each for each in titles if each.startswith("Reliability")] == ["Reliability on clean, next", "Reliability on clean, base"]
    assert [each for each in titles if each.startswith("Classes")] == ["Classes that lose most: clean, next"]  # base loses none
    drawn = [figures(page_of(project, "report", name)) for name in ("next", "base")]
    bars = [next(each for each in some if "Reliability on clean" in each).count('class="count') for some in drawn]
    both = [each.count('class="count') for each in figures(text) if "Reliability on clean" in each]
    assert both == bars
    lost = text.partition("Right in the baseline, wrong now")[2].partition("</ul>")[0]
    assert lost.count("<span><bdi>before: right") == 3
    assert 'href="#picture-' in lost
    assert "Worst mistakes, next: wrong and sure of it" in text


def test_a_run_saved_without_evidence_is_compared_by_its_rows(measure, project, alike):
    measure(alike, "--clip-save=base", "--clip-evidence=0", suites="accuracy,calibration")
    measure(alike, "--clip-save=next", suites="accuracy,calibration")
    titles = re.findall(r"<figcaption><h[34]>(.*?)</h[34]>", page_of(project, "compare", "base", "next"))
    assert [each for each in titles if each.startswith("Reliability")] == ["Reliability on clean"]
