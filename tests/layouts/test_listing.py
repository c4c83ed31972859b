"""--clip-list and skipped gates name what is absent, with folder, licence and page; no model is loaded for that."""

from collections.abc import Callable
from pathlib import Path

import open_clip
import painted
import pytest

from pytest_clip.data import catalog, load, questions, sources
from pytest_clip.data import prompts as prompt_sets
from pytest_clip.data.prompts import PromptSet, fill

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
    assert "  skipped: ood/auroc, ood/aupr_in, ood/aupr_out and 7 more: the data set pets has no image set for it (role:ood); put" in told
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
    result.stdout.fnmatch_lines(["SKIPPED*get SugarCrepe++ (CC BY 4.0; *)*"])
    result.stdout.fnmatch_lines(["SKIPPED*get NegBench (MIT; *)*"])
    result.stdout.fnmatch_lines(["SKIPPED*get SugarCrepe (MIT; *), or write a column negative_caption into *pets/manifest.csv"])


def test_what_lies_there_is_looked_for_once(pets: Path, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each metric without images asked anew: 36 searches of 100 class folders took 9 of the 18 s of a run with everything stored."""
    whole, looked = sources.kind_of, []
    monkeypatch.setattr(sources, "kind_of", lambda data: looked.append(data) or whole(data))
    project.runpytest_inprocess("-p", "clip", "--clip-list", "--clip-model=ViT-B-32", f"--clip-data={pets}")
    assert looked == [str(pets)]


def test_a_known_data_set_cannot_be_given_columns(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "x" / "test").mkdir(parents=True)
    (tmp_path / "x" / "test" / "nshards.txt").write_text("1\n")
    assert sources.advice(["role:factor", "role:ood"], data=str(tmp_path / "x")) == ""
    assert sources.advice(["role:ood"], data=str(tmp_path / "own")) == OOD.format(folder=tmp_path / "own")
    assert sources.advice(["role:ood"], data="scenes") == ""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Eight images of two classes in a table with two columns: four slices of two to four of the same pictures."""
    root = tmp_path / "scans"
    lines = ["path,label,scanner,site"]
    for k in range(8):
        painted.save(root / f"{k}.png", k)
        lines.append(f"{k}.png,class_{k % 2},{'GE' if k < 4 else 'Siemens'},{'north' if k < 2 else 'south'}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def listed(project: pytest.Pytester, data: Path, *args: str) -> list[str]:
    told = project.runpytest_inprocess("-p", "clip", "--clip-list", "--clip-model=ViT-B-32", f"--clip-data={data}", *args).outlines
    return told[next(k for k, line in enumerate(told) if line.startswith("data ")) :]


def test_slices_of_the_same_pictures_are_counted_once(scans: Path, project: pytest.Pytester) -> None:
    told = listed(project, scans, "--clip-suite=factors")
    assert told[:7] == [
        "data scans: 5 image sets, 8 images",
        "  clean            8",
        "  scanner=ge       4, of clean",
        "  scanner=siemens  4, of clean",
        "  site=north       2, of clean",
        "  site=south       6, of clean",
        "  this run: 8 pictures, 2 texts: 8 forward passes of pictures; less what the cache holds",
    ]
    assert {each.name: each.within for each in catalog.sets(str(scans))} == {
        each.name: load(str(scans)).images(each.name).within or "" for each in catalog.sets(str(scans))
    }


def test_corrupted_views_are_counted(scans: Path, project: pytest.Pytester) -> None:
    def told(*args: str) -> str:
        return next(line for line in listed(project, scans, *args) if line.startswith("  this run")).partition(": ")[2].partition(";")[0]

    views = "8 pictures, 600 views of them, 2 texts: 608 forward passes of pictures"
    assert told("--clip-suite=corruptions,factors") == views  # 15 kinds, 5 severities, 8 images
    chosen = ["-o", "clip_corruptions=fog\nsnow", "-o", "clip_corruption_images=3"]
    few = "3 pictures, 30 views of them, 2 texts: 66 forward passes of pictures"  # two models
    assert told("--clip-suite=corruptions", "--clip-model=ViT-B-16", *chosen) == few
    assert told("--clip-suite=corruptions_3d") == "0 pictures: 0 forward passes of pictures"  # no depth, no kind that follows it
    limited = "2 pictures, 150 views of them, 10 texts: 152 forward passes of pictures"
    assert told("--clip-suite=corruptions", "--clip-limit=2", "--clip-prompts=openai-5") == limited


@pytest.mark.parametrize("prompts", [None, PromptSet("openai-5"), PromptSet("mine.txt", ("a {c}", "{an} {c}"))])
def test_class_prompts_are_those_that_will_be_asked(scans: Path, prompts: PromptSet | None) -> None:
    for data in (str(scans), "scenes"):
        loaded = load(data, prompts=prompts)
        assert questions.count(data, prompts=prompts) == len({fill(t, c) for t in loaded.templates for c in loaded.classes})


def test_class_prompts_of_imagenet() -> None:
    assert len(set(open_clip.IMAGENET_CLASSNAMES)) == questions.THOUSAND
    assert list(prompt_sets.published().IMAGENET_CLASSNAMES) == list(open_clip.IMAGENET_CLASSNAMES)
