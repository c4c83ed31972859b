"""Configurations that lie beside weights: `local-dir:DIR[,FILE]` and `FILE.json,WEIGHTS`. Light: no weights are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import config
from pytest_clip.models.recipe import Recipe
from pytest_clip.store import path_of

CONFIG = "open_clip_config.json"
WEIGHTS = (".safetensors", ".bin", ".pth", ".pt")
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
_NEEDED = {"embed_dim", "vision_cfg", "text_cfg"}


def parts(rest: str) -> tuple[str, str | None]:
    """Folder and file of what follows `local-dir:`. A comma in the name of a folder that is there, or that ends in no file, is none."""
    if path_of(rest).is_dir() or "," not in rest:
        return rest, None
    cuts = [at for at, character in enumerate(rest) if character == ","]
    there = [at for at in cuts if path_of(rest[:at].strip() or "?").is_dir()]
    folder, file = rest[: (at := (there or cuts)[-1])].strip(), rest[at + 1 :].strip()
    return (folder, file) if folder and (there or file.lower().endswith((*WEIGHTS, ".ckpt", ".npz"))) else (rest, None)


def weights(folder: Path, file: str | None) -> Path:
    """The checkpoint of a folder, or `file`: of the folder, or of where the command runs; ClipError where both have one or none has."""
    if file is None:
        return _weights_in(folder)
    path = path_of(file)
    here = [path.absolute()]
    places = here if file.startswith((".", "~")) or path.is_absolute() else [folder / path, *here]
    there = [each for each in places if each.is_file()]
    if not there:
        raise ClipError(f"local-dir:{folder},{file}: there is no file {' and no file '.join(map(str, places))}")
    if len(there) == 2 and not there[0].samefile(there[1]):
        raise ClipError(
            f"local-dir:{folder},{file} can be two files; write local-dir:{folder},{there[0].absolute()} or local-dir:{folder},./{file}"
        )
    return there[0]


def recipe(folder: Path, shown: str, file: str | None = None) -> Recipe:
    """A folder with `open_clip_config.json` and weights."""
    if not folder.is_dir():
        raise ClipError(f"local-dir:{shown}: there is no folder {folder}")
    model_cfg, preprocess_cfg = read_config(folder / CONFIG)
    facts = {"preprocess_source": CONFIG, "activation_source": CONFIG}
    chosen = weights(folder, file)
    named = "local-dir" if file is None else chosen.name
    return Recipe(folder.name, named, model_cfg, preprocess_cfg, chosen, f"local-dir:{folder}", facts=facts)


def read_config(file: Path, *, plain: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """`model_cfg` and `preprocess_cfg`. `plain`: the file may be a `model_cfg` itself, like those of open_clip's `model_configs`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClipError(f"{file} is missing; it holds open_clip's model_cfg and preprocess_cfg") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ClipError(f"{file} is not readable as JSON: {error}") from error
    if plain and isinstance(content, dict) and "model_cfg" not in content:
        content = {"model_cfg": content}
    model = content.get("model_cfg") if isinstance(content, dict) else None
    if not isinstance(model, dict) or not set(model) >= _NEEDED:
        raise ClipError(f"{file} has no model_cfg with embed_dim, vision_cfg and text_cfg, so open_clip cannot build a model from it")
    preprocess = content.get("preprocess_cfg") or {}
    config.check(model, preprocess, file=file)
    return model, preprocess


def _weights_in(folder: Path) -> Path:
    files = sorted(file for file in folder.iterdir() if file.suffix in WEIGHTS)
    for name in _PREFERRED:
        if folder / name in files:
            return folder / name
    if len(files) == 1:
        return files[0]
    if not files:
        raise ClipError(f"{folder} holds no checkpoint; name the one to use: local-dir:{folder},FILE")
    raise ClipError(
        f"{folder} holds several checkpoints ({', '.join(file.name for file in files)}); "
        f"name the one to use: --clip-model=local-dir:{folder},{files[-1].name}"
    )
