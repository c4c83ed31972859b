"""What the shipped suites measure: every metric with its unit, its direction and the image sets it is measured over."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from pytest_clip import ClipError
from pytest_clip.gates import needs
from pytest_clip.gates.ids import GateId
from pytest_clip.mutants.catalog import MUTANTS
from pytest_clip.views import catalog as views

Unit = Literal["share", "points", "ratio", "nats", "degrees", "cosine", "scale", "score", "rank", "amount"]
Better = Literal["higher", "lower", "none"]

#: Bounds outside these ranges judge nothing: ``max = 8`` for an ECE meant as 8 % would be green for every model.
RANGES: dict[Unit, tuple[float, float]] = {"share": (0.0, 1.0), "points": (-1.0, 1.0)}


@dataclass(frozen=True)
class Metric:
    """One row of the catalog.

    ``unit``: ``share`` is 0..1 and ``points`` a difference of two shares (0.02 = 2 percentage points). ``over`` names the image sets that
    become slices: a set name, a pattern (``shift_*``) or ``role:factor``; empty means one gate without a slice. ``chance`` is what guessing
    scores, in words. ``slices`` are for a metric whose slices are no image sets but views or changes: these, on data with a set of ``over``
    (without ``over``, on any data). ``amount`` is the unit of numbers that count in a unit of their slice. ``imagenet``: only data that is
    ImageNet (`SetInfo.imagenet`) has the gate, because its yardstick is a model of ImageNet.
    """

    unit: Unit
    better: Better
    over: tuple[str, ...]
    title: str
    chance: str | None = None
    slices: tuple[str, ...] = ()
    imagenet: bool = False
    particular: bool = False
    """whether it exists on data of one kind only: that others lack it is no news"""

    @property
    def sliced(self) -> bool:
        """Whether its gates have slices."""
        return bool(self.over or self.slices)


class SetLike(Protocol):
    """The two facts of an image set that decide its slices; ``pytest_clip.data.catalog.SetInfo`` has them."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


SUITES: dict[str, str] = {
    "checkpoint": "The checkpoint is whole: finite weights, sane embeddings, the preprocessing and activation it was trained with",
    "accuracy": "Zero-shot accuracy, clean and under natural shifts",
    "factors": "Accuracy when one visual factor changes: pose, background, texture, ...",
    "shape_bias": "Shape against texture and colour: which of two conflicting cues the model follows",
    "prompts": "Numbers hardly depend on the wording of the prompts: how many, which sentence, its spelling",
    "correspondence": "Features of a place find the same point from another direction, and the same part of another instance",
    "corruptions": "Accuracy under the corruptions of ImageNet-C at five severities",
    "corruptions_3d": "Accuracy under corruptions that follow the depth of the scene (ImageNet-3DCC) at five severities",
    "calibration": "Confidence means what it says, clean and under shift",
    "retrieval": "Images find their captions, captions their images, and true captions beat those that are false in one fact",
    "metamorphic": "Changes that leave the content alone leave the answer alone",
    "ood": "Images of unknown classes score lower than images of known ones",
    "mutants": "Damaged copies of the model fail gates that the model passes; only with --clip-mutants",
}

_SHIFTS = ("clean", "typical", "shift_*")
_GUESS = "1 / number of classes"
_CANDIDATES = "share of all places that count as right; measured, in the conventions"
#: Named as in CLIP_benchmark, by what is found: image retrieval asks with captions. Who asks, and for what.
_RETRIEVAL = {"image": ("captions", "image"), "text": ("images", "caption")}
_NEGATIVES = (
    "object_replace", "companion_replace", "colour_replace", "texture_replace", "background_replace", "relation_replace", "object_swap",
    "attribute_swap", "relation_swap",
)  # fmt: skip

PROMPT_FAMILIES = ("templates", "paraphrases", "formats")


_CHANGES = ("flip", "shift", "rotate", "brightness", "contrast", "jpeg")
_NO_CHANGES = ("caption_case", "caption_space", "class_order", "batch")


def _metamorphic(title: str, slices: tuple[str, ...], unit: Unit = "share") -> Metric:
    return Metric(unit, "higher", ("clean",), title, None, slices)


def _retrieval(title: str, chance: str, unit: Unit = "share", better: Better = "higher") -> Metric:
    return Metric(unit, better, ("clean", "role:captions"), title, chance)


def _prompts(title: str, *, over: str = "clean", unit: Unit = "points", better: Better = "lower", chance: str | None = None) -> Metric:
    return Metric(unit, better, (over,), title, chance, PROMPT_FAMILIES)


def _with_means(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Every kind at every severity, and the kind itself for their mean."""
    return tuple(name for kind in kinds for name in (*views.steps((kind,)), kind))


def _corruptions(suite: str, kinds: tuple[str, ...]) -> dict[str, Metric]:
    def metric(unit: Unit, better: Better, title: str, chance: str | None = None, slices: tuple[str, ...] = (), **more: bool) -> Metric:
        return Metric(unit, better, ("clean",) if slices else (), title, chance, slices, **more)

    return {
        f"{suite}/accuracy": metric("share", "higher", "Accuracy under a corruption, mean of its severities", _GUESS, _with_means(kinds)),
        f"{suite}/mce_unnormalised": metric(
            "share", "lower", "Mean error over kinds and severities; no reference model", "1 - 1 / number of classes"
        ),
        f"{suite}/relative_mce_unnormalised": metric("points", "lower", "Mean error over kinds and severities minus clean error"),
        f"{suite}/mce": metric("ratio", "lower", "Mean corruption error: errors over AlexNet's, mean over all kinds", imagenet=True),
        f"{suite}/relative_mce": metric("ratio", "lower", "What corruption adds to errors, over what it adds to AlexNet's", imagenet=True),
        f"{suite}/largest_rise": metric("points", "lower", "Largest rise of accuracy from a severity to a later one", None, kinds),
    }


def _winoground(title: str, chance: str) -> Metric:
    return Metric("share", "higher", ("role:quads",), title, chance, particular=True)


def _ood(title: str, unit: Unit = "share", better: Better = "higher", chance: str | None = "0.5") -> Metric:
    return Metric(unit, better, ("role:ood",), title, chance)


CATALOG: dict[str, Metric] = {
    "checkpoint/finite_weights": Metric("share", "higher", (), "Share of weights that are finite numbers"),
    "checkpoint/logit_scale": Metric("scale", "none", (), "Factor from cosine to logit, exponentiated"),
    "checkpoint/embedding_norm": Metric("ratio", "none", (), "Norm of the embedding farthest from 1"),
    "checkpoint/image_spread": Metric("cosine", "higher", (), "1 - mean cosine of different images; 0 is collapse"),
    "checkpoint/text_spread": Metric("cosine", "higher", (), "1 - mean cosine of different class prompts; 0 is collapse"),
    "checkpoint/repeatability": Metric("ratio", "lower", (), "Change of an embedding when embedded again, over what the precision allows"),
    "checkpoint/batch_invariance": Metric("ratio", "lower", (), "Change of an embedding in a batch of one, over what the precision allows"),
    "checkpoint/order_invariance": Metric(
        "ratio", "lower", (), "Change of an embedding in a reversed batch, over what the precision allows"
    ),
    "checkpoint/preprocess": Metric("share", "higher", (), "Share of checks that preprocessing agrees with the model's configuration"),
    "checkpoint/tokenizer": Metric("share", "higher", (), "Share of class prompts that the tokenizer reads whole and tells apart"),
    "checkpoint/alignment": Metric("share", "higher", (), "Images nearer to their own class prompt than to a random other one", "0.5"),
    "checkpoint/activation": Metric("nats", "lower", (), "NLL that the other activation (GELU or QuickGELU) would win"),
    "checkpoint/normalization": Metric("nats", "lower", (), "NLL that another mean and standard deviation would win"),
    "accuracy/top1": Metric(
        "share", "higher", (*_SHIFTS, "role:sequence"), "Share of images whose highest-scoring class is the right one", _GUESS
    ),
    "accuracy/top5": Metric(
        "share", "higher", _SHIFTS, "Share of images with the right class in the five highest", "5 / number of classes"
    ),
    "accuracy/mean_per_class": Metric("share", "higher", _SHIFTS, "Mean over classes of the share of right answers", _GUESS),
    "accuracy/relative_robustness": Metric(
        "ratio", "higher", ("shift_*", "role:sequence"), "Accuracy under the shift divided by that on clean images of its classes"
    ),
    "accuracy/effective_robustness": Metric(
        "points",
        "higher",
        ("shift_*",),
        "Accuracy under the shift beyond what ImageNet models of the same clean accuracy have",
        imagenet=True,
    ),
    "accuracy/published_gap": Metric(
        "points", "none", _SHIFTS, "Accuracy minus that published for the checkpoint on this data", particular=True
    ),
    "factors/accuracy": Metric("share", "higher", ("role:factor",), "Accuracy on the images where this factor changed", _GUESS),
    "factors/effective_robustness": Metric(
        "points",
        "higher",
        ("role:factor",),
        "Accuracy with this factor beyond what ImageNet models of the same overall accuracy have",
        imagenet=True,
    ),
    "factors/drop": Metric("points", "lower", ("role:factor",), "Accuracy lost when only this factor changes"),
    "factors/error_ratio": Metric("ratio", "lower", ("role:factor",), "Error rate with this factor changed over the overall error rate"),
    "factors/worst_accuracy": Metric("share", "higher", (), "Lowest accuracy over the factors", _GUESS),
    "factors/worst_drop": Metric("points", "lower", (), "Largest loss of accuracy over the factors"),
    "shape_bias/shape_bias": Metric("share", "higher", ("cue_conflict",), "Share of shape among conflicts decided for either cue"),
    "shape_bias/decided_fraction": Metric(
        "share", "higher", ("cue_conflict",), "Share of conflicts decided for either cue", "2 / number of classes"
    ),
    "shape_bias/accuracy": Metric(
        "share", "higher", ("cue_matched", "cue_silhouettes", "cue_edges"), "Accuracy where look agrees with shape, or is left out", _GUESS
    ),
    "shape_bias/drop": Metric("points", "lower", ("cue_conflict",), "Accuracy lost when another class's look replaces the own one"),
    "prompts/accuracy_spread": _prompts("Largest minus smallest accuracy over the prompt sets"),
    "prompts/accuracy_std": _prompts("Standard deviation of accuracy over the prompt sets"),
    "prompts/worst_accuracy": _prompts("Accuracy under the worst prompt set", unit="share", better="higher", chance=_GUESS),
    "prompts/ece_spread": _prompts("Largest minus smallest calibration error over the prompt sets"),
    "prompts/ece_std": _prompts("Standard deviation of the calibration error over the prompt sets"),
    "prompts/auroc_spread": _prompts("Largest minus smallest AUROC (near, MCM) over the prompt sets", over="near"),
    "prompts/auroc_std": _prompts("Standard deviation of AUROC (near, MCM) over the prompt sets", over="near"),
    "correspondence/recall_px": Metric(
        "share", "higher", ("role:viewpoint",), "Matched points within 8 of 128 pixels, by the angle between two views", _CANDIDATES
    ),
    "correspondence/recall_distance": Metric(
        "share", "higher", ("role:viewpoint",), "Matched points within a tenth of the object, by the angle between two views", _CANDIDATES
    ),
    "correspondence/pck_per_image": Metric(
        "share", "higher", ("role:keypoints",), "Landmarks found on another instance, a tenth of its box allowed, by pair", _CANDIDATES
    ),
    "correspondence/pck_per_point": Metric(
        "share", "higher", ("role:keypoints",), "Landmarks found on another instance, a tenth of its box allowed, all alike", _CANDIDATES
    ),
    "correspondence/pck_per_class": Metric(
        "share", "higher", ("spair*",), "Landmarks found within a tenth of the other instance's box, by class", _CANDIDATES, particular=True
    ),
    **_corruptions("corruptions", views.KINDS),
    **_corruptions("corruptions_3d", views.KINDS_3D),
    "calibration/ece": Metric("share", "lower", _SHIFTS, "Expected calibration error, bins of equal width"),
    "calibration/adaptive_ece": Metric("share", "lower", _SHIFTS, "Expected calibration error, bins of equal mass"),
    "calibration/nll": Metric("nats", "lower", _SHIFTS, "Negative log likelihood of the right class", "ln(number of classes)"),
    "calibration/brier": Metric("score", "lower", _SHIFTS, "Brier score over all classes, 0..2", "1 - 1 / number of classes"),
    "calibration/ece_scaled": Metric("share", "lower", _SHIFTS, "Expected calibration error after temperature scaling on clean images"),
    "calibration/nll_scaled": Metric("nats", "lower", _SHIFTS, "Negative log likelihood after temperature scaling on clean images"),
    "calibration/temperature": Metric("ratio", "none", (), "Temperature that fits clean images best; above 1: overconfident"),
    **{
        f"retrieval/{way}_retrieval_recall_at_{k}": _retrieval(
            f"Share of {asking} with their {sought} among the first {k}", f"{k} / number of {sought}s"
        )
        for way, (asking, sought) in _RETRIEVAL.items()
        for k in (1, 5, 10)
    },
    **{
        f"retrieval/{way}_retrieval_{kind}_rank": _retrieval(
            f"{kind.capitalize()} rank of the {sought} of {asking}, 1 = first", f"half the number of {sought}s", "rank", "lower"
        )
        for way, (asking, sought) in _RETRIEVAL.items()
        for kind in ("mean", "median")
    },
    "retrieval/published_gap": Metric(
        "points", "none", ("role:captions",), "Largest gap of a recall to that published for the checkpoint on this data", particular=True
    ),
    "retrieval/compositionality": Metric(
        "share", "higher", ("pairs", "role:pairs"), "Images whose true caption beats one that is false in this fact", "0.5", _NEGATIVES
    ),
    "retrieval/winoground_text": _winoground("Both images prefer their own of two captions", "0.25"),
    "retrieval/winoground_image": _winoground("Both captions prefer their own of two images", "0.25"),
    "retrieval/winoground_group": _winoground("Both of the former at once", "1 / 6"),
    "metamorphic/agreement": _metamorphic("Share of images that keep their prediction under a small change", _CHANGES),
    "metamorphic/invariance": _metamorphic("Share of images that keep their prediction when only form changes", _NO_CHANGES),
    "metamorphic/smallest_break": _metamorphic("Smallest strength that changes over 10 % of predictions", _CHANGES[1:], "amount"),
    "ood/auroc": _ood("Area under the ROC curve of the MCM score"),
    "ood/aupr_in": _ood("Area under precision-recall of the MCM score, known classes positive", chance="share of known-class images"),
    "ood/aupr_out": _ood("Area under precision-recall of the MCM score, unknown classes positive", chance="share of unknown-class images"),
    "ood/fpr95_id_positive": _ood("Unknown images accepted when 95 % of known ones are accepted", better="lower", chance="0.95"),
    "ood/fpr95_ood_positive": _ood("Known images rejected when 95 % of unknown ones are rejected", better="lower", chance="0.95"),
    "ood/auroc_msp": _ood("Area under the ROC curve of the largest softmax probability at the model's own scale"),
    "ood/auroc_max_logit": _ood("Area under the ROC curve of the largest logit"),
    "ood/auroc_energy": _ood("Area under the ROC curve of the energy score"),
    "mutants/killed": Metric("amount", "higher", (), "Gates that notice a damaged copy of the model", None, tuple(MUTANTS)),
    "mutants/score": Metric("share", "higher", (), "Share of damaged copies of the model that some gate notices"),
}


def did_you_mean(text: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """``; did you mean 'x'?`` when something known is close, else ``otherwise``."""
    close = get_close_matches(text, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else otherwise


def metric_of(metric_id: str) -> Metric:
    try:
        return CATALOG[metric_id]
    except KeyError:
        raise ClipError(f"unknown metric {metric_id!r}{did_you_mean(metric_id, CATALOG)}; pytest-clip list shows all") from None


def expand(metric_id: str, sets: Iterable[SetLike], *, over: Collection[str] | None = None, absent: bool = False) -> list[GateId]:
    """The gates of one metric on one data set, in the order of ``sets``; with ``absent`` as if what could be there were there.

    A project's own metric is not in the catalog and passes its ``over``. A metric whose ``over`` matches no set gives no gates; a metric
    without ``over`` gives exactly one. Data that lacks what the metric needs (`needs`) gives none.
    """
    patterns = metric_of(metric_id).over if over is None else tuple(over)
    fixed = metric_of(metric_id).slices if over is None else ()
    whole, sets = GateId.parse(metric_id), tuple(each for each in sets if absent or not getattr(each, "absent", ""))
    if over is None:
        usable = needs.usable(metric_id, sets)
        if usable is None or (metric_of(metric_id).imagenet and not any(_is_imagenet(each) for each in sets)):
            return []
        if fixed and (stored := needs.on_disk(fixed, sets)) is not None and whole.suite in ("corruptions", "corruptions_3d"):
            return [GateId(whole.suite, whole.metric, name) for name in stored]
        sets = tuple(usable)
    if not (patterns or fixed):
        return [whole]
    names = [each.name for each in sets if any(needs.matches(each, pattern) for pattern in patterns)]
    if fixed:
        # Where `over` names sets and roles, a set that is named has the fixed slices and one that is there for its role is a slice itself.
        named = tuple(pattern for pattern in patterns if not pattern.startswith("role:")) or patterns
        by_role = [name for name in names if named != patterns and not any(fnmatchcase(name, pattern) for pattern in named)]
        names = [*(fixed if len(by_role) < len(names) or not patterns else ()), *by_role]
    return [GateId(whole.suite, whole.metric, name) for name in names]


def _is_imagenet(image_set: SetLike) -> bool:
    return image_set.role in ("clean", needs.STORED) and bool(getattr(image_set, "imagenet", False))
