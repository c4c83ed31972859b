"""The damages that `--clip-mutants` knows: name, what goes wrong, and what to do when no gate notices. Light: loads no model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from pytest_clip import ClipError

ALL = "all"
SOUND = "sound"
"""The copy without damage."""


@dataclass(frozen=True)
class Mutant:
    """One way to damage a model. `what` completes "the model ..."; `advice` is for the case that no gate notices."""

    name: str
    what: str
    advice: str


_BOUNDS = "bounds nearer to what your model scores find it; a baseline (max_drop) compares image by image and finds less"
_NOISE = "noise this small may cost nothing; " + _BOUNDS

_LIST = (
    Mutant(
        "wrong_mean_std",
        "normalises pixels with mean and std 0.5 instead of its own (with OpenAI's where 0.5 is its own)",
        "checkpoint/normalization is the gate for it; give it a lower max",
    ),
    Mutant("bgr", "is given blue, green, red instead of red, green, blue, as from OpenCV", _BOUNDS),
    Mutant("unnormalised", "returns embeddings without scaling them to length 1", "checkpoint/embedding_norm is the gate for it"),
    Mutant(
        "activation_swapped",
        "runs with QuickGELU instead of GELU, or the other way round",
        "checkpoint/activation is the gate for it; where it measures hardly a difference, the two are the same to your model",
    ),
    Mutant(
        "logit_scale_double",
        "has twice its logit scale: as accurate, and too sure",
        "run the calibration suite, with a max for calibration/ece and calibration/nll",
    ),
    Mutant(
        "logit_scale_half",
        "has half its logit scale: as accurate, and not sure enough",
        "run the calibration suite, with a max for calibration/ece and calibration/nll",
    ),
    Mutant("noise_10", "has noise of 10 % of their size on the weights of one image block", _NOISE),
    Mutant("noise_30", "has noise of 30 % of their size on the weights of one image block", _NOISE),
    Mutant("noise_100", "has noise as large as themselves on the weights of one image block", _BOUNDS),
    Mutant("last_block_dropped", "lacks the last block of its image tower", _BOUNDS),
    Mutant("text_reseeded", "has the text tower of another seed, untrained", "accuracy/top1 and retrieval need a min above chance"),
    Mutant(
        "positions_shuffled",
        "has its position embeddings in another order, in both towers",
        "run the retrieval suite: captions depend on the order of words more than class prompts do",
    ),
    Mutant(
        "text_truncated",
        "reads only the first six words of a text",
        "run the retrieval suite, or ask with longer prompts: checkpoint/tokenizer sees class names that are cut",
    ),
    Mutant("int8", "has weights rounded to 8 bits, one step size for each tensor", "rounding may cost nothing; " + _BOUNDS),
    Mutant(
        "half_finetuned",
        "is half itself and half another checkpoint: --clip-baseline-model, or the other one that is bundled",
        _BOUNDS,
    ),
    Mutant("labels_rotated", "is asked for every class with the name of the next one", "accuracy/top1 needs a min above chance"),
    Mutant(
        "squashed",
        "squeezes pictures into a square instead of cropping them",
        "pictures near to a square hardly change; measure on data with wide and tall ones",
    ),
    Mutant("jpeg_10", "is given pictures that were saved again as JPEG of quality 10", _BOUNDS),
)

MUTANTS: dict[str, Mutant] = {each.name: each for each in _LIST}


def choose(names: Iterable[str]) -> tuple[str, ...]:
    """The named mutants in the order of the list, `all` for every one; ClipError for a name that there is not."""
    asked = list(names)
    for name in asked:
        if name != ALL and name not in MUTANTS:
            close = get_close_matches(name, [*MUTANTS, ALL], n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            path = "; before a path write --clip-mutants=all" if "/" in name or "." in name else ""
            raise ClipError(f"no mutant {name!r}{meant}; there is {', '.join(MUTANTS)}, or all{path}")
    return tuple(name for name in MUTANTS if ALL in asked or name in asked)
