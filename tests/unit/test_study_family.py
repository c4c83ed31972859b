"""The runs that come with pytest-clip: of each model that ships, as it is, and of other seeds, and what they say together."""

import csv
import re

import pytest

from pytest_clip.cli.main import main
from pytest_clip.models import bundled, reader
from pytest_clip.models.spec import parse
from pytest_clip.runs import packed
from pytest_clip.study import family

RUNS = {path.name.removesuffix(packed.SUFFIX): path for path in family.runs()}
SHIPPED = [name for name in RUNS if not re.search(r"-seed\d+$", name)]
"""Of other seeds only the runs come along."""
LARGEST = 80_000
"""Bytes of a packed run; a dozen of them are no burden to a wheel."""


def test_every_model_that_ships_has_a_run_and_a_line_of_factors():
    with (family.HERE / "factors.csv").open(encoding="utf-8", newline="") as file:
        named = [row["model"] for row in csv.DictReader(file)]
    assert sorted(named) == sorted(RUNS)
    assert sorted(SHIPPED) == sorted(bundled.names())
    assert max(path.stat().st_size for path in RUNS.values()) <= LARGEST


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_run_is_of_the_model_as_it_ships_and_says_nothing_of_the_machine(name, tmp_path):
    record = packed.read(RUNS[name]).record
    (model,) = record["models"]
    if name in SHIPPED:
        assert model["fingerprint"] == reader.load(parse(name), device="cpu", cache_dir=tmp_path).fingerprint
    assert model["factors"]["training_set"]["value"].startswith("scenes")
    assert set(record["session"]) <= {"versions", "started", "commit", "duration"}
    assert [each["name"] for each in record["data"]] == ["scenes"]


def test_what_the_family_says(capsys):
    """Surfaces that follow the class are learned in the place of shapes; fine-tuning on them loses what the model had."""
    assert main(["study", "--family"]) == 0
    told = capsys.readouterr().out
    for factor in ("training_set", "loss", "finetuned_on"):
        assert factor in told
