"""What a suite may ask of a model; anything that answers this can be gated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pytest_clip import ClipError

if TYPE_CHECKING:
    import PIL.Image
    import torch


class Model(Protocol):
    """What every model has, whatever it answers with."""

    @property
    def label(self) -> str:
        """Short name for ids and reports."""

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change whenever the model could answer differently, and never with its name or place."""

    @property
    def precision(self) -> str:
        """fp32, bf16 or fp16."""

    @property
    def device(self) -> str:
        """Where the forward pass runs."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width that `preprocess` makes and the forward pass takes."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the report says about the model, in builtins only."""

    def preprocess(self, image: PIL.Image.Image, /) -> torch.Tensor:
        """An image of any size as the float32 tensor [3, h, w] that the model was trained on."""


@runtime_checkable
class ClipModel(Model, Protocol):
    """A model that embeds images and texts into one space.

    Override the `clip_model` fixture with an object of this shape to gate a model that open_clip cannot build. What such an object may
    have besides, as `OpenClipModel` does: `resize` and `normalize` (the two halves of `preprocess`, so that corruptions act at the input
    size), `from_pixels` (`models.gradients`, so that attacks can be tried), and `thread_safe = True` (on a CPU, several threads then embed
    batches at a time).
    """

    @property
    def logit_scale(self) -> float:
        """The factor on cosines, already exponentiated."""

    @property
    def logit_bias(self) -> float | None:
        """The offset on scaled cosines of a sigmoid model; None for a softmax one."""

    def encode_image(self, images: torch.Tensor, /) -> torch.Tensor:
        """Embed [b, 3, h, w]: float32 [b, d] on the CPU, rows of length 1."""

    def encode_text(self, texts: list[str], /) -> torch.Tensor:
        """Embed texts: float32 [n, d] on the CPU, rows of length 1."""


@runtime_checkable
class Classifier(Model, Protocol):
    """A model that scores the classes that it was trained on: no texts, no embeddings.

    Its answers are logits, so that everything that is made of class scores (accuracy, calibration, energy) is
    measured on it, and what needs texts or cosines is not.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its classes, in the order of its scores."""

    def class_scores(self, images: torch.Tensor, /) -> torch.Tensor:
        """Score [b, 3, h, w]: logits float32 [b, C] on the CPU, higher is likelier, before any softmax."""


class UnableError(ClipError):
    """What was asked for needs what models of this kind do not have: nothing is wrong, and nothing is measured."""


class NeedsEmbeddingsError(UnableError):
    """It needs texts or cosines, and the model only scores classes."""


def embedding_model(model: Any) -> None:
    """NeedsEmbeddingsError for a model of class scores."""
    if is_classifier(model):
        raise NeedsEmbeddingsError(f"{getattr(model, 'label', 'the model')} scores classes: it has no texts and no cosines")


def is_classifier(model: object) -> bool:
    """Whether a model answers with class scores; builds nothing."""
    return callable(getattr(model, "class_scores", None))
