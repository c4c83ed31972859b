"""What real runs cost: forward passes by data and suites, hours on cores and on a card. Writes the tables of docs/cost.md.

Measured: the seconds an image of each image tower on one core (`--measure`, random weights, fp32), and what decoding and views take
(docs/scale.md). Counted: images and forward passes. Computed: everything else, from operations. Nothing was measured on a card.
Usage: python benchmarks/cost.py [--measure [MODEL ...]]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
MARK = "<!-- The tables are written by python benchmarks/cost.py. -->\n"


@dataclass(frozen=True)
class Tower:
    """Operations (2 a multiply-add) of one image and one text, and processor seconds of one image on one core, measured."""

    image: float
    text: float
    core: float


#: GFLOPs of docs/model_profile.csv of mlfoundations/open_clip @89fb801; seconds by `--measure`.
TOWERS = {
    "ViT-B-32": Tower(8.82, 5.96, 0.137),
    "ViT-B-16": Tower(35.13, 5.96, 0.560),
    "ViT-L-14": Tower(162.03, 13.3, 2.33),
    "ViT-H-14": Tower(334.59, 47.09, 4.95),
}
DECODE, VIEW = 0.0052, 0.0015  # seconds of a core: decode and resize a 500 x 375 JPEG; a corruption (docs/scale.md)
CARD = 100e12  # operations a second that a card is taken to sustain: an assumption, no measurement
CORRUPTED = 15 * 5


@dataclass(frozen=True)
class Work:
    """A run: pictures that are decoded, forward passes of them, of which so many through a view, and texts."""

    what: str
    suites: str
    pictures: int
    passes: int
    views: int
    texts: int


def works() -> list[Work]:
    """From the sizes that are published, as pytest_clip.data.imagenet.parts has them."""
    from pytest_clip.data.imagenet.parts import PARTS
    from pytest_clip.models.classnames import imagenet

    size = {part.key: part.images for part in PARTS}
    val, prompts = size["val"], len(set(imagenet())) * 80
    shifts = sum(size[key] for key in ("v2_matched", "v2_threshold", "v2_top", "sketch", "r", "a"))
    unknown = sum(size[key] for key in ("imagenet_o", "inaturalist", "sun", "places", "textures", "ninco"))
    few = 95 * CORRUPTED
    return [
        Work("1,000 pictures of your own", "accuracy, calibration", 1000, 1000, 0, 80),
        Work("1,000 pictures of your own", "the same, corruptions as shipped", 1000, 1000 + few, few, 80),
        Work("ImageNet", "accuracy, calibration", val, val, 0, prompts),
        Work("ImageNet", "the same, corruptions as shipped", val, val + few, few, prompts),
        Work("ImageNet, V2, Sketch, R, A", "accuracy, calibration", val + shifts, val + shifts, 0, prompts),
        Work("these and six OOD sets", "the same, ood", val + shifts + unknown, val + shifts + unknown, 0, prompts),
        Work("ImageNet-C, its files", "corruptions", val * CORRUPTED, val * CORRUPTED, 0, prompts),
        Work("ImageNet", "corruptions of all images", val, val * (1 + CORRUPTED), val * CORRUPTED, prompts),
    ]


def core_seconds(work: Work, tower: Tower) -> float:
    """On one core; texts by the measured rate of images at equal operations."""
    texts = work.texts * tower.text / tower.image * tower.core
    return work.pictures * DECODE + work.views * VIEW + work.passes * tower.core + texts


def card_seconds(work: Work, tower: Tower) -> float:
    """On a card with a core beside it: the slower of the two, and no view on the core."""
    return max(work.pictures * DECODE, (work.passes * tower.image + work.texts * tower.text) * 1e9 / CARD)


def tables() -> str:
    """The part of the page below the mark."""
    head = ["data", "suites", "forward passes", *TOWERS]
    cores, cards = [], []
    for work in works():
        start = (work.what, work.suites, f"{work.passes:,}")
        cores.append((*start, *(told(core_seconds(work, tower)) for tower in TOWERS.values())))
        cards.append((*start, *(told(card_seconds(work, tower)) for tower in TOWERS.values())))
    measured = [
        (name, f"{tower.image:g}", f"{tower.core * 1e3:,.0f} ms", f"{tower.image / tower.core:.0f}") for name, tower in TOWERS.items()
    ]
    return "\n".join(
        [
            *("", "## One image on one core, measured", ""),
            *table(("model", "GFLOPs an image", "measured", "GFLOP/s"), measured),
            *("", "## Time on one core, computed from it", ""),
            *table(head, cores),
            *("", f"## Time on one card, computed for one that sustains {CARD / 1e12:.0f} TFLOP/s", ""),
            *table(head, cards),
            "",
        ]
    )


def told(seconds: float) -> str:
    """In the unit that a person would use, two digits."""
    for size, unit in ((86400 * 365, "years"), (86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):,g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return [lines[0], "|---" * len(head) + "|", *lines[1:]]


def page(text: str) -> str:
    """The whole page with its tables as they should be."""
    return text.partition(MARK)[0] + MARK + tables()


def measure(name: str, *, least: float = 8.0) -> tuple[float, int]:
    """Processor seconds an image of the image tower on one core, batches of 4, after one to warm up; and how many batches."""
    import open_clip
    import torch

    torch.set_num_threads(1)
    model = open_clip.create_model(name, pretrained=None, require_pretrained=False).eval()
    tower = model.visual
    del model
    batch, spent, batches = torch.randn(4, 3, *tower.image_size), 0.0, 0
    with torch.inference_mode():
        tower(batch)
        while spent < least or batches < 3:
            began = time.process_time()
            tower(batch)
            spent, batches = spent + time.process_time() - began, batches + 1
    return spent / (4 * batches), batches


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", nargs="*", metavar="MODEL", choices=TOWERS)
    args = parser.parse_args()
    if args.measure is None:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {PAGE}")
        return
    from shared import conditions

    for name in args.measure or TOWERS:
        seconds, batches = measure(name)
        print(f"{name}: {seconds:.4f} s an image, {TOWERS[name].image / seconds:.0f} GFLOP/s, {batches} batches of 4", flush=True)
    print(f"  {conditions()}, one thread")


if __name__ == "__main__":
    main()
