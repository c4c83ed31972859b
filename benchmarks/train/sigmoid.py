"""Where the sigmoid loss should begin: short trainings from several logit scales and biases, and the softmax loss beside them.

    python benchmarks/train/sigmoid.py [--steps=400] [--cache-dir=DIR]

Prints top-1 on `clean` and `typical` and where scale and bias went. The recipe takes the pair with the highest top-1 on `typical`, which is
no set that the study of the family compares on.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

import torch

from pytest_clip.session.settings import default_cache_dir
from pytest_clip.train import run
from pytest_clip.train.export import evaluate, write_weights
from pytest_clip.train.pool import Pool, place
from pytest_clip.train.recipe import RECIPES, Recipe

BEGINNINGS = ((10.0, -10.0), (10.0, -5.0), (14.3, -5.0))
"""Scale and bias: as published for batches of 32 k, with the bias of a batch of 128, and with CLIP's own scale."""


def recipes(steps: int) -> list[Recipe]:
    """The softmax recipe and the sigmoid one from each beginning, cut short."""
    soft, sigmoid = RECIPES["scenes-rn-base"], RECIPES["scenes-rn-siglip"]
    short = [replace(soft, name="softmax", steps=steps)]
    for scale, bias in BEGINNINGS:
        model = {**sigmoid.model, "init_logit_scale": math.log(scale), "init_logit_bias": bias}
        short.append(replace(sigmoid, name=f"sigmoid-{scale:g}{bias:g}", model=model, steps=steps))
    return short


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    for recipe in recipes(args.steps):
        folder, size = place(args.cache_dir, recipe)
        if not (folder / "filled").is_file():
            raise SystemExit("the pool is not there; run `pytest-clip train scenes-rn-base` first")
        out = args.cache_dir / "training" / "sigmoid"
        out.mkdir(parents=True, exist_ok=True)
        run.fit(recipe, Pool.at(folder, size=size, mode="r+"), out=out, log=lambda line: None)
        state = torch.load(out / "state.pt", weights_only=True)
        write_weights(state, recipe, out / f"{recipe.name}.safetensors")
        scores, bias = evaluate(out / f"{recipe.name}.safetensors", cache=args.cache_dir), state["weights"].get("logit_bias")
        print(
            f"{recipe.name:16} clean {scores['top1_clean']:.3f} typical {scores['top1_typical']:.3f} "
            f"scale {scores['logit_scale']:.1f} bias {'none' if bias is None else f'{float(bias):.2f}'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
