"""WiSE-FT: weights between those of a model and of its fine-tuned self (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903, eq. 1)."""

from __future__ import annotations

from pathlib import Path

import torch

from pytest_clip import ClipError
from pytest_clip.models import bundled, headed, openclip
from pytest_clip.models.classifier import ImageClassifier
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.models.spec import ModelSpec, interpolated

_SHOWN = 3


def load(
    spec: ModelSpec, *, device: str = "auto", precision: str = "fp32", compile: bool = False, cache_dir: Path, prefix: str | None = None
) -> OpenClipModel | ImageClassifier:
    """(1 - ALPHA) BASE + ALPHA TUNED, in float32 and every weight alike, logit scale and biases among them.

    The fingerprint is that of the weights, so 0 is BASE and 1 is TUNED; ClipError where the two are not one network, seen alike.
    """
    first, second, alpha = interpolated(spec)
    plain = "fp32" if precision in ("amp", "amp_bf16") else precision
    base = openclip.load(first, device="cpu", precision=plain, cache_dir=cache_dir, prefix=prefix)
    if _is_head(second):
        return _towards_head(spec, base, device=device, precision=precision)
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


def _is_head(spec: ModelSpec) -> bool:
    return spec.kind == "bundled" and spec.pretrained is None and bundled.is_head(spec.name)


def _towards_head(spec: ModelSpec, base: OpenClipModel, *, device: str, precision: str) -> ImageClassifier:
    """From the zero-shot classifier of the model that a head was tuned from to that head."""
    first, second, alpha = interpolated(spec)
    wanted = bundled.record(second.name)["recipe"]["start"]
    if (first.kind, first.name, first.pretrained) != ("bundled", wanted, None):
        raise ClipError(f"{spec.text}: {second.name} was fine-tuned from {wanted}; write wise:{wanted}::{second.name}::{alpha:g}")
    state, start, config = headed.read(second.name)
    before = {key: value for key, value in base.module.state_dict().items() if key.startswith("visual.")} | start
    between = {key: mixed(before[key], end, alpha) if end.is_floating_point() else end for key, end in state.items()}
    model = headed.build(second.name, between, config, label=spec.label, device=device, precision=precision)
    model.facts["wise"] = {"base": base.fingerprint, "base_text": first.text, "tuned_text": second.text, "alpha": alpha}
    model.facts["pretrained"] = f"{base.label} to {second.name}"
    return model


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
