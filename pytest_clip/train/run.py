"""`pytest-clip train NAME`: pool, loop and export of one recipe."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import ClipError
from ..extract import children
from ..store import writing
from .export import export, preprocess_config
from .hardened import Hardened
from .loop import train
from .loss import Classes, Objective
from .pool import Pool, place, token_ids
from .recipe import CONTEXT, Recipe, named
from .towers import Words, build, headed


def start_renderer(recipe: Recipe, folder: Path, *, size: int) -> subprocess.Popen[bytes]:
    """The process that fills the pool; it keeps the memory it has, as in `extract.pixels`."""
    keep = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "OMP_NUM_THREADS": "1"}
    job = {"folder": str(folder), "kind": recipe.scenes, "seed": recipe.seed, "size": size, "words": recipe.words}
    return subprocess.Popen(children.command("pytest_clip.train.pool", json.dumps(job)), env={**os.environ, **keep})


def bundled_state(name: str, ids: np.ndarray) -> dict[str, torch.Tensor]:
    """Weights of a bundled checkpoint with the token rows `ids` only."""
    from ..models import bundled, compact

    state, _ = compact.unpack(bundled.path(name).read_bytes())
    state["token_embedding.weight"] = state["token_embedding.weight"][torch.from_numpy(ids)]
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


@contextmanager
def pictures(recipe: Recipe, cache: Path) -> Iterator[Pool]:
    """The pool of a recipe with as many pictures as the first step wants; a renderer adds the rest as long as the context is open."""
    folder, size = place(cache, recipe)
    pool = Pool.at(folder, size=size, mode="r+" if (folder / "filled").is_file() else "w+")
    renderer = start_renderer(recipe, folder, size=size)
    try:
        while int(pool.filled[0]) < recipe.first_images:
            if renderer.poll() is not None and int(pool.filled[0]) < recipe.first_images:
                raise ClipError(f"the rendering process ended early with status {renderer.returncode}; its error is above")
            time.sleep(1)
        yield pool
    finally:
        renderer.kill()
        renderer.wait()


def run(name: str, *, out: Path, cache: Path, seed: int = 0, log: Callable[[str], None] = print) -> Path:
    """Train recipe `name`; writes OUT/state.pt (weights, curve) as it goes, then OUT/NAME.safetensors and .json, and returns the former.

    The pool of pictures lies in the cache: recipes that differ in something else read the same one.
    """
    recipe = named(name, seed=seed)
    torch.set_num_threads(1)
    # On a CPU the backward pass of flash attention takes half of a step of the text tower.
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    out.mkdir(parents=True, exist_ok=True)
    with pictures(recipe, cache) as pool:
        fit(recipe, pool, out=out, log=log)
    return export(torch.load(out / "state.pt", weights_only=True), recipe, out=out, cache=cache)


def fit(recipe: Recipe, pool: Pool, *, out: Path, log: Callable[[str], None]) -> None:
    """Build the model, train it from the pool and keep its state in OUT/state.pt."""
    ids = token_ids(recipe.words)
    torch.manual_seed(recipe.initial_seed)
    model = build(recipe.model, vocabulary=len(ids))
    if recipe.start is not None:
        model.load_state_dict(bundled_state(recipe.start, ids))
    words, kept = Words(ids, context=CONTEXT), {"ids": torch.from_numpy(ids)}
    config = preprocess_config()
    mean, std = (torch.tensor(config[k]).view(3, 1, 1) for k in ("mean", "std"))
    objective: Objective | Classes | Hardened
    if recipe.attack:
        objective = Hardened(model, recipe, mean=mean, std=std)
    elif recipe.head:
        model = headed(model, words)
        kept["start"] = model.head.weight.detach().clone()
        objective = Classes(model)
    else:
        objective = Objective(model, recipe, words, teacher=None if recipe.teacher is None else taught(model, recipe.teacher, ids))

    def save(average: dict[str, torch.Tensor], curve: list[dict[str, float]]) -> None:
        with writing(out / "state.pt") as part:
            torch.save({"weights": average, "curve": curve, **kept}, part)

    train(model, recipe, pool, objective=objective, mean=mean, std=std, log=log, save=save)


def taught(model: Any, teacher: str, ids: np.ndarray) -> Any:
    """The bundled model `teacher`, ready to embed; `model` takes over its text tower and logit scale, which stay as they are."""
    from ..models import bundled, compact

    state, (_, config) = bundled_state(teacher, ids), compact.unpack(bundled.path(teacher).read_bytes())
    other = build(config["model_cfg"], vocabulary=len(ids))
    other.load_state_dict(state)
    text = {k: v for k, v in state.items() if not k.startswith("visual.")}
    kept = model.load_state_dict(text, strict=False)
    if kept.unexpected_keys or any(not k.startswith("visual.") for k in kept.missing_keys):
        raise ClipError(f"the text tower of {teacher} does not fit the recipe's: {kept.unexpected_keys or kept.missing_keys}")
    for key, weight in model.named_parameters():
        weight.requires_grad_(key.startswith("visual."))
    return other.eval()
