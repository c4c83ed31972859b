"""What tests show behind their gates, on its way into a record: builtins, small pictures, and nothing that can change a verdict."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from unit.test_report_text import HOSTILE

from pytest_clip import ClipError
from pytest_clip.extract.thumbnails import small
from pytest_clip.gates.evidence import (  # fmt: skip
    Answered,
    Counterexample,
    Counterexamples,
    Match,
    Mistakes,
    Pair,
    Pairs,
    Picture,
    Queries,
    Query,
    Seen,
    Wanted,
)
from pytest_clip.session import pictured

RED = np.zeros((20, 30, 3), np.uint8)
RED[..., 0] = 200


def decoded(content):
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("pixels", [RED, RED.transpose(2, 0, 1), torch.from_numpy(RED).permute(2, 0, 1), Image.fromarray(RED)])
def test_a_picture_is_what_it_is_in_whatever_form_it_comes(pixels):
    key, content = small(pixels)
    assert small(RED) == (key, content)
    picture = decoded(content)
    assert picture.size == (30, 20)
    assert np.abs(np.asarray(picture).astype(int) - RED).max() < 4


def test_a_picture_is_as_small_as_asked():
    large = np.zeros((400, 300, 3), np.uint8)
    assert decoded(small(large)[1]).size == (120, 160)
    told = pictured.of(Mistakes([Answered("a", "cat", "dog", 0.5, Picture(large, 40))]))
    [content] = told.pictures.values()
    assert decoded(content).size == (30, 40)


@pytest.mark.parametrize("pixels", [RED / 255, RED[..., 0], RED[..., :2], "no picture"])
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(ValueError, match="a picture must be uint8"):
        small(pixels)


def test_all_of_it_is_builtins_and_each_picture_is_there_once():
    one = Picture(RED)
    places = np.array([0.123456, 0.5], np.float32)
    match = Match(tuple(places), tuple(places.astype(np.float64)), np.bool_(True), (0.25, 1))
    evidence = pictured.of(Pairs((Pair("a", np.float32(0.5), np.int64(7), [match], one, one),)))
    key, _ = small(RED)
    assert list(evidence.pictures) == [key]
    told = json.loads(json.dumps(evidence.told))
    assert told == {
        "pairs": [
            {
                "id": "a", "value": 0.5, "of": 7, "first": key, "second": key,
                "matches": [{"first": [0.1235, 0.5], "second": [0.1235, 0.5], "right": True, "true": [0.25, 1]}],
            }
        ]
    }  # fmt: skip
    assert type(evidence.told["pairs"][0]["of"]) is int


@pytest.mark.parametrize("name", [*HOSTILE, "\u202eright to left", "x" * 10_000])
def test_texts_are_kept_and_long_ones_cut(name):
    told = pictured.of(Queries([Query(Seen(text=name), [Seen(name)], Seen(), 2, 2)])).told["queries"][0]
    if len(name) <= pictured.LONGEST:
        assert (told["asked"]["text"], told["found"][0]["id"]) == (name, name)
    else:
        assert len(told["asked"]["text"]) <= pictured.LONGEST
        assert told["asked"]["text"].endswith("xx… (10,000 characters)")


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (3, "shows= must give one of the kinds of pytest_clip.gates.evidence, not int"),
        (Mistakes([Answered("a", "b", "c", float("nan"))]), "nan is no number that can be shown"),
        (Mistakes([{"id": "a"}]), "a table is none of the kinds"),
        (Mistakes([Answered("a", "b", "c", 0.5, Picture("x"))]), "a picture must be uint8"),
        (Mistakes([Answered("a", "b", object())]), "is no number that can be shown"),
    ],
)
def test_what_cannot_be_shown_is_a_reason_and_no_error(shown, why):
    [found] = pictured.asked(lambda wanted: shown, Wanted(3, green=True))
    assert found.kind == "unshown"
    assert why in found.told["reason"]
    assert "\n" not in found.told["reason"]


def test_what_a_test_raises_is_a_reason(monkeypatch):
    def raises(error):
        def shows(wanted):
            raise error

        return pictured.asked(shows, Wanted(1, green=False))[0].told["reason"]

    assert raises(ClipError("a file\nis gone")) == "a file is gone"
    assert raises(KeyError("row")) == "KeyError: 'row'"
    assert len(raises(ValueError("x" * 9000))) <= pictured.MOST
    with pytest.raises(KeyboardInterrupt):
        raises(KeyboardInterrupt())


def test_a_list_of_things_is_each_of_them():
    wanted, thing = Wanted(3, green=False), Mistakes([Answered("a", "cat", "dog", 0.5)])
    assert [each.kind for each in pictured.asked(lambda _: [thing, thing], wanted)] == ["mistakes", "mistakes"]
    assert pictured.asked(lambda _: [], wanted) == []
    [told] = pictured.asked(lambda _: "abc", wanted)
    assert told.kind == "unshown"


def test_nothing_to_show_is_nothing():
    assert pictured.asked(lambda wanted: None, Wanted(1, green=True)) == []


def test_the_test_is_told_how_much_is_wanted():
    told = []
    pictured.asked(
        lambda wanted: told.append(wanted) or Counterexamples("x", 1, 2, [Counterexample("a", "b", "c")]), Wanted(5, green=False)
    )
    assert told == [Wanted(5, green=False)]
