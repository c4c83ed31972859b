"""What the frozen tower says of the pool's pictures: computed once, kept in fp16."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...models import bundled
from ..export import preprocess_config
from ..pool import Pool
from .recipe import LlavaRecipe
from .tower import patches

BATCH = 190


def place(folder: Path, recipe: LlavaRecipe) -> Path:
    """Beside the pool at `folder`, for this tower's very weights and the layer that is read."""
    digest = hashlib.sha256(bundled.path(recipe.tower).read_bytes()).hexdigest()[:16]
    return folder.with_name(f"{folder.name}-{recipe.tower}-{digest}-layer{recipe.layer}")


def compute(tower: Any, pool: Pool, recipe: LlavaRecipe, *, out: Path) -> NDArray[np.float16]:
    """fp16 [pictures of the pool that are there, patches, width]; goes on where another run was killed."""
    out.mkdir(parents=True, exist_ok=True)
    config = preprocess_config()
    mean, std = (torch.tensor(config[k]).view(3, 1, 1) for k in ("mean", "std"))
    vision = tower.config
    shape = (len(pool.pixels), (vision.image_size // vision.patch_size) ** 2, vision.hidden_size)
    mode: Any = "r+" if (out / "done").is_file() else "w+"
    kept = np.memmap(out / "features", np.float16, mode=mode, shape=shape)
    done = np.memmap(out / "done", np.int64, mode=mode, shape=(1,))
    while (start := int(done[0])) < int(pool.filled[0]):
        pixels = torch.from_numpy(np.array(pool.pixels[start : min(start + BATCH, int(pool.filled[0]))]))
        images = (pixels.permute(0, 3, 1, 2).float().div_(255) - mean) / std
        kept[start : start + len(pixels)] = patches(tower, images, layer=recipe.layer).half().numpy()
        done[0] = start + len(pixels)
    return kept[: int(done[0])]
