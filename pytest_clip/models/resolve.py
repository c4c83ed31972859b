"""From a model's name to everything needed to build it: config, weights file, preprocessing, tokenizer, activation. No weights are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import bundled, config, hub
from pytest_clip.models.spec import CHECKPOINT_SUFFIXES, RANDOM, ModelSpec
from pytest_clip.models.tags import DEFAULT_TAGS
from pytest_clip.store import path_of

_CONFIG = "open_clip_config.json"
_PREFERRED = (  # open_clip's own order
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)


@dataclass(frozen=True)
class Recipe:
    """What open_clip needs for one model; `weights` is None for random ones, `published` says that open_clip vouches for the file."""

    architecture: str
    pretrained: str
    model_cfg: dict[str, Any]
    preprocess_cfg: dict[str, Any]
    weights: Path | None
    tokenizer: str
    published: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def resolve(spec: ModelSpec, cache_dir: Path) -> Recipe:
    """Look the name, the tag or the files up; downloads what a tag stands for unless it is cached."""
    if spec.kind == "local-dir":
        return _from_folder(path_of(spec.name).absolute(), spec.name)
    if spec.kind == "bundled":
        return _from_bundled(spec, cache_dir)
    if spec.kind == "hf-hub":
        return _from_hub(spec.name)
    return _from_name(spec)


def _from_name(spec: ModelSpec) -> Recipe:
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    config = open_clip.get_model_config(spec.name)
    if config is None:
        near = get_close_matches(spec.name, [*open_clip.list_models(), *bundled.names()], n=4, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "`pytest-clip models` lists names"
        raise ClipError(f"open_clip knows no architecture {spec.name!r}; {hint}")
    tags = open_clip.list_pretrained_tags_by_model(spec.name)
    wanted = spec.pretrained or DEFAULT_TAGS.get(spec.name)
    if wanted is None:
        raise ClipError(f"{spec.name} has no default weights; write {spec.name},TAG or {spec.name},PATH{_tags(spec.name, tags)}")
    published = get_pretrained_cfg(spec.name, wanted)
    if published:
        config, facts = with_tag_activation(config, published, spec.name, wanted)
        file, notes = hub.weights_of_tag(spec.name, wanted, published)
        facts["preprocess_source"] = f"tag {wanted}"
        return Recipe(spec.name, wanted, config, dict(published), file, spec.name, published=True, facts=facts, warnings=notes)
    facts = {"activation_source": "architecture config", "preprocess_source": "open_clip defaults (OpenAI mean and std)"}
    return _with_file(spec, wanted, config, {}, spec.name, facts, tags)


def with_tag_activation(config: dict[str, Any], published: Mapping[str, Any], name: str, tag: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The config with the activation that the tag was trained with.

    open_clip 3.3 builds `ViT-B-32` + `openai` with GELU although the weights were trained with QuickGELU, and only warns
    (https://github.com/mlfoundations/open_clip/issues/771). A tag that does not say keeps the architecture's own activation.
    """
    own = bool(config.get("quick_gelu", False))
    trained = bool(published.get("quick_gelu", own))
    source = f"tag {tag}" if "quick_gelu" in published else "architecture config"
    if trained != own:
        words = {True: "QuickGELU", False: "GELU"}
        source += f": trained with {words[trained]}, where {name} alone would be built with {words[own]}"
    return {**config, "quick_gelu": trained}, {"activation_source": source}


def _with_file(
    spec: ModelSpec, wanted: str, config: dict[str, Any], preprocess: dict[str, Any], tokenizer: str, facts: dict[str, Any], tags: list[str]
) -> Recipe:
    if wanted == RANDOM:
        loud = f"{spec.text}: the weights are RANDOM (seed 0), every score is that of an untrained model"
        return Recipe(spec.name, RANDOM, config, preprocess, None, tokenizer, facts=facts, warnings=(loud,))
    path = path_of(wanted)
    if not path.exists():
        if "/" in wanted or "\\" in wanted or wanted.lower().endswith(CHECKPOINT_SUFFIXES):
            raise ClipError(f"{spec.text}: there is no checkpoint {path}; a relative path starts at {Path.cwd()}")
        near = get_close_matches(wanted, tags, n=1)
        raise ClipError(
            f"{spec.text}: {wanted!r} is neither a tag of {spec.name} nor a file"
            + (f"; perhaps you mean {spec.name},{near[0]}" if near else "")
            + _tags(spec.name, tags)
        )
    return Recipe(spec.name, path.name, config, preprocess, path, tokenizer, facts=facts)


def _from_bundled(spec: ModelSpec, cache_dir: Path) -> Recipe:
    folder = bundled.expand(spec.name, cache_dir)
    recipe = _from_folder(folder.absolute(), spec.name)
    facts = {**recipe.facts, "preprocess_source": "bundled config", "activation_source": "bundled config"}
    if spec.pretrained is None:
        return Recipe(spec.name, "bundled", recipe.model_cfg, recipe.preprocess_cfg, recipe.weights, recipe.tokenizer, facts=facts)
    return _with_file(spec, spec.pretrained, recipe.model_cfg, recipe.preprocess_cfg, recipe.tokenizer, facts, [])


def _from_folder(folder: Path, shown: str) -> Recipe:
    if not folder.is_dir():
        raise ClipError(f"local-dir:{shown}: there is no folder {folder}")
    model_cfg, preprocess_cfg = _read_config(folder / _CONFIG)
    facts = {"preprocess_source": _CONFIG, "activation_source": _CONFIG}
    return Recipe(folder.name, "local-dir", model_cfg, preprocess_cfg, _weights_in(folder), f"local-dir:{folder}", facts=facts)


def _from_hub(repository: str) -> Recipe:
    file, weights, notes = hub.files_of_repository(repository)
    model_cfg, preprocess_cfg = _read_config(file)
    facts = {"preprocess_source": _CONFIG, "activation_source": _CONFIG}
    return Recipe(repository, "hf-hub", model_cfg, preprocess_cfg, weights, f"hf-hub:{repository}", facts=facts, warnings=notes)


def _read_config(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClipError(f"{file} is missing; it holds open_clip's model_cfg and preprocess_cfg") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ClipError(f"{file} is not readable as JSON: {error}") from error
    model = content.get("model_cfg") if isinstance(content, dict) else None
    if not isinstance(model, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= set(model):
        raise ClipError(f"{file} has no model_cfg with embed_dim, vision_cfg and text_cfg, so open_clip cannot build a model from it")
    preprocess = content.get("preprocess_cfg") or {}
    config.check(model, preprocess, file=file)
    return model, preprocess


def _weights_in(folder: Path) -> Path:
    files = sorted(file for file in folder.iterdir() if file.suffix in (".safetensors", ".bin", ".pth", ".pt"))
    for name in _PREFERRED:
        if folder / name in files:
            return folder / name
    if len(files) == 1:
        return files[0]
    what = f"holds several checkpoints ({', '.join(file.name for file in files)})" if files else "holds no checkpoint"
    raise ClipError(f"{folder} {what}; name the one to use open_clip_model.safetensors or open_clip_pytorch_model.bin")


def _tags(name: str, tags: list[str]) -> str:
    return f"; tags of {name}: {', '.join(tags)}" if tags else f"; open_clip has no tags for {name}"
