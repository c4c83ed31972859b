"""From a name of the catalog to a damaged model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.models.protocol import is_classifier
from pytest_clip.mutants import pipeline, probe, weights
from pytest_clip.mutants.catalog import MUTANTS
from pytest_clip.mutants.damaged import Damage, Damaged
from pytest_clip.mutants.excuse import Excuse
from pytest_clip.mutants.inapplicable import InapplicableError

if TYPE_CHECKING:
    from pytest_clip.data import Data
    from pytest_clip.extract.extraction import Extraction

_DAMAGES: dict[str, Callable[[Any], Damage]] = {
    "wrong_mean_std": pipeline.wrong_mean_std,
    "bgr": pipeline.bgr,
    "unnormalised": pipeline.unnormalised,
    "logit_scale_double": pipeline.logit_scale_double,
    "logit_scale_half": pipeline.logit_scale_half,
    "noise_10": weights.noise("noise_10", 0.1),
    "noise_30": weights.noise("noise_30", 0.3),
    "noise_100": weights.noise("noise_100", 1.0),
    "last_block_dropped": weights.last_block_dropped,
    "text_reseeded": weights.text_reseeded,
    "positions_shuffled": weights.positions_shuffled,
    "text_truncated": pipeline.text_truncated,
    "int8": weights.int8,
    "squashed": pipeline.squashed,
    "jpeg_10": pipeline.jpeg_10,
}


def build(name: str, model: Any, *, data: Sequence[Data] = (), other: Callable[[], Any] = lambda: None) -> Damaged:
    """The model under the damage `name`, labelled `MODEL~name`; InapplicableError says why it cannot be.

    `data` are the data sets whose class names a damage may need, and `other` gives the checkpoint to mix with, None when there is none.
    """
    if name == "labels_rotated":
        damage = pipeline.labels_rotated(model, data)
    elif name == "half_finetuned":
        damage = weights.half_finetuned(model, _partner(model, other))
    elif name == "activation_swapped":
        damage = _activation_swapped(model)
    else:
        damage = _DAMAGES[name](model)
    return Damaged(model, damage, label=f"{model.label}~{MUTANTS[name].name}")


def attempt(
    name: str, model: Any, *, data: Sequence[Data], extraction: Callable[[], Extraction], other: Callable[[], Any]
) -> Damaged | Excuse:
    """`build`, and a look at whether the result answers differently on any of the data sets."""
    if is_classifier(model):
        return Excuse("not_applicable", f"{model.label} scores classes, and damages are made to models that embed images and texts")
    try:
        damaged = build(name, model, data=data, other=other)
    except InapplicableError as error:
        return Excuse("not_applicable", str(error))
    except Exception as error:  # a damage meets a model that its author did not know
        return Excuse("not_applicable", f"it could not be made: {type(error).__name__}: {error}")
    furthest = max(probe.moved(model, damaged, each, extraction()) for each in data)
    if furthest <= probe.ALIKE:
        seen = f"the first {probe.PICTURES} pictures, captions and class prompts of {', '.join(each.name for each in data)}"
        return Excuse("equivalent", f"answers like the model itself: embeddings of {seen} move by {furthest:.3f} at most")
    return damaged


def _partner(model: Any, other: Callable[[], Any]) -> Any:
    weights._module(model)
    partner = other()
    if partner is None:
        raise InapplicableError(f"no other checkpoint to mix {model.label} with; name the one it started from: --clip-baseline-model=NAME")
    return partner


def _activation_swapped(model: Any) -> Damage:
    kind = getattr(model, "activation", "none")
    if kind == "none":
        raise InapplicableError(f"{model.label} has neither GELU nor QuickGELU in blocks of open_clip's")
    quick = kind != "quickgelu"
    return Damage("activation_swapped", {"quick": quick}, inside=lambda sound: sound.with_activation(quick))
