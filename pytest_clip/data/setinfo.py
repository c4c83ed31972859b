"""What is known of an image set before any of it is read: its name, what it is for, how many images, and what can be measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "clean", "slice", "shift", "sequence", "corruption", "factor", "overall", "cue", "ood", "reference", "captions", "pairs", "quads",
    "triples", "choices", "negated", "viewpoint", "keypoints", "pool", "note", "bare", "written", "choice", "backdrop",
]  # fmt: skip


@dataclass(frozen=True)
class SetInfo:
    """One image set: `role` says what it is for, `n` how many images it holds. The rest says what can be measured on it."""

    name: str
    role: Role
    n: int
    depth: bool = False
    """whether the distance of every pixel is known"""
    labelled: bool = True
    """whether images have classes (those of no known class, too: OOD)"""
    captions: bool = False
    paired: bool = False
    """whether each image has a partner in `clean` that shows the same without the change"""
    imagenet: bool = False
    """whether the labels are the 1000 classes of ImageNet-1k: errors of AlexNet and lines of ImageNet models are a yardstick"""
    line: str = ""
    """of `metrics.effective_robustness`: what accuracy on this set is expected from that on `clean`, or `overall` for a factor"""
    published: str = ""
    """of `data.published`: the data set that it is, where public checkpoints have known answers"""
    within: str = ""
    """the set whose pictures these are, some of them or all: they are embedded once"""
    columns: tuple[str, ...] = ()
    """of `data.groups`: facts of its images, alone or two crossed, by which they fall into groups"""
    absent: str = ""
    """why it cannot be measured: what to put where, its licence and where to get it; "" for a set that is there"""

    @property
    def answerable(self) -> bool:
        """Whether a model can be asked what an image shows: it has a class, or questions of its own."""
        return self.labelled or self.role == "choice"
