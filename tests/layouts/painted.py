"""Pictures that say which thing they show, and a model that reads it from their pixels: what a suite must measure is known beforehand."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image

STEP = 16
"""Levels of a channel that mean the same: JPEG moves them by less."""


def picture(number: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """One colour for each number below 4096."""
    digits = number % 16, number // 16 % 16, number // 256
    return Image.new("RGB", size, tuple(STEP * digit + STEP // 2 for digit in digits))


def encoded(number: int, kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """`picture` as the bytes of a file."""
    out = io.BytesIO()
    picture(number, size).save(out, kind)
    return out.getvalue()


def save(path: Path, number: int, size: tuple[int, int] = (40, 30)) -> Path:
    """`picture` as a file of the kind that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number, size).save(path)
    return path


def direction(number: int) -> torch.Tensor:
    """Nearly orthogonal for different numbers, float32 [128]."""
    seed = int.from_bytes(hashlib.sha256(f"{number}".encode()).digest()[:4], "big")
    vector = np.random.default_rng(seed).normal(size=128)
    return torch.tensor(vector / np.linalg.norm(vector), dtype=torch.float32)


class Reader(SimpleNamespace):
    """An image means the number of its colour, a text the last number in it."""

    logit_scale, logit_bias, precision, device, image_size = 100.0, None, "fp32", "cpu", (8, 8)
    fingerprint = "0123456789abcdef"

    def __init__(self, label: str) -> None:
        super().__init__(label=label, facts={"architecture": label.partition(",")[0], "pretrained": label.partition(",")[2] or None})

    def preprocess(self, image: Any) -> torch.Tensor:
        small = np.asarray(image.convert("RGB").resize((8, 8)), dtype=np.float32)
        return torch.from_numpy(small).permute(2, 0, 1)

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        digits = (images.mean((2, 3)) // STEP).long()
        return torch.stack([direction(int(r + 16 * g + 256 * b)) for r, g, b in digits])

    def encode_text(self, texts: list[str]) -> torch.Tensor:
        return torch.stack([direction(int(re.findall(r"[0-9]+", text)[-1])) for text in texts])


class Dense(Reader):
    """A place means its colour: red and green are two angles."""

    image_size = (64, 64)

    def preprocess(self, image: Any) -> torch.Tensor:
        assert image.width == image.height, "what is asked for could be cropped away"
        return torch.from_numpy(np.asarray(image.convert("RGB").resize((64, 64)), dtype=np.float32)).permute(2, 0, 1)

    def dense_features(self, images: torch.Tensor, *, layer: int) -> torch.Tensor:
        angles = images[:, :2] / 255 * torch.pi
        return torch.cat([angles.cos(), angles.sin(), torch.where(images[:, 2:] > 200, 1.0, 0.0)], dim=1)


class Placed(Reader):
    """One place means the picture's number, another the class that follows it, of three."""

    def patch_features(self, images: torch.Tensor) -> torch.Tensor:
        digits = (images.mean((2, 3)) // STEP).long()
        numbers = [int(r + 16 * g + 256 * b) for r, g, b in digits]
        return torch.stack([5 * torch.stack([direction(n), direction(n % 3 + 1)]) for n in numbers])


class Logical(Reader):
    """A picture shows the things of its red and green digit and no others; a text affirms numbers and denies those after a 'no'."""

    denied = -1.0

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        digits = (images.mean((2, 3)) // STEP).long()[:, :2]
        return torch.full((len(images), 16), -0.25).scatter(1, digits, 0.25)

    def encode_text(self, texts: list[str]) -> torch.Tensor:
        out = torch.zeros(len(texts), 16)
        for row, text in zip(out, texts, strict=True):
            for no, number in re.findall(r"(no )?([0-9]+)", text):
                row[int(number)] += self.denied if no else 1.0
        return torch.nn.functional.normalize(out, dim=1)


class Blind(Logical):
    """It reads over the 'no'."""

    denied = 1.0


def make(name: str) -> Reader:
    """The model that a name stands for."""
    kinds = {"dense": Dense, "logical": Logical, "blind": Blind, "placed": Placed}
    return kinds.get(name, Reader)(name)


def coloured(x: np.ndarray, y: np.ndarray) -> Image.Image:
    """A picture whose red and green say x and y, 0 to 1 each; what lies outside is blue."""
    outside = (x < 0) | (x > 1) | (y < 0) | (y > 1)
    rgb = np.stack([np.clip(x, 0, 1) * 255, np.clip(y, 0, 1) * 255, np.where(outside, 255, 0)], axis=-1)
    return Image.fromarray(rgb.round().astype(np.uint8))
