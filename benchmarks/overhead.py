"""What a run costs beyond its forward passes: wall time of `pytest --clip-suite=accuracy` over that of the bare forward passes.

A random-weight ViT-B-32 on a folder of generated 500 x 375 JPEGs, fp32, same batch size and thread count on both sides, nothing cached.
The bare side runs the same images, already preprocessed and in memory, through encode_image. Prints the ratio for the whole process
(interpreter, imports, model, decoding, statistics and reports included) and for the process less the time to its first forward pass.
Usage: python benchmarks/overhead.py [IMAGES] [BATCH]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pytest_clip.models import openclip, spec

MODEL = "ViT-B-32,random"


def make_folder(folder: Path, *, images: int) -> list[Path]:
    """Ten class folders of JPEGs: smooth noise, so that decoding costs what it costs for photographs."""
    rng, out = np.random.default_rng(0), []
    for i in range(images):
        path = folder / f"class_{i % 10}" / f"{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        small.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)
        out.append(path)
    return out


def bare(paths: list[Path], *, batch: int, cache: Path) -> float:
    """Seconds of the forward passes alone."""
    model = openclip.load(spec.parse(MODEL), cache_dir=cache)
    total = 0.0
    model.encode_image(torch.zeros(batch, 3, 224, 224))
    for i in range(0, len(paths), batch):
        ready = torch.stack([model.preprocess(Image.open(p)) for p in paths[i : i + batch]])
        began = time.perf_counter()
        model.encode_image(ready)
        total += time.perf_counter() - began
    return total


def whole(folder: Path, *, batch: int, suite: str) -> float:
    """Seconds of a whole pytest run."""
    command = [sys.executable, "-m", "pytest", f"--clip-model={MODEL}", f"--clip-data={folder}", f"--clip-suite={suite}", "--clip-no-cache"]
    began = time.perf_counter()
    done = subprocess.run([*command, f"--clip-batch-size={batch}", "-q"], capture_output=True, text=True)
    if done.returncode not in (0, 1):  # a random model may fail its gates; anything else is no measurement
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - began


def main() -> None:
    images, batch = (int(a) for a in (sys.argv[1:3] + ["1000", "64"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        paths = make_folder(root / "images", images=images)
        few = root / "few"
        make_folder(few, images=20)
        start_up = whole(few, batch=batch, suite="accuracy")
        forward = bare(paths, batch=batch, cache=root / "cache")
        run = whole(root / "images", batch=batch, suite="accuracy")
    print(f"overhead: {run / forward:.3f} x the forward passes; {(run - start_up) / forward:.3f} x without start-up")
    print(f"  run {run:.1f} s, forward passes {forward:.1f} s, a run of 20 images {start_up:.1f} s")
    print(f"  {images} JPEGs 500 x 375, batch {batch}, fp32, {torch.get_num_threads()} threads")
    print(f"  {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}")


if __name__ == "__main__":
    main()
