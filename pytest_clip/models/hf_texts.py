"""How a model of transformers reads texts: its own tokenizer, to one length, and no row depends on its company."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import fingerprint
from pytest_clip.models.hf_kinds import Family

SHORTEST = 3
"""Tokens: a first, a last and one word."""
STEP = 16
"""Of a softmax model only the columns that hold a token of some text are computed, rounded up to a multiple of this; texts of one multiple
go together."""


@dataclass(frozen=True)
class Texts:
    """A tokenizer, the tokens that the model reads of a text (`length`), and the rows of its embedding table (`vocabulary`)."""

    tokenizer: Any
    length: int
    vocabulary: int
    padded: bool
    """whether every text is computed at its full length, as sigmoid models are trained"""
    where: str

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Content: vocabulary, merges and normalisation, and what it makes of a few texts."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        whole = json.loads(backend.to_str()) if backend is not None else {}
        for state in ("truncation", "padding"):
            whole.pop(state, None)
        return {
            "vocabulary": fingerprint.digest(self.tokenizer.get_vocab()),
            "tokenizer": fingerprint.digest(whole),
            "probes": fingerprint.digest({key: value.tolist() for key, value in self.read(fingerprint.PROBES).items()}),
            "length": self.length,
            "padded": self.padded,
        }

    def read(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """What the model takes besides pictures, each [n, length]: input_ids and what else its tokenizer gives; longer texts are cut."""
        made = self.tokenizer(list(texts), padding="max_length", truncation=True, max_length=self.length, return_tensors="pt")
        out = dict(made)
        largest = int(out["input_ids"].max()) if out["input_ids"].numel() else 0
        if largest >= self.vocabulary:
            raise ClipError(
                f"{self.where}: its tokenizer yields id {largest}, but the model embeds {self.vocabulary} tokens: it is that of another "
                "model; copy the tokenizer files that the model was trained with"
            )
        return out

    def batches(self, inputs: Mapping[str, torch.Tensor], size: int) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
        """Rows [k] and their part of `inputs` [k, columns], at most `size` rows at a time."""
        n = len(inputs["input_ids"])
        mask = inputs.get("attention_mask")
        lengths = torch.full((n,), self.length)
        if not self.padded and mask is not None and getattr(self.tokenizer, "padding_side", "right") == "right":
            lengths = ((mask.sum(1) + STEP - 1) // STEP * STEP).clamp(STEP, self.length)
        for length in sorted(set(lengths.tolist())):
            for rows in torch.split(torch.nonzero(lengths == length)[:, 0], size):
                yield rows, {key: value[rows, :length] for key, value in inputs.items()}


def check(texts: Texts, family: Family, config: Any) -> None:
    """ClipError for a tokenizer that lacks what the model, whose text tower has this `config`, reads a text from."""
    rows = texts.read(fingerprint.PROBES)["input_ids"]
    fault = None
    if family.pools == "end":
        oldest = config.eos_token_id in (None, 2)  # before transformers 4.31 the largest id of a text was taken for its end
        end = texts.tokenizer.eos_token_id if oldest else config.eos_token_id
        if end is None or not bool((rows.max(1).values == end).all() if oldest else (rows == end).any(1).all()):
            fault = f"reads a text from its end token (id {end}), and its tokenizer writes none"
    if family.pools == "first" and len(set(rows[:, 0].tolist())) != 1:
        fault = "reads a text from its first token, and its tokenizer puts none before each text"
    if _skips_padding(config) and texts.tokenizer.pad_token_id != config.pad_token_id:
        fault = f"counts positions without padding (id {config.pad_token_id}), and its tokenizer pads with {texts.tokenizer.pad_token_id}"
    if fault is not None:
        raise ClipError(
            f"{texts.where}: the model {fault}: it is that of another model; copy the tokenizer files that the model was trained with"
        )


def _skips_padding(config: Any) -> bool:
    """Text towers of RoBERTa's kind."""
    return getattr(config, "model_type", "") == "altclip_text_model"


def length_of(tokenizer: Any, config: Any, family: Family, where: str) -> int:
    """Tokens that are read of a text: what the model has positions for, unless tokenizer or processor are shorter."""
    room = int(config.max_position_embeddings)
    if _skips_padding(config):  # the first positions are those of padding
        room -= int(config.pad_token_id) + 1
    length = room if family.sigmoid else min(room, int(tokenizer.model_max_length), family.text_length or room)
    if length < SHORTEST:
        raise ClipError(
            f"{where}: {length} tokens of a text would be read; correct max_position_embeddings in config.json or model_max_length in "
            "tokenizer_config.json"
        )
    return length
