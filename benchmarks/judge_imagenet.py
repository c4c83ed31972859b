"""What is left of a run when all answers are stored: seconds and memory of judging them, on data of the size of ImageNet or on own data.

A generated tree (file names and labels are real, pictures are tiny: none is decoded once answers are stored) and a tiny random CLIP. A
first run (`-p answering`) stores random answers of 512 numbers by the store's own functions; what is measured is the plain `pytest` after
it, each time in a process of its own: wall and processor seconds, the process's largest resident memory, whether it imported torch, and
pictures and texts that went through a model (none). `--layout=imagenet` is `--images` of `clean` in 1,000 classes with 80 templates, each
other member of the family at most `--others` images; `--layout=own` class folders (`--classes`) with a set of unknown images beside.
`--keep=DIR` leaves tree and answers there for the next call. `--profile=FILE` writes cProfile's statistics of a further run.
Usage: python benchmarks/judge_imagenet.py [--layout=own] [--images=N] [--others=N] [--times=3] [--keep=DIR] [-- OPTIONS OF PYTEST]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from answering import DIMENSION
from imagenet_sized import TINY, tiny
from PIL import Image
from shared import conditions, surroundings

from pytest_clip.data.imagenet import factors, facts, signs

OUTSIDE = ("inaturalist", "sun", "places", "textures", "imagenet-o", "ninco/NINCO_OOD_classes", "ood/a", "ood/b", "ood/c", "ood/d", "ood/e")
MARKED = 46_110
"""Validation images that ImageNet-X has marks of; here each has one at random."""


class Painter:
    """Tiny pictures under real names, each with bytes of its own."""

    def __init__(self) -> None:
        with io.BytesIO() as out:
            Image.fromarray(np.full((16, 16, 3), 128, np.uint8)).save(out, "JPEG")
            self._bytes, self._made = out.getvalue(), 0

    def __call__(self, path: Path) -> None:
        self._made += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._bytes + self._made.to_bytes(4, "big"))  # what follows the end of a JPEG is not looked at


def family(root: Path, *, images: int, others: int) -> None:
    """The ImageNet family: `images` of the validation set, at most `others` of each other member."""
    paint, wnids, maps = Painter(), facts.wnids(), facts.maps()
    rng, names = np.random.default_rng(0), [f"ILSVRC2012_val_{k + 1:08d}.JPEG" for k in range(images)]
    for k, name in enumerate(names):
        paint(root / "val" / wnids[k % 1000] / name)
    folders = {f"imagenetv2-{one}-format-val": list(map(str, range(1000))) for one in ("matched-frequency", "threshold0.7", "top-images")}
    folders |= {"imagenet-sketch": list(wnids)}
    folders |= {name: [wnids[k] for k in maps[name.replace("-", "_")]] for name in ("imagenet-r", "imagenet-a")}
    folders |= {"objectnet-1.0/images": list(facts.groups("objectnet"))}
    folders |= {f"imagenet-d/{one}": list(facts.groups("imagenet_d")) for one in signs.NUISANCES}
    for place, classes in folders.items():
        for k in range(max(others, len(classes))):
            paint(root / place / classes[k % len(classes)] / f"{k:06d}.JPEG")
    for place in OUTSIDE:
        for k in range(others):
            paint(root / place / wnids[k % 200] / f"{k:06d}.JPEG")
    marked = rng.permutation(images)[: MARKED * images // 50_000]
    one = {k: factors.FACTORS[at] for k, at in zip(marked.tolist(), rng.integers(len(factors.FACTORS), size=len(marked)), strict=True)}
    lines = [
        {"file_name": names[k], "class": k % 1000, "justification": None, "one_word": "x", **{f: int(f == one[k]) for f in factors.FACTORS}}
        for k in marked.tolist()
    ]
    (root / "imagenet-x").mkdir()
    (root / "imagenet-x" / "imagenet_x_val_top_factor.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "imagenet-x" / "prototypical_paths.csv").write_text("file_name\n")


def own(root: Path, *, images: int, others: int, classes: int) -> None:
    """Class folders, and `others` images of none of them."""
    paint = Painter()
    for k in range(images):
        paint(root / facts.wnids()[k % classes] / f"{k:06d}.jpg")
    for k in range(others):
        paint(root / "ood" / "unknown" / f"{k:06d}.jpg")
    (root / "classnames.txt").write_text("".join(f"{one}\n" for one in distinct(classes)))


def distinct(n: int) -> list[str]:
    from pytest_clip.data.prompts import published

    return list(dict.fromkeys(published().IMAGENET_CLASSNAMES))[:n]


@dataclass(frozen=True)
class Judged:
    wall: float
    processor: float
    memory: float
    """MB, the most that was resident"""
    counts: dict[str, int]
    last: str


def judged(*options: str, folder: Path, plugin: str = "counting", profile: Path | None = None) -> Judged:
    """A process of `pytest OPTIONS`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    calls = folder / "calls.jsonl"
    calls.unlink(missing_ok=True)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**surroundings(), "PYTHONPATH": path, "COUNTED_CALLS": str(calls)}
    profiled = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
    command = [sys.executable, *profiled, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", plugin, *options]
    began = time.perf_counter()
    with (folder / "said.txt").open("w") as said:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
    wall, text = time.perf_counter() - began, (folder / "said.txt").read_text()
    if os.waitstatus_to_exitcode(status) not in (0, 1):  # random answers fail gates
        sys.exit(text)
    counts = json.loads(calls.read_text().splitlines()[-1]) if calls.exists() else {}
    return Judged(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, counts, text.strip().splitlines()[-1].strip("= "))


def told(name: str, one: Judged) -> str:
    return f"  {name}: {one.wall:.1f} s, {one.processor:.1f} s of processor time, {one.memory:.0f} MB; {one.last}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--layout", choices=("imagenet", "own"), default="imagenet")
    parser.add_argument("--images", type=int)
    parser.add_argument("--others", type=int)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("more", nargs="*", metavar="OPTIONS", help="after --")
    args = parser.parse_args()
    size = {"images": args.images or {"imagenet": 50_000, "own": 20_000}[args.layout], "others": args.others or 1000}
    with contextlib.nullcontext(args.keep) if args.keep else tempfile.TemporaryDirectory() as place:
        root = Path(place).absolute() / f"{args.layout}-{size['images']}-{size['others']}-{args.classes}"
        data, model = root / "data", f"local-dir:{root / 'tiny'}"
        if not data.exists():
            (family if args.layout == "imagenet" else own)(data, **size, **({} if args.layout == "imagenet" else {"classes": args.classes}))
            tiny(root / "tiny", config={**TINY, "embed_dim": DIMENSION}, logit_scale=100.0)
        given = (f"--clip-model={model}", f"--clip-data={data}", f"--clip-cache-dir={root / 'cache'}", *args.more)
        stored = judged(*given, folder=root / "project", plugin="answering")
        print(told("run that stores answers", stored), flush=True)
        runs = [judged(*given, folder=root / "project") for _ in range(args.times)]
        for k, one in enumerate(runs):
            print(told(f"judged, {k + 1}", one), flush=True)
        if args.profile:
            judged(*given, folder=root / "project", profile=args.profile.absolute())
    if not runs:
        return
    wall, processor = (statistics.median(getattr(one, what) for one in runs) for what in ("wall", "processor"))
    size_told = f"{size['images']} images, others at most {size['others']}"
    print(f"judge_imagenet: {args.layout}, {size_told}: {wall:.1f} s, {processor:.1f} s of processor time ", end="")
    print(f"(medians of {len(runs)}), {max(one.memory for one in runs):.0f} MB")
    counts, torch = runs[-1].counts, "yes" if runs[-1].counts["torch"] else "no"
    print(f"  torch imported: {torch}; {counts['images']} images and {counts['texts']} texts went through a model, ", end="")
    print(f"{counts['decoded']} pictures were decoded; {conditions()}")


if __name__ == "__main__":
    main()
