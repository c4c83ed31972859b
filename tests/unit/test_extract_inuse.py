"""A cache that a run works with is not cleared under it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from pytest_clip.cli import main as cli
from pytest_clip.extract import inuse

HOLD = """
import sys
from pathlib import Path
from pytest_clip.extract import inuse
inuse.hold(Path(sys.argv[1]))
print("held", flush=True)
input()
"""


@pytest.fixture
def cache(tmp_path):
    (tmp_path / "cache" / "answers" / "a").mkdir(parents=True)
    (tmp_path / "cache" / "answers" / "a" / "rows").write_bytes(b"x" * 2000)
    return tmp_path / "cache"


@pytest.fixture
def other(cache):
    """Another process that works with the cache."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(cache)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_clear_waits_for_the_run_to_end(cache, other, capsys):
    assert cli.main(["cache", "clear", "--cache-dir", str(cache)]) == 1
    assert capsys.readouterr().err == f"pytest-clip cache: a run works with {cache}; nothing is removed, clear it when the run has ended\n"
    assert (cache / "answers" / "a" / "rows").is_file()
    other.kill()  # a lock ends with its holder, however that ends
    other.wait()
    assert cli.main(["cache", "clear", "--cache-dir", str(cache)]) == 0
    assert capsys.readouterr().out == f"removed 2.0 KB from {cache}\n"
    assert not (cache / "answers").exists()


def test_runs_share_a_cache(cache, other):
    inuse.hold(cache)
    inuse.hold(cache)
    other.kill()
    other.wait()
    with inuse.alone(cache) as free:
        assert not free
    inuse.release(cache)
    with inuse.alone(cache) as free:
        assert free


def test_a_run_that_begins_while_the_cache_is_cleared_waits(cache):
    began = threading.Event()

    def run():
        began.set()
        inuse.hold(cache)

    with inuse.alone(cache) as free:
        assert free
        thread = threading.Thread(target=run)
        thread.start()
        began.wait()
        time.sleep(0.1)
        assert thread.is_alive()
    thread.join(10)
    with inuse.alone(cache) as free:
        assert not free  # it holds the lock that is there now, not the one that was removed
    inuse.release(cache)


def test_a_planted_link_is_not_followed(cache, tmp_path):
    (cache / inuse.NAME).symlink_to(tmp_path / "victim")
    inuse.hold(cache)
    assert not (tmp_path / "victim").exists()


def test_a_cache_that_cannot_be_written_is_used_without_a_lock(tmp_path):
    (tmp_path / "file").touch()
    inuse.hold(tmp_path / "file" / "cache")
    with inuse.alone(tmp_path / "file" / "cache") as free:
        assert free
