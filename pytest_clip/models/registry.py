"""open_clip's architectures and published tags, read from its files: importing it would import torch, which takes seconds."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

QUICK = "-quickgelu"


@dataclass(frozen=True)
class Tag:
    """Published weights: whether trained with QuickGELU (None: it does not say), their repository, how pictures are resized."""

    quick_gelu: bool | None
    repository: str
    resize: str | None = None


def folders() -> list[Path]:
    """Where open_clip is installed."""
    package = find_spec("open_clip")
    return [Path(place) for place in (package.submodule_search_locations or ())] if package else []


@cache
def model_config(name: str) -> Mapping[str, Any]:
    """The configuration of an architecture; empty where there is none, or none that can be read."""
    place = next((file for folder in folders() if (file := folder / "model_configs" / f"{name}.json").is_file()), None)
    try:
        return {} if place is None else dict(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


@cache
def published() -> Mapping[str, Mapping[str, Tag]]:
    """By architecture its tags, as `open_clip.list_pretrained` has them; empty where `pretrained.py` is not written as it was."""
    for folder in folders():
        try:
            tree = ast.parse((folder / "pretrained.py").read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            return {}
        told = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign) for target in _names(node.targets)}
        table = told.get("_PRETRAINED")
        if not isinstance(table, ast.Dict):
            return {}
        resizing = {node.name: _resize(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
        found = {
            str(name): dict(_tags(told.get(node.id, node) if isinstance(node, ast.Name) else node, resizing))
            for name, node in _pairs(table)
        }
        quick = {f"{name}{QUICK}": {tag: each for tag, each in tags.items() if each.quick_gelu} for name, tags in found.items()}
        return found | {name: tags for name, tags in quick.items() if tags}  # as open_clip does after its table
    return {}


def of_repository(repository: str) -> tuple[str, str] | None:
    """Architecture and tag whose weights are those of a repository of the hub, None where no tag or several name it."""
    found = [
        (name, tag)
        for name, tags in published().items()
        for tag, each in tags.items()
        if each.repository == repository and not name.endswith(QUICK)
    ]
    return found[0] if len(found) == 1 else None


def _names(targets: list[ast.expr]) -> Iterator[ast.Name]:
    return (each for each in targets if isinstance(each, ast.Name))


def _pairs(node: ast.expr) -> Iterator[tuple[object, ast.expr]]:
    """Keys and values of `dict(a=..., b=...)` or `{"a": ...}`."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield key.value, value
    elif isinstance(node, ast.Call):
        for each in node.keywords:
            if each.arg is not None:
                yield each.arg, each.value


def _tags(node: ast.expr, resizing: Mapping[str, str | None]) -> Iterator[tuple[str, Tag]]:
    for name, call in _pairs(node):
        said = {key: value.value for key, value in _pairs(call) if isinstance(value, ast.Constant)}
        quick = said.get("quick_gelu")
        maker = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        resize = said.get("resize_mode") or resizing.get(maker)
        yield (
            str(name),
            Tag(
                quick if isinstance(quick, bool) else None,
                str(said.get("hf_hub") or "").strip("/"),
                None if resize is None else str(resize),
            ),
        )


def _resize(maker: ast.FunctionDef) -> str | None:
    """`resize_mode` of the dictionary that a function of open_clip makes of a tag."""
    for node in ast.walk(maker):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "resize_mode" and isinstance(value, ast.Constant):
                    return str(value.value)
    return None
