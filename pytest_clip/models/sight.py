"""How a model that timm builds sees a picture: timm's own transform, in the two halves that views and stored pictures need."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import torch
import torchvision

from pytest_clip import ClipError
from pytest_clip.models.forward import normalized
from pytest_clip.models.quiet import quiet

if TYPE_CHECKING:
    import PIL.Image


@dataclass(frozen=True)
class Sight:
    """`config` is a data config of timm (`timm.data.resolve_data_config`): input_size, interpolation, crop_pct, crop_mode, mean, std."""

    config: Mapping[str, Any]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the model's input."""
        _, height, width = self.config["input_size"]
        return int(height), int(width)

    @cached_property
    def told(self) -> dict[str, Any]:
        """For reports, as far as open_clip has a word for it in its words: `size`, `mean`, `std`, `interpolation`, `resize_mode`."""
        return {
            "size": list(self.size),
            "mean": [float(x) for x in self.config["mean"]],
            "std": [float(x) for x in self.config["std"]],
            "interpolation": str(self.config["interpolation"]),
            "resize_mode": {"squash": "squash", "border": "longest"}.get(self.config["crop_mode"], "shortest"),
            "crop_pct": float(self.config["crop_pct"]),
        }

    @cached_property
    def _steps(self) -> list[Callable[[Any], Any]]:
        with quiet():
            from timm.data import create_transform

        transform = create_transform(**self.config, is_training=False)
        names = [type(step).__name__ for step in transform.transforms]
        if names[-2:] not in (["MaybeToTensor", "Normalize"], ["ToTensor", "Normalize"]):
            raise ClipError(f"this version of timm makes a transform of {', '.join(names)}, whose halves are not known; install timm 1.0")
        steps: list[Callable[[Any], Any]] = transform.transforms[:-2]
        return steps

    @cached_property
    def geometry(self) -> str:
        """All that `resize` depends on besides the picture."""
        import timm

        border = ("mean",) if self.config["crop_mode"] == "border" else ()  # timm paints it in the mean colour
        config = {key: value for key, value in self.told.items() if key not in ("mean", "std") or key in border}
        versions = {"pillow": PIL.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
        return json.dumps({**config, "crop_mode": self.config["crop_mode"], **versions}, sort_keys=True)

    def resize(self, image: PIL.Image.Image) -> torch.Tensor:
        """A picture of any kind and size as uint8 [3, h, w] at the model's input size."""
        image = image.convert("RGB")
        for step in self._steps:
            image = step(image)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 [b, 3, h, w] to the float32 that the model takes."""
        return normalized(images, mean=self.told["mean"], std=self.told["std"])

    def normalized_by(self, mean: Sequence[float], std: Sequence[float]) -> Sight:
        """The same sight under another mean and standard deviation."""
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ClipError(f"mean and std need three numbers each, std above 0; got {list(mean)} and {list(std)}")
        return Sight({**self.config, "mean": tuple(map(float, mean)), "std": tuple(map(float, std))})


class Seeing:
    """What `models.protocol` asks of the eyes of a model, from its `sight`."""

    sight: Sight
    facts: dict[str, Any]
    thread_safe = True

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the model's input."""
        return self.sight.size

    @property
    def preprocess_config(self) -> dict[str, Any]:
        """Size, mean, standard deviation, interpolation and crop."""
        return self.sight.told

    @property
    def geometry(self) -> str:
        """All that `resize` depends on besides the picture: models of one geometry share stored pictures."""
        return self.sight.geometry

    def resize(self, image: PIL.Image.Image) -> torch.Tensor:
        """The first half of `preprocess`: a picture of any kind and size as uint8 [3, h, w]."""
        return self.sight.resize(image)

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """The other half, for a batch."""
        return self.sight.normalize(images)

    def preprocess(self, image: PIL.Image.Image) -> torch.Tensor:
        """timm's own inference transform, float32 [3, h, w]."""
        return self.normalize(self.resize(image)[None])[0]

    def seen_by(self, sight: Sight) -> Any:
        """The same weights, shared, behind another `sight`."""
        view = copy.copy(self)
        view.__dict__.pop("fingerprint", None)
        view.sight, view.facts = sight, {**self.facts, "preprocess": sight.told, "preprocess_source": "changed on purpose"}
        return view
