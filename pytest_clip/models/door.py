"""What a model says of itself and returns, held against the words of `models.protocol`: once a model, once a batch, before it is used."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_clip import ModelError
from pytest_clip.models.protocol import embedding_model, is_classifier

if TYPE_CHECKING:
    from pytest_clip.models.protocol import ClipModel

LENGTH = 0.01
"""How far from 1 the length of a row may be. Rows that were divided by their norm in bfloat16 are off by up to 0.004."""
PRECISIONS = ("fp32", "bf16", "fp16", "amp", "amp_bf16")
_WANTED = {
    "encode_image": "float32 [n, d] on the CPU, rows of length 1",
    "encode_text": "float32 [n, d] on the CPU, rows of length 1",
    "class_scores": "logits float32 [n, C] on the CPU, one for each of its names",
    "dense_features": "[n, d, gh, gw]",
    "preprocess": "a float32 tensor [3, height, width] of the model's image_size",
}


def check(model: ClipModel) -> None:
    """ModelError that names every attribute which is not what the protocol says. An attribute that is not there is the caller's matter."""
    if wrong := list(_faults(model)):
        raise ModelError(f"the model {_name(model)} is not what pytest_clip.models.protocol.ClipModel asks for: {'; '.join(wrong)}")


def _faults(model: Any) -> Iterator[str]:
    there = {name: getattr(model, name) for name in ("label", "fingerprint", "device", "precision", "image_size") if hasattr(model, name)}
    for name in ("label", "fingerprint", "device"):
        if name in there and not (isinstance(there[name], str) and there[name].strip()):
            yield f"{name} is {there[name]!r}, not text"
    if there.get("precision", "fp32") not in PRECISIONS:
        yield f"precision is {there['precision']!r}, not one of {', '.join(PRECISIONS)}"
    size = there.get("image_size", (1, 1))
    if not (isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)):
        yield f"image_size is {size!r}, not (height, width)"


def scale_of(model: ClipModel) -> float:
    """The model's logit scale, a finite number above 0, and its bias looked at, too."""
    scale: Any = model.logit_scale
    bias: Any = getattr(model, "logit_bias", None)
    for name, value, fits in (("logit_scale", scale, "a finite number above 0"), ("logit_bias", bias, "a finite number or None")):
        if name == "logit_bias" and value is None:
            continue
        if not _is_number(value) or (name == "logit_scale" and float(value) <= 0):
            raise ModelError(
                f"the {name} of {_name(model)} is {value}, not {fits}, so its answers have no probabilities; "
                "train it within bounds (CLIP clamps the scale at 100), or look at what was loaded: checkpoint/logit_scale"
            )
    return float(scale)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool | str) and math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return False


class Door:
    """Lets through what a model returns if it is what the protocol says; remembers how wide each model's embeddings are."""

    def __init__(self) -> None:
        self._widths: dict[str, tuple[int, str]] = {}

    def embeddings(self, model: ClipModel, method: str, answer: Any, n: int) -> NDArray[np.float32]:
        """float32 [n, d], every row finite and of length 1, as wide as all before of this model; ModelError says what it is instead."""
        rows = _numbers(model, method, answer, n, dims=2)
        width, where = self._widths.setdefault(str(model.fingerprint), (rows.shape[1], method))
        if rows.shape[1] != width:
            raise _wrong(model, method, f"rows of {rows.shape[1]} numbers, and {where} gave rows of {width}", "both share one space")
        lengths = np.linalg.norm(rows, axis=1)
        if n and abs(lengths - 1).max() > LENGTH:
            k = int(abs(lengths - 1).argmax())
            cure = "divide each row by its length: torch.nn.functional.normalize(rows, dim=-1)"
            if lengths[k] == 0:
                cure += ". A row of zeros has none: the tower answers nothing"
            raise _wrong(model, method, f"a row of length {lengths[k]:.4g} (row {k} of {n})", cure)
        return rows

    def raw(self, model: Any, answer: Any, n: int) -> NDArray[np.float32]:
        """float32 [n, d] of finite numbers: embeddings of texts of any length."""
        return _numbers(model, "raw_text", answer, n, dims=2)

    def scores(self, model: Any, answer: Any, n: int) -> NDArray[np.float32]:
        """float32 [n, C], every row finite, one score for each name."""
        rows = _numbers(model, "class_scores", answer, n, dims=2)
        if rows.shape[1] != len(model.names):
            raise _wrong(model, "class_scores", f"rows of {rows.shape[1]} scores", f"it has {len(model.names)} names")
        return rows

    def asked(self, model: ClipModel, what: Any) -> NDArray[np.float32]:
        """What the model says of preprocessed images [n, 3, h, w] or of n texts, float32 [n, d]. Rows may hold NaN or have any length:
        for who wants to judge that. The scores of a classifier are divided by their length, so that tolerances mean the same."""
        if is_classifier(model):
            if isinstance(what, list):
                embedding_model(model)
            rows = _numbers(model, "class_scores", model.class_scores(what), len(what), dims=2, finite=False)  # type: ignore[attr-defined]
            unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)
            return unit
        if isinstance(what, list):
            return _numbers(model, "encode_text", model.encode_text(what), len(what), dims=2, finite=False)
        return _numbers(model, "encode_image", model.encode_image(what), len(what), dims=2, finite=False)

    def maps(self, model: ClipModel, answer: Any, n: int) -> NDArray[np.float32]:
        """float32 [n, d, gh, gw] of finite numbers."""
        return _numbers(model, "dense_features", answer, n, dims=4)

    def patches(self, model: ClipModel, answer: Any, n: int) -> NDArray[np.float32]:
        """float32 [n, places, d] of finite numbers."""
        return _numbers(model, "patch_features", answer, n, dims=3)


def picture(model: ClipModel, answer: Any, *, where: str) -> Any:
    """What `preprocess` made of one picture, float32 [3, h, w], if that is what it is."""
    import torch

    height, width = getattr(model, "image_size", (None, None))
    if not isinstance(answer, torch.Tensor):
        raise _wrong(model, "preprocess", f"a {type(answer).__name__} for {where}", "end it with a tensor")
    if answer.dtype is not torch.float32:
        raise _wrong(model, "preprocess", f"{_dtype(answer)} for {where}", "end it with .float()")
    if answer.ndim != 3 or len(answer) != 3 or (height is not None and tuple(answer.shape[1:]) != (height, width)):
        raise _wrong(model, "preprocess", f"{list(answer.shape)} for {where}", f"image_size is {(height, width)}")
    return answer


def _numbers(model: ClipModel, method: str, answer: Any, n: int, *, dims: int, finite: bool = True) -> NDArray[np.float32]:
    import torch

    if not isinstance(answer, torch.Tensor):
        raise _wrong(model, method, f"a {type(answer).__name__}", "return a torch.Tensor")
    if answer.ndim != dims or len(answer) != n:
        raise _wrong(model, method, f"{list(answer.shape)} for {n} {'texts' if method == 'encode_text' else 'images'}", "one row for each")
    if answer.device.type != "cpu":
        raise _wrong(model, method, f"a tensor on {answer.device}", "add .cpu()")
    if not answer.is_floating_point():
        raise _wrong(model, method, _dtype(answer), "return floating-point numbers")
    if dims == 2 and answer.dtype is not torch.float32:
        raise _wrong(model, method, _dtype(answer), "add .float() before the rows are divided by their length")
    answer = answer.detach().float()
    good = answer.flatten(1).isfinite().all(1)
    if finite and not bool(good.all()):
        raise _wrong(
            model, method, f"{n - int(good.sum())} of {n} rows that hold NaN or inf",
            "look at the weights (checkpoint/finite_weights), at the precision (fp32) and at what it divides by",
        )  # fmt: skip
    rows: NDArray[np.float32] = answer.numpy()
    return rows


def _wrong(model: ClipModel, method: str, what: str, cure: str) -> ModelError:
    return ModelError(f"{method} of the model {_name(model)} returned {what}; it returns {_WANTED[method]}: {cure}")


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _name(model: Any) -> str:
    return re.sub(r"\s+", " ", str(getattr(model, "label", type(model).__name__)))[:100]
