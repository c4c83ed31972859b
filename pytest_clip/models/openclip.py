"""Models that open_clip builds: architectures with a tag or a checkpoint, Hugging Face repositories, local folders, bundled models."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from pathlib import Path

import torch

from pytest_clip.models import activation, checkpoint, derived, hub, run_recipe
from pytest_clip.models.build import (
    build_module,
    load_published,
    make_tokenizer,
    open_clip_reads,
    pair,
    pick_device,
    preprocess_config_of,
)
from pytest_clip.models.forward import order_memory
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.models.quiet import quiet
from pytest_clip.models.resolve import resolve
from pytest_clip.models.spec import ModelSpec

with quiet():
    import open_clip


def load(
    spec: ModelSpec, *, device: str = "auto", precision: str = "fp32", compile: bool = False, cache_dir: Path, prefix: str | None = None
) -> OpenClipModel:
    """Build what `spec` names. Everything that is wrong with it is a ClipError, everything that is odd is in `facts`.

    `prefix` is taken off the names in the checkpoint file, and what does not begin with it is left out.
    """
    place = pick_device(device, precision)
    recipe = resolve(spec, cache_dir)
    model_cfg, facts = copy.deepcopy(recipe.model_cfg), dict(recipe.facts)
    needs_hub = recipe.tokenizer.startswith("hf-hub:") or any(key.startswith("hf_") for key in model_cfg["text_cfg"])
    with hub.cached_unless_reachable() if needs_hub else nullcontext(), quiet() as notes:
        weights = None if recipe.weights is None or open_clip_reads(recipe) else checkpoint.read(recipe.weights, prefix=prefix)
        if weights is not None and "logit_bias" in weights.state and model_cfg.get("init_logit_bias") is None:
            model_cfg["init_logit_bias"] = 0.0  # trained with --siglip: the value comes from the file
        module, odd = build_module(recipe, model_cfg, precision, fill=recipe.weights is None)
        if weights is not None:
            checkpoint.fit(module, weights)
            facts["checkpoint"] = weights.facts
            notes += checkpoint.told(weights.path, weights.facts, prefix)
            if spec.kind == "run":
                facts["epoch"], more = run_recipe.epoch_of(weights.path, weights.facts)
                notes += more
        elif recipe.weights is not None:
            load_published(module, recipe)
        tokenizer = make_tokenizer(recipe)
    preprocess_config = preprocess_config_of(module)
    claimed = recipe.preprocess_cfg.get("size")
    if claimed is not None and pair(claimed) != preprocess_config["size"]:
        notes.append(f"preprocess_cfg asks for images of {pair(claimed)}, the model takes {preprocess_config['size']}; the latter is used")
    facts = {
        "architecture": recipe.architecture,
        "pretrained": recipe.pretrained,
        "family": derived.family(model_cfg),
        "activation": activation.activation_of(module),
        "preprocess": preprocess_config,
        "context_length": getattr(tokenizer, "context_length", None),
        "vocab_size": getattr(module, "vocab_size", None),
        "memory_format": order_memory(module),
        "compiled": compile,
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "open_clip": open_clip.__version__,
        "torch": torch.__version__,
        **facts,
        "warnings": [*recipe.warnings, *odd, *notes],
    }
    return OpenClipModel(
        module.to(place),
        tokenizer,
        label=spec.label,
        model_cfg=model_cfg,
        preprocess_config=preprocess_config,
        device=place,
        precision=precision,
        facts=facts,
    )
