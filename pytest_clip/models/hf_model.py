"""A dual encoder of transformers, ready to measure."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from threading import get_ident
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import activation, fingerprint, hf_activation
from pytest_clip.models.forward import CHANNELS_LAST, DTYPES, mixed, order_memory
from pytest_clip.models.gradients import normalized
from pytest_clip.models.hf_patches import places
from pytest_clip.models.hf_sight import cut
from pytest_clip.models.sight import Seeing

if TYPE_CHECKING:
    from pytest_clip.models.hf_kinds import Family
    from pytest_clip.models.hf_sight import ProcessorSight
    from pytest_clip.models.hf_texts import Texts
    from pytest_clip.models.protocol import ClipModel

    def _conforms(model: HfModel) -> ClipModel:
        return model


_TEXT_BATCH = {"cpu": 32, "cuda": 256}
_NOT_ANSWERS = ("_name_or_path", "name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype")
"""Of a configuration: what does not change what the model answers."""


class HfModel(Seeing):
    """`module` of transformers in evaluation mode, without gradients; embeddings are float32 rows of length 1 on the CPU."""

    def __init__(
        self,
        module: torch.nn.Module,
        family: Family,
        sight: ProcessorSight,
        texts: Texts,
        *,
        label: str,
        device: str = "cpu",
        precision: str = "fp32",
        facts: dict[str, Any] | None = None,
    ) -> None:
        # Before the weights become those of the precision: an exponent of three digits would move every probability.
        scale, bias = getattr(module, "logit_scale", None), getattr(module, "logit_bias", None)
        self.logit_scale = (
            float(scale.detach().float().exp()) if scale is not None else 1 / float(module.get_parameter("temperature").detach())
        )
        self.logit_bias = None if bias is None else float(bias.detach())
        memory = order_memory(module)
        self.module = module.eval().requires_grad_(False).to(device, DTYPES[precision])
        self.family, self.sight, self.texts = family, sight, texts
        self.label, self.device, self.precision = label, device, precision
        self.facts: dict[str, Any] = {
            "architecture": family.model,
            "family": family.tower,
            "activation": self.activation,
            "preprocess": sight.told,
            "context_length": texts.length,
            "vocab_size": texts.vocabulary,
            "memory_format": memory,
            "parameters": sum(each.numel() for each in module.parameters()),
            "torch": torch.__version__,
            **({"square_pictures_only": True} if sight.patches else {}),
            **(facts or {}),
        }
        self._counterpart: torch.nn.Module | None = None

    def __repr__(self) -> str:
        return f"HfModel({self.label!r}, {self.family.model}, {self.precision} on {self.device})"

    @cached_property
    def fingerprint(self) -> str:
        """Changes with weights, configuration, preprocessing, tokenizer, activation or precision; never with name, place or device."""
        return fingerprint.model_fingerprint(
            weights=self._weights_digest,
            model=_telling(self.module.config.to_dict()),  # type: ignore[union-attr,operator]
            preprocess=[self.sight.told, _telling(self.sight.config["processor"])],
            tokenizer=self.texts.identity,
            activation=self.activation,
            precision=self.precision,
        )

    @cached_property
    def _weights_digest(self) -> str:
        return fingerprint.weights_digest(self.module)

    @property
    def activation(self) -> str:
        """`gelu`, `quickgelu`, `mixed` or `none`; see `with_activation`."""
        return hf_activation.activation_of(self.module)

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids [n, context_length], cut and padded by the model's own tokenizer."""
        return self.texts.read(texts)["input_ids"]

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """Embed preprocessed images [b, 3, h, w]."""
        with torch.inference_mode(), mixed(self.precision, self.device):
            rows = _pooled(self.module.get_image_features(**self._ready(images)))  # type: ignore[operator]
        return torch.nn.functional.normalize(rows.float(), dim=-1).cpu().clone()  # outside inference mode: an ordinary tensor

    def from_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embed pictures in 0..1 with gradients: see `models.gradients`."""
        with mixed(self.precision, self.device):
            rows = _pooled(self.module.get_image_features(**self._ready(normalized(pixels, self.preprocess_config))))  # type: ignore[operator]
        return torch.nn.functional.normalize(rows.float(), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed texts, some at a time."""
        inputs, size = self.texts.read(texts), _TEXT_BATCH.get(self.device.partition(":")[0], 32)
        out: torch.Tensor | None = None
        for rows, part in self.texts.batches(inputs, size):
            with torch.inference_mode(), mixed(self.precision, self.device):
                asked = {key: value.to(self.device) for key, value in part.items()}
                found = _pooled(self.module.get_text_features(**asked))  # type: ignore[operator]
            unit = torch.nn.functional.normalize(found.float(), dim=-1).cpu().clone()
            out = unit.new_empty(len(texts), unit.shape[1]) if out is None else out
            out[rows] = unit
        assert out is not None, "no text"
        return out

    def dense_features(self, images: torch.Tensor, *, layer: int = -1) -> torch.Tensor:
        """Feature maps of preprocessed images, [n, d, gh, gw]: the patches as they leave a block of the image tower, without a class token,
        or the map behind a block of a convolutional one; blocks are counted from the first (0) or from the last (-1)."""
        blocks = self._blocks()
        if not -len(blocks) <= layer < len(blocks):
            raise ClipError(f"{self.label} has no layer {layer}: it has {len(blocks)}, 0 to {len(blocks) - 1}, or -{len(blocks)} to -1")
        kept: list[Any] = []
        here = get_ident()  # of several threads that pass through the module at a time, only this one is listened to
        hook = blocks[layer].register_forward_hook(lambda _, __, out: kept.append(out) if get_ident() == here else None)
        try:
            self.encode_image(images)
        finally:
            hook.remove()
        states: torch.Tensor = kept[0][0] if isinstance(kept[0], tuple) else kept[0]
        if states.ndim == 3:
            states = states[:, int(self.family.class_token) :]
            side = int(attrgetter("config.vision_config.patch_size")(self.module))
            high, wide = (each // side for each in self.image_size)
            states = states[:, : high * wide].transpose(1, 2).reshape(len(states), -1, high, wide)
        return states.float().cpu().clone()

    def patch_features(self, images: torch.Tensor) -> torch.Tensor:
        """Features of each place of preprocessed images in the space of the texts, float32 [n, places, d], not normalised."""
        high, wide = self.image_size
        side = int(getattr(attrgetter("config.vision_config")(self.module), "patch_size", 1))
        with torch.inference_mode(), mixed(self.precision, self.device):
            found = places(self.module, self._ready(images), class_token=self.family.class_token, most=(high // side) * (wide // side))
        return found.float().cpu().clone()

    def _blocks(self) -> Any:
        encoder = attrgetter("vision_model.encoder")(self.module)
        return encoder.layers if hasattr(encoder, "layers") else encoder.blocks

    def _ready(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        order = torch.channels_last if self.facts["memory_format"] == CHANNELS_LAST else torch.preserve_format
        ready = images.to(self.device, DTYPES[self.precision], memory_format=order)
        processor = self.sight.processor
        return cut(ready, processor.patch_size, processor.max_num_patches) if self.sight.patches else {"pixel_values": ready}

    def with_activation(self, quick: bool) -> HfModel:
        """The same weights, shared, under QuickGELU or GELU; itself if it is so already or has neither."""
        if self.activation in (activation.NAMES[quick], "none"):
            return self
        module = self._counterpart  # where this one came from: it may be a special GELU (tanh) that must come back as it was
        if module is None or hf_activation.activation_of(module) != activation.NAMES[quick]:
            module = hf_activation.with_activation(self.module, quick=quick)
        view = copy.copy(self)
        view.__dict__.pop("fingerprint", None)
        view.module, view._counterpart = module, self.module
        view.facts = {**self.facts, "activation": view.activation, "activation_source": "changed on purpose"}
        return view

    def with_normalization(self, mean: Sequence[float], std: Sequence[float]) -> HfModel:
        """The same module behind a preprocessing with another mean and standard deviation."""
        view: HfModel = self.seen_by(self.sight.normalized_by(mean, std))
        return view

    sight: ProcessorSight


def _pooled(answer: Any) -> torch.Tensor:
    """transformers 4 answers with the embeddings, 5 with an object that holds them."""
    rows: torch.Tensor = answer if isinstance(answer, torch.Tensor) else answer.pooler_output
    return rows


def _telling(config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    return {str(key): _telling(value) for key, value in config.items() if key not in _NOT_ANSWERS}
