"""Gates that only some data can answer: kinds that follow depth, and numbers whose yardstick is AlexNet on ImageNet."""

from __future__ import annotations

import pytest

SUITE = """
import pytest

pytestmark = pytest.mark.clip_suite("corruptions_3d")

@pytest.mark.clip_gate("corruptions_3d/accuracy")
def test_accuracy(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.8, n=100)

@pytest.mark.clip_gate("corruptions_3d/mce_unnormalised")
def test_mce_unnormalised(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.2, n=100)
"""
FLAT = """
import pytest

pytestmark = pytest.mark.clip_suite("corruptions")

@pytest.mark.clip_gate("corruptions/largest_rise")
def test_largest_rise(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.0, n=100)

@pytest.mark.clip_gate("corruptions/mce")
def test_mce(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.7, n=100)
"""
ALLOW = ("-o", "clip_unjudged=allow")  # what is asked here is what can be measured
IMAGENET = """
from dataclasses import make_dataclass
from pytest_clip.session import load

Info = make_dataclass("Info", ["name", "role", "n", "imagenet"])
load.image_sets = lambda name: [Info("clean", "clean", 100, name == "imagenet"), Info("other", "shift", 100, True)]
load.doubts = lambda data: {}
"""


def kinds(*names: str, flat: bool = False) -> list[str]:
    return ["-o", f"clip_corruptions{'' if flat else '_3d'}=" + "\n".join(names), "-rs", *ALLOW]


@pytest.fixture
def deep(world):
    world.suites(test_corruptions_3d=SUITE)
    return world


@pytest.fixture
def flat(world):
    world.suites(test_corruptions=FLAT)
    return world


def test_without_depth_only_what_follows_it_is_skipped_each_with_its_reason(deep):
    result = deep.clip("--clip-suite=corruptions_3d", *kinds("fog_3d", "color_quant", "bit_error"))
    result.assert_outcomes(passed=6, skipped=13)  # color_quant and its five severities; twelve of the other two, and the mean over all
    why = "and the data set scenes has no depth maps; put one for each image into *, or have them estimated: --clip-depth-model=*"
    result.stdout.fnmatch_lines([f"SKIPPED [[]6[]] *: fog_3d follows depth, {why}"])
    result.stdout.fnmatch_lines([f"SKIPPED [[]6[]] *: bit_error follows depth, {why}"])
    result.stdout.fnmatch_lines([f"SKIPPED [[]1[]] *: fog_3d, bit_error follow depth, {why}"])


def test_the_list_says_what_is_out_of_reach_and_why(deep):
    listed = deep.clip("--clip-list", "--clip-suite=corruptions_3d", *kinds("fog_3d", "color_quant"))
    listed.stdout.fnmatch_lines(
        [
            "  9 gates out of reach: fog_3d follows depth, and the data set scenes has no depth maps; *",
            "  corruptions_3d/accuracy[[]color_quant-1[]] *",
        ]
    )
    listed.stdout.no_fnmatch_line("  corruptions_3d/accuracy*fog_3d*")


def test_the_rerun_command_names_the_depth_model(deep):
    for file in ("config.json", "preprocessor_config.json", "model.safetensors"):
        (deep.pytester.path / "depth").mkdir(exist_ok=True)
        (deep.pytester.path / "depth" / file).touch()
    deep.project('schema = 1\n[gates."corruptions_3d/accuracy[fog_3d]"]\nmin = 0.9')
    result = deep.clip("--clip-suite=corruptions_3d", "--clip-depth-model=depth", *kinds("fog_3d"))
    result.stdout.fnmatch_lines([f"  rerun *--clip-depth-model={deep.pytester.path}/depth *"])


def test_kinds_that_need_no_depth_have_a_mean_of_their_own(deep):
    deep.clip("--clip-suite=corruptions_3d", *kinds("low_light", "color_quant")).assert_outcomes(passed=13)


STORED = """
from dataclasses import make_dataclass
from pytest_clip.session import load

Info = make_dataclass("Info", ["name", "role", "n"])
load.image_sets = lambda name: [Info(f"fog_3d-{severity}", "corruption", 100) for severity in range(1, 6)]
"""


def test_corrupted_images_that_lie_on_disk_need_no_depth(deep):
    deep.conftest(STORED)
    deep.clip("--clip-suite=corruptions_3d", "-k", "accuracy", *kinds("fog_3d")).assert_outcomes(passed=6)


def test_a_depth_model_makes_every_kind_possible(deep):
    for file in ("config.json", "preprocessor_config.json", "model.safetensors"):
        (deep.pytester.path / "depth").mkdir(exist_ok=True)
        (deep.pytester.path / "depth" / file).touch()
    deep.clip("--clip-suite=corruptions_3d", "--clip-depth-model=depth", *kinds("fog_3d")).assert_outcomes(passed=7)


def test_a_rule_of_ones_own_for_a_kind_without_depth_is_not_green(deep):
    deep.project('schema = 1\n[gates."corruptions_3d/accuracy[fog_3d-3]"]\nmin = 0.5')
    result = deep.clip("--clip-suite=corruptions_3d", *kinds("fog_3d", "color_quant"))
    result.assert_outcomes(passed=6, skipped=6, errors=1)
    result.stdout.fnmatch_lines(["*rule thresholds.toml:3 was never measured: fog_3d follows depth*"])


DEEP = """
from dataclasses import make_dataclass
from pytest_clip.session import load

Info = make_dataclass("Info", ["name", "role", "n", "depth"])
load.image_sets = lambda name: [Info("clean", "clean", 100, True)]
"""


def test_shipped_bounds_of_a_mean_are_those_of_the_default_kinds(deep):
    deep.conftest(DEEP)
    deep.defaults('schema = 1\n[gates."corruptions_3d/mce_unnormalised"]\nmax = 0.1')
    deep.clip("--clip-suite=corruptions_3d", *ALLOW).assert_outcomes(passed=36, failed=1)
    chosen = kinds("fog_3d", "color_quant")
    deep.clip("--clip-suite=corruptions_3d", *chosen, *ALLOW).assert_outcomes(passed=13)
    deep.project('schema = 1\n[gates."corruptions_3d/mce_unnormalised"]\nmax = 0.15')
    deep.clip("--clip-suite=corruptions_3d", *chosen, *ALLOW).assert_outcomes(passed=12, failed=1)


ALL = (
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow", "frost", "fog",
    "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip


def test_data_that_is_not_imagenet_has_no_normalised_error_and_no_line_about_it(flat):
    result = flat.clip("--clip-suite=corruptions", "-v", "-rs", *ALLOW)
    result.assert_outcomes(passed=15)
    assert "mce" not in result.stdout.str()
    flat.clip("--clip-list", "--clip-suite=corruptions").stdout.no_fnmatch_line("*corruptions/mce *")


FILES = """
from dataclasses import make_dataclass
from pytest_clip.session import load
from pytest_clip.views import catalog as views

Info = make_dataclass("Info", ["name", "role", "n", "imagenet"])
stored = [Info(name, "corruption", 100, True) for name in views.steps(views.IMAGENET_C)]
load.image_sets = lambda name: stored if name == "imagenet" else [Info("clean", "clean", 100, False)]
load.doubts = lambda data: {}
"""
MEMORY = "mce is over errors of AlexNet on the files of ImageNet-C, and corruptions made in memory are not these files*"


def test_the_files_of_imagenet_c_have_it_when_all_kinds_are_there(flat):
    flat.conftest(FILES)
    result = flat.clip("--clip-suite=corruptions", "--clip-data=imagenet", "-v", "-rs", *ALLOW)
    result.assert_outcomes(passed=16)
    result.stdout.fnmatch_lines(["*imagenet-corruptions/mce* PASSED*"])
    flat.clip("--clip-list", "--clip-suite=corruptions", "--clip-data=imagenet").stdout.fnmatch_lines(["*corruptions/mce *"])
    fewer = flat.clip("--clip-suite=corruptions", "--clip-data=imagenet", *kinds(*ALL[:13], flat=True))
    fewer.assert_outcomes(passed=13, skipped=1)
    fewer.stdout.fnmatch_lines(["*mce is a mean over 15 kinds; the ini key clip_corruptions leaves out pixelate, jpeg_compression"])


def test_corruptions_made_in_memory_are_not_held_against_errors_on_files(flat):
    flat.conftest(IMAGENET)
    result = flat.clip("--clip-suite=corruptions", "--clip-data=imagenet", "-v", "-rs", *ALLOW)
    result.assert_outcomes(passed=15, skipped=1)
    result.stdout.fnmatch_lines([f"*{MEMORY}; put them into imagenet/imagenet-c/, or read mce_unnormalised"])
    listed = flat.clip("--clip-list", "--clip-suite=corruptions", "--clip-data=imagenet").stdout
    listed.fnmatch_lines([f"  1 gate out of reach: {MEMORY}"])
    listed.no_fnmatch_line("  corruptions/mce *")


def test_a_rule_of_ones_own_for_it_is_not_green_in_memory(flat):
    flat.conftest(IMAGENET)
    flat.project('schema = 1\n[data.imagenet.gates."corruptions/mce"]\nmax = 0.9')
    result = flat.clip("--clip-suite=corruptions", "--clip-data=imagenet")
    result.assert_outcomes(passed=15, errors=1)
    result.stdout.fnmatch_lines([f"*was never measured: {MEMORY}"])


def test_of_two_data_sets_only_the_files_have_it(flat):
    flat.conftest(FILES)
    result = flat.clip("--clip-suite=corruptions", "--clip-data=imagenet", "--clip-data=scenes", *kinds("fog", flat=True), "-v")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*imagenet-corruptions/mce* SKIPPED*"])
    result.stdout.no_fnmatch_line("*scenes-corruptions/mce*")
