"""A small classifier and a small sentence encoder, as timm and transformers would build them: no file, no network."""

import json
from pathlib import Path

import torch

from pytest_clip.models.classifier import ImageClassifier
from pytest_clip.models.sight import Sight

DATA = {
    "input_size": (3, 24, 24), "interpolation": "bicubic", "crop_pct": 0.75, "crop_mode": "center", "mean": (0.5, 0.4, 0.3),
    "std": (0.2, 0.25, 0.3),
}  # fmt: skip
NAMES = ("red", "green", "blue", "cyan", "yellow", "pink", "brown", "grey", "black", "white", "orange", "violet")


def network(classes: int = len(NAMES), seed: int = 0) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(12, classes))


def classifier(names: tuple[str, ...] = NAMES, *, label: str = "tiny", seed: int = 0, **how) -> ImageClassifier:
    facts = {"architecture": "pool-linear"}
    return ImageClassifier(network(len(names), seed), Sight(DATA), names, label=label, facts=facts, **how)


def sentence_folder(where: Path, *, seed: int = 0) -> Path:
    """A folder with a BERT of two layers and a tokenizer of words, as a sentence encoder's package has it."""
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel

    words = ["[PAD]", "[UNK]", "dark", "a", "photo", "of", ".", *NAMES]
    said = {
        "vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
        "max_position_embeddings": 256, "initializer_range": 1.0,
    }  # fmt: skip
    where.mkdir(parents=True, exist_ok=True)
    (where / "config.json").write_text(json.dumps(said))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save_file(BertModel(BertConfig(**said)).state_dict(), where / "model.safetensors")
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(where / "tokenizer.json"))
    return where
