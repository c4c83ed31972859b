"""Whether an LMM sees with the image tower of a CLIP: tensor by tensor, activation, normalisation, and what both make of a picture."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import CacheError
from pytest_clip.store import read_sealed, write_sealed

if TYPE_CHECKING:
    Tensors = Mapping[str, torch.Tensor]

VERSION = 2
"""Of what is compared."""
CLOSE = 1e-4
"""What outputs may differ by, of the largest output."""
_ROUNDED = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
"""What a weight may differ by, of itself, where one of the two was stored in this type: a fp16 file read as float32 shows by its values."""
_STEM = {
    "class_embedding": "embeddings.class_embedding",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight",  # spelled so in transformers
    "ln_pre.bias": "pre_layrnorm.bias",
    "ln_post.weight": "post_layernorm.weight",
    "ln_post.bias": "post_layernorm.bias",
}
_BLOCK = {
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
}  # fmt: skip


@dataclass(frozen=True)
class Eye:
    """How many of `checks` the two towers agree in, and what they differ in, in words."""

    agreeing: int
    checks: int
    differs: tuple[str, ...]
    alike: bool = True
    """whether both are vision transformers of one shape, so that one could stand in the other's place"""

    @property
    def share(self) -> float:
        """Of the checks; 1 only where nothing differs."""
        return self.agreeing / self.checks

    @property
    def told(self) -> str:
        """For conventions and messages."""
        if not self.differs:
            return "the same weights"
        more = f" and {len(self.differs) - 3} more" if len(self.differs) > 3 else ""
        return f"another eye: {'; '.join(self.differs[:3])}{more}"


def recalled(cache: Path, clip: Any, lmm: Any) -> Eye:
    """`compare`, kept in the cache: a rerun that finds all answers stored then reads no weights of either."""
    key = hashlib.sha256(f"{VERSION} {clip.fingerprint} {lmm.fingerprint} {torch.__version__}".encode()).hexdigest()[:32]
    path = cache / "models" / "known" / f"{key}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = read_sealed(path)
        return Eye(int(known["agreeing"]), int(known["checks"]), tuple(map(str, known["differs"])), bool(known["alike"]))
    eye = compare(clip, lmm)
    with suppress(OSError, CacheError):
        write_sealed(path, {"agreeing": eye.agreeing, "checks": eye.checks, "differs": list(eye.differs), "alike": eye.alike})
    return eye


def compare(clip: Any, lmm: Any) -> Eye:
    """`clip` as `models.protocol.ClipModel`, `lmm` as `lmm.protocol.Lmm`; whatever has no weights to compare is another eye."""
    lmm = getattr(lmm, "real", lmm)
    mine, why = of_clip(clip)
    theirs = of_lmm(lmm)
    if mine is None:
        return Eye(0, 1, (why,), alike=False)
    if isinstance(theirs, str):
        return Eye(0, 1, (theirs,), alike=False)
    tensors, quick, run = mine
    tower, own = theirs, dict(_named(theirs))
    found = [(name, _difference(tensor, own.get(name))) for name, tensor in tensors.items()]
    differs = [f"{name} {said}" for name, said in found if said]
    act = "quickgelu" if getattr(tower.config, "hidden_act", "") == "quick_gelu" else str(getattr(tower.config, "hidden_act", "none"))
    if act != quick:
        differs.append(f"activation {quick} here and {act} there")
    normal = _normalisation(clip, lmm)
    if normal:
        differs.append(normal)
    outputs = _outputs(run, tower) if not any(said for _, said in found) else "outputs not compared: weights differ"
    if outputs:
        differs.append(outputs)
    checks = len(found) + 3
    alike = all(name in own and own[name].shape == tensor.shape for name, tensor in tensors.items())
    return Eye(checks - len(differs), checks, tuple(differs), alike)


def of_clip(clip: Any) -> tuple[tuple[Tensors, str, Any] | None, str]:
    """The tensors of a CLIP's image tower under the names of transformers, its activation, and the tower with the
    name of its blocks; or why there are none."""
    module = getattr(clip, "module", None)
    label = getattr(clip, "label", "the model")
    visual = getattr(module, "visual", None)
    if visual is not None and hasattr(visual, "transformer") and hasattr(visual, "conv1") and hasattr(visual, "class_embedding"):
        return (dict(translated(visual.state_dict())), clip.activation, (visual, "transformer.resblocks")), ""
    tower = getattr(module, "vision_model", None)
    if tower is not None and hasattr(getattr(tower, "embeddings", None), "class_embedding"):
        return (dict(_named(tower)), clip.activation, (tower, "encoder.layers")), ""
    kind = type(visual if visual is not None else tower if tower is not None else module).__name__
    return None, f"the image tower of {label} is a {kind}, no vision transformer of CLIP"


def translated(state: Tensors) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of open_clip's `visual`, under the names of transformers' CLIPVisionModel; its projection has no place there."""
    for name, tensor in state.items():
        if name in _STEM:
            yield _STEM[name], tensor
        elif name.startswith("transformer.resblocks."):
            number, _, rest = name.removeprefix("transformer.resblocks.").partition(".")
            layer = f"encoder.layers.{number}"
            if rest.startswith("attn.in_proj_"):
                kind = rest.removeprefix("attn.in_proj_")
                for which, third in zip("qkv", tensor.chunk(3), strict=True):
                    yield f"{layer}.self_attn.{which}_proj.{kind}", third
            else:
                part, _, kind = rest.rpartition(".")
                yield f"{layer}.{_BLOCK.get(part, part)}.{kind}", tensor


def of_lmm(lmm: Any) -> Any:
    """The image tower, a CLIPVisionModel; or what it is instead, in words."""
    module = getattr(lmm, "module", None)
    if module is None:
        return f"{getattr(lmm, 'label', 'the LMM')} is no model of transformers whose weights can be compared"
    core = getattr(module, "model", module)
    tower = next((each for name in ("vision_tower", "vision_model", "visual") if (each := getattr(core, name, None)) is not None), None)
    tower = getattr(tower, "vision_model", tower)
    if tower is not None and any(each.device.type == "meta" for each in tower.state_dict().values()):
        return f"the image tower of {lmm.label} is not in memory (--clip-lmm-device-map)"
    if tower is None or not hasattr(getattr(tower, "embeddings", None), "class_embedding"):
        return f"{lmm.label} sees with a {type(tower).__name__}, no vision transformer of CLIP"
    return tower


def _named(tower: Any) -> Iterator[tuple[str, torch.Tensor]]:
    for name, tensor in tower.state_dict().items():
        if not name.endswith("position_ids"):
            yield name, tensor


def _difference(mine: torch.Tensor, theirs: torch.Tensor | None) -> str:
    if theirs is None:
        return "is not there"
    if mine.shape != theirs.shape:
        return f"is {'x'.join(map(str, mine.shape))} here and {'x'.join(map(str, theirs.shape))} there"
    one, two = mine.detach().float().cpu(), theirs.detach().float().cpu()
    kinds = {mine.dtype, theirs.dtype} | {
        kind for kind in (torch.float16, torch.bfloat16) if _stored_as(one, kind) or _stored_as(two, kind)
    }
    near = max(_ROUNDED.get(kind, 1e-6) for kind in kinds)
    off = (one - two).abs()
    if bool((off <= near * one.abs() + 1e-6).all()):
        return ""
    return f"differs by up to {float(off.max()):.2g}"


def _stored_as(tensor: torch.Tensor, kind: torch.dtype) -> bool:
    return bool((tensor.to(kind).float() == tensor).all())


def _normalisation(clip: Any, lmm: Any) -> str:
    """What differs in mean, standard deviation or size of the pictures; empty where nothing does or nobody says."""
    facts, config = dict(getattr(clip, "facts", {}).get("preprocess") or {}), getattr(clip, "preprocess_config", None)
    facts = {**facts, **(config or {})}
    processor = getattr(getattr(lmm, "chat", None), "_processor", None)
    images = getattr(processor, "image_processor", None)
    if not facts or images is None:
        return ""
    for key, name in (("mean", "image_mean"), ("std", "image_std")):
        here, there = facts.get(key), getattr(images, name, None)
        if here is not None and there is not None and max(abs(a - b) for a, b in zip(here, there, strict=False)) > 1e-4:
            return f"pictures are normalised by {name} {[round(float(a), 4) for a in here]} here and {list(there)} there"
    return ""


def _outputs(mine: tuple[Any, str], tower: Any) -> str:
    """What differs behind the last block, in float32 on the processor, on two pictures of noise; empty where nothing does.

    Where the weights of one are those of a half-precision file, the other's are rounded to it first: what rounding does to outputs is no
    difference between eyes.
    """
    side = int(tower.config.image_size)
    pixels = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    kind = max(_kind(mine[0]), _kind(tower), key=list(_ROUNDED).index)
    one, two = _behind(mine[0], mine[1], pixels, kind), _behind(tower, "encoder.layers", pixels, kind)
    if one.shape != two.shape:
        return f"outputs are {'x'.join(map(str, one.shape))} here and {'x'.join(map(str, two.shape))} there"
    off = float((one - two).abs().max() / one.abs().max().clamp(min=1e-12))
    return "" if off <= CLOSE else f"outputs differ by {off:.2g} of the largest"


def _kind(tower: Any) -> torch.dtype:
    """The coarsest type that holds every weight as it is."""
    state = [tensor.detach().float() for _, tensor in _named(tower)]
    kinds = (torch.bfloat16, torch.float16)
    return next((kind for kind in kinds if all(_stored_as(each, kind) for each in state)), torch.float32)


def _behind(tower: Any, blocks: str, pixels: torch.Tensor, rounded: torch.dtype) -> torch.Tensor:
    """States [b, tokens, d] behind the last of the `blocks` of a copy in float32, its weights `rounded` before."""
    copied = _unhooked(copy.deepcopy(tower)).cpu().to(rounded).float().eval()
    kept: list[Any] = []
    attrgetter(blocks)(copied)[-1].register_forward_hook(lambda _, __, out: kept.append(out[0] if isinstance(out, tuple) else out))
    with torch.inference_mode():
        copied(pixels)
    states: torch.Tensor = kept[0]
    return states


def _unhooked(tower: Any) -> Any:
    """Without what accelerate put there to move inputs to other cards."""
    if not any(hasattr(each, "_hf_hook") for each in tower.modules()):
        return tower
    from accelerate.hooks import remove_hook_from_module

    return remove_hook_from_module(tower, recurse=True)
