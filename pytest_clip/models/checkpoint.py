"""Reading a checkpoint file that somebody else wrote: weights only, every oddity named, nothing guessed in silence."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file

from pytest_clip import ClipError

_PLAIN = ("state_dict", "model", "model_state_dict", "module")
_AVERAGED = ("state_dict_ema", "ema", "model_ema", "ema_state_dict")
_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel and its kin; torch.compile
# Never part of what a model computes: masks and position indices that newer versions rebuild, counters of batch norm.
HARMLESS = ("attn_mask", "position_ids", "num_batches_tracked")
# Scalars that OpenAI's TorchScript archives keep beside the weights; open_clip drops them too.
_NOT_WEIGHTS = ("n_averaged", "input_resolution", "context_length", "vocab_size")
_SHOWN = 20
_FROM_SCRIPT = 'torch.jit.load({}, map_location="cpu").state_dict()'
_FROM_PICKLE = 'torch.load({}, map_location="cpu", weights_only=False)'


@dataclass(frozen=True)
class Checkpoint:
    """The weights of one file and what was chosen in reading it."""

    path: Path
    state: dict[str, torch.Tensor]
    facts: dict[str, Any] = field(default_factory=dict)


def read(path: Path) -> Checkpoint:
    """Weights of a .safetensors file or a torch checkpoint, without running any code from it."""
    _must_be_file(path)
    with path.open("rb") as stream:
        head = stream.read(64)
    if head.startswith(b"version https://git-lfs"):
        raise ClipError(f"{path} is a Git LFS pointer, not the checkpoint itself; run: git lfs pull --include={path.name}")
    if head[8:9] == b"{" or path.suffix == ".safetensors":
        content: object = _read_safetensors(path)
    else:
        content = _read_torch(path)
    state, facts = _choose(content, path)
    return Checkpoint(path, _unwrap(state), {"file": path.name, **facts})


def fit(module: torch.nn.Module, checkpoint: Checkpoint) -> None:
    """Load the weights into `module`; any key that is missing, unexpected or of another shape is fatal, and all of them are listed."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    state = convert_state_dict(module, dict(checkpoint.state))
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
    if missing or unexpected or misshapen:
        raise ClipError(_mismatch(checkpoint.path, missing, unexpected, misshapen, total=len(wanted)))
    module.load_state_dict(state, strict=False)


def _must_be_file(path: Path) -> None:
    try:
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
    if _is_torchscript(path):
        raise ClipError(
            f"{path} is a TorchScript archive (OpenAI's own .pt files are), which holds code. Use the tag instead, "
            "--clip-model=ViT-B-32,openai, or, if you trust the file, save its weights once and "
            "load them into the -quickgelu architecture: "
            f"{_snippet(path, _FROM_SCRIPT)}"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise anything
        text = str(error)
        wanted = re.search(r"\bGLOBAL ([\w.]+)", text)
        if wanted:
            raise ClipError(
                f"{path} is refused: besides weights it wants to import {wanted[1]}, and loading such a file can run any code. "
                f"If you trust it, save its weights alone once: {_snippet(path, _FROM_PICKLE)}"
            ) from None
        first = (text.strip().splitlines() or [type(error).__name__])[0]
        raise ClipError(f"{path} is not a readable checkpoint, perhaps cut short: {first}; copy or save it again") from error


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _snippet(path: Path, expression: str) -> str:
    source, target = repr(str(path)), repr(str(path.with_name(f"{path.stem}-weights.pt")))
    return (
        "\n  python - <<'EOF'\n  import torch\n"
        f"  c = {expression.format(source)}\n"
        f"  torch.save({{k: v for k, v in c.get('state_dict', c).items() if torch.is_tensor(v)}}, {target})\n  EOF"
    )


def _choose(content: object, path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The state dict inside a training checkpoint: the plain weights, and the averaged ones only where there are no others."""
    if not isinstance(content, Mapping):
        raise ClipError(f"{path} holds a {type(content).__name__}, not weights; save model.state_dict() instead")
    if content and all(isinstance(value, torch.Tensor) for value in content.values()):
        return dict(content), {"taken": "whole file"}
    found = [key for key in (*_PLAIN, *_AVERAGED) if _is_state(content.get(key))]
    if not found:
        keys = ", ".join(map(str, list(content)[:_SHOWN])) or "nothing"
        raise ClipError(f"{path} holds no weights under {', '.join((*_PLAIN, *_AVERAGED))}; it holds: {keys}")
    facts: dict[str, Any] = {"taken": found[0], "also_there": found[1:]}
    if isinstance(content.get("epoch"), int):
        facts["epoch"] = content["epoch"]
    return {key: value for key, value in content[found[0]].items() if isinstance(value, torch.Tensor)}, facts


def _is_state(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(entry, torch.Tensor) for entry in value.values())


def _unwrap(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Without the prefixes that training wrappers put before every key."""
    state = {key: value for key, value in state.items() if key not in _NOT_WEIGHTS}
    for _ in range(4):
        prefix = next((wrapper for wrapper in _WRAPPERS if state and all(key.startswith(wrapper) for key in state)), None)
        if prefix is None:
            break
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _mismatch(
    path: Path, missing: list[str], unexpected: list[str], misshapen: dict[str, tuple[tuple[int, ...], tuple[int, ...]]], *, total: int
) -> str:
    counts = f"{len(missing)} of {total} weights missing, {len(unexpected)} unexpected, {len(misshapen)} mis-shaped"
    lines = [f"{path} does not fit the model: {counts}"]
    lines += _listed("missing", missing)
    lines += _listed("unexpected", unexpected)
    lines += _listed("mis-shaped", [f"{key}: file {list(file)}, model {list(model)}" for key, (file, model) in misshapen.items()])
    if any(key.startswith("vision_model.") for key in unexpected):
        lines.append("  This is a transformers CLIP; use an open_clip checkpoint, or convert it to one.")
    elif any(key.endswith("positional_embedding") and "visual" in key for key in misshapen):
        lines.append("  It was trained at another image_size: use the architecture of that size (ViT-L-14-336 …), or a local-dir: whose")
        lines.append("  open_clip_config.json says so. Positions are not interpolated here, because that would be another model.")
    elif len(missing) == total:
        lines.append("  Nothing fits: is it another architecture, or the weights of one tower only?")
    return "\n".join(lines)


def _listed(what: str, entries: Iterable[str]) -> list[str]:
    entries = sorted(entries)
    more = [f"  … and {len(entries) - _SHOWN} more {what}"] if len(entries) > _SHOWN else []
    return [f"  {what}: {entry}" for entry in entries[:_SHOWN]] + more
