"""What the scripts of this folder share: generated pictures, a timed run of pytest, counted calls."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

MODEL = "ViT-B-32,random"


def make_folder(folder: Path, *, images: int, classes: int = 10, size: tuple[int, int] = (500, 375)) -> list[Path]:
    """Class folders of JPEGs: smooth noise, so that decoding costs what it costs for photographs."""
    rng, out = np.random.default_rng(0), []
    for i in range(images):
        path = folder / f"class_{i % classes:04d}" / f"{i:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        small.resize(size, Image.Resampling.BICUBIC).save(path, quality=90)
        out.append(path)
    return out


@dataclass(frozen=True)
class Run:
    """One whole pytest run: wall seconds, processor seconds, peak memory of its largest process in MB, calls by what was called."""

    wall: float
    processor: float
    memory: float
    calls: dict[str, int]
    last: str


def surroundings() -> dict[str, str]:
    """The environment, less PYTHONDONTWRITEBYTECODE: with it pytest rewrites the assertions of every plugin anew, Hypothesis for 1.5 s."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(*args: str, folder: Path, counted: bool = False, options: str = "") -> Run:
    """`pytest ARGS` in `folder`, an empty one; with `counted`, decoded pictures, encoded pictures and encoded texts are counted."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text(f"[pytest]\n{options}")
    calls = folder / "calls.jsonl"
    calls.unlink(missing_ok=True)
    environment = {**surroundings(), "PYTHONPATH": str(Path(__file__).parent), "COUNTED_CALLS": str(calls)}
    command = [sys.executable, "-m", "pytest", "-q", *(["-p", "counting"] if counted else []), *args]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):  # a random model may fail its gates; anything else is no measurement
        sys.exit(done.stdout + done.stderr)
    lines = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
    counts = {name: sum(line[name] for line in lines) for name in (lines[0] if lines else ())}
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, processor, after.ru_maxrss / 1024, counts, (done.stdout.strip().splitlines() or [""])[-1].strip("= "))


def conditions() -> str:
    """The machine, in a line."""
    from importlib import metadata

    versions = f"Python {platform.python_version()}, torch {metadata.version('torch')}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {versions}, load {os.getloadavg()[0]:.1f} at the end"
