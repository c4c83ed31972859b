"""A run on data of the size and layout of ImageNet's validation set: seconds, images a second and memory, cold and warm.

1,000 class folders of generated 500 x 375 JPEGs. `--model=tiny` is a random CLIP of 224 pixels, width 64 and two layers, so that on a
machine without GPU the work around a model is measured and not its forward passes; with a GPU: `--images=50000 --model=ViT-B-32,random`.
`--plot=PATH` draws the resident memory of both runs over time, without the pages of mapped files (Linux). `--data=DIR` keeps the pictures.
Usage: python benchmarks/imagenet_sized.py [--images=5000] [--model=NAME] [--prompts=NAME] [--data=DIR] [--plot=PATH] [-- OPTIONS OF PYTEST]
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from memory import draw, sampled
from PIL import Image
from shared import Run, conditions

from pytest_clip.data.imagenet import facts

SIZE = (500, 375)
TINY = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 224, "patch_size": 32, "width": 64, "layers": 2, "head_width": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2},
}


def val(root: Path, *, images: int) -> Path:
    """`root`/val with images of every class in turn, smooth noise that costs what photographs cost; made once."""
    rng, wnids = np.random.default_rng(0), facts.wnids()
    for k in range(images):
        path = root / "val" / wnids[k % len(wnids)] / f"ILSVRC2012_val_{k + 1:08d}.JPEG"
        small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            small.resize(SIZE, Image.Resampling.BICUBIC).save(path, quality=90)
    return root


def tiny(folder: Path, *, config: Mapping[str, Any] = TINY, logit_scale: float | None = None) -> str:
    """A random CLIP as a `local-dir:`."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    weights = open_clip.CLIP(**config).state_dict()
    if logit_scale is not None:
        weights["logit_scale"].fill_(math.log(logit_scale))
    save_file(weights, folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def told(name: str, one: Run, *, images: int, peak: float) -> str:
    speed = f"{images / one.wall:.0f} images/s"
    return f"  {name}: {one.wall:.1f} s, {one.processor:.1f} s of processor time, {speed}, {peak:.0f} MB at most; {one.last}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--prompts", default="openai")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("more", nargs="*", metavar="OPTIONS", help="after --")
    args = parser.parse_args()
    runs, curves = {}, {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data = val(args.data or root / "imagenet", images=args.images)
        model = tiny(root / "tiny") if args.model == "tiny" else args.model
        given = (f"--clip-model={model}", f"--clip-data={data}", f"--clip-prompts={args.prompts}", "--clip-suite=accuracy,calibration")
        for which in ("cold", "warm"):
            runs[which], curves[which] = sampled(*given, f"--clip-cache-dir={root / 'cache'}", *args.more, folder=root / "project")
    print(f"imagenet_sized: {args.images} images of {SIZE[0]} x {SIZE[1]} in 1000 classes, {args.model}, prompts {args.prompts}")
    for which, one in runs.items():
        print(told(which, one, images=args.images, peak=max((size for _, size in curves[which]), default=one.memory)))
    print(f"  {conditions()}")
    if args.plot is not None:
        draw(curves, args.plot)
        print(f"  wrote {args.plot}")


if __name__ == "__main__":
    main()
