"""Trees of ImageNet-C and ImageNet-3DCC, with 20 classes in place of 1000: known answers, and the sentence for each wrong tree."""

import shutil

import family
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load
from pytest_clip.data.imagenet import facts
from pytest_clip.metrics.corruption import ALEXNET_IMAGENET_C
from pytest_clip.views import catalog as views

CLASSES = 20


@pytest.fixture(autouse=True)
def few_classes(monkeypatch):
    known = {wnid: k for k, wnid in enumerate(facts.wnids()[:CLASSES])}
    monkeypatch.setattr(facts, "label_of", lambda: known)


def severity(root, *, wrong):
    """One tree of class folders; the first `wrong` classes show another."""
    for k, wnid in enumerate(facts.wnids()[:CLASSES]):
        family.draw(root / wnid / family.VAL[k], (k + 1) % CLASSES if k < wrong else k)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """ImageNet-C as its archives unpack, two kinds of ImageNet-3DCC, and the validation images."""
    root = tmp_path_factory.mktemp("data")
    for group, kinds in views.GROUPS.items():
        for kind in kinds[: None if group != "extra" else 1]:
            for s in range(1, 6):
                severity(root / "imagenet-c" / group / kind / str(s), wrong=2 * s + (kind == "fog"))
    for kind in ("near_focus", "fog_3d"):
        for s in range(1, 6):
            severity(root / "ImageNet-3DCC" / kind / str(s), wrong=s)
    severity(root / "val", wrong=1)
    return root


def test_files_are_read_and_measured_as_published(project, measure, tree):
    project.makeconftest(family.CONFTEST)
    chosen = ["--clip-prompts=single", "-k", "mce or fog or snow-5 or largest_rise"]
    rows, result = measure(f"{tree}::imagenet_c", *chosen, suites="corruptions", model="knower")
    assert result.ret == 0
    fog = rows["corruptions/accuracy[fog-3]"]
    assert (fog["value"], fog["n"], fog["data"], fog["conventions"]["pictures"]) == (0.65, 20, "imagenet_c", "files of imagenet_c")
    assert rows["corruptions/accuracy[fog]"]["value"] == pytest.approx(1 - 7 / 20)
    assert rows["corruptions/accuracy[snow-5]"]["value"] == 0.5
    errors = {kind: (6 + (kind == "fog")) / 20 for kind in views.IMAGENET_C}
    assert rows["corruptions/mce_unnormalised"]["value"] == pytest.approx(sum(errors.values()) / 15)
    expected = sum(error / ALEXNET_IMAGENET_C.errors[kind] for kind, error in errors.items()) / 15
    assert rows["corruptions/mce"]["value"] == pytest.approx(expected)
    assert rows["corruptions/mce"]["conventions"]["over"] == ALEXNET_IMAGENET_C.source
    assert rows["corruptions/relative_mce_unnormalised"]["value"] == pytest.approx(sum(errors.values()) / 15 - 1 / 20)
    assert rows["corruptions/largest_rise[fog]"]["value"] == 0
    assert not any("speckle" in gate for gate in rows)  # held out: only an ini key asks for it


def test_a_kind_that_is_not_there_is_said_and_a_mean_over_all_is_not_measured(project, measure, tree, tmp_path):
    family.linked(tree / "imagenet-c", tmp_path / "imagenet-c")
    shutil.rmtree(tmp_path / "imagenet-c" / "weather" / "snow" / "4")
    project.makeconftest(family.CONFTEST)
    chosen = ["--clip-prompts=single", "-k", "snow or mce"]
    rows, result = measure(tmp_path, *chosen, suites="corruptions", model="knower")
    assert result.ret == 0
    assert "no snow-4" in rows["corruptions/mce"]["message"]
    assert rows["corruptions/accuracy[snow-3]"]["value"] == 0.7
    assert "corruptions/accuracy[snow]" not in rows
    told = project.runpytest_inprocess("-p", "clip", "--clip-list", f"--clip-data={tmp_path}", "--clip-suite=corruptions").stdout.str()
    assert f"not there: snow-4: {tmp_path / 'imagenet-c'} has no snow/4 of ImageNet-C (its licence is on its page; https://" in told


def test_3d_trees_need_no_depth(project, measure, tree):
    project.makeconftest(family.CONFTEST)
    rows, result = measure(f"{tree}::imagenet_3dcc", "--clip-prompts=single", "-k", "accuracy", suites="corruptions_3d", model="knower")
    assert result.ret == 0
    assert (rows["corruptions_3d/accuracy[fog_3d]"]["value"], rows["corruptions_3d/accuracy[near_focus-5]"]["value"]) == (0.85, 0.75)


def test_one_folder_holds_several_data_sets(tree):
    assert [found.name for found in layouts.find(str(tree))] == ["imagenet", "imagenet_c", "imagenet_3dcc"]
    assert [label for _, label in catalog.expand(str(tree))] == ["imagenet", "imagenet_c", "imagenet_3dcc"]
    with pytest.raises(ClipError, match=r"holds imagenet, imagenet_c, imagenet_3dcc; name one: .*::imagenet"):
        catalog.sets(str(tree))
    with pytest.raises(ClipError, match="holds imagenet, imagenet_c, imagenet_3dcc, not coco"):
        catalog.sets(f"{tree}::coco")


def test_corruptions_lie_side_by_side_or_in_their_groups(tree, tmp_path):
    family.linked(tree / "imagenet-c" / "weather", tmp_path / "imagenet-c")
    [found] = layouts.find(str(tmp_path))
    assert found.parts["fog-1"] == tmp_path / "imagenet-c" / "fog" / "1"
    [itself] = layouts.find(str(tmp_path / "imagenet-c"))
    assert itself.parts["fog-1"] == tmp_path / "imagenet-c" / "fog" / "1"


def test_a_missing_class_is_refused(tree, tmp_path):
    family.linked(tree / "imagenet-c" / "weather", tmp_path / "imagenet-c")
    shutil.rmtree(tmp_path / "imagenet-c" / "fog" / "2" / facts.wnids()[3])
    with pytest.raises(ClipError, match=r"fog/2: 1 of the 20 class folders are missing; unpack it again, or remove the folder"):
        catalog.sets(str(tmp_path))


def test_other_images_at_another_severity_are_refused(tree, tmp_path, project, measure):
    family.linked(tree / "imagenet-c" / "weather", tmp_path / "imagenet-c")
    folder = tmp_path / "imagenet-c" / "fog" / "2" / facts.wnids()[3]
    next(folder.iterdir()).rename(folder / "other.JPEG")
    project.makeconftest(family.CONFTEST)
    rows, result = measure(tmp_path, "--clip-prompts=single", "-k", "fog-2", suites="corruptions", model="knower")
    assert result.ret == 1
    assert "fog-2 and brightness-1 hold different images (20 and 20); unpack them again" in rows["corruptions/accuracy[fog-2]"]["message"]


def test_the_doctor_counts_and_looks_at_the_size(tree, tmp_path):
    family.linked(tree / "imagenet-c" / "weather", tmp_path / "imagenet-c")
    extra = tmp_path / "imagenet-c" / "fog" / "1" / facts.wnids()[3] / "extra.JPEG"
    family.draw(extra, 3)
    [found] = layouts.find(str(tmp_path))
    said = "\n".join(problem.what for problem in layouts.layout("corrupted").problems(found))
    assert "pictures of (16, 16) pixels, published are 224 x 224" in said
    assert "most sets have 21 images, but" in said


def test_a_picture_of_the_input_size_is_not_touched():
    """What a model of 224 pixels sees of a file of ImageNet-C is the file."""
    import numpy as np
    from open_clip import image_transform
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    seen = image_transform(224, is_train=False, mean=(0, 0, 0), std=(1, 1, 1))(Image.fromarray(pixels))
    assert np.array_equal((seen.permute(1, 2, 0).numpy() * 255).round(), pixels)


def test_validation_images_are_embedded_once_for_both_data_sets(tree):
    c, whole = load(f"{tree}::imagenet_c"), load(f"{tree}::imagenet")
    assert c.images("uncorrupted").fingerprint == whole.images("clean").fingerprint
    assert (c.images("uncorrupted").data, c.images("uncorrupted").name) == ("imagenet", "clean")
