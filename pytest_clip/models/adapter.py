"""A PEFT adapter, merged into the model that it was trained over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import checkpoint, foreign
from pytest_clip.models.heads import unlike_a_checkpoint
from pytest_clip.models.hf_kinds import ADAPTER, read_json
from pytest_clip.models.quiet import quiet
from pytest_clip.models.raised import raised

WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
KINDS = ("LORA", "LOHA", "LOKR", "IA3")
"""Kinds that are sums and products of weights, so that merging changes no answer."""
_IMPORTS = ("megatron_config", "custom_modules")
_SHOWN = 3


def merged(module: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
    """The module with the adapter of `folder` in its weights, and facts. Every weight of the adapter must be there, and have its place."""
    said = read_json(folder / ADAPTER)
    _refuse(said, folder)
    file = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if file is None:
        raise ClipError(f"{folder} has no {WEIGHTS[0]} beside its {ADAPTER}: the adapter's weights are missing; copy them there")
    if fault := unlike_a_checkpoint(file):
        raise ClipError(fault)
    given = checkpoint.read(file).state
    with quiet():
        from peft import PeftModel, get_peft_model_state_dict
    try:
        with quiet() as notes, foreign.no_code(), torch.random.fork_rng(devices=[]):
            wrapped = PeftModel.from_pretrained(module, str(folder), is_trainable=False, torch_device="cpu")
            own = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    except ClipError:
        raise
    except Exception as error:  # a configuration can make peft raise anything, and so can tensors of other shapes
        raise ClipError(
            f"the adapter in {folder} does not fit {type(module).__name__}, or is not read ({raised(error, most=300)}); "
            "name the base model that it was trained over as base_model_name_or_path"
        ) from error
    del notes  # keys that are missing are said below, as an error
    _must_fit(given, own, file)
    whole = wrapped.merge_and_unload(safe_merge=False)
    return whole, {"file": file.name, "kind": str(said.get("peft_type")), "tensors": len(given), "rank": said.get("r")}


def _refuse(said: dict[str, Any], folder: Path) -> None:
    for key in _IMPORTS:
        if said.get(key):
            raise ClipError(f"{folder / ADAPTER} asks with {key} for modules to be imported, which is never done; remove the line")
    if said.get("peft_type") not in KINDS:
        raise ClipError(
            f"{folder / ADAPTER} is of the kind {said.get('peft_type')}; {', '.join(KINDS)} are merged here: merge it yourself and "
            "save_pretrained the whole model, then name that folder"
        )


def _must_fit(given: dict[str, torch.Tensor], own: dict[str, torch.Tensor], file: Path) -> None:
    if given.keys() == own.keys():
        return
    absent, odd = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
    told = [
        f"{len(some)} {what} ({', '.join(some[:_SHOWN])}{', ...' if len(some) > _SHOWN else ''})"
        for what, some in (("missing", absent), ("that match nothing in the model", odd))
        if some
    ]
    raise ClipError(
        f"{file} does not fit: of {len(own)} adapter weights {', '.join(told)}; "
        "name the base model that it was trained over as base_model_name_or_path, or save the adapter again"
    )
