"""What open_clip's own trainer writes is read: one epoch on pictures that are drawn, on a CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import open_clip
import pytest
import tiny_models
import torch
from PIL import Image, ImageDraw

from pytest_clip.models import look, openclip, several
from pytest_clip.models.spec import parse

pytestmark = pytest.mark.slow
COLOURS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of two epochs of a small model, with every setting that changes what is built."""
    home = tmp_path_factory.mktemp("training")
    tiny_models.folder(home / "base", interpolation="bilinear")
    (home / "base" / "open_clip_model.safetensors").unlink()
    rows = ["filepath\ttitle"]
    for number in range(16):
        colour = COLOURS[number % 4]
        picture = Image.new("RGB", (60, 40 + number))
        ImageDraw.Draw(picture).ellipse((5, 5, 30 + number, 30), fill=colour)
        picture.save(home / f"{number}.png")
        rows.append(f"{home / f'{number}.png'}\ta {colour} disc")
    (home / "train.csv").write_text("\n".join(rows))
    options = {
        "model": "local-dir:base", "train-data": "train.csv", "dataset-type": "csv", "batch-size": 8, "epochs": 2, "workers": 0,
        "warmup": 1, "lr": 0.01, "precision": "fp32", "device": "cpu", "logs": "logs", "name": "mine", "force-image-size": 48,
        "image-interpolation": "bicubic", "image-resize-mode": "squash", "seed": 3,
    }  # fmt: skip
    command = [sys.executable, "-m", "open_clip_train.main", *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
    command += ["--force-quick-gelu", "--force-custom-text", "--image-mean", "0.4", "0.5", "0.6", "--image-std", "0.2", "0.3", "0.2"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return home


def test_an_epoch_of_open_clips_own_trainer(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(trained)
    assert look.problem(parse("run:logs/mine")) is None
    assert [spec.label for spec in several.specs("run:logs/mine,all")] == ["mine,epoch_1", "mine,epoch_2"]
    first = openclip.load(parse("run:logs/mine,1"), device="cpu", cache_dir=tmp_path)
    alone = openclip.load(parse("logs/mine/checkpoints/epoch_1.pt"), device="cpu", cache_dir=tmp_path)
    last = openclip.load(parse("run:logs/mine"), device="cpu", cache_dir=tmp_path)
    assert (first.facts["epoch"], last.facts["epoch"]) == (1, 2)
    assert first.fingerprint == alone.fingerprint != last.fingerprint
    assert first.facts["warnings"] == []
    module, _, transform = open_clip.create_model_and_transforms(
        "local-dir:base", force_quick_gelu=True, force_custom_text=True, force_image_size=48, image_mean=(0.4, 0.5, 0.6),
        image_std=(0.2, 0.3, 0.2), image_interpolation="bicubic", image_resize_mode="squash",
    )  # fmt: skip
    file = "logs/mine/checkpoints/epoch_1.pt"
    module.load_state_dict(torch.load(file, map_location="cpu", weights_only=True)["state_dict"])
    tokenizer = open_clip.get_tokenizer("local-dir:base")
    texts = [f"a {colour} disc" for colour in COLOURS]
    picture = Image.open("3.png").convert("RGB")
    pixels = transform(picture)[None]
    assert torch.equal(first.preprocess(picture)[None], pixels)
    assert torch.equal(first.tokenize(texts), tokenizer(texts))
    with torch.no_grad():
        image, text = module.eval().encode_image(pixels, normalize=True), module.encode_text(tokenizer(texts), normalize=True)
    torch.testing.assert_close(first.encode_image(pixels), image, rtol=0, atol=1e-5)
    torch.testing.assert_close(first.encode_text(texts), text, rtol=0, atol=1e-5)
    assert first.logit_scale == pytest.approx(module.logit_scale.exp().item(), abs=1e-5)


def test_every_epoch_in_one_run_of_pytest(trained, tmp_path):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--clip-model=run:logs/mine,all",
        "--clip-suite=accuracy",
        "-k",
        "top1",
    ]
    command += ["--clip-limit=4", "--clip-report=json:report.json", f"--clip-cache-dir={tmp_path}"]
    done = subprocess.run(command, cwd=trained, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr
    record = json.loads((trained / "report.json").read_text(encoding="utf-8"))
    assert [(row["name"], row["run"], row["epoch"], row["pretrained"]) for row in record["models"]] == [
        ("mine,epoch_1", "logs/mine", 1, "epoch_1.pt"),
        ("mine,epoch_2", "logs/mine", 2, "epoch_2.pt"),
    ]
    assert {row["model"] for row in record["gates"] if row["value"] is not None} == {"mine,epoch_1", "mine,epoch_2"}
