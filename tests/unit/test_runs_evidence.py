"""Evidence that is read back: what a run writes is taken, what is broken is refused with one sentence that says where."""

from __future__ import annotations

import copy

import pytest
from html_pages import EVIDENCE, record, row

from pytest_clip.runs import shape

KINDS = {each["kind"]: each for each in EVIDENCE["figures"]}


def told(**changed):
    return record([row()], {"evidence": {**copy.deepcopy(EVIDENCE), **changed}})


def test_every_kind_is_taken_and_so_is_a_record_without_any():
    assert shape.record(told())["evidence"] == EVIDENCE
    assert "evidence" not in shape.record(record([row()]))
    assert shape.record(record([row()], {"evidence": None}))["evidence"] is None
    assert shape.record(record([row()], {"evidence": {}}))["evidence"] == {}


def test_a_kind_that_is_not_known_is_left_alone():
    later = {"kind": "film", "gate": "accuracy/top1[clean]", "model": "m", "data": "d", "frames": [{"a": 1}]}
    assert shape.record(told(figures=[later]))["evidence"]["figures"] == [later]


def places(thing, at=()):
    """Every place of a figure, by the way to it."""
    yield at
    each = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, inside in each:
        yield from places(inside, (*at, key))


def changed(figure, at, value):
    out = copy.deepcopy(figure)
    inner = out
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return out


@pytest.mark.parametrize("value", [{"x": 1}, 1e9, -10, [None]], ids=str)
@pytest.mark.parametrize("kind", [each for each in KINDS if each not in ("confusion", "reliability", "scores")])
def test_whatever_is_broken_is_refused_with_its_place(kind, value):
    figure = KINDS[kind]
    for at in places(figure):
        if at:
            with pytest.raises(ValueError, match=r"^evidence\.figures\[0\]") as found:
                shape.record(told(figures=[changed(figure, at, value)]))
            assert "\n" not in str(found.value)


@pytest.mark.parametrize("kind", [each for each in KINDS if each not in ("confusion", "reliability", "scores")])
def test_whatever_lacks_is_refused_but_a_picture_and_a_confidence(kind):
    figure = KINDS[kind]
    for at in places(figure):
        if at and isinstance(at[-1], str):
            lacking = copy.deepcopy(figure)
            inner = lacking
            for key in at[:-1]:
                inner = inner[key]
            del inner[at[-1]]
            if at[-1] in ("confidence", "picture") and kind in ("mistakes", "flips", "flip_groups"):
                shape.record(told(figures=[lacking]))
            else:
                with pytest.raises(ValueError, match=r"^evidence\.figures\[0\].* lacks "):
                    shape.record(told(figures=[lacking]))


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (3, "evidence must be a table, not 3"),
        ({"figures": 3}, "evidence.figures must be a list, not 3"),
        ({"figures": [{}]}, "evidence.figures[0] lacks 'kind'"),
        ({"figures": [{**EVIDENCE["figures"][0], "gate": "no gate"}]}, "evidence.figures[0].gate: "),
        ({"pictures": {"k": 3}}, "evidence.pictures.'k' must be a text"),
        ({"pictures": {"k": ""}}, "evidence.pictures.'k' must be a picture in base64"),
        ({"pictures": {"k": "AAAA, x"}}, "evidence.pictures.'k' must be a picture in base64"),
        ({"pictures": {"k": "ÄÄÄÄ"}}, "evidence.pictures.'k' must be a picture in base64"),
        ({"figures": [{**KINDS["pairs"], "pairs": [KINDS["pairs"]["pairs"][0]] * 10_001}]}, "evidence.figures[0].pairs holds 10001 things"),
    ],
)
def test_the_sentence(evidence, why):
    with pytest.raises(ValueError, match=r"^evidence") as found:
        shape.record(record([row()], {"evidence": evidence}))
    assert str(found.value).startswith(why)
