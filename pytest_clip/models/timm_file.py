"""A checkpoint that timm's `train.py` wrote, or a plain state dict of a timm model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import checkpoint
from pytest_clip.models.known import HARMLESS

_AVERAGED = ("state_dict_ema", "model_ema")
_DATA = ("img_size", "input_size", "crop_pct", "crop_mode", "mean", "std", "interpolation")
"""Arguments of `train.py` that say how pictures were prepared, in the words of `resolve_data_config`."""
_SHOWN = 5


@dataclass(frozen=True)
class TimmFile:
    """Its weights, the averaged ones where there are such (as in timm), and what it says of the run that made it."""

    path: Path
    state: Mapping[str, torch.Tensor]
    classes: int
    kwargs: Mapping[str, Any]
    """arguments of the architecture, such as `img_size`"""
    data: Mapping[str, Any]
    facts: dict[str, Any]

    def fit(self, module: torch.nn.Module) -> None:
        """Load the weights; ClipError lists what is missing, unexpected or of another shape."""
        own = module.state_dict()
        absent = [key for key in own if key not in self.state and not key.endswith(HARMLESS)]
        others = [key for key in self.state if key not in own]
        shaped = [
            f"{key} {list(value.shape)} instead of {list(own[key].shape)}"
            for key, value in self.state.items()
            if key in own and value.shape != own[key].shape
        ]
        told = [
            f"{len(some)} {what} ({', '.join(some[:_SHOWN])}{', ...' if len(some) > _SHOWN else ''})"
            for what, some in (("missing", absent), ("unexpected", others), ("of another shape", shaped))
            if some
        ]
        if told:
            raise ClipError(
                f"{self.path} does not fit: of {len(own)} tensors {'; '.join(told)}; name the architecture that it was trained as"
            )
        module.load_state_dict(dict(self.state), strict=False)


def read(path: Path, *, name: str, head: str, prefix: str | None = None) -> TimmFile:
    """Weights only: of the run's arguments no more is let in than numbers and text. `head` is the layer that scores classes, `prefix` is
    taken off the names."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        plain = checkpoint.read(path, prefix=prefix)
        whole = {} if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True, mmap=_mappable(path))
    content: Mapping[Any, Any] = whole if isinstance(whole, Mapping) else {}
    arch, args = content.get("arch"), content.get("args")
    said = vars(args) if isinstance(args, argparse.Namespace) else args if isinstance(args, Mapping) else {}
    if isinstance(arch, str) and said and arch.partition(".")[0] != name.partition(".")[0]:
        raise ClipError(f"{path} was trained as {arch}, not as {name}; write timm:{arch},{path}")
    state, facts = dict(plain.state), dict(plain.facts)
    averaged = next((key for key in _AVERAGED if isinstance(content.get(key), Mapping)), None)
    if averaged is not None:
        state = {str(key).removeprefix("module."): value for key, value in content[averaged].items() if isinstance(value, torch.Tensor)}
        facts |= {"taken": averaged, "also_there": [key for key in (plain.facts.get("taken"),) if key != averaged]}
    data = {key: said[key] for key in _DATA if said.get(key) is not None}
    given = said.get("model_kwargs")
    kwargs = {key: value for key, value in given.items() if isinstance(value, int | float | str)} if isinstance(given, Mapping) else {}
    return TimmFile(path, state, _classes(state, head, path, name), kwargs, data, {**facts, **({"data": data} if data else {})})


def _classes(state: Mapping[str, torch.Tensor], head: str, path: Path, name: str) -> int:
    weights = state.get(f"{head}.weight")
    if weights is None:
        raise ClipError(
            f"{path} holds no {head}.weight, the layer that scores the classes of {name} (it holds {', '.join(list(state)[-2:])}); "
            "save the state_dict of a timm model with its head, and name the architecture that it was trained as"
        )
    return int(weights.shape[0])


def _mappable(path: Path) -> bool:
    """Files of torch 1.6 and later are archives, of which only what is asked for is read."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"
