"""WiSE-FT: weights between those of a model and of its fine-tuned self (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903, eq. 1)."""

from __future__ import annotations

from pathlib import Path

import torch

from pytest_clip import ClipError
from pytest_clip.models import openclip
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.models.spec import ModelSpec, interpolated

_SHOWN = 3


def load(
    spec: ModelSpec, *, device: str = "auto", precision: str = "fp32", compile: bool = False, cache_dir: Path, prefix: str | None = None
) -> OpenClipModel:
    """(1 - ALPHA) BASE + ALPHA TUNED, in float32 and every weight alike, logit scale and biases among them.

    The fingerprint is that of the weights, so 0 is BASE and 1 is TUNED; ClipError where the two are not one network, seen alike.
    """
    first, second, alpha = interpolated(spec)
    plain = "fp32" if precision in ("amp", "amp_bf16") else precision
    base = openclip.load(first, device="cpu", precision=plain, cache_dir=cache_dir, prefix=prefix)
    tuned = openclip.load(second, device=device, precision=precision, compile=compile, cache_dir=cache_dir, prefix=prefix)
    _one_network(base, tuned, spec.text)
    start = base.module.state_dict()
    with torch.no_grad():
        for name, end in tuned.module.state_dict().items():
            if end.is_floating_point():
                end.copy_(mixed(start[name], end.cpu(), alpha))
    tuned.label = spec.label
    tuned.facts |= {
        "pretrained": f"{base.label} to {tuned.facts['pretrained']}",
        "wise": {"base": base.fingerprint, "base_text": first.text, "tuned_text": second.text, "alpha": alpha},
        "warnings": [*base.facts["warnings"], *tuned.facts["warnings"]],
    }
    return tuned


def mixed(base: torch.Tensor, tuned: torch.Tensor, alpha: float) -> torch.Tensor:
    """Exact at both ends."""
    if alpha in (0.0, 1.0):
        return base if alpha == 0 else tuned
    return (1 - alpha) * base.float() + alpha * tuned.float()


def _one_network(base: OpenClipModel, tuned: OpenClipModel, text: str) -> None:
    start, end = base.module.state_dict(), tuned.module.state_dict()
    apart = sorted({*start, *end} - ({*start} & {*end}))
    apart += [
        f"{name} {list(start[name].shape)} and {list(end[name].shape)}"
        for name in start
        if name in end and start[name].shape != end[name].shape
    ]
    if apart:
        more = f" and {len(apart) - _SHOWN} more" if len(apart) > _SHOWN else ""
        raise ClipError(f"{text}: {base.label} and {tuned.label} are not one network, they differ in {', '.join(apart[:_SHOWN])}{more}")
    for what, one, other in (
        ("activation", base.activation, tuned.activation),
        ("preprocessing", base.preprocess_config, tuned.preprocess_config),
    ):
        if one != other:
            raise ClipError(
                f"{text}: {base.label} and {tuned.label} differ in their {what} ({one} and {other}); name both by one architecture"
            )
