"""A run that asks for a Ray cluster which does not answer: one error, soon, and nothing loaded."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("ray")


@pytest.fixture
def silent():
    """Somebody who takes connections and never says a word."""
    with socket.create_server(("", 0), backlog=50) as server:  # Ray looks for it at the machine's address in the network
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_an_address_that_nobody_answers_is_a_usage_error_within_seconds(world, silent):
    began = time.monotonic()
    result = world.clip(f"--clip-executor=ray:{silent}")
    assert time.monotonic() - began < 15
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    [told] = [line for line in result.errlines if line]
    assert told.startswith(f"ERROR: no Ray cluster at {silent}")
    assert told.endswith(": no answer within 10 s; start one there with `ray start --head`, or correct --clip-executor")
    assert world.loads == []


def test_a_closed_port_is_said_at_once(world):
    began = time.monotonic()
    result = world.clip("--clip-executor=ray:127.0.0.1:1")
    assert time.monotonic() - began < 9
    result.stderr.fnmatch_lines(["ERROR: no Ray cluster at 127.0.0.1:1*: Connection refused within 10 s; *"])
    world.clip("--clip-executor=ray:127.0.0.1:1", "--clip-suite=ood", "--co", "-q")  # to look at the tests needs no cluster


def test_sigterm_ends_a_run_that_waits_for_an_answer(world, silent):
    args = [sys.executable, "-m", "pytest", "-p", "clip", "-p", "no:cacheprovider", "--clip-model=stub", f"--clip-executor=ray:{silent}"]
    child = subprocess.Popen(args, cwd=world.pytester.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with pytest.raises(subprocess.TimeoutExpired):
        child.communicate(timeout=6)
    began = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=5)
    assert time.monotonic() - began < 2
    assert child.returncode == -signal.SIGTERM
