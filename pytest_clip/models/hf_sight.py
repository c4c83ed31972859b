"""How a model of transformers sees a picture: its own image processor, in the two halves that views and stored pictures need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import PIL
import torch
import torchvision

from pytest_clip import ClipError
from pytest_clip.models.raised import raised
from pytest_clip.models.sight import Sight

if TYPE_CHECKING:
    import PIL.Image

RAW = {"do_rescale": False, "do_normalize": False, "include_top": False}
"""What is switched off for pixels as they are; `include_top` is EfficientNet's second division by its standard deviation."""
ALIKE = 1e-4
"""How far the two halves may be from the processor's own answer, in units of a normalised pixel. They differ in the last bits."""


@dataclass(frozen=True)
class ProcessorSight(Sight):
    """`config` holds `size`, `mean` and `std` as measured of `processor`, and what the processor says of itself (`processor`)."""

    processor: Any
    patches: bool = False
    """whether the processor cuts pictures into patches, as that of Siglip2Model does"""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what the processor makes."""
        height, width = self.config["size"]
        return int(height), int(width)

    @cached_property
    def told(self) -> dict[str, Any]:
        """In open_clip's words: `size`, `mean`, `std`, `interpolation`, `resize_mode`; and the processor's name."""
        said = self.config["processor"]
        kind = PIL.Image.Resampling(said["resample"]).name.lower() if said.get("resample") is not None else "none"
        return {
            "size": list(self.size),
            "mean": list(self.config["mean"]),
            "std": list(self.config["std"]),
            "interpolation": kind,
            "resize_mode": "shortest" if "shortest_edge" in (said.get("size") or ()) else "squash",
            "processor": type(self.processor).__name__,
        }

    @cached_property
    def geometry(self) -> str:
        """All that `resize` depends on besides the picture."""
        import transformers

        said = {key: value for key, value in self.config["processor"].items() if key not in ("image_mean", "image_std", "rescale_factor")}
        versions = {"pillow": PIL.__version__, "torchvision": torchvision.__version__, "transformers": transformers.__version__}
        return json.dumps({**said, "size": [said.get("size"), *self.size], **versions}, sort_keys=True, default=str)

    def resize(self, image: PIL.Image.Image) -> torch.Tensor:
        """A picture of any kind and size as uint8 [3, h, w]; ValueError for one that this processor makes another size of."""
        pixels = pixels_of(self.processor, image, patches=self.patches)
        if tuple(pixels.shape) != (3, *self.size):
            side = self.processor.patch_size if self.patches else 1
            shape = " x ".join(str(n // side) for n in pixels.shape[1:])
            squares = f" patches (NaFlex), and only square pictures, {self.size[0] // side} x {self.size[1] // side}, are measured"
            raise ValueError(f"its processor makes of it {shape}{squares if self.patches else ' pixels'}")
        return pixels

    def normalized_by(self, mean: Sequence[float], std: Sequence[float]) -> ProcessorSight:
        """The same sight under another mean and standard deviation."""
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ClipError(f"mean and std need three numbers each, std above 0; got {list(mean)} and {list(std)}")
        config = {**self.config, "mean": [float(x) for x in mean], "std": [float(x) for x in std]}
        return ProcessorSight(config, self.processor, self.patches)


def pixels_of(processor: Any, image: PIL.Image.Image, *, patches: bool, raw: bool = True) -> torch.Tensor:
    """What the processor makes of one picture, [3, h, w]: uint8 before rescaling and normalisation (`raw`), or all of it, float32."""
    if not getattr(processor, "do_convert_rgb", False):
        image = image.convert("RGB")
    how = {key: value for key, value in RAW.items() if raw and hasattr(processor, key)}
    made = processor(images=image, return_tensors="pt", **how)
    found: torch.Tensor = made["pixel_values"][0]
    if raw and found.dtype is not torch.uint8:
        found = found.round().clamp(0, 255).to(torch.uint8)
    return joined(found, made["spatial_shapes"][0].tolist(), processor.patch_size) if patches else found


def joined(rows: torch.Tensor, grid: Sequence[int], side: int) -> torch.Tensor:
    """Patches [>= gh * gw, side * side * 3] of a grid (gh, gw), row by row, as the picture [3, h, w]."""
    high, wide = grid
    cells = rows[: high * wide].reshape(high, wide, side, side, 3)
    return cells.permute(4, 0, 2, 1, 3).reshape(3, high * side, wide * side)


def cut(images: torch.Tensor, side: int, most: int) -> dict[str, torch.Tensor]:
    """The other way, for a batch [b, 3, h, w]: what Siglip2Model takes, `most` patches a picture, those behind the last one masked."""
    n, _, height, width = images.shape
    high, wide = height // side, width // side
    cells = images.reshape(n, 3, high, side, wide, side).permute(0, 2, 4, 3, 5, 1).reshape(n, high * wide, side * side * 3)
    rows = cells.new_zeros(n, most, cells.shape[2])
    rows[:, : high * wide] = cells
    mask = torch.zeros(n, most, dtype=torch.int32, device=images.device)
    mask[:, : high * wide] = 1
    shapes = torch.tensor([[high, wide]] * n, device=images.device)
    return {"pixel_values": rows, "pixel_attention_mask": mask, "spatial_shapes": shapes}


def look(processor: Any, *, patches: bool, where: str) -> ProcessorSight:
    """The sight of a processor, measured on three pictures; ClipError for one whose halves do not make the whole."""
    from PIL import Image

    try:
        square = pixels_of(processor, Image.new("RGB", (96, 96)), patches=patches)
        wide = pixels_of(processor, Image.new("RGB", (128, 96)), patches=patches) if not patches else square
        size = (int(square.shape[1]), int(square.shape[2]))
        black, white = (
            pixels_of(processor, Image.new("RGB", (size[1], size[0]), (level,) * 3), patches=patches, raw=False).double()
            for level in (0, 255)
        )
    except Exception as error:  # what a configuration can make a processor raise
        raise ClipError(
            f"{where}: its image processor ({type(processor).__name__}) fails on a picture ({raised(error)}); "
            "copy the preprocessor_config.json that the model was trained with"
        ) from error
    if square.shape != wide.shape or len(square) != 3:
        raise ClipError(
            f"{where}: its image processor makes pictures of {_by(square)} and {_by(wide)}, as their shape is, and a model takes one size; "
            "copy the preprocessor_config.json that the model was trained with (it has a crop_size, or a size of height and width)"
        )
    low, high = (each[:, size[0] // 2, size[1] // 2] for each in (black, white))
    said = processor.to_dict()
    if not bool(((high - low) > 1e-6).all()) or not bool((high - low).isfinite().all()):
        raise ClipError(f"{where}: its image processor makes the same of black and of white; correct image_std and rescale_factor")
    mean, std = (-low / (high - low)).tolist(), (1 / (high - low)).tolist()
    if _near(mean, said.get("image_mean")) and _near(std, said.get("image_std")):
        mean, std = said["image_mean"], said["image_std"]
    sight = ProcessorSight(
        {"size": list(size), "mean": list(map(float, mean)), "std": list(map(float, std)), "processor": said}, processor, patches
    )
    _must_be_whole(sight, where)
    return sight


def _must_be_whole(sight: ProcessorSight, where: str) -> None:
    from PIL import Image

    height, width = sight.size
    picture = Image.effect_noise((2 * height, 2 * height) if sight.patches else (width + 31, height + 17), 80).convert("RGB")
    halves = sight.normalize(sight.resize(picture)[None])[0]
    whole = pixels_of(sight.processor, picture, patches=sight.patches, raw=False)
    apart = float((halves - whole).abs().max()) * min(1.0, *sight.config["std"])
    if not apart <= ALIKE:
        raise ClipError(
            f"{where}: its image processor ({type(sight.processor).__name__}) does more than resize, crop, rescale and normalise "
            f"(its pictures are {apart:.3g} away from that); measure a model with such a processor through the hook pytest_clip_make_model"
        )


def _near(found: Sequence[float], said: Any) -> bool:
    if not isinstance(said, list | tuple) or len(said) != 3:
        return False
    return all(abs(a - b) < 1e-5 for a, b in zip(found, said, strict=True))


def _by(pixels: torch.Tensor) -> str:
    return " x ".join(map(str, pixels.shape[1:]))
