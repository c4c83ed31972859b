"""What an open_clip_config.json may say: known keys of known kinds. It comes with a checkpoint that somebody else made, and open_clip hands
what it holds on to constructors of transformers and timm, which may fetch, read or run what they are told to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_clip import ClipError

Kind = tuple[str, Callable[[Any], bool]]
"""What a value must be, in words, and whether it is."""


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9 and not math.isnan(value)


def _from_one_to(most: int) -> Kind:
    return f"a whole number from 1 to {most}", lambda value: type(value) is int and 1 <= value <= most


def _either(*kinds: Kind) -> Kind:
    return " or ".join(words for words, _ in kinds), lambda value: any(fits(value) for _, fits in kinds)


def _many(kind: Kind, n: int) -> Kind:
    return f"{n} times {kind[0]}", lambda value: isinstance(value, list) and len(value) == n and all(map(kind[1], value))


def _one_of(*words: str) -> Kind:
    return f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words


COUNT = _from_one_to(1 << 20)
INDEX: Kind = "a whole number from 0", lambda value: type(value) is int and 0 <= value < 1 << 31
NUMBER: Kind = "a finite number", _is_number
POSITIVE: Kind = "a number above 0", lambda value: _is_number(value) and value > 0
SHARE: Kind = "a number from 0 to below 1", lambda value: _is_number(value) and 0 <= value < 1
FLAG: Kind = "true or false", lambda value: type(value) is bool
TEXT: Kind = "text", lambda value: isinstance(value, str)
NAME: Kind = "a name without : and /", lambda value: isinstance(value, str) and re.fullmatch(r"[\w.-]*", value, re.ASCII) is not None
NONE: Kind = "null", lambda value: value is None
SIZE = _either(COUNT, _many(COUNT, 2))
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)

_LAYERS = _from_one_to(512)
_BLOCK: dict[str, Any] = {
    "width": COUNT,
    "mlp_ratio": POSITIVE,
    "ls_init_value": _either(NUMBER, NONE),
    "final_ln_after_pool": FLAG,
    "pool_type": NAME,
    "output_tokens": FLAG,
    "act_kwargs": {"approximate": _one_of("none", "tanh")},
    "norm_kwargs": {"eps": POSITIVE, "elementwise_affine": FLAG, "bias": FLAG},
    "block_type": _either(NAME, NONE),
    **dict.fromkeys(("qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"), FLAG),
}
_VISION: dict[str, Any] = {
    **_BLOCK,
    "layers": _either(_LAYERS, _many(_LAYERS, 4)),
    "head_width": COUNT,
    "patch_size": _either(COUNT, NONE),
    "image_size": SIZE,
    "patch_dropout": SHARE,
    "attentional_pool": _either(FLAG, NAME),
    "attn_pooler_queries": COUNT,
    "attn_pooler_heads": COUNT,
    "no_ln_pre": FLAG,
    "pos_embed_type": NAME,
    "timm_model_name": _either(NAME, NONE),
    "timm_model_pretrained": FLAG,
    "timm_pool": NAME,
    "timm_proj": _either(NAME, NONE),
    "timm_proj_bias": FLAG,
    "timm_drop": SHARE,
    "timm_drop_path": _either(SHARE, NONE),
}
_TEXT: dict[str, Any] = {
    **_BLOCK,
    "layers": _LAYERS,
    "heads": COUNT,
    "context_length": _from_one_to(8192),  # its square is the attention mask
    "vocab_size": COUNT,
    "hf_tokenizer_name": _either(TEXT, NONE),
    "tokenizer_mode": _either(_one_of("clips"), NONE),
    "tokenizer_kwargs": {
        "clean": _one_of("canonicalize", "lower", "whitespace"),
        "strip_sep_token": FLAG,
        "language": NAME,
        "additional_special_tokens": ("a list of texts", lambda value: isinstance(value, list) and all(isinstance(x, str) for x in value)),
    },
    "embed_cls": FLAG,
    "pad_id": INDEX,
    "eos_id": INDEX,
    "no_causal_mask": FLAG,
    "proj_bias": FLAG,
    "proj_type": _either(NAME, NONE),
    "hf_model_name": (
        "null or the name of a Hugging Face repository",
        lambda value: value is None or (isinstance(value, str) and REPOSITORY.fullmatch(value) is not None),
    ),
    "hf_model_pretrained": FLAG,
    "hf_proj_type": _either(NAME, NONE),
    "hf_pooler_type": _either(NAME, NONE),
}
MODEL: dict[str, Any] = {
    "embed_dim": COUNT,
    "vision_cfg": _VISION,
    "text_cfg": _TEXT,
    "multimodal_cfg": {**_TEXT, "dim_head": COUNT, "n_queries": COUNT, "attn_pooler_heads": COUNT},
    "quick_gelu": FLAG,
    "custom_text": FLAG,
    "init_logit_scale": NUMBER,
    "init_logit_bias": _either(NUMBER, NONE),
    "nonscalar_logit_scale": FLAG,
}
PREPROCESS: dict[str, Any] = {
    "size": _either(SIZE, NONE),
    "mode": _either(_one_of("RGB"), NONE),
    "mean": _either(_many(NUMBER, 3), NONE),
    "std": _either(_many(POSITIVE, 3), NONE),
    "interpolation": _either(_one_of("bicubic", "bilinear", "random"), NONE),
    "resize_mode": _either(_one_of("shortest", "longest", "squash"), NONE),
    "fill_color": _either(INDEX, _many(INDEX, 3), NONE),
}
_OPTIONAL = ("act_kwargs", "norm_kwargs", "tokenizer_kwargs", "multimodal_cfg")
_RUNS_CODE = ("trust_remote_code", "auto_map", "code_revision", "custom_generate")
_SHOWN = 10


def check(model: Mapping[str, Any], preprocess: Mapping[str, Any], *, file: Path) -> None:
    """ClipError that names every key which is not known or holds something else than it should."""
    wrong = [*_faults(model, MODEL, "model_cfg"), *_faults(preprocess, PREPROCESS, "preprocess_cfg")]
    if wrong:
        more = f"\n  … and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ClipError(
            f"{file} is refused, since open_clip would hand on what it does not know; remove or correct it:\n  "
            + "\n  ".join(wrong[:_SHOWN])
            + more
        )


def _faults(given: Any, known: Mapping[str, Any], where: str) -> Iterator[str]:
    if not isinstance(given, Mapping):
        yield f"{where} must be an object of JSON, not {_shown(given)}"
        return
    for key, value in given.items():
        kind, place = known.get(key), f"{where}.{_shown(key, plain=True)}"
        if key in _RUNS_CODE:
            yield f"{place}: asks to run code that comes with a model, which is never done"
        elif kind is None:
            near = get_close_matches(str(key), known, n=1)
            yield f"{place}: unknown key" + (f"; do you mean {near[0]}?" if near else f"; known are {', '.join(known)}")
        elif isinstance(kind, Mapping):
            yield from () if value is None and key in _OPTIONAL else _faults(value, kind, place)
        elif not kind[1](value):
            yield f"{place} must be {kind[0]}, not {_shown(value)}"


def _shown(value: Any, *, plain: bool = False) -> str:
    text = value if plain and isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def least_weights(model: Mapping[str, Any]) -> int:
    """A number of weights that the model has at least; no memory is taken to know it. Towers of timm and transformers count as nothing."""
    vision, text = model["vision_cfg"], model["text_cfg"]
    total: int = _text_weights(text) + (_text_weights(model["multimodal_cfg"]) if model.get("multimodal_cfg") else 0)
    if vision.get("timm_model_name"):
        return total
    width, layers, image = vision.get("width", 768), vision.get("layers", 12), vision.get("image_size", 224)
    sides = image if isinstance(image, list) else [image, image]
    if isinstance(layers, list):  # bottlenecks of 1 x 1, 3 x 3, 1 x 1, twice as wide at each stage
        total += sum(17 * n * (width << stage) ** 2 for stage, n in enumerate(layers))
        return total + int(sides[0] * sides[1] // 1024 * width)
    patch = vision.get("patch_size") or 16
    total += model["embed_dim"] * (width + (vision.get("attn_pooler_queries", 256) if vision.get("attentional_pool") else 0))
    total += width * (sides[0] // patch) * (sides[1] // patch)
    return total + _block_weights(vision, width, layers)


def _text_weights(text: Mapping[str, Any]) -> int:
    if text.get("hf_model_name"):
        return 0
    width, context = text.get("width", 512), text.get("context_length", 77)
    words: int = width * (text.get("vocab_size", 49408) + context)
    return words + _block_weights(text, width, text.get("layers", 12))


def _block_weights(tower: Mapping[str, Any], width: int, layers: int) -> int:
    return int(layers * width * (4 * width + 2 * int(width * tower.get("mlp_ratio", 4))))
