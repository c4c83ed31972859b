"""Which tests run: the shipped suites wherever the plugin is installed, whole, and nothing else unless it is asked for."""

from __future__ import annotations

import pytest

ALL = [
    "suites/test_accuracy.py::test_top1[stub-scenes-accuracy/top1[clean]]",
    "suites/test_accuracy.py::test_top1[stub-scenes-accuracy/top1[shift_far]]",
    "suites/test_accuracy.py::test_top5[stub-scenes-accuracy/top5[clean]]",
    "suites/test_accuracy.py::test_top5[stub-scenes-accuracy/top5[shift_far]]",
    "suites/test_ood.py::test_auroc[stub-scenes-ood/auroc[near]]",
]


def ids(result: pytest.RunResult) -> list[str]:
    """Of ``--collect-only -q`` and of ``-v``."""
    return list(
        dict.fromkeys(line.partition(" ")[0] for line in result.outlines if "::test_" in line and (" " not in line or "PASSED" in line))
    )


def collect(world, *args: str) -> list[str]:
    return ids(world.clip("--collect-only", "-q", *args))


def test_without_paths_the_suites_run_and_nothing_else(world):
    world.pytester.makepyfile(test_own="def test_own(): raise AssertionError")
    world.pytester.makeini("[pytest]\ntestpaths = test_own.py")
    assert collect(world) == ALL
    world.clip().assert_outcomes(passed=5)


@pytest.mark.parametrize("addopts", ["test_own.py", "--pyargs test_own.py"])
def test_paths_in_addopts_do_not_add_tests(world, addopts):
    world.pytester.makepyfile(test_own="def test_own(): pass")
    world.pytester.makeini(f"[pytest]\naddopts = {addopts}")
    assert collect(world) == ALL


def test_a_model_in_the_ini_file_does_not_replace_the_projects_own_tests(world):
    world.pytester.makepyfile(test_own="def test_own(clip_model): assert clip_model.label == 'stub'")
    world.pytester.makeini("[pytest]\nclip_model = stub\ntestpaths = test_own.py")
    result = world.run("-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["clip: *; model stub; data scenes; device auto; rules defaults + thresholds.toml"])
    assert ids(world.run("--co", "-q", "--clip-suite=all")) == ALL


def test_paths_are_run_as_given_and_get_suites_only_when_asked(world):
    world.pytester.makepyfile(test_own="def test_own(): pass")
    assert collect(world, "test_own.py") == ["test_own.py::test_own"]
    assert collect(world, "test_own.py", "--clip-suite=ood") == ["test_own.py::test_own", ALL[-1]]


def test_suites_are_chosen_by_name(world):
    assert collect(world, "--clip-suite=accuracy") == ALL[:4]
    assert collect(world, "--clip-suite=ood,accuracy") == ALL
    assert collect(world, "--clip-suite=ood", "--clip-suite=accuracy") == ALL


def test_the_folder_of_the_suites_gives_the_same_ids(world, monkeypatch):
    """``pytest suites/`` in the repository, ``pytest`` without paths, and the folder of an installed package."""
    assert collect(world, str(world.home / "suites")) == ALL
    monkeypatch.chdir(world.home)
    assert collect(world, "suites") == ALL
    (world.home / "conftest.py").write_text("def pytest_clip_make_model(spec, config): ...")  # else a model called stub is refused
    assert collect(world) == ALL


def test_the_id_that_a_report_prints_can_be_run_from_anywhere(world):
    assert collect(world, ALL[-1]) == [ALL[-1]]
    assert collect(world, "suites/test_accuracy.py") == ALL[:4]


HOSTILE = {
    "python_files": "python_files = check_*.py",
    "python_functions": "python_functions = check",
    "python_classes": "python_classes = Check",
    "markers": "addopts = -m 'not slow' --strict-markers --strict-config\nmarkers = slow",
    **({"strict": "strict = true"} if pytest.version_tuple >= (9,) else {}),
    "warnings": "filterwarnings = error",
    "importlib": "addopts = --import-mode=importlib",
    "doctest": "addopts = --doctest-modules",
    "testpaths": "testpaths = .",
    "norecursedirs": "norecursedirs = suites *",
}


@pytest.mark.parametrize("ini", HOSTILE.values(), ids=HOSTILE)
def test_settings_of_the_project_leave_the_suites_whole(world, ini):
    world.suites(
        test_ood="""
            import warnings
            import pytest

            @pytest.mark.clip_gate("ood/auroc")
            def test_auroc(gate, clip_case, clip_model, clip_data):
                warnings.warn("torch has something to say")
                gate(clip_case.gate, 0.75, n=150)
        """
    )
    world.pytester.makeini(f"[pytest]\n{ini}")
    result = world.clip("-v")
    result.assert_outcomes(passed=5, warnings=1)
    assert ids(result) == ALL


@pytest.mark.parametrize(
    ("addopts", "lost"),
    [
        ("-m slow", "5 of 5 gates of the suites accuracy, ood were deselected: tox.ini adds -m slow"),
        ("-k top1", "3 of 5 gates of the suite ood were deselected: tox.ini adds -k top1"),
        ("-k accuracy/top", "1 of 5 gates of the suite ood were deselected: tox.ini adds -k accuracy/top"),
        ("--ignore=HOME/suites/test_ood.py", "no test of the suite ood was collected: tox.ini adds --ignore"),
        ("--deselect suites/test_ood.py", "1 of 5 gates of the suite ood were deselected: tox.ini adds --deselect"),
    ],
)
def test_a_setting_that_takes_gates_out_is_a_usage_error(world, addopts, lost):
    world.pytester.makeini(f"[pytest]\naddopts = {addopts.replace('HOME', str(world.home))}\nmarkers = slow")
    result = world.clip()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {lost}*choose with --clip-suite, -k or -m on the command line"])
    assert world.loads == []


def test_a_suite_that_cannot_be_imported_is_reported_as_that(world):
    world.suites(test_ood="import no_such_module")
    result = world.clip()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*No module named 'no_such_module'*"])


def test_suites_without_a_model_do_not_look_like_success(world):
    result = world.run(str(world.home / "suites" / "test_ood.py"))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["test_ood.py measures a model and none is named; add --clip-model=NAME*"])


def test_each_model_is_loaded_once_and_its_tests_stay_together(world):
    result = world.clip("--clip-model=other", "-v")
    result.assert_outcomes(passed=10)
    assert ids(result) == ALL + [each.replace("stub-", "other-") for each in ALL]
    assert world.loads == ["stub", "other"]


def test_tests_without_data_stay_in_their_place(world):
    world.suites(
        test_ood="""
            import pytest

            @pytest.mark.clip_gate("ood/first")
            def test_first(gate, clip_case, clip_model): gate(clip_case.gate, 1, n=1)

            @pytest.mark.clip_gate("ood/second")
            def test_second(gate, clip_case, clip_model, clip_data): gate(clip_case.gate, 1, n=1)

            @pytest.mark.clip_gate("ood/third")
            def test_third(gate, clip_case): gate(clip_case.gate, 1, n=1)
        """
    )
    world.project("schema = 1")
    assert ids(world.clip("-v"))[4:] == [
        "suites/test_ood.py::test_first[stub-scenes-ood/first]",
        "suites/test_ood.py::test_second[stub-scenes-ood/second]",
        "suites/test_ood.py::test_third[scenes-ood/third]",
    ]


def test_two_checkpoints_of_one_name_keep_their_ids_apart(world):
    result = world.run("--co", "-q", "--clip-model=ViT-B-32,a/e12.pt", "--clip-model=ViT-B-32,b/e12.pt", "--clip-suite=ood")
    assert ids(result) == [
        "suites/test_ood.py::test_auroc[ViT-B-32,a-e12.pt-scenes-ood/auroc[near]]",
        "suites/test_ood.py::test_auroc[ViT-B-32,b-e12.pt-scenes-ood/auroc[near]]",
    ]


@pytest.mark.parametrize("args", [["--collect-only"], ["--fixtures"], ["--setup-plan"], ["--clip-list"], ["--markers"]])
def test_looking_loads_no_model(world, args):
    assert world.clip(*args).ret == 0
    assert world.loads == []


def test_the_model_is_released_before_the_next_one_is_loaded(world):
    world.conftest(
        """
        import gc, weakref
        from types import SimpleNamespace
        alive = weakref.WeakSet()

        class Model(SimpleNamespace):
            __hash__ = object.__hash__

        def pytest_clip_make_model(spec, config):
            gc.collect()
            assert not alive, "the model before this one is still in memory"
            model = Model(label=spec.text, fingerprint="f" * 16, facts={})
            alive.add(model)
            return model
        """
    )
    world.clip("--clip-model=other").assert_outcomes(passed=10)


def test_a_projects_own_model_takes_the_place_of_the_fixture(world):
    world.conftest(
        """
        import pytest
        from types import SimpleNamespace

        @pytest.fixture(scope="session")
        def clip_model():
            return SimpleNamespace(label="ours", fingerprint="0123456789abcdef", facts={})
        """
    )
    result = world.clip()
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["model ours: fingerprint 0123456789abcdef"])
    assert world.loads == []


def test_last_failed_works_on_the_suites(world):
    world.project('schema = 1\n[gates."ood/auroc"]\nmin = 0.8')
    world.clip("-p", "cacheprovider").assert_outcomes(passed=4, failed=1)
    world.clip("-p", "cacheprovider", "--lf").assert_outcomes(failed=1)


def test_unusable_marker_is_a_collection_error(world):
    world.pytester.makepyfile(test_own="import pytest\n@pytest.mark.clip_gate\ndef test_own(gate): pass")
    result = world.clip("test_own.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*test_own.py::test_own: @pytest.mark.clip_gate takes one gate id*"])


def test_a_data_set_without_the_images_of_a_gate_skips_it_with_a_reason(world, monkeypatch):
    import stub_world

    from pytest_clip.session import load

    monkeypatch.setattr(load, "image_sets", lambda name: stub_world.SETS[:2])
    world.project("schema = 1")
    result = world.clip("-rs", "-o", "clip_unjudged=allow")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the data set scenes has no image set for ood/auroc (role:ood)"])


def test_the_sets_a_run_will_ask_for_are_those_behind_slices_that_are_none():
    from types import SimpleNamespace

    from pytest_clip.gates.ids import GateId
    from pytest_clip.plugin.items import slices_of
    from pytest_clip.session.choices import Case

    gates = ("accuracy/top1[shift_far]", "retrieval/compositionality[object_swap]", "metamorphic/agreement[flip]", "factors/worst_drop")
    items = [SimpleNamespace(callspec=SimpleNamespace(params={"clip_case": Case(GateId.parse(gate))})) for gate in gates]
    assert slices_of([SimpleNamespace(), *items]) == ("clean", "shift_far", "pairs")
