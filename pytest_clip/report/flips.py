"""Pictures for a person: what the model saw before and after a change, where its answer differed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from torch import Tensor


def keep(folder: Path, before: Tensor, after: Tensor, told: Sequence[Mapping[str, object]]) -> None:
    """Write `NNN.png`, before beside after, for each pair of uint8 [n, 3, h, w], and `flips.json` with what is `told` about each."""
    import torch
    from PIL import Image

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k, (one, other) in enumerate(zip(before.cpu(), after.cpu(), strict=True)):
            Image.fromarray(torch.cat([one, other], dim=-1).permute(1, 2, 0).numpy()).save(folder / f"{k:03d}.png")
        rows = [{"picture": f"{k:03d}.png", **facts} for k, facts in enumerate(told)]
        (folder / "flips.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    except OSError as error:
        raise ClipError(
            f"cannot write pictures to {folder} ({error}); free space, or choose another place with --clip-cache-dir=DIR"
        ) from error
