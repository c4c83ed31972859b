"""The graphics cards that a process may use, told without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def visible_cards(environ: Mapping[str, str], proc: Path = Path("/proc/driver/nvidia/gpus")) -> list[str]:
    """The cards that the caller lets this process see.

    The caller's ``CUDA_VISIBLE_DEVICES`` is what is divided: a worker must not land on a card that was excluded.
    """
    named = environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [card.strip() for card in named.split(",") if card.strip()]
    try:
        return [str(at) for at, _ in enumerate(sorted(proc.iterdir()))]
    except OSError:
        return []
