"""Baselines on real models: the same weights are clean, nearly the same are no regression, and what a fine-tuning broke is caught."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from pytest_clip.cli import main as cli
from pytest_clip.models import bundled

pytestmark = pytest.mark.slow  # six runs, a minute and a half of processor time

LIMIT = 190
NOISE = 0.001
"""Of the standard deviation of each tensor: what a few steps at a tiny learning rate move."""


@pytest.fixture(scope="module")
def project(tmp_path_factory, cache):
    """A folder with scenes-rn written again by torch.save, and with a little noise; `run` measures there and gives the output."""
    folder = tmp_path_factory.mktemp("project")
    state = load_file(bundled.expand("scenes-rn", cache) / "open_clip_model.safetensors")
    torch.save(state, folder / "resaved.pt")
    noisy = {}
    for seed, (name, weight) in enumerate(sorted(state.items())):
        moves = weight.is_floating_point() and weight.numel() > 1
        noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
        noisy[name] = weight + NOISE * weight.float().std(correction=0) * noise if moves else weight
    save_file(noisy, folder / "noisy.safetensors")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


@pytest.fixture(scope="module")
def run(project, cache):
    def measure(*options):
        where = [f"--clip-cache-dir={cache}", f"--clip-limit={LIMIT}", "--clip-report=json:report.json", "--clip-suite=accuracy,ood"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *where, *options],
            cwd=project, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return json.loads((project / "report.json").read_text())["gates"], done.stdout

    return measure


def measured(rows):
    """Without those of tests that skipped, because the data lacks what they need."""
    return [row for row in rows if row["n"] is not None]


@pytest.fixture(scope="module")
def rows(run):
    """Rows of three models held against scenes-rn, by model and gate."""
    models = ["scenes-rn,resaved.pt", "scenes-rn,noisy.safetensors", "scenes-rn-ft"]
    found, _ = run("--clip-baseline-model=scenes-rn", *[f"--clip-model={model}" for model in models], "--clip-save=all")
    by_model = {}
    for row in measured(found):
        by_model.setdefault(row["model"], {})[row["gate"]] = row
    return by_model


def statuses(rows):
    return {row["baseline"]["status"] for row in rows.values() if row["baseline"]["status"]}


def test_the_same_weights_in_another_file_change_nothing(rows):
    resaved = rows["scenes-rn,resaved.pt"]
    assert {row["baseline"]["drop"] for row in resaved.values()} == {0.0}
    assert statuses(resaved) == {"pass"}
    assert {row["fingerprint"] for row in resaved.values()} == {row["fingerprint"] for row in rows["base-scenes-rn"].values()}


def test_a_thousandth_of_noise_is_no_regression(rows):
    noisy = rows["scenes-rn,noisy.safetensors"]
    assert any(row["baseline"]["drop"] for row in noisy.values())
    assert statuses(noisy) == {"pass"}


def test_a_fine_tuning_that_forgot_is_caught_where_it_forgot(rows):
    tuned = rows["scenes-rn-ft"]
    regressed = {gate for gate, row in tuned.items() if row["baseline"]["status"] == "fail"}
    assert {"accuracy/top1[clean]", "accuracy/top1[shift_clutter]", "accuracy/top1[shift_light]", "ood/auroc[far]"} <= regressed
    top1 = tuned["accuracy/top1[shift_clutter]"]
    assert top1["verdict"] == "fail"
    assert top1["baseline"]["p"] < 1e-4
    flips = top1["flips"]
    assert flips["worse"] - flips["better"] == round(top1["baseline"]["drop"] * LIMIT)
    assert {group["fact"] for group in flips["groups"]} <= {"class", "colour", "colour2", "texture", "background", "style"}
    assert all(name.startswith("shift_clutter-") for name in flips["ids"])


def test_a_saved_run_gives_the_verdicts_that_the_model_itself_gave(rows, run, project):
    run("--clip-model=scenes-rn", "--clip-save=base")
    found, told = run("--clip-model=scenes-rn-ft", "--clip-baseline=base")
    without = ("run", "p_holm")
    for row in measured(found):
        live = rows["scenes-rn-ft"][row["gate"]]
        assert {k: v for k, v in row["baseline"].items() if k not in without} == {
            k: v for k, v in live["baseline"].items() if k not in without
        }
        assert row["flips"] == live["flips"]
    assert f"against run base: {len(measured(found))} gates: " in told


def test_a_saved_run_is_small(rows, project):
    folder = project / ".clip" / "runs" / "all"
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sizes["outcomes.npz"] < 300_000  # 184 gates of four models, 190 images each


def test_compare_finds_the_same_without_a_model(rows, run, project, monkeypatch, capsys):
    run("--clip-model=scenes-rn-ft", "--clip-save=tuned")
    monkeypatch.chdir(project)
    assert cli.main(["compare", "base", "tuned", "--json"]) == 1
    for row in json.loads(capsys.readouterr().out):
        live = rows["scenes-rn-ft"][row["gate"]]["baseline"]
        assert (row["baseline"]["drop"], row["baseline"]["p"]) == (live["drop"], live["p"])
    assert cli.main(["compare", "base", "base"]) == 0
