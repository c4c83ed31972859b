"""A trained state to the two files that ship: compact weights, and the record of how they came about and what they score."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data import load as load_data
from ..data.scenes.captions import attribute_prompts
from ..data.scenes.load import code_version
from ..data.scenes.vocabulary import CLASSES, COLOURS, TEXTURES, TWO_COLOURED
from ..extract.attacked import attacked
from ..extract.extraction import Extraction
from ..extract.zeroshot import ZeroShot
from ..metrics.calibration import ece, softmax
from ..metrics.ood import auroc, mcm
from ..models import bundled, compact, headed, openclip, spec
from ..views.attacks.budgets import BUDGETS, IMAGES, STEPS
from .loss import TEXTURE_NAMES
from .recipe import IMAGE, Recipe


def preprocess_config() -> dict[str, Any]:
    """What the models are trained with: open_clip's defaults at 64 pixels."""
    from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    return {
        "size": [IMAGE, IMAGE], "mode": "RGB", "mean": list(OPENAI_DATASET_MEAN), "std": list(OPENAI_DATASET_STD),
        "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0,
    }  # fmt: skip


def write_weights(state: dict[str, Any], recipe: Recipe, path: Path) -> None:
    """The compact fp16 file of a state that `run` saved."""
    config = {"model_cfg": recipe.model, "preprocess_cfg": preprocess_config()}
    if recipe.head:
        path.write_bytes(headed.pack({**state["weights"], headed.START: state["start"]}, classes=CLASSES, config=config))
        return
    weights = dict(state["weights"])
    rows = weights["token_embedding.weight"]
    full = torch.zeros(recipe.model["text_cfg"]["vocab_size"], rows.shape[1])
    full[state["ids"]] = rows
    weights["token_embedding.weight"] = full
    path.write_bytes(compact.pack(weights, state["ids"], config))


def attribute_accuracy(
    model: Any, embeddings: np.ndarray, names: list[str], labels: list[str], *, second: list[str] | None = None
) -> float:
    """Zero-shot accuracy of an attribute against the prompts of `names`; with `second`, either answer counts."""
    heads = np.stack([model.encode_text(p).numpy() for p in attribute_prompts(names)]).mean(0)
    said = (embeddings @ (heads / np.linalg.norm(heads, axis=1, keepdims=True)).T).argmax(1)
    right = [names[k] == labels[i] or (second is not None and names[k] == second[i]) for i, k in enumerate(said)]
    return float(np.mean(right))


def accuracies(clean: ZeroShot, typical: ZeroShot) -> dict[str, float]:
    """What every kind of model has."""
    return {
        "top1_clean": float(clean.right.mean()),
        "top1_typical": float(typical.right.mean()),
        "ece_clean": ece(softmax(clean.logits).max(1), clean.right),
    }


def under_attack(extraction: Extraction, model: Any, data: Any) -> dict[str, float]:
    """What the suite `adversarial` leaves of the accuracy on `clean`, with its own images and steps."""
    found = attacked(extraction, model, data, "clean", first=IMAGES, steps=STEPS)
    return {f"robust_accuracy_{name}": float(found.survived(name).mean()) for name in BUDGETS}


def evaluate(path: Path, *, cache: Path, attacked: bool = False) -> dict[str, float]:
    """The headline numbers of compact weights, measured through the product's own loading and extraction; `attacked`, too, where asked."""
    folder = cache / "training" / path.stem
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in compact.open_clip_files(path.read_bytes()).items():
        (folder / name).write_bytes(content)
    model, data = openclip.load(spec.parse(f"local-dir:{folder}"), cache_dir=cache), load_data("scenes")
    extraction = Extraction(cache=cache, wanted=("clean", "near", "typical"))
    clean, near, typical = (extraction.zero_shot(model, data, s) for s in ("clean", "near", "typical"))
    facts, f = data.images("clean").attributes, extraction.embeddings(model, data, "clean")
    shown = [i for i, s in enumerate(facts["style"]) if s in ("photo", "cartoon")]
    plain = [i for i in shown if facts["texture"][i] not in TWO_COLOURED]
    spoken = dict(zip(TEXTURES, TEXTURE_NAMES, strict=True))
    return {
        **accuracies(clean, typical),
        "auroc_near_mcm": auroc(mcm(clean.cosines), mcm(near.cosines)),
        "colour_zero_shot_one_colour": attribute_accuracy(model, f[plain], list(COLOURS), [facts["colour"][i] for i in plain]),
        "texture_zero_shot": attribute_accuracy(model, f[shown], TEXTURE_NAMES, [spoken[facts["texture"][i]] for i in shown]),
        "logit_scale": model.logit_scale,
        **(under_attack(extraction, model, data) if attacked else {}),
    }


def evaluate_head(path: Path, *, cache: Path) -> dict[str, float]:
    """The headline numbers of a model of class scores."""
    state, config = compact.unpack_plain(path.read_bytes())
    state.pop(headed.START)
    model: Any = headed.build(path.stem, state, config, label=path.stem, device="cpu", precision="fp32")
    data = load_data("scenes")
    extraction = Extraction(cache=cache, wanted=("clean", "typical"))
    clean, typical = (extraction.zero_shot(model, data, s) for s in ("clean", "typical"))
    return accuracies(clean, typical)


def before(recipe: Recipe) -> dict[str, Any]:
    """For a hardened model: what its start scored, so that the record says what the hardening costs."""
    return {"metrics_before": bundled.record(str(recipe.start))["metrics"]} if recipe.attack else {}


def command(recipe: Recipe) -> str:
    """What makes these weights again."""
    return f"pytest-clip train {recipe.name}" + (f" --seed {recipe.seed}" if recipe.seed else "")


def export(state: dict[str, Any], recipe: Recipe, *, out: Path, cache: Path) -> Path:
    """Write OUT/NAME.safetensors and OUT/NAME.json; returns the weights' path."""
    path = out / f"{recipe.name}.safetensors"
    write_weights(state, recipe, path)
    record = {
        "name": recipe.name, "command": command(recipe), "recipe": asdict(recipe), "renderer": code_version(),
        "torch": torch.__version__, "minutes": state["curve"][-1]["minutes"], "processor_minutes": state["curve"][-1]["processor_minutes"],
        "metrics": evaluate_head(path, cache=cache) if recipe.head else evaluate(path, cache=cache, attacked=recipe.attack > 0),
        **before(recipe),
        "curve": state["curve"],
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path
