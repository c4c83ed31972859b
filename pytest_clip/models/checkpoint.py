"""Reading a checkpoint file that somebody else wrote: weights only, every oddity named, nothing guessed in silence."""

from __future__ import annotations

import re
import shlex
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file

from pytest_clip import ClipError
from pytest_clip.models import contents, cures, misfit, strange
from pytest_clip.models.known import HARMLESS


@dataclass(frozen=True)
class Checkpoint:
    """The weights of one file and what was chosen in reading it."""

    path: Path
    state: dict[str, torch.Tensor]
    facts: dict[str, Any] = field(default_factory=dict)


def read(path: Path, *, prefix: str | None = None) -> Checkpoint:
    """Weights of a .safetensors file or a torch checkpoint, without running any code from it; with a `prefix` those under it."""
    _must_be_file(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise ClipError(f"cannot read {path}: {error.strerror}") from error
    if head.startswith(b"version https://git-lfs") or path.suffix.lower() == ".onnx":
        raise ClipError(strange.outside(path))
    if head[8:9] == b"{" or path.suffix == ".safetensors":
        content: object = _read_safetensors(path)
    else:
        content = _read_torch(path)
    state, facts = contents.weights_in(content, path, prefix=prefix)
    return Checkpoint(path, state, {"file": path.name, **facts})


def told(path: Path, facts: Mapping[str, Any], prefix: str | None) -> list[str]:
    """What `prefix` did, for the report; nothing without one."""
    if prefix is None:
        return []
    if "stripped" not in facts:
        return [f"{path}: no name begins with --clip-strip-prefix={prefix}, so it is read as it is"]
    n = facts["beside"]
    return [f"{path}: {n} tensors without {prefix!r} before their names are left out"] if n else []


def fit(module: torch.nn.Module, checkpoint: Checkpoint) -> None:
    """Load the weights into `module`; a key that is missing, unexpected, of another shape or kind is fatal, and all are listed."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    try:
        state = convert_state_dict(module, dict(checkpoint.state))
    except Exception as error:  # it goes by a few names and takes the others for granted
        raise ClipError(
            f"{checkpoint.path} does not fit the model: open_clip takes its names for those of another library and cannot convert them "
            f"({type(error).__name__}: {error}); save the weights as open_clip names them"
        ) from error
    wanted = module.state_dict()
    if "text.positional_embedding" in wanted and "positional_embedding" in state:
        state = convert_to_custom_text_state_dict(state)
    for key in ("logit_scale", "logit_bias"):  # stored as [] or as [1], depending on who trained
        if key in state and key in wanted and state[key].numel() == 1:
            state[key] = state[key].reshape(wanted[key].shape)
    state = {key: value for key, value in state.items() if key in wanted or not key.endswith(HARMLESS)}
    missing = [key for key in wanted if key not in state and not key.endswith(HARMLESS)]
    unexpected = [key for key in state if key not in wanted]
    shapes = {key: (tuple(value.shape), tuple(wanted[key].shape)) for key, value in state.items() if key in wanted}
    misshapen = {key: pair for key, pair in shapes.items() if pair[0] != pair[1]}
    kinds = {key: (_kind(value), _kind(wanted[key])) for key, value in state.items() if key in wanted and not key.endswith(HARMLESS)}
    mistyped = {key: pair for key, pair in kinds.items() if pair[0] != pair[1]}
    if missing or unexpected or misshapen or mistyped:
        raise ClipError(misfit.told(checkpoint, missing, unexpected, misshapen, mistyped, total=len(wanted)))
    module.load_state_dict(state, strict=False)


def _kind(tensor: torch.Tensor) -> str:
    """Among numbers of one kind, precision may be gained or lost; another kind is another thing: codes, masks, spectra."""
    return "floating point" if tensor.is_floating_point() else str(tensor.dtype).removeprefix("torch.")


def _must_be_file(path: Path) -> None:
    try:
        if (path / ".metadata").is_file():
            raise ClipError(
                f"{path} is a checkpoint in shards, as torch.distributed writes it; put it together once:\n"
                f"python -m torch.distributed.checkpoint.format_utils dcp_to_torch {shlex.quote(str(path))} {shlex.quote(f'{path}.pt')}"
            )
        if path.is_dir():
            raise ClipError(f"{path} is a folder, not a checkpoint; write local-dir:{path} if it holds an open_clip_config.json")
        if not path.is_file():
            raise ClipError(f"there is no checkpoint {path}; a relative path starts at {Path.cwd()}")
        if path.stat().st_size == 0:
            raise ClipError(f"{path} is empty; its training or download did not finish")
    except OSError as error:
        raise ClipError(f"cannot read {path}: {error}") from error


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path, device="cpu")
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ClipError(f"{path} is not a readable safetensors file, perhaps cut short: {error}; copy or save it again") from error


def _read_torch(path: Path) -> object:
    packed, unpacked = _archive(path)
    if unpacked > 4 * packed + (1 << 20):
        raise ClipError(f"{path} is refused: its {packed:,} bytes unpack to {unpacked:,}; torch.save does not compress, save it again")
    if cures.is_script(path):
        raise ClipError(cures.script(path))
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise anything
        text = str(error)
        wanted = re.search(r"\bGLOBAL ([\w.]+)", text)
        if wanted and wanted[1].startswith("torch.distributed"):
            raise ClipError(
                f"{path} holds what one of several processes had of the weights ({wanted[1]}); save all of them in one: "
                "get_model_state_dict(model, options=StateDictOptions(full_state_dict=True)) of torch.distributed.checkpoint.state_dict"
            ) from None
        if wanted:
            raise ClipError(
                f"{path} is refused: besides weights it wants to import {wanted[1]}, and loading such a file can run any code. "
                f"If you trust it, save its weights alone once: {cures.from_pickle(path)}"
            ) from None
        said = re.search(r"WeightsUnpickler error: (.*)", text)
        first = said[1].strip() if said and said[1].strip() else (text.strip().splitlines() or [type(error).__name__])[0]
        raise ClipError(f"{path} is not a readable checkpoint, perhaps cut short: {first}; copy or save it again") from error


def _archive(path: Path) -> tuple[int, int]:
    """The bytes of a torch archive, and those that it unpacks to; nothing for files of before torch 1.6."""
    try:
        with zipfile.ZipFile(path) as archive:
            return path.stat().st_size, sum(entry.file_size for entry in archive.infolist())
    except Exception:  # no archive, or a damaged one: torch says so
        return 0, 0
