"""Shape bias: given the shape of one class and the texture of another, which of the two does the model name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _checks
from .agreement import answers


@dataclass(frozen=True)
class Cues:
    """How many of `n` conflict images were decided for the shape and how many for the texture; the rest named neither or were undecided."""

    shape: int
    texture: int
    n: int

    @property
    def bias(self) -> float:
        """shape / (shape + texture); NaN when nothing was decided either way."""
        return self.shape / (self.shape + self.texture) if self.shape + self.texture else math.nan

    @property
    def decided(self) -> float:
        """(shape + texture) / n, the cue-hit rate; NaN without conflict images."""
        return (self.shape + self.texture) / self.n if self.n else math.nan


def group_probabilities(probabilities: npt.ArrayLike, *, groups: Sequence[npt.ArrayLike]) -> _checks.Floats:
    """Probability of each group of classes: the *mean* over its members, g_ij = (1/|G_j|) sum_{c in G_j} p_ic.

    The mean, not the sum or the maximum, so that 109 dog breeds do not outweigh one class of oven. The rows need not sum to 1.

    probabilities: float [n, C], softmax over all classes, rows sum to 1 within 1e-4; groups: k lists of class numbers, none empty and no
    class in two of them; classes in no group are allowed. Returns float64 [n, k]. ValueError for logits passed by mistake, NaN, bad
    groups. Source: Geirhos et al. 2019, "ImageNet-trained CNNs are biased towards texture", and their model-vs-human toolbox.
    """
    p = _checks.finite(probabilities, name="probabilities", ndim=2)
    _checks.distributions(p)
    if not groups:
        raise ValueError("groups is empty: at least one group of classes is needed")
    members = [_checks.integers(group, name=f"groups[{j}]", classes=p.shape[1]) for j, group in enumerate(groups)]
    together = np.concatenate(members)
    if np.unique(together).size != together.size:
        repeated = int(np.argmax(np.bincount(together)))
        raise ValueError(f"class {repeated} is in groups more than once")
    means: _checks.Floats = np.stack([p[:, group].mean(axis=1) for group in members], axis=1)
    return means


def decisions(probabilities: npt.ArrayLike, *, groups: Sequence[npt.ArrayLike]) -> _checks.Ints:
    """The group with the one highest mean probability, or -1 where the two best are equal.

    Equal means within 1e-12 of the highest, because a mean over 109 classes rounds. So a collapsed model decides nothing, where an argmax
    would name group 0 every time. Inputs and errors as in `group_probabilities`. Returns int64 [n] in -1 .. k-1. With one group there is
    nothing to decide between: all are that group.
    """
    return highest(group_probabilities(probabilities, groups=groups))


def highest(means: npt.ArrayLike) -> _checks.Ints:
    """The column with the one highest value in each row, or -1 where the two best are equal within 1e-12 of the highest.

    means: float [n, k]. Returns int64 [n] in -1 .. k-1. ValueError for NaN and wrong shapes.
    """
    means = _checks.finite(means, name="means", ndim=2)
    best = means.max(axis=1, keepdims=True)
    at_the_top = np.count_nonzero(means >= best * (1 - 1e-12), axis=1)
    chosen: _checks.Ints = np.where(at_the_top == 1, means.argmax(axis=1), -1).astype(np.int64)
    return chosen


def cues(decided: npt.ArrayLike, *, shape: npt.ArrayLike, texture: npt.ArrayLike) -> Cues:
    """Decisions for the shape, decisions for the texture, and the number of conflict images (shape and texture of different classes).

    decided: int [n], -1 = undecided (`decisions`); shape, texture: int [n], the class of either cue. Images without a conflict are left
    out. ValueError for wrong shapes or negative cues.
    """
    return _count(*_conflicts(decided, shape, texture))


def shape_bias(decided: npt.ArrayLike, *, shape: npt.ArrayLike, texture: npt.ArrayLike) -> float:
    """Share of shape among the conflict images decided for one of their two cues: n_shape / (n_shape + n_texture).

    Inputs and errors as in `cues`. Returns 0 to 1: 1 = shape only (people: .92 to .99), 0 = texture only; higher is better where people
    are the standard. NaN when nothing was decided either way. Interval: `crossed.crossed_interval`, or `intervals.wilson` where no
    exemplars are known. Read it beside `decided_fraction`: a bias over 3 images in 1,000 says little. Source: Geirhos et al. 2019.
    """
    return cues(decided, shape=shape, texture=texture).bias


def decided_fraction(decided: npt.ArrayLike, *, shape: npt.ArrayLike, texture: npt.ArrayLike) -> float:
    """Share of the conflict images decided for one of their two cues, the cue-hit rate: (n_shape + n_texture) / n.

    Inputs and errors as in `cues`. Returns 0 to 1, higher is better; chance among k groups is 2 / k. NaN without conflict images.
    """
    return cues(decided, shape=shape, texture=texture).decided


def per_class(decided: npt.ArrayLike, *, shape: npt.ArrayLike, texture: npt.ArrayLike, classes: int) -> tuple[Cues, ...]:
    """`cues` of the conflict images of each *shape* class, one entry per class 0 .. classes-1; n = 0 where a class has no image.

    Inputs as in `cues`; all in 0 .. classes-1 (decided also -1). The entries add up to `cues` over everything. ValueError as in `cues`.
    """
    classes = _checks.count(classes, name="classes")
    chosen, shapes, textures = _conflicts(decided, shape, texture, classes=classes)
    kept = ((chosen[of], shapes[of], textures[of]) for of in (shapes == c for c in range(classes)))
    return tuple(_count(*columns) for columns in kept)


def _conflicts(
    decided: npt.ArrayLike, shape: npt.ArrayLike, texture: npt.ArrayLike, *, classes: int | None = None
) -> tuple[_checks.Ints, _checks.Ints, _checks.Ints]:
    chosen = answers(decided, name="decided", classes=classes)
    shapes = _checks.integers(shape, name="shape", n=chosen.size, classes=classes)
    textures = _checks.integers(texture, name="texture", n=chosen.size, classes=classes)
    conflict = shapes != textures
    return chosen[conflict], shapes[conflict], textures[conflict]


def _count(chosen: _checks.Ints, shapes: _checks.Ints, textures: _checks.Ints) -> Cues:
    return Cues(int(np.count_nonzero(chosen == shapes)), int(np.count_nonzero(chosen == textures)), chosen.size)
