"""What was asked for, after command line, ini file and defaults were weighed. Nothing is loaded yet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip.store import path_of
from pytest_clip.views.attacks.budgets import IMAGES, STEPS
from pytest_clip.views.catalog import GEOMETRIC, IMAGENET_C

if TYPE_CHECKING:
    from pytest_clip.data.prompts import PromptSet
    from pytest_clip.models.depth import DepthModel
    from pytest_clip.models.factors import Value
    from pytest_clip.models.lmm.names import LmmChoice


@dataclass(frozen=True)
class ReportRequest:
    """One ``--clip-report``: what to write and where; ``dest`` is None for what the CI system reads."""

    type: str
    dest: Path | None


@dataclass(frozen=True)
class RunRequest:
    """A saved run to write or to read: the text that was given, the folder it means, and the option or ini key that named it."""

    text: str
    folder: Path
    named_by: str


@dataclass(frozen=True)
class Settings:
    """Everything the user asked for, after command line, ini file and defaults were weighed. Nothing here is loaded yet.

    ``suites`` is None when the user named none. ``thresholds`` are pairs of a file and the option or ini key that named it.
    ``batch_size`` is None for automatic, ``workers`` for all cores, ``dense_layer`` for the deepest that tells places apart.
    ``classes`` is a file with the class names of a classifier, ``strip_prefix`` stands before the names in a checkpoint file.
    ``factors`` are what --clip-factor says: a model ("" for all), a factor, its value.
    ``depth_model`` estimates the depth of images that have no maps.
    ``baseline`` and ``baseline_model`` are never both given.
    ``family_wise``: one error rate for all regressions together; ``drop_test``: what decides on a ``max_drop`` whose rule does not say.
    ``unjudged``: ``allow`` lets a run pass that judges nothing, ``fail`` makes every gate without a rule fail.
    ``junit``: ``schema`` keeps --junitxml to the schema of Jenkins' xUnit plugin.
    ``strict_rules``: a rule for a model or data set that is not in the run fails it.
    """

    models: tuple[str, ...] = ()
    pretrained: str | None = None
    suites: tuple[str, ...] | None = None
    data: tuple[str, ...] = ("scenes",)
    thresholds: tuple[tuple[Path, str], ...] = ()
    likes: tuple[str, ...] = ()
    """public checkpoints whose published numbers are rules (`session.like`)"""
    reports: tuple[ReportRequest, ...] = ()
    prompts: PromptSet | None = None
    limit: int | None = None
    evidence: int = 3
    """images that html and json reports show of a gate; with 0 they hold no evidence"""
    save_pictures: bool = False
    """whether saved runs hold pictures of data that is not the embedded benchmark"""
    max_unreadable: int = 0
    device: str = "auto"
    precision: str = "fp32"
    compile: bool = False
    batch_size: int | None = None
    workers: int | None = None
    executor: str = "local"
    cache_dir: Path = Path()
    cache: bool = True
    shared_cache: bool = False
    cache_size: int | None = 50 * 10**9
    mcm_tau: float = 1.0
    neglabel_words: Path | str | None = None
    """a file of words, or `wordnet`; None: the vocabulary of `scenes`, and none for other data"""
    corruptions: tuple[str, ...] = IMAGENET_C
    corruptions_3d: tuple[str, ...] = GEOMETRIC
    corruptions_laion_c: tuple[str, ...] = ()
    corruption_images: int = 95
    adversarial_images: int = IMAGES
    adversarial_steps: int = STEPS
    depth_model: DepthModel | None = None
    lmm: LmmChoice | None = None
    """the large multimodal model of the suite lmm; without one it is not run"""
    lmm_images: int = 95
    lmm_third: str | None = None
    """a model that chooses wrong options for it"""
    dense_layer: int | None = None
    classes: Path | None = None
    strip_prefix: str | None = None
    factors: tuple[tuple[str, str, Value], ...] = ()
    baseline: RunRequest | None = None
    baseline_model: str | None = None
    save: RunRequest | None = None
    save_replaces: bool = False
    family_wise: bool = False
    unjudged: str = ""
    junit: str = "properties"
    strict_rules: bool = False
    drop_test: str = "observed"
    mutants: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    rootpath: Path = Path()


def default_cache_dir() -> Path:
    """``$PYTEST_CLIP_CACHE``, else ``pytest-clip`` where this user's caches are."""
    if named := os.environ.get("PYTEST_CLIP_CACHE"):
        return path_of(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else path_of("~") / ".cache") / "pytest-clip"
