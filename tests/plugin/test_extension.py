"""docs/writing_a_suite.md is a project that works: its files are written, its commands run, what they print is what the page says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from followed import Call, follow, steps

from pytest_clip.session.updating import CI_VARIABLES

PAGE = Path(__file__).parents[2] / "docs" / "writing_a_suite.md"


def in_processes(folder: Path) -> Call:
    environ = {key: value for key, value in os.environ.items() if key not in CI_VARIABLES and not key.startswith("PYTEST_")}
    environ |= {"PYTEST_CLIP_CACHE": str(folder / ".cache"), "OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def call(program: str, args: list[str]) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "pytest", "-p", "clip", "-p", "no:cacheprovider"] if program == "pytest" else [sys.executable]
        done = subprocess.run([*command, *args], cwd=folder, env=environ, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return call


def test_the_page_is_true(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    assert [what for what, _, _ in steps(page)].count("run") >= 8
    follow(page, tmp_path, in_processes(tmp_path))


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ("print(2)", "print(3)", "not printed, or not in this order: 'said 2'"),
        ("print('and'", "raise SystemExit(1); print('and'", "Traceback|\\$ python a.py"),
        ("# a.py", "import re", "does not say which file it is"),
        ("said 2\nand...", "and...\nsaid 2", "not in this order: 'said 2'"),
    ],
)
def test_a_page_that_is_not_true_is_noticed(tmp_path, was, now, complaint):
    script, told = "# a.py\nprint('said', end=' ')\nprint(2)\nprint('and', 'more')\n", "$ python a.py\nsaid 2\nand...\n"
    page = f"# Page\n```python\n{script}```\n```console\n{told}```\n"
    follow(page, tmp_path, in_processes(tmp_path))
    assert was in page
    with pytest.raises(AssertionError, match=complaint):
        follow(page.replace(was, now), tmp_path, in_processes(tmp_path))


# The parts that the page builds on


def test_a_mark_takes_its_slice_from_the_parameters_of_the_test(world):
    world.project("schema = 1\n[gates.'own/a[x]']\nmin = 0.6\n[gates.'own/a[y]']\nmin = 0.6")
    world.pytester.makepyfile(
        test_own="""
        import pytest
        @pytest.mark.parametrize("part", ["x", "y"])
        @pytest.mark.clip_gate("own/a[{part}]")
        def test_a(gate, clip_case, part):
            assert clip_case.slice == part
            gate(clip_case.gate, {"x": 0.9, "y": 0.5}[part], n=5)
        """
    )
    result = world.clip("test_own.py", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*::test_a[[]x] PASSED*", "*::test_a[[]y] FAILED*", "own/a[[]y]: 0.5000 < min 0.6000 (n = 5)"])
    world.project("schema = 1\n[gates.'own/a[z]']\nmin = 0.6")
    world.clip("test_own.py", "-o", "clip_unjudged=allow").assert_outcomes(passed=2, failed=1)  # the rule of a slice that no parameter has


@pytest.mark.parametrize("mark", ["own/a[{town}]", "own/a[{0}]", "own/a[{part.x}]", "own/a[{part]"])
def test_a_mark_that_names_no_parameter_says_so(world, mark):
    world.pytester.makepyfile(
        test_own=f"""
        import pytest
        @pytest.mark.parametrize("part", ["x"])
        @pytest.mark.clip_gate({mark!r})
        def test_a(gate, part): pass
        """
    )
    result = world.clip("test_own.py")
    assert result.ret != 0
    output = result.stdout.str() + result.stderr.str()
    assert f"clip_gate({mark!r}) names what is no parameter of the test; its parameters: part" in output
    assert "Traceback" not in output


def test_the_good_side_is_one_of_two_words(world):
    world.pytester.makepyfile(test_own="def test_a(gate): gate('own/a', 1, n=1, better='more')")
    world.clip("test_own.py").stdout.fnmatch_lines(["own/a: better must be 'higher' or 'lower', not 'more'"])


def test_an_overridden_model_is_the_one_in_the_rows(world):
    world.conftest(
        """
        import pytest
        from types import SimpleNamespace
        @pytest.fixture(scope="session")
        def clip_model():
            return SimpleNamespace(label="mine", fingerprint="f" * 16)
        """
    )
    world.project("schema = 1\n[gates.'own/a']\nmin = 0.6")
    world.pytester.makepyfile(test_own="def test_a(gate, clip_model): gate('own/a', 0.5, n=5)")
    result = world.clip("test_own.py")
    result.stdout.fnmatch_lines(["  model        mine fingerprint ffffffffffffffff", "model mine: fingerprint ffffffffffffffff"])
    assert world.loads == []
