"""The project's hook is asked before any name is refused, whatever the name looks like."""

from __future__ import annotations

import pytest

REFUSED = {
    "hf:mine": "hf:mine: there is no folder",
    "hf:": "has nothing after the colon",
    "org/name": "open_clip knows no architecture 'org-name'; if org/name is a repository of Hugging Face",
    "ours:v1@3": "names no model",
    "hf-hub:mine": "is not a Hugging Face repository",
    "hf-hub:": "has nothing after the colon",
    "local-dir:nowhere": "there is no folder",
    "local-dir:": "has nothing after the colon",
    "run:nowhere": "is no folder; write run:DIR",
    "run:nowhere,best": "'best' is no epoch",
    "run:nowhere,all": "is no folder; write run:DIR",
    "run:": "has nothing after the colon",
    "mine.json": "is a configuration without weights",
    "mine.json,nowhere.pt": "there is no configuration mine.json",
    "wise:a::b": "is not wise:BASE::TUNED::ALPHA",
    "wise:a::b::0:9:1": "must go upwards between 0 and 1",
    "wise:timm:a::b::0.5": "is a model of the kind timm",
    "timm:": "names no model",
    "photo-lite0,mine.pt": "brings its own weights",
    "scenes-rn,nowhere.pt": "there is no checkpoint",
    "epoch_7.pt": "is a checkpoint without its architecture",
    "ViT-B-32,": "has nothing after the comma",
    "ViT-B-32,nowhere": "is neither a tag of ViT-B-32 nor a file",
    "ViT-Z-99": "open_clip knows no architecture 'ViT-Z-99'",
}
"""A name that pytest-clip cannot build, for each notation, and what it says of it where there is no hook."""


@pytest.fixture
def quick(world):
    """One item a model."""
    world.suites(
        test_ood="""
            import pytest

            @pytest.mark.clip_gate("ood/auroc")
            def test_auroc(gate, clip_case, clip_model, clip_data):
                gate(clip_case.gate, 0.75, n=150)
        """
    )
    return world


def test_the_hook_is_asked_first(quick):
    result = quick.run(*(f"--clip-model={text}" for text in REFUSED), "--clip-suite=ood")
    result.assert_outcomes(passed=len(REFUSED))
    assert sorted(quick.loads) == sorted(REFUSED)


def test_the_hook_is_asked_first_by_workers(quick):
    result = quick.run_process("-p", "xdist", "-n", "1", *(f"--clip-model={text}" for text in REFUSED), "--clip-suite=ood")
    result.assert_outcomes(passed=len(REFUSED))
    assert sorted(set(quick.loads)) == sorted(REFUSED)


def test_pretrained_and_baseline_names_are_the_hooks_too(quick):
    """In a process of its own: a baseline needs numpy, which a process loads once."""
    result = quick.run_process("--clip-model=run:nowhere", "--clip-pretrained=v3", "--clip-baseline-model=hf:mine", "--clip-suite=ood")
    assert result.ret == 0
    assert sorted(set(quick.loads)) == ["hf:mine", "run:nowhere,v3"]


def test_what_no_file_system_takes_is_refused_all_the_same(quick):
    result = quick.run("--clip-model=hf:a\nb", "--clip-suite=ood")
    result.stderr.fnmatch_lines(["*holds '\\n', which no name of a model or file should*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_without_a_hook_each_is_refused_before_anything_runs(quick):
    conftest = quick.pytester.path / "conftest.py"
    conftest.write_text(conftest.read_text().partition("def pytest_clip_make_model")[0])
    result = quick.run(*(f"--clip-model={text}" for text in REFUSED), "--clip-suite=ood")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = str(result.stderr)
    assert [text for text, message in REFUSED.items() if message not in said] == []
    assert quick.loads == []
    listed = quick.run("--clip-list", "--clip-model=ours:mine")
    assert listed.ret == pytest.ExitCode.USAGE_ERROR


def test_a_hook_that_leaves_a_name_to_us_gets_our_sentence(quick):
    conftest = quick.pytester.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace("return stub_world", "return None and stub_world"))
    result = quick.run("--clip-model=ours:mine", "--clip-suite=ood")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*--clip-model='ours:mine' names no model; write NAME*"])
    assert "Traceback" not in str(result.stdout)
