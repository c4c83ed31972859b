"""The compact checkpoint format of the bundled models.

A small CLIP model is mostly token embedding: 49408 rows of which its captions use about a hundred. The file holds fp16 weights with the
used rows only (`token_rows` [k, width], `token_ids` [k] int32) and the open_clip config as JSON in the safetensors metadata. Expanded, the
other rows are zero: words that the model never saw carry no meaning either way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import safetensors
import torch
from safetensors.torch import load, save

from pytest_clip import ClipError

CONFIG_KEY = "open_clip_config"
_EMBEDDING = "token_embedding.weight"
_NOT_WEIGHTS = ("attn_mask",)


def pack(state: Mapping[str, torch.Tensor], token_ids: Sequence[int] | torch.Tensor, config: Mapping[str, Any]) -> bytes:
    """Compact file of an open_clip state dict; `config` is the content of open_clip_config.json (model_cfg, preprocess_cfg)."""
    embedding = _embedding_key(state)
    ids = torch.unique(torch.as_tensor(token_ids, dtype=torch.int64))
    rows = state[embedding].shape[0]
    if len(ids) and not 0 <= int(ids[0]) <= int(ids[-1]) < rows:
        raise ClipError(f"token ids must lie in 0..{rows - 1}, the embedding's rows; got {int(ids[0])}..{int(ids[-1])}")
    tensors = {key: _half(key, value) for key, value in state.items() if key != embedding and not key.endswith(_NOT_WEIGHTS)}
    tensors["token_rows"] = _half(embedding, state[embedding][ids])
    tensors["token_ids"] = ids.to(torch.int32)
    return save(tensors, metadata={CONFIG_KEY: json.dumps(config, sort_keys=True)})


def unpack(data: bytes) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The full fp16 state dict and the open_clip config of a compact file."""
    try:
        state, config = load(data), _config(data)
        text = config["model_cfg"]["text_cfg"]
        rows, ids = state.pop("token_rows"), state.pop("token_ids").long()
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ClipError(f"not a compact checkpoint ({type(error).__name__}: {error}); reinstall the package") from error
    vocabulary = int(text.get("vocab_size", 49408))
    if len(ids) != len(rows) or len(set(ids.tolist())) != len(ids) or (len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < vocabulary):
        raise ClipError(f"compact checkpoint: {len(rows)} token rows and ids {ids.tolist()[:5]}… do not fit a vocabulary of {vocabulary}")
    embedding = torch.zeros(vocabulary, rows.shape[1], dtype=rows.dtype)
    embedding[ids] = rows
    state[("text." if any(key.startswith("text.") for key in state) else "") + _EMBEDDING] = embedding
    return state, config


def pack_plain(state: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> bytes:
    """Compact file of a model without words: every tensor in fp16, the config beside them."""
    return save({key: _half(key, value) for key, value in state.items()}, metadata={CONFIG_KEY: json.dumps(config, sort_keys=True)})


def unpack_plain(data: bytes) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """State (fp16 where it has fractions) and config of such a file."""
    try:
        return load(data), _config(data)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ClipError(f"not a compact checkpoint ({type(error).__name__}: {error}); reinstall the package") from error


def _config(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    found: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][CONFIG_KEY])
    return found


def open_clip_files(data: bytes) -> dict[str, bytes]:
    """The files of the open_clip folder that a compact file stands for."""
    state, config = unpack(data)
    return {"open_clip_config.json": json.dumps(config, indent=1).encode(), "open_clip_model.safetensors": save(state)}


def _embedding_key(state: Mapping[str, torch.Tensor]) -> str:
    for key in (_EMBEDDING, f"text.{_EMBEDDING}"):
        if key in state:
            return key
    raise ClipError(f"cannot pack a model without {_EMBEDDING}: only open_clip's own text tower has a compact form")


def _half(key: str, value: torch.Tensor) -> torch.Tensor:
    if not value.is_floating_point():
        return value.detach().cpu().contiguous()
    half = value.detach().cpu().to(torch.float16).contiguous()
    if not half.isfinite().all():
        raise ClipError(f"{key} does not fit into fp16: it would hold NaN or infinity")
    return half
