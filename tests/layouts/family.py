"""The ImageNet family in small: trees of tiny pictures whose classes are known, and a model that reads them from the pixels."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from open_clip import IMAGENET_CLASSNAMES
from PIL import Image

# Inner runs forget the modules that they import first; tests that replace a function of these must mean the ones in use.
from pytest_clip.data.imagenet import factors, facts, listing, read, unknown, video  # noqa: F401
from pytest_clip.data.layouts import corrupted, imagenet  # noqa: F401

STEP = 16
NAMES = [*IMAGENET_CLASSNAMES, *(name.replace("_", " ") for name in facts.groups("imagenet_d"))]
NUMBER = {name: NAMES.index(name) for name in NAMES}
SHOWN = [NUMBER[name] for name in IMAGENET_CLASSNAMES]
"""What a picture of each class shows: two names stand for two classes each, and nobody can tell these apart."""
NOTHING = 1120
"""A picture of no class that has a name."""
SEEN = 1152
"""Directions that the model knows."""
SECOND = 0.8
"""How much of the right half of a picture is seen, of the left half 1."""
VAL = [f"ILSVRC2012_val_{k + 1:08d}.JPEG" for k in range(1000)]


CONFTEST = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import family

def pytest_clip_make_model(spec, config):
    return family.Knower(spec.text, logit_scale=10.0 if spec.text == "cool" else 100.0)
"""


def colour(number: int) -> tuple[int, int, int]:
    digits = number % 16, number // 16 % 16, number // 256
    return tuple(STEP * digit + STEP // 2 for digit in digits)  # type: ignore[return-value]


def picture(left: int, right: int | None = None, *, border: int = 0) -> Image.Image:
    """Shows class `left`, and class `right` less strongly; with a red border."""
    inner = Image.new("RGB", (16, 16), colour(left))
    inner.paste(colour(left if right is None else right), (8, 0, 16, 16))
    out = Image.new("RGB", (16 + 2 * border, 16 + 2 * border), (255, 0, 0))
    out.paste(inner, (border, border))
    return out


_MADE: dict[tuple[int, int | None, int], bytes] = {}


def draw(path: Path, left: int, right: int | None = None, *, border: int = 0) -> Path:
    """A PNG under whatever name; the bytes of equal pictures are made once."""
    key = (left, right, border)
    if key not in _MADE:
        import io

        out = io.BytesIO()
        picture(left, right, border=border).save(out, "PNG")
        _MADE[key] = out.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_MADE[key])
    return path


class Knower(SimpleNamespace):
    """Sees in a picture the classes of its two halves, and in a text the class name that stands after `a photo of a`."""

    logit_bias, precision, device, image_size = None, "fp32", "cpu", (8, 8)
    fingerprint = "0123456789abcdef"

    def __init__(self, label: str, *, logit_scale: float = 100.0) -> None:
        super().__init__(label=label, facts={"architecture": label, "pretrained": None}, logit_scale=logit_scale)

    def preprocess(self, image: Any) -> torch.Tensor:
        small = np.asarray(image.convert("RGB").resize((8, 8)), dtype=np.float32)
        return torch.from_numpy(small).permute(2, 0, 1)

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        out = torch.zeros(len(images), SEEN)
        for strength, half in ((1.0, images[..., 1:3]), (SECOND, images[..., 5:7])):
            r, g, b = (half.mean((2, 3)) // STEP).long().unbind(1)
            out[torch.arange(len(images)), r + 16 * g + 256 * b] += strength
        return torch.nn.functional.normalize(out, dim=1)

    def encode_text(self, texts: list[str]) -> torch.Tensor:
        out = torch.zeros(len(texts), SEEN)
        for row, text in enumerate(texts):
            out[row, named(text)] = 1
        return out


@functools.cache
def _lower() -> dict[str, int]:
    return {name.lower(): number for name, number in reversed(list(NUMBER.items()))}


def named(text: str) -> int:
    """The number of the class that a text names."""
    return _lower()[text.lower().removeprefix("a photo of a ").removesuffix(".")]


def whole(root: Path, *, wrong: Iterable[int] = (), classes: int = 1000) -> Path:
    """Class folders with one image each; those of `wrong` classes show another class."""
    for k, wnid in enumerate(facts.wnids()[:classes]):
        draw(root / wnid / VAL[k], (k + 1) % 1000 if k in set(wrong) else SHOWN[k])
    return root


def flat_val(root: Path, *, wrong: Iterable[int] = ()) -> Path:
    """All images in one folder."""
    for k in range(1000):
        draw(root / VAL[k], (k + 1) % 1000 if k in set(wrong) else k)
    return root


def v2(root: Path, *, wrong: Iterable[int] = ()) -> Path:
    """Folders named by the label as a number, which sorts as text."""
    for k in range(1000):
        draw(root / str(k) / "image.jpeg", (k + 1) % 1000 if k in set(wrong) else k)
    return root


def subset(root: Path, labels: list[int], *, wrong: int = 0) -> Path:
    """Each picture shows a class that is not asked for more strongly than its own; the first `wrong` show another of the subset."""
    outside = next(k for k in range(1000) if k not in labels)
    for at, label in enumerate(labels):
        draw(root / facts.wnids()[label] / "0.jpg", outside, labels[at - 1] if at < wrong else label)
    (root / "README.txt").write_text("200 classes")
    return root


def objectnet(root: Path) -> Path:
    """113 shared folders and two others, all with a red border; the first folder shows the second one's class."""
    groups = list(facts.groups("objectnet").items())
    for at, (folder, members) in enumerate(groups):
        draw(root / "images" / folder / "0.png", SHOWN[groups[1][1][0] if at == 0 else members[-1]], border=2)
    for folder in ("air_freshener", "whisk"):
        draw(root / "images" / folder / "0.png", 5, border=2)
    return root


def films(root: Path, films: Mapping[str, list[tuple[int, list[int]]]]) -> Path:
    """Anchor -> frames (class shown, labels), the first one the anchor itself."""
    labels, sets = {}, {}
    for name, frames in films.items():
        keys = [f"val/{name}/{k:06d}.JPEG" for k in range(len(frames))]
        for key, (shown, right) in zip(keys, frames, strict=True):
            draw(root / key, shown)
            labels[key] = right
        sets[keys[0]] = keys[1:]
    (root / "metadata").mkdir(parents=True)
    (root / "metadata" / "labels.json").write_text(json.dumps(labels))
    (root / "metadata" / "pmsets.json").write_text(json.dumps(sets))
    return root


def cues(root: Path, stimuli: Iterable[tuple[str, str, int, int | None]]) -> Path:
    """(shape, texture, class shown, class shown less) of each stimulus."""
    for k, (shape, texture, left, right) in enumerate(stimuli):
        draw(root / shape / f"{shape}{k + 1}-{texture}{k % 9 + 1}.png", left, right)
    return root


def imagenet_x(root: Path, rows: Mapping[str, tuple[int, list[str]]], *, prototypes: Iterable[str] = (), kind: str = "top") -> Path:
    """File name -> (class, factors)."""
    root.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {"file_name": name, "class": label} | {f: int(f in marked) for f in factors.FACTORS} | {"justification": None, "one_word": "x"}
        )
        for name, (label, marked) in rows.items()
    ]
    (root / f"imagenet_x_val_{kind}_factor.jsonl").write_text("\n".join(lines) + "\n")
    (root / "prototypical_paths.csv").write_text("file_name\n" + "".join(f"{name}\n" for name in prototypes))
    return root


def linked(source: Path, target: Path) -> Path:
    """The same tree again, by hard links."""
    shutil.copytree(source, target, copy_function=os.link)
    return target
