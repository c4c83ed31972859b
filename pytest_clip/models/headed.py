"""A classification head on the image tower of a CLIP model: the zero-shot classifier as weights, and what fine-tuning made of it.

As WiSE-FT has it (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903, section 3): the head starts as the class embeddings times the
logit scale, so that before any step of training the scores are the zero-shot logits.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F

from pytest_clip import ClipError
from pytest_clip.models import bundled, compact
from pytest_clip.models.build import build_module, pick_device
from pytest_clip.models.classifier import ImageClassifier
from pytest_clip.models.recipe import Recipe
from pytest_clip.models.sight import Sight

if TYPE_CHECKING:
    from pytest_clip.models.spec import ModelSpec

HEAD, START = "head.weight", "start.weight"
"""The head, and in the file of a bundled model what it was before fine-tuning."""


class Headed(nn.Module):
    """Images [b, 3, h, w] to logits [b, C]: `weight` [C, d] times the image embedding of length 1; no bias, as zero-shot has none."""

    def __init__(self, visual: nn.Module, weight: torch.Tensor) -> None:
        super().__init__()
        self.visual, self.head = visual, nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        with torch.no_grad():
            self.head.weight.copy_(weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of preprocessed images."""
        logits: torch.Tensor = self.head(F.normalize(self.visual(images), dim=-1))
        return logits


def pack(state: Mapping[str, torch.Tensor], *, classes: Sequence[str], config: Mapping[str, Any]) -> bytes:
    """Compact fp16 file of the state of a `Headed`; `config` is the content of open_clip_config.json of the model that it was."""
    return compact.pack_plain(state, {**config, "classes": list(classes)})


def read(name: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, Any]]:
    """Of a bundled model: the state of its `Headed`, the head alone as it was before fine-tuning, and its config."""
    state, config = compact.unpack_plain(bundled.path(name).read_bytes())
    return state, {HEAD: state.pop(START)}, config


def load(spec: ModelSpec, *, device: str = "auto", precision: str = "fp32", compile: bool = False) -> ImageClassifier:
    """The bundled class-score model that `spec` names."""
    if compile:
        raise ClipError(f"--clip-compile is for image towers of open_clip; {spec.label} runs without it, so leave it out")
    state, _, config = read(spec.name)
    return build(spec.name, state, config, label=spec.label, device=device, precision=precision)


def build(
    name: str, state: Mapping[str, torch.Tensor], config: Mapping[str, Any], *, label: str, device: str, precision: str
) -> ImageClassifier:
    """The classifier of a state and the config of the bundled model `name`."""
    module = Headed(_tower(name, config), state[HEAD])
    module.load_state_dict(state)
    facts: dict[str, Any] = {"architecture": name, "pretrained": "bundled", "warnings": []}
    return ImageClassifier(
        module, sight_of(config["preprocess_cfg"]), config["classes"],
        label=label, device=pick_device(device, precision), precision=precision, facts=facts,
    )  # fmt: skip


def _tower(name: str, config: Mapping[str, Any]) -> nn.Module:
    small = copy.deepcopy(dict(config["model_cfg"]))
    small["text_cfg"]["vocab_size"] = 1  # the text tower is built and dropped
    made, _ = build_module(Recipe(name, "bundled", small, dict(config["preprocess_cfg"]), None, ""), small, "fp32")
    visual: nn.Module = made.visual  # type: ignore[assignment]
    return visual


def sight_of(preprocess: Mapping[str, Any]) -> Sight:
    """open_clip's preprocessing (`preprocess_cfg`) as timm's data config: the shorter side resized, the middle cut out."""
    if preprocess["resize_mode"] != "shortest":
        raise ClipError(
            f"a head is seen through a crop of the shorter side, and not with resize_mode {json.dumps(preprocess['resize_mode'])}"
        )
    height, width = preprocess["size"]
    return Sight({
        "input_size": (3, height, width), "interpolation": preprocess["interpolation"], "mean": tuple(preprocess["mean"]),
        "std": tuple(preprocess["std"]), "crop_pct": 1.0, "crop_mode": "center",
    })  # fmt: skip
