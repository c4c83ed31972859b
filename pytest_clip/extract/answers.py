"""Answers of sets that do not ask for all classes of their data set as they are: a subset, groups, the worst of several frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..data.imageset import ImageSet
from .zeroshot import ZeroShot, prompts_hash

LOWEST = -1.0
"""Cosine of an answer that stands for no class at all."""
NAMESAKE = 1e-9
"""What a second class of the same name loses. Larger than the rounding of cosines, smaller than any difference between two prompts."""


def composed(
    embeddings: NDArray[np.float32],
    prompts: NDArray[np.float64],
    images: ImageSet,
    *,
    scale: float,
    classes: tuple[str, ...],
    templates: tuple[str, ...],
) -> ZeroShot:
    """The answers on the first n of `images`: embeddings [n, d] against class embeddings [C, d], as the set asks for them."""
    cosines = embeddings.astype(np.float64) @ prompts.T
    # float32 embeddings can put the cosine of equal directions an ulp above 1. Beyond twelve digits a matrix product depends on the
    # number of threads; rounded, a run with two workers judges the same cosines as one with none.
    cosines, n = cosines.clip(-1.0, 1.0).round(12), len(cosines)
    answers = ZeroShot(
        cosines=cosines, labels=images.labels[:n], scale=scale, ids=images.ids[:n], classes=classes,
        prompts=prompts_hash(classes, templates), templates=len(templates), pairs=None if images.pairs is None else images.pairs[:n],
    )  # fmt: skip
    return answered(apart(answers), images)


def apart(whole: ZeroShot) -> ZeroShot:
    """Of classes with one name the first is answered, as the argmax over equal columns: ImageNet has two missiles and two sunglasses, and
    without this all four would be ties, which count as wrong. Published accuracies that come from `torch.topk` name either of two equal
    columns, so they can lie up to 100 of 50,000 images (0.2 points) beside this one."""
    if len(set(whole.classes)) == len(whole.classes):
        return whole
    seen: Counter[str] = Counter()
    again = np.zeros(len(whole.classes))
    for k, name in enumerate(whole.classes):
        again[k] = seen[name]
        seen[name] += 1
    twice = ", ".join(name for name, count in seen.items() if count > 1)
    told = {**whole.told, "namesakes": f"{twice}: the first class of a name is answered"}
    return replace(whole, cosines=whole.cosines - NAMESAKE * again, told=told)


def answered(whole: ZeroShot, images: ImageSet) -> ZeroShot:
    """The answers on `images` from those over all classes of the data set (or over the set's own names)."""
    n = len(whole.ids)
    out = whole if images.accepted is None else replace(whole, accepted=images.accepted[:n])
    if images.members is not None and images.templates is None:
        out = _grouped(out, images, images.members)
    return out if images.worst_of is None else _worst(out, images.worst_of)


def _grouped(whole: ZeroShot, images: ImageSet, members: Sequence[Sequence[int]]) -> ZeroShot:
    """Each answer from its members alone: classes in none are not asked for, as in the published accuracies of ImageNet-A and -R."""
    known = sum(len(group) for group in members)
    how = "argmax over these alone" if known == len(members) else "the highest cosine of its members"
    cosines, shares = highest(whole.cosines, members), None
    if images.merge == "mean":
        from ..metrics.shape_bias import group_probabilities

        how = "mean probability of its members, softmax over all classes"
        shares = group_probabilities(whole.probabilities, groups=members)
    told = {**whole.told, "answers": f"{len(members)} from {known} of {len(whole.classes)} classes: {how}"}
    return replace(whole, cosines=cosines, shares=shares, classes=images.classes, told=told)


def highest(cosines: NDArray[np.float64], members: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """[n, C] to [n, groups]: the highest of each group."""
    if all(len(group) == 1 for group in members):
        return cosines[:, [group[0] for group in members]]
    lowest = min(LOWEST, float(cosines.min()) - 1) if cosines.size and cosines.min() < LOWEST else LOWEST  # scores of a classifier
    return np.stack([cosines[:, list(g)].max(1) if g else np.full(len(cosines), lowest) for g in members], axis=1)


def _worst(every: ZeroShot, worst_of: Sequence[Sequence[int]]) -> ZeroShot:
    """Of each group of images the one whose right answer leads least: all are right where that one is."""
    right = np.zeros(every.cosines.shape, dtype=bool)
    labels = every.accepted if every.accepted is not None else [(int(k),) for k in every.labels]
    for row, accepted in enumerate(labels):
        right[row, list(accepted)] = True
    lead = np.where(right, every.cosines, -np.inf).max(1) - np.where(right, -np.inf, every.cosines).max(1)
    rows = np.array([group[int(np.argmin(lead[list(group)]))] for group in worst_of], dtype=np.int64)
    first = [group[0] for group in worst_of]
    return replace(
        every, cosines=every.cosines[rows], labels=every.labels[rows], ids=tuple(every.ids[row] for row in first),
        accepted=None if every.accepted is None else tuple(every.accepted[row] for row in rows),
        told={**every.told, "worst_of": f"{len(worst_of)} groups of up to {max(map(len, worst_of))} images"},
    )  # fmt: skip
