"""What tests showed behind their gates, on the page: each kind with its words, in its suite and behind its gate, and every text a text."""

from __future__ import annotations

import copy
import json
import re

import pytest
from html_pages import EVIDENCE, rendered, shown
from unit.test_report_text import HOSTILE

from pytest_clip.report.html import page
from pytest_clip.report.html.shown import LONGEST


def between(text, start, end):
    return text[text.index(start) : text.index(end, text.index(start))]


def test_every_kind_is_there():
    found = rendered(shown())
    text = " ".join(found.text.split())
    # one image under a corruption: below the curves, and behind the gate of the mean
    assert "Below each curve the image clean-7 (mug): a frame with a cross where it is answered wrongly." in text
    answers = "clean-7, mug: without mug, 1 mug, 2 mug, 3 mug, 4 key (wrong), 5 key (wrong)"
    assert text.count(answers) == 2  # in the description of the panel, and in the table
    assert "clean-7 (mug) at each severity without “mug” 90% severity 1 “mug” 80%" in text
    # queries
    assert "Captions that find their image latest: clean" in text
    assert (
        "a red mug asked with found first a blue key 2 clean-2 then, 2. a blue key 3 clean-3 right: rank 12 of 1,900 a red mug clean-1"
        in text
    )
    assert "clean-2 a blue key 2; clean-3 a blue key 3" in text
    # counterexamples
    assert "3 of 190 images are answered otherwise after rotate 5 (degrees)" in text
    assert "before: mug 90% is mug clean-1 after: key 51%" in text
    assert "before: hat 60% after: undecided clean-2" in text
    # matches
    assert "viewpoint-0-15-00001 2 of 8 right" in text
    assert "1 of 2 matches drawn are right, 0.25 of all 8" in text
    # flips
    assert "9 of 80 that were right are wrong: mug 4" in text
    assert "class mug: 4 of 10 (0.4), more than elsewhere is mug before: right now: “key” 75% clean-1" in text
    assert "texture brick: 4 of 10 (0.4) is mug" in text
    # and what could not be shown
    assert "none could be made: a file is gone" in text


def test_pictures_that_are_shown_are_in_the_page_once_and_others_are_not():
    told = shown()
    told["evidence"] = {**EVIDENCE, "pictures": {**EVIDENCE["pictures"], "other": "AAAA"}}
    text = page.render(told)
    assert text.count("data:image/jpeg;base64,") == 6
    assert "AAAA" not in text
    assert text.count('<symbol id="picture-k1"') == 1


def test_pictures_that_the_record_lacks_leave_the_words():
    told = shown({**EVIDENCE, "pictures": {}})
    found = rendered(told)
    assert found.all("image") == []
    assert found.all("use") == []
    text = " ".join(found.text.split())
    assert "before: mug 90% after: key 51% is mug clean-1" in text
    assert "viewpoint-0-15-00001 2 of 8 right" in text
    assert "a blue key 2 found first clean-2" in text


def named(figure, name):
    """The same figure with `name` for every text that others write."""
    if isinstance(figure, dict):
        kept = ("kind", "gate", "model", "data", "picture", "after", "first", "second", "fact", *(() if "truth" in figure else ("before",)))
        return {key: value if key in kept or str(value) in EVIDENCE["pictures"] else named(value, name) for key, value in figure.items()}
    if isinstance(figure, list):
        return [named(each, name) for each in figure]
    return name if isinstance(figure, str) and figure else figure


LONG = "x" * 10_000
RIGHT_TO_LEFT = "\u202eright to left\u202c \u2067and isolated"


@pytest.mark.parametrize("name", [*HOSTILE, "<script>alert(1)</script>", "</title></svg><img src=x onerror=alert(1)>", RIGHT_TO_LEFT, LONG])
def test_captions_and_names_stay_texts(name):
    told = shown({**EVIDENCE, "figures": [named(each, name) for each in EVIDENCE["figures"]]})
    found, usual = rendered(told), rendered(shown({**EVIDENCE, "figures": [named(each, "usual") for each in EVIDENCE["figures"]]}))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in usual.elements]
    assert page.plain(" ".join(name.split()))[:100] in " ".join(found.text.split())
    assert max(len(each) for each in found.texts) < 10 * LONGEST  # six answers to an example, in a line


def test_the_same_record_is_the_same_page_and_order_of_figures_is_none():
    told = shown()
    assert page.render(told) == page.render(json.loads(json.dumps(told)))


def test_several_models_each_have_theirs():
    told, other = shown(), shown(model="n")
    told["gates"] += other["gates"]
    told["models"] += other["models"]
    twice = [{**copy.deepcopy(each), "model": name} for each in EVIDENCE["figures"] for name in ("m", "n")]
    told["evidence"] = {**EVIDENCE, "figures": twice}
    text = " ".join(rendered(told).text.split())
    assert "Captions that find their image latest: clean, m" in text
    assert "Captions that find their image latest: clean, n" in text
    assert "agreement[rotate], n 3 of 190 images" in text
    assert "viewpoint-0-15, n: viewpoint-0-15-00001" in text
    assert "accuracy/top1[clean], n, scenes 9 of 80" in text


def test_a_panel_links_to_the_gate_of_its_kind():
    text = page.render(shown())
    assert re.search(r'<a href="#gate=corruptions/accuracy\[fog\]"><bdi>fog</bdi></a>', text)


def test_without_evidence_there_is_none_of_it():
    told = shown()
    del told["evidence"]
    text = page.render(told)
    for words in ("Below each curve", "image latest", "should not have changed", "Matches, right", "wrong now</h3>", "<symbol"):
        assert words not in text
