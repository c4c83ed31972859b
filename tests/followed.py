"""A page is a project: its files are written, its commands run, and what they print is what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Call = Callable[[str, list[str]], tuple[int, str, str]]
"""Runs a program with its arguments: exit status, what it printed, what it complained of."""


def steps(page: str) -> list[tuple[str, str, str]]:
    """In the order of the page: ("file", name, content) or ("run", command, what it prints)."""
    found = []
    for kind, text in BLOCK.findall(page):
        if kind == "console":
            for each in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, printed = each.partition("\n")
                found.append(("run", command, printed))
        elif kind != "sh":  # what a page says to install
            name = re.match(r"# (\S+)\n", text)
            assert name is not None, f"this block does not say which file it is:\n{text}"
            found.append(("file", name[1], text))
    return found


def missing(printed: str, output: str, status: int) -> str | None:
    """The first line of the page that the output does not have, in order; `...` stands for anything."""
    lines = iter([*output.splitlines(), *([f"exit status {status}"] if status else [])])
    for wanted in printed.splitlines():
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("...")).rstrip())
        if not any(pattern.fullmatch(line.rstrip()) for line in lines):
            return wanted
    return None


def follow(page: str, folder: Path, call: Call) -> None:
    """Do what the page says in `folder`; AssertionError with the first line that is not true."""
    for what, name, text in steps(page):
        if what == "file":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            continue
        program, *args = shlex.split(name)
        status, output, errors = call(program, args)
        told = f"$ {name}\n{output}{errors}"
        assert status == (1 if "exit status 1" in text else 0), told
        line = missing(text, output, status)
        assert line is None, f"not printed, or not in this order: {line!r}\n{told}"
