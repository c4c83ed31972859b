"""The smallest break against a scan of every step, for monotone and other properties, under any hypothesis profile."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, Verbosity, settings

from pytest_clip.metrics.breaking import smallest_break


def scan(broken: list[bool]) -> int | None:
    return next((k for k, each in enumerate(broken, 1) if each), None)


def search(broken: list[bool]) -> tuple[int | None, list[int]]:
    asked: list[int] = []

    def breaks(k: int) -> bool:
        asked.append(k)
        return broken[k - 1]

    return smallest_break(breaks, steps=len(broken)), asked


@pytest.mark.parametrize("steps", [1, 2, 9, 18])
def test_where_strength_only_makes_it_worse(steps: int) -> None:
    for first in range(1, steps + 2):
        broken = [k >= first for k in range(1, steps + 1)]
        found, asked = search(broken)
        assert found == scan(broken)
        assert len(asked) == len(set(asked))


def test_where_it_comes_and_goes() -> None:
    """A shrinker alone stops at a break none of whose simpler neighbours breaks; 40 random patterns and the meanest one."""
    rng = random.Random(0)
    patterns = [[rng.random() < share for _ in range(18)] for share in (0.05, 0.2, 0.5, 0.8) for _ in range(10)]
    patterns += [[k in (2, 17) for k in range(1, 19)], [k == 18 for k in range(1, 19)]]
    for broken in patterns:
        assert search(broken)[0] == scan(broken)


def test_no_step_above_the_first_break_is_asked_in_vain() -> None:
    asked = [len(search([k >= 7 for k in range(1, 19)])[1]) for _ in range(3)]
    assert len(set(asked)) == 1
    assert asked[0] <= 12


def test_the_property_is_asked_for_the_same_steps_under_any_profile() -> None:
    broken = [k in (6, 11, 12) for k in range(1, 19)]
    usual = search(broken)
    before = settings.default
    settings.register_profile("odd", max_examples=1, phases=[Phase.explicit], verbosity=Verbosity.debug, derandomize=False)
    try:
        settings.load_profile("odd")
        assert search(broken) == usual
    except pytest.skip.Exception:
        pytest.fail("the profile has switched the search off")
    finally:
        settings.register_profile("before", before)
        settings.load_profile("before")


@pytest.mark.parametrize("steps", [0, -1, 1.5])
def test_steps_are_a_whole_number(steps: float) -> None:
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1"):
        smallest_break(lambda k: True, steps=steps)  # type: ignore[arg-type]


def test_an_error_of_the_property_comes_out_as_it_is() -> None:
    def breaks(k: int) -> bool:
        raise OSError("no picture")

    with pytest.raises(OSError, match="no picture"):
        smallest_break(breaks, steps=4)


def test_hypothesis_is_imported_late_and_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import sys; from pytest_clip.metrics.breaking import smallest_break; early = 'hypothesis' in sys.modules;"
        "print(early, [smallest_break(lambda k: k >= first, steps=18) for first in range(1, 19)] == list(range(1, 19)));"
        "from hypothesis import configuration; print(configuration.storage_directory('x').path)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", str(tmp_path / ".hypothesis" / "x")]
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
