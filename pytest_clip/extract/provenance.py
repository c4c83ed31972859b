"""What answers depend on besides pictures and texts: the model, and what runs it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..models import door

if TYPE_CHECKING:
    from ..models.protocol import ClipModel


def answered_by(model: ClipModel) -> dict[str, Any]:
    """What answers depend on in the model and what runs it; ModelError for a model that is not what the protocol asks for."""
    door.check(model)
    facts = getattr(model, "facts", {})
    passes = {key: facts.get(key, usual) for key, usual in (("memory_format", "contiguous"), ("compiled", False))}  # the last bits differ
    return {"model": model.fingerprint, "device": model.device.partition(":")[0], **passes, **versions()}


@cache
def versions() -> dict[str, str]:
    """What runs models. Asked once: finding a version takes 3 ms, and a run of all suites asks 1,300 times."""
    from importlib import metadata

    return {name: metadata.version(name) for name in ("torch", "torchvision", "open_clip_torch", "pillow")}
