"""The models trained on photographs, on photographs: those that scikit-image ships, in several cuts each."""

from pathlib import Path

import pytest
import skimage
from PIL import Image

SHOWS = {"coffee": "espresso", "chelsea": "tiger cat", "motorcycle_left": "moped", "camera": "tripod", "rocket": "missile"}
CUTS = ((0.0, 0.0, 1.0), (0.05, 0.05, 0.9), (0.0, 0.1, 0.9), (0.1, 0.0, 0.9))
"""Left and top corner and side of a cut, as shares of the picture."""
RULES = 'schema = 1\n[gates."accuracy/top1"]\nmin = 0.75\nwhy = "five things that ImageNet has names for; chance is 0.2"\n'


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    root = tmp_path_factory.mktemp("photographs")
    for stem, name in SHOWS.items():
        [file] = (Path(skimage.__file__).parent / "data").glob(f"{stem}.*")
        picture = Image.open(file).convert("RGB")
        (root / name).mkdir()
        for k, (left, top, side) in enumerate(CUTS):
            wide, high = picture.size
            box = (left * wide, top * high, (left + side) * wide, (top + side) * high)
            picture.crop(tuple(map(round, box))).save(root / name / f"{k}.png")
    return root


def share(rows, suite):
    return [row["value"] for gate, row in rows.items() if gate.startswith(f"{suite}/") and row["value"] is not None]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["photo-lite0", "photo-lite1", "photo-dual"])
def test_they_know_what_they_see(measure, tmp_path, photographs, model):
    (tmp_path / "thresholds.toml").write_text(RULES)
    chosen = ("--clip-suite=accuracy,calibration,checkpoint,prompts,metamorphic", "-k", "not smallest_break")
    status, rows, text = measure(f"--clip-model={model}", f"--clip-data={photographs}", *chosen)
    assert status == 0, text
    assert rows["accuracy/top1[clean]"]["value"] >= 0.75
    assert len(share(rows, "calibration")) >= 5
    assert len(share(rows, "metamorphic")) >= 6
    assert bool(share(rows, "prompts")) == (model == "photo-dual")


@pytest.mark.slow
def test_a_classifier_is_refused_on_other_classes_in_one_sentence(measure):
    status, rows, text = measure("--clip-model=photo-lite0", "--clip-suite=accuracy", "--clip-limit=19")
    assert status == 1
    assert "photo-lite0 scores 1000 classes, and " in text
    assert "of the 19 classes of scenes are none of them: " in text
    assert [row["verdict"] for row in rows.values()].count("fail") == 1
