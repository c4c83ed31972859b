"""What open_clip's trainer built in a run, built again: its `params.txt` over the configuration that it started from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import config, folders, hub, trainer
from pytest_clip.models.recipe import Recipe
from pytest_clip.models.spec import ModelSpec
from pytest_clip.models.trainer import PARAMS, Run
from pytest_clip.store import path_of

_SEEN = ("mean", "std", "interpolation", "resize_mode")
_WEIGHTS_ARE_FP32 = ("fp32", "amp", "amp_bf16", "amp_bfloat16")


def recipe(spec: ModelSpec) -> Recipe:
    """Architecture, preprocessing and activation of the run, and the weights of the epoch. No weights are read."""
    folder = path_of(spec.name)
    weights = trainer.checkpoint(folder, spec.pretrained)
    run = trainer.read(folder)
    model_cfg, preprocess_cfg, tokenizer = _built(run, weights)
    notes = []
    if spec.pretrained is None and weights.stem.endswith(trainer.LATEST):
        notes.append(f"run {spec.name} has no epoch_N.pt, so {weights.name} is measured")
    if (trained := run.says.get("precision", "fp32")) not in _WEIGHTS_ARE_FP32:
        notes.append(f"run {spec.name} was trained in {trained}; it is measured in the precision of --clip-precision, as the record says")
    if bits := run.says.get("use_bnb_linear"):
        notes.append(f"run {spec.name} was trained with {bits} of bitsandbytes; it is measured with ordinary linear layers")
    size = model_cfg["vision_cfg"]["image_size"] if "force_image_size" in run.says else None
    facts = {
        "run": spec.name,
        "run_says": {key: value for key, value in run.says.items() if value != ""},
        "activation_source": f"{PARAMS} of the run",
        "preprocess_source": f"{PARAMS} of the run",
    }
    return Recipe(
        run.model,
        weights.name,
        model_cfg,
        preprocess_cfg,
        weights.absolute(),
        tokenizer,
        facts=facts,
        warnings=tuple(notes),
        image_size=size,
    )


def epoch_of(weights: Path, facts: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
    """The epoch that the file says, else its name, and a note where they differ."""
    named = weights.stem.removeprefix("epoch_")
    by_name = int(named) if named.isascii() and named.isdigit() else None
    told = facts.get("epoch")
    if told is not None and by_name is not None and told != by_name:
        return told, (f"{weights} says that it is of epoch {told}, whatever its name",)
    return (by_name if told is None else told), ()


def beside(path: Path, model_cfg: Mapping[str, Any], preprocess_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """A note where a checkpoint was named with an architecture, and the run that it lies in built or saw something else."""
    folder = trainer.around(path)
    if folder is None:
        return ()
    try:
        own_model, own_images, _ = _built(trainer.read(folder), path)
    except ClipError:
        return ()  # nothing was asked of the run
    usual = {"quick_gelu": False, "custom_text": False}
    parts = [
        name for name in {*usual, *own_model, *model_cfg} if own_model.get(name, usual.get(name)) != model_cfg.get(name, usual.get(name))
    ]
    parts += [name for name in _SEEN if own_images.get(name) != preprocess_cfg.get(name)]
    if not parts:
        return ()
    return (f"{folder / PARAMS} says otherwise of {', '.join(sorted(parts))}; --clip-model={path} follows it",)


def _built(run: Run, weights: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    """`model_cfg`, `preprocess_cfg` and tokenizer as the trainer made them."""
    model_cfg, preprocess_cfg, tokenizer = _started_from(run, weights)
    says, file = run.says, run.folder / PARAMS
    seen = {name: says[f"image_{name}"] for name in _SEEN if says.get(f"image_{name}") is not None}
    size = says.get("force_image_size")
    size = size[0] if isinstance(size, list) and len(size) == 1 else size
    forced = {
        "vision_cfg": {} if size is None else {"image_size": list(size) if isinstance(size, tuple) else size},
        "text_cfg": {"context_length": says["force_context_length"]} if "force_context_length" in says else {},
        **({"quick_gelu": says["force_quick_gelu"]} if "force_quick_gelu" in says else {}),
        **({"custom_text": says["force_custom_text"]} if "force_custom_text" in says else {}),
    }
    seen = {name: list(value) if isinstance(value, tuple) else value for name, value in seen.items()}
    config.check(forced, seen, file=file)
    for tower in ("vision_cfg", "text_cfg"):
        model_cfg[tower] = {**model_cfg[tower], **forced.pop(tower)}
    return {**model_cfg, **forced}, {**preprocess_cfg, **seen}, tokenizer


def _started_from(run: Run, weights: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    scheme, colon, rest = run.model.partition(":")
    if colon and scheme == "local-dir":
        folder = path_of(rest).absolute()
        if not folder.is_dir():
            raise ClipError(
                f"{run.folder / PARAMS}: the run began from {run.model}, and there is no folder {folder}; run pytest where the training "
                f"ran, or write the path in full into that line"
            )
        return *folders.read_config(folder / folders.CONFIG), f"local-dir:{folder}"
    if colon and scheme == "hf-hub":
        return *folders.read_config(hub.config_of_repository(rest)), run.model
    name = run.model.replace("/", "-")
    model_cfg = open_clip.get_model_config(name)
    if model_cfg is None:
        raise ClipError(f"{run.folder / PARAMS}: {trainer.unknown(run.model, weights)}")
    published = get_pretrained_cfg(name, str(run.says.get("pretrained") or "")) or {}
    return (
        copy.deepcopy(model_cfg),
        {key: list(value) if isinstance(value, tuple) else value for key, value in published.items() if key in _SEEN},
        name,
    )
