"""The command that measures a gate again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pytest_clip.gates.catalog import SUITES
from pytest_clip.gates.measurement import Measurement


def rerun_command(measurement: Measurement, spec: str | None = None, options: Sequence[str] = (), test: str | None = None) -> str:
    """The command that measures just this gate again, under the same ``options``."""
    parts = [f"--clip-model={shlex.quote(spec or measurement.model)}", *(quoted(option) for option in options)]
    if test is not None:
        return f"pytest {' '.join(parts)} {shlex.quote(test)}"
    if measurement.gate.suite == "mutants":
        return f"pytest {' '.join(parts)} --clip-mutants={measurement.gate.slice or 'all'}"
    if measurement.gate.suite in SUITES:
        parts.append(f"--clip-suite={measurement.gate.suite}")
    return f'pytest {" ".join(parts)} -k "{measurement.gate}"'


def quoted(option: str) -> str:
    """``--clip-data='/d/im net'``: only the value in quotes, as a person would type it."""
    name, sign, value = option.partition("=")
    return f"{name}{sign}{shlex.quote(value)}" if sign else shlex.quote(option)
