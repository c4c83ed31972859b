"""Damages to the weights of a model that open_clip built. The sound model keeps its own: only damaged tensors are copied."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from math import isqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from pytest_clip import ClipError
from pytest_clip.mutants.damaged import Damage
from pytest_clip.mutants.inapplicable import InapplicableError

if TYPE_CHECKING:
    from pytest_clip.models.openclip_model import OpenClipModel

_TEXT = ("transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection", "text.")
_STEPS = 127


def noise(name: str, strength: float) -> Callable[[Any], Damage]:
    """Gaussian noise of `strength` x the root mean square of each tensor, on the middle block of the image tower."""

    def damage(model: Any) -> Damage:
        places = _blocks(_module(model))
        where = places[len(places) // 2]
        return Damage(name, {"block": where, "strength": strength}, inside=lambda sound: noisy(sound, where, strength))

    return damage


def noisy(model: OpenClipModel, where: str, strength: float) -> OpenClipModel:
    def change(name: str, tensor: torch.Tensor) -> None:
        draw = torch.Generator().manual_seed(zlib.crc32(f"{name} {strength}".encode()))
        size = float(tensor.float().square().mean().sqrt())
        tensor.add_((torch.randn(tensor.shape, generator=draw) * strength * size).to(tensor))

    names = [name for name, _ in _module(model).named_parameters() if name.startswith(f"{where}.")]
    return _with(model, names, change)


def last_block_dropped(model: Any) -> Damage:
    where = _blocks(_module(model))[-1]
    return Damage("last_block_dropped", {"block": where}, inside=lambda sound: _shortened(sound, where))


def _shortened(model: OpenClipModel, where: str) -> OpenClipModel:
    """Without the block; where the next layer needs its channels (a stage of a single ResNet block), with its shortcut alone."""
    module = _sharing(_module(model), ())
    owner, _, place = where.rpartition(".")
    container, block = module.get_submodule(owner), module.get_submodule(where)
    if getattr(block, "downsample", None) is not None:
        container.register_module(place, _Shortcut(block))
    else:
        del container[int(place)]  # type: ignore[operator]
    return _view(model, module)


class _Shortcut(nn.Module):
    def __init__(self, block: Any) -> None:
        super().__init__()
        self.downsample, self.act3 = block.downsample, block.act3

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.act3(self.downsample(x))
        return out


def text_reseeded(model: Any) -> Damage:
    """The text tower as it is before training."""
    module, config = _module(model), getattr(model, "_model_cfg", None)
    names = [name for name, _ in module.named_parameters() if name.startswith(_TEXT)]
    if config is None or not names:
        raise InapplicableError(f"{model.label} has no text tower of open_clip's that could be built anew")

    def inside(sound: OpenClipModel) -> OpenClipModel:
        from pytest_clip.models.build import build_module
        from pytest_clip.models.recipe import Recipe

        recipe = Recipe(sound.label, "random", config, sound.preprocess_config, None, "")
        try:
            fresh = dict(build_module(recipe, copy.deepcopy(config), sound.precision)[0].named_parameters())
        except ClipError as error:
            raise InapplicableError(f"the text tower of {sound.label} cannot be built anew: {error}") from error
        return _with(sound, names, lambda name, tensor: tensor.copy_(fresh[name]))

    return Damage("text_reseeded", {"seed": 0}, inside=inside)


def positions_shuffled(model: Any) -> Damage:
    """One permutation for each table of positions; that of the class token stays in its place."""
    names = [name for name, _ in _module(model).named_parameters() if name.endswith(("positional_embedding", "pos_embed"))]
    if not names:
        raise InapplicableError(f"{model.label} has no position embeddings among its weights")

    def change(name: str, tensor: torch.Tensor) -> None:
        rows = tensor.view(-1, tensor.shape[-1])
        square = isqrt(len(rows) - 1) ** 2 == len(rows) - 1
        first = 1 if name.startswith("visual.") and square else 0  # the class token, before a square of places
        order = torch.randperm(len(rows) - first, generator=torch.Generator().manual_seed(zlib.crc32(name.encode()))) + first
        rows[first:] = rows[order.to(rows.device)]

    return Damage("positions_shuffled", {"tables": names}, inside=lambda sound: _with(sound, names, change))


def int8(model: Any) -> Damage:
    """Every weight of two and more dimensions rounded to 255 steps from -max to max of its tensor."""
    names = [name for name, weight in _module(model).named_parameters() if weight.ndim > 1]

    def change(name: str, tensor: torch.Tensor) -> None:
        del name
        step = tensor.float().abs().max() / _STEPS
        if step > 0:
            tensor.copy_((tensor.float() / step).round() * step)

    return Damage("int8", {"steps": 2 * _STEPS + 1}, inside=lambda sound: _with(sound, names, change))


def half_finetuned(model: Any, other: Any) -> Damage:
    """Halfway between the weights of the model and those of `other`, the logit scale too."""
    ours, theirs = dict(_module(model).named_parameters()), dict(_module(other).named_parameters())
    odd = [name for name in {**ours, **theirs} if name not in ours or name not in theirs or ours[name].shape != theirs[name].shape]
    if odd:
        raise InapplicableError(f"{other.label} has other weights than {model.label}, e.g. {odd[0]}: the two cannot be mixed")
    moved = [name for name, weight in ours.items() if not torch.equal(weight, theirs[name].to(weight))]
    both = {"with": other.fingerprint, "share": 0.5}
    return Damage(
        "half_finetuned", both, inside=lambda sound: _with(sound, moved, lambda name, weight: weight.lerp_(theirs[name].to(weight), 0.5))
    )


def _module(model: Any) -> nn.Module:
    module = getattr(model, "module", None)
    if not isinstance(module, nn.Module) or not hasattr(model, "_view"):
        raise InapplicableError(f"{model.label} is not a model that open_clip built: its weights cannot be reached")
    return module


def _blocks(module: nn.Module) -> list[str]:
    """The blocks of the image tower by name, from the first."""
    tower: Any = module.get_submodule("visual")
    trunk: Any = getattr(tower, "trunk", None)
    resblocks = getattr(getattr(tower, "transformer", None), "resblocks", None)
    names: list[str] = []
    if resblocks is not None:
        names = [f"visual.transformer.resblocks.{k}" for k in range(len(resblocks))]
    elif hasattr(trunk, "blocks"):
        names = list(_children("visual.trunk.blocks", trunk.blocks))
    elif hasattr(trunk, "stages"):
        names = [
            name
            for k, stage in enumerate(trunk.stages)
            for name in _children(f"visual.trunk.stages.{k}.blocks", getattr(stage, "blocks", ()))
        ]
    elif all(hasattr(tower, f"layer{k}") for k in (1, 2, 3, 4)):
        names = [name for k in (1, 2, 3, 4) for name in _children(f"visual.layer{k}", getattr(tower, f"layer{k}"))]
    if len(names) < 2:
        raise InapplicableError("its image tower has no blocks under a name that is known here, or only one")
    return names


def _children(name: str, blocks: Any) -> Iterator[str]:
    return (f"{name}.{k}" for k in range(len(blocks)))


def _with(model: OpenClipModel, names: Collection[str], change: Callable[[str, torch.Tensor], Any]) -> OpenClipModel:
    """The model with `change` done to a copy of each of the parameters `names`."""
    module = _sharing(_module(model), names)
    with torch.no_grad():
        for name in names:
            change(name, module.get_parameter(name).data)
    return _view(model, module)


def _sharing(module: nn.Module, names: Collection[str]) -> nn.Module:
    """A copy of the module whose tensors are the module's own, except for the parameters `names`."""
    apart = {id(module.get_parameter(name)) for name in names}
    shared: Mapping[int, object] = {id(each): each for each in chain(module.parameters(), module.buffers()) if id(each) not in apart}
    return copy.deepcopy(module, dict(shared))


def _view(model: OpenClipModel, module: nn.Module) -> OpenClipModel:
    other = model._view(module=module, _counterpart=None)
    other.__dict__.pop("_weights_digest", None)
    return other
