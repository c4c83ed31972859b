"""scenes-rn, broken in exactly one way each: what the inner runs of the suite tests measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

CONFTEST = """
import sys
sys.path.insert(0, {here!r})
import wrapped
from pytest_clip.models import openclip, spec as specs
from pathlib import Path

def pytest_clip_make_model(spec, config):
    if spec.text in wrapped.MODELS:
        return wrapped.make(spec.text, openclip.load(specs.parse("scenes-rn"), cache_dir=Path({cache!r})))
"""


def conftest(cache: Path) -> str:
    """The conftest.py of a project that knows these models by name."""
    return CONFTEST.format(here=str(Path(__file__).parent), cache=str(cache))


class Whole:
    """The bundled model as it is; what is broken overrides one method."""

    def __init__(self, model: Any, name: str) -> None:
        self._model, self.label, self.fingerprint = model, name, f"{sum(map(ord, name)):06x}{model.fingerprint[:10]}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode_image(self, images: Tensor) -> Tensor:
        return self._model.encode_image(images)

    def encode_text(self, texts: list[str]) -> Tensor:
        return self._model.encode_text(texts)


class BagOfWords(Whole):
    """A text is the sum of what each of its words adds to 'a', wherever it stands."""

    def encode_text(self, texts: list[str]) -> Tensor:
        words = sorted({word for text in texts for word in text.split()})
        adds = self._model.encode_text([f"a {word}" for word in words]) - self._model.encode_text(["a"])
        known = dict(zip(words, adds, strict=True))
        return normalize(torch.stack([torch.stack([known[word] for word in text.split()]).sum(0) for text in texts]), dim=-1)


class Handed(Whole):
    """Sees another world where the left half of the picture is the darker one."""

    def encode_image(self, images: Tensor) -> Tensor:
        out, half = self._model.encode_image(images), images.shape[-1] // 2
        darker = images[..., :half].mean((1, 2, 3)) < images[..., half:].mean((1, 2, 3))
        return torch.where(darker.cpu()[:, None], out.roll(1, dims=1), out)


class Crowded(Whole):
    """What stands next to an image in its batch shows through."""

    def encode_image(self, images: Tensor) -> Tensor:
        out = self._model.encode_image(images)
        return normalize(out + 0.9 * out.roll(1, dims=0), dim=-1)


class FirstCome(Whole):
    """The first text of a call is read as something else."""

    def encode_text(self, texts: list[str]) -> Tensor:
        out = self._model.encode_text(texts)
        out[0] = out[0].roll(1)
        return out


class Shouting(Whole):
    """Reads capitals as something else."""

    def encode_text(self, texts: list[str]) -> Tensor:
        return self._model.encode_text([text[::-1] if text.isupper() else text for text in texts])


class Spaced(Whole):
    """Reads a doubled space as the end."""

    def encode_text(self, texts: list[str]) -> Tensor:
        return self._model.encode_text([text.strip().partition("  ")[0] for text in texts])


class Grainless(Whole):
    """Takes every picture with grain for one and the same. Half of all curvatures above 0.06 of full scale are noise, not texture."""

    def encode_image(self, images: Tensor) -> Tensor:
        curvature = (images[..., 2:] - 2 * images[..., 1:-1] + images[..., :-2]).abs()
        grain = curvature.flatten(1).median(1).values * 0.27 > 0.06  # 0.27: the standard deviation of the normalisation
        out = self._model.encode_image(images)
        return torch.where(grain.cpu()[:, None], out.new_ones(1).expand_as(out) / out.shape[1] ** 0.5, out)


class Hazeless(Whole):
    """Takes every picture of little contrast for one and the same."""

    def encode_image(self, images: Tensor) -> Tensor:
        out = self._model.encode_image(images)
        hazy = images.std((1, 2, 3)) * 0.27 < 0.15
        return torch.where(hazy.cpu()[:, None], out.new_ones(1).expand_as(out) / out.shape[1] ** 0.5, out)


class Tileless(Whole):
    """Takes every picture for one and the same whose light alternates from tile to tile, 16 of them on a side."""

    def encode_image(self, images: Tensor) -> Tensor:
        tile = torch.arange(images.shape[-1], device=images.device) * 16 // images.shape[-1]
        sign = 1 - 2 * ((tile[:, None] + tile) % 2)
        tiled = (images.mean(1) * sign).mean((1, 2)).abs() * 0.27 > 0.05
        out = self._model.encode_image(images)
        return torch.where(tiled.cpu()[:, None], out.new_ones(1).expand_as(out) / out.shape[1] ** 0.5, out)


KINDS = (Whole, BagOfWords, Handed, Crowded, FirstCome, Shouting, Spaced, Grainless, Hazeless, Tileless)
MODELS = {kind.__name__.lower(): kind for kind in KINDS}


def make(text: str, model: Any) -> Whole:
    return MODELS[text](model, text)
