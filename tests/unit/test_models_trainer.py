"""Runs of open_clip's trainer: what their params.txt and checkpoints say is what open_clip itself builds for the trainer."""

from __future__ import annotations

import copy
import warnings

import open_clip
import pytest
import tiny_models
import tiny_runs
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.models import lazy, look, openclip, several, trainer
from pytest_clip.models.labels import labels
from pytest_clip.models.spec import parse

TEXTS = ["a photo of a mug", "a red car", "Two dogs, one CAT!"]


@pytest.fixture(scope="module")
def weights():
    return tiny_runs.states(3)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """An architecture `tiny` known to open_clip, with a tag that saw other colours than OpenAI."""
    published = {"file": "x", "mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "interpolation": "bilinear", "quick_gelu": True}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", copy.deepcopy(tiny_models.VIT))
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"plain": published})


def load(text, tmp_path, **options):
    return openclip.load(parse(text), device="cpu", cache_dir=tmp_path / "cache", **options)


def same(model, module, transform):
    picture = Image.effect_mandelbrot((70, 50), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    pixels = transform(picture)[None]
    assert torch.equal(model.preprocess(picture)[None], pixels)
    with torch.no_grad():
        image = module.encode_image(pixels, normalize=True)
        text = module.encode_text(model.tokenize(TEXTS), normalize=True)
    assert torch.allclose(model.encode_image(pixels), image, atol=1e-5)
    assert torch.allclose(model.encode_text(TEXTS), text, atol=1e-5)
    assert model.logit_scale == pytest.approx(module.logit_scale.exp().item())


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"force_quick_gelu": True},
        {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.3], "image_interpolation": "bilinear", "image_resize_mode": "squash"},
        {"image_resize_mode": "longest"},
        {"force_image_size": 48},
        {"force_image_size": [48]},
        {"force_context_length": 9},
        {"force_custom_text": True},
        {"force_patch_dropout": 0.5, "lock_image": True},
    ],
    ids=lambda said: "-".join(said) or "plain",
)
def test_a_run_is_what_its_trainer_built(tmp_path, said):
    options = {key: value for key, value in said.items() if key.startswith(("force_", "image_"))}
    if options.get("force_image_size") == [48]:
        options["force_image_size"] = 48  # as main() makes of it
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        module, _, transform = open_clip.create_model_and_transforms("tiny", **options)
    run = tiny_runs.run(tmp_path / "logs" / "mine", {1: module.state_dict()}, **said)
    model = load(f"run:{run}", tmp_path)
    same(model, module.eval(), transform)
    assert model.activation == ("quickgelu" if said.get("force_quick_gelu") else "gelu")
    assert model.tokenizer.context_length == said.get("force_context_length", 16)


def test_the_trainer_sees_as_the_tag_that_it_began_from_and_computes_as_the_architecture(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]}, pretrained="plain", image_std=[0.2, 0.2, 0.2])
    model = load(f"run:{run}", tmp_path)
    assert model.preprocess_config["mean"] == [0.1, 0.2, 0.3]
    assert model.preprocess_config["std"] == [0.2, 0.2, 0.2]
    assert model.preprocess_config["interpolation"] == "bilinear"
    assert model.activation == "gelu"


def test_the_newest_epoch_is_that_of_the_largest_number(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {9: weights[0], 10: weights[1], "latest": weights[2]})
    newest, ninth = load(f"run:{run}", tmp_path), load(f"run:{run},9", tmp_path)
    assert (newest.facts["epoch"], ninth.facts["epoch"]) == (10, 9)
    assert newest.fingerprint == load(f"tiny,{run}/checkpoints/epoch_10.pt", tmp_path).fingerprint
    assert ninth.fingerprint == load(f"tiny,{run}/checkpoints/epoch_9.pt", tmp_path).fingerprint
    assert newest.facts["run"] == str(run)
    assert newest.facts["run_says"] == {"model": "tiny", "precision": "amp"}
    assert newest.facts["warnings"] == []
    assert load(f"run:{run},latest", tmp_path).facts["warnings"] == []
    assert trainer.epochs(run) == ["9", "10"]


def test_without_a_number_the_latest_is_measured_and_said(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {"latest": weights[0]})
    model = load(f"run:{run}", tmp_path)
    assert model.facts["epoch"] == 7
    assert model.facts["warnings"] == [f"run {run} has no epoch_N.pt, so epoch_latest.pt is measured"]
    assert [spec.text for spec in several.specs(f"run:{run},all")] == [f"run:{run},latest"]


def test_an_epoch_by_its_path(tmp_path, weights, monkeypatch):
    run = tiny_runs.run(tmp_path / "mine", {5: weights[0], 6: weights[1]}, force_quick_gelu=True)
    spec = parse(f"{run}/checkpoints/epoch_5.pt")
    assert (spec.kind, spec.key, spec.label) == ("run", "tiny", "mine,epoch_5")
    model = load(spec.text, tmp_path)
    assert (model.facts["epoch"], model.facts["run"], model.activation) == (5, str(run), "quickgelu")
    assert model.fingerprint == load(f"run:{run},5", tmp_path).fingerprint
    monkeypatch.chdir(run / "checkpoints")
    assert parse("epoch_6.pt").name == str(run)
    monkeypatch.chdir(tmp_path)
    assert (parse("mine/checkpoints/epoch_6.pt").name, parse("mine/checkpoints/epoch_6.pt").label) == ("mine", "mine,epoch_6")
    assert look.problem(spec) is not None  # `tiny` is known to this test alone
    assert "trained 'tiny', which the open_clip that is installed does not know" in look.problem(spec)


def test_a_checkpoint_by_another_name_is_of_the_run_that_it_lies_in(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {5: weights[0]})
    (run / "checkpoints" / "epoch_5.pt").rename(run / "best.pt")
    model = load(f"{run}/best.pt", tmp_path)
    assert (model.facts["epoch"], model.label) == (5, "mine,best")


def test_a_file_of_another_epoch_than_its_name_says_so(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {5: weights[0]})
    (run / "checkpoints" / "epoch_5.pt").rename(run / "checkpoints" / "epoch_8.pt")
    model = load(f"run:{run}", tmp_path)
    assert model.facts["epoch"] == 5
    assert "epoch_8.pt says that it is of epoch 5, whatever its name" in model.facts["warnings"][0]


def test_all_is_every_epoch(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {2: weights[0], 10: weights[1], 9: weights[2]})
    specs = several.specs(f"run:{run},all")
    assert [spec.text for spec in specs] == [f"run:{run},{epoch}" for epoch in (2, 9, 10)]
    assert labels(specs) == ("mine,epoch_2", "mine,epoch_9", "mine,epoch_10")
    assert {spec.key for spec in specs} == {"tiny"}
    with pytest.raises(ClipError, match="stands for every epoch of a run, and one model is wanted here"):
        parse(f"run:{run},all")


def test_epochs_on_both_sides_of_a_path_of_weights(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0], 2: weights[1]})
    specs = several.specs(f"wise:run:{run},1::run:{run},2::0:1:0.5")
    assert [spec.between[0].pretrained for spec in specs] == ["1"] * 3
    assert [spec.label for spec in specs] == [f"wise-mine-epoch_1-mine-epoch_2-{alpha}" for alpha in ("0", "0.5", "1")]


def test_the_precision_of_the_run_is_told_and_never_taken(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]}, precision="pure_bf16", use_bnb_linear="SwitchBackLinearGlobal")
    model = load(f"run:{run}", tmp_path)
    assert model.precision == "fp32"
    assert [note.partition("; ")[0] for note in model.facts["warnings"]] == [
        f"run {run} was trained in pure_bf16",
        f"run {run} was trained with SwitchBackLinearGlobal of bitsandbytes",
    ]


def test_a_sigmoid_run_brings_its_bias(tmp_path):
    state = {**tiny_models.state(), "logit_bias": torch.tensor(-10.0)}
    run = tiny_runs.run(tmp_path / "mine", {1: state}, siglip=True)
    assert load(f"run:{run}", tmp_path).logit_bias == -10


def test_a_run_that_began_from_a_folder(tmp_path, weights):
    base = tiny_models.folder(tmp_path / "base", {**tiny_models.VIT, "quick_gelu": True})
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]}, model=f"local-dir:{base}")
    model = load(f"run:{run}", tmp_path)
    assert (model.activation, model.preprocess_config["mean"]) == ("quickgelu", [0.5, 0.5, 0.5])
    assert look.problem(parse(f"run:{run}")) is None
    base.rename(tmp_path / "gone")
    with pytest.raises(ClipError, match=r"began from local-dir:.*, and there is no folder .*base; run pytest where the training ran"):
        load(f"run:{run}", tmp_path)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"force_depth": 3}, "says force_depth: 3, which this version of pytest-clip does not know"),
        ({"image_gamma": 0.5}, "says image_gamma: 0.5, which"),
        ({"image_mean": [0.5]}, r"preprocess_cfg.mean must be 3 times a finite number or null, not \[0.5\]"),
        ({"image_interpolation": "lanczos"}, "preprocess_cfg.interpolation must be one of bicubic"),
        ({"force_image_size": "__import__('os')"}, "vision_cfg.image_size must be"),
        ({"force_context_length": 10**7}, "text_cfg.context_length must be"),
        ({"model": "ViT-Z-7"}, "trained 'ViT-Z-7', which the open_clip that is installed does not know; write its configuration"),
        ({"model": None}, "names no model, so it is none of open_clip's trainer"),
    ],
)
def test_what_params_may_say(tmp_path, weights, said, message):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]}, **said)
    with pytest.raises(ClipError, match=message):
        load(f"run:{run}", tmp_path)


def test_what_is_left_at_false_or_none_says_nothing(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]}, force_depth=None, image_gamma=False, wandb_notes="see\nmodel: other\nhere")
    assert load(f"run:{run}", tmp_path).facts["architecture"] == "tiny"


def test_what_is_no_run(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "logs" / "mine", {1: weights[0], 12: weights[0]})
    other = tiny_runs.params(tmp_path / "logs" / "other")
    (tmp_path / "plain").mkdir()
    told = {
        f"run:{tmp_path}/nowhere": "is no folder; write run:DIR[,EPOCH]",
        f"run:{tmp_path}/plain": "holds no params.txt, so it is no run of open_clip's trainer; write run:DIR",
        f"run:{tmp_path}/logs": f"holds no params.txt, so it is no run of open_clip's trainer; write run:{run} (2 of its folders are runs)",
        f"run:{run}/checkpoints": f"write run:{run}",
        f"run:{run}/checkpoints/epoch_1.pt": "is a file; name it alone, or the folder of the run",
        f"run:{other}": "holds no epoch_N.pt; wait for the first epoch",
        f"run:{run},3": f"there is no {run}/checkpoints/epoch_3.pt; write run:{run},12 (there are 1, 12)",
        f"run:{run},latest": f"there is no {run}/checkpoints/epoch_latest.pt; write run:{run},12",
    }
    for text, message in told.items():
        assert message in str(look.problem(parse(text))), text
        with pytest.raises(ClipError) as caught:
            load(text, tmp_path)
        assert message in str(caught.value), text
    for text, message in (
        (f"run:{run},best", "'best' is no epoch; write its number, latest or all"),
        ("run:", "has nothing after the colon"),
        (f"run:{tmp_path}/nowhere,all", "is no folder; write run:DIR[,EPOCH]"),
    ):
        [spec] = several.specs(text)
        assert spec.kind == "unknown"
        assert message in str(look.problem(spec)), text


def test_a_comma_in_the_name_of_a_run(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "lr_1,b_2", {1: weights[0]})
    assert [(spec.name, spec.pretrained) for spec in (parse(f"run:{run}"), parse(f"run:{run},1"), parse(f"run:{run},epoch_1.pt"))] == [
        (str(run), None),
        (str(run), "1"),
        (str(run), "1"),
    ]


def test_an_architecture_beside_a_run_that_says_otherwise_is_told(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]}, force_quick_gelu=True, image_mean=[0.5, 0.5, 0.5])
    file = run / "checkpoints" / "epoch_1.pt"
    assert load(f"tiny,{file}", tmp_path).facts["warnings"] == [
        f"{run}/params.txt says otherwise of mean, quick_gelu; --clip-model={file} follows it"
    ]
    tiny_runs.params(run)
    assert load(f"tiny,{file}", tmp_path).facts["warnings"] == []


def test_another_epoch_or_another_setting_is_another_model(tmp_path, weights):
    run = tiny_runs.run(tmp_path / "mine", {1: weights[0]})

    def get(text):
        return lazy.load(parse(text), cache=tmp_path / "c", conditions={}, build=lambda: load(text, tmp_path))

    first = get(f"run:{run}")
    assert isinstance(get(f"run:{run}"), lazy.LazyModel)
    assert get(f"run:{run}").fingerprint == first.fingerprint
    assert get(f"run:{run}").facts["epoch"] == 1
    tiny_runs.params(run, force_quick_gelu=True)
    assert get(f"run:{run}").fingerprint != first.fingerprint
    tiny_runs.run(run, {2: weights[1]})
    assert get(f"run:{run}").facts["epoch"] == 2
