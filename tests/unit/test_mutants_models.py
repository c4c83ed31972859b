"""Every damage does what it is named for, to what it is named for, and leaves the sound model alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.mutants import build, catalog, probe
from pytest_clip.mutants.damaged import Damage, Damaged
from pytest_clip.mutants.excuse import Excuse
from pytest_clip.mutants.inapplicable import InapplicableError

PROMPTS = ("a photo of a cat", "a photo of a dog", "a photo of a mug")
CAPTION = "a cat to the left of a small dog on a red chair"
TEXTS = [*PROMPTS, CAPTION]


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    from pytest_clip.models import openclip, spec

    def load(config, **how):
        where = tiny_models.folder(tmp_path_factory.mktemp("model"), config, tiny_models.state(config, **how))
        return openclip.load(spec.parse(f"local-dir:{where}"), device="cpu", cache_dir=where)

    return load


@pytest.fixture(scope="module")
def vit(load):
    return load(tiny_models.VIT)


@pytest.fixture(scope="module")
def rn(load):
    model = load(tiny_models.RESNET)
    for name, weight in model.module.named_parameters():
        if name.endswith("bn3.weight"):
            weight.fill_(1.0)  # open_clip starts a block as its shortcut alone
        elif "attnpool" in name:
            weight.mul_(10)  # so that attention is not the same everywhere
    return model


@pytest.fixture(scope="module")
def other(load):
    return load(tiny_models.VIT, seed=2)


@pytest.fixture(scope="module")
def data():
    families = {"templates": {"own": ("a photo of a {c}",)}, "paraphrases": {"bare": ("{c}",)}, "formats": {"loud": ("A PHOTO OF A {C}.",)}}
    return SimpleNamespace(templates=("a photo of a {c}",), classes=("cat", "dog", "mug"), prompt_sets=lambda name: families[name])


@pytest.fixture(scope="module")
def picture():
    """Colourful, wide and full of detail."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 96, 3), dtype=np.uint8).astype(np.uint8)).resize((192, 96))


def answers(model, picture):
    """What a gate can see of a model: embeddings of a picture, by both ways to prepare it, and of texts, and the scale."""
    halves = model.normalize(model.resize(picture)[None])
    whole = model.preprocess(picture)[None]
    assert torch.allclose(halves, whole, atol=1e-6)
    return {"image": model.encode_image(whole), "text": model.encode_text(TEXTS), "scale": torch.tensor(model.logit_scale)}


def changed(one, other):
    return {name for name in one if not torch.allclose(one[name], other[name], atol=1e-5)}


CHANGES = {
    "wrong_mean_std": {"image"},
    "bgr": {"image"},
    "unnormalised": {"image", "text"},
    "activation_swapped": {"image", "text"},
    "logit_scale_double": {"scale"},
    "logit_scale_half": {"scale"},
    "noise_10": {"image"},
    "noise_30": {"image"},
    "noise_100": {"image"},
    "last_block_dropped": {"image"},
    "text_reseeded": {"text"},
    "positions_shuffled": {"image", "text"},
    "text_truncated": {"text"},
    "int8": {"image", "text"},
    "half_finetuned": {"image", "text"},
    "labels_rotated": {"text"},
    "squashed": {"image"},
    "jpeg_10": {"image"},
}
RESNET = CHANGES | {"activation_swapped": {"text"}}  # its image tower has ReLU


def test_the_tests_know_every_mutant():
    assert list(CHANGES) == list(catalog.MUTANTS) == [each.name for each in catalog.MUTANTS.values()]
    assert {*build._DAMAGES, "activation_swapped", "half_finetuned", "labels_rotated"} == set(catalog.MUTANTS)


@pytest.mark.parametrize("name", CHANGES)
def test_a_damage_changes_what_it_should_and_nothing_else(vit, data, picture, other, name):
    before, weights = answers(vit, picture), {k: v.clone() for k, v in vit.module.state_dict().items()}
    damaged = build.build(name, vit, data=[data], other=lambda: other)
    assert changed(before, answers(damaged, picture)) == CHANGES[name]
    # The sound model is as it was.
    assert changed(before, answers(vit, picture)) == set()
    assert all(torch.equal(weights[k], v) for k, v in vit.module.state_dict().items())
    assert (damaged.label, damaged.facts["damage"]["name"]) == (f"{vit.label}~{name}", name)
    assert "damage" not in vit.facts


@pytest.mark.parametrize("name", [name for name in RESNET if name != "half_finetuned"])
def test_and_so_it_does_to_a_resnet(rn, data, picture, name):
    before = answers(rn, picture)
    assert changed(before, answers(build.build(name, rn, data=[data]), picture)) == RESNET[name]


def test_every_mutant_has_a_fingerprint_of_its_own(vit, data, other):
    made = [build.build(name, vit, data=[data], other=lambda: other) for name in CHANGES]
    prints = {each.fingerprint for each in [*made, vit]}
    assert len(prints) == len(made) + 1
    again = [build.build(name, vit, data=[data], other=lambda: other).fingerprint for name in CHANGES]
    assert again == [each.fingerprint for each in made]
    assert all(len(each) == 16 for each in prints)
    # Parameters are part of it, and so is the model.
    assert Damaged(vit, Damage("x", {"a": 1}), label="x").fingerprint != Damaged(vit, Damage("x", {"a": 2}), label="x").fingerprint
    assert Damaged(vit, Damage("x"), label="x").fingerprint != Damaged(other, Damage("x"), label="x").fingerprint


def test_a_variant_of_a_mutant_is_damaged_too(vit, picture):
    """The checkpoint suite compares a model with itself under the other activation and other normalisations."""
    damaged = build.build("bgr", vit)
    quick = damaged.with_activation(True)
    flipped = Image.merge("RGB", picture.split()[::-1])
    expected = vit.with_activation(True).encode_image(vit.preprocess(flipped)[None])
    assert torch.equal(quick.encode_image(quick.preprocess(picture)[None]), expected)
    assert len({quick.fingerprint, damaged.fingerprint, vit.with_activation(True).fingerprint}) == 3
    shifted = damaged.with_normalization((0.1, 0.1, 0.1), (0.2, 0.2, 0.2))
    assert torch.equal(shifted.preprocess(picture), vit.with_normalization((0.1, 0.1, 0.1), (0.2, 0.2, 0.2)).preprocess(flipped))
    noisy = build.build("noise_100", vit)
    back = noisy.with_activation(True).with_activation(False)
    assert torch.equal(back.encode_image(back.preprocess(picture)[None]), noisy.encode_image(noisy.preprocess(picture)[None]))


def test_stored_pictures_of_the_model_are_none_of_a_mutant_that_changes_pictures(vit):
    """Pictures at the input size are kept by geometry, and shared by all models that have the same."""
    assert build.build("bgr", vit).geometry is None
    assert build.build("noise_10", vit).geometry == vit.geometry is not None


def test_a_mutant_shares_the_tensors_that_it_does_not_change(vit):
    damaged = build.build("noise_30", vit).module
    apart = {name for name, tensor in damaged.named_parameters() if tensor.data_ptr() != vit.module.get_parameter(name).data_ptr()}
    assert apart
    assert all(name.startswith("visual.transformer.resblocks.1.") for name in apart)


def test_noise_is_as_large_as_it_says(vit):
    name = "visual.transformer.resblocks.1.mlp.c_fc.weight"
    sound = vit.module.get_parameter(name)
    for mutant, strength in (("noise_10", 0.1), ("noise_30", 0.3), ("noise_100", 1.0)):
        noise = build.build(mutant, vit).module.get_parameter(name) - sound
        assert float(noise.std()) == pytest.approx(strength * float(sound.square().mean().sqrt()), rel=0.05)


def test_the_last_block_is_dropped(vit, rn, picture):
    assert len(build.build("last_block_dropped", vit).module.visual.transformer.resblocks) == 1
    x = rn.preprocess(picture)[None]
    tower, short = rn.module.visual, build.build("last_block_dropped", rn).module.visual
    before = tower.layer3(tower.layer2(tower.layer1(tower.stem(x))))
    assert torch.allclose(short.layer4(before), torch.relu(tower.layer4[0].downsample(before)))


def test_positions_are_the_same_ones_in_another_order(vit):
    for name in ("visual.positional_embedding", "positional_embedding"):
        before, after = vit.module.get_parameter(name), build.build("positions_shuffled", vit).module.get_parameter(name)
        assert sorted(before[:, 0].tolist()) == sorted(after[:, 0].tolist())
        assert not torch.equal(before, after)
    name = "visual.positional_embedding"  # the class token has no neighbours to be confused with
    assert torch.equal(vit.module.get_parameter(name)[0], build.build("positions_shuffled", vit).module.get_parameter(name)[0])


def test_eight_bits(vit):
    weight = build.build("int8", vit).module.get_parameter("token_embedding.weight")
    assert len(weight.unique()) <= 255
    sound = vit.module.get_parameter("token_embedding.weight")
    assert float((weight - sound).abs().max()) <= float(sound.abs().max()) / 254 * 1.001


def test_half_of_fine_tuning_is_the_mean_of_two(vit, other):
    mixed = build.build("half_finetuned", vit, other=lambda: other)
    for name, weight in mixed.module.named_parameters():
        assert torch.allclose(weight, (vit.module.get_parameter(name) + other.module.get_parameter(name)) / 2, atol=1e-6)


def test_prompts_ask_for_the_next_class_in_every_wording_and_captions_stay(vit, data):
    read = build.build("labels_rotated", vit, data=[data])._read
    assert read(PROMPTS) == [PROMPTS[1], PROMPTS[2], PROMPTS[0]]
    assert read(["MUG", "a  photo of a CAT", "A PHOTO OF A DOG."]) == ["cat", "a photo of a dog", "A PHOTO OF A MUG."]
    assert read([CAPTION]) == [CAPTION]


def test_six_words_are_read(vit):
    damaged = build.build("text_truncated", vit)
    assert torch.equal(damaged.encode_text([CAPTION]), vit.encode_text(["a cat to the left of"]))
    assert torch.equal(damaged.tokenize([CAPTION]), vit.tokenize(["a cat to the left of"]))


def test_unnormalised_rows_point_where_they_pointed(vit, picture):
    damaged = build.build("unnormalised", vit)
    rows, sound = damaged.encode_text(TEXTS), vit.encode_text(TEXTS)
    assert torch.allclose(torch.nn.functional.normalize(rows, dim=-1), sound, atol=1e-6)
    assert not torch.allclose(rows.norm(dim=-1), torch.ones(len(rows)), atol=0.01)
    assert torch.equal(rows, rows + 0)  # an ordinary tensor


class Bare:
    """A model with nothing but what every model has."""

    label, fingerprint, logit_scale, precision, device, image_size = "bare", "f" * 16, 10.0, "fp32", "cpu", (8, 8)
    facts: dict = {}  # noqa: RUF012

    def preprocess(self, image):
        return torch.from_numpy(np.array(image.resize((8, 8)))).permute(2, 0, 1).float()

    def encode_image(self, images):
        return torch.nn.functional.normalize(images.flatten(1)[:, :6] + torch.arange(6.0), dim=-1)

    def encode_text(self, texts):
        return torch.nn.functional.normalize(torch.tensor([[len(t), t.count("a"), 1.0, 2.0, 3.0, 4.0] for t in texts]), dim=-1)


OUTSIDE = {"bgr", "logit_scale_double", "logit_scale_half", "text_truncated", "labels_rotated", "squashed", "jpeg_10"}


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_a_model_that_is_none_of_open_clips_has_the_mutants_that_need_no_inside(data, picture, name):
    damaged = build.build(name, Bare(), data=[data])
    assert not hasattr(damaged, "resize")
    assert damaged.preprocess(picture).shape == (3, 8, 8)


@pytest.mark.parametrize("name", sorted(set(CHANGES) - OUTSIDE))
def test_and_the_others_say_why_not(data, name):
    with pytest.raises(InapplicableError, match=r"^bare (is not a model|has no with_norm|has no open_clip module|has neither GELU)"):
        build.build(name, Bare(), data=[data])


def test_without_another_checkpoint_there_is_none_to_mix_with(vit, rn):
    with pytest.raises(InapplicableError, match=r"no other checkpoint to mix .* with; name the one it started from: --clip-baseline-model"):
        build.build("half_finetuned", vit)
    with pytest.raises(InapplicableError, match=r"has other weights than .*, e\.g\. .*: the two cannot be mixed"):
        build.build("half_finetuned", vit, other=lambda: rn)


class Probed:
    """What the probe asks of data and extraction: square pictures, and captions of the clean set."""

    name, templates, classes = "probed", ("a photo of a {c}",), ("cat", "dog", "mug")
    sets = (SimpleNamespace(name="clean", role="clean"),)

    def __init__(self, captions=None, size=(64, 64)):
        self.captions, self.picture = captions, Image.effect_noise(size, 90).convert("RGB")

    def images(self, name):
        return SimpleNamespace(captions=self.captions)

    def ask(self, template):
        return [template.replace("{c}", name) for name in self.classes]

    def prompt_sets(self, family):
        return {}

    def batch(self, model, data, name, *, first):
        return model.preprocess(self.picture)[None]


def attempt(name, model, probed):
    return build.attempt(name, model, data=[probed], extraction=lambda: probed, other=lambda: None)


def test_a_mutant_that_answers_alike_is_equivalent(vit):
    square = attempt("squashed", vit, Probed())
    assert square == Excuse(
        "equivalent",
        "answers like the model itself: embeddings of the first 24 pictures, captions and class prompts of probed move by 0.000 at most",
    )
    assert isinstance(attempt("squashed", vit, Probed(size=(96, 64))), Damaged)
    assert isinstance(attempt("text_truncated", vit, Probed()), Excuse)  # every prompt has five words
    assert isinstance(attempt("text_truncated", vit, Probed(captions=(CAPTION,))), Damaged)
    assert isinstance(attempt("logit_scale_half", vit, Probed()), Damaged)


def shifted(length):
    """A damage that moves every text by `length`."""

    def embed(model, texts):
        rows = model.encode_text(texts)
        aside = torch.zeros_like(rows)
        aside[:, 0] = length
        return rows + aside

    return Damage("shifted", embed_text=embed)


def test_what_three_degrees_change_is_no_damage(vit):
    def how_far(damage):
        return probe.moved(vit, Damaged(vit, damage, label="x"), Probed(), Probed())

    assert how_far(shifted(0.04)) == pytest.approx(0.04, abs=1e-6)
    assert how_far(shifted(0.06)) > probe.ALIKE
    assert how_far(shifted(float("nan"))) == float("inf")
    assert how_far(Damage("scaled", scale=1.0001)) == float("inf")


def test_another_answer_is_a_damage_however_small_the_change(vit):
    """Of two prompts at nearly the same distance a hair's breadth makes the other one win."""
    probed = Probed()
    image, texts = vit.encode_image(probed.batch(vit, None, "clean", first=1)), vit.encode_text(probe._texts(probed))
    scores = (image @ texts[:3].T)[0]
    winner = int(scores.argmax())
    needed = float(scores.max() - scores.sort().values[-2]) + 1e-4

    def embed(model, asked):
        rows = model.encode_text(asked)
        rows[winner] -= image[0] * needed
        return rows

    damaged = Damaged(vit, Damage("hair", embed_text=embed), label="x")
    assert float((damaged.encode_text(probe._texts(probed)) - texts).norm(dim=1).max()) == pytest.approx(needed, abs=1e-6)
    assert probe.moved(vit, damaged, probed, probed) == float("inf")


def test_what_cannot_be_built_is_excused_with_the_reason(vit):
    found = attempt("half_finetuned", vit, Probed())
    assert isinstance(found, Excuse)
    assert found.kind == "not_applicable"
    crash = build.attempt("half_finetuned", vit, data=[], extraction=lambda: None, other=lambda: 1 / 0)
    assert crash == Excuse("not_applicable", "it could not be made: ZeroDivisionError: division by zero")


def test_names_are_checked():
    assert catalog.choose(["all"]) == tuple(catalog.MUTANTS)
    assert catalog.choose(["noise_10", "bgr", "bgr"]) == ("bgr", "noise_10")
    with pytest.raises(ClipError, match=r"no mutant 'brg'; did you mean 'bgr'\?; there is wrong_mean_std, .*, or all$"):
        catalog.choose(["brg"])
    with pytest.raises(ClipError, match="before a path write --clip-mutants=all"):
        catalog.choose(["tests/"])
