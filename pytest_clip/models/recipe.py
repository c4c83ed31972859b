"""What a model is built from, and what is kept of where that came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """What open_clip needs for one model; `weights` is None for random ones, `published` says that open_clip vouches for the file.

    `tokenizer` is an architecture of open_clip, `local-dir:DIR` or `hf-hub:ORG/NAME`; "config:" says that `model_cfg` tells all.
    `image_size` is forced upon a tower that is built at another one, as open_clip's trainer does.
    """

    architecture: str
    pretrained: str
    model_cfg: dict[str, Any]
    preprocess_cfg: dict[str, Any]
    weights: Path | None
    tokenizer: str
    published: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    image_size: int | list[int] | None = None
