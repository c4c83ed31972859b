"""What --clip-model takes, each notation once: for the option's help, `pytest-clip models` and docs/models.md. Light."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notation:
    """One way to name a model: its `form`, what is loaded, and an example."""

    form: str
    what: str
    example: str


NOTATIONS = (
    Notation("NAME,TAG", "open_clip architecture with published weights", "ViT-B-32,laion2b_s34b_b79k"),
    Notation("NAME,PATH", "open_clip architecture with a checkpoint file", "ViT-B-32,runs/e12.pt"),
    Notation("NAME", "bundled or photo-trained model by its name; an architecture with its default tag", "scenes-rn"),
    Notation("NAME,random", "random weights from a fixed seed, a negative control", "ViT-B-32,random"),
    Notation("FILE.json,WEIGHTS", "model config of one's own with a checkpoint file", "configs/mine.json,runs/e12.pt"),
    Notation("run:logs/NAME[,EPOCH]", "run of open_clip's trainer; newest epoch by default, all: each", "run:logs/b32-coyo"),
    Notation("hf-hub:ORG/REPO", "open_clip repository of the Hugging Face hub", "hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
    Notation("local-dir:DIR[,FILE]", "folder with open_clip_config.json and weights; FILE: other weights", "local-dir:out/b32"),
    Notation("hf:PATH-or-ID", "transformers model, or a PEFT adapter of one", "hf:out/siglip"),
    Notation(
        "timm:NAME[,PATH]", "classifier of timm: published weights or a checkpoint; --clip-classes names classes", "timm:resnet50.a1_in1k"
    ),
    Notation(
        "wise:BASE::TUNED::ALPHA",
        "weights between two open_clip models (WiSE-FT); 0:1:0.1 for ALPHA: the path",
        "wise:ViT-B-32,openai::ViT-B-32,runs/e5.pt::0.5",
    ),
)


def forms() -> str:
    """All forms in one line of help."""
    return ", ".join(each.form for each in NOTATIONS)
