"""The shape bias suite on a model that sees shape, on one that sees nothing but texture and colour, and on one that sees neither."""

import pytest

TEXTURES_ONLY = """
    import hashlib

    import numpy as np
    import torch
    from pytest_clip.data.scenes.appearance import TYPICAL
    from pytest_clip.data.scenes.render import render_rgb
    from pytest_clip.data.scenes.sets import scene_set


    def histogram(pixels):
        '''Share of each of 6 x 6 x 6 colours among the pixels [h, w, 3] that are not the wall, as a unit vector; where they lie is lost.'''
        flat = pixels.reshape(-1, 3).astype(int)
        flat = flat[np.abs(flat - flat[0]).max(1) > 24]
        bins = (flat // 43) @ (36, 6, 1)
        counts = np.sqrt(np.bincount(bins, minlength=216) + 1e-3)
        return counts / np.linalg.norm(counts)


    class TexturesOnly:
        label, precision, device = "textures-only", "fp32", "cpu"
        fingerprint, logit_scale, logit_bias, image_size, facts = "0123456789abcdef", 50.0, None, (128, 128), {}

        def __init__(self):
            # What each look looks like, learned from the last images of cue_matched, which a limited run does not test.
            learned = scene_set("cue_matched").scenes[-95:]
            seen = {}
            for scene, pixels in zip(learned, render_rgb(learned).numpy()):
                seen.setdefault(scene.cls, []).append(histogram(pixels))
            self.looks = {name: np.mean(found, 0) / np.linalg.norm(np.mean(found, 0)) for name, found in seen.items()}

        def preprocess(self, image):
            return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float()

        def encode_image(self, images):
            return torch.from_numpy(np.stack([histogram(i.permute(1, 2, 0).numpy()) for i in images])).float()

        def encode_text(self, texts):
            return torch.from_numpy(np.stack([next(v for k, v in self.looks.items() if k in t) for t in texts])).float()


    def pytest_clip_make_model(spec, config):
        return TexturesOnly()
"""
RUN = ("--clip-suite=shape_bias", "--clip-limit=190")


def verdicts(rows):
    return {gate.split("/")[1].split("[")[0]: row["verdict"] for gate, row in rows.items()}


def test_the_bundled_model_names_shapes(measure):
    status, rows, output = measure("--clip-model=scenes-rn", *RUN)
    assert status == 0, output
    bias = rows["shape_bias/shape_bias[cue_conflict]"]
    assert bias["value"] > 0.9
    per_class = bias["conventions"]["per_class"]
    assert len(per_class) == 19
    decided = sum(k["shape"] + k["texture"] for k in per_class.values())
    conflicts = sum(k["n"] for k in per_class.values())
    assert bias["n"] == decided
    assert rows["shape_bias/decided_fraction[cue_conflict]"]["value"] == pytest.approx(decided / conflicts)
    assert bias["value"] == pytest.approx(sum(k["shape"] for k in per_class.values()) / decided)
    low, high = bias["ci"]
    assert low < bias["value"] <= high


def test_a_texture_only_model_fails_shape_bias_and_nothing_else_that_it_can_pass(measure):
    """It recognises the looks (so the matched scenes) and decides the conflicts, always for the look."""
    status, rows, output = measure("--clip-model=textures-only", *RUN, conftest=TEXTURES_ONLY)
    assert status == 1
    assert verdicts(rows) == {"shape_bias": "fail", "decided_fraction": "pass", "accuracy": "pass", "drop": "unjudged"}, output
    assert rows["shape_bias/shape_bias[cue_conflict]"]["value"] < 0.1
    assert rows["shape_bias/accuracy[cue_matched]"]["value"] > 0.5
    assert rows["shape_bias/drop[cue_conflict]"]["value"] > 0.5


@pytest.mark.slow
def test_a_texture_only_model_is_good_where_texture_is_right(measure):
    """Elsewhere it is at chance, and any suite that needs clean accuracy says so."""
    _, rows, output = measure(
        "--clip-model=textures-only", "--clip-suite=accuracy", "-k", "typical", "--clip-limit=190", conftest=TEXTURES_ONLY
    )
    assert rows["accuracy/top1[typical]"]["verdict"] == "pass", output
    assert rows["accuracy/top1[typical]"]["value"] > 0.3


def test_a_model_that_sees_neither_has_no_shape_bias(measure):
    status, rows, output = measure("--clip-model=scenes-rn,random", *RUN)
    assert status == 1
    bias = rows["shape_bias/shape_bias[cue_conflict]"]
    assert (bias["value"], bias["verdict"]) == (None, "fail")
    assert "cue_matched: top-1" in bias["reason"], output
    assert "not above chance" in bias["reason"]
    assert rows["shape_bias/drop[cue_conflict]"]["value"] is None
    assert verdicts(rows)["accuracy"] == "fail"
