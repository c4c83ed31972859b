"""Every suite on the models trained on photographs: measured, or skipped with the reason, and never a traceback."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import skimage
from PIL import Image

from pytest_clip.gates.catalog import SUITES
from pytest_clip.session import onrequest

SHOWS = {"coffee": "espresso", "chelsea": "tiger cat", "motorcycle_left": "moped", "camera": "tripod", "rocket": "missile"}
SAYS = {
    "coffee": "a cup of espresso on a wooden table", "chelsea": "a ginger cat looks to the side", "motorcycle_left": "a moped in a garage",
    "camera": "a man takes a picture with a tripod", "rocket": "a missile rises into the sky",
}  # fmt: skip
UNKNOWN = ("brick", "gravel", "grass", "page")
CUTS = ((0.0, 0.0, 1.0), (0.05, 0.05, 0.9))
"""Left and top corner and side of a cut, as shares of the picture."""
ASKED = SUITES.keys() - {"mutants", "lmm", *onrequest.SUITES}  # those that cost minutes, or need an LMM, have tests of their own
FEW = (
    *("-o", "clip_corruptions=gaussian_noise", "-o", "clip_corruptions_3d=iso_noise", "-o", "clip_corruption_images=5"),
    *("-k", "not smallest_break"),
)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Five things in two cuts each, with captions, a false caption each, a factor; and four pictures of none of them."""
    root = tmp_path_factory.mktemp("photographs")
    shipped = Path(skimage.__file__).parent / "data"
    with (root / "manifest.csv").open("w", newline="") as table:
        out = csv.writer(table)
        out.writerow(("path", "label", "caption", "negative_caption", "cut"))
        for stem, name in SHOWS.items():
            [file] = shipped.glob(f"{stem}.*")
            picture = Image.open(file).convert("RGB")
            for k, (left, top, side) in enumerate(CUTS):
                wide, high = picture.size
                box = (left * wide, top * high, (left + side) * wide, (top + side) * high)
                picture.crop(tuple(map(round, box))).save(root / f"{stem}-{k}.png")
                other = SAYS["camera" if stem != "camera" else "coffee"]
                out.writerow((f"{stem}-{k}.png", name, SAYS[stem], other, "whole" if k == 0 else "part"))
    (root / "ood" / "near").mkdir(parents=True)
    for stem in UNKNOWN:
        Image.open(shipped / f"{stem}.png").convert("RGB").save(root / "ood" / "near" / f"{stem}.png")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache):
    """Ask a model for every suite by name; gives the exit status, {suite: rows}, and what was printed."""

    def asked(model, *options):
        root = tmp_path_factory.mktemp("project")
        (root / "pytest.ini").write_text("[pytest]\n")
        chosen = (
            f"--clip-model={model}",
            f"--clip-suite={','.join(sorted(ASKED))}",
            f"--clip-cache-dir={cache}",
            f"--clip-report=json:{root / 'run.json'}",
        )
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *chosen, *options],
            cwd=root, capture_output=True, text=True,
        )  # fmt: skip
        rows = {}
        for row in json.loads((root / "run.json").read_text())["gates"]:
            rows.setdefault(row["suite"], []).append(row)
        return done.returncode, rows, done.stdout + done.stderr

    return asked


def measured(rows):
    """Suites of which some gate has a number."""
    return {suite for suite, some in rows.items() if any(row["value"] is not None for row in some)}


def without_reason(rows):
    """Gates without a number of which nobody says why."""
    silent = [row for some in rows.values() for row in some if row["value"] is None and not (row["reason"] or row["message"])]
    return [row["gate"] for row in silent]


ON_PHOTOGRAPHS = {
    "accuracy", "calibration", "checkpoint", "corruptions", "corruptions_3d", "corruptions_laion_c", "factors", "metamorphic", "ood",
    "typographic",
}  # fmt: skip
LACKING = {
    "correspondence": "has no image set for correspondence/recall_px",
    "shape_bias": "has no image set for shape_bias/shape_bias",
    "finetune": "no models of this run are a path of weights",
    "groups": "has no image set for groups/worst_accuracy",
}
"""Why photographs without partners, without cues and without a path of weights have no number of a suite."""


def test_a_dual_encoder_on_photographs(run, photographs):
    status, rows, text = run("photo-dual", f"--clip-data={photographs}", *FEW)
    assert status == 0, text
    assert "Traceback" not in text
    assert without_reason(rows) == []
    assert measured(rows) == ON_PHOTOGRAPHS | {"prompts", "retrieval"}
    assert {suite for suite, reason in LACKING.items() if reason in text} == set(LACKING) == ASKED - measured(rows)


def test_a_classifier_on_photographs(run, photographs):
    status, rows, text = run("photo-lite0", f"--clip-data={photographs}", *FEW)
    assert status == 0, text
    assert "Traceback" not in text
    assert without_reason(rows) == []
    assert measured(rows) == ON_PHOTOGRAPHS
    told = "what needs them is not measured: photo-lite0 scores classes: it has no texts and no cosines"
    assert {suite for suite in ASKED if f"{suite}: {told}" in text} == {
        "checkpoint", "metamorphic", "ood", "prompts", "retrieval", "typographic",
    }  # fmt: skip
    assert {suite for suite, reason in LACKING.items() if reason in text} == set(LACKING)


def test_a_classifier_on_scenes_is_refused_once(run):
    """It has no name for some of the classes, and says so instead of giving numbers."""
    status, rows, text = run("photo-lite0", "--clip-limit=19", *FEW)
    assert status == 1, text
    assert "Traceback" not in text
    assert without_reason(rows) == []
    assert measured(rows) <= {"checkpoint", "correspondence"}  # what needs no classes
    failed = [row for some in rows.values() for row in some if row["verdict"] == "fail"]
    assert len(failed) == 1
    assert "of the 19 classes of scenes are none of them: " in failed[0]["message"]


@pytest.mark.slow  # three minutes of one core, half of them in the image tower
def test_a_dual_encoder_on_scenes(run):
    status, rows, text = run("photo-dual", "--clip-limit=19", *FEW)
    assert "Traceback" not in text
    assert without_reason(rows) == []
    assert measured(rows) == ASKED - {"finetune", "groups"}  # of 19 images there is no group of a hundred
    assert LACKING["finetune"] in text
    # 19 images, 13 of them matched, are too few for some rules (min_n), and by chance some fall below their bound (one of 13 is 0.077, the
    # floor of a factor 0.08); on all images none does. What asks for no number of images is sound.
    assert status == 1, text
    down = {row["gate"]: row["verdict"] for some in rows.values() for row in some if row["verdict"] in ("fail", "insufficient")}
    assert "insufficient" in down.values()
    fell = {gate for gate, verdict in down.items() if verdict == "fail"} - {"checkpoint/normalization"}
    assert {gate.partition("/")[0] for gate in fell} <= {"accuracy", "calibration", "corruptions", "factors", "typographic"}, down
