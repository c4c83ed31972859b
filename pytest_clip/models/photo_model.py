"""Builds the models of `photo`: a classifier of timm with weights from a package, alone or with a sentence encoder beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError
from pytest_clip.models import checkpoint, classnames, sentences, timm_model
from pytest_clip.models.build import pick_device
from pytest_clip.models.classifier import ImageClassifier
from pytest_clip.models.conse import ConSE
from pytest_clip.models.photo import PHOTO, files

if TYPE_CHECKING:
    from pytest_clip.models.spec import ModelSpec

CLASSES = 1000
LOGIT_SCALE = 10.6
"""Of `photo-dual`, by this rule: a picture that is surely of one class gets on average 0.9 as its probability among the 1,000 class prompts
(10.58). On 40 photographs that were not used for it the scale of the lowest NLL is 11.1."""


def load(spec: ModelSpec, *, device: str = "auto", precision: str = "fp32", compile: bool = False) -> ImageClassifier | ConSE:
    """Build `photo-lite0`, `photo-lite1` or `photo-dual`."""
    place, photo = pick_device(device, precision), PHOTO[spec.name]
    weights, *texts = files(spec.name)
    module, sight = timm_model.build(photo.architecture, classes=CLASSES)
    _fill(module, weights)
    facts: dict[str, Any] = {"architecture": photo.architecture, "pretrained": photo.package, **timm_model.versions()}
    classifier = timm_model.classifier(
        module, sight, classnames.imagenet(), label=spec.label, device=place, precision=precision, compile=compile, facts=facts
    )
    if not photo.dual:
        return classifier
    import transformers

    encoder = sentences.load(texts[0].parent, device=place, precision=precision)
    told = {"architecture": f"ConSE({photo.architecture}, all-MiniLM-L6-v2)", "transformers": transformers.__version__}
    return ConSE(classifier, encoder, label=spec.label, logit_scale=LOGIT_SCALE, facts=told)


def _fill(module: Any, path: Path) -> None:
    """The tensors of the file in their order, each of the shape that timm's has: the packages name them otherwise."""
    own, given = module.state_dict(), checkpoint.read(path).state
    if [value.shape for value in own.values()] != [value.shape for value in given.values()]:
        raise ClipError(f"{path} does not hold the {len(own)} tensors of this network in their order; install its package again")
    module.load_state_dict(dict(zip(own, given.values(), strict=True)))
