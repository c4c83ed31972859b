"""Which architectures of open_clip a checkpoint fits, told from the names and shapes of its tensors. Light: a table holds the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pytest_clip.models.listing import architectures

TABLE = Path(__file__).with_name("known.json")
"""Made by `python benchmarks/models/known.py` from open_clip itself."""
HARMLESS = ("attn_mask", "position_ids", "num_batches_tracked")
"""Never part of what a model computes: masks and position indices that newer versions rebuild, counters of batch norm."""
_LOOSE = ("logit_scale", "logit_bias")
"""Of one number each, stored as [] or [1]; a bias is taken from the file where there is one."""

State = Mapping[str, Sequence[int]]


def fitting(state: State) -> tuple[str, ...]:
    """The architectures whose weights have just these names and shapes, in the order of `pytest-clip models`."""
    apart = any(key.startswith("text.") for key in state)
    wanted, bias = digest(state), "logit_bias" in state
    there = _table()
    return tuple(
        name
        for name in architectures()
        if name in there and there[name]["digest"] == wanted and (bias or not there[name]["bias"]) and (not apart or there[name]["apart"])
    )


def entry(state: State) -> dict[str, Any]:
    """What the table says of an architecture: `apart` where its text tower is a module of its own, `bias` where it has a logit bias."""
    return {"digest": digest(state), "apart": any(key.startswith("text.") for key in state), "bias": "logit_bias" in state}


def digest(state: State) -> str:
    """Of names and shapes, wherever the text tower lies and however scalars are stored."""
    kept = sorted(
        [key.removeprefix("text."), *([] if key in _LOOSE else map(int, shape))]
        for key, shape in state.items()
        if key != "logit_bias" and not key.endswith(HARMLESS)
    )
    return sha256(json.dumps(kept).encode()).hexdigest()[:16]


@cache
def _table() -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return told


def dimensions(state: State) -> str:
    """What tells one architecture from another, in words; empty where nothing of it is there."""
    text = {key.removeprefix("text."): tuple(shape) for key, shape in state.items() if not key.startswith("visual.")}
    image = {key.removeprefix("visual."): tuple(shape) for key, shape in state.items() if key.startswith("visual.")}
    told = []
    if first := image.get("conv1.weight"):
        resnet = "attnpool.c_proj.weight" in image
        size = "" if resnet else f"patches of {first[-1]}, "
        layers = "-".join(str(_layers(image, f"layer{at}.")) for at in (1, 2, 3, 4)) if resnet else _layers(image, "transformer.resblocks.")
        positions = image.get("positional_embedding") or image.get("attnpool.positional_embedding") or ("no",)
        told.append(f"image tower of {size}width {first[0] * 2 if resnet else first[0]}, {layers} layers, {positions[0]} positions")
    elif image:
        told.append(f"image tower of {'timm, ' if any(key.startswith('trunk.') for key in image) else ''}{len(image)} tensors")
    if tokens := text.get("token_embedding.weight"):
        context = text.get("positional_embedding", ("no",))[0]
        layers = _layers(text, "transformer.resblocks.")
        told.append(f"text tower of width {tokens[1]}, {layers} layers, {tokens[0]:,} tokens, context of {context}")
    elif any(key.startswith("transformer.") for key in text):
        told.append("text tower of Hugging Face")
    if (joint := text.get("text_projection")) or (joint := text.get("text_projection.weight", ())[::-1]):
        told.append(f"embeddings of {joint[-1]}")
    return "; ".join(told)


def _layers(state: State, prefix: str) -> int:
    return len({key.removeprefix(prefix).partition(".")[0] for key in state if key.startswith(prefix)})
