"""One reader for each kind of model, chosen by the name that the user gave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip import ClipError
from pytest_clip.models import bundled

if TYPE_CHECKING:
    from pytest_clip.models.protocol import Classifier, ClipModel
    from pytest_clip.models.spec import ModelSpec


def load(
    spec: ModelSpec,
    *,
    device: str = "auto",
    precision: str = "fp32",
    compile: bool = False,
    cache_dir: Path,
    classes: Path | None = None,
    prefix: str | None = None,
) -> ClipModel | Classifier:
    """Build what `spec` names; `classes` is a file with the class names of a classifier, `prefix` stands before the names of weights in
    a checkpoint file. Everything that is wrong is a ClipError."""
    if spec.kind == "unknown":
        from pytest_clip.models import look

        raise ClipError(str(look.problem(spec)))
    if spec.kind == "photo":
        from pytest_clip.models import photo_model

        return photo_model.load(spec, device=device, precision=precision, compile=compile)
    if spec.kind == "bundled" and spec.pretrained is None and bundled.is_head(spec.name):
        from pytest_clip.models import headed

        return headed.load(spec, device=device, precision=precision, compile=compile)
    if spec.kind == "timm":
        from pytest_clip.models import timm_model

        return timm_model.load(spec, device=device, precision=precision, compile=compile, classes=classes, prefix=prefix)
    if spec.kind == "hf":
        from pytest_clip.models import hf_build

        return hf_build.load(spec, device=device, precision=precision, compile=compile)
    if spec.kind == "wise":
        from pytest_clip.models import wise

        return wise.load(spec, device=device, precision=precision, compile=compile, cache_dir=cache_dir, prefix=prefix)
    from pytest_clip.models import openclip

    return openclip.load(spec, device=device, precision=precision, compile=compile, cache_dir=cache_dir, prefix=prefix)
