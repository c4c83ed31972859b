"""Runs of pytest that are killed from outside at a chosen moment. A process of its own: it imports once, each run is a fork of it.

One request a line on stdin: {"args": [...], "sign": "end" or "write", "at": number or null, "delay": seconds}; one answer a line on stdout.
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
PAUSE = 0.003
"""Seconds between two steps of the writing: what kills it from outside can tell them apart."""


class Sign:
    """Says through a pipe, a byte each time, that the last test is over (`end`), or that a step of the writing begins (`write`): the
    project's files and folders are opened, made, renamed or removed after the last test."""

    def __init__(self, pipe: int, sign: str, home: str) -> None:
        self.pipe, self.sign, self.home, self.left = pipe, sign, home, -1
        sys.addaudithook(self.heard)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.left = len(session.items)

    def pytest_runtest_logfinish(self) -> None:
        self.left -= 1
        if self.left == 0 and self.sign == "end":
            os.write(self.pipe, b"x")

    def heard(self, event: str, args: tuple[Any, ...]) -> None:
        if self.left == 0 and self.sign == "write" and args and str(args[0]).startswith(self.home):
            os.write(self.pipe, b"x")
            time.sleep(PAUSE)


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
    """Kill a run `delay` seconds after its sign number `at`, or leave it alone without one.

    `status` as of waitpid, negative for a signal; `signs` that were heard; `after`: seconds that it lived after the last of them.
    """
    heard, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        run(request["args"], request["sign"], say)
    os.close(say)
    signs, began = 0, time.perf_counter()
    while signs != request["at"] and select.select([heard], [], [], LONGEST)[0] and os.read(heard, 1):  # nothing: it has ended
        signs, began = signs + 1, time.perf_counter()
    if request["at"] is not None:
        time.sleep(request["delay"])
        os.kill(child, signal.SIGKILL)  # a child that has ended is there until it is waited for
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after = time.perf_counter() - began
    os.close(heard)
    return {"status": status, "after": after, "signs": signs}


if __name__ == "__main__":
    for name in ("plugin.hooks", "plugin.saving", "session.updating", "session.regressions", "gates.update", "report.json", "runs.store"):
        importlib.import_module(f"pytest_clip.{name}")
    for line in sys.stdin:
        print(json.dumps(killed(json.loads(line))), flush=True)
