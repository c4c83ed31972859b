"""--clip-factor and cards: refused before anything loads, and carried by the record and by saved runs."""

from __future__ import annotations

import json

import pytest

# Inner runs in this process forget the modules they import; numpy can be imported only once.
import pytest_clip.plugin.saving
import pytest_clip.session.regressions  # noqa: F401


def told(world, *args: str, name: str = "stub"):
    result = world.run(*args, "--clip-suite=accuracy", "--clip-report=json:run.json")
    record = json.loads((world.pytester.path / "run.json").read_text("utf-8"))
    return result, {model["name"]: model["factors"] for model in record["models"]}


def test_the_record_carries_what_the_option_says(world):
    _, found = told(world, "--clip-model=stub", "--clip-factor=loss=Sigmoid", "--clip-factor", "samples_seen=12.8B")
    assert found["stub"]["loss"] == {"value": "sigmoid", "from": "option"}
    assert found["stub"]["samples_seen"] == {"value": 12_800_000_000, "from": "option"}
    assert found["stub"]["parameters"] == {"value": 7, "from": "derived"}
    assert found["stub"]["family"] == {"value": None, "from": None}


def test_a_name_means_one_model_and_comes_before_what_is_said_of_all(world):
    _, found = told(
        world, "--clip-model=one,a", "--clip-model=two", "--clip-factor=one,a:loss=sigmoid", "--clip-factor=loss=softmax",
        "--clip-factor=two:finetuned_on=scenes:typical",
    )  # fmt: skip
    assert [found[name]["loss"]["value"] for name in ("one,a", "two")] == ["sigmoid", "softmax"]
    assert [found[name]["finetuned_on"]["value"] for name in ("one,a", "two")] == [None, "scenes:typical"]


def test_a_baseline_model_has_its_own(world):
    _, found = told(world, "--clip-model=stub", "--clip-baseline-model=old", "--clip-factor=loss=x", "--clip-factor=base-old:loss=y")
    assert {name: each["loss"]["value"] for name, each in found.items()} == {"stub": "x", "base-old": "y"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "argument --clip-factor: 'nonsense' is not KEY=VALUE or NAME:KEY=VALUE"),
        ("los=x", "argument --clip-factor: 'los' is no factor; did you mean loss?; there is family, parameters, gflops, resolution, "),
        ("loss=a b", "argument --clip-factor: loss is a name of letters"),
        ("stub:samples_seen=many", "argument --clip-factor: samples_seen is a number, such as 400M"),
        ("stab:loss=x", "--clip-factor=stab:loss=x: no model 'stab' in this run; did you mean 'stub'?"),
        ("zebra:loss=x", "--clip-factor=zebra:loss=x: no model 'zebra' in this run; there is stub"),
    ],
)
def test_nonsense_is_a_usage_error_before_anything_loads(world, text, said):
    result = world.clip(f"--clip-factor={text}")
    assert result.ret == 4
    assert said in result.stderr.str()
    assert world.loads == []


def test_a_card_is_read_and_an_option_wins(world):
    folder = world.pytester.mkdir("run")
    (folder / "e1.pt").touch()
    (folder / "clip-card.json").write_text('{"schema": 1, "factors": {"training_set": "mine", "loss": "sigmoid"}}')
    _, found = told(world, "--clip-model=stub,run/e1.pt", "--clip-factor=loss=triplet")
    (factors,) = found.values()
    assert factors["training_set"] == {"value": "mine", "from": "card"}
    assert factors["loss"] == {"value": "triplet", "from": "option"}


def test_a_card_that_is_none_ends_the_run_before_anything_loads(world):
    folder = world.pytester.mkdir("run")
    (folder / "e1.pt").touch()
    (folder / "clip-card.json").write_text('{"schema": 1,\n "factors": {"los": "x"}}')
    result = world.run("--clip-model=stub,run/e1.pt")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *clip-card.json:2: 'los' is no factor; did you mean loss?*"])
    assert world.loads == []


def test_a_saved_run_carries_them(world):
    assert world.clip("--clip-suite=accuracy", "--clip-save=base", "--clip-factor=training_set=mine").ret == 0
    record = json.loads((world.pytester.path / ".clip/runs/base/record.json").read_text("utf-8"))
    assert record["models"][0]["factors"]["training_set"] == {"value": "mine", "from": "option"}
    assert world.clip("--clip-suite=accuracy", "--clip-baseline=base").ret == 0  # read again, and in shape
    record["models"][0]["factors"]["training_set"]["from"] = "rumour"
    from pytest_clip.runs import shape

    with pytest.raises(ValueError, match="must be one of derived, card, option, not 'rumour'"):
        shape.record(record)


def test_help_names_every_notation_and_every_factor(world):
    from pytest_clip.models.factors import KEYS
    from pytest_clip.models.kinds import NOTATIONS

    words = " ".join(world.run("--help").stdout.str().split())
    assert ", ".join(each.form for each in NOTATIONS) in words
    assert f"keys: {', '.join(KEYS)}" in words
