"""Stands in for the heavy neighbours: image sets, data and models without torch. Imported by the tests' conftest and by the inner runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest_clip.plugin.suites as suites
from pytest_clip.gates import layers
from pytest_clip.session import load


@dataclass(frozen=True)
class SetInfo:
    name: str
    role: str
    n: int


SETS = (SetInfo("clean", "clean", 100), SetInfo("shift_far", "shift", 100), SetInfo("near", "ood", 50))


def put(home: str, setattr_: Callable[[Any, str, Any], None] = setattr) -> None:
    """Patch the neighbours once per process: a test's own process by monkeypatch, a process of its own for good."""
    if Path(home) / "suites" == suites.SUITES:
        return
    setattr_(suites, "SUITES", Path(home) / "suites")
    setattr_(layers, "DEFAULTS", Path(home) / "shipped.toml")
    setattr_(load, "image_sets", lambda name: SETS)
    setattr_(load, "load_data", lambda run, choice: SimpleNamespace(name=choice.label, fingerprint="d" * 16))


def make_model(home: str, text: str) -> Any:
    with (Path(home) / "loads.txt").open("a") as log:
        log.write(text + "\n")
    facts = {"architecture": "stub", "pretrained": None, "parameters": 7}
    return SimpleNamespace(label=text, fingerprint=format(sum(map(ord, text)), "016x"), precision="fp32", device="cpu", facts=facts)
