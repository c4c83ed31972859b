"""A model of class scores through all that is measured on class scores, and past what needs texts or cosines."""

import family
import pytest

from pytest_clip.data.imagenet import facts

CONFTEST = (
    family.CONFTEST
    + """
import torch
from open_clip import IMAGENET_CLASSNAMES

class Scorer:
    \"\"\"What the Knower sees, times its logit scale, one score for each class of ImageNet.\"\"\"

    names = tuple(name.upper().replace(" ", "_") for name in IMAGENET_CLASSNAMES)
    fingerprint, precision, device, image_size = "fedcba9876543210", "fp32", "cpu", (8, 8)

    def __init__(self, knower):
        self._knower, self.label, self.facts = knower, "scorer", {}

    def preprocess(self, image):
        return self._knower.preprocess(image)

    def class_scores(self, images):
        return self._knower.logit_scale * self._knower.encode_image(images)[:, family.SHOWN]

def pytest_clip_make_model(spec, config):
    knower = family.Knower(spec.text, logit_scale=10.0)
    return Scorer(knower) if spec.text == "scorer" else knower
"""
)
RULES = "schema = 1\n" + "".join(f'[gates."{gate}"]\nmin = 0.1\nwhy = "test"\n' for gate in ("accuracy/top1", "shape_bias/shape_bias"))
GROUPS = facts.groups("cue_conflict")


@pytest.fixture(scope="module")
def cues(tmp_path_factory):
    """Merged classes: 16 shapes with the texture of the next, two thirds of them decided for the shape."""
    root = tmp_path_factory.mktemp("cues")
    shapes = list(GROUPS)
    stimuli = [(shape, shape, GROUPS[shape][0], None) for shape in shapes]
    for k, shape in enumerate(shapes):
        texture = shapes[(k + 1) % 16]
        stimuli.append((shape, texture, GROUPS[shape if k % 3 else texture][0], None))
    family.cues(root / "cue-conflict", stimuli)
    return root


@pytest.fixture(scope="module")
def subsets(tmp_path_factory):
    """Fewer classes: the validation set, and the 200 of ImageNet-A with pictures that also show a class which is not asked for."""
    root = tmp_path_factory.mktemp("imagenet")
    family.whole(root / "val", wrong=range(100))
    family.subset(root / "imagenet-a", facts.maps()["imagenet_a"], wrong=20)
    return root


def values(rows):
    return {gate: (row["value"], row["n"]) for gate, row in rows.items() if row["value"] is not None}


def test_merged_classes_are_answered_as_by_a_dual_encoder_that_sees_alike(project, measure, cues):
    project.makeconftest(CONFTEST)
    wanted, _ = measure(cues, "--clip-prompts=single", suites="shape_bias", rules=RULES, model="cool")
    rows, result = measure(cues, suites="shape_bias", rules=RULES, model="scorer")
    assert result.ret == 0
    assert values(rows) == values(wanted)
    assert rows["shape_bias/shape_bias[cue_conflict]"]["value"] == pytest.approx(10 / 16)


def test_fewer_classes_too_and_what_needs_texts_is_skipped_with_the_reason(project, measure, subsets):
    project.makeconftest(CONFTEST)
    suites = "accuracy,calibration,retrieval,prompts"
    rows, result = measure(subsets, "-rs", suites=suites, rules=RULES, model="scorer")
    assert result.ret == 0
    measured = {gate: row["value"] for gate, row in rows.items() if row["value"] is not None}
    assert measured["accuracy/top1[clean]"] == pytest.approx(0.9, abs=0.005)
    assert measured["accuracy/top1[shift_a]"] == pytest.approx(0.9, abs=0.005)
    assert not [gate for gate in measured if gate.startswith(("retrieval", "prompts"))]
    skipped = [line for line in result.outlines if line.startswith("SKIPPED") and "prompts: what needs them" in line]
    assert len(skipped) == 1, result.outlines
    assert "scorer scores classes: it has no texts and no cosines" in skipped[0]


def test_other_classes_are_refused_once(project, measure, tmp_path):
    project.makeconftest(CONFTEST)
    for k, name in enumerate(("goldfish", "hammerhead-shark", "my own thing")):
        family.draw(tmp_path / "own" / name / "1.png", k)
    rows, result = measure(tmp_path / "own", suites="accuracy", rules=RULES, model="scorer")
    assert result.ret == 1
    text = result.stdout.str()
    assert text.count("scorer scores 1000 classes, and 1 of the 3 classes of") == text.count("is none of them: 'my own thing'") >= 1
    assert [row["verdict"] for row in rows.values()].count("fail") <= 1
