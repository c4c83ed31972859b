"""A checkpoint that lies below its own path of weights, and one that does not."""

import pytest

LIMIT = "--clip-limit=95", "--clip-suite=finetune"
RULE = 'schema = 1\n[gates."finetune/below_path"]\nmax = 0.05\n'


@pytest.fixture
def along(measure, tmp_path):
    (tmp_path / "thresholds.toml").write_text(RULE, encoding="utf-8")
    return lambda path: measure(f"--clip-model=wise:{path}::0:1:0.25", *LIMIT)


@pytest.mark.slow
def test_a_fine_tuned_model_below_its_path_fails(along):
    """scenes-rn-ft has lost shifts and clean images that scenes-rn and all between them have."""
    status, rows, output = along("scenes-rn::scenes-rn-ft")
    assert status == 1
    found = rows["finetune/below_path[shift_clutter]"]
    assert found["verdict"] == "fail", output
    assert found["model"] == "wise-scenes-rn-scenes-rn-ft-1"
    assert found["ci"][0] <= found["value"] <= found["ci"][1]
    told = found["conventions"]
    assert told["alphas"] == [0.0, 0.25, 0.5, 0.75, 1.0]
    path = {each["alpha"]: each for each in told["measured"]["path"]}
    best = path[told["measured"]["best_alpha"]]
    assert best["shift"] - path[1.0]["shift"] == pytest.approx(found["value"], abs=1e-5)
    assert best["clean"] >= path[1.0]["clean"] - told["margin"]
    assert rows["finetune/below_path[typical]"]["verdict"] == "pass"  # what it was tuned for


@pytest.mark.slow
def test_a_model_that_is_not_below_its_path_passes(along):
    """The same the other way: nothing between is as good on clean images."""
    status, rows, output = along("scenes-rn-ft::scenes-rn")
    assert status == 0, output
    assert len(rows) == 5
    assert {row["verdict"] for row in rows.values()} == {"pass"}
