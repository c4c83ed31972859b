"""The corruption suites: a whole model, models that one kind of damage blinds, kinds by ini keys, folders with and without depth."""

import json
import subprocess
import sys

import numpy as np
import pytest
import wrapped
from PIL import Image


@pytest.fixture(scope="module")
def measured(tmp_path_factory, cache):
    """Run suites in a project that knows the wrapped models; gives {model: {gate: row}} and the output."""

    def run(models, *options):
        project = tmp_path_factory.mktemp("project")
        (project / "conftest.py").write_text(wrapped.conftest(cache))
        where = [f"--clip-cache-dir={cache}", f"--clip-report=json:{project / 'report.json'}"]
        chosen = [f"--clip-model={name}" for name in models]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *chosen, *where, *options],
            cwd=project, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        rows = {}
        for row in json.loads((project / "report.json").read_text())["gates"]:
            rows.setdefault(row["model"], {})[row["gate"]] = row
        return rows, done.stdout

    return run


def failed(rows):
    return {gate for gate, row in rows.items() if row["verdict"] not in ("pass", "waived", "unjudged")}


@pytest.fixture(scope="module")
def flat(measured):
    """Two kinds are all there is, so mean errors are means of these."""
    kinds = ["-o", "clip_corruptions=gaussian_noise\njpeg_compression"]
    return measured(["whole", "grainless"], "--clip-suite=corruptions", "--clip-limit=95", *kinds)[0]


@pytest.fixture(scope="module")
def deep(measured):
    kinds = ["-o", "clip_corruptions_3d=fog_3d\nflash"]
    return measured(["whole", "hazeless", "grainless"], "--clip-suite=corruptions_3d", "--clip-limit=95", *kinds)[0]


def test_a_model_that_noise_blinds_fails_under_noise_and_nowhere_else(flat, deep):
    assert failed(flat["whole"]) == set()
    assert failed(flat["grainless"]) == {"corruptions/accuracy[gaussian_noise]"}
    assert failed(deep["grainless"]) == set()
    assert flat["grainless"]["corruptions/accuracy[jpeg_compression]"]["verdict"] == "pass"


def test_a_model_that_haze_blinds_fails_in_fog_and_nowhere_else(deep):
    assert failed(deep["whole"]) == set()
    assert failed(deep["hazeless"]) == {"corruptions_3d/accuracy[fog_3d]"}


def test_the_numbers_of_a_suite_belong_together(flat):
    rows = {gate.removeprefix("corruptions/"): row for gate, row in flat["whole"].items()}
    of_kind = {}
    for kind in ("gaussian_noise", "jpeg_compression"):
        cells = [rows[f"accuracy[{kind}-{severity}]"]["value"] for severity in range(1, 6)]
        of_kind[kind] = rows[f"accuracy[{kind}]"]["value"]
        assert of_kind[kind] == pytest.approx(np.mean(cells))
        rises = [later - first for i, first in enumerate(cells) for later in cells[i:]]
        assert rows[f"largest_rise[{kind}]"]["value"] == pytest.approx(max(rises))
        low, high = rows[f"accuracy[{kind}]"]["ci"]
        assert low < of_kind[kind] < high
    error = 1 - np.mean(list(of_kind.values()))
    assert rows["mce_unnormalised"]["value"] == pytest.approx(error)
    assert 0 < rows["relative_mce_unnormalised"]["value"] < error
    assert {row["n"] for row in rows.values()} == {95}
    assert rows["mce_unnormalised"]["conventions"]["kinds"] == ["gaussian_noise", "jpeg_compression"]


def test_more_severe_is_worse_for_the_bundled_model(flat, deep):
    for rows, kind in ((flat, "corruptions/accuracy[gaussian_noise-{}]"), (deep, "corruptions_3d/accuracy[fog_3d-{}]")):
        first, last = (rows["whole"][kind.format(severity)]["value"] for severity in (1, 5))
        assert first > 0.8
        assert last < first - 0.3


def test_a_model_at_chance_loses_nothing_and_is_told_so(measured):
    kinds = ["-o", "clip_corruptions_3d=flash"]
    rows, _ = measured(["scenes-rn,random"], "--clip-suite=corruptions_3d", "--clip-limit=95", *kinds)
    [rows] = rows.values()
    for metric in ("relative_mce_unnormalised", "largest_rise[flash]"):
        row = rows[f"corruptions_3d/{metric}"]
        assert (row["value"], row["verdict"]) == (None, "fail")
        assert "not above chance" in row["message"]


@pytest.fixture
def pets(tmp_path):
    root = tmp_path / "pets"
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for i in range(2):
            (root / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (70, 90, 3), dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


def test_a_folder_without_depth_is_told_what_is_missing(measured, pets):
    rows, output = measured(["whole"], "--clip-suite=corruptions_3d", f"--clip-data={pets}")
    assert {(row["verdict"], row["value"]) for row in rows["whole"].values()} == {("unjudged", None)}
    assert all("no depth maps" in row["message"] for row in rows["whole"].values())
    assert f"the data set pets has no depth maps; put one for each image into {pets}/depth/CLASS/IMAGE.png" in output
    assert "4 skipped" in output


def test_a_folder_with_depth_is_measured(measured, pets):
    for image in pets.glob("*/*.png"):
        path = pets / "depth" / image.relative_to(pets)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.linspace(1000, 60000, 6300).reshape(70, 90).astype(np.uint16)).save(path)
    kinds = ["-o", "clip_corruptions_3d=fog_3d\nxy_motion_blur"]
    rows, _ = measured(["whole"], "--clip-suite=corruptions_3d", f"--clip-data={pets}", *kinds)
    assert len([gate for gate in rows["whole"] if "accuracy" in gate]) == 12
    assert {row["n"] for row in rows["whole"].values()} == {4}
