"""The product as a user runs it: the bundled models on the embedded benchmark, and models that are broken in exactly one way.

Pictures are rendered once for the whole file (about a minute on two cores), or come from PYTEST_CLIP_CACHE.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_clip.models import bundled


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    named = os.environ.get("PYTEST_CLIP_CACHE")
    return Path(named) if named else tmp_path_factory.mktemp("cache")


@pytest.fixture
def measure(tmp_path, cache):
    """Run pytest in an empty project; gives (exit status, {gate id: row}, output)."""

    def run(*options):
        report = tmp_path / "report.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *options, f"--clip-report=json:{report}", f"--clip-cache-dir={cache}"],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.returncode, {row["gate"]: row for row in json.loads(report.read_text())["gates"]}, done.stdout

    return run


def failed(rows):
    return {gate for gate, row in rows.items() if row["verdict"] not in ("pass", "waived", "unjudged")}


@pytest.fixture
def altered(tmp_path, cache):
    """A local-dir copy of scenes-rn whose open_clip config was changed by a function."""

    def make(change):
        folder = tmp_path / "altered"
        folder.mkdir()
        source = bundled.expand("scenes-rn", cache)
        (folder / "open_clip_model.safetensors").write_bytes((source / "open_clip_model.safetensors").read_bytes())
        config = json.loads((source / "open_clip_config.json").read_text())
        change(config)
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        return f"--clip-model=local-dir:{folder}"

    return make


def test_the_bundled_model_passes_every_gate(measure):
    status, rows, output = measure("--clip-model=scenes-rn")
    assert failed(rows) == set()
    assert status == 0, output
    judged = [row for row in rows.values() if row["verdict"] == "pass"]
    assert len(judged) == len(rows) > 120


def test_narrow_fine_tuning_passes_its_slice_and_fails_where_robustness_went(measure):
    """The regression that this product exists to catch."""
    status, rows, _ = measure("--clip-model=scenes-rn-ft", "--clip-suite=accuracy,factors")
    assert status == 1
    assert rows["accuracy/top1[typical]"]["verdict"] == "pass"
    down = failed(rows)
    assert any(gate.startswith("accuracy/top1[shift_") for gate in down)
    assert any(gate.startswith("factors/") for gate in down)


def test_a_random_model_fails_nearly_everything(measure):
    status, rows, _ = measure("--clip-model=scenes-rn,random")
    assert status == 1
    quality = {gate for gate in rows if gate.split("/")[0] in ("accuracy", "ood") or gate.startswith("factors/accuracy")}
    assert len(failed(rows) & quality) >= 0.9 * len(quality)


def test_a_wrong_mean_and_std_fails_the_gate_meant_for_it(measure, altered):
    def unnormalised(config):
        config["preprocess_cfg"] |= {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}

    status, rows, _ = measure(altered(unnormalised), "--clip-suite=checkpoint")
    assert status == 1
    assert "checkpoint/normalization" in failed(rows)
    assert failed(rows) <= {"checkpoint/normalization", "checkpoint/activation"}


def test_a_swapped_activation_fails_the_gate_meant_for_it(measure, altered):
    def quick(config):
        config["model_cfg"]["quick_gelu"] = True

    status, rows, _ = measure(altered(quick), "--clip-suite=checkpoint")
    assert status == 1
    assert failed(rows) == {"checkpoint/activation"}
