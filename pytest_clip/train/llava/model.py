"""The LlavaForConditionalGeneration that is trained: the bundled ViT's tower, a projector and a small Llama."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .recipe import LlavaRecipe
from .tower import build as build_tower
from .words import END, IMAGE_TOKEN, PAD, processor, vocabulary


def build(recipe: LlavaRecipe) -> Any:
    """The model with the tower's weights, the rest drawn from torch's generator; the tower is frozen."""
    from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    tower, words = build_tower(recipe.tower), vocabulary()
    text = LlamaConfig(
        vocab_size=len(words), hidden_size=recipe.width, intermediate_size=recipe.inner, num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads, num_key_value_heads=recipe.key_heads, max_position_embeddings=512, tie_word_embeddings=True,
        initializer_range=recipe.spread, pad_token_id=words.index(PAD), bos_token_id=None, eos_token_id=words.index(END),
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=tower.config, text_config=text, image_token_index=words.index(IMAGE_TOKEN), tie_word_embeddings=True,
        vision_feature_layer=recipe.layer, vision_feature_select_strategy="default",
        image_seq_length=(tower.config.image_size // tower.config.patch_size) ** 2,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.model.vision_tower.load_state_dict(tower.state_dict(), strict=True)
    model.model.vision_tower.requires_grad_(False)
    model.generation_config.update(
        do_sample=False, eos_token_id=words.index(END), pad_token_id=words.index(PAD), bos_token_id=None, max_new_tokens=8
    )
    return model


def write(model: Any, folder: Path) -> None:
    """The folder that ships: fp16 weights, configuration, tokenizer, processor."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16).save_pretrained(folder)
    processor(patch=model.config.vision_config.patch_size).save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes for its owner alone
