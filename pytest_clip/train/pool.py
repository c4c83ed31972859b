"""Training images: a memory-mapped pool that a second process fills with fresh renders while the first one trains from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from ..data.scenes.appearance import dressed
from ..data.scenes.captions import caption, lexicon
from ..data.scenes.load import code_version, notes_version
from ..data.scenes.notes.note import Noted
from ..data.scenes.notes.render import render as render_notes
from ..data.scenes.render import render_rgb
from ..data.scenes.spec import Scene, sample
from ..data.scenes.vocabulary import CLASSES, COLOURS, STYLES, TEXTURES
from ..data.scenes.written import WORDS
from . import written
from .recipe import CONTEXT, IMAGE, Recipe

CAPTIONS, ROUND = 3, 190
CORRELATED_SHARE = 0.9
"""Of the scenes of a correlated training set; with all of them no word for a colour could be told from the word for its class."""
FACTS = 7
"""What is kept of a picture beside its captions: see `facts`."""
TRAIN_STREAM = 1_000_003
"""Training scenes are drawn from default_rng([seed, TRAIN_STREAM, round]); no test set uses this stream."""


def place(cache: Path, recipe: Recipe) -> tuple[Path, int]:
    """Where the pictures of a recipe lie, for every recipe that reads the same ones, and how many they are."""
    size = recipe.most_images // ROUND * ROUND
    version = notes_version() if recipe.scenes == "written" else code_version()
    return cache / "training" / f"pool-{recipe.scenes}-{recipe.seed}-{size}-{version}-{FACTS}", size


def imagenet_templates() -> list[str]:
    """OpenAI's 80 ImageNet templates as patterns with {c}."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    return [t("{c}") for t in OPENAI_IMAGENET_TEMPLATES]


def token_ids(words: Sequence[str] = ()) -> NDArray[np.int64]:
    """Sorted ids of every token of captions, prompts and the texts `words` (sorted, so the end-of-text token keeps the highest number)."""
    from open_clip.tokenizer import SimpleTokenizer

    texts = [*lexicon(), *words] + [t.replace("{c}", "mug") for t in imagenet_templates()]
    return np.unique(SimpleTokenizer(context_length=77)(texts).numpy())


@dataclass(frozen=True)
class Pool:
    """Arrays on disk: pixels uint8 [n, 64, 64, 3], tokens int16 [n, 3, context] (rows of token_ids), facts int16 [n, 7], filled [1]."""

    pixels: np.memmap
    tokens: np.memmap
    facts: np.memmap
    filled: np.memmap

    @classmethod
    def at(cls, folder: Path, *, size: int, mode: Literal["r", "r+", "w+"]) -> Pool:
        """Create (mode 'w+') or open ('r', 'r+') the pool of at most `size` images in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)

        def part(name: str, kind: type[np.generic], shape: tuple[int, ...]) -> np.memmap:
            return np.memmap(folder / name, dtype=kind, mode=mode, shape=shape)

        return cls(
            part("pixels", np.uint8, (size, IMAGE, IMAGE, 3)), part("tokens", np.int16, (size, CAPTIONS, CONTEXT)),
            part("facts", np.int16, (size, FACTS)), part("filled", np.int64, (1,)),
        )  # fmt: skip


def facts(shown: Scene | Noted) -> list[int]:
    """class, colour, second colour, texture, style, objects (0: an empty scene, whose other facts say nothing), word of the note or -1."""
    scene, words = (shown.scene, shown.note.words) if isinstance(shown, Noted) else (shown, "")
    names, colours = list(CLASSES), list(COLOURS)
    there = scene.cls in names
    return [
        names.index(scene.cls) if there else 0, colours.index(scene.colour), colours.index(scene.colour2), TEXTURES.index(scene.texture),
        STYLES.index(scene.style), scene.objects if there else 0, WORDS.index(words) if words else -1,
    ]  # fmt: skip


def correlated(scene: Scene) -> Scene:
    """The scene in the texture, colours and surroundings typical of its class; its style, pose and companions stay."""
    return replace(dressed(scene, scene.cls), style=scene.style)


def drawn(g: np.random.Generator, kind: str) -> list[Scene]:
    """The scenes of one round; ten of every class."""
    scenes = [sample(g, CLASSES[i % len(CLASSES)]) for i in range(ROUND)]
    if kind == "typical":
        scenes = [replace(dressed(s, s.cls), companions=()) for s in scenes]
    if kind == "correlated":
        scenes = [correlated(s) if g.random() < CORRELATED_SHARE else s for s in scenes]
    return scenes


def source(seed: int, number: int) -> np.random.Generator:
    """The source of all chance in round `number`."""
    return np.random.default_rng([seed, TRAIN_STREAM, number])


def draw(kind: str, *, seed: int, number: int) -> tuple[list[Scene] | list[Scene | Noted], list[str]]:
    """Scenes and captions (three a scene, in a row) of round `number`."""
    g = source(seed, number)
    scenes, extra = drawn(g, kind), imagenet_templates()
    if kind == "written":
        shown = [written.noted(s, g) for s in scenes]
        return shown, [text for s in shown for text in written.captions(s, g, count=CAPTIONS, extra=extra)]
    return scenes, [caption(s, g, extra=extra) for s in scenes for _ in range(CAPTIONS)]


def shrink(rgb: torch.Tensor, *, size: int = IMAGE) -> torch.Tensor:
    """uint8 [n, h, w, 3] to size x size with anti-aliased bicubic interpolation, as the model's preprocessing does it."""
    small = F.interpolate(rgb.permute(0, 3, 1, 2).float(), size=(size, size), mode="bicubic", antialias=True)
    return small.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def pictures(scenes: Sequence[Scene | Noted]) -> torch.Tensor:
    """uint8 [n, h, w, 3] at the size of the embedded pictures."""
    plain, noted = ([i for i, s in enumerate(scenes) if isinstance(s, Noted) == wanted] for wanted in (False, True))
    if not noted:
        return render_rgb([s for s in scenes if isinstance(s, Scene)])
    with_notes = torch.from_numpy(render_notes([s for s in scenes if isinstance(s, Noted)]))
    out = torch.empty(len(scenes), *with_notes.shape[1:], dtype=torch.uint8)
    out[noted] = with_notes
    if plain:
        out[plain] = render_rgb([s for s in scenes if isinstance(s, Scene)])
    return out


def fill(folder: Path, *, kind: str, seed: int, size: int, words: Sequence[str] = ()) -> None:
    """Render rounds into the pool until it is full."""
    from open_clip.tokenizer import SimpleTokenizer

    torch.set_num_threads(1)
    pool = Pool.at(folder, size=size, mode="r+")
    tokenizer, ids = SimpleTokenizer(context_length=CONTEXT), token_ids(words)
    while (start := int(pool.filled[0])) + ROUND <= size:
        scenes, texts = draw(kind, seed=seed, number=start // ROUND)
        tokens = tokenizer(texts).numpy()
        where = np.searchsorted(ids, tokens)
        if not np.array_equal(ids[where.clip(max=len(ids) - 1)], tokens):
            raise RuntimeError("a caption holds a word that lexicon() does not list")
        pool.pixels[start : start + ROUND] = shrink(pictures(scenes)).numpy()
        pool.tokens[start : start + ROUND] = where.reshape(ROUND, CAPTIONS, CONTEXT)
        pool.facts[start : start + ROUND] = np.array([facts(s) for s in scenes])
        pool.filled[0] = start + ROUND


if __name__ == "__main__":  # python -m pytest_clip.train.pool '{"folder": ..., "kind": ..., "seed": ..., "size": ...}'
    job = json.loads(sys.argv[1])
    fill(Path(job.pop("folder")), **job)
