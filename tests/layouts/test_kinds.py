"""Each kind of model that open_clip does not build, by its name, through pytest: on small pictures whose answers are known."""

import numpy as np
import pytest
import timm
import tiny_models
import tiny_photo
import torch
import transformers  # noqa: F401 - inner runs forget what they import; this is here already
from PIL import Image

from pytest_clip.data import load
from pytest_clip.models import photo, photo_model, reader, spec, timm_model  # noqa: F401

NAME = "test_efficientnet"
COLOURS = {"dark_red": (160, 30, 30), "Green": (30, 160, 30), "blue-violet": (60, 30, 180), "white": (230, 230, 230)}
NAMES = ("white", "dark red", "yellow", "green", "Blue Violet")
"""Of the classifier: another order, other spellings, one more."""
EVERY = "accuracy,calibration,checkpoint,corruptions,metamorphic,ood,prompts,retrieval"
INI = "[pytest]\nclip_corruptions =\n    jpeg_compression\n    contrast\nclip_corruption_images = 8\n"
RULES = 'schema = 1\n[gates."accuracy/top1"]\nmin = 0.9\nwhy = "the colours are far from each other"\n'


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve noisy pictures of each colour, and twelve of noise alone."""
    root, rng = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for k in range(12):
            noise = rng.normal(0, 12, (48, 56, 3))
            Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(root / name / f"{k}.png")
    (root / "ood" / "far").mkdir(parents=True)
    for k in range(12):
        noise = rng.uniform(0, 255, (48, 56, 3))
        Image.fromarray(noise.astype(np.uint8)).save(root / "ood" / "far" / f"{k}.png")
    return root


@pytest.fixture(scope="module")
def classifier(tmp_path_factory, data):
    """A checkpoint of timm's train.py whose last layer was fitted to the pictures."""
    folder = tmp_path_factory.mktemp("classifier")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = timm.create_model(NAME, num_classes=len(NAMES)).eval()
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=module), is_training=False)
    images = load(str(data)).images("clean")
    plain = [name.casefold() for name in NAMES]
    wanted = [plain.index(images.classes[k].casefold().replace("_", " ").replace("-", " ")) for k in images.labels]
    with torch.inference_mode():
        batch = torch.stack([transform(Image.open(file).convert("RGB")) for file in images.files])
        features = module.forward_head(module.forward_features(batch), pre_logits=True)
        ones = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
        target = 6 * torch.nn.functional.one_hot(torch.tensor(wanted), len(NAMES)).double()
        weights = torch.linalg.lstsq(ones, target, driver="gelsd").solution.float()
    module.classifier.load_state_dict({"weight": weights[:-1].T.contiguous(), "bias": weights[-1].contiguous()})
    torch.save({"epoch": 1, "arch": NAME, "state_dict": module.state_dict()}, folder / "model_best.pth.tar")
    (folder / "classnames.txt").write_text("\n".join(NAMES))
    return folder / "model_best.pth.tar"


@pytest.fixture
def run(project, measure, tmp_path):
    """`measure` by the product's own reading of names, with a cache."""

    def through(*args, **how):
        project.makeconftest("")
        project.makeini(INI)
        return measure(*args, rules=RULES, **how)

    return through


def measured(rows):
    return {gate.partition("/")[0] for gate, row in rows.items() if row["value"] is not None}


def test_a_classifier_of_timm(run, data, classifier):
    rows, result = run(data, "-rs", suites=EVERY, model=f"timm:{NAME},{classifier}")
    assert result.ret == 0, result.stdout.str()
    assert rows["accuracy/top1[clean]"]["value"] == 1.0
    assert rows["accuracy/top1[clean]"]["conventions"] == {
        "scores": "logits of the model", "classes": 4, "scored": "4 of 5 classes of the model: softmax over these alone",
    }  # fmt: skip
    assert {"accuracy", "calibration", "checkpoint", "corruptions", "metamorphic"} <= measured(rows)
    assert not {"prompts", "retrieval"} & measured(rows)
    by_scores = {f"ood/auroc_{score}[far]" for score in ("msp", "max_logit", "energy")}
    assert {gate for gate, row in rows.items() if gate.startswith("ood/") and row["value"] is not None} == by_scores
    for gate in ("finite_weights", "repeatability", "batch_invariance", "order_invariance", "preprocess", "alignment", "normalization"):
        assert rows[f"checkpoint/{gate}"]["value"] is not None, gate
    assert {rows[f"checkpoint/{gate}"]["value"] for gate in ("finite_weights", "preprocess")} == {1.0}
    skipped = [line for line in result.outlines if line.startswith("SKIPPED") and "has no texts and no cosines" in line]
    suites = [line.split("pytest_clip")[-1].split(": what needs them")[0].split(" ")[-1] for line in skipped]
    assert sorted(suites) == sorted(set(suites)), "one line a suite"
    assert {"prompts", "checkpoint", "metamorphic", "ood"} <= set(suites)


def test_classes_of_another_list_are_one_failure(run, data, classifier, tmp_path):
    (tmp_path / "names.txt").write_text("white\ncrimson\nyellow\ngreen\nblue violets")
    rows, result = run(data, f"--clip-classes={tmp_path / 'names.txt'}", suites="accuracy,calibration", model=f"timm:{NAME},{classifier}")
    assert result.ret == 1
    said = f"{NAME},model_best.pth.tar scores 5 classes, and 2 of the 4 classes of {data.name} are none of them: "
    assert said in result.stdout.str()
    assert "'blue-violet' (nearest: 'blue violets'), 'dark red' (nothing like it). Measure" in result.stdout.str()
    assert [row["verdict"] for row in rows.values()].count("fail") <= 1


def test_the_command_that_measures_again_names_the_classes(run, data, classifier, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join([NAMES[1], NAMES[0], *NAMES[2:]]))
    rows, _ = run(data, f"--clip-classes={tmp_path / 'names.txt'}", suites="accuracy", model=f"timm:{NAME},{classifier}")
    assert rows["accuracy/top1[clean]"]["value"] == 0.5, "two names changed places"
    assert f"--clip-classes={tmp_path / 'names.txt'}" in rows["accuracy/top1[clean]"]["message"]


@pytest.fixture
def small_packages(tmp_path, monkeypatch, classifier):
    """The packages of the index in small: the same classifier and a sentence encoder of two layers."""
    weights = torch.load(classifier, weights_only=True)["state_dict"]
    (tmp_path / "image" / "models").mkdir(parents=True)
    torch.save({f"_{k}": value for k, value in enumerate(weights.values())}, tmp_path / "image" / "models" / "w.pth")
    tiny_photo.sentence_folder(tmp_path / "text" / "model")
    monkeypatch.setattr(photo, "_folder", lambda package: tmp_path / ("text" if package == photo.TEXTS else "image"))
    small = {name: photo.Photo(each.package, NAME, each.what, each.dual) for name, each in photo.PHOTO.items()}
    for module in (photo, photo_model):
        monkeypatch.setattr(module, "PHOTO", small)
    monkeypatch.setattr(photo_model.classnames, "imagenet", lambda: NAMES)
    monkeypatch.setattr(photo_model, "CLASSES", len(NAMES))


def test_a_photo_trained_classifier(run, data, small_packages):
    rows, result = run(data, suites="accuracy,checkpoint", model="photo-lite0")
    assert result.ret == 0, result.stdout.str()
    assert rows["accuracy/top1[clean]"]["value"] == 1.0


def test_a_dual_encoder_by_conse(run, data, small_packages):
    rows, result = run(data, "--clip-prompts=single", suites="accuracy,calibration,checkpoint,prompts", model="photo-dual")
    text = result.stdout.str()
    assert {"accuracy", "calibration", "checkpoint", "prompts"} == measured(rows), text
    assert result.ret == 0, text
    assert rows["accuracy/top1[clean]"]["value"] == 1.0
    assert rows["checkpoint/embedding_norm"]["value"] == pytest.approx(1, abs=1e-5)
    assert rows["checkpoint/finite_weights"]["value"] == 1.0
    assert rows["checkpoint/tokenizer"]["value"] == 1.0


def test_the_path_between_two_models(run, data, tmp_path):
    """Three models of one name; what each weight is, is a matter of the unit tests."""
    ends = [tiny_models.folder(tmp_path / name, weights=tiny_models.state(seed=k)) for k, name in enumerate(("zero", "tuned"))]
    text = "::".join(f"local-dir:{end}" for end in ends)
    rows, result = run(data, suites="checkpoint", model=f"wise:{text}::0:1:0.5")
    said = result.stdout.str()
    for alpha in ("0", "0.5", "1"):
        assert f"model wise-zero-tuned-{alpha}: fingerprint" in said, said
    assert rows["checkpoint/finite_weights"]["value"] == 1.0
