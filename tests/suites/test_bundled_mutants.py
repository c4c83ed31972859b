"""Damaged copies of the bundled model, run as a user runs them."""

import json

import pytest

from pytest_clip.mutants.catalog import MUTANTS


@pytest.fixture
def mutated(measure, tmp_path):
    """Run with --clip-mutants; gives {mutant: row}, {gate: row} and the output."""

    def run(names, *options):
        status, rows, output = measure("--clip-model=scenes-rn", f"--clip-mutants={names}", *options)
        assert status == 0, output  # whatever the mutants do
        told = json.loads((tmp_path / "report.json").read_text())
        return {row["name"]: row for row in told["mutants"]}, rows, told, output

    return run


def test_the_checkpoint_suite_notices_what_it_is_for(mutated):
    names = "unnormalised,text_truncated,squashed,activation_swapped"
    found, rows, told, output = mutated(names, "--clip-suite=checkpoint", "--clip-limit=95")
    assert "checkpoint/embedding_norm" in found["unnormalised"]["killed_by"]
    # The pictures are square, and to scenes-rn the two activations are the same within a thousandth of a nat.
    for name in ("squashed", "activation_swapped"):
        assert found[name]["equivalent"].startswith("answers like the model itself")
    assert found["text_truncated"]["survived"]  # class prompts have at most six words, captions more
    assert rows["mutants/score"]["value"] == 0.5
    assert {row["model"] for row in rows.values()} == {"scenes-rn"}
    prints = {row["fingerprint"] for row in found.values() if row["equivalent"] is None}
    assert len(prints) == 2
    assert told["models"][0]["fingerprint"] not in prints
    assert "SURVIVED text_truncated: the model reads only the first six words of a text" in output


@pytest.mark.slow
def test_the_shipped_thresholds_notice_nine_damages_in_ten(mutated):
    """22 minutes of processor time with pictures from the cache, most of it in the image tower."""
    found, rows, told, output = mutated("all")
    assert set(found) == set(MUTANTS)
    assert rows["mutants/score"]["value"] >= 0.9, output
    assert not [name for name, row in found.items() if row["not_applicable"]], output
    judged = {gate for gate, row in rows.items() if row["verdict"] == "pass" and row["suite"] != "mutants"}
    teeth = {gate for row in found.values() for gate in row["killed_by"]}
    assert teeth | set(told["toothless"]["scenes-rn"]) == judged
