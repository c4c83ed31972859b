"""Runs of pytest that are killed from outside at a chosen moment. A process of its own: it imports once, each run is a fork of it.

One request a line on stdin: {"args": [...], "sign": "end" or "write", "delay": seconds or null}; one answer a line on stdout.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
from typing import Any

import pytest

LONGEST = 60.0
WRITES = ("tempfile.mkstemp", "tempfile.mkdtemp", "os.mkdir")
"""What a run does first when it puts a file or a saved run in place."""


class Sign:
    """Says through a pipe that the last test is over (`end`), or that the run begins to write into the project after it (`write`)."""

    def __init__(self, pipe: int, sign: str, home: str) -> None:
        self.pipe, self.sign, self.home, self.left = pipe, sign, home, 0
        self.over = False
        sys.addaudithook(self.heard)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.left = len(session.items)

    def pytest_runtest_logfinish(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.over = True
            if self.sign == "end":
                self.say()

    def heard(self, event: str, args: tuple[Any, ...]) -> None:
        if self.over and self.sign == "write" and event in WRITES and str(args[0]).startswith(self.home):
            self.say()

    def say(self) -> None:
        if self.pipe >= 0:
            os.write(self.pipe, b"x")
            os.close(self.pipe)
            self.pipe = -1


def run(args: list[str], sign: str, pipe: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    out = os.open("run.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for have, number in ((null, 0), (out, 1), (out, 2)):
        os.dup2(have, number)
    code = 3
    try:
        code = int(pytest.main(args, plugins=[Sign(pipe, sign, os.path.realpath("."))]))
    finally:
        os._exit(code)


def killed(request: dict[str, Any]) -> dict[str, Any]:
    """`status` as of waitpid, negative for a signal; `after`: seconds that it lived after its sign."""
    heard, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        run(request["args"], request["sign"], say)
    os.close(say)
    signed = bool(select.select([heard], [], [], LONGEST)[0]) and os.read(heard, 1) == b"x"  # nothing: it has ended without
    began = time.perf_counter()
    if request["delay"] is not None:
        time.sleep(request["delay"])
        os.kill(child, signal.SIGKILL)  # a child that has ended is there until it is waited for
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(heard)
    return {"status": status, "after": time.perf_counter() - began, "signed": signed}


if __name__ == "__main__":
    for name in ("plugin.hooks", "plugin.saving", "session.updating", "session.regressions", "gates.update", "report.json", "runs.store"):
        importlib.import_module(f"pytest_clip.{name}")
    for line in sys.stdin:
        print(json.dumps(killed(json.loads(line))), flush=True)
