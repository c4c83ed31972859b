"""Factors that follow from open_clip's and timm's own tables and from what a built model says of itself. Imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_clip.models import bundled, registry, trainsets
from pytest_clip.models.factors import Factors
from pytest_clip.models.protocol import is_classifier
from pytest_clip.models.published.table import profile
from pytest_clip.models.spec import RANDOM, ModelSpec, interpolated

CLASSIFICATION = "classification"
_FAMILIES = (
    ("convnext", "convnext"), ("eva", "eva"), ("vitamin", "vitamin"), ("fastvit", "fastvit"), ("tf_efficientnet", "efficientnet"),
    ("efficientnet", "efficientnet"), ("resnetv2", "resnet"), ("resnet", "resnet"), ("deit", "vit"), ("beit", "vit"), ("vit_", "vit"),
    ("swin", "swin"),
)  # fmt: skip
"""Beginnings of timm's names; the first that fits."""
_PLAIN = ("gelu", "quickgelu")
_BY_ARCHITECTURE = ("open_clip", "run")
"""Kinds of models whose architecture is one of open_clip's, and not a folder or a file that may be called like one."""


def of_published(name: str, tag: str | None) -> Factors:
    """Of an architecture of open_clip and, with a tag, of its published weights."""
    config, factors = registry.model_config(name), _architecture(name)
    known = registry.published().get(name, {})
    if tag is None or tag not in known:
        return factors
    trained = trainsets.of_tag(name, tag)
    quick = known[tag].quick_gelu
    own_blocks = not (config.get("vision_cfg", {}).get("timm_model_name") and config.get("text_cfg", {}).get("hf_model_name"))
    activation = _PLAIN[bool(config.get("quick_gelu", False) if quick is None else quick)]
    return replace(_trained(factors, trained), loss=_loss(name, config, tag), activation=activation if own_blocks else None)


def _architecture(name: str) -> Factors:
    config, sizes = registry.model_config(name) if name else {}, profile(name)
    return Factors(
        family=family(config),
        parameters=None if sizes is None else sizes.parameters,
        gflops=None if sizes is None else sizes.gflops,
        resolution=_side(config.get("vision_cfg", {}).get("image_size")),
    )


def of_model(spec: ModelSpec | None, model: Any) -> Factors:
    """Of a model that is there, lazily or built, from what it says without being asked to compute.

    `spec` is how the user named it; None for an object of the project's own, of which nothing is known but its facts.
    """
    facts: Mapping[str, Any] = getattr(model, "facts", None) or {}
    factors = Factors() if spec is None else _named(spec, facts)
    parameters, activation, side = facts.get("parameters"), facts.get("activation"), _side(getattr(model, "image_size", None))
    if side is not None and factors.resolution not in (None, side):  # what is published was counted for another size
        factors = replace(factors, gflops=None)
    if factors.loss is None and not is_classifier(model) and getattr(model, "logit_bias", None) is not None:
        factors = replace(factors, loss="sigmoid")
    return replace(
        factors,
        family=factors.family or facts.get("family"),
        parameters=parameters if isinstance(parameters, int) else factors.parameters,
        activation=activation if activation in _PLAIN else factors.activation,
        resolution=side or factors.resolution,
    )


def _named(spec: ModelSpec, facts: Mapping[str, Any]) -> Factors:
    """What name and facts together say."""
    name, tag = str(facts.get("architecture") or ""), str(facts.get("pretrained") or "")
    if spec.kind == "photo":
        return of_photo()
    if spec.kind == "timm":
        return _of_timm(name, tag)
    if spec.kind == "bundled":
        return of_bundled(spec.name) if spec.pretrained is None else _random(Factors(), tag)
    if spec.kind == "hf-hub":
        found = registry.of_repository(name)
        return Factors() if found is None else of_published(*found)
    if spec.kind == "wise":  # between two models, of which the training of neither is its own
        tuned = interpolated(spec)[1]
        return _architecture(name if tuned.kind in _BY_ARCHITECTURE else "")
    if spec.kind not in _BY_ARCHITECTURE:
        return Factors()
    if facts.get("preprocess_source") == f"tag {tag}":
        return of_published(name, tag)
    return _random(_architecture(name), tag)


def _random(factors: Factors, tag: str) -> Factors:
    if tag != RANDOM:
        return factors
    return replace(factors, training_set="none", training_set_size=0, samples_seen=0, finetuned_on="none")


def of_photo() -> Factors:
    """Of EfficientNet-Lite; of `photo-dual` the part that sees."""
    return _trained(Factors("efficientnet", loss=CLASSIFICATION), trainsets.Trained("imagenet-1k", None, "none"))


_SCENES = {"correlated": "scenes-correlated", "written": "scenes-written"}


def of_bundled(name: str) -> Factors:
    """Of a model that ships, from the record of its training."""
    recipe = bundled.record(name).get("recipe", {})
    config = recipe.get("model", {})
    before = bundled.record(recipe["start"]).get("recipe", {}) if recipe.get("start") else {}
    seen = [each["steps"] * each["batch"] for each in (before, recipe) if "steps" in each and "batch" in each]
    return Factors(
        family=family(config),
        resolution=_side(config.get("vision_cfg", {}).get("image_size")),
        training_set=_SCENES.get(str((before or recipe).get("scenes")), "scenes"),
        training_set_size=(before or recipe).get("most_images"),
        samples_seen=sum(seen) or None,
        loss=_bundled_loss(recipe),
        finetuned_on=f"scenes:{recipe.get('scenes')}" if before else "none",
        activation=_PLAIN[bool(config.get("quick_gelu", False))] if config else None,
    )


def _bundled_loss(recipe: Mapping[str, Any]) -> str:
    """What train/loss.py asks for, and train/hardened.py after it."""
    if recipe.get("head"):
        return CLASSIFICATION
    more = "+distillation" if recipe.get("teacher") else "+fare" if recipe.get("attack") else ""
    return f"{recipe.get('loss', 'softmax')}+classification{more}"


def _of_timm(name: str, tag: str) -> Factors:
    architecture, _, own = name.partition(".")
    factors = Factors(family=_of_timm_name(architecture))
    if tag == RANDOM:
        return _random(factors, tag)
    if "." in tag or "/" in tag:  # a checkpoint of one's own
        return factors
    trained = trainsets.of_timm(own or tag)
    labelled = trained.on is not None and trained.on.startswith("imagenet")
    return replace(_trained(factors, trained), loss=CLASSIFICATION if labelled else None)


def _trained(factors: Factors, trained: trainsets.Trained) -> Factors:
    size = None if trained.on is None else trainsets.SETS[trained.on].size
    return replace(factors, training_set=trained.on, training_set_size=size, samples_seen=trained.seen, finetuned_on=trained.finetuned)


def _loss(name: str, config: Mapping[str, Any], tag: str) -> str:
    """Of published weights: the configuration has a logit bias for sigmoid models alone, and a caption decoder for CoCa alone."""
    if config.get("init_logit_bias") is not None:
        return "sigmoid+caption" if "SigLIP2" in name else "sigmoid"  # SigLIP 2: 2502.14786, section 2
    if config.get("multimodal_cfg"):
        return "softmax+caption"
    return "softmax+distillation" if tag.startswith(("datacompdr", "dfndr")) else "softmax"


def family(config: Mapping[str, Any]) -> str | None:
    """Of the image tower that a configuration of open_clip asks for."""
    vision = config.get("vision_cfg", {})
    if name := vision.get("timm_model_name"):
        return _of_timm_name(str(name))
    if _is_resnet(config):
        return "resnet"
    return "vit" if vision.get("width") else None


def _is_resnet(config: Mapping[str, Any]) -> bool:
    return isinstance(config.get("vision_cfg", {}).get("layers"), Sequence)


def _of_timm_name(name: str) -> str | None:
    name = name.removeprefix("test_")  # timm's smallest of each kind
    known = next((family for beginning, family in _FAMILIES if name.startswith(beginning)), None)
    found = re.match(r"[a-z]+", name)
    return known or (found[0] if found else None)


def _side(size: Any) -> int | None:
    """Of a square; None for anything else."""
    sides = list(size) if isinstance(size, Sequence) and not isinstance(size, str) else [size, size]
    return sides[0] if len(sides) == 2 and sides[0] == sides[1] and isinstance(sides[0], int) else None
