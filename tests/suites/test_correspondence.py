"""The correspondence suite: an oracle reaches 1 and chance is chance; shuffled features fail it and nothing else."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pytest_clip.data import load
from pytest_clip.data.scenes.sizes import VIEWPOINTS
from pytest_clip.data.scenes.twoviews import keypoint_pairs, surface, view_pairs
from pytest_clip.metrics import correspondence
from pytest_clip.plugin.suites import SUITES

SOME = slice(0, 114, 8)
MODEL = """
    from pathlib import Path
    from pytest_clip.models import dense, openclip
    from pytest_clip.models.spec import parse

    def model():
        return openclip.load(parse("scenes-rn"), device="cpu", cache_dir=Path(__file__).parent / "models")
"""
GOOD = (
    MODEL
    + """
    def pytest_clip_make_model(spec, config):
        return model()
"""
)
SHUFFLED = (
    MODEL
    + """
    import torch

    def pytest_clip_make_model(spec, config):
        whole, broken = model(), model()

        def shuffled(images, *, layer):
            '''The features of every place, each at another place of its own picture.'''
            maps = dense.dense_features(whole, images, layer=2)
            orders = [torch.randperm(64, generator=torch.Generator().manual_seed(int(1e4 * abs(float(x.sum()))))) for x in images]
            return torch.stack([m.flatten(1)[:, order].view_as(m) for m, order in zip(maps, orders)])

        broken.dense_features = shuffled
        broken.fingerprint = "5" * 16  # maps are kept by it
        return broken
"""
)
WITHOUT = """
    class Ours:
        label, fingerprint, precision, device = "ours", "0123456789abcdef", "fp32", "cpu"
        logit_scale, logit_bias, image_size, facts = 50.0, None, (64, 64), {}

    def pytest_clip_make_model(spec, config):
        return Ours()
"""


@pytest.fixture(scope="module")
def suite():
    spec = importlib.util.spec_from_file_location("correspondence_suite", SUITES / "test_correspondence.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scenes():
    """First scenes, second scenes and truth of a few pairs of every set."""
    data = load("scenes")

    def of(name):
        images, base = data.images(name), data.images("clean").scenes
        first, second = tuple(base[row] for row in images.pairs[SOME]), images.scenes[SOME]
        return first, second, keypoint_pairs(first, second) if name == "instances" else view_pairs(first, second)

    return {name: of(name) for name in (*VIEWPOINTS, "instances")}


def coordinates(scenes):
    """The object's own coordinates as features, [n, 4, 64, 64], and a constant to make directions of them: all a model could know."""
    points = np.nan_to_num(surface(scenes), nan=9.0).transpose(0, 3, 1, 2)
    return np.concatenate([points, np.full_like(points[:, :1], 2.0)], axis=1)


def recalls(suite, scenes, features):
    """{set: (recall in pixels, in distance)} of features that a function makes of scenes."""
    out = {}
    for name in VIEWPOINTS:
        first, second, truth = scenes[name]
        each = [suite.found_again(*pair) for pair in zip(truth, features(first), features(second), strict=True)]
        out[name] = tuple(
            np.mean([[correspondence.recall(pair[unit][way], threshold=reach) for way in range(3)] for pair in each], axis=0)
            for unit, reach in (("px", suite.PIXELS), ("distance", suite.DISTANCE))
        )
    return out


def test_the_coordinates_of_the_object_find_every_point(suite, scenes):
    for px, distance in recalls(suite, scenes, coordinates).values():
        assert px[0] > 0.99
        assert distance[0] > 0.99


def test_random_features_score_what_is_called_chance(suite, scenes):
    rng = np.random.default_rng(0)
    for px, distance in recalls(suite, scenes, lambda some: rng.normal(size=(len(some), 8, 64, 64))).values():
        for ours, chance, _ in (px, distance):
            assert 0.04 < chance < 0.1
            assert ours == pytest.approx(chance, abs=0.025)


def test_the_same_place_is_a_bad_answer(suite, scenes):
    """Partners stand elsewhere in the frame; features of the place alone must not pass."""
    axis = np.linspace(-1, 1, 64)
    place = np.stack([*np.meshgrid(axis, axis), np.full((64, 64), 2.0)])
    for name, (px, distance) in recalls(suite, scenes, lambda some: np.stack([place] * len(some))).items():
        assert px[2] < 0.25, name
        assert px[0] < 0.3, name
        assert distance[2] < 0.25, name


def test_without_a_turn_any_features_find_every_point(suite, scenes):
    first, *_ = scenes["viewpoint-0-15"]
    features = np.random.default_rng(0).normal(size=(8, 64, 64))
    for pair in view_pairs(first[:3], first[:3]):
        again = suite.found_again(pair, features, features)
        assert all((again[unit][0] == 0).all() or again[unit][0].max() < 1e-3 for unit in ("px", "distance"))


def test_landmarks_that_are_marked_are_found_and_random_ones_by_chance(suite, scenes):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0.5:128:2, 0.5:128:2]

    def marks(places):
        """One channel for each landmark, high where it is, and one for all other places."""
        far = np.hypot(x - places[:, 0, None, None], y - places[:, 1, None, None])
        return np.concatenate([np.exp(-((far / 4) ** 2)), np.full((1, 64, 64), 0.1)])

    for pair in scenes["instances"][2]:
        gaps = np.linalg.norm(pair.second[:, None] - pair.second[None], axis=2) + 1e3 * np.eye(len(pair.second))
        alone = gaps.min(1) > 8
        found, chance, *_ = suite.landmarks_of(pair, marks(pair.first), marks(pair.second))
        assert found[alone].all()
        assert chance == pytest.approx(np.pi * (0.1 * max(pair.box)) ** 2 / 128**2, rel=0.35)  # a disc, where it lies inside the picture
    noise = [suite.landmarks_of(pair, *rng.normal(size=(2, 16, 64, 64))) for pair in scenes["instances"][2]]
    assert np.concatenate([found for found, *_ in noise]).mean() < 0.08


def failed(rows):
    return {gate for gate, row in rows.items() if row["verdict"] not in ("pass", "unjudged", "not_measured")}


RUN = ("--clip-model=RN50", "--clip-limit=190")
ALLOW = ("-o", "clip_unjudged=allow")  # what cannot be measured is asked for here


@pytest.mark.slow
def test_a_good_model_finds_less_the_farther_the_camera_goes(measure):
    status, rows, output = measure(*RUN, "--clip-suite=correspondence", conftest=GOOD)
    assert status == 0, output
    assert len(rows) == 10
    for metric in ("recall_px", "recall_distance"):
        values = [rows[f"correspondence/{metric}[{name}]"]["value"] for name in VIEWPOINTS]
        assert values == sorted(values, reverse=True)
        assert values[0] > 2 * values[-1]
    for row in rows.values():
        facts = SimpleNamespace(**row["conventions"])
        assert row["value"] > 2 * max(facts.chance, facts.same_place)
        assert (facts.layer, facts.grid, facts.channels) == (2, "8x8", 128)
        assert row["ci"][0] < row["value"] < row["ci"][1]
        assert 90 <= row["n"] <= 114


@pytest.mark.slow
def test_shuffled_features_fail_correspondence_and_nothing_else(measure):
    status, rows, output = measure(*RUN, "--clip-suite=correspondence,checkpoint,accuracy", conftest=SHUFFLED)
    assert status == 1
    assert failed(rows) == {gate for gate in rows if gate.startswith("correspondence/")}, output
    for row in rows.values():
        if row["gate"].startswith("correspondence/recall"):
            assert row["value"] == pytest.approx(row["conventions"]["chance"], abs=0.03)


def test_the_ini_key_chooses_the_layer(measure):
    run = "--clip-model=RN50", "--clip-limit=38", "--clip-suite=correspondence", "-k", "pck_per_image"
    _, rows, output = measure(*run, "-o", "clip_dense_layer=-2", conftest=GOOD)
    told = rows["correspondence/pck_per_image[instances]"]["conventions"]
    assert (told["layer"], told["grid"], told["channels"]) == (3, "4x4", 256), output


def test_a_model_without_dense_features_is_skipped_and_says_what_to_do(measure):
    status, rows, output = measure(*RUN, "--clip-suite=correspondence", "-rs", *ALLOW, conftest=WITHOUT)
    assert status == 0, output
    assert "ours has no dense features" in output
    assert "dense_features(images, *, layer)" in output
    assert {row["verdict"] for row in rows.values()} == {"not_measured"}


def test_data_without_second_views_is_skipped_and_says_why(measure, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "photos" / name / "1.png")
    status, _, output = measure("--clip-model=RN50", "--clip-data=photos", "--clip-suite=correspondence", "-rs", *ALLOW, conftest=WITHOUT)
    assert status == 0, output
    for metric, role in (("recall_px", "viewpoint"), ("pck_per_point", "keypoints")):
        assert f"the data set photos has no image set for correspondence/{metric} (role:{role})" in output
