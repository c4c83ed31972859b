"""From a model's name to everything needed to build it: config, weights file, preprocessing, tokenizer, activation. No weights are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import bundled, folders, hub, run_recipe
from pytest_clip.models.recipe import Recipe
from pytest_clip.models.spec import CHECKPOINT_SUFFIXES, RANDOM, ModelSpec
from pytest_clip.models.tags import DEFAULT_TAGS
from pytest_clip.store import path_of


def resolve(spec: ModelSpec, cache_dir: Path) -> Recipe:
    """Look the name, the tag or the files up; downloads what a tag stands for unless it is cached."""
    if spec.kind == "local-dir":
        return folders.recipe(path_of(spec.name).absolute(), spec.name, spec.pretrained)
    if spec.kind == "bundled":
        return _from_bundled(spec, cache_dir)
    if spec.kind == "hf-hub":
        return _from_hub(spec.name)
    if spec.kind == "run":
        return run_recipe.recipe(spec)
    if spec.kind == "config":
        return _from_config(spec)
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
    told = run_recipe.beside(path, config, preprocess) if spec.kind == "open_clip" else ()
    return Recipe(spec.name, path.name, config, preprocess, path, tokenizer, facts=facts, warnings=told)


def _from_bundled(spec: ModelSpec, cache_dir: Path) -> Recipe:
    folder = bundled.expand(spec.name, cache_dir)
    recipe = folders.recipe(folder.absolute(), spec.name)
    facts = {**recipe.facts, "preprocess_source": "bundled config", "activation_source": "bundled config"}
    if spec.pretrained is None:
        return Recipe(spec.name, "bundled", recipe.model_cfg, recipe.preprocess_cfg, recipe.weights, recipe.tokenizer, facts=facts)
    return _with_file(spec, spec.pretrained, recipe.model_cfg, recipe.preprocess_cfg, recipe.tokenizer, facts, [])


def _from_config(spec: ModelSpec) -> Recipe:
    """A configuration of the user's own; its tokenizer is open_clip's, or the one of Hugging Face that it names."""
    file = path_of(spec.name).absolute()
    model_cfg, preprocess_cfg = folders.read_config(file, plain=True)
    where = file.name if preprocess_cfg else "open_clip defaults (OpenAI mean and std)"
    facts = {"activation_source": file.name, "preprocess_source": where}
    made = _with_file(spec, str(spec.pretrained), model_cfg, preprocess_cfg, "config:", facts, [])
    return replace(made, architecture=file.stem)


def _from_hub(repository: str) -> Recipe:
    file, weights, notes = hub.files_of_repository(repository)
    model_cfg, preprocess_cfg = folders.read_config(file)
    facts = {"preprocess_source": folders.CONFIG, "activation_source": folders.CONFIG}
    return Recipe(repository, "hf-hub", model_cfg, preprocess_cfg, weights, f"hf-hub:{repository}", facts=facts, warnings=notes)


def _tags(name: str, tags: list[str]) -> str:
    return f"; tags of {name}: {', '.join(tags)}" if tags else f"; open_clip has no tags for {name}"
