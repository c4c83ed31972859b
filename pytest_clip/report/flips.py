"""Pictures for a person: what the model saw before and after a change, where its answer differed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from torch import Tensor


TOLD = "flips.json"


def there(folder: Path, told: Sequence[Mapping[str, object]]) -> bool:
    """Whether `folder` holds what `keep` would write, so that no picture has to be made again."""
    try:
        held = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(held == _rows(told)) and all((folder / row["picture"]).is_file() for row in held)


def _rows(told: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{"picture": f"{k:03d}.png", **facts} for k, facts in enumerate(told)]


def keep(folder: Path, before: Tensor, after: Tensor, told: Sequence[Mapping[str, object]]) -> None:
    """Write `NNN.png`, before beside after, for each pair of uint8 [n, 3, h, w], and `flips.json` with what is `told` about each."""
    import torch
    from PIL import Image

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k, (one, other) in enumerate(zip(before.cpu(), after.cpu(), strict=True)):
            Image.fromarray(torch.cat([one, other], dim=-1).permute(1, 2, 0).numpy()).save(folder / f"{k:03d}.png")
        (folder / TOLD).write_text(json.dumps(_rows(told), indent=1), encoding="utf-8")
    except OSError as error:
        raise ClipError(
            f"cannot write pictures to {folder} ({error}); free space, or choose another place with --clip-cache-dir=DIR"
        ) from error
