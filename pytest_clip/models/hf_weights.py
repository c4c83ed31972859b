"""The weights of a folder of transformers in the network that its config.json describes; what does not fit is fatal, as it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import checkpoint, foreign
from pytest_clip.models.heads import unlike_a_checkpoint
from pytest_clip.models.hf_kinds import Family, read_json
from pytest_clip.models.known import HARMLESS

SAFE, PICKLE = "model.safetensors", "pytorch_model.bin"
_SHOWN = 5


def read(folder: Path, family: Family) -> Any:
    """The network in float32 on the CPU, every weight from a file. Only files of the folder are read, as weights only."""
    import transformers

    files = _files(folder)
    safe = files[0].suffix == ".safetensors"
    for file in files:
        if fault := unlike_a_checkpoint(file):
            raise ClipError(fault)
        if not safe:
            checkpoint.read(file)  # says what a pickle wants, and how to save it without
    kind = getattr(transformers, family.model)
    try:
        with foreign.no_code(), torch.random.fork_rng(devices=[]):
            config = kind.config_class.from_pretrained(str(folder), local_files_only=True)
            for part in (config, config.text_config, config.vision_config):
                part.return_dict, part.output_hidden_states, part.output_attentions = True, False, False
            _must_fit_into_memory(kind, config, files, folder)
            module, found = kind.from_pretrained(
                str(folder), config=config, local_files_only=True, use_safetensors=safe, dtype=torch.float32, output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are said below
            )  # fmt: skip
    except ClipError:
        raise
    except Exception as error:  # a config can make a constructor raise anything, and files are what they are
        raise ClipError(
            f"{folder}: transformers cannot build its {family.model} ({type(error).__name__}: {' '.join(str(error).split())[:300]}); "
            "save it again with save_pretrained"
        ) from error
    _must_be_whole(found, folder, family, total=len(module.state_dict()))
    return module


def _files(folder: Path) -> list[Path]:
    """The file with the weights, or its shards."""
    for name in (SAFE, PICKLE):
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f"{name}.index.json"
        if index.is_file():
            listed = read_json(index).get("weight_map")
            names = sorted(set(map(str, listed.values()))) if isinstance(listed, dict) else []
            shards = [folder / each for each in names if Path(each).name == each]
            lost = [each for each in names if not (folder / each).is_file()]
            if lost or not shards or len(shards) != len(names):
                raise ClipError(f"{index} names {', '.join(lost) or 'no shards'} that {folder} does not hold; copy all files of the model")
            return shards
    there = ", ".join(
        sorted(each.name for each in folder.iterdir() if each.suffix in (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack"))
    )
    raise ClipError(f"{folder} has no {SAFE} and no {PICKLE}{f' (it has {there})' if there else ''}; save the model with save_pretrained")


def _must_fit_into_memory(kind: Any, config: Any, files: list[Path], folder: Path) -> None:
    """ClipError for a configuration of more weights than the files beside it can hold: building it could take all memory there is."""
    with torch.device("meta"):
        wanted = sum(each.numel() for each in kind(config).parameters())
    there = sum(file.stat().st_size for file in files)
    if wanted > 4 * max(there, 1 << 20):
        raise ClipError(
            f"{folder}: config.json describes {wanted:,} weights, and {files[0].name} has {there:,} bytes; copy the files of one model"
        )


def _must_be_whole(found: dict[str, Any], folder: Path, family: Family, *, total: int) -> None:
    """transformers draws what is missing at random and warns."""
    absent = _named(found.get("missing_keys"))
    odd = [key for key in _named(found.get("unexpected_keys")) if not (family.pools == "first" and ".pooler." in key)]  # BERT's: never read
    shapes = [
        f"{key}: file {list(there)}, model {list(wanted)}" for key, there, wanted in sorted(found.get("mismatched_keys") or (), key=str)
    ]
    told = [
        f"{len(some)} {what} ({', '.join(some[:_SHOWN])}{', ...' if len(some) > _SHOWN else ''})"
        for what, some in (("missing", absent), ("unexpected", odd), ("mis-shaped", shapes))
        if some
    ]
    if told or found.get("error_msgs"):
        raise ClipError(
            f"{folder} does not fit {family.model}: of {total} weights {'; '.join(told) or found['error_msgs']}; "
            "config.json and weights must be of one model: save it again with save_pretrained"
        )


def _named(keys: Any) -> list[str]:
    return sorted(str(key) for key in keys or () if not str(key).endswith(HARMLESS))
