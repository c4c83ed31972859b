"""A model with a damage between it and whoever asks: everything else about it stays as it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_clip.models.gradients import NoGradientsError

if TYPE_CHECKING:
    import PIL.Image
    import torch

    from pytest_clip.models.protocol import ClipModel

VERSION = 1
"""Of the damages; raise it when one of them changes, so that no answer of the old one is taken for an answer of the new one."""


@dataclass(frozen=True)
class Damage:
    """What is done to a model, by name and parameters. Each part is optional.

    `inside` gives the model with other weights or configuration; `picture` changes a picture before the model prepares it, `text` a text
    before it is read; `embed` embeds preprocessed images in the model's place (as `embed_text` does texts); `scale` multiplies the logit
    scale.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inside: Callable[[Any], Any] | None = None
    picture: Callable[[PIL.Image.Image], PIL.Image.Image] | None = None
    text: Callable[[str], str] | None = None
    embed: Callable[[Any, torch.Tensor], torch.Tensor] | None = None
    embed_text: Callable[[Any, Sequence[str]], torch.Tensor] | None = None
    scale: float = 1.0


class Damaged:
    """A model under one `Damage`, labelled `MODEL~DAMAGE`. What the model is asked besides the damaged ways is the model's own answer.

    Variants of it (another activation, another normalisation) have the same damage: a gate that compares the two must not see the sound
    model win.
    """

    def __init__(self, model: ClipModel, damage: Damage, *, label: str) -> None:
        inside = model if damage.inside is None else damage.inside(model)
        self._wrap(inside, damage, label)

    def _wrap(self, model: Any, damage: Damage, label: str) -> None:
        self._model, self._damage, self.label = model, damage, label
        identity = {"model": model.fingerprint, "damage": damage.name, "parameters": dict(damage.parameters), "version": VERSION}
        self.fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        self.facts: dict[str, Any] = {**model.facts, "damage": {"name": damage.name, **damage.parameters}}

    def __getattr__(self, name: str) -> Any:
        """Only what is not defined here; so the damaged model has exactly the abilities of the model."""
        if name == "_model":  # while it is being unpickled or copied
            raise AttributeError(name)
        return getattr(self._model, name)

    def __repr__(self) -> str:
        return f"Damaged({self.label!r})"

    @property
    def logit_scale(self) -> float:
        return float(self._model.logit_scale * self._damage.scale)

    @property
    def geometry(self) -> str | None:
        """That of the model; None where pictures are changed, so that they are neither stored for nor taken from the sound model."""
        geometry: str | None = self._model.geometry
        return geometry if self._damage.picture is None else None

    def _seen(self, image: PIL.Image.Image) -> PIL.Image.Image:
        return image if self._damage.picture is None else self._damage.picture(image.convert("RGB"))

    def preprocess(self, image: PIL.Image.Image) -> torch.Tensor:
        tensor: torch.Tensor = self._model.preprocess(self._seen(image))
        return tensor

    @property
    def resize(self) -> Callable[[PIL.Image.Image], torch.Tensor]:
        """An attribute like any other: a model without it leaves its damaged copy without it."""
        resize: Callable[[PIL.Image.Image], torch.Tensor] = self._model.resize
        return lambda image: resize(self._seen(image))

    @property
    def tokenize(self) -> Callable[[Sequence[str]], torch.Tensor]:
        tokenize: Callable[[Sequence[str]], torch.Tensor] = self._model.tokenize
        return lambda texts: tokenize(self._read(texts))

    def _read(self, texts: Sequence[str]) -> list[str]:
        return list(texts) if self._damage.text is None else [self._damage.text(text) for text in texts]

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        embed = self._damage.embed
        out: torch.Tensor = self._model.encode_image(images) if embed is None else embed(self._model, images)
        return out

    @property
    def from_pixels(self) -> Callable[[torch.Tensor], torch.Tensor]:
        if self._damage.embed is not None:
            raise NoGradientsError(f"{self.label}: the damage is behind the towers, and has no gradient")
        way: Callable[[torch.Tensor], torch.Tensor] = self._model.from_pixels
        return way

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        read, embed = self._read(texts), self._damage.embed_text
        out: torch.Tensor = self._model.encode_text(read) if embed is None else embed(self._model, read)
        return out

    @property
    def with_activation(self) -> Callable[..., Damaged]:
        return self._variant("with_activation")

    @property
    def with_normalization(self) -> Callable[..., Damaged]:
        return self._variant("with_normalization")

    def _variant(self, method: str) -> Callable[..., Damaged]:
        change = getattr(self._model, method)

        def changed(*args: Any, **kwargs: Any) -> Damaged:
            other = Damaged.__new__(Damaged)
            other._wrap(change(*args, **kwargs), self._damage, self.label)
            return other

        return changed
