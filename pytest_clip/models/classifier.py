"""A network of timm that scores classes, ready to measure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import fingerprint
from pytest_clip.models.forward import CHANNELS_LAST, DTYPES, mixed, order_memory
from pytest_clip.models.gradients import normalized
from pytest_clip.models.sight import Seeing, Sight

if TYPE_CHECKING:
    from pytest_clip.models.protocol import Classifier

    def _conforms(model: ImageClassifier) -> Classifier:
        return model


class ImageClassifier(Seeing):
    """A torch module that maps pictures [b, 3, h, w] to logits [b, C], with the `names` of its C classes and its `sight`."""

    def __init__(
        self,
        module: torch.nn.Module,
        sight: Sight,
        names: Sequence[str],
        *,
        label: str,
        device: str = "cpu",
        precision: str = "fp32",
        facts: dict[str, Any] | None = None,
    ) -> None:
        memory = order_memory(module)
        self.module = module.eval().requires_grad_(False).to(device, DTYPES[precision])
        self.sight, self.names = sight, tuple(names)
        self.label, self.device, self.precision = label, device, precision
        self.facts: dict[str, Any] = {
            "preprocess": sight.told,
            "classes": len(self.names),
            "activation": "none",
            "memory_format": memory,
            "parameters": sum(each.numel() for each in module.parameters()),
            "torch": torch.__version__,
            **(facts or {}),
        }

    def __repr__(self) -> str:
        return f"ImageClassifier({self.label!r}, {len(self.names)} classes, {self.precision} on {self.device})"

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the weights, the architecture, the preprocessing, the classes or the precision; never with name, place or device."""
        return fingerprint.model_fingerprint(
            weights=self._weights_digest,
            model=self.facts.get("architecture"),
            preprocess={**self.sight.told, "crop_mode": self.sight.config["crop_mode"]},
            classes=self.names,
            precision=self.precision,
        )

    @cached_property
    def _weights_digest(self) -> str:
        return fingerprint.weights_digest(self.module)

    def class_scores(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of preprocessed images [b, 3, h, w]: float32 [b, C] on the CPU."""
        with torch.inference_mode(), mixed(self.precision, self.device):
            logits: torch.Tensor = self.module(self._ready(images))
        return logits.float().cpu().clone()  # outside inference mode: an ordinary tensor

    def from_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits of pictures in 0..1 with gradients: see `models.gradients`."""
        with mixed(self.precision, self.device):
            logits: torch.Tensor = self.module(self._ready(normalized(pixels, self.sight.told)))
        return logits.float()

    def dense_features(self, images: torch.Tensor, *, layer: int = -1) -> torch.Tensor:
        """Feature maps of preprocessed images, [n, d, gh, gw], of the stages that timm names, counted from the first (0) or last (-1)."""
        inner = getattr(self.module, "forward_intermediates", None)
        if inner is None:
            raise ClipError(f"{self.label} has no dense features: timm has no intermediate layers for {self.facts.get('architecture')}")
        with torch.inference_mode(), mixed(self.precision, self.device):
            ready = self._ready(images)
            number = len(inner(ready[:1], intermediates_only=True))
            if not -number <= layer < number:
                raise ClipError(f"{self.label} has no layer {layer}: it has {number}, 0 to {number - 1}, or -{number} to -1 from the last")
            maps: torch.Tensor = inner(ready, indices=[layer % number], intermediates_only=True)[0]
        return maps.float().cpu().clone()

    def with_normalization(self, mean: Sequence[float], std: Sequence[float]) -> ImageClassifier:
        """The same module behind a preprocessing with another mean and standard deviation."""
        view: ImageClassifier = self.seen_by(self.sight.normalized_by(mean, std))
        return view

    def _ready(self, images: torch.Tensor) -> torch.Tensor:
        order = torch.channels_last if self.facts["memory_format"] == CHANNELS_LAST else torch.preserve_format
        return images.to(self.device, DTYPES[self.precision], memory_format=order)
