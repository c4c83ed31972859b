"""The ImageNet family: known answers through the whole path, and the sentence for each wrong tree."""

from pathlib import Path

import family
import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load
from pytest_clip.data.imagenet import facts


@pytest.fixture
def gates(project, measure):
    """Run suites with the model that knows ImageNet's classes, asked with one template."""
    project.makeconftest(family.CONFTEST)

    def run(data, *options, suites, model="knower", **more):
        return measure(data, "--clip-prompts=single", *options, suites=suites, model=model, **more)

    return run


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The whole family, made once."""
    root = tmp_path_factory.mktemp("data")
    family.whole(root / "imagenet" / "val", wrong=range(100))
    for variant, wrong in (("matched-frequency", 200), ("threshold0.7", 300), ("top-images", 50)):
        family.v2(root / f"imagenetv2-{variant}-format-val", wrong=range(wrong))
    family.whole(root / "sketch", wrong=range(400))
    family.subset(root / "imagenet-r", facts.maps()["imagenet_r"], wrong=20)
    family.subset(root / "imagenet-a", facts.maps()["imagenet_a"], wrong=150)
    family.objectnet(root / "objectnet-1.0")
    family.films(
        root / "imagenet-vid-robust",
        {
            "right": [(404, [0]), (404, [0]), (404, [0])],
            "one_frame_wrong": [(351, [1]), (404, [1]), (352, [1])],
            "two_labels": [(404, [4, 0]), (7, [4, 0])],
            "anchor_wrong": [(404, [1]), (351, [1])],
        },
    )
    for nuisance, wrong in (("background", 13), ("texture", 0), ("material", 50)):
        names = list(facts.groups("imagenet_d"))
        for at, name in enumerate(names):
            shown = names[at - 1] if at < wrong else name
            family.draw(root / "ImageNet-D" / nuisance / name / "0.png", family.NUMBER[shown.replace("_", " ")])
    marked = {family.VAL[k]: (k, ["pose" if k < 200 else "larger"]) for k in range(50, 400)}
    family.imagenet_x(root / "imagenet-x", marked, prototypes=family.VAL[90:100])
    for k in range(10):
        family.draw(root / "ImageNet_OOD_dataset" / "iNaturalist" / "images" / f"{k}.jpg", 7 if k < 4 else family.NOTHING)
        family.draw(root / "ImageNet_OOD_dataset" / "SUN" / "images" / f"{k}.jpg", family.NOTHING)
        family.draw(root / "ood" / "My kites" / f"{k}.png", 8)
        family.draw(root / "NINCO" / "NINCO_OOD_classes" / "caracal" / f"{k}.jpg", 9 if k < 5 else family.NOTHING)
        family.draw(root / "NINCO" / "NINCO_OOD_unit_tests" / "noise" / f"{k}.jpg", 9)
        family.draw(root / "imagenet-o" / facts.wnids()[100 + k // 5] / f"{k}.JPEG", 100 if k < 2 else family.NOTHING)
    lists = root / "benchmark_imglist" / "imagenet"
    lists.mkdir(parents=True)
    for k in range(4):
        family.draw(root / "images_classic" / "texture" / "banded" / f"banded {k}.jpg", 7 if k == 0 else family.NOTHING)
    (lists / "test_textures.txt").write_text("".join(f"texture/banded/b{k}.jpg -1\n" for k in range(4)))
    for k in range(4):
        (root / "images_classic" / "texture" / "banded" / f"banded {k}.jpg").rename(root / "images_classic/texture/banded" / f"b{k}.jpg")
    (lists / "test_imagenet.txt").write_text("imagenet_1k/val/a.JPEG 0\n")
    return root


FEW = 50


@pytest.fixture
def few_classes(monkeypatch):
    """Trees of 50 classes pass for whole."""
    known = {wnid: k for k, wnid in enumerate(facts.wnids()[:FEW])}
    monkeypatch.setattr(facts, "label_of", lambda: known)


def value(rows, gate):
    assert rows[gate]["verdict"] == "unjudged", rows[gate]["message"]
    return rows[gate]["value"]


NAMESAKES = 0.002
"""Two of the 1000 names stand for two classes each; the second one is never answered."""
ACCURACY = {
    "clean": (0.9 - NAMESAKES, 1000), "shift_v2_matched": (0.8 - NAMESAKES, 1000), "shift_v2_threshold": (0.7 - NAMESAKES, 1000),
    "shift_v2_top": (0.95 - NAMESAKES, 1000), "shift_sketch": (0.6 - NAMESAKES, 1000), "shift_r": (0.9, 200), "shift_a": (0.25, 200),
    "shift_objectnet": (112 / 113, 113), "shift_vid": (3 / 4, 4), "pm10_vid": (2 / 4, 4), "shift_d_background": (100 / 113, 113),
    "shift_d_texture": (1.0, 113), "shift_d_material": (63 / 113, 113),
}  # fmt: skip

SEEN_IN_FILMS = [list(facts.groups("vid_robust"))[k] for k in (0, 1, 4)]
SUBSETS = {
    "shift_r": [(k,) for k in facts.maps()["imagenet_r"]], "shift_a": [(k,) for k in facts.maps()["imagenet_a"]],
    "shift_objectnet": list(facts.groups("objectnet").values()), "shift_vid": [facts.groups("vid_robust")[k] for k in SEEN_IN_FILMS],
}  # fmt: skip
"""Classes of ImageNet that count as each answer of a shift that asks for fewer."""


def test_every_shift_has_its_known_accuracy(gates, tree):
    rows, result = gates(tree, "-k", "top1 or relative or effective", suites="accuracy")
    assert result.ret == 0
    for name, (accuracy, n) in ACCURACY.items():
        row = rows[f"accuracy/top1[{name}]"]
        assert (row["value"], row["n"], row["data"]) == (pytest.approx(accuracy, abs=1e-9), n, "imagenet"), name
    # of 1000 classes none of these would be right: another class is shown more strongly
    assert rows["accuracy/top1[shift_r]"]["conventions"]["answers"] == "200 from 200 of 1000 classes: argmax over these alone"
    assert (
        rows["accuracy/top1[shift_objectnet]"]["conventions"]["answers"]
        == "113 from 125 of 1000 classes: the highest cosine of its members"
    )
    assert rows["accuracy/top1[pm10_vid]"]["conventions"]["worst_of"] == "4 groups of up to 3 images"
    assert rows["accuracy/top1[shift_d_texture]"]["conventions"]["classes"] == 113
    relative = {name: rows[f"accuracy/relative_robustness[{name}]"] for name in ("shift_v2_matched", "shift_sketch", *SUBSETS)}
    for name, groups in SUBSETS.items():
        # a clean picture below 100 shows the next class: right where that counts as the same answer
        right = [k >= 100 or k + 1 in group for group in groups for k in group]
        assert relative[name]["conventions"]["clean"] == f"{len(right)} images of the classes of {name}, asked as these"
        assert relative[name]["conventions"]["measured"] == pytest.approx({"shift": ACCURACY[name][0], "clean": np.mean(right)}, abs=1e-6)
        assert relative[name]["value"] == pytest.approx(ACCURACY[name][0] / np.mean(right)), name
        assert relative[name]["ci"][0] < relative[name]["value"] < relative[name]["ci"][1]
    assert relative["shift_sketch"]["value"] == pytest.approx((0.6 - NAMESAKES) / (0.9 - NAMESAKES))
    withdrawn = rows["accuracy/effective_robustness[shift_a]"]
    assert (withdrawn["value"], withdrawn["ci"]) == (None, None)
    assert withdrawn["reason"].startswith("ImageNet-A has no line: ")
    line = rows["accuracy/effective_robustness[shift_r]"]
    expected = 1 / (1 + np.exp(-(0.9074 * np.log(0.898 / 0.102) - 1.5935)))
    assert line["value"] == pytest.approx(0.9 - expected, abs=1e-9)
    assert line["ci"][0] < line["value"] < line["ci"][1]
    assert line["conventions"]["source"] == "modestyachts/imagenet-testbed @0170eec"
    told = line["conventions"]["measured"]
    assert (told["accuracy"], told["overall"], told["expected"]) == pytest.approx((0.9, 0.898, expected), abs=1e-6)
    assert told["baseline_models_95"][0] < 0 < told["baseline_models_95"][1]
    assert told["continued"] == "no baseline model outside 0.56 to 0.85 overall"
    assert not any("imagenet_o" in gate for gate in rows)


def test_factors_are_rows_of_the_validation_set(gates, tree):
    rows, result = gates(tree, suites="factors")
    assert result.ret == 0
    # 350 marked images less 10 prototypes, of which the classes 50..89 are answered wrongly
    assert (value(rows, "factors/accuracy[pose]"), rows["factors/accuracy[pose]"]["n"]) == (pytest.approx(100 / 140), 140)
    assert value(rows, "factors/accuracy[larger]") == 1.0
    assert value(rows, "factors/error_ratio[pose]") == pytest.approx((40 / 140) / (40 / 340))
    assert rows["factors/error_ratio[pose]"]["conventions"]["reference"] == "overall"
    expected = 1 / (1 + np.exp(-(1.0715 * np.log(300 / 40) + 0.3323)))
    assert value(rows, "factors/effective_robustness[pose]") == pytest.approx(100 / 140 - expected, abs=1e-9)
    assert value(rows, "factors/worst_accuracy") == pytest.approx(100 / 140)
    assert not [gate for gate, row in rows.items() if "drop" in gate and row["value"] is not None]


def test_unknown_images_are_told_from_known_ones(gates, tree):
    rows, result = gates(tree, "-k", "test_auroc and not msp and not logit and not energy", suites="ood")
    assert result.ret == 0
    # images that show a known class tie with it; ties count half, and the four classes with namesakes score lower
    tie = 0.996 / 2
    shares = {"inaturalist": 0.4, "sun": 0.0, "ninco": 0.5, "my_kites": 1.0, "openood_textures": 0.25}
    expected = {name: 1 - share + share * tie for name, share in shares.items()} | {"imagenet_o": 0.9}
    assert {name: value(rows, f"ood/auroc[{name}]") for name in expected} == pytest.approx(expected)
    assert rows["ood/auroc[sun]"]["conventions"]["known"] == 1000
    assert rows["ood/auroc[imagenet_o]"]["conventions"]["known"] == 2
    assert "imagenet has no places: " in rows["ood/auroc"]["message"]
    assert "into a folder places (its licence is on its page; https://" in rows["ood/auroc"]["message"]


def test_class_names_and_templates_are_those_of_open_clip(tree):
    from open_clip import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES

    data = load(f"{tree}::imagenet" if len(layouts.find(str(tree))) > 1 else str(tree))
    assert data.classes == tuple(IMAGENET_CLASSNAMES)
    assert data.templates == tuple(t("{c}") for t in OPENAI_IMAGENET_TEMPLATES)
    assert data.facts["imagenet"] is True
    assert data.facts["imagenet_x"] == {"factor": "top", "prototypes": "left out", "images": 340}


def test_a_limit_keeps_the_balance_and_whole_films(tree):
    data = load(str(tree), limit=5)
    assert len(data.images("clean")) == 5
    assert set(data.images("clean").labels.tolist()) == {0, 1, 2, 3, 4}
    assert data.images("pm10_vid").worst_of == ((0, 1, 2), (3, 4, 5)) or data.images("pm10_vid").worst_of == ((0, 1, 2),)
    assert all(len(data.images(s.name)) <= 5 for s in data.sets)
    pose = data.images("pose")
    assert pose.within == "clean"


@pytest.mark.usefixtures("few_classes")
def test_what_is_absent_is_told_before_anything_loads(project, tmp_path):
    root = family.whole(tmp_path / "val", classes=FEW)
    result = project.runpytest_inprocess("-p", "clip", "--clip-list", f"--clip-data={tmp_path}", "--clip-suite=accuracy,ood")
    text = result.stdout.str()
    assert result.ret == 0
    assert f"not there: shift_r: {tmp_path} has none: put ImageNet-R into a folder imagenet-r" in text
    assert "https://objectnet.dev" in text
    assert "its licence forbids training on it" in text
    assert "data imagenet: 1 image sets, 50 images" in text
    assert root.is_dir()


@pytest.mark.usefixtures("few_classes")
def test_absent_sets_are_skipped_and_a_rule_for_one_fails(gates, tmp_path):
    family.whole(tmp_path / "val", classes=FEW)
    rows, result = gates(tmp_path, "-k", "top1", suites="accuracy", rules='schema = 1\n[gates."accuracy/top1"]\nmin = 0.5\n')
    assert result.ret == 0
    assert rows["accuracy/top1[clean]"]["verdict"] == "pass"
    assert "put ImageNet-A into a folder imagenet-a" in rows["accuracy/top1"]["message"]
    rows, result = gates(tmp_path, suites="accuracy", rules='schema = 1\n[data.imagenet.gates."accuracy/top1[shift_r]"]\nmin = 0.5\n')
    assert result.ret == 1
    assert "accuracy/top1[shift_r]" in result.stdout.str()


@pytest.mark.usefixtures("few_classes")
@pytest.mark.parametrize("layout", ["val", "imagenet/val", "ILSVRC2012/val", "imagenet-val"])
def test_where_the_validation_images_may_lie(tmp_path, layout):
    family.whole(tmp_path / layout, classes=FEW)
    [found] = layouts.find(str(tmp_path))
    assert (found.name, found.parts["val"]) == ("imagenet", tmp_path / layout)
    [itself] = layouts.find(str(tmp_path / layout))
    assert itself.parts["val"] == tmp_path / layout


def test_a_missing_class_is_refused(tmp_path):
    import shutil

    family.whole(tmp_path / "val")
    shutil.rmtree(tmp_path / "val" / "n01440764")
    with pytest.raises(ClipError, match=r"val: 999 of the 1000 class folders of ImageNet hold images; a missing class shifts the labels"):
        catalog.sets(str(tmp_path))
    (tmp_path / "val" / "n01440764").mkdir()  # an empty one is missing, too
    with pytest.raises(ClipError, match="missing: n01440764"):
        catalog.sets(str(tmp_path))
    family.draw(tmp_path / "val" / "n01440764" / "a.JPEG", 0)
    family.draw(tmp_path / "val" / "n99999999" / "a.JPEG", 0)
    with pytest.raises(ClipError, match="n99999999 is no class of ImageNet"):
        catalog.sets(str(tmp_path))


def test_a_partial_v2_and_a_partial_objectnet_are_refused(tmp_path):
    import shutil

    family.v2(tmp_path / "imagenetv2-matched-frequency")
    shutil.rmtree(tmp_path / "imagenetv2-matched-frequency" / "10")
    with pytest.raises(ClipError, match=r"has folders 0 to 999, named by their label; 999 are there, missing 10\."):
        catalog.sets(str(tmp_path))
    shutil.rmtree(tmp_path / "imagenetv2-matched-frequency")
    family.objectnet(tmp_path / "objectnet-1.0")
    shutil.rmtree(tmp_path / "objectnet-1.0" / "images" / "banana")
    with pytest.raises(ClipError, match=r"112 of the 113 folders that ObjectNet shares with ImageNet hold images; missing: banana\."):
        catalog.sets(str(tmp_path))


def devkit(place, order):
    """Ground truth in an order of its own, and the table that translates it; parents of classes are in it, too."""
    from scipy.io import savemat

    kind = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O")]
    rows = [(k + 1, facts.wnids()[label], "a", "b", 0) for k, label in enumerate(order)] + [(1001, "n00000001", "all", "b", 7)]
    place.mkdir(parents=True)
    savemat(place / "meta.mat", {"synsets": np.array(rows, dtype=kind)})
    at = {label: k + 1 for k, label in enumerate(order)}
    (place / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{at[k]}\n" for k in range(1000)))


LABELS = {
    "devkit": lambda root: devkit(root / "ILSVRC2012_devkit_t12" / "data", np.random.default_rng(0).permutation(1000).tolist()),
    "kaggle": lambda root: (root / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\n" + "".join(f"{Path(n).stem},{facts.wnids()[k]} 1 2 3 4 \n" for k, n in enumerate(family.VAL))
    ),
    "synsets": lambda root: (root / "imagenet_2012_validation_synset_labels.txt").write_text("\n".join(facts.wnids())),
    "val.txt": lambda root: (root / "val.txt").write_text("".join(f"{n} {k}\n" for k, n in enumerate(family.VAL))),
}


@pytest.mark.parametrize("source", LABELS)
def test_flat_images_get_their_labels_from_a_file(tmp_path, source):
    family.flat_val(tmp_path / "val")
    LABELS[source](tmp_path)
    images = load(str(tmp_path)).images("clean")
    assert dict(zip(images.ids, images.labels.tolist(), strict=True)) == {name: k for k, name in enumerate(family.VAL)}


def test_flat_images_without_labels_are_refused(tmp_path):
    family.draw(tmp_path / "val" / family.VAL[0], 0)
    with pytest.raises(ClipError, match=r"no file says which class they show; lay the images into class folders .* or put one of these"):
        catalog.sets(str(tmp_path))
    (tmp_path / "val.txt").write_text(f"{family.VAL[0]} 1000\n")
    with pytest.raises(ClipError, match=r"val\.txt: label '1000' is not within 0\.\.999"):
        catalog.sets(str(tmp_path))
    (tmp_path / "val.txt").write_text("other.JPEG 1\n")
    with pytest.raises(ClipError, match=f"no label for {family.VAL[0]}"):
        catalog.sets(str(tmp_path))


def test_plain_class_folders_stay_what_they_were(tmp_path):
    for name in ("sun", "places", "texture", "edges", "val"):
        family.draw(tmp_path / name / "0.png", 1)
    assert layouts.find(str(tmp_path)) == ()
    assert catalog.sets(str(tmp_path)) == (catalog.SetInfo("clean", "clean", 5),)


@pytest.mark.usefixtures("few_classes")
def test_annotations_that_do_not_fit_the_images(tmp_path):
    family.whole(tmp_path / "val", classes=FEW)
    family.imagenet_x(tmp_path / "imagenet-x", {"ILSVRC2012_val_00099999.JPEG": (0, ["pose"])})
    with pytest.raises(ClipError, match=r"1 of 1 annotated images are not in .*val, such as ILSVRC2012_val_00099999\.JPEG"):
        load(str(tmp_path)).images("pose")
    (tmp_path / "imagenet-x" / "imagenet_x_val_top_factor.jsonl").write_text('{"file_name": "a.JPEG"}\n')
    with pytest.raises(ClipError, match=r"imagenet_x_val_top_factor\.jsonl:1: not a line of ImageNet-X"):
        catalog.sets(str(tmp_path))


@pytest.mark.usefixtures("few_classes")
def test_all_active_factors_when_only_they_are_given(tmp_path):
    family.whole(tmp_path / "val", classes=FEW)
    family.imagenet_x(tmp_path / "imagenet-x", {family.VAL[0]: (0, ["pose", "color"])}, kind="multi")
    data = load(str(tmp_path))
    assert {s.name: s.line for s in data.sets if s.role == "factor"} == {"pose": "", "color": ""}
    assert data.facts["imagenet_x"]["factor"] == "multi"


def test_films_with_a_missing_frame_or_label(tmp_path):
    root = family.films(tmp_path / "imagenet-vid-robust", {"a": [(404, [0]), (404, [0])]})
    (root / "val" / "a" / "000001.JPEG").unlink()
    with pytest.raises(ClipError, match=r"1 of 2 frames are missing, such as val/a/000001\.JPEG"):
        catalog.sets(str(tmp_path))
    (root / "metadata" / "labels.json").write_text("{}")
    with pytest.raises(ClipError, match=r"no label for val/a/000000\.JPEG"):
        catalog.sets(str(tmp_path))


@pytest.mark.usefixtures("few_classes")
def test_ytbb_as_its_annotators_left_it(tmp_path, gates):
    import json

    place = tmp_path / "ytbb-robust" / "metadata"
    place.mkdir(parents=True)
    words = ["good", "bad", "car", "similar", "dissimilar", "bad-anchor"]
    anchors = {"a_100/frame-20.jpg": [0], "b_100/frame-20.jpg": [0, 2], "c_100/frame-5.jpg": [1], "d_100/frame-5.jpg": [0]}
    pairs = {
        "a_100/frame-20.jpg,a_100/frame-21.jpg": [3], "a_100/frame-20.jpg,a_100/frame-22.jpg": [4],
        "b_100/frame-20.jpg,b_100/frame-10.jpg": [3], "d_100/frame-5.jpg,d_100/frame-6.jpg": [5],
    }  # fmt: skip

    def told(marks):
        return json.dumps({"labels": words, "annotations": [{"key": k, "notes": "", "labels": v} for k, v in marks.items()]})

    (place / "anchor_labels.json").write_text(told(anchors))
    (place / "pmk_labels.json").write_text(told(pairs))
    (place / "ytbb_robustness_test_anchors_full.csv").write_text("ytid,time_ms,label\na,100,13\nb,100,22\nc,100,1\nd,100,1\n")
    shown = {"a_100/frame-20": 404, "a_100/frame-21": 404, "b_100/frame-20": 407, "b_100/frame-10": 404}
    for name, number in shown.items():
        family.draw(tmp_path / "ytbb-robust" / "ytbb_videos" / f"{name}.jpg", number)
    family.whole(tmp_path / "val", classes=FEW)
    rows, _ = gates(tmp_path, "-k", "top1", suites="accuracy")
    assert (value(rows, "accuracy/top1[shift_ytbb]"), rows["accuracy/top1[shift_ytbb]"]["n"]) == (1.0, 2)
    assert value(rows, "accuracy/top1[pm10_ytbb]") == 0.5  # frame 22 of the first is not like its anchor


@pytest.mark.usefixtures("few_classes")
def test_image_lists_stay_in_their_folder(tmp_path):
    family.whole(tmp_path / "val", classes=FEW)
    lists = tmp_path / "benchmark_imglist" / "imagenet"
    lists.mkdir(parents=True)
    (lists / "test_ninco.txt").write_text("../../secret.jpg -1\n")
    with pytest.raises(ClipError, match=r"test_ninco\.txt:1: \.\./\.\./secret\.jpg leads out of"):
        catalog.sets(str(tmp_path))
    (lists / "test_ninco.txt").write_text("\nninco/a b.jpg -1 {'x': 1}\n")
    with pytest.raises(ClipError, match=r"test_ninco\.txt:2: .* has no ninco/a, nor in images_largescale"):
        catalog.sets(str(tmp_path))


@pytest.mark.usefixtures("few_classes")
def test_annotations_of_the_installed_distribution(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from pytest_clip.data.imagenet import factors

    family.whole(tmp_path / "data" / "val", classes=FEW)
    family.imagenet_x(tmp_path / "site" / "imagenet_x" / "annotations", {family.VAL[3]: (3, ["style"])})
    places = [str(tmp_path / "site" / "imagenet_x")]
    monkeypatch.setattr(factors, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=places))
    data = load(str(tmp_path / "data"))
    assert data.images("style").ids == (f"{facts.wnids()[3]}/{family.VAL[3]}",)
    assert data.images("style").labels.tolist() == [3]


def test_sets_are_told_without_anything_heavy(tree):
    import subprocess
    import sys

    code = (
        f"import sys; from pytest_clip.data import catalog; catalog.sets({str(tree)!r});"
        "print([m for m in ('torch', 'numpy', 'scipy', 'open_clip', 'PIL', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


TWO_MODELS = f"""
import sys
sys.path.insert(0, {str(Path(family.__file__).parent)!r})
import family


class Other(family.Knower):
    fingerprint = "fedcba9876543210"

    def encode_image(self, images):
        out = super().encode_image(images)
        lost = out.argmax(1) % 10 == 3
        out[lost] = out[lost].roll(1, dims=1)
        return out


def pytest_clip_make_model(spec, config):
    return (Other if spec.text == "other" else family.Knower)(spec.text)
"""


def test_two_models_are_compared_in_what_stands_on_two_samples(project, measure, tmp_path):
    """Clean accuracies differ, which is a measurement and no convention; both samples belong to the comparison."""
    project.makeconftest(TWO_MODELS)
    family.whole(tmp_path / "imagenet" / "val", wrong=range(100))
    family.subset(tmp_path / "imagenet-r", facts.maps()["imagenet_r"], wrong=20)
    family.subset(tmp_path / "imagenet-a", facts.maps()["imagenet_a"], wrong=150)
    family.imagenet_x(tmp_path / "imagenet-x", {family.VAL[k]: (k, ["pose" if k < 200 else "larger"]) for k in range(50, 400)})
    rows, _ = measure(
        tmp_path, "--clip-prompts=single", "--clip-baseline-model=knower", "-k", "effective or relative or error_ratio or mean_per_class",
        suites="accuracy,factors", model="other",
    )  # fmt: skip
    compared = {row["gate"]: row["baseline"] for row in rows.values() if row["model"] == "other" and row["value"] is not None}
    for gate in (
        "accuracy/relative_robustness[shift_r]", "accuracy/effective_robustness[shift_r]", "accuracy/mean_per_class[clean]",
        "factors/effective_robustness[pose]", "factors/effective_robustness[larger]", "factors/error_ratio[larger]",
    ):  # fmt: skip
        told = compared[gate]
        assert (told["reason"], told["method"]) == (None, "paired bootstrap"), (gate, told)
        assert told["ci"][0] < told["drop"] < told["ci"][1], (gate, told)
    assert not [told["reason"] for told in compared.values() if "conventions" in str(told["reason"])]


def test_no_gate_of_a_checkpoint_is_refused_for_what_it_measured(project, measure, tmp_path):
    """The change of a repeated embedding, failed checks, the best other normalisation."""
    project.makeconftest(TWO_MODELS)
    family.whole(tmp_path / "imagenet" / "val", wrong=range(100))
    rows, _ = measure(tmp_path, "--clip-prompts=single", "--clip-baseline-model=knower", suites="checkpoint", model="other")
    told = [str(row["baseline"]["reason"]) for row in rows.values() if row["model"] == "other" and row["value"] is not None]
    assert len(told) > 5
    assert not [reason for reason in told if "conventions" in reason]
