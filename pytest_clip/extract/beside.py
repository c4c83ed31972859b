"""An LMM beside a CLIP: the same images, the same truth and distractors, both asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.aliases import ALIASES
from ..metrics import choices
from ..metrics.naming import named
from ..metrics.resampling import seed_from
from ..views import corruption_view
from .interviews import BLANK, OTHERS, Interviews
from .quiz import EVERY, QUESTION, Quiz, of_table, orders, quiz

if TYPE_CHECKING:
    from ..data import Data
    from .zeroshot import ZeroShot

BY = {
    "clip": "the classes that this CLIP finds likeliest among the wrong ones",
    "third": "the wrong class that another model finds likeliest",  # now, or when its run was saved
    "random": "wrong classes at random",
}
"""Who chooses the wrong options."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Images with their right class and wrong ones."""

    answers: ZeroShot
    """of the CLIP under test, to the images of `rows` and perhaps more"""
    rows: NDArray[np.int64]
    """[n] of the image set"""
    options: NDArray[np.int64]
    """[n, k] the right class, then wrong ones, those first that were preferred"""
    by: str

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.answers.ids[row] for row in self.rows)

    @property
    def labels(self) -> NDArray[np.int64]:
        """[n] the right class."""
        return self.options[:, 0]

    @cached_property
    def clip_right(self) -> NDArray[np.bool_]:
        """[n] whether CLIP finds the right class likelier than every wrong option."""
        scores = scores_of(self.answers)[self.rows[:, None], self.options]
        out: NDArray[np.bool_] = scores[:, 0] > scores[:, 1:].max(1)
        return out


@dataclass(frozen=True, eq=False)
class Told:
    """What the LMM said about pairs."""

    pairs: Pairs
    quiz: Quiz
    scores: NDArray[np.float64]
    """[n, r, k, 2] log-likelihood and tokens"""
    conventions: Mapping[str, object]

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """[n, r] the place of the likeliest option."""
        return choices.chosen(self.scores[..., 0])

    @property
    def right(self) -> NDArray[np.bool_]:
        """[n, r] by the sum over tokens."""
        out: NDArray[np.bool_] = self.places == self.quiz.truth
        return out

    @property
    def right_per_token(self) -> NDArray[np.bool_]:
        """[n, r] by the mean over tokens."""
        out: NDArray[np.bool_] = choices.chosen(self.scores[..., 0] / self.scores[..., 1]) == self.quiz.truth
        return out


@dataclass(frozen=True, eq=False)
class Said:
    """What the LMM generated about pairs."""

    pairs: Pairs
    quiz: Quiz
    places: NDArray[np.int64]
    """[n, r] the place of the option that the answer names; less than 0 for none or several"""
    unclear: tuple[str, ...]
    """answers that name none or several"""
    conventions: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Questioned:
    """What became of questions of a set's own: the share of orders in which each was answered rightly, or whether all of a pair were."""

    right: NDArray[np.float64]
    ids: tuple[str, ...]
    conventions: Mapping[str, object]


@dataclass
class Beside:
    """Answers by image set, or by the name of a corruption of `clean`, each asked once. `images`: of a set the first so many."""

    clip: Callable[..., ZeroShot]
    data: Data
    interviews: Interviews
    images: int
    third: Callable[..., ZeroShot] | None = None
    third_name: str = ""
    chosen: Mapping[str, int] | None = None
    """by image id the `mark` of the class that a third model chose, where a saved run says so"""
    _told: dict[tuple[Any, ...], Told] = field(default_factory=dict)

    def pairs(self, where: str, *, k: int = 2, by: str = "clip") -> Pairs:
        """Of image set or corruption `where`."""
        how = self._place(where)[1]
        answers = self.clip(self._place(where)[0], first=self.images, **how)
        scores = scores_of(answers)
        wrong, truth = wrong_of(answers)
        rows = np.flatnonzero(truth >= 0)
        if by == "third" and self.chosen is not None:  # images that the run did not ask about are left out
            classes = {mark(name): k for k, name in reversed(list(enumerate(answers.classes)))}
            at = np.array([classes.get(self.chosen.get(each, -1), -1) for each in answers.ids], dtype=np.int64)
            rows = rows[[bool(0 <= at[row] < wrong.shape[1] and wrong[row, at[row]]) for row in rows]]
            chosen = at[rows, None]
        elif by == "random":
            seeds = [seed_from(f"lmm {answers.ids[row]}") for row in rows]
            chosen = choices.drawn_wrong(wrong[rows], k=k - 1, seeds=seeds)
        else:
            if by == "third":
                assert self.third is not None, "no third model"
                scores = scores_of(self.third(self._place(where)[0], first=self.images, **how))
            chosen = choices.highest_wrong(scores[rows], wrong[rows], k=k - 1)
        return Pairs(answers, rows, np.concatenate([truth[rows, None], chosen], 1), by)

    def classes(self, where: str = "clean") -> int:
        """Options that a question about `where` can have: its classes, of one name only one."""
        answers = self.clip(self._place(where)[0], first=self.images, **self._place(where)[1])
        return int(wrong_of(answers)[0].sum(1).min()) + 1

    def asked(self, where: str, *, k: int = 2, every: bool = True, by: str = "clip", instead: str = "") -> Told:
        """What the LMM finds likely; `every`: in all orders."""
        key = (where, k, every, by, instead)
        if key not in self._told:
            pairs = self.pairs(where, k=k, by=by)
            asks, shown = self._quiz(pairs, every=every), None
            if instead == OTHERS:
                shown = tuple(int(row) for row in others(pairs))
            name, how = self._place(where)
            scores = self.interviews.scores(self.data, name, asks, instead=instead, shown=shown, **how)
            self._told[key] = Told(pairs, asks, scores, self._conventions(pairs, asks))
        return self._told[key]

    def questioned(self, where: str) -> Questioned:
        """Answers to the questions that a set brings itself, in all rotations of up to five options."""
        images = self.data.images(where)
        options = [tuple(json.loads(each)) for each in images.attributes["options"]]
        right = [int(each) for each in images.attributes["answer"]]
        shares = np.zeros(len(images.ids))
        conventions: dict[str, object] = {}
        for k in sorted({len(each) for each in options}):  # those of one number of options together
            rows = [row for row, each in enumerate(options) if len(each) == k]
            listed = [(options[row][right[row]], *(each for at, each in enumerate(options[row]) if at != right[row])) for row in rows]
            turns = orders(k, [seed_from(f"order {images.ids[row]}") for row in rows], every=k <= EVERY)
            texts, ids = [images.attributes["question"][row] for row in rows], [images.ids[row] for row in rows]
            asks = of_table(texts, listed, turns, rows=rows, ids=ids)
            places = choices.chosen(self.interviews.scores(self.data, where, asks)[..., 0])
            shares[rows] = (places == asks.truth).mean(1)
            conventions[f"options_{k}"] = f"{len(rows)} questions in {asks.orders} orders, {asks.digest[:12]}"
        lmm = self.interviews.lmm
        told = {"lmm": lmm.label, "lmm_fingerprint": lmm.fingerprint, "scoring": "likelihood, sum over tokens", **conventions}
        groups = images.worst_of
        if groups is None:
            return Questioned(shares, images.ids, told)
        whole = np.array([shares[list(group)].min() >= 1.0 for group in groups], dtype=float)
        both = {"protocol": "every question of a pair, in every order"}
        return Questioned(whole, tuple(images.ids[group[0]] for group in groups), told | both)

    def said(self, where: str) -> Said:
        """What is generated, in both orders of two options."""
        pairs = self.pairs(where)
        asks = self._quiz(pairs, every=True)
        name, how = self._place(where)
        told = self.interviews.answers(self.data, name, asks, **how)
        places = np.array(
            [[named(text, asks.options[i][r], ALIASES) for r, text in enumerate(turns)] for i, turns in enumerate(told)], dtype=np.int64
        )
        unclear = [text for turns, at in zip(told, places, strict=True) for text, place in zip(turns, at, strict=True) if place < 0]
        conventions = {**self._conventions(pairs, asks), "scoring": "generated greedily, one option by whole words"}
        return Said(pairs, asks, places, tuple(unclear), conventions)

    def _quiz(self, pairs: Pairs, *, every: bool) -> Quiz:
        seeds = [seed_from(f"order {each}") for each in pairs.ids]
        turns = orders(pairs.options.shape[1], seeds, every=every)
        return quiz(pairs.answers.classes, pairs.options, turns, rows=pairs.rows.tolist(), ids=pairs.ids)

    def _place(self, where: str) -> tuple[str, dict[str, Any]]:
        if any(each.name == where for each in self.data.sets):
            return where, {}
        kind, _, severity = where.partition("-")
        return "clean", {"view": corruption_view(kind, int(severity))}

    def _conventions(self, pairs: Pairs, asks: Quiz) -> Mapping[str, object]:
        lmm = self.interviews.lmm
        by = f"{BY[pairs.by]}{f': {self.third_name}' if pairs.by == 'third' else ''}"
        return {
            **pairs.answers.conventions, "lmm": lmm.label, "lmm_fingerprint": lmm.fingerprint, "question": QUESTION,
            "options": asks.k, "orders": asks.orders, "pairs": asks.digest[:12], "distractors": by,
            "scoring": "likelihood, sum over tokens",
        }  # fmt: skip


def mark(name: str) -> int:
    """48 bits of a class name: a saved run says by them which class it chose, whatever number that has where the run is read."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)


def scores_of(answers: ZeroShot) -> NDArray[np.float64]:
    """What decides the answer, [n, C]."""
    return answers.cosines if answers.shares is None else answers.shares


def wrong_of(answers: ZeroShot) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which classes are wrong for each image, bool [n, C], and the right one, int64 [n], -1 for none.

    Of several right ones that which scores highest. A class called like a right one is neither; of two wrong ones of one name the first
    is an option.
    """
    scores, n = scores_of(answers), len(answers.ids)
    right = np.zeros(scores.shape, dtype=bool)
    for row in range(n):
        accepted = answers.accepted[row] if answers.accepted is not None else (int(answers.labels[row]),)
        right[row, [label for label in accepted if label >= 0]] = True
    truth = np.where(right.any(1), np.where(right, scores, -np.inf).argmax(1), -1)
    first = {name: k for k, name in reversed(list(enumerate(answers.classes)))}
    namesakes = np.array([first[name] for name in answers.classes])
    wrong = np.zeros_like(right)
    own = namesakes == np.arange(len(namesakes))
    for row in range(n):
        wrong[row] = own & ~np.isin(namesakes, namesakes[right[row]])
    return wrong, truth


def others(pairs: Pairs) -> NDArray[np.int64]:
    """For each image another one of the set whose class is none of the options, [n] rows: where there is none, any other."""
    out = pairs.rows.copy()
    for i, own in enumerate(pairs.ids):
        order = np.random.default_rng(seed_from(f"other {own}")).permutation(len(pairs.rows))
        fits = [j for j in order if pairs.labels[j] not in pairs.options[i]] or [j for j in order if j != i] or [i]
        out[i] = pairs.rows[fits[0]]
    return out


__all__ = ["BLANK", "OTHERS", "Beside", "Pairs", "Said", "Told"]
