"""The language model's forward pass over packed rows: what transformers computes, in two thirds of its time on a CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def norm(x: Tensor, module: Any) -> Tensor:
    """Root mean square norm by the module's weight."""
    return F.rms_norm(x, (x.shape[-1],), module.weight, module.variance_epsilon)


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021) of [n, heads, length, d] by angles [n, 1, length, d/2]; halves are pairs, as Llama has it."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def states(lm: Any, x: Tensor, *, places: Tensor, mask: Tensor, before: int) -> Tensor:
    """Normed states [n, length - before, width] behind the first `before` tokens of embeddings x [n, length, width].

    `places` int64 [n, length]; `mask` is added to attention scores, [n, 1, length, length]. Of the last layer the first tokens need
    keys and values alone.
    """
    config, n = lm.config, len(x)
    half = config.head_dim // 2
    cos, sin = (each[:, None, :, :half] for each in lm.rotary_emb(x, places))

    def heads(flat: Tensor) -> Tensor:
        return flat.view(n, flat.shape[1], -1, config.head_dim).transpose(1, 2)

    for i, layer in enumerate(lm.layers):
        attention, h = layer.self_attn, norm(x, layer.input_layernorm)
        keys, values = turned(heads(attention.k_proj(h)), cos, sin), heads(attention.v_proj(h))
        if i == len(lm.layers) - 1:
            x, h, cos, sin, mask = x[:, before:], h[:, before:], cos[:, :, before:], sin[:, :, before:], mask[:, :, before:]
        queries = turned(heads(attention.q_proj(h)), cos, sin)
        keys, values = (each.repeat_interleave(attention.num_key_value_groups, 1) for each in (keys, values))
        seen = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        x = x + attention.o_proj(seen.transpose(1, 2).reshape(n, x.shape[1], -1))
        h = norm(x, layer.post_attention_layernorm)
        x = x + layer.mlp.down_proj(F.silu(layer.mlp.gate_proj(h)) * layer.mlp.up_proj(h))
    return norm(x, lm.norm)
