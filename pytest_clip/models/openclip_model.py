"""A model that open_clip built, ready to measure."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import torch
import torchvision

from pytest_clip import ClipError
from pytest_clip.models import activation, fingerprint, forward
from pytest_clip.models.forward import CHANNELS_LAST, DTYPES, compiled, mixed
from pytest_clip.models.gradients import normalized
from pytest_clip.models.quiet import quiet

with quiet():
    from open_clip.transform import PreprocessCfg, image_transform_v2

if TYPE_CHECKING:
    import PIL.Image

    from pytest_clip.models.protocol import ClipModel

    def _conforms(model: OpenClipModel) -> ClipModel:
        return model


_TEXT_BATCH = {"cpu": 32, "cuda": 256}
"""Texts in a forward pass. Allocations of more than 32 MB go back to the system each time: on two cores 512 prompts took ViT-B-32 34 s in
batches of 256, 15 s of processor time in the kernel, and 26 s in batches of 32."""


class OpenClipModel:
    """An open_clip model ready to measure: evaluation mode, no gradients, embeddings as float32 rows of length 1 on the CPU."""

    def __init__(
        self,
        module: torch.nn.Module,
        tokenizer: Any,
        *,
        label: str,
        model_cfg: dict[str, Any],
        preprocess_config: dict[str, Any],
        device: str = "cpu",
        precision: str = "fp32",
        facts: dict[str, Any] | None = None,
    ) -> None:
        self.module = module.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.label = label
        self.device = device
        self.precision = precision
        self.preprocess_config = preprocess_config
        self.facts: dict[str, Any] = dict(facts or {})
        self._model_cfg = model_cfg
        self._transform = image_transform_v2(PreprocessCfg(**preprocess_config), is_train=False)
        self._counterpart: torch.nn.Module | None = None

    def __repr__(self) -> str:
        return f"OpenClipModel({self.label!r}, {self.precision} on {self.device})"

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the weights, config, preprocessing, tokenizer, activation or precision; never with name, place or device."""
        config = {key: value for key, value in self._model_cfg.items() if key not in ("quick_gelu", "init_logit_bias")}
        return fingerprint.model_fingerprint(
            weights=self._weights_digest,
            model=config,
            preprocess=self.preprocess_config,
            tokenizer=fingerprint.tokenizer_identity(self.tokenizer),
            activation=self.activation,
            precision=self.precision,
        )

    @cached_property
    def _weights_digest(self) -> str:
        return fingerprint.weights_digest(self.module)

    @property
    def thread_safe(self) -> bool:
        """Whether several threads may embed at a time: what torch.compile makes is not meant for that."""
        return not self.facts.get("compiled")

    @property
    def logit_scale(self) -> float:
        """exp of the stored parameter."""
        return float(self.module.get_parameter("logit_scale").float().exp())

    @property
    def logit_bias(self) -> float | None:
        """The bias of a sigmoid (SigLIP) model, else None."""
        bias = getattr(self.module, "logit_bias", None)
        return None if bias is None else float(bias)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the model's input."""
        height, width = self.preprocess_config["size"]
        return height, width

    @property
    def activation(self) -> str:
        """`gelu`, `quickgelu`, `mixed` or `none`; see `with_activation`."""
        return activation.activation_of(self.module)

    def preprocess(self, image: PIL.Image.Image) -> torch.Tensor:
        """open_clip's own inference transform."""
        tensor: torch.Tensor = self._transform(image)
        return tensor

    @cached_property
    def geometry(self) -> str:
        """All that `resize` depends on besides the picture: models of one geometry share stored pictures."""
        config = {key: value for key, value in self.preprocess_config.items() if key not in ("mean", "std")}
        return json.dumps({**config, "pillow": PIL.__version__, "torchvision": torchvision.__version__}, sort_keys=True)

    def resize(self, image: PIL.Image.Image) -> torch.Tensor:
        """The first half of `preprocess`: an image of any kind and size as uint8 [3, h, w] at the model's input size."""
        for step in self._transform.transforms[:-2]:
            image = step(image)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """The other half, for a batch: uint8 [b, 3, h, w] to what `encode_image` takes, bit for bit as `preprocess` does it one by one."""
        return forward.normalized(images, mean=self.preprocess_config["mean"], std=self.preprocess_config["std"])

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids [n, context_length], cut and padded by the model's own tokenizer."""
        tokens: torch.Tensor = self.tokenizer(list(texts))
        size = getattr(self.module, "vocab_size", None)
        if size is not None and tokens.numel() and int(tokens.max()) >= size:
            raise ClipError(
                f"{self.label}: the tokenizer yields id {int(tokens.max())}, but the model embeds {size} tokens; check text_cfg"
            )
        return tokens

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """Embed preprocessed images [b, 3, h, w]."""
        with torch.inference_mode():
            features = self._call("encode_image", self._ready(images))
        return features.clone()  # outside inference mode: an ordinary tensor

    def from_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embed pictures in 0..1 with gradients: see `models.gradients`."""
        with mixed(self.precision, self.device):
            features: torch.Tensor = self.module.encode_image(self._ready(normalized(pixels, self.preprocess_config)))  # type: ignore[operator]
        return torch.nn.functional.normalize(features.float(), dim=-1)

    def _ready(self, images: torch.Tensor) -> torch.Tensor:
        order = torch.channels_last if self.facts.get("memory_format") == CHANNELS_LAST else torch.preserve_format
        return images.to(self.device, DTYPES[self.precision], memory_format=order)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed texts, some at a time."""
        return torch.nn.functional.normalize(self.raw_text(texts), dim=-1)

    def raw_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeddings of texts as the tower gives them, float32 [n, d] on the CPU, of any length: for protocols that average these."""
        tokens, size = self.tokenize(texts), _TEXT_BATCH.get(self.device.partition(":")[0], 32)
        with torch.inference_mode():
            rows = [self._raw("encode_text", part.to(self.device)) for part in tokens.tensor_split(max(1, -(-len(tokens) // size)))]
        return torch.cat(rows)

    def _call(self, method: str, batch: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self._raw(method, batch), dim=-1)

    def _raw(self, method: str, batch: torch.Tensor) -> torch.Tensor:
        through = self._compiled if method == "encode_image" and self.facts.get("compiled") else getattr(self.module, method)
        with mixed(self.precision, self.device):
            features: torch.Tensor = through(batch, normalize=False)
        return features.float().cpu()

    @cached_property
    def _compiled(self) -> Callable[..., torch.Tensor]:
        return compiled(self.module)

    def __getstate__(self) -> dict[str, Any]:
        """Without what torch.compile made, which belongs to this process and module: a copy may get another one."""
        return {name: value for name, value in self.__dict__.items() if name != "_compiled"}

    def with_activation(self, quick: bool) -> OpenClipModel:
        """The same weights, shared, under QuickGELU or GELU in both towers; itself if it is so already or has neither."""
        if self.activation in (activation.NAMES[quick], "none"):
            return self
        module = self._counterpart  # where this one came from: it may be a special GELU (tanh) that must come back as it was
        if module is None or activation.activation_of(module) != activation.NAMES[quick]:
            module = activation.with_activation(self.module, quick=quick)
        facts = {**self.facts, "activation": activation.activation_of(module), "activation_source": "changed on purpose"}
        return self._view(module=module, facts=facts, _counterpart=self.module)

    def with_normalization(self, mean: Sequence[float], std: Sequence[float]) -> OpenClipModel:
        """The same module behind a preprocessing with another mean and standard deviation."""
        config = {**self.preprocess_config, "mean": [float(x) for x in mean], "std": [float(x) for x in std]}
        if len(config["mean"]) != 3 or len(config["std"]) != 3 or min(config["std"]) <= 0:
            raise ClipError(f"mean and std need three numbers each, std above 0; got {mean} and {std}")
        facts = {**self.facts, "preprocess": config, "preprocess_source": "changed on purpose"}
        transform = image_transform_v2(PreprocessCfg(**config), is_train=False)
        return self._view(preprocess_config=config, _transform=transform, facts=facts)

    def _view(self, **changes: Any) -> OpenClipModel:
        view = copy.copy(self)
        if "module" not in changes and "_compiled" in self.__dict__:
            view.__dict__["_compiled"] = self._compiled
        view.__dict__.pop("fingerprint", None)
        view.__dict__.pop("geometry", None)
        view.__dict__.update(changes)
        return view
