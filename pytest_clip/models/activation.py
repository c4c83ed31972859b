"""GELU or QuickGELU: which one a built model computes, and the same weights under the other one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain

from torch import nn

NAMES = {True: "quickgelu", False: "gelu"}


def activation_of(module: nn.Module) -> str:
    """`gelu`, `quickgelu`, `mixed`, or `none` where no tower has a choice (say, a timm trunk with a Hugging Face text tower)."""
    kinds = {NAMES[_is_quick(owner)] for owner in _owners(module)}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "none"


def with_activation(module: nn.Module, *, quick: bool) -> nn.Module:
    """A copy that shares every parameter and buffer, with the asked activation in all of open_clip's own transformer blocks.

    These are the blocks that open_clip's `quick_gelu` reaches, in both towers: its ModifiedResNet keeps ReLU, timm trunks and
    Hugging Face towers keep what they have.
    """
    from open_clip.transformer import QuickGELU

    tensors = {id(tensor): tensor for tensor in chain(module.parameters(), module.buffers())}
    clone = copy.deepcopy(module, dict[int, object](tensors))
    for owner in _owners(clone):
        if _is_quick(owner) != quick:
            owner.gelu = QuickGELU() if quick else nn.GELU()
    return clone


def _owners(module: nn.Module) -> Iterator[nn.Module]:
    from open_clip.transformer import QuickGELU

    return (owner for owner in module.modules() if isinstance(owner._modules.get("gelu"), nn.GELU | QuickGELU))


def _is_quick(owner: nn.Module) -> bool:
    return not isinstance(owner.gelu, nn.GELU)
