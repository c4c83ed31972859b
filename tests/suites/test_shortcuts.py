"""Shortcuts and groups on the embedded scenes: the model that learned backgrounds and photographs alone fails, the healthy one passes."""

import pytest

pytestmark = pytest.mark.slow  # pictures of two sets, and two models


def test_a_learned_background_fails_exactly_its_gate(measure):
    asked = ("--clip-suite=factors", "-k", "background_gap")
    status, rows, _ = measure("--clip-model=scenes-rn", *asked)
    assert (status, rows["factors/background_gap"]["verdict"]) == (0, "pass")
    assert abs(rows["factors/background_gap"]["value"]) < 0.05
    assert rows["factors/background_gap"]["n"] == 304
    status, rows, printed = measure("--clip-model=scenes-rn-correlated", *asked)
    assert (status, rows["factors/background_gap"]["verdict"]) == (1, "fail"), printed
    assert rows["factors/background_gap"]["value"] > 0.5
    assert rows["factors/background_gap"]["ci"][0] > 0.4


def test_a_model_of_photographs_alone_fails_the_gap_of_styles_and_no_other(measure):
    status, rows, _ = measure("--clip-model=scenes-rn", "--clip-suite=groups")
    assert (status, {row["verdict"] for gate, row in rows.items()}) == (0, {"pass"}), rows
    status, rows, printed = measure("--clip-model=scenes-rn-correlated", "--clip-suite=groups")
    assert status == 1, printed
    assert [gate for gate, row in rows.items() if row["verdict"] == "fail"] == ["groups/gap[style]"]
    assert rows["groups/gap[style]"]["conventions"]["left_out"] == {"grayscale": 96, "silhouette": 58}
    assert rows["groups/gap[style]"]["conventions"]["worst"] == "cartoon"
