"""GELU or QuickGELU in the towers of a model of transformers: which one it computes, and the same weights under the other one.

A conversion that keeps the default of `hidden_act` computes QuickGELU for weights that were trained with GELU, without a word.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain

from torch import nn

from pytest_clip.models.activation import NAMES

QUICK = "QuickGELUActivation"
GELUS = (QUICK, "GELUActivation", "GELUTanh", "PytorchGELUTanh", "NewGELUActivation", "GELU")


def activation_of(module: nn.Module) -> str:
    """`gelu`, `quickgelu`, `mixed`, or `none` where no tower has a choice (ALIGN)."""
    kinds = {NAMES[_is_quick(owner)] for owner in _owners(module)}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "none"


def with_activation(module: nn.Module, *, quick: bool) -> nn.Module:
    """A copy that shares every parameter and buffer, with the asked activation in all blocks of the CLIP kind. Text towers of the BERT kind
    keep what they have."""
    from transformers.activations import ACT2FN

    tensors = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
    clone = copy.deepcopy(module, dict[int, object](tensors))
    for owner in _owners(clone):
        if _is_quick(owner) != quick:
            owner.activation_fn = ACT2FN["quick_gelu" if quick else "gelu"]
    return clone


def _owners(module: nn.Module) -> Iterator[nn.Module]:
    return (each for each in module.modules() if type(getattr(each, "activation_fn", None)).__name__ in GELUS)


def _is_quick(owner: nn.Module) -> bool:
    return type(owner.activation_fn).__name__ == QUICK
