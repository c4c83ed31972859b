"""What a new checkpoint costs on known data beyond its forward passes: what CI does every day. And how fast pictures come to a model.

Pictures (500 x 375 JPEGs) are in the pixel store, put there by a run of another model of the same input. Then `pytest --clip-suite=
accuracy,calibration` with a random ViT-B-32 that nobody has asked before: processor seconds of the whole process over those that its
threads spent inside the model (`-p passes`), which stay comparable on a busy machine. A second run on few images gives the part that does
not grow with images.

`--feed` instead: a model that costs nothing, fed by the product from the pixel store and from JPEGs, beside `Image.open().convert("RGB")`
and that plus the model's resize alone; each in turn, `--times` times, medians of processor seconds an image, for 1 and 2 threads.
Usage: python benchmarks/new_checkpoint.py [IMAGES] [--few=N] [--feed] [--times=5]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from imagenet_sized import tiny
from shared import MODEL, conditions, make_folder, surroundings

SUITES = "accuracy,calibration"
GPU = (3_000, 10_000)
"""Images/s of a card for which the table says how many cores feed it."""


def run(*options: str, folder: Path) -> tuple[float, float, dict[str, float]]:
    """Wall and processor seconds of a `pytest` process, and what its threads spent inside the model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    said = folder / "passes.jsonl"
    said.unlink(missing_ok=True)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "passes", f"--clip-suite={SUITES}", *options]
    done = subprocess.run(
        command, cwd=folder, env={**surroundings(), "PYTHONPATH": path, "PASSES": str(said)}, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):  # a random model fails its gates
        sys.exit(done.stdout + done.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(said.read_text().splitlines()[-1])


def checkpoint(images: int, few: int, root: Path) -> None:
    """The ratio for `images`, and the cost that a run of `few` has, too."""
    other, found = tiny(root / "tiny"), {}
    for n in (few, images):
        data = root / f"images-{n}"
        if not data.exists():
            make_folder(data, images=n)
        given = (f"--clip-data={data}", f"--clip-cache-dir={root / f'cache-{n}'}")
        run(f"--clip-model={other}", *given, folder=root / "project")
        found[n] = run(f"--clip-model={MODEL}", *given, folder=root / "project")
    for n, (wall, processor, spent) in found.items():
        inside = spent["image_seconds"] + spent["text_seconds"]
        what = f"{spent['images']} images, {spent['texts']} texts, {spent['threads']} threads a stream"
        print(f"  {n} images: {wall:.1f} s, {processor:.1f} s of processor time, of which in the model {inside:.1f} s ({what}): ", end="")
        print(f"{processor / inside:.3f} x, {processor - inside:.1f} s beside it")
    beside = {n: processor - spent["image_seconds"] - spent["text_seconds"] for n, (_, processor, spent) in found.items()}
    each = (beside[images] - beside[few]) / (images - few)
    a_pass = found[images][2]["image_seconds"] / images
    told = (beside[few] + each * (2000 - few) + a_pass * 2000) / (a_pass * 2000)
    print(f"new_checkpoint: {images} images {found[images][1] / (found[images][1] - beside[images]):.3f} x the forward passes; ", end="")
    print(
        f"a pass {1000 * a_pass:.0f} ms; beside it {1000 * each:.2f} ms an image and {beside[few]:.1f} s a run: 2,000 images {told:.3f} x"
    )


def feed(images: int, times: int, root: Path) -> None:
    """Images a second and core."""
    import torch
    from PIL import Image

    from pytest_clip.data import load
    from pytest_clip.extract.cores import Cores
    from pytest_clip.extract.embed import Batches, Local, Work
    from pytest_clip.extract.entry import Entry
    from pytest_clip.models import openclip, spec

    if not (root / "images").exists():
        make_folder(root / "images", images=images)
    model = openclip.load(spec.parse(tiny(root / "tiny")), device="cpu", cache_dir=root / "cache")
    rows = torch.nn.functional.normalize(torch.ones(4096, 64), dim=1)
    model.encode_image = lambda batch: rows[: len(batch)]
    data = load(str(root / "images"))
    known = data.images("clean")

    def fed(cache: Path, *, threads: int, keep: bool = True) -> None:
        entry = Entry(root / "answers", {"at": time.time_ns()}, len(known))
        Local(Batches(None, say=print), Cores(share=threads, streams=threads, renderers=0)).fill(
            entry, Work(model, known, cache, keep=keep)
        )

    def alone(*, resized: bool) -> None:
        for path in known.files or ():
            with Image.open(path) as image:
                picture = image.convert("RGB")
            if resized:
                model.resize(picture).numpy()

    fed(root / "store", threads=1)
    fresh = iter(range(10**6))
    ways: dict[str, Callable[[], None]] = {
        "decoding alone": lambda: alone(resized=False),
        "decoding and the model's resize alone": lambda: alone(resized=True),
    }
    for n in (1, 2):
        ways |= {
            f"from JPEGs, not stored, {n} threads": lambda n=n: fed(root / "none", threads=n, keep=False),
            f"from JPEGs, stored, {n} threads": lambda n=n: fed(root / f"fresh-{next(fresh)}", threads=n),
            f"from the pixel store, {n} threads": lambda n=n: fed(root / "store", threads=n),
        }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(times):
        for name, way in ways.items():
            torch.set_num_threads(1 if "alone" in name else int(name[-9]))
            began = time.process_time()
            way()
            took[name].append((time.process_time() - began) / images)
    median = {name: statistics.median(each) for name, each in took.items()}
    reference = median["decoding and the model's resize alone"]
    for name, each in median.items():
        cores = ", ".join(f"{speed:,}/s {speed * each:.1f}" for speed in GPU)
        print(f"  {name}: {1000 * each:.3f} ms, {1 / each:.0f} images/s and core, {reference / each:.2f} x; cores for {cores}")
    print(f"feed: {reference / median['from the pixel store, 1 threads']:.1f} x decoding and resizing from the pixel store, ", end="")
    print(f"{reference / median['from JPEGs, not stored, 1 threads']:.2f} x from JPEGs")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="?", type=int, default=200)
    parser.add_argument("--few", type=int, default=40)
    parser.add_argument("--feed", action="store_true")
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if args.feed:
            feed(args.images, args.times, Path(name))
        else:
            checkpoint(args.images, args.few, Path(name))
    print(f"  {conditions()}")


if __name__ == "__main__":
    main()
