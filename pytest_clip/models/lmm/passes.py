"""Passes through a multimodal model of transformers: rows of different lengths together, a picture's features once, a prefix kept."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch

from pytest_clip.models.lmm.features import Features

if TYPE_CHECKING:
    from pytest_clip.models.lmm.chat import Asked

Side = Literal["left", "right"]
PIXELS = "pixel_values"
_PADS = {"attention_mask": 0, "token_type_ids": 0, "mm_token_type_ids": 0}


@dataclass(eq=False)
class Passes:
    """`module` of transformers. `side` is where shorter rows are filled up; `pad` a token that fills them."""

    module: Any
    pad: int
    side: Side = "left"
    seen: int = 0
    """pictures that went through the image tower"""
    features: Features = field(default_factory=Features)

    def __post_init__(self) -> None:
        takes = inspect.signature(self.module.forward).parameters
        self.cached = "cache" if "cache" in takes else "past_key_values"  # renamed in transformers 5.2x
        self._takes_features = "mm_encoder_outputs" in takes
        self._takes_positions = "position_ids" in takes and not hasattr(self._core, "get_rope_index")
        self.keeps_features = self._takes_features

    @property
    def _core(self) -> Any:
        return getattr(self.module, "model", self.module)

    @property
    def device(self) -> torch.device:
        """Where inputs go: that of the token embeddings."""
        found: torch.device = self.module.get_input_embeddings().weight.device
        return found

    def first(self, rows: Sequence[Asked], pictures: Sequence[str], *, last: bool) -> tuple[Any, torch.Tensor]:
        """The model's answer on whole rows, and the mask [b, L]; `last`: of logits only those that follow the row's last token."""
        lengths = [len(row) for row in rows]
        words = {key: self._together([row.words[key] for row in rows], _PADS.get(key, self.pad)) for key in rows[0].words}
        given: dict[str, Any] = {**words, **self._sight(rows, pictures)}
        given["attention_mask"] = self._together([torch.ones(n, dtype=torch.int64) for n in lengths], 0)
        if self._takes_positions:
            given["position_ids"] = positions(given["attention_mask"])
        more = {"logits_to_keep": 1} if last and self.side == "left" else {}
        with suppress(AttributeError):  # positions of the rows before these
            self._core.rope_deltas = None
        return self.module(**given, use_cache=last, **more), given["attention_mask"]

    def generating(self, rows: Sequence[Asked], pictures: Sequence[str]) -> dict[str, Any]:
        """What `generate` takes of whole rows."""
        words = {key: self._together([row.words[key] for row in rows], _PADS.get(key, self.pad)) for key in rows[0].words}
        mask = self._together([torch.ones(len(row), dtype=torch.int64) for row in rows], 0)
        return {**words, **self._sight(rows, pictures), "attention_mask": mask}

    def after(self, cache: Any, mask: torch.Tensor, tokens: Sequence[Sequence[int]], times: int) -> torch.Tensor:
        """Logits [b * times, T, v] on `tokens` behind a kept prefix, `times` rows of tokens for each row of it; the cache is used up."""
        if times > 1:
            cache.batch_repeat_interleave(times)
        longest = max(map(len, tokens))
        ids = torch.full((len(tokens), longest), self.pad)
        more = torch.zeros((len(tokens), longest), dtype=torch.int64)
        for row, each in enumerate(tokens):
            ids[row, : len(each)], more[row, : len(each)] = torch.tensor(each), 1
        whole = torch.cat([mask.repeat_interleave(times, 0), more.to(mask.device)], 1)
        at = positions(whole)[:, -longest:]
        given: dict[str, Any] = {"input_ids": ids.to(self.device), "attention_mask": whole, self.cached: cache, "use_cache": True}
        if self._takes_positions:
            given["position_ids"] = at
        elif (deltas := getattr(self._core, "rope_deltas", None)) is not None:
            moved = at + deltas.to(at.device).repeat_interleave(len(tokens) // len(deltas), 0)
            given["position_ids"] = moved[None].expand(3, -1, -1)
        logits: torch.Tensor = self.module(**given).logits
        return logits

    def _together(self, rows: Sequence[torch.Tensor], pad: int) -> torch.Tensor:
        longest = max(map(len, rows))
        out = torch.full((len(rows), longest), pad, dtype=rows[0].dtype)
        for row, each in zip(out, rows, strict=True):
            row[slice(longest - len(each), None) if self.side == "left" else slice(len(each))] = each
        return out.to(self.device)

    def _sight(self, rows: Sequence[Asked], pictures: Sequence[str]) -> dict[str, Any]:
        """Pixels of the rows, or features of their `pictures` (digests) where the model takes those, each computed once."""
        if not self.keeps_features:
            self.seen += len(rows)
            return self._moved(collated(rows))
        new = {at: row for at, row in zip(pictures, rows, strict=True) if at not in self.features.kept}
        if new:
            given = self._moved(collated(list(new.values())))
            sizes = [len(next(value for key, value in row.sight.items() if key.startswith(PIXELS))) for row in new.values()]
            if not self.features.keep(list(new), self.module.get_image_features(**given), sizes):
                self.keeps_features = False
                return self._sight(rows, pictures)
            self.seen += len(new)
        found = self.features.together(pictures, self.device)
        self.features.trim()
        others = {key: value for key, value in self._moved(collated(rows)).items() if not key.startswith(PIXELS)}
        return {**others, "mm_encoder_outputs": {"image": found}}

    def _moved(self, sight: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        dtype = self.module.dtype
        return {key: value.to(self.device, dtype if value.is_floating_point() else None) for key, value in sight.items()}


def shape_of(row: Asked) -> tuple[Any, ...]:
    """Rows of one shape may go through the model together."""
    return tuple((key, tuple(value.shape[1:])) for key, value in sorted(row.sight.items())) + tuple(sorted(row.words))


def collated(rows: Sequence[Asked]) -> dict[str, torch.Tensor]:
    """What the image tower reads of several rows."""
    return {key: torch.cat([row.sight[key] for row in rows]) for key in rows[0].sight}


def positions(mask: torch.Tensor) -> torch.Tensor:
    """Where each token stands among those that count, [b, L]."""
    return (mask.cumsum(-1) - 1).clamp(min=0)
