"""What the image tower made of pictures, kept by their content: a picture is looked at once in a run, whatever it is asked."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import PIL.Image

    Parts = Mapping[str, tuple[torch.Tensor, ...]]

MOST = 4 << 30
"""Bytes of main memory that features take: 870 pictures of LLaVA-1.5-7B (576 tokens of 4096 numbers in bf16), 180 of LLaVA-NeXT."""
POOLED, DEEP = "pooler_output", "deepstack_features"
_UNREAD = {"last_hidden_state", "hidden_states", "attentions"}
"""Of what an image tower returns, nothing that the language model reads."""


@dataclass(eq=False)
class Features:
    """Of each picture its own part of what `get_image_features` returned, in main memory, at most `most` bytes of it.

    Who has to go is drawn. The least recently used would be the wrong one: all questions of a set follow each other, so it is the one that
    the next set of questions begins with, and a memory for 90 % of the pictures would find none of them.
    """

    most: int = MOST
    kept: dict[str, Parts] = field(default_factory=dict)
    """by digest of the picture"""
    kind: type[Any] | None = None
    """the class that the model returns"""
    one: bool = False
    """whether it returns one tensor for all pictures"""
    bytes: int = 0
    _draw: random.Random = field(default_factory=lambda: random.Random(0))

    def keep(self, pictures: Sequence[str], found: Any, sizes: Sequence[int]) -> bool:
        """Take apart what the model returned for `pictures`; False where it consists of what cannot be told apart.

        `sizes`: rows of pixels of each, such as tiles.
        """
        split = parts(found, sizes)
        if split is None:
            return False
        self.kind, self.one = type(found), isinstance(found[POOLED], torch.Tensor)
        for picture, own in zip(pictures, split, strict=True):
            self.kept[picture] = own
            self.bytes += weight(own)
        return True

    def together(self, pictures: Sequence[str], device: torch.device) -> Any:
        """What the model would have returned for `pictures` in this order, on `device`."""
        assert self.kind is not None
        rows = [self.kept[each] for each in pictures]
        pooled = [each.to(device) for own in rows for each in own[POOLED]]
        deep = [[own[DEEP][layer].to(device) for own in rows] for layer in range(len(rows[0][DEEP]))]
        return self.kind(**{POOLED: torch.cat(pooled) if self.one else pooled}, **({DEEP: deep} if deep else {}))

    def trim(self) -> None:
        """Let go of what is too much."""
        names = list(self.kept) if self.bytes > self.most else []
        while self.bytes > self.most and names:
            at = self._draw.randrange(len(names))
            names[at], names[-1] = names[-1], names[at]
            self.bytes -= weight(self.kept.pop(names.pop()))


def digest(picture: PIL.Image.Image) -> str:
    """32 hex digits of what the picture shows."""
    shown = picture.convert("RGBA") if picture.mode == "P" else picture
    return hashlib.blake2b(shown.tobytes(), digest_size=16, key=f"{shown.mode} {shown.size}".encode()).hexdigest()


def parts(found: Any, sizes: Sequence[int]) -> list[Parts] | None:
    """What belongs to each picture, copied to main memory; None where that is not known.

    LLaVA and Qwen return a list with one tensor for each picture, PaliGemma and Gemma one tensor whose rows are pictures, InternVL one
    whose rows are tiles; Qwen3-VL lists for several layers besides.
    """
    fields = {key for key in getattr(found, "keys", tuple)() if found[key] is not None}
    if POOLED not in fields or not fields <= {POOLED, DEEP} | _UNREAD:
        return None
    pooled, layers = found[POOLED], found[DEEP] if DEEP in fields else ()
    if isinstance(pooled, torch.Tensor):
        pooled = torch.split(pooled, list(sizes)) if len(pooled) == sum(sizes) else ()
    if any(not isinstance(some, list | tuple) or len(some) != len(sizes) for some in (pooled, *layers)):
        return None
    return [{POOLED: (_copied(part),), DEEP: tuple(_copied(layer[at]) for layer in layers)} for at, part in enumerate(pooled)]


def weight(own: Parts) -> int:
    """Bytes."""
    return sum(each.numel() * each.element_size() for some in own.values() for each in some)


def _copied(part: torch.Tensor) -> torch.Tensor:
    """In main memory, and no view: that would keep the whole batch."""
    return part.clone() if part.device.type == "cpu" else part.cpu()
