"""What every suite hands over for a comparison with a baseline: outcomes with ids, whose statistic is the gate's value."""

import json

import pytest

RECORDING = """
import json
from pathlib import Path

from pytest_clip.gates.measurement import Measurement

measured = Measurement.measured.__func__

def recorded(cls, *args, **kwargs):
    found = measured(cls, *args, **kwargs)
    held = found.per_image
    told = {"gate": str(found.gate), "value": found.value, "n": found.n} | ({} if held is None else {
        "statistic": held.statistic, "ids": held.ids[:2], "samples": held.n, "again": held.value if held.statistic else None,
        "shared": held.clusters is not None and len(set(held.clusters.tolist())) < held.n,
    })
    with Path("measured.jsonl").open("a") as out:
        print(json.dumps(told), file=out)
    return found

Measurement.measured = classmethod(recorded)
"""

ALONE = {
    "calibration/temperature", "checkpoint/finite_weights", "checkpoint/logit_scale", "checkpoint/embedding_norm",
    "checkpoint/image_spread", "checkpoint/text_spread", "checkpoint/repeatability", "checkpoint/batch_invariance",
    "checkpoint/order_invariance", "checkpoint/preprocess", "checkpoint/tokenizer", "metamorphic/smallest_break",
}  # fmt: skip
"""Numbers of weights, settings and searches: no statistic of images makes them, so two values are compared as they are."""


@pytest.mark.slow
def test_every_gate_of_every_suite_can_be_computed_again_from_its_outcomes(measure, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nclip_corruptions = fog\nclip_corruptions_3d = fog_3d\n")
    _, rows, output = measure("--clip-model=scenes-rn", "--clip-limit=190", conftest=RECORDING)
    told = {each["gate"]: each for each in map(json.loads, (tmp_path / "measured.jsonl").read_text().splitlines())}
    assert set(told) == {gate for gate, row in rows.items() if row["n"] is not None}, output
    assert len(rows) > 200
    assert {gate.partition("[")[0] for gate, each in told.items() if each.get("statistic") is None} == ALONE
    for gate, each in told.items():
        if each.get("statistic") is not None:
            assert each["value"] == pytest.approx(each["again"], abs=1e-9), gate
            assert each["ids"] != ["0", "1"], f"{gate}: images without names cannot be found again"
    shared = {gate.partition("[")[0] for gate, each in told.items() if each.get("shared")}
    of_text = {gate for gate in shared if gate.startswith("retrieval/text_retrieval_")}
    assert len(of_text) == 5  # two images of the first 190 have one caption
    assert shared == {"factors/worst_accuracy", "factors/worst_drop"} | of_text
