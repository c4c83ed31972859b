"""A project of a user's own for runs that are disturbed: few pictures, a tiny model that takes its time, and gates that ask for views."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import tiny_models

IMAGES = 40
CONFTEST = """
import os
import time
from pathlib import Path

HERE = Path(__file__).parent


class Noted:
    '''The model itself; what goes through it is written down, and takes at least `PAUSE` seconds a batch.'''

    def __init__(self, model):
        self._model, self.label, self.fingerprint = model, model.label, model.fingerprint

    def __getattr__(self, name):
        return getattr(self._model, name)

    def _note(self, kind, what):
        time.sleep(float(os.environ.get("PAUSE", "0")))
        with (HERE / "noted").open("a") as out:
            out.write("".join(f"{kind} {each}\\n" for each in what))

    def encode_image(self, images):
        self._note("image", range(len(images)))
        return self._model.encode_image(images)

    def encode_text(self, texts):
        self._note("text", dict.fromkeys(texts))  # a short batch is filled up with its last text
        return self._model.encode_text(texts)


def pytest_clip_make_model(spec, config):
    from pytest_clip.models import openclip

    return Noted(openclip.load(spec, device="cpu", cache_dir=Path(config.option.clip_cache_dir)))
"""
GATES = """
import pytest
from pytest_clip.views import corruption_view


@pytest.mark.parametrize("kind", ["contrast", "brightness"])
@pytest.mark.clip_gate("own/seen[{kind}]")
def test_seen(kind, gate, zero_shot):
    cosines = [zero_shot("clean", view=corruption_view(kind, severity)).cosines for severity in (1, 3, 5)]
    gate(f"own/seen[{kind}]", float(sum(each.sum() for each in cosines)), n=len(cosines[0]))


@pytest.mark.clip_gate("own/prompts")
def test_prompts(gate, zero_shot):
    asked = zero_shot("clean", templates=("a sketch of a {c}", "a photo of a {c}."))
    gate("own/prompts", float(asked.cosines.mean()), n=len(asked.labels))
"""


class Project:
    """`IMAGES` JPEG files in four classes, a model of a few thousand weights, and the tests above."""

    suites = ("--clip-suite=accuracy,calibration,prompts", "test_own.py")

    def __init__(self, root: Path) -> None:
        self.root = root
        for k in range(IMAGES):
            folder = root / "photos" / ("mug", "key", "dog", "hat")[k % 4]
            folder.mkdir(parents=True, exist_ok=True)
            small = np.random.default_rng(k).integers(0, 255, (5, 6, 3), np.uint8)
            Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC).save(folder / f"{k:02d}.jpg")
        tiny_models.folder(root / "tiny")
        (root / "conftest.py").write_text(CONFTEST)
        (root / "test_own.py").write_text(GATES)
        (root / "pytest.ini").write_text("[pytest]\nclip_unjudged = allow\n")

    @property
    def options(self) -> tuple[str, ...]:
        return ("--clip-model=local-dir:tiny", "--clip-data=photos", *self.suites)

    def noted(self, kind: str) -> list[str]:
        """What went through the model since the last call, by all processes."""
        path = self.root / "noted"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{kind} ")]


def start(root: Path, cache: Path, *options: str, name: str = "report", environ: dict[str, str] | None = None, **how: Any) -> Any:
    """The process of a run, in a group of its own; its record goes to NAME.json, what it prints to NAME.txt."""
    env = {key: value for key, value in os.environ.items() if key not in ("OMP_NUM_THREADS", "PYTEST_ADDOPTS")} | (environ or {})
    told = (f"--clip-report=json:{root / name}.json", f"--junitxml={root / name}.xml", f"--clip-cache-dir={cache}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *told]
    with (root / f"{name}.txt").open("w") as out:
        return subprocess.Popen(command, cwd=root, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True, **how)


def end(process: Any) -> None:
    """Kill a run and everything that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def rows(root: Path, name: str = "report") -> list[dict[str, Any]]:
    """The gates of the record, all that is in it."""
    found: list[dict[str, Any]] = json.loads((root / f"{name}.json").read_text())["gates"]
    return found


def measure(root: Path, cache: Path, *options: str, name: str = "report", **how: Any) -> tuple[int, list[dict[str, Any]], str]:
    """Run to the end; exit status, rows, and what was printed."""
    process = start(root, cache, *options, name=name, **how)
    try:
        status = process.wait(timeout=1200)
    finally:
        end(process)
    printed = (root / f"{name}.txt").read_text()
    assert status in (0, 1), printed
    return status, rows(root, name), printed
