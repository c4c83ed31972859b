"""The same data, weights and metrics with CLIP_benchmark and with pytest-clip: seconds, and whether the accuracies agree.

CLIP_benchmark (`pip install clip-benchmark`) runs in an environment of its own, with the torch, torchvision, open_clip and Pillow of this
one, so that only the tools differ. Both read the same webdataset shards, load the same weights, encode in fp32 (`--no_amp` there, where
half precision is the default), with the batches, threads, decoders and workers that each takes by itself. Compared are

one     one data set, cold: random ViT-B-32, `--images` pictures, 20 classes, 7 templates
family  six sets with the classes of ImageNet, V2, Sketch (1,000), A, R (200) and ObjectNet (113) under the same 80 templates, in one call
        of each tool. 281,040 prompts, 80,000 of them distinct, would take ViT-B-32 hours on a CPU, so that here the model is a small one of
        the same make (width 64, two layers): the ratio is one of the work around a model more than of its forward passes
warm    each of these a second time, against CLIP_benchmark's only time: it keeps nothing

A random model has no right answers, so half of the labels are what some of the templates answer, by open_clip without either tool.
Exits with the differences when top-1, top-5 or mean per-class recall are not equal.
Usage: python benchmarks/vs_clip_benchmark.py [--environment=DIR | --python=PATH] [--images=N] [--family-images=N] [--names=N]
    [--templates=N]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from shared import Run, conditions, run

THEIRS = "clip-benchmark==1.6.2"
NEEDS = ("requests", "numpy<2.4")
"""What it does not declare: it imports requests, and turns arrays of one element into floats, which is an error from numpy 2.4 on."""
SAME = ("torch", "torchvision", "open_clip_torch", "pillow")
SHARDS = 4  # webdataset refuses fewer shards than workers, of which CLIP_benchmark starts four
FAMILY = {"imagenet1k": 1000, "imagenetv2": 1000, "imagenet_sketch": 1000, "imagenet-a": 200, "imagenet-r": 200, "objectnet": 113}
SMALL = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 224, "patch_size": 32, "width": 64, "layers": 2, "head_width": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2},
}
METRICS = {"top1": "acc1", "top5": "acc5", "mean_per_class": "mean_per_class_recall"}
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Weights:
    """A model under the names by which the two tools find it."""

    ours: str
    theirs: tuple[str, str]


def environment(folder: Path) -> Path:
    """An interpreter with CLIP_benchmark in `folder`, installed if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {THEIRS} into {folder} (several GB with torch)", flush=True)
        venv.create(folder, with_pip=True)
        same = [f"{name}=={metadata.version(name).partition('+')[0]}" for name in SAME]
        subprocess.run([python, "-m", "pip", "install", "-q", THEIRS, *NEEDS, *same], check=True)
    return python


def base(folder: Path) -> Weights:
    """ViT-B-32 with random weights."""
    torch.manual_seed(0)
    torch.save(open_clip.create_model("ViT-B-32").state_dict(), folder / "weights.pt")
    return Weights(f"ViT-B-32,{folder / 'weights.pt'}", ("ViT-B-32", str(folder / "weights.pt")))


def small(folder: Path) -> Weights:
    """The model of the family; its name is a folder, beside which open_clip ignores the name of weights."""
    folder.mkdir()
    preprocess = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD, "size": 224}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": SMALL, "preprocess_cfg": preprocess}))
    torch.manual_seed(0)
    save_file(open_clip.model.CLIP(**SMALL).state_dict(), folder / "open_clip_model.safetensors")
    return Weights(f"local-dir:{folder}", (f"local-dir:{folder}", "ignored"))


class Answers:
    """What a model answers with every tenth template (all, if there are few), by open_clip alone."""

    def __init__(self, weights: Weights, templates: Sequence[str]) -> None:
        name, pretrained = weights.theirs
        own = {} if name.startswith("local-dir:") else {"pretrained": pretrained}
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(name, **own)
        self._tokenize = open_clip.get_tokenizer(name)
        self._model.eval()
        self._templates = templates[::10] if len(templates) >= 10 else templates
        self._classes: dict[str, torch.Tensor] = {}

    @torch.inference_mode()
    def __call__(self, images: Sequence[Image.Image], classes: Sequence[str]) -> list[int]:
        """The class of each image."""
        text = torch.stack([self._class(name) for name in classes])
        image = torch.cat([self._model.encode_image(self._preprocess(each)[None], normalize=True) for each in images])
        return (image @ text.T).argmax(1).tolist()

    def _class(self, name: str) -> torch.Tensor:
        if name not in self._classes:
            texts = self._tokenize([template.format(c=name) for template in self._templates])
            mean = self._model.encode_text(texts, normalize=True).mean(0)
            self._classes[name] = mean / mean.norm()
        return self._classes[name]


def pictures(n: int, rng: np.random.Generator) -> list[tuple[bytes, Image.Image]]:
    """JPEGs of 500 x 375: blotches of every size and colour, which a random model tells apart, too."""
    out = []
    for _ in range(n):
        grain = int(rng.integers(2, 40))
        small = rng.normal(rng.uniform(0, 255, 3), rng.uniform(10, 120), (grain, grain, 3)).clip(0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        out.append((file.getvalue(), Image.open(io.BytesIO(file.getvalue())).convert("RGB")))
    return out


def write(root: Path, *, images: int, classes: Sequence[str], templates: Sequence[str], answers: Answers, seed: int) -> None:
    """A classification set as CLIP_benchmark lays it out."""
    rng = np.random.default_rng(seed)
    drawn = pictures(images, rng)
    labels = answers([image for _, image in drawn], classes)
    labels = [label if i % 2 else int(rng.integers(len(classes))) for i, label in enumerate(labels)]
    (root / "test").mkdir(parents=True)
    (root / "classnames.txt").write_text("\n".join(classes))
    (root / "zeroshot_classification_templates.txt").write_text("\n".join(templates))
    (root / "test" / "nshards.txt").write_text(str(SHARDS))
    for shard in range(SHARDS):
        with tarfile.open(root / "test" / f"{shard}.tar", "w") as out:
            for i in range(shard, images, SHARDS):
                for suffix, content in (("cls", str(labels[i]).encode()), ("jpg", drawn[i][0])):
                    member = tarfile.TarInfo(f"s{i:07d}.{suffix}")
                    member.size = len(content)
                    out.addfile(member, io.BytesIO(content))


def theirs(python: Path, weights: Weights, roots: Sequence[Path], folder: Path) -> tuple[Run, Scores]:
    """CLIP_benchmark on all `roots` in one call."""
    folder.mkdir()
    model, pretrained = weights.theirs
    command = [
        *(python, "-m", "clip_benchmark.cli", "eval", "--model", model, "--pretrained", pretrained, "--no_amp", "--quiet"),
        *("--task", "zeroshot_classification", "--dataset", *(f"wds/{root.name}" for root in roots)),
        *("--dataset_root", f"{roots[0].parent}/{{dataset}}", "--output", f"{folder}/{{dataset}}.json"),
    ]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    scores = {root.name: json.loads((folder / f"{root.name}.json").read_text())["metrics"] for root in roots}
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.0, {}, ""), scores


def ours(weights: Weights, roots: Sequence[Path], folder: Path, cache: Path) -> tuple[Run, Scores]:
    """The accuracy suite on all `roots` in one call, with all its intervals and reports."""
    data = [f"--clip-data={root}" for root in roots]
    args = (f"--clip-model={weights.ours}", *data, "--clip-suite=accuracy", f"--clip-cache-dir={cache}")
    done = run(*args, f"--clip-report=json:{folder / 'ours.json'}", folder=folder)
    scores: Scores = {}
    for row in json.loads((folder / "ours.json").read_text())["gates"]:
        if row["metric"] in METRICS and row["slice"] == "clean":
            scores.setdefault(row["data"], {})[METRICS[row["metric"]]] = row["value"]
    return done, scores


def differences(ours: Scores, theirs: Scores) -> list[str]:
    """One line for every number that is not the same: a count over n, so equal means equal, but for the order of a sum."""
    return [
        f"{name} {metric}: pytest-clip {ours.get(name, {}).get(metric)}, CLIP_benchmark {value}"
        for name, scores in theirs.items()
        for metric, value in scores.items()
        if abs(ours.get(name, {}).get(metric, np.inf) - value) > 1e-9
    ]


def compare(title: str, python: Path, weights: Weights, roots: Sequence[Path], folder: Path, *, cold: float, warm: float) -> list[str]:
    """Both tools, ours twice; prints the ratios and returns the differences."""
    other, expected = theirs(python, weights, roots, folder / "theirs")
    first, found = ours(weights, roots, folder / "ours", folder / "cache")
    again, kept = ours(weights, roots, folder / "ours", folder / "cache")
    print(f"{title}, cold: {other.wall / first.wall:.2f} x as fast as CLIP_benchmark (target {cold:g})")
    print(f"{title}, warm: {other.wall / again.wall:.1f} x (target {warm:g})")
    for name, each in (("CLIP_benchmark", other), ("pytest-clip, cold", first), ("pytest-clip, warm", again)):
        print(f"  {name:18} {each.wall:7.1f} s, {each.processor:7.1f} s of processor time")
    for name, scores in expected.items():
        print(f"  {name}: " + ", ".join(f"{metric} {value:.6f}" for metric, value in scores.items()), flush=True)
    return differences(found, expected) + differences(kept, expected)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--environment", type=Path, help="where CLIP_benchmark is, or is to be, installed; default: a temporary folder")
    parser.add_argument("--python", type=Path, help="an interpreter that has CLIP_benchmark")
    parser.add_argument("--images", type=int, default=256, help="of the one set; 0: leave it out")
    parser.add_argument("--family-images", type=int, default=64, help="of each set of the family; 0: leave it out")
    parser.add_argument("--names", type=int, default=1000, help="ImageNet classes in the family, the smaller sets in proportion")
    parser.add_argument("--templates", type=int, default=80, help="of OpenAI's 80 for ImageNet, in the family")
    args = parser.parse_args()
    # Two names are there twice. Which of two equal columns is the highest, CLIP_benchmark leaves to the rounding of the product.
    names, found = list(dict.fromkeys([*open_clip.IMAGENET_CLASSNAMES, "projectile", "pair of sunglasses"]))[:1000], []
    told = [template("{c}") for template in open_clip.OPENAI_IMAGENET_TEMPLATES[: args.templates]]
    with tempfile.TemporaryDirectory() as where:
        root = Path(where)
        python = args.python or environment(args.environment or root / "environment")
        if args.images:
            weights = base(root)
            few = [template("{c}") for template in open_clip.SIMPLE_IMAGENET_TEMPLATES]
            write(root / "one" / "some", images=args.images, classes=names[:20], templates=few, answers=Answers(weights, few), seed=0)
            found += compare("one data set", python, weights, [root / "one" / "some"], root / "one", cold=1.2, warm=30)
        if args.family_images:
            weights = small(root / "small")
            roots, answers = [root / "family" / name for name in FAMILY], Answers(weights, told)
            for seed, (place, classes) in enumerate(zip(roots, FAMILY.values(), strict=True)):
                chosen = names[: args.names : 1000 // classes][: max(5, classes * args.names // 1000)]
                write(place, images=args.family_images, classes=chosen, templates=told, answers=answers, seed=seed)
            found += compare("ImageNet family", python, weights, roots, root / "family", cold=2.5, warm=30)
    print(f"  {args.names} names x {len(told)} templates in the family, fp32; {conditions()}")
    if found:
        sys.exit("the accuracies differ:\n  " + "\n  ".join(found))
    print("  all accuracies of both tools are equal")


if __name__ == "__main__":
    main()
