"""Which gates data has, by what is known of its image sets."""

import pytest

from pytest_clip.data.catalog import SetInfo
from pytest_clip.gates.catalog import expand


def gates(metric, *sets, **how):
    return [str(gate) for gate in expand(metric, sets, **how)]


CLEAN = SetInfo("clean", "clean", 10)


@pytest.mark.parametrize(
    ("metric", "sets", "expected"),
    [
        ("accuracy/top1", [SetInfo("test", "captions", 5, labelled=False, captions=True)], []),
        ("retrieval/image_retrieval_recall_at_1", [CLEAN], []),
        ("checkpoint/alignment", [SetInfo("test", "captions", 5, labelled=False, captions=True)], []),
        ("factors/drop", [CLEAN, SetInfo("pose", "factor", 5)], []),
        ("factors/error_ratio", [CLEAN, SetInfo("pose", "factor", 5)], ["factors/error_ratio[pose]"]),
        ("factors/worst_accuracy", [CLEAN], []),
        ("factors/worst_drop", [CLEAN, SetInfo("pose", "factor", 5)], []),
        ("factors/worst_drop", [CLEAN, SetInfo("pose", "factor", 5, paired=True)], ["factors/worst_drop"]),
        ("ood/auroc", [SetInfo("sun", "ood", 5)], []),
        ("accuracy/effective_robustness", [CLEAN, SetInfo("shift_r", "shift", 5, line="imagenet-r")], []),
        ("calibration/ece", [CLEAN, SetInfo("pm10_vid", "sequence", 5)], ["calibration/ece[clean]"]),
        ("accuracy/top1", [CLEAN, SetInfo("pm10_vid", "sequence", 5)], ["accuracy/top1[clean]", "accuracy/top1[pm10_vid]"]),
    ],
)
def test_what_data_lacks(metric, sets, expected):
    assert gates(metric, *sets) == expected


def test_effective_robustness_needs_imagenet_and_a_published_line():
    clean = SetInfo("clean", "clean", 10, imagenet=True)
    lined, other = SetInfo("shift_r", "shift", 5, line="imagenet-r"), SetInfo("shift_d_material", "shift", 5)
    assert gates("accuracy/effective_robustness", clean, lined, other) == ["accuracy/effective_robustness[shift_r]"]


def test_absent_sets_have_gates_only_when_asked_for():
    sets = (CLEAN, SetInfo("shift_r", "shift", 0, absent="put it there"))
    assert gates("accuracy/top1", *sets) == ["accuracy/top1[clean]"]
    assert gates("accuracy/top1", *sets, absent=True) == ["accuracy/top1[clean]", "accuracy/top1[shift_r]"]


def test_corruptions_on_disk_are_the_slices():
    stored = [SetInfo(f"fog-{s}", "corruption", 5, imagenet=True) for s in range(1, 6)] + [SetInfo("snow-2", "corruption", 5)]
    names = ["snow-2", *(f"fog-{severity}" for severity in range(1, 6)), "fog"]
    assert gates("corruptions/accuracy", *stored) == [f"corruptions/accuracy[{name}]" for name in names]
    assert gates("corruptions_3d/accuracy", *stored) == []
    assert gates("corruptions/relative_mce", *stored) == []
    assert gates("corruptions/relative_mce", *stored, SetInfo("uncorrupted", "reference", 5)) == ["corruptions/relative_mce"]


def test_portraits_are_corrupted_where_there_are_portraits_and_never_taken_for_files_on_disk():
    kinds = ("gaussian_noise", "motion_blur", "snow", "contrast", "elastic_transform")
    for metric in ("corruptions/studio_accuracy", "corruptions/studio_relative_robustness"):
        assert gates(metric, CLEAN, SetInfo("studio", "slice", 190)) == [f"{metric}[{kind}-3]" for kind in kinds]
        assert gates(metric, CLEAN) == []
        assert gates(metric, CLEAN, *(SetInfo(f"{kind}-3", "corruption", 5) for kind in kinds)) == []
