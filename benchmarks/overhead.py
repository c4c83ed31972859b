"""What a run costs beyond its forward passes: wall time of `pytest --clip-suite=accuracy` over that of the bare forward passes.

A random-weight ViT-B-32 on a folder of generated 500 x 375 JPEGs, fp32, same batch size and thread count on both sides, nothing cached.
The bare side runs the same images, already preprocessed and in memory, through encode_image: once, and with `--views` twenty times, of
which the time of 76 follows, since a run passes them once more for each of the 75 corrupted views. Prints the ratio for the whole process
(interpreter, imports, model, decoding, statistics and reports included) and for the process less a run of 20 images (2 with `--views`).
Usage: python benchmarks/overhead.py [IMAGES] [BATCH] [--views]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image
from shared import MODEL, conditions, make_folder, run

from pytest_clip.models import openclip, spec
from pytest_clip.views import IMAGENET_C, SEVERITIES


def bare(paths: list[Path], *, batch: int, repeats: int, cache: Path) -> float:
    """Seconds of one pass of all images through the model, on average over `repeats`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = openclip.load(spec.parse(MODEL), device=device, cache_dir=cache)
    total = 0.0
    model.encode_image(torch.zeros(batch, 3, 224, 224))
    for i in range(0, len(paths), batch):
        ready = torch.stack([model.preprocess(Image.open(p)) for p in paths[i : i + batch]])
        began = time.perf_counter()
        for _ in range(repeats):
            model.encode_image(ready)
        total += time.perf_counter() - began
    return total / repeats


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="?", type=int, default=1000)
    parser.add_argument("batch", nargs="?", type=int, default=64)
    parser.add_argument("--views", action="store_true")
    args = parser.parse_args()
    suites = "accuracy,corruptions" if args.views else "accuracy"

    def whole(images: Path, number: int, cache: Path) -> float:
        given = (f"--clip-model={MODEL}", f"--clip-data={images}", f"--clip-suite={suites}", f"--clip-batch-size={args.batch}")
        options = f"clip_corruption_images = {number}\n"
        return run(*given, f"--clip-cache-dir={cache}", folder=cache / "project", options=options).wall

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        paths = make_folder(root / "images", images=args.images)
        few = 2 if args.views else 20
        make_folder(root / "few", images=few)
        start_up = whole(root / "few", few, root / "a")
        passes = 1 + args.views * len(IMAGENET_C) * len(SEVERITIES)
        forward = bare(paths, batch=args.batch, repeats=min(passes, 20), cache=root / "cache") * passes
        took = whole(root / "images", args.images, root / "b")
    print(f"overhead: {took / forward:.3f} x the forward passes; {(took - start_up) / forward:.3f} x without start-up")
    print(f"  run {took:.1f} s, forward passes {forward:.1f} s ({passes} of {args.images} images), a run of {few} images {start_up:.1f} s")
    print(f"  JPEGs 500 x 375, batch {args.batch}, fp32, {torch.get_num_threads()} threads of {os.cpu_count()}; {conditions()}")


if __name__ == "__main__":
    main()
