"""`pytest-clip train scenes-llava`: pictures, features, projector, language model, and the folder and card that ship."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ...data.scenes.load import code_version
from ...store import writing
from ..pool import place
from ..run import pictures
from . import features
from .align import align
from .fit import fit, scenes_of
from .measure import measure, prepare, quick
from .model import build, write
from .recipe import LlavaRecipe, drawn

MEASURED = 950
"""Images of `clean` behind the card: 50 of each class."""


def run(*, out: Path, cache: Path, seed: int = 0, log: Callable[[str], None] = print) -> Path:
    """Train; writes OUT/state.pt as it goes, then OUT/NAME/ and OUT/NAME.json, and returns the folder."""
    recipe = drawn(seed)
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.initial_seed)
    model = build(recipe)
    with pictures(recipe.pictures, cache) as pool:
        folder, _ = place(cache, recipe.pictures)
        kept = features.compute(model.model.vision_tower, pool, recipe, out=features.place(folder, recipe))
        aligned = align(model.model.multi_modal_projector, kept, pool.facts, recipe, log=log)

    def save(average: dict[str, torch.Tensor], curve: list[dict[str, float]]) -> None:
        with writing(out / "state.pt") as part:
            torch.save({"weights": average, "curve": curve}, part)

    curve = fit(model, recipe, kept, scenes_of(recipe, len(kept)), log=log, save=save)
    return export(model, recipe, out=out, cache=cache, aligned=aligned, curve=curve, log=log)


def export(
    model: Any, recipe: LlavaRecipe, *, out: Path, cache: Path, aligned: dict[str, float], curve: list[dict[str, float]],
    log: Callable[[str], None],
) -> Path:  # fmt: skip
    """Write OUT/NAME/ and its card beside it; returns the folder."""
    folder = out / recipe.name
    write(model, folder)
    asking = prepare(recipe.tower, cache=cache, limit=MEASURED)
    shift = recipe.seed - drawn(0).seed
    record = {
        "name": recipe.name, "command": f"pytest-clip train {recipe.name}" + (f" --seed {shift}" if shift else ""),
        "recipe": asdict(recipe), "renderer": code_version(), "torch": torch.__version__,
        "minutes": curve[-1]["minutes"], "processor_minutes": curve[-1]["processor_minutes"],
        "metrics": measure(folder, asking, log=log), "sample": quick(folder, asking), "projector": aligned, "curve": curve,
    }  # fmt: skip
    (out / f"{recipe.name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return folder
