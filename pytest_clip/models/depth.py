"""Monocular depth estimation through transformers: a picture to the distance of each of its pixels. Light until a picture is seen."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from .. import ClipError
from . import foreign

if TYPE_CHECKING:
    from torch import Tensor

NEEDS_TRANSFORMERS = "needs transformers, which is not installed; pip install pytest-clip[depth]"
FILES = ("config.json", "preprocessor_config.json", "*.safetensors", "*.safetensors.index.json")
"""What is read of a repository: no pickles, no code."""
METRIC = ("depth_pro", "glpn", "zoedepth")
"""Architectures that say metres. `depth_anything` says in its configuration which of its models do."""
SIDE = 384
"""A map's shorter side is at most this long: what DPT works at, and more than most CLIPs see."""
CONVERSION = 1
"""Part of the fingerprint: raise it when the same prediction becomes other distances."""

_UNUSED = "fusion_stage.layers.0.residual_layer1"
"""The deepest stage of a DPT has nothing to be fused with; published checkpoints leave these weights out."""
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class DepthModel:
    """A depth-estimation model by the name it was given; nothing is loaded or fetched before it is used."""

    text: str
    folder: Path | None
    """None: a repository of the Hugging Face hub"""
    output: str = "auto"
    """`inverse`: near is large, up to an unknown scale and shift; `metric`: distances; `auto`: the configuration decides"""

    @property
    def name(self) -> str:
        """For reports: the hub id, or the folder's name."""
        return self.text if self.folder is None else self.folder.resolve().name

    @cached_property
    def path(self) -> Path:
        """The folder with its files, fetched first where it is a repository."""
        if self.folder is not None:
            return self.folder
        from .hub import folder_of_repository

        path = folder_of_repository(self.text, patterns=FILES, otherwise="--clip-depth-model=DIR, a folder of save_pretrained")
        _check(path, self.text)
        return path

    @cached_property
    def fingerprint(self) -> str:
        """Of what the files hold, and of how their numbers are read; 16 hex digits."""
        digest = hashlib.sha256(f"{CONVERSION} {SIDE} {self.output}".encode())
        for file in sorted({file for pattern in FILES for file in self.path.glob(pattern)}):
            digest.update(f"\n{file.name} {file.stat().st_size}\n".encode())
            with file.open("rb") as content:
                while part := content.read(1 << 20):
                    digest.update(part)
        return digest.hexdigest()[:16]

    def distances(self, picture: Any, *, device: str = "cpu") -> Tensor:
        """float32 [h, w] on the CPU, above 0, of a PIL picture: all of it, at its own aspect ratio, the shorter side at most `SIDE`.

        One picture at a time, so a map never depends on its neighbours. ClipError for a model that cannot be loaded or answers nonsense.
        """
        import torch

        picture = picture.convert("RGB")
        scale = min(1.0, SIDE / min(picture.size))
        size = max(1, round(picture.height * scale)), max(1, round(picture.width * scale))
        with _ONE_AT_A_TIME, torch.inference_mode():
            network, processor, metric = _loaded(self, device)
            answer = network(**processor(images=picture, return_tensors="pt").to(device))
            after = processor.post_process_depth_estimation
            # ZoeDepth pads the picture and has to know its size to take the border off again.
            more = {"source_sizes": [(picture.height, picture.width)]} if "source_sizes" in signature(after).parameters else {}
            predicted = after(answer, target_sizes=[size], **more)[0]["predicted_depth"].float().cpu().clone().reshape(size)
        if not predicted.isfinite().all():
            raise ClipError(f"the depth model {self.name} answers with numbers that are not finite; use another with --clip-depth-model")
        return distance(predicted, metric=metric)


def find(text: str, *, base: Path, output: str = "auto") -> DepthModel:
    """The model that ID-or-DIR means, a folder relative to `base`; ClipError for neither and where transformers is missing."""
    if find_spec("transformers") is None:
        raise ClipError(f"{text[:200]!r} {NEEDS_TRANSFORMERS}")
    try:
        folder = base / os.path.expanduser(text)  # noqa: PTH111 - Path's raises for a user that there is not
    except ValueError:  # a zero byte, half a surrogate
        folder = base / text
    if os.path.isdir(folder):  # noqa: PTH112 - Path's raises for a name that is too long
        _check(folder, text)
        return DepthModel(text, folder, output)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", text, re.ASCII):
        raise ClipError(f"{text[:200]!r} is no folder and no hub id; write a folder of save_pretrained, or ORGANISATION/NAME")
    return DepthModel(text, None, output)


def distance(predicted: Tensor, *, metric: bool) -> Tensor:
    """What a network says of one picture, [h, w], as distances above 0.

    Distances stay what they are, but for those at or behind the camera. Inverse depth is known up to a scale and a shift, which a distance
    cannot do without. ImageNet-3DCC reads disparities from 16-bit files, d / 512, and takes min(1 / d, 0.5) (Kar et al. 2022); here the
    disparities of each picture are spread over these 16 bits first. So the nearest point lies at 1/128 and all of the last 64th at 0.5.
    """
    import torch

    if metric:
        return predicted.clamp(min=1e-3)
    low, high = predicted.aminmax()
    spread = (predicted - low) / (high - low) if high > low else torch.zeros_like(predicted)
    return (1 / (spread * (65535 / 512) + 1e-6)).clamp(max=0.5)


def _check(folder: Path, text: str) -> None:
    lacking = [name for name in FILES[:3] if not any(folder.glob(name))]
    if lacking:
        raise ClipError(f"{text!r} has no {' and no '.join(lacking)}; it takes a depth-estimation model as save_pretrained writes it")
    foreign.refuse_code(folder, shown=f"the depth model {text}")


@lru_cache(maxsize=1)
def _loaded(model: DepthModel, device: str) -> tuple[Any, Any, bool]:
    """Network, processor, and whether it says distances. From the folder only, as weights only."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    from .quiet import quiet

    where = {"pretrained_model_name_or_path": str(model.path), "local_files_only": True, "trust_remote_code": False}
    try:
        with foreign.no_code(), quiet(), foreign.no_bars():
            network, found = AutoModelForDepthEstimation.from_pretrained(**where, use_safetensors=True, output_loading_info=True)
            processor = AutoImageProcessor.from_pretrained(**where)
    except ClipError:
        raise
    except Exception as error:  # transformers, safetensors and json each raise their own
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ClipError(f"the depth model {model.name} cannot be loaded ({said}); see --clip-depth-model") from error
    keys = {str(key) for kind in ("missing_keys", "mismatched_keys") for key in found.get(kind, ())}
    if absent := sorted(key for key in keys if _UNUSED not in key):
        raise ClipError(
            f"the depth model {model.name} lacks {len(absent)} of its weights ({', '.join(absent[:3])} ...) and would guess; "
            "name a model that is made for depth estimation with --clip-depth-model"
        )
    config = network.config
    metric = config.model_type in METRIC or getattr(config, "depth_estimation_type", None) == "metric"
    return network.to(device, torch.float32).eval(), processor, metric if model.output == "auto" else model.output == "metric"
