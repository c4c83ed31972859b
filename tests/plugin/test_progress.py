"""Progress is seen by people who wait and leaves everything else alone."""

from __future__ import annotations

from pytest_clip.session.progress import Progress, silent


class Screen:
    def __init__(self, *, tty: bool) -> None:
        self.tty = tty
        self.said: list[str] = []

    def line(self, text: str) -> None:
        self.said.append(text)

    def bar(self, text: str) -> None:
        self.said.append(f"~{text}")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def steps(*, tty: bool, seconds: float, n: int = 10) -> list[str]:
    screen, clock = Screen(tty=tty), Clock()
    with Progress("scenes: rendering clean", n, screen, clock=clock) as progress:
        for _ in range(n):
            clock.now += seconds
            progress.advance()
    return screen.said


def test_a_log_gets_a_line_every_ten_seconds_and_one_at_the_end():
    assert steps(tty=False, seconds=4) == [
        "scenes: rendering clean: 3 of 10 (30%, about 28 s left)",
        "scenes: rendering clean: 6 of 10 (60%, about 16 s left)",
        "scenes: rendering clean: 9 of 10 (90%, about 4 s left)",
        "scenes: rendering clean: 10 in 40.0 s",
    ]


def test_a_short_step_leaves_nothing_in_a_log():
    assert steps(tty=False, seconds=0.1) == []


def test_a_terminal_gets_a_bar_that_is_wiped():
    said = steps(tty=True, seconds=0.5, n=4)
    assert said == [
        "~scenes: rendering clean [######..................] 1/4 about 2 s left",
        "~scenes: rendering clean [############............] 2/4 about 1 s left",
        "~scenes: rendering clean [##################......] 3/4 about 0 s left",
        "~scenes: rendering clean [########################] 4/4 about 0 s left",
        "~",
        "scenes: rendering clean: 4 in 2.0 s",
    ]


def test_a_bar_is_not_redrawn_faster_than_the_eye():
    assert len(steps(tty=True, seconds=0.01, n=100)) <= 12


def test_without_a_screen_it_only_counts():
    progress = silent("x", 0)
    progress.advance(3)
    progress(2)
    progress.close()
    assert (progress.done, progress.share) == (5, 1.0)


SLOW = """
import pytest
from pytest_clip.plugin import keys
from pytest_clip.session import progress

@pytest.mark.clip_gate("ood/auroc")
def test_auroc(gate, clip_case, request, monkeypatch):
    now = [0.0]
    monkeypatch.setitem(progress.Progress.__init__.__kwdefaults__, "clock", lambda: now[0])
    with keys.running(request.config).progress("embedding near", 2) as step:
        for _ in range(2):
            now[0] += 11
            step.advance()
    gate(clip_case.gate, 0.75, n=150)
"""


def test_it_reaches_the_screen_through_the_capture_and_leaves_pytests_lines_whole(world):
    world.suites(test_ood=SLOW)
    result = world.run_process("--clip-model=stub")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "suites/test_ood.py *",
            "clip: embedding near: 1 of 2 (50%, about 11 s left)",
            "clip: embedding near: 2 in 22.0 s",
            "*.*[[]100%]",
        ],
        consecutive=True,
    )
    world.clip("-q").stdout.no_fnmatch_line("*embedding near*")


def test_a_bar_on_a_real_terminal(world, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    world.suites(test_ood=SLOW)
    world.conftest("def pytest_collection_finish(session):\n    session.config.pluginmanager.get_plugin('terminalreporter').isatty = True")
    result = world.clip("-v")
    result.assert_outcomes(passed=5)
    text = result.stdout.str()
    bar = "embedding near [############............] 1/2 about 11 s left"
    assert bar[:59] in text
    assert bar[:60] not in text


SILENT = """
import time
import pytest
from pytest_clip.plugin import keys

@pytest.mark.clip_gate("ood/auroc")
def test_auroc(gate, clip_case, request):
    step = keys.running(request.config).progress("embedding near", 500)
    step.done = 96
    time.sleep(1.2)
    step.close()
    time.sleep(0.7)
    gate(clip_case.gate, 0.75, n=150)
"""
IMPATIENT = "from pytest_clip.plugin import heartbeat\nheartbeat.EVERY = heartbeat.STEP = 0.25\n"
SAID = "clip: 4 of 5 tests, * s; now test_auroc[[]scenes-ood/auroc[[]near[]][]] for * s: embedding near: 96 of 500 (19%, about * s left)"


def test_a_log_is_never_silent_for_long(world):
    world.suites(test_ood=SILENT)
    world.conftest(IMPATIENT)
    result = world.run_process("--clip-model=stub")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["suites/test_ood.py *", SAID, "clip: 4 of 5 tests, * s; now test_auroc[[]*[]] for * s", "*[[]100%]"])
    quiet = world.run_process("--clip-model=stub", "-q")
    quiet.assert_outcomes(passed=5)
    quiet.stdout.no_fnmatch_line("*embedding near*")


def test_with_workers_it_counts(world):
    world.suites(test_ood=SILENT)
    world.conftest(IMPATIENT)
    result = world.run_process("--clip-model=stub", "-p", "xdist", "-n", "1")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["clip: 4 of 5 tests, * s; 1 are still to come from the workers"])


def test_getting_ready_is_said_too_and_an_error_ends_it(world):
    world.conftest(IMPATIENT + "import time\nimport pytest_clip.session.load as load\n"
                   "def slow(name):\n    time.sleep(1)\n    return stub_world.SETS\nload.image_sets = slow\n")  # fmt: skip
    result = world.run_process("--clip-model=stub", "-o", "clip_mcm_tau=1")
    result.stdout.fnmatch_lines(["clip: getting ready for * s: data, suites and rules are looked at"])
    assert result.ret == 0
    assert world.run_process("--clip-model=stub", "--clip-suite=odd").ret == 4


def test_what_is_long_is_said_when_it_begins():
    for tty, said in ((False, ["loading m ...", "loading m: done in 7.0 s"]), (True, ["~loading m ...", "~", "loading m: done in 7.0 s"])):
        screen, clock = Screen(tty=tty), Clock()
        with Progress("loading m", 1, screen, clock=clock).begin():
            assert screen.said == said[:1]
            clock.now += 7
        assert screen.said == said


def test_the_first_estimate_of_a_run_comes_with_its_first_batches():
    screen, clock = Screen(tty=False), Clock()
    with Progress("embedding", 100, screen, first=1, clock=clock) as progress:
        for _ in range(30):
            clock.now += 0.6
            progress.advance(2)
    assert screen.said[:2] == ["embedding: 4 of 100 (4%, about 29 s left)", "embedding: 38 of 100 (38%, about 19 s left)"]


TWO_STEPS = """
import pytest
from pytest_clip.plugin import keys
from pytest_clip.session import progress

@pytest.mark.clip_gate("ood/auroc")
def test_auroc(gate, clip_case, request, monkeypatch):
    now = [0.0]
    monkeypatch.setitem(progress.Progress.__init__.__kwdefaults__, "clock", lambda: now[0])
    for name in ("near", "far"):
        with keys.running(request.config).progress(f"embedding {name}", 100) as step:
            for _ in range(3):
                now[0] += 1.25
                step.advance(32)
    gate(clip_case.gate, 0.75, n=150)
"""


def test_one_early_estimate_a_run(world):
    world.suites(test_ood=TWO_STEPS)
    result = world.clip("--clip-suite=ood")
    result.assert_outcomes(passed=1)
    lines = [line for line in result.outlines if line.startswith("clip: embedding")]
    assert lines == [
        "clip: embedding near: 32 of 100 (32%, about 3 s left)",
        "clip: embedding near: 96 in 3.8 s",
        "clip: embedding far: 96 in 3.8 s",
    ]
    world.conftest("def pytest_collection_finish(session):\n    session.config.pluginmanager.get_plugin('terminalreporter').isatty = True")
    assert "embedding far [#######" in world.clip("--clip-suite=ood").stdout.str()  # and a bar for every step


# Says when somebody asks for torch, past the capture, and refuses.
NO_TORCH = """
import os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            os.write(OUT, b"\\nTORCH\\n")
            raise ImportError("no torch today")

OUT = os.dup(1)
sys.meta_path.insert(0, Finder())

def pytest_clip_make_model(spec, config):
    return None
"""


def test_what_is_run_and_what_is_loaded_is_said_before_torch_is_imported(world):
    world.conftest(NO_TORCH)
    result = world.run_process("--clip-model=scenes-rn", "--clip-suite=accuracy", "--clip-no-cache", "--clip-device=cpu")
    told = ("clip: 0", "clip: loading", "TORCH")
    at = {name: number for number, line in enumerate(result.outlines) for name in told if line.startswith(name)}
    assert "model scenes-rn; data scenes" in result.outlines[at["clip: 0"]]
    assert "clip: loading scenes-rn ..." in result.outlines
    assert at["clip: 0"] < at["clip: loading"] < at["TORCH"]
