"""The way from pixels to answers with its gradient, for who looks for the smallest change of a picture that changes the answer.

A model shows it by a method `from_pixels(pixels)`: float32 [b, 3, h, w] in 0..1 at its input size, on its device, before normalisation, to
float32 [b, d] of length 1 (or a classifier's logits [b, C]) on its device, differentiable. Those of open_clip, transformers and timm have
it. In half precision pixels are rounded on their way in, as they are when pictures are embedded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.models.protocol import UnableError

if TYPE_CHECKING:
    import torch


class NoGradientsError(UnableError):
    """It needs gradients, and the model has none to give."""


def way(model: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """The model's `from_pixels`; NoGradientsError for a model that has none."""
    found = getattr(model, "from_pixels", None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    raise NoGradientsError(
        f"{getattr(model, 'label', 'the model')} gives no gradients of its answers by pixels: it has no method from_pixels(pixels) "
        "(pytest_clip.models.gradients says what it takes and returns)"
    )


def normalized(pixels: torch.Tensor, config: Mapping[str, Sequence[float]]) -> torch.Tensor:
    """`pixels` [b, 3, h, w] in 0..1 less the mean, over the standard deviation; nothing in place, so that the gradient passes."""
    mean, std = (pixels.new_tensor(list(config[key])).view(3, 1, 1) for key in ("mean", "std"))
    return (pixels - mean) / std
