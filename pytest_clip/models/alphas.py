"""The notation `wise:BASE::TUNED::ALPHA`, in which ALPHA is a number or a path FROM:TO:STEP."""

from __future__ import annotations

import math

from pytest_clip import ClipError

FORM = "wise:BASE::TUNED::ALPHA, such as wise:ViT-B-32,openai::ViT-B-32,runs/e5.pt::0.5"


def expand(text: str) -> tuple[str, ...]:
    """The models that one --clip-model stands for: `wise:A::B::0:1:0.25` is five, anything else itself."""
    scheme, _, rest = text.strip().partition(":")
    head, _, alphas = rest.rpartition("::")
    if scheme != "wise" or alphas.count(":") != 2:
        return (text,)
    try:
        low, high, step = (float(part) for part in alphas.split(":"))
    except ValueError:
        raise ClipError(f"--clip-model={text!r}: {alphas!r} is no FROM:TO:STEP, such as 0:1:0.1") from None
    if not (0 <= low <= high <= 1 and 0.001 <= step <= 1):
        raise ClipError(f"--clip-model={text!r}: {alphas!r} must go upwards between 0 and 1, by steps of at least 0.001")
    count = math.floor((high - low) / step + 1e-9)
    return tuple(f"wise:{head}::{round(low + k * step, 6):g}" for k in range(count + 1))


def parts(text: str) -> tuple[str, str, float]:
    """What stands for BASE and for TUNED, and ALPHA from 0 to 1."""
    said = [part.strip() for part in text.strip().partition(":")[2].split("::")]
    if len(said) != 3 or not all(said):
        raise ClipError(f"--clip-model={text!r} is not {FORM}")
    try:
        alpha = float(said[2])
    except ValueError:
        alpha = -1.0
    if not 0 <= alpha <= 1:
        raise ClipError(f"--clip-model={text!r}: {said[2]!r} is no number from 0 (BASE) to 1 (TUNED), and no FROM:TO:STEP")
    return said[0], said[1], alpha
