"""FARE: an image tower that embeds attacked pictures where it embedded them before anyone attacked (Schlarmann et al. 2024,
"Robust CLIP", https://arxiv.org/abs/2402.12336, equation 3). No labels, no texts; the text tower stays as it is."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from .recipe import Recipe

LEVELS = 255


class Hardened:
    """The largest squared distance, within `recipe.attack` levels, between the embedding of a picture now and before training.

    Embeddings are those before they are divided by their length, as published. Batch statistics stay those of the start: on attacked
    pictures they are others, and the model is used with one set of them.
    """

    def __init__(self, model: Any, recipe: Recipe, *, mean: Tensor, std: Tensor) -> None:
        for key, weight in model.named_parameters():
            weight.requires_grad_(key.startswith("visual."))
        self._model, self._before = model, copy.deepcopy(model.visual).eval().requires_grad_(False)
        self._mean, self._std = mean, std
        self._eps, self._steps = recipe.attack / LEVELS, recipe.attack_steps
        self._size = 2.5 * self._eps / self._steps  # Madry et al. 2018: reaches the border from anywhere inside

    @property
    def scale(self) -> float:
        """The factor on cosines."""
        return float(self._model.logit_scale.detach().exp())

    def __call__(self, *, image: Tensor, text: Tensor, facts: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, what it is on pictures as they are, and the mean cosine of attacked pictures with what they should be."""
        self._model.eval()
        with torch.no_grad():
            aim = self._before(image)
        attacked = self._attacked(image, aim)
        found = self._model.visual(attacked)
        loss = (found - aim).square().sum(1).mean()
        with torch.no_grad():
            clean = (self._model.visual(image) - aim).square().sum(1).mean()
            cosine = torch.nn.functional.cosine_similarity(found, aim).mean()
        return loss, {"fare": loss.detach(), "clean": clean, "cosine": cosine}

    def _attacked(self, image: Tensor, aim: Tensor) -> Tensor:
        """PGD by signs from a random start, on pixels in [0, 1]; normalised pictures in, and out."""
        pixels = image * self._std + self._mean
        low, high = (pixels - self._eps).clamp(0, 1), (pixels + self._eps).clamp(0, 1)
        here = pixels + self._eps * (2 * torch.rand_like(pixels) - 1)
        for _ in range(self._steps):
            asked = torch.minimum(torch.maximum(here, low), high).requires_grad_()
            far = (self._model.visual((asked - self._mean) / self._std) - aim).square().sum()
            (slope,) = torch.autograd.grad(far, asked)
            here = asked.detach() + self._size * slope.sign()
        here = torch.minimum(torch.maximum(here, low), high)
        return ((here - self._mean) / self._std).contiguous(memory_format=torch.channels_last)

    def settle(self) -> None:
        """Nothing has bounds."""
