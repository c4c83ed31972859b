"""The corruption suites: a whole model, models that one kind of damage blinds, kinds by ini keys, folders with and without depth."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tiny_depth
import wrapped
from PIL import Image

from pytest_clip.metrics.corruption import ALEXNET_IMAGENET_C
from pytest_clip.models.depth import find


@pytest.fixture(scope="module")
def measured(tmp_path_factory, cache):
    """Run suites in a project that knows the wrapped models; gives {model: {gate: row}} and the output."""

    def run(models, *options, conftest=""):
        project = tmp_path_factory.mktemp("project")
        (project / "conftest.py").write_text(wrapped.conftest(cache) + conftest)
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
    return {gate for gate, row in rows.items() if row["verdict"] not in ("pass", "waived", "unjudged", "not_measured")}


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
    studio = {f"corruptions/studio_{metric}[gaussian_noise-3]" for metric in ("accuracy", "relative_robustness")}
    assert failed(flat["grainless"]) == {"corruptions/accuracy[gaussian_noise]"} | studio
    assert failed(deep["grainless"]) == set()
    assert flat["grainless"]["corruptions/accuracy[jpeg_compression]"]["verdict"] == "pass"


def test_a_model_that_haze_blinds_fails_in_fog_and_nowhere_else(deep):
    assert failed(deep["whole"]) == set()
    assert {row["conventions"]["depth"] for row in deep["whole"].values()} == {"exact"}
    assert failed(deep["hazeless"]) == {"corruptions_3d/accuracy[fog_3d]"}


def test_a_model_that_tiles_blind_fails_under_tiles_and_nowhere_else(measured):
    rows, _ = measured(["whole", "tileless"], "--clip-suite=corruptions_laion_c")
    assert failed(rows["whole"]) == set()
    assert failed(rows["tileless"]) == {"corruptions_laion_c/accuracy[luminance_checkerboard-1]"}
    kinds = ("geometric_shapes", "luminance_checkerboard", "stickers", "vertical_lines")
    assert set(rows["whole"]) == {f"corruptions_laion_c/accuracy[{kind}-1]" for kind in kinds}


@pytest.mark.slow
def test_kinds_of_laion_c_that_are_asked_for_have_all_severities_and_means(measured):
    chosen = ["-o", "clip_corruptions_laion_c=vertical_lines", "-o", "clip_corruption_images=38"]
    rows = measured(["whole"], "--clip-suite=corruptions_laion_c", *chosen)[0]["whole"]
    cells = [rows[f"corruptions_laion_c/accuracy[vertical_lines-{severity}]"]["value"] for severity in range(1, 6)]
    assert rows["corruptions_laion_c/mce_unnormalised"]["value"] == pytest.approx(1 - np.mean(cells))
    assert rows["corruptions_laion_c/accuracy[vertical_lines]"]["value"] == pytest.approx(np.mean(cells))
    assert {"corruptions_laion_c/largest_rise[vertical_lines]", "corruptions_laion_c/relative_mce_unnormalised"} < set(rows)
    assert len(rows) == 9


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
    assert not {"mce", "relative_mce"} & set(rows)  # scenes are not ImageNet


def test_more_severe_is_worse_for_the_bundled_model(flat, deep):
    for rows, kind in ((flat, "corruptions/accuracy[gaussian_noise-{}]"), (deep, "corruptions_3d/accuracy[fog_3d-{}]")):
        first, last = (rows["whole"][kind.format(severity)]["value"] for severity in (1, 5))
        assert first > 0.8
        assert last < first - 0.3


def test_a_model_at_chance_loses_nothing_and_is_told_so(measured):
    kinds = ["-o", "clip_corruptions_3d=flash"]
    rows, _ = measured(["scenes-rn,random"], "--clip-suite=corruptions_3d", "--clip-limit=95", *kinds)
    [rows] = rows.values()
    told = {"relative_mce_unnormalised": "not_measured", "largest_rise[flash]": "fail"}  # shipped means are of all kinds
    for metric, verdict in told.items():
        row = rows[f"corruptions_3d/{metric}"]
        assert (row["value"], row["verdict"]) == (None, verdict)
        assert "not above chance" in row["reason"]


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
    """Quantised colours need no depth: they are measured, and only the fog is not."""
    kinds = ["-o", "clip_corruptions_3d=fog_3d\ncolor_quant"]
    rows, output = measured(["whole"], "--clip-suite=corruptions_3d", f"--clip-data={pets}", *kinds)
    seen = {gate for gate, row in rows["whole"].items() if row["value"] is not None}
    assert seen == {f"corruptions_3d/accuracy[color_quant{step}]" for step in ("", "-1", "-2", "-3", "-4", "-5")}
    assert "depth" not in rows["whole"]["corruptions_3d/accuracy[color_quant]"]["conventions"]
    missing = "the data set pets has no depth maps"
    for gate in ("accuracy[fog_3d]", "accuracy[fog_3d-3]", "largest_rise[fog_3d]", "mce_unnormalised", "relative_mce_unnormalised"):
        row = rows["whole"][f"corruptions_3d/{gate}"]
        assert (row["verdict"], row["value"]) == ("not_measured", None)
        assert f"fog_3d follows depth, and {missing}" in row["message"]
    assert f"{missing}; put one for each image into {pets}/depth/CLASS/IMAGE.png" in output
    assert "or have them estimated: --clip-depth-model=" in output
    assert "9 skipped" in output


def test_a_folder_without_depth_is_measured_with_a_depth_model(measured, pets, cache, tmp_path):
    model = tiny_depth.folder(tmp_path / "tiny")
    kinds = ["-o", "clip_corruptions_3d=fog_3d\ncolor_quant"]
    rows, _ = measured(["whole"], "--clip-suite=corruptions_3d", f"--clip-data={pets}", f"--clip-depth-model={model}", *kinds)
    told = {gate.removeprefix("corruptions_3d/"): row["conventions"].get("depth") for gate, row in rows["whole"].items()}
    fingerprint = find(str(model), base=tmp_path).fingerprint
    by = f"estimated by tiny ({fingerprint})"
    assert (told["accuracy[fog_3d-1]"], told["mce_unnormalised"], told["accuracy[color_quant-1]"]) == (by, by, None)
    assert {row["n"] for row in rows["whole"].values()} == {4}
    assert [path.name for path in sorted((cache / "depth" / fingerprint).glob("pets-clean-*/*.npy"))] == [f"{k}.npy" for k in range(4)]


def test_a_folder_with_depth_is_measured(measured, pets):
    for image in pets.glob("*/*.png"):
        path = pets / "depth" / image.relative_to(pets)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.linspace(1000, 60000, 6300).reshape(70, 90).astype(np.uint16)).save(path)
    kinds = ["-o", "clip_corruptions_3d=fog_3d\nxy_motion_blur"]
    rows, _ = measured(["whole"], "--clip-suite=corruptions_3d", f"--clip-data={pets}", *kinds)
    assert len([gate for gate in rows["whole"] if "accuracy" in gate]) == 12
    assert {row["n"] for row in rows["whole"].values()} == {4}
    assert {row["conventions"]["depth"] for row in rows["whole"].values()} == {"files"}


POSING = """
import sys
from dataclasses import replace
from pytest_clip.session import load
known = load.image_sets
load.image_sets = lambda name: tuple(replace(each, imagenet=True) for each in known(name))
"""


@pytest.mark.slow
def test_imagenet_in_memory_is_not_measured_against_alexnet_on_files(measured):
    """Scenes that pose as ImageNet have every other number."""
    images = ["-o", "clip_corruption_images=19"]
    rows, _ = measured(["whole"], "--clip-suite=corruptions", "--clip-limit=19", *images, conftest=POSING)
    rows = {gate.removeprefix("corruptions/"): row for gate, row in rows["whole"].items()}
    errors = [1 - rows[f"accuracy[{kind}]"]["value"] for kind in ALEXNET_IMAGENET_C.errors]
    assert rows["mce_unnormalised"]["value"] == pytest.approx(np.mean(errors))
    for gate in ("mce", "relative_mce"):
        assert rows[gate]["value"] is None
        assert "errors of AlexNet on the files of ImageNet-C, and corruptions made in memory are not these files" in rows[gate]["message"]
