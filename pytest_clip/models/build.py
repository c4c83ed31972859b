"""The steps of building an open_clip model, each failing with one ClipError: device, architecture, weights, tokenizer, preprocessing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.nn import init
from torch.overrides import TorchFunctionMode

from pytest_clip import ClipError
from pytest_clip.models import config, foreign
from pytest_clip.models.forward import DTYPES, MIXED
from pytest_clip.models.quiet import quiet
from pytest_clip.models.recipe import Recipe

with quiet():  # what open_clip or timm deprecate at import is not news about a model
    import open_clip
    from open_clip.tokenizer import HFTokenizer
    from open_clip.transform import PreprocessCfg

_SEED = 0
CPU_INSTEAD = {"fp16": "bf16", "amp": "amp_bf16"}


def pick_device(device: str, precision: str) -> str:
    """The device to run on, refused early if it is not there or cannot compute in `precision`."""
    if precision not in DTYPES:
        raise ClipError(f"--clip-precision={precision} is unknown; choose from {', '.join(DTYPES)}")
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        kind = torch.device(place).type
    except RuntimeError:
        raise ClipError(f"--clip-device={device} is not a torch device; write auto, cpu, cuda, cuda:1 or mps") from None
    if kind == "cuda" and (torch.device(place).index or 0) >= torch.cuda.device_count():
        raise ClipError(f"--clip-device={device}: torch sees {torch.cuda.device_count()} CUDA devices; use --clip-device=auto")
    if kind == "cpu" and precision in ("fp16", "amp"):
        raise ClipError(f"--clip-precision={precision} does not run on the CPU; use --clip-precision={CPU_INSTEAD[precision]} or fp32")
    return place


def open_clip_reads(recipe: Recipe) -> bool:
    """Files that open_clip vouches for may need its conversions (resized positions, big_vision arrays)."""
    return recipe.published or (recipe.weights is not None and recipe.weights.suffix in (".npz", ".npy"))


class _Unfilled(TorchFunctionMode):
    """Random initial weights are NaN instead: drawing them is 1.5 of the 2.3 s of building ViT-B-32, and NaN left by a file is seen."""

    RANDOM = (torch.Tensor.normal_, torch.Tensor.uniform_, init.normal_, init.uniform_, init.kaiming_uniform_)

    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        given = dict(kwargs or {})
        if func not in self.RANDOM:
            return func(*args, **given)
        with torch.no_grad():
            return (args[0] if args else given["tensor"]).fill_(float("nan"))


def build_module(recipe: Recipe, model_cfg: dict[str, Any], precision: str, *, fill: bool = True) -> tuple[torch.nn.Module, list[str]]:
    """open_clip's model for the config, without weights, on the CPU, from a fixed seed and without touching the caller's random state.

    Not to `fill` it leaves NaN where random numbers would be, for weights that will be loaded over all of them.
    """
    _must_fit_into_memory(recipe, model_cfg)
    guard = foreign.no_code() if model_cfg["text_cfg"].get("hf_model_name") else nullcontext()
    with tempfile.TemporaryDirectory(prefix="pytest-clip-") as folder, torch.random.fork_rng(devices=[]):
        said = {"model_cfg": model_cfg, "preprocess_cfg": recipe.preprocess_cfg}
        (Path(folder) / "open_clip_config.json").write_text(json.dumps(said, default=list), encoding="utf-8")
        torch.default_generator.manual_seed(_SEED)
        try:
            with quiet() as notes, guard, nullcontext() if fill else _Unfilled():
                module: torch.nn.Module = open_clip.create_model(
                    f"local-dir:{folder}",
                    load_weights=False,
                    pretrained_text=False,
                    precision="fp32" if precision in MIXED else precision,
                    force_image_size=recipe.image_size,
                )
        except foreign.CodeError:
            raise
        except Exception as error:  # anything that a config can make a constructor raise
            raise ClipError(f"open_clip cannot build {recipe.architecture}: {type(error).__name__}: {error}") from error
    # What is left after open_clip's complaints that this folder holds no weights, which is on purpose.
    return module, [note for note in notes if folder not in note]


def _must_fit_into_memory(recipe: Recipe, model_cfg: Mapping[str, Any]) -> None:
    """ClipError for a configuration of more weights than the file beside it can hold: building it could take all memory there is."""
    if recipe.weights is None or recipe.published:
        return
    wanted, there = config.least_weights(model_cfg), recipe.weights.stat().st_size
    if wanted > 4 * max(there, 1 << 20):  # a weight takes at least a byte, unless the archive is compressed
        raise ClipError(
            f"{recipe.architecture}: its configuration describes at least {wanted:,} weights, and {recipe.weights} has {there:,} bytes; "
            "name the checkpoint that belongs to it, or correct the configuration"
        )


def load_published(module: torch.nn.Module, recipe: Recipe) -> None:
    try:
        open_clip.load_checkpoint(module, str(recipe.weights), strict=True, weights_only=True)
    except Exception as error:
        raise ClipError(
            f"the weights of {recipe.architecture},{recipe.pretrained} in {recipe.weights} do not load, perhaps a download was cut short "
            f"({type(error).__name__}: {str(error).strip()[:300]}); delete that file and run again"
        ) from error


def make_tokenizer(recipe: Recipe) -> Any:
    """The tokenizer of a configuration that has been checked, without reading it once more; no code comes with it."""
    text = recipe.model_cfg["text_cfg"]
    name = text.get("hf_tokenizer_name")
    scheme, _, place = recipe.tokenizer.partition(":")
    try:
        if scheme not in ("local-dir", "hf-hub", "config"):
            length = {"context_length": text.get("context_length")}
            known = recipe.tokenizer
            return _guarded(open_clip.get_tokenizer, known, **length) if name else open_clip.get_tokenizer(known, **length)
        how = {"context_length": text.get("context_length", 77), **(text.get("tokenizer_kwargs") or {})}
        if not name:
            return open_clip.SimpleTokenizer(**how)
        if scheme == "local-dir":
            foreign.refuse_code(Path(place), shown=recipe.tokenizer)
        elif not config.REPOSITORY.fullmatch(name):
            raise ClipError(f"{recipe.architecture}: hf_tokenizer_name is {name!r}, which is no repository of Hugging Face")
        return _guarded(HFTokenizer, place if scheme == "local-dir" else name, tokenizer_mode=text.get("tokenizer_mode"), **how)
    except ClipError:
        raise
    except Exception as error:
        hint = f"; it is {name!r} of Hugging Face, which needs `pip install transformers` and its files in the cache" if name else ""
        raise ClipError(f"cannot make the tokenizer of {recipe.architecture} ({type(error).__name__}: {error}){hint}") from error


def _guarded(make: Callable[..., Any], *args: Any, **how: Any) -> Any:
    """A tokenizer of transformers."""
    with foreign.no_code():
        return make(*args, trust_remote_code=False, **how)


def preprocess_config_of(module: torch.nn.Module) -> dict[str, Any]:
    config = asdict(PreprocessCfg(**module.get_submodule("visual").preprocess_cfg))  # type: ignore[arg-type]
    return {**config, "size": pair(config["size"]), "mean": [float(x) for x in config["mean"]], "std": [float(x) for x in config["std"]]}


def pair(size: int | Sequence[int]) -> list[int]:
    return [size, size] if isinstance(size, int) else [int(size[0]), int(size[-1])]
