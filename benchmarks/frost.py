"""Made frost against the photographs of imagecorruptions-imaug: power by frequency, mean and contrast of frosted photographs.

Three photographs of scikit-image at 224 pixels, each frosted DRAWS / 3 times by either side at every severity. Prints ours over theirs, and
the standard error of the ratio: grey power in octaves of waves per 224 pixels (no window), mean of the grey image, and its deviation. Both
sides draw one of six pictures as they do in use; `--alike` takes all six equally often on both, which leaves the drawing of the picture out
of the error. The reference's pictures are read where pip put them and nothing is kept of them. Needs `pip install pytest-clip[test]`.
Usage: python benchmarks/frost.py [DRAWS] [--alike] [--sheet=PNG]
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from PIL import Image

from pytest_clip.views import SEVERITIES, corrupt
from pytest_clip.views.seeds import draw, generators

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea")
SIDE, LOOKS = 224, 6
OCTAVES = (1, 2, 4, 8, 16, 32, 64)
NAMES = (*(f"{low}-{2 * low}" for low in OCTAVES), "mean", "contrast")


def photograph(name: str) -> torch.Tensor:
    """uint8 [3, 224, 224], resized and cropped as a model does it."""
    import skimage.data

    picture = Image.fromarray(getattr(skimage.data, name)())
    wide, high = (round(length * 256 / min(picture.size)) for length in picture.size)
    left, top = (wide - SIDE) // 2, (high - SIDE) // 2
    cut = picture.resize((wide, high), Image.Resampling.BICUBIC).crop((left, top, left + SIDE, top + SIDE))
    return torch.from_numpy(np.array(cut)).permute(2, 0, 1)


def figures(image: torch.Tensor) -> np.ndarray:
    """[9] of uint8 [3, 224, 224]: power in each octave, mean and deviation of its grey image in [0, 1]."""
    grey = image.double().mean(0) / 255
    power = torch.fft.fft2(grey - grey.mean()).abs().square() / grey.numel()
    waves = torch.fft.fftfreq(SIDE) * SIDE
    frequency = torch.hypot(waves[:, None], waves)
    octaves = [power[(frequency >= low) & (frequency < 2 * low)].mean() for low in OCTAVES]
    return np.array([*octaves, grey.mean(), grey.std()])


def ours(image: torch.Tensor, severity: int, name: str) -> torch.Tensor:
    return corrupt(image[None], "frost", severity, [name])[0]


def look_of(severity: int, name: str) -> int:
    """Which of six pictures `ours` takes."""
    each = generators("frost", severity, [name], torch.device("cpu"))
    return int(draw(torch.rand, (3,), each)[0, 0] * LOOKS)


def theirs(image: torch.Tensor, severity: int, seed: int) -> torch.Tensor:
    from imagecorruptions import corrupt as reference

    np.random.seed(seed)  # the reference knows no other source
    return torch.from_numpy(reference(image.permute(1, 2, 0).numpy(), corruption_name="frost", severity=severity)).permute(2, 0, 1)


def look_of_theirs(seed: int) -> int:
    np.random.seed(seed)
    return int(np.random.randint(LOOKS))


def names_of(severity: int, draws: int, *, alike: bool) -> tuple[list[str], list[int]]:
    """Of our images and seeds of theirs: the first ones, or the first ones of each picture in turn."""
    if not alike:
        return [f"frost/{k}" for k in range(draws)], list(range(draws))
    names, seeds = ([[] for _ in range(LOOKS)] for _ in range(2))
    for k in range(40 * draws):
        names[look_of(severity, f"frost/{k}")].append(f"frost/{k}")
        seeds[look_of_theirs(k)].append(k)
    of = [k // len(PHOTOGRAPHS) % LOOKS for k in range(draws)]
    return [names[look].pop(0) for look in of], [seeds[look].pop(0) for look in of]


def measure(severity: int, draws: int, *, alike: bool) -> tuple[np.ndarray, np.ndarray]:
    """[9] ours over theirs and [9] the standard error of that."""
    photographs = [photograph(name) for name in PHOTOGRAPHS]
    names, seeds = names_of(severity, draws, alike=alike)
    made = np.array([figures(ours(photographs[k % 3], severity, name)) for k, name in enumerate(names)])
    real = np.array([figures(theirs(photographs[k % 3], severity, seed)) for k, seed in enumerate(seeds)])
    # Of a stratum (photograph, and picture where these are alike) only the scatter inside counts.
    strata = [k % (len(PHOTOGRAPHS) * LOOKS if alike else len(PHOTOGRAPHS)) for k in range(draws)]
    relative = [_error(side, strata) / side.mean(0) for side in (made, real)]
    ratio = made.mean(0) / real.mean(0)
    return ratio, ratio * np.hypot(*relative)


def _error(rows: np.ndarray, strata: list[int]) -> np.ndarray:
    """Standard error of the mean over strata of one size."""
    of = np.array(strata)
    within = [rows[of == stratum].var(0, ddof=1) for stratum in sorted(set(strata))]
    return np.sqrt(np.mean(within, 0) / len(rows))


def sheet(path: str) -> None:
    """Five severities of each photograph, ours above theirs."""
    rows = []
    for number, name in enumerate(PHOTOGRAPHS):
        image = photograph(name)
        rows.append(torch.cat([ours(image, s, f"{name}/{s}") for s in SEVERITIES], dim=2))
        rows.append(torch.cat([theirs(image, s, 10 * number + s) for s in SEVERITIES], dim=2))
    Image.fromarray(torch.cat(rows, dim=1).permute(1, 2, 0).numpy()).save(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("draws", nargs="?", type=int, default=180)
    parser.add_argument("--alike", action="store_true")
    parser.add_argument("--sheet")
    args = parser.parse_args()
    print(f"ours / theirs, {args.draws} draws a severity ({'pictures alike' if args.alike else 'pictures drawn'}); below, standard errors")
    print(f"{'severity':10}" + "".join(f"{name:>10}" for name in NAMES))
    for severity in SEVERITIES:
        ratio, error = measure(severity, args.draws, alike=args.alike)
        print(f"{severity:<10}" + "".join(f"{value:10.3f}" for value in ratio))
        print(f"{'':10}" + "".join(f"{value:10.3f}" for value in error))
    if args.sheet:
        sheet(args.sheet)


if __name__ == "__main__":
    main()
