"""Cue-conflict stimuli and outlines: 16 answers by mean probability over the classes of ImageNet."""

import family
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load
from pytest_clip.data.imagenet import facts
from pytest_clip.metrics.intervals import wilson

GROUPS = facts.groups("cue_conflict")
OF = {name: members[0] for name, members in GROUPS.items()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    shapes = list(GROUPS)
    stimuli = []
    for k, shape in enumerate(shapes):
        texture = shapes[(k + 1) % 16]
        stimuli += [(shape, texture, OF[shape], None)] * (k < 6)  # 6 decided for the shape
        stimuli += [(shape, texture, OF[texture], None)] * (6 <= k < 10)  # 4 for the texture
        stimuli += [(shape, texture, OF[shapes[(k + 5) % 16]], None)] * (k >= 10)  # 6 for neither
        stimuli += [(shape, shape, OF[shape], None)]
    # One breed of dog is likelier than the oven, but a dog in the mean of 109 breeds is not.
    stimuli += [("oven", "dog", GROUPS["dog"][5], OF["oven"])]
    family.cues(root / "cue-conflict", stimuli)
    for k, name in enumerate(shapes):
        family.draw(root / "filled-silhouettes" / name / "1.png", OF[name] if k < 8 else OF[shapes[0]])
        family.draw(
            root / "edge" / "dnn" / "session-1" / f"{k:04d}_edge_dnn_0_{name}_10_{name}1.png", OF[name] if k < 12 else OF[shapes[0]]
        )
    return root


def test_shape_bias_is_by_mean_probability(project, measure, tree):
    project.makeconftest(family.CONFTEST)
    rows, result = measure(tree, "--clip-prompts=single", suites="shape_bias", model="cool")
    assert result.ret == 0
    bias = rows["shape_bias/shape_bias[cue_conflict]"]
    assert (bias["value"], bias["n"]) == (pytest.approx(7 / 11), 11)
    assert rows["shape_bias/decided_fraction[cue_conflict]"]["value"] == pytest.approx(11 / 17)
    assert bias["conventions"]["answers"] == "16 from 207 of 1000 classes: mean probability of its members, softmax over all classes"
    assert (rows["shape_bias/accuracy[cue_matched]"]["value"], rows["shape_bias/accuracy[cue_matched]"]["n"]) == (1.0, 16)
    # file n is the n-th exemplar of both, so every image stands alone
    assert bias["conventions"]["exemplars"] == {"shape": 11, "texture": 11}
    assert bias["conventions"]["interval"] == "clustered by both"
    low, high = wilson(7, 11)
    assert bias["ci"][0] < low < high < bias["ci"][1]  # Student's t of 10
    assert rows["shape_bias/accuracy[cue_silhouettes]"]["conventions"]["exemplars"] == "not known: images count as independent"
    assert rows["shape_bias/accuracy[cue_silhouettes]"]["value"] == 8 / 16
    assert rows["shape_bias/accuracy[cue_edges]"]["value"] == 12 / 16
    assert "shape_bias/drop[cue_conflict]" not in rows  # the matched stimuli show other objects


def test_a_model_that_sees_nothing_has_no_bias(project, measure, tmp_path):
    shapes = list(GROUPS)
    family.cues(tmp_path / "cue-conflict", [(s, t, OF["truck"], None) for s, t in zip(shapes, [*shapes[1:], shapes[0]], strict=True)])
    family.cues(tmp_path / "cue-conflict", [(s, s, OF["truck"], None) for s in shapes])
    project.makeconftest(family.CONFTEST)
    rows, _ = measure(tmp_path, "--clip-prompts=single", "-k", "shape_bias", suites="shape_bias", model="knower")
    assert rows["shape_bias/shape_bias[cue_conflict]"]["value"] is None
    assert "is not above chance (0.062)" in rows["shape_bias/shape_bias[cue_conflict]"]["reason"]


def test_stimuli_lie_where_their_repository_has_them(tmp_path):
    root = tmp_path / "texture-vs-shape" / "stimuli" / "style-transfer-preprocessed-512"
    family.cues(root, [("cat", "dog", 281, None), ("dog", "cat", 281, None)])
    for folder in (root, root.parent, tmp_path / "texture-vs-shape" / "stimuli"):
        [found] = layouts.find(str(folder))
        assert found.parts["cue"] == root
    images = load(str(root)).images("cue_conflict")
    assert dict(zip(images.ids, zip(images.attributes["shape"], images.attributes["look"], strict=True), strict=True)) == {
        "cat/cat1-dog1.png": ("cat", "dog"), "dog/dog2-cat2.png": ("dog", "cat"),
    }  # fmt: skip
    exemplars = zip(images.attributes["shape_exemplar"], images.attributes["look_exemplar"], strict=True)
    assert dict(zip(images.ids, exemplars, strict=True)) == {
        "cat/cat1-dog1.png": ("cat1", "dog1"), "dog/dog2-cat2.png": ("dog2", "cat2"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["cat1.png", "dog1-cat1.png", "cat1-lion1.png"])
def test_a_stimulus_with_another_name_is_refused(tmp_path, name):
    family.cues(tmp_path / "cue-conflict", [("dog", "cat", 1, None)])
    family.draw(tmp_path / "cue-conflict" / "cat" / name, 1)
    with pytest.raises(ClipError, match=rf"cat/{name}: a stimulus is called cat1-airplane2\.png"):
        catalog.sets(str(tmp_path))


def test_a_trial_with_another_name_is_refused(tmp_path):
    family.cues(tmp_path / "cue-conflict", [("dog", "cat", 1, None), ("cat", "dog", 1, None)])
    family.draw(tmp_path / "edge" / "dnn" / "session-1" / "0001_edge.png", 1)
    with pytest.raises(ClipError, match="its fifth field is not one of airplane, bear"):
        catalog.sets(str(tmp_path))
