"""What a large multimodal model answers to questions about images, each asked once and kept, like embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.pictures import upright
from .entry import Entry, recall
from .pixels import identity
from .rates import clocked
from .source import Source

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..data import Data
    from ..models.lmm.protocol import Lmm, OptionScores
    from ..views.view import View
    from .extraction import Extraction
    from .quiz import Quiz

TOGETHER = 16
"""Images that are handed to the model at once; it makes batches of their questions."""
LONGEST = 256
"""Bytes of an answer that are kept."""
DIGITS = 4
"""Of a log-likelihood: beyond them it depends on the size of a batch."""
GREY = 127
BLANK, OTHERS = "blank", "others"
"""Instead of the pictures: grey of the same size, or those of other images."""


class _Eye:
    """What `Source` asks of a model that takes pictures as they are."""

    label, device, facts = "a picture as it is", "cpu", {}  # type: ignore[var-annotated]


@dataclass
class Interviews:
    """Asks `lmm`; a bar for each set of questions shows how many remain."""

    extraction: Extraction
    lmm: Lmm
    _kept: dict[str, Any] = field(default_factory=dict)

    def scores(
        self, data: Data, name: str, quiz: Quiz, *, view: View | None = None, instead: str = "", shown: tuple[int, ...] | None = None
    ) -> NDArray[np.float64]:
        """Log-likelihood and number of tokens of every option as listed, float64 [n, r, k, 2].

        Of image set `name` through `view`; `instead` shows blank pictures (BLANK), or those of the images `shown` [n] (OTHERS).
        """

        def ask(pictures: list[Image], rows: range) -> NDArray[np.float32]:
            flat = [(k, r) for k in rows for r in range(quiz.orders)]
            found = self.lmm.option_scores(
                [pictures[k - rows.start] for k, _ in flat],
                [quiz.prompts[k][r] for k, r in flat], [quiz.options[k][r] for k, r in flat],
            )  # fmt: skip
            both = np.stack([_checked(found, len(flat), quiz.k, self.lmm).round(DIGITS), found.tokens], -1).astype(np.float32)
            return both.reshape(len(rows), quiz.orders, quiz.k, 2)

        rows = self._rows("options", data, name, quiz, ask, view=view, instead=instead, shown=shown)
        return rows.astype(np.float64)

    def answers(self, data: Data, name: str, quiz: Quiz, *, view: View | None = None) -> list[list[str]]:
        """What is generated, [n][r]."""

        def ask(pictures: list[Image], rows: range) -> NDArray[np.uint8]:
            flat = [(k, r) for k in rows for r in range(quiz.orders)]
            told = self.lmm.answer([pictures[k - rows.start] for k, _ in flat], [quiz.prompts[k][r] for k, r in flat])
            out = np.zeros((len(flat), LONGEST), dtype=np.uint8)
            for row, text in zip(out, told, strict=True):
                spelled = text.encode("utf-8", "replace")[:LONGEST]
                row[: len(spelled)] = np.frombuffer(spelled, dtype=np.uint8)
            return out.reshape(len(rows), quiz.orders, LONGEST)

        kept = self._rows("words", data, name, quiz, ask, view=view, instead="", shown=None)
        return [[bytes(row).rstrip(b"\0").decode("utf-8", "replace") for row in turns] for turns in kept]

    def _rows(
        self, kind: str, data: Data, name: str, quiz: Quiz, ask: Callable[[list[Image], range], NDArray[Any]], *,
        view: View | None, instead: str, shown: tuple[int, ...] | None,
    ) -> NDArray[Any]:  # fmt: skip
        images = data.images(name)
        key = {
            "kind": kind, "model": self.lmm.fingerprint, "device": self.lmm.device.partition(":")[0], **versions(), **identity(images),
            "view": None if view is None else view.key, "questions": quiz.digest, "instead": instead,
            "shown": None if shown is None else list(shown),
        }  # fmt: skip
        entry = Entry(self.extraction.cache / "answers", key, len(quiz), told={"data": images.data, "lmm": self.lmm.label})
        if entry.name not in self._kept:
            self._kept[entry.name] = recall(entry, lambda entry: self._fill(entry, data, name, quiz, ask, view, instead, shown))
        rows: NDArray[Any] = self._kept[entry.name]
        return rows

    def _fill(
        self, entry: Entry, data: Data, name: str, quiz: Quiz, ask: Callable[[list[Image], range], NDArray[Any]],
        view: View | None, instead: str, shown: tuple[int, ...] | None,
    ) -> None:  # fmt: skip
        """Put the spans that are missing, each as soon as it is whole: who is killed loses one."""
        look, which = looking(self.extraction, data, name, view), quiz.rows if shown is None else shown
        under = f" under {view.name}" if view is not None else f" with {instead} pictures" if instead else ""
        what = "answers" if entry.key["kind"] == "words" else f"{quiz.k} options"
        bar = self.extraction.progress(f"{self.lmm.label} on {data.name}/{name}{under}, {what}", len(quiz) * quiz.orders)
        try:
            with self.extraction.clock.of(clocked(self.lmm.label), self.lmm.device, bar.advance) as advance:
                for span in entry.claims():
                    parts = []
                    for at in range(span.start, span.stop, TOGETHER):
                        rows = range(at, min(at + TOGETHER, span.stop))
                        pictures = [_blank(look(quiz.rows[0]))] * len(rows) if instead == BLANK else [look(which[k]) for k in rows]
                        parts.append(ask(pictures, rows))
                        advance(len(rows) * quiz.orders)
                    entry.put(span, np.concatenate(parts))
        finally:
            bar.close()


def looking(extraction: Extraction, data: Data, name: str, view: View | None) -> Callable[[int], Image]:
    """A function from row to the picture at its own size, upright and seen through `view`."""
    import PIL.Image

    extraction.hang(data, name)
    if view is None:
        return lambda row: extraction.picture(data, name, row).convert("RGB")
    source = Source(_Eye(), data.images(name), extraction.cache, view=view, keep=False)  # type: ignore[arg-type]

    def seen(row: int) -> Image:
        made: Image = upright(PIL.Image.fromarray(source.seen(row).permute(1, 2, 0).numpy()))
        return made

    return seen


def versions() -> dict[str, str | None]:
    """What runs these models."""
    return {name: next((each.version for each in metadata.distributions(name=name)), None) for name in ("torch", "transformers", "pillow")}


def _blank(picture: Image) -> Image:
    import PIL.Image

    return PIL.Image.new("RGB", picture.size, (GREY, GREY, GREY))


def _checked(found: OptionScores, n: int, k: int, lmm: Lmm) -> NDArray[np.float32]:
    from .. import ModelError

    total, tokens = np.asarray(found.total), np.asarray(found.tokens)
    if total.shape != (n, k) or tokens.shape != (n, k) or not np.isfinite(total).all() or (tokens < 1).any():
        raise ModelError(
            f"option_scores of {lmm.label} returned {total.shape} and {tokens.shape} for {n} questions of {k} options; it returns finite "
            "log-likelihoods [n, k] and numbers of tokens [n, k], at least 1"
        )
    return total
