"""Models trained on photographs: the table, what is missing, the classifier's eyes, and ConSE against the equation written out."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import tiny_photo
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.models import photo, photo_model, reader, sentences, spec
from pytest_clip.models.conse import COMMON, LIKELIEST, ConSE
from pytest_clip.models.protocol import Classifier, ClipModel, is_classifier
from pytest_clip.models.sight import Sight


def pictures(n=5, size=(40, 30)):
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for _ in range(n)]


# Names


def test_the_names_are_kinds_of_their_own():
    assert {spec.parse(name).kind for name in photo.PHOTO} == {"photo"}
    assert spec.parse("photo-dual").label == "photo-dual"


def test_weights_of_ones_own_go_to_timm():
    with pytest.raises(ClipError, match=r"brings its own weights; write photo-lite0 alone, or timm:tf_efficientnet_lite0,mine\.pt"):
        spec.parse("photo-lite0,mine.pt")


@pytest.mark.parametrize("name", photo.PHOTO)
def test_a_missing_package_is_one_sentence(name, monkeypatch):
    monkeypatch.setattr(photo, "find_spec", lambda name: None)
    with pytest.raises(ClipError, match=rf"--clip-model={name} needs .*installed; pip install pytest-clip\[photo\]$"):
        reader.load(spec.parse(name), cache_dir=Path())


def test_another_file_in_the_package_is_refused(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    torch.save({"a": torch.zeros(3)}, tmp_path / "models" / "x.pth")
    monkeypatch.setattr(photo, "_folder", lambda package: tmp_path)
    with pytest.raises(ClipError, match="does not hold the 296 tensors of this network in their order; install its package again"):
        reader.load(spec.parse("photo-lite0"), cache_dir=tmp_path)


# Eyes


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_a_picture_is_seen_as_timm_shows_it(crop_mode, interpolation):
    from timm.data import create_transform

    config = {**tiny_photo.DATA, "crop_mode": crop_mode, "interpolation": interpolation}
    sight, theirs = Sight(config), create_transform(**config, is_training=False)
    for size in ((40, 30), (24, 24), (31, 77)):
        picture = pictures(1, size)[0]
        ours = sight.normalize(sight.resize(picture)[None])[0]
        assert ours.shape == (3, 24, 24)
        assert torch.allclose(ours, theirs(picture), atol=1e-6)


def test_geometry_is_what_resizing_depends_on():
    sight = Sight(tiny_photo.DATA)
    assert sight.normalized_by((0, 0, 0), (1, 1, 1)).geometry == sight.geometry
    assert Sight({**tiny_photo.DATA, "crop_pct": 0.9}).geometry != sight.geometry


# Classifier


def test_a_classifier_is_one_and_no_dual_encoder():
    model = tiny_photo.classifier()
    assert is_classifier(model)
    assert isinstance(model, Classifier)
    assert not isinstance(model, ClipModel)


def test_fingerprints_are_content():
    one = tiny_photo.classifier()
    assert tiny_photo.classifier(label="other").fingerprint == one.fingerprint
    others = [
        tiny_photo.classifier(seed=1), tiny_photo.classifier(tiny_photo.NAMES[::-1]), one.with_normalization((0, 0, 0), (1, 1, 1)),
        tiny_photo.classifier(precision="bf16"),
    ]  # fmt: skip
    assert len({one.fingerprint, *(each.fingerprint for each in others)}) == 5


def test_scores_are_the_modules_and_do_not_depend_on_company():
    model = tiny_photo.classifier()
    batch = torch.stack([model.preprocess(each) for each in pictures()])
    assert torch.allclose(model.class_scores(batch), model.module(batch), atol=1e-6)
    assert torch.equal(pickle.loads(pickle.dumps(model)).class_scores(batch), model.class_scores(batch))


# ConSE


@pytest.fixture(scope="module")
def dual(tmp_path_factory):
    folder = tiny_photo.sentence_folder(tmp_path_factory.mktemp("sentences"))
    return ConSE(tiny_photo.classifier(), sentences.load(folder), label="dual", logit_scale=10.0)


def by_hand(dual, texts):
    """Mean of the states of a text's own tokens, alone, of length 1."""
    rows = []
    for text in texts:
        ids = dual.tokenize([text])[:, : int(dual.tokenize([text]).ne(0).sum())]
        mean = dual.texts.module(input_ids=ids).last_hidden_state[0].mean(0)
        rows.append((mean / mean.norm()).detach().double().numpy())
    return np.stack(rows)


def test_a_picture_is_the_mixture_of_its_likeliest_classes(dual):
    assert isinstance(dual, ClipModel)
    batch = torch.stack([dual.preprocess(each) for each in pictures()])
    classes = by_hand(dual, [f"a photo of a {name}." for name in tiny_photo.NAMES])
    p = dual.classifier.class_scores(batch).double().softmax(1).numpy()
    wanted = []
    for row in p:
        best = np.argsort(-row)[:LIKELIEST]
        mixed = sum(row[k] * classes[k] for k in best) / row[best].sum() - COMMON * classes.mean(0)
        wanted.append(mixed / np.linalg.norm(mixed))
    assert np.abs(dual.encode_image(batch).numpy() - np.stack(wanted)).max() < 1e-5


def test_a_text_is_its_sentence_without_what_is_common(dual):
    classes = by_hand(dual, [f"a photo of a {name}." for name in tiny_photo.NAMES])
    texts = ["red", "a photo of blue green . white", "a " * 30 + "pink", "brown " * 400]
    wanted = by_hand(dual, texts) - COMMON * classes.mean(0)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert np.abs(dual.encode_text(texts).numpy() - wanted).max() < 1e-5


def test_it_travels_and_its_views_have_names_of_their_own(dual):
    batch = torch.stack([dual.preprocess(each) for each in pictures()])
    copy = pickle.loads(pickle.dumps(dual))
    assert torch.equal(copy.encode_image(batch), dual.encode_image(batch))
    assert copy.fingerprint == dual.fingerprint
    view = dual.with_normalization((0, 0, 0), (1, 1, 1))
    assert view.fingerprint != dual.fingerprint
    assert view.facts["preprocess"]["mean"] == [0, 0, 0]
    assert dual.preprocess_config["mean"] == [0.5, 0.4, 0.3]


def test_a_folder_without_its_weights_is_one_sentence(tmp_path):
    folder = tiny_photo.sentence_folder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ClipError, match=r"the sentence encoder in .* does not load .*; install its package again"):
        sentences.load(folder)


# The real ones


def test_lite0_is_timms_network_and_knows_a_coffee():
    import skimage
    import timm
    from open_clip import IMAGENET_CLASSNAMES

    model = reader.load(spec.parse("photo-lite0"), device="cpu", cache_dir=Path())
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    weights = torch.load(photo.files("photo-lite0")[0], weights_only=True)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), weights.values(), strict=True)))
    transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=theirs), is_training=False)
    picture = Image.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB")
    with torch.inference_mode():
        wanted = theirs(transform(picture)[None])
    scores = model.class_scores(model.preprocess(picture)[None])
    assert torch.allclose(scores, wanted, atol=1e-5)
    assert model.names[int(scores.argmax())] == "espresso"
    assert model.names == tuple(IMAGENET_CLASSNAMES)
    assert model.dense_features(model.preprocess(picture)[None]).shape == (1, 320, 7, 7)


@pytest.mark.slow
def test_dual_knows_a_coffee_and_its_scale_follows_the_rule():
    import skimage

    model = reader.load(spec.parse("photo-dual"), device="cpu", cache_dir=Path())
    picture = Image.open(Path(skimage.__file__).parent / "data" / "coffee.png")
    names = model.classifier.names
    texts = model.encode_text([f"a photo of a {name}." for name in names]).double()
    cosines = model.encode_image(model.preprocess(picture)[None]).double() @ texts.T
    assert names[int(cosines.argmax())] == "espresso"
    sure = (photo_model.LOGIT_SCALE * texts @ texts.T).softmax(1).diagonal().mean()
    assert float(sure) == pytest.approx(0.9, abs=0.005)
