"""Content hashes: what a model is, apart from what it is called and where it lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch

from pytest_clip.models.known import HARMLESS

# Words, case, accents, HTML entities, an emoji, digits and punctuation: what tokenizers treat differently.
PROBES = ("a photo of a dog.", "A Café &amp; 12 naïve DOGS!", "  two\tspaces — it's 🐕 3.14", "antidisestablishmentarianism", "")


def weights_digest(module: torch.nn.Module) -> str:
    """SHA-256 over name, type, shape and bytes of every weight, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if name.endswith(HARMLESS):
            continue
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(memoryview(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()))
    return digest.hexdigest()


def tokenizer_identity(tokenizer: Any) -> dict[str, Any]:
    """Class, sizes, vocabulary and, because options such as cleaning have no common name, what it makes of a few texts."""
    vocabulary = getattr(tokenizer, "encoder", None)
    return {
        "class": type(tokenizer).__name__,
        "context_length": getattr(tokenizer, "context_length", None),
        "vocab_size": getattr(tokenizer, "vocab_size", None),
        "vocabulary": digest(list(vocabulary.items())) if isinstance(vocabulary, Mapping) else None,
        "merges": digest([list(pair) for pair in getattr(tokenizer, "bpe_ranks", ())]),
        "probes": digest(tokenizer(list(PROBES)).tolist()),
    }


def model_fingerprint(*, weights: str, **parts: Any) -> str:
    """16 hex digits over the weights' digest and everything else that changes answers."""
    return digest({"weights": weights, **parts})[:16]


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
