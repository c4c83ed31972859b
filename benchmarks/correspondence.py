"""What features without training score in the correspondence suite, beside a bundled model: the numbers of docs/gates.md.

    python benchmarks/correspondence.py [--cache=DIR]

Colours are those of the k x k cells around each place of a side x side map; `weights at random` is the same architecture before training;
`shuffled` has the model's own features at other places of the same picture.
"""

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from pytest_clip.data import load
from pytest_clip.data.scenes.sizes import VIEWPOINTS
from pytest_clip.extract.cores import cores
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.pixels import place, render_here
from pytest_clip.metrics.correspondence import recall
from pytest_clip.models import openclip
from pytest_clip.models.spec import parse
from pytest_clip.plugin.suites import SUITES

LAYER = 2


def suite():
    spec = importlib.util.spec_from_file_location("correspondence_suite", SUITES / "test_correspondence.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "pytest-clip")
    cache = parser.parse_args().cache
    test, data, extraction = suite(), load("scenes"), Extraction(cache=cache, cores=cores(1))
    rows = data.images("instances").pairs
    rng = np.random.default_rng(0)
    truth = {name: data.view_pairs(name) for name in VIEWPOINTS}
    landmarks = data.keypoint_pairs("instances")

    def colours(side, k):
        def maps(name, some):
            render_here(data.images(name), cache)
            pictures = torch.from_numpy(place(data.images(name), cache).some(some)).permute(0, 3, 1, 2).float() / 255 - 0.5
            means = F.pad(F.adaptive_avg_pool2d(pictures, side), [k // 2] * 4, mode="replicate")
            return F.unfold(means, k).view(len(some), -1, side, side).numpy() + 1e-6  # black is a colour, too

        return maps

    def features(text, *, shuffled=False):
        model = openclip.load(parse(text), device="cpu", cache_dir=cache)

        def maps(name, some):
            found = extraction.maps(model, data, name, rows=some, layer=LAYER).features
            if shuffled:
                n, d, h, w = found.shape
                found = np.stack([each[:, rng.permutation(h * w)] for each in found.reshape(n, d, h * w)]).reshape(n, d, h, w)
            return found

        return maps

    ways = {
        "scenes-rn": features("scenes-rn"),
        "  shuffled": features("scenes-rn", shuffled=True),
        "  weights at random": features("scenes-rn,random"),
        **{f"colours {side} x {side}, {k} x {k}": colours(side, k) for side, k in ((8, 1), (8, 3), (16, 3), (32, 5))},
    }
    print(f"{'':24}" + "".join(f"{name.removeprefix('viewpoint-'):>9}" for name in VIEWPOINTS) + f"{'pck':>9}")
    for label, maps in ways.items():
        first, scores = maps("clean", rows), []
        for name in VIEWPOINTS:
            pairs = zip(truth[name], first, maps(name, np.arange(len(rows))), strict=True)
            scores.append(np.mean([recall(test.found_again(*pair)["px"][0], threshold=test.PIXELS) for pair in pairs]))
        pairs = zip(landmarks, first, maps("instances", np.arange(len(rows))), strict=True)
        scores.append(np.mean([test.landmarks_of(*pair)[0].mean() for pair in pairs]))
        print(f"{label:24}" + "".join(f"{score:9.3f}" for score in scores), flush=True)


if __name__ == "__main__":
    main()
