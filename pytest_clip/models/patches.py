"""Patch features: what the image tower says about each place of a picture, in the space of the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models.forward import DTYPES, mixed

if TYPE_CHECKING:
    from pytest_clip.models.protocol import ClipModel


def patch_features(model: ClipModel, images: torch.Tensor) -> torch.Tensor:
    """Features of each place of the preprocessed `images` [n, 3, h, w]: float32 [n, places, d] on the CPU, not normalised.

    As published for GL-MCM (Miyai et al. 2025) after MaskCLIP: a place goes through the last attention without looking at the others. Of a
    ViT the last block becomes v = x + out(value(ln x)), v + mlp(ln v), then the final norm and the projection; of a ModifiedResNet the
    cells of the last stage go through the value and output projection of the attention pool. Trunks of timm in the same way: where an
    attention pools (SigLIP), it is the last one, and the blocks before it stay whole; cells of a map (ConvNeXt) go through head and
    projection one by one. A model that open_clip did not build answers with a method of its own, `patch_features(images)`; those of
    transformers have it. ClipError for a model without any of these.
    """
    own = getattr(model, "patch_features", None)
    if callable(own):
        answer: torch.Tensor = own(images)
        return answer.float().cpu()
    if (reason := lacking(model)) is not None:
        raise ClipError(reason)
    tower: Any = model.module.visual  # type: ignore[attr-defined]
    with torch.inference_mode(), mixed(model.precision, model.device):
        batch = images.to(model.device, DTYPES[model.precision])
        return _way(tower)(tower, batch).float().cpu().clone()  # type: ignore[misc]


def lacking(model: ClipModel) -> str | None:
    """Why the model has no patch features; None if it has."""
    if callable(getattr(model, "patch_features", None)) or _way(getattr(getattr(model, "module", None), "visual", None)) is not None:
        return None
    return (
        f"{model.label} has no patch features: its image tower is neither a ViT nor a ModifiedResNet of open_clip nor a trunk of timm "
        "whose places go through its head one by one; give the model a method patch_features(images) that returns [n, places, d] in the "
        "space of its texts"
    )


def _way(tower: Any) -> Callable[[Any, torch.Tensor], torch.Tensor] | None:
    """How a tower's places are asked; None where there is no way."""
    if all(hasattr(getattr(tower, "attnpool", None), name) for name in ("v_proj", "c_proj")):
        return _of_resnet
    if getattr(getattr(tower, "transformer", None), "resblocks", None) and hasattr(tower, "ln_post"):
        return _of_vit if getattr(tower, "attn_pool", None) is None else None
    trunk = getattr(tower, "trunk", None)
    if not all(callable(getattr(trunk, name, None)) for name in ("forward_features", "forward_head")) or hasattr(tower.head, "pool"):
        return None  # a pool of open_clip's own adds positions to places
    if not hasattr(trunk, "num_prefix_tokens"):
        return _of_map
    attention = getattr(tower.trunk.blocks[-1], "attn", None)
    placed = any(getattr(attention, name, None) is not None for name in ("rel_pos", "relative_position_bias_table"))
    return None if placed and not _pools(trunk) else _of_tokens  # its last attention knows no picture of one place


def _of_resnet(tower: Any, batch: torch.Tensor) -> torch.Tensor:
    x = tower.layer4(tower.layer3(tower.layer2(tower.layer1(tower.stem(batch)))))
    pool, cells = tower.attnpool, x.flatten(2).transpose(1, 2)
    out: torch.Tensor = pool.c_proj(pool.v_proj(cells))
    return out


def _of_vit(tower: Any, batch: torch.Tensor) -> torch.Tensor:
    """The last block's answer in the whole tower, with the class token, which is first, left out."""
    blocks, first = tower.transformer, getattr(tower.transformer, "batch_first", True)
    answered: list[torch.Tensor] = []
    with alone(blocks.resblocks[-1], places_first=not first, keep=answered):
        tower(batch)
    v = answered[0] if first else answered[0].transpose(0, 1)
    v = tower.ln_post(v[:, 1:])
    out: torch.Tensor = v if tower.proj is None else v @ tower.proj
    return out


def _of_tokens(tower: Any, batch: torch.Tensor) -> torch.Tensor:
    """A picture that is one place everywhere, tokens before the places included: whichever of them the head reads, it reads that place."""
    trunk = tower.trunk
    if _pools(trunk):
        tokens = trunk.forward_features(batch)
    else:
        with alone(trunk.blocks[-1]):
            tokens = trunk.forward_features(batch)
    before = trunk.num_prefix_tokens
    places = tokens[:, before:]
    out: torch.Tensor = tower.head(trunk.forward_head(places.flatten(0, 1)[:, None].expand(-1, before + 1, -1)))
    return out.reshape(*places.shape[:2], -1)


def _of_map(tower: Any, batch: torch.Tensor) -> torch.Tensor:
    trunk = tower.trunk
    cells = trunk.forward_features(batch)
    if cells.ndim != 4:
        raise ClipError(f"the trunk {type(trunk).__name__} of timm ends in {list(cells.shape)}, and no places are known in that")
    last = str(getattr(trunk, "output_fmt", "NCHW")).endswith("NHWC")
    cells = cells.flatten(1, 2) if last else cells.flatten(2).transpose(1, 2)
    each = cells.flatten(0, 1)
    out: torch.Tensor = tower.head(trunk.forward_head(each[:, None, None] if last else each[:, :, None, None]))
    return out.reshape(*cells.shape[:2], -1)


def _pools(trunk: Any) -> bool:
    return getattr(trunk, "attn_pool", None) is not None


@contextmanager
def alone(block: Any, *, places_first: bool = False, keep: list[torch.Tensor] | None = None, **how: Any) -> Iterator[None]:
    """Meanwhile each token goes through `block` as if there were no other, in this thread: attention to one token is its value.

    So a block of any library does what the publication writes out for one. `places_first`: tokens come [places, n, d]; `how` goes to the
    block's forward; `keep` gets what it answers.
    """
    here = get_ident()

    def replace(_: Any, given: tuple[Any, ...], named: dict[str, Any], answer: Any) -> Any:
        if get_ident() != here:  # others pass through the same weights at the same time
            return None
        x = given[0] if given else next(named[name] for name in ("q_x", "hidden_states", "x") if name in named)
        each = x.flatten(0, 1)
        out = block.forward(each[None] if places_first else each[:, None], **how)
        out = (out[0] if isinstance(out, tuple) else out).reshape(x.shape)
        if keep is not None:
            keep.append(out)
        return (out, *answer[1:]) if isinstance(answer, tuple) else out

    watch = block.register_forward_hook(replace, with_kwargs=True)
    try:
        yield
    finally:
        watch.remove()
