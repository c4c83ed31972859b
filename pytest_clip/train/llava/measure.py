"""What the card says of the model: accuracy among options, position bias, unparsed answers, and two controls that must stay at chance."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data import load as load_data
from ...data.scenes.vocabulary import CLASSES
from ...extract.extraction import Extraction
from ...extract.source import Source
from ...models import openclip, spec
from .asking import Asked
from .questions import WHAT, with_options

Ranking = NDArray[np.int64]
QUICK = 38
"""Images of the small sample that a test asks again: two of each class."""


@dataclass(frozen=True)
class Asking:
    """Images of `clean` as the tower takes them, their labels, and wrong classes in the order in which they become options."""

    images: Tensor
    labels: Ranking
    by_chance: Ranking
    by_clip: Ranking


def prepare(tower: str, *, cache: Path, limit: int) -> Asking:
    """The first `limit` images of `clean`; wrong classes at random (seeded by the image's number), and by the tower's own CLIP."""
    clip, data = openclip.load(spec.parse(tower), cache_dir=cache), load_data("scenes", limit=limit)
    clean = data.images("clean")
    rows = range(len(clean.labels))
    cosines = Extraction(cache=cache, wanted=("clean",)).zero_shot(clip, data, "clean").cosines
    wrong = [[k for k in np.argsort(-cosines[i], kind="stable") if k != clean.labels[i]] for i in rows]
    chance = [np.random.default_rng([19, i]).permutation([k for k in range(len(CLASSES)) if k != clean.labels[i]]) for i in rows]
    return Asking(Source(clip, clean, cache).batch(list(rows)), clean.labels[list(rows)], np.array(chance), np.array(wrong))


def rotation(truth: int, wrong: Sequence[int], *, place: int) -> list[str]:
    """Class names with the truth at `place` and the wrong ones in their order."""
    out = [CLASSES[int(k)] for k in wrong]
    out.insert(place, CLASSES[truth])
    return out


def said(answer: str, options: Sequence[str]) -> str | None:
    """The one option that an answer names as a whole word, else None."""
    named = [o for o in options if re.search(rf"\b{re.escape(o)}\b", answer.lower())]
    return named[0] if len(named) == 1 else None


def places(asked: Asked, images: Tensor, truths: Ranking, wrong: Ranking, *, k: int) -> NDArray[np.int64]:
    """int64 [n, k]: the place of the likeliest of `k` options when the truth stands at each place in turn."""
    columns = []
    for place in range(k):
        options = [rotation(int(t), w[: k - 1], place=place) for t, w in zip(truths, wrong, strict=True)]
        scores = asked.option_scores(images, [with_options(WHAT[0], names) for names in options], options)
        columns.append([int(row.argmax()) for row in scores])
    return np.array(columns).T


def summary(found: NDArray[np.int64]) -> dict[str, float]:
    """Of such a table: `vanilla` (mean over places), `circular` (right at every place) and `bias`, half the difference of the
    accuracies at the best and the worst place of the truth."""
    right = found == np.arange(found.shape[1])
    by_place = right.mean(0)
    return {
        "vanilla": float(right.mean()), "circular": float(right.all(1).mean()), "bias": float(by_place.max() - by_place.min()) / 2,
        "most_chosen": float(np.bincount(found.ravel(), minlength=found.shape[1]).max() / found.size),
    }  # fmt: skip


def generated(asked: Asked, asking: Asking) -> dict[str, float]:
    """Greedy answers to questions with four options; the truth's place goes round with the image's number."""
    options = [rotation(int(t), w[:3], place=i % 4) for i, (t, w) in enumerate(zip(asking.labels, asking.by_chance, strict=True))]
    answers = asked.answers(asking.images, [with_options(WHAT[0], names) for names in options])
    named = [said(a, o) for a, o in zip(answers, options, strict=True)]
    right = [a == CLASSES[int(t)] for a, t in zip(named, asking.labels, strict=True)]
    return {"accuracy": float(np.mean(right)), "unparsed": float(np.mean([a is None for a in named]))}


def measure(folder: Path, asking: Asking, *, log: Callable[[str], None] = print) -> dict[str, Any]:
    """All numbers of the card.

    `by_chance`: wrong options at random. `by_clip`: those that the tower's own CLIP finds likeliest; it is right as often among them as
    among all classes. `mixed`: its likeliest, and others at random. The two controls are asked as `4_by_chance`.
    """
    asked = Asked(folder)
    images, labels, chance, clip = asking.images, asking.labels, asking.by_chance, asking.by_clip
    mixed = np.array([[hard, *(k for k in some if k != hard)] for hard, some in zip(clip[:, 0], chance, strict=True)])
    blank, shuffled = torch.zeros_like(images), images.roll(len(images) // 2 + 3, 0)
    runs = {
        "2_by_chance": (images, chance, 2), "2_by_clip": (images, clip, 2), "4_by_chance": (images, chance, 4),
        "4_by_clip": (images, clip, 4), "4_mixed": (images, mixed, 4), "blank": (blank, chance, 4), "shuffled": (shuffled, chance, 4),
    }  # fmt: skip
    out: dict[str, Any] = {"images": len(labels)}
    for name, (shown, wrong, k) in runs.items():
        out[name] = summary(places(asked, shown, labels, wrong, k=k))
        log(f"{name} {out[name]}")
    every = [rotation(int(t), w, place=i % len(CLASSES)) for i, (t, w) in enumerate(zip(labels, chance, strict=True))]
    scores = asked.option_scores(images, [with_options(WHAT[0], names) for names in every], every)
    out["19"] = float(np.mean([int(s.argmax()) == i % len(CLASSES) for i, s in enumerate(scores)]))
    out["generated_4"] = generated(asked, asking)
    log(f"19 {out['19']} generated_4 {out['generated_4']}")
    return out


def quick(folder: Path, asking: Asking) -> dict[str, float]:
    """What the test asks again: of QUICK images, right answers of four and the mean log-likelihood of the truth."""
    asked, n = Asked(folder), QUICK
    options = [rotation(int(t), w[:3], place=i % 4) for i, (t, w) in enumerate(zip(asking.labels[:n], asking.by_chance[:n], strict=True))]
    scores = asked.option_scores(asking.images[:n], [with_options(WHAT[0], names) for names in options], options)
    return {
        "images": n, "right": sum(int(s.argmax()) == i % 4 for i, s in enumerate(scores)),
        "log_likelihood": float(np.mean([float(s[i % 4]) for i, s in enumerate(scores)])),
    }  # fmt: skip
