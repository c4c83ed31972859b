"""--clip-list and skipped gates name what is absent, with folder, licence and page; no model is loaded for that."""

from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip.data import sources

NAVI = "get NAVI (CC BY 4.0; https://github.com/google/navi) or ScanNet-1500 ("
OOD = "put images of no class into {folder}/ood/NAME/"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for k in range(4):
        painted.save(tmp_path / "pets" / f"class {k % 2}" / f"{k}.png", k)
    return tmp_path / "pets"


def test_suites_without_images_are_listed_with_what_they_need(pets: Path, project: pytest.Pytester) -> None:
    project.makeconftest("def pytest_clip_make_model(spec, config): raise AssertionError('a model was loaded')")
    result = project.runpytest_inprocess("-p", "clip", "--clip-list", "--clip-model=ViT-B-32", f"--clip-data={pets}")
    told = result.stdout.str()
    assert result.ret == 0
    names = "correspondence/recall_px, correspondence/recall_distance"
    assert f"  skipped: {names}: the data set pets has no image set for it (role:viewpoint); {NAVI}" in told
    assert "  skipped: ood/auroc, ood/aupr_in, ood/aupr_out and 5 more: the data set pets has no image set for it (role:ood); put" in told
    assert OOD.format(folder=pets) in told
    assert f"write a column with 2 to 24 values into {pets}/manifest.csv; it becomes slices" in told
    assert (
        "factors/drop, factors/worst_drop: the data set pets has no image set for it (role:factor); it needs every scene a second" in told
    )


def test_the_run_says_the_same(pets: Path, measure: Callable) -> None:
    _, result = measure(pets, "-rs", suites="ood,retrieval")
    result.stdout.fnmatch_lines(
        [f"SKIPPED*the data set pets has no image set for ood/auroc (role:ood); put images of no class into {pets}/*"]
    )
    result.stdout.fnmatch_lines(["SKIPPED*get SugarCrepe (MIT; *), or write a column negative_caption into *pets/manifest.csv"])


def test_a_known_data_set_cannot_be_given_columns(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "x" / "test").mkdir(parents=True)
    (tmp_path / "x" / "test" / "nshards.txt").write_text("1\n")
    assert sources.advice(["role:factor", "role:ood"], data=str(tmp_path / "x")) == ""
    assert sources.advice(["role:ood"], data=str(tmp_path / "own")) == OOD.format(folder=tmp_path / "own")
    assert sources.advice(["role:ood"], data="scenes") == ""
