"""Runs that are killed, that find the disk full or the cache read-only, or that meet another; and the next run, which must not notice."""

import os
import random
import resource
import shutil
import subprocess
import time
from contextlib import suppress

import projects
import pytest

from pytest_clip.extract import cache as caches

KILLS = int(os.environ.get("PYTEST_CLIP_KILLS", "18"))
"""Kills of each of the three kinds of run: 54 in all."""
BETWEEN = 3
"""Kills on one cache, one after another, before a run is left alone."""


def unfinished(cache):
    return [path for path in cache.rglob("*.part") if path.exists()]


def clean(cache):
    """Nothing that counts as data is damaged."""
    assert list(caches.torn(cache)) == []


def killed(process, sign, delay):
    """Kill the whole group `delay` seconds after `sign()` is first true; how long it ran after that if it was faster, else None."""
    until = time.monotonic() + 300
    while process.poll() is None and not sign() and time.monotonic() < until:
        time.sleep(0.005)
    began = time.monotonic()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=delay)
    escaped = None if process.poll() is None else time.monotonic() - began
    projects.end(process)
    return escaped


def length(process, sign):
    """Seconds from when `sign()` is first true to the end."""
    while process.poll() is None and not sign():
        time.sleep(0.005)
    began = time.monotonic()
    process.wait(timeout=1200)
    return time.monotonic() - began


def disturbed(root, *options, seed, environ=None, sign, reset=lambda: None):
    """`KILLS` runs killed at random moments of their work, every few of them followed by one that is left alone."""
    chance, cache = random.Random(seed), root / "cache"
    process = projects.start(root, cache, *options, environ=environ)
    span = length(process, sign)
    assert process.returncode in (0, 1), (root / "report.txt").read_text()
    expected, status, hits = projects.rows(root), process.returncode, 0
    assert expected
    clean(cache)
    for kill in range(KILLS):
        if kill % BETWEEN == 0:
            shutil.rmtree(cache)
            reset()
        escaped = killed(projects.start(root, cache, *options, environ=environ, name="killed"), sign, chance.uniform(0, span))
        if escaped is None:
            hits += 1
        else:  # faster than the first one: its pictures were there already, or the machine has less to do now
            span = min(span, escaped)
        clean(cache)
        if kill % BETWEEN == BETWEEN - 1 or kill == KILLS - 1:
            (root / "report.json").unlink()
            got, rows, printed = projects.measure(root, cache, *options, environ=environ)
            assert (got, rows) == (status, expected), printed
            clean(cache)
            reset()
    assert hits >= KILLS // 2  # the others escaped
    return cache


def worked(root):
    """Whether pictures or answers are under way."""
    return lambda: any((root / "cache" / place).exists() for place in ("pixels", "answers", "texts"))


@pytest.mark.slow
def test_killed_while_it_renders(tmp_path):
    options = ("--clip-model=scenes-rn", "--clip-limit=95", "--clip-suite=accuracy", "-k", "clean or typical or shift_light")
    disturbed(tmp_path, *options, "--clip-workers=2", seed=1, sign=worked(tmp_path))


@pytest.mark.slow
def test_killed_while_it_extracts(tmp_path):
    project = projects.Project(tmp_path)
    cache = disturbed(tmp_path, *project.options, seed=2, environ={"PAUSE": "0.05"}, sign=worked(tmp_path))
    for path in unfinished(cache):
        os.utime(path, (1, 1))
    caches.trim(cache, 10**12, since=0.0)
    assert not unfinished(cache)


@pytest.mark.slow
def test_killed_while_it_saves(tmp_path):
    """The answers are there already, so what is killed is mostly the writing of outcomes, of the record and of the saved run."""
    from pytest_clip.runs import store

    project, runs = projects.Project(tmp_path), tmp_path / "runs"
    runs.mkdir()
    spool = tmp_path / "spool"
    spool.mkdir()

    def checked():
        for folder in (each for each in runs.iterdir() if not each.name.startswith(".")):
            store.read(folder)  # whole, or not there
        for folder in (runs, spool):
            shutil.rmtree(folder)
            folder.mkdir()

    options = (*project.options, f"--clip-save={runs / 'now'}", "--clip-save-replace")  # one of those before may have got that far
    disturbed(tmp_path, *options, seed=3, environ={"TMPDIR": str(spool)}, sign=lambda: any(spool.rglob("*.npz")), reset=checked)


def one_error(printed, *said):
    """One failing test and one reason, which names the place and the option."""
    assert printed.count("free space, or choose another") + printed.count("cannot be written (") == 2, printed  # the test, the summary
    for text in (*said, "--clip-cache-dir=DIR", "the cache cannot be used, so no other gate is measured"):
        assert text in printed, printed
    assert "Traceback" not in printed


def full(root, cache, options, **how):
    status, _, printed = projects.measure(root, cache, *options, **how)
    assert status == 1
    assert unfinished(cache) == []
    clean(cache)
    return printed


def test_a_full_disk_is_one_error_and_the_next_run_goes_on(tmp_path):
    """A limit on the size of files is what a full disk is to whoever writes: the system refuses half-way through."""
    projects.Project(tmp_path)

    def little():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))  # a shard of pictures has 30 kB

    options = ("--clip-model=local-dir:tiny", "--clip-data=photos", "--clip-suite=accuracy,calibration")
    report = tmp_path / "report.json"
    # One worker, so that the first shard is the first to be refused; two make two at a time.
    process = projects.start(tmp_path, tmp_path / "cache", *options, "--clip-workers=1", preexec_fn=little)
    assert process.wait(timeout=600) == 1
    printed = (tmp_path / "report.txt").read_text()
    one_error(printed, "cannot write", "/cache/pixels/", "rows-000000.safetensors (File too large)")
    assert unfinished(tmp_path / "cache") == []
    clean(tmp_path / "cache")
    report.unlink(missing_ok=True)
    status, rows, printed = projects.measure(tmp_path, tmp_path / "cache", *options)
    assert (status, rows) == projects.measure(tmp_path, tmp_path / "fresh", *options)[:2], printed


@pytest.fixture
def disk(tmp_path):
    """A file system of 100 kB of its own, where this user may have one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("this user cannot mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_really_full_disk_and_a_read_only_one(tmp_path, disk):
    project = projects.Project(tmp_path)
    cache, options = disk / "cache", ("--clip-model=local-dir:tiny", "--clip-data=photos", "--clip-suite=accuracy,calibration")
    one_error(full(tmp_path, cache, options), "cannot write", str(cache), "(No space left on device)")
    subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
    expected = projects.measure(tmp_path, cache, *options)
    project.noted("image")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    again = projects.measure(tmp_path, cache, *options)  # a cache that is whole is read
    assert again[:2] == expected[:2]
    assert project.noted("image") == []
    printed = full(tmp_path, cache, (*options, "--clip-limit=20"))  # other answers, which cannot be put there
    one_error(printed, f"the cache at {cache}", "(Read-only file system)", "or use --clip-no-cache")
    status, rows, _ = projects.measure(tmp_path, cache, *options, "--clip-no-cache")
    assert (status, rows) == expected[:2]


def test_two_runs_on_one_cold_cache_share_the_work_and_say_the_same(tmp_path):
    project = projects.Project(tmp_path)
    both = [projects.start(tmp_path, tmp_path / "cache", *project.options, name=name, environ={"PAUSE": "0.1"}) for name in ("one", "two")]
    try:
        assert [process.wait(timeout=600) for process in both] == [0, 0]
    finally:
        for process in both:
            projects.end(process)
    one, two = (projects.rows(tmp_path, name) for name in ("one", "two"))
    assert one == two
    assert len(project.noted("image")) == 7 * projects.IMAGES  # clean and six views, once for both
    assert unfinished(tmp_path / "cache") == []
    clean(tmp_path / "cache")
