"""Every option of the command line and every key of the ini file: its check, its help and its twin on the other side.

Read by the command line (`options`), by `resolve` and by the test that holds docs/options.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest_clip.plugin.checks as checks
from pytest_clip.models.kinds import forms
from pytest_clip.plugin.factoroption import factor


@dataclass(frozen=True)
class Option:
    """``clip_batch_size`` is ``--clip-batch-size`` on the command line where it has a ``help``, and ``clip_batch_size`` in the ini file
    where it has ``ini``.

    ``check`` turns one text into the value that is meant, or says what is wrong with it by ArgumentTypeError; None for a switch. ``more``
    goes to argparse. ``native`` is what a TOML file may say without quotes, beside a text.
    """

    dest: str
    help: str | None = None
    check: Callable[[str], Any] | None = None
    metavar: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    ini: str | None = None
    kind: Literal["string", "linelist", "paths", "bool"] = "string"
    native: type | None = None

    @property
    def flag(self) -> str:
        return f"--{self.dest.replace('_', '-')}"


REPEATED: Mapping[str, Any] = {"action": "append"}
SWITCH: Mapping[str, Any] = {"action": "store_true", "default": False}

_LIST = (
    Option(
        "clip_model",
        f"Model to measure, repeatable: {forms()}; `pytest-clip models` explains. "
        "Without paths on the command line the shipped suites run and nothing else",
        checks.text("a model name"), "NAME[,PRETRAINED]", REPEATED,
        "Models for tests that use the clip fixtures and for --clip-suite, one per line", "linelist",
    ),
    Option("clip_pretrained", "PRETRAINED for a single --clip-model", checks.text("a tag or path"), "TAG-or-PATH"),
    Option(
        "clip_classes",
        "Class names of a timm classifier, one a line in the order of its scores; default: ImageNet's for 1,000, else classnames.txt "
        "beside the checkpoint",
        checks.text("a file"), "FILE", ini="Default of --clip-classes, relative to the ini file",
    ),
    Option(
        "clip_strip_prefix",
        "What stands before the names in a checkpoint file (of Lightning, ...) and is taken off; tensors without it are left out",
        checks.text("what stands before the names"), "PREFIX", ini="Default of --clip-strip-prefix",
    ),
    Option(
        "clip_factor",
        "What is known of a model, for the record, repeatable: NAME:KEY=VALUE, without NAME of all; keys: family, parameters, gflops, "
        "resolution, training_set, training_set_size, samples_seen, loss, finetuned_on, activation",
        factor, "[NAME:]KEY=VALUE", REPEATED,
    ),
    Option(
        "clip_suite", "Suites to run, in addition to any paths given; default: all when there are no paths, none otherwise",
        checks.names, "NAME[,NAME...]", REPEATED, "Default of --clip-suite when suites run, one per line", "linelist",
    ),
    Option(
        "clip_data", "Data set, repeatable; default: scenes, the embedded one",
        checks.text("a data set"), "NAME", REPEATED, "Default of --clip-data, one per line", "linelist",
    ),
    Option(
        "clip_thresholds", "Thresholds file, repeatable, later wins; read after the shipped defaults and thresholds.toml in the rootdir. "
        "like:NAME,PRETRAINED: the published numbers of a public checkpoint on published data, less sampling error; read before files",
        checks.text("a path"), "PATH", REPEATED, "Default of --clip-thresholds, relative to the ini file", "paths",
    ),
    Option(
        "clip_report",
        f"Write a report, repeatable; types: {', '.join(checks.REPORTS)} (default DEST: clip-report.TYPE; of github the step's summary)",
        checks.report, "TYPE[:DEST]", REPEATED,
    ),
    Option(
        "clip_evidence",
        "What html and json reports and saved runs hold behind a gate: curves, and at most N images each; 0: nothing; default: 3",
        checks.count(0), "N", ini="Default of --clip-evidence", native=int,
    ),
    Option(
        "clip_baseline",
        "Hold the models against this saved run, a name or the path of its folder: max_drop rules are judged, every change is told",
        checks.run, "RUN", ini="Default of --clip-baseline, a path relative to the ini file",
    ),
    Option(
        "clip_baseline_model", "Hold the models against this one, measured first in the same run and not judged itself",
        checks.text("a model name"), "NAME[,PRETRAINED]",
    ),
    Option(
        "clip_family_wise", ini="Hold all max_drop rules of a run to one error rate of 5 % together, not 5 % each", kind="bool",
    ),
    Option(
        "clip_drop_test",
        None,
        checks.one_of(*checks.DROP_TESTS),
        ini="What decides on a max_drop whose rule has no drop_test: observed, sure or safe (default: observed)",
    ),
    Option(
        "clip_unjudged", None, checks.one_of(*checks.UNJUDGED),
        ini="allow: a run in which no rule judges any gate may pass; fail: every gate without a rule fails (default: neither)",
    ),
    Option(
        "clip_junit", None, checks.one_of(*checks.JUNIT),
        ini="properties (the default) of testcases in --junitxml, or schema: lines of their output, for Jenkins' xUnit plugin",
    ),
    Option("clip_strict_rules", ini="Fail where rules are for a model or data set that is not in the run (default: a line)", kind="bool"),
    Option(
        "clip_save", "Save this run to compare later ones with it: a NAME in .clip/runs of the rootdir, or the PATH of a new folder",
        checks.run, "NAME-or-PATH",
    ),
    Option(
        "clip_update",
        "After the run write rules into the last --clip-thresholds file or thresholds.toml and print every change: create rules "
        "for gates without one, fix bounds that failed, trim (tighten) those with room to spare; refused in CI and with -n unless forced",
        checks.update, "create,fix,trim", REPEATED,
    ),
    Option("clip_save_replace", "Let --clip-save replace a saved run of the same name", more=SWITCH),
    Option(
        "clip_save_pictures", ini="Whether saved runs hold small pictures of own data, too (default: of the embedded benchmark only)",
        kind="bool",
    ),
    Option(
        "clip_prompts",
        "Prompt set for the whole run: single, simple, openai, openai-1, openai-5, openai-30, paraphrases, or a file with one "
        "template a line ({c} is the class name); default: the data set's own",
        checks.prompts, "NAME-or-FILE", ini="Default of --clip-prompts, a file relative to the ini file",
    ),
    Option(
        "clip_depth_model",
        "Depth-estimation model (transformers) for corruptions_3d on images without depth maps; default: none, such kinds are skipped",
        checks.text("a hub id or a folder"), "ID-or-DIR", ini="Default of --clip-depth-model, a folder relative to the ini file",
    ),
    Option(
        "clip_depth_output", None, checks.one_of(*checks.DEPTH_OUTPUTS),
        ini="What the depth model says: inverse, metric, or auto, which asks its configuration (default: auto)",
    ),
    Option(
        "clip_lmm",
        "Large multimodal model (transformers) for the suite lmm, asked about the same pictures: a folder of save_pretrained or a hub id; "
        "default: none, and the suite is not run",
        checks.text("a hub id or a folder"), "ID-or-PATH", ini="Default of --clip-lmm, a folder relative to the ini file",
    ),
    Option(
        "clip_lmm_dtype", f"What it computes in: {', '.join(checks.LMM_DTYPES)}; default: auto, fp32 on a CPU and bf16 elsewhere",
        checks.one_of(*checks.LMM_DTYPES), "DTYPE", ini="Default of --clip-lmm-dtype",
    ),
    Option(
        "clip_lmm_device_map", "Where its parts go, as accelerate has it: auto, balanced, sequential; default: all of it to --clip-device",
        checks.one_of(*checks.DEVICE_MAPS), "MAP", ini="Default of --clip-lmm-device-map",
    ),
    Option(
        "clip_lmm_batch_size", "Questions that it is asked at a time; default: 8", checks.count(1), "N",
        ini="Default of --clip-lmm-batch-size", native=int,
    ),
    Option("clip_lmm_images", None, checks.count(1), ini="Images of each set that the suite lmm asks about (default: 95)", native=int),
    Option(
        "clip_lmm_third", None, checks.text("a model name or a saved run"),
        ini="A third model, as --clip-model has it, or a saved run of one, that chooses wrong options for lmm/accuracy[third-2] "
        "(default: none)",
    ),
    Option("clip_limit", "At most N images per set, drawn by a fixed seed; default: all", checks.count(1), "N"),
    Option(
        "clip_max_unreadable",
        "Images of a set that may be left out because they cannot be read, named and counted; more end the run; default: 0",
        checks.count(0), "N", ini="Default of --clip-max-unreadable", native=int,
    ),
    Option("clip_device", "auto, cpu, cuda, cuda:N or mps; default: auto", checks.device, "DEVICE", ini="Default of --clip-device"),
    Option(
        "clip_precision", f"{', '.join(checks.PRECISIONS)}; default: fp32", checks.one_of(*checks.PRECISIONS), "PRECISION",
        ini="Default of --clip-precision",
    ),
    Option(
        "clip_compile", "Run the image tower through torch.compile", more=SWITCH,
        ini="Whether to run the image tower through torch.compile", kind="bool",
    ),
    Option(
        "clip_batch_size", "Images per forward pass, or auto; default: auto", checks.batch_size, "N", ini="Default of --clip-batch-size",
        native=int,
    ),
    Option("clip_workers", "Cores to render and decode on; default: all (with -n: a fair share)", checks.count(1), "N"),
    Option(
        "clip_cache_dir",
        "Where images and embeddings are kept; default: $PYTEST_CLIP_CACHE, else pytest-clip in $XDG_CACHE_HOME or ~/.cache",
        checks.text("a folder"), "DIR", ini="Default of --clip-cache-dir, relative to the ini file",
    ),
    Option(
        "clip_shared_cache",
        "Use a cache folder that others may write: whoever may is trusted",
        more=SWITCH,
        ini="Whether the cache folder may be one that others may write",
        kind="bool",
    ),
    Option("clip_no_cache", "Neither read nor write cached embeddings", more=SWITCH),
    Option("clip_cache_size", None, checks.size, ini="What the cache may grow to, such as 20GB, or none (default: 50GB)"),
    Option(
        "clip_mutants",
        "Run the gates on damaged copies of the model, too, and tell which gate notices which damage; default NAMES: all",
        checks.mutants, "NAME[,NAME...]", {"nargs": "?", "const": ("all",)},
    ),
    Option(
        "clip_executor",
        "Who embeds images: this process, a Ray cluster on this machine, or the one at ADDRESS (auto: the one in RAY_ADDRESS); "
        "default: local",
        checks.executor, "local|ray[:ADDRESS]", ini="Default of --clip-executor",
    ),
    Option("clip_list", "Print suites, gates, rules and data, load no model and exit", more=SWITCH),
    Option("clip_mcm_tau", None, checks.positive, ini="Temperature of the MCM score in the ood suite (default: 1)", native=float),
    Option(
        "clip_neglabel_words", None, checks.text("a file of words, or wordnet"),
        ini="Words that compete with the classes in ood/auroc_neglabel: a file, or wordnet (default: those of scenes for scenes)",
    ),
    Option("clip_corruptions", ini="Kinds of the corruptions suite, one per line (default: the 15 of ImageNet-C)", kind="linelist"),
    Option(
        "clip_corruptions_3d", ini="Kinds of the corruptions_3d suite, one per line (default: the six that follow depth)", kind="linelist",
    ),
    Option(
        "clip_corruptions_laion_c",
        ini="Kinds of the corruptions_laion_c suite at five severities, one per line (default: four at severity 1)", kind="linelist",
    ),
    Option(
        "clip_corruption_images", None, checks.count(1), ini="Clean images that each corruption is applied to (default: 95)", native=int,
    ),
    Option(
        "clip_adversarial_images", None, checks.count(1), ini="Clean images that the adversarial suite attacks (default: 190)", native=int,
    ),
    Option("clip_adversarial_steps", None, checks.count(1), ini="Steps of each of its attacks (default: 20)", native=int),
    Option(
        "clip_dense_layer", None, checks.layer,
        ini="Layer of the correspondence suite, 0 the first, -1 the last (default: the deepest fit)", native=int,
    ),
)  # fmt: skip

OPTIONS: Mapping[str, Option] = {each.dest: each for each in _LIST}
