"""The command line and ini options; argparse and `checks` reject nonsense before anything heavy is imported."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_clip import checks

GROUP = "clip"
ALL_SUITES = "all"
PARSER = "clip-parser"


class ParserKeeper:
    """The parser of this run; hooks after configuration need it to tell the command line from ``addopts``."""

    def __init__(self, parser: pytest.Parser) -> None:
        self.parser = parser


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup(GROUP, "CLIP robustness gates (pytest-clip)")

    def option(name: str, **kwargs: Any) -> None:
        group.addoption(name, dest=name.removeprefix("--").replace("-", "_"), **kwargs)

    option(
        "--clip-model",
        action="append",
        type=checks.text("a model name"),
        metavar="NAME[,PRETRAINED]",
        help="Model to measure, repeatable: an open_clip name with tag or checkpoint file, hf-hub:..., local-dir:... or a bundled name. "
        "Without paths on the command line the shipped suites run and nothing else",
    )
    option("--clip-pretrained", type=checks.text("a tag or path"), metavar="TAG-or-PATH", help="PRETRAINED for a single --clip-model")
    option(
        "--clip-suite",
        action="append",
        type=checks.names,
        metavar="NAME[,NAME...]",
        help="Suites to run, in addition to any paths given; default: all when there are no paths, none otherwise",
    )
    option(
        "--clip-data",
        action="append",
        type=checks.text("a data set"),
        metavar="NAME",
        help="Data set, repeatable; default: scenes, the embedded one",
    )
    option(
        "--clip-thresholds",
        action="append",
        type=checks.text("a path"),
        metavar="PATH",
        help="Thresholds file, repeatable, later wins; read after the shipped defaults and thresholds.toml in the rootdir",
    )
    option(
        "--clip-report",
        action="append",
        type=checks.report,
        metavar="TYPE[:DEST]",
        help=f"Write a report, repeatable; types: {', '.join(checks.REPORTS)} (default DEST: {', '.join(checks.REPORTS.values())})",
    )
    option(
        "--clip-baseline",
        type=checks.run,
        metavar="RUN",
        help="Hold the models against this saved run, a name or the path of its folder: max_drop rules are judged, every change is told",
    )
    option(
        "--clip-baseline-model",
        type=checks.text("a model name"),
        metavar="NAME[,PRETRAINED]",
        help="Hold the models against this one, measured first in the same run and not judged itself",
    )
    option(
        "--clip-save",
        type=checks.run,
        metavar="NAME-or-PATH",
        help="Save this run to compare later ones with it: a NAME in .clip/runs of the rootdir, or the PATH of a new folder",
    )
    option(
        "--clip-update",
        action="append",
        type=checks.update,
        metavar="create,fix,trim",
        help="After the run write rules into the last --clip-thresholds file or thresholds.toml and print every change: create rules "
        "for gates without one, fix bounds that failed, trim (tighten) those with room to spare; refused in CI and with -n unless forced",
    )
    option("--clip-save-replace", action="store_true", default=False, help="Let --clip-save replace a saved run of the same name")
    option(
        "--clip-prompts",
        type=checks.prompts,
        metavar="NAME-or-FILE",
        help="Prompt set for the whole run: single, simple, openai, openai-1, openai-5, openai-30, paraphrases, or a file with one "
        "template a line ({c} is the class name); default: the data set's own",
    )
    option(
        "--clip-depth-model",
        type=checks.text("a hub id or a folder"),
        metavar="ID-or-DIR",
        help="Depth-estimation model (transformers) for corruptions_3d on images without depth maps; default: none, such kinds are skipped",
    )
    option("--clip-limit", type=checks.count(1), metavar="N", help="At most N images per set, drawn by a fixed seed; default: all")
    option(
        "--clip-max-unreadable",
        type=checks.count(0),
        metavar="N",
        help="Images of a set that may be left out because they cannot be read, named and counted; more end the run; default: 0",
    )
    option("--clip-device", type=checks.device, metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps; default: auto")
    option(
        "--clip-precision",
        type=checks.one_of(*checks.PRECISIONS),
        metavar="PRECISION",
        help=f"{', '.join(checks.PRECISIONS)}; default: fp32",
    )
    option("--clip-compile", action="store_true", default=False, help="Run the image tower through torch.compile")
    option("--clip-batch-size", type=checks.batch_size, metavar="N", help="Images per forward pass, or auto; default: auto")
    option(
        "--clip-workers",
        type=checks.count(1),
        metavar="N",
        help="Cores to render and decode on; default: all (with -n: a fair share)",
    )
    option(
        "--clip-cache-dir",
        type=checks.text("a folder"),
        metavar="DIR",
        help="Where images and embeddings are kept; default: $PYTEST_CLIP_CACHE, else pytest-clip in $XDG_CACHE_HOME or ~/.cache",
    )
    option(
        "--clip-shared-cache", action="store_true", default=False, help="Use a cache folder that others may write: whoever may is trusted"
    )
    option("--clip-no-cache", action="store_true", default=False, help="Neither read nor write cached embeddings")
    option(
        "--clip-mutants",
        nargs="?",
        const=("all",),
        type=checks.mutants,
        metavar="NAME[,NAME...]",
        help="Run the gates on damaged copies of the model, too, and tell which gate notices which damage; default NAMES: all",
    )
    option(
        "--clip-executor",
        type=checks.executor,
        metavar="local|ray[:ADDRESS]",
        help="Who embeds images: this process, a Ray cluster on this machine, or the one at ADDRESS (auto: the one in RAY_ADDRESS); "
        "default: local",
    )
    option("--clip-list", action="store_true", default=False, help="Print suites, gates, rules and data, load no model and exit")

    parser.addini(
        "clip_model", "Models for tests that use the clip fixtures and for --clip-suite, one per line", type="linelist", default=[]
    )
    parser.addini("clip_suite", "Default of --clip-suite when suites run, one per line", type="linelist", default=[])
    parser.addini("clip_data", "Default of --clip-data, one per line", type="linelist", default=[])
    parser.addini("clip_thresholds", "Default of --clip-thresholds, relative to the ini file", type="paths", default=[])
    parser.addini("clip_prompts", "Default of --clip-prompts, a file relative to the ini file", default="")
    parser.addini("clip_baseline", "Default of --clip-baseline, a path relative to the ini file", default="")
    parser.addini(
        "clip_family_wise", "Hold all max_drop rules of a run to one error rate of 5 % together, not 5 % each", type="bool", default=False
    )
    parser.addini("clip_max_unreadable", "Default of --clip-max-unreadable", default="")
    parser.addini("clip_device", "Default of --clip-device", default="")
    parser.addini("clip_compile", "Whether to run the image tower through torch.compile", type="bool", default=False)
    parser.addini("clip_precision", "Default of --clip-precision", default="")
    parser.addini("clip_batch_size", "Default of --clip-batch-size", default="")
    parser.addini("clip_cache_dir", "Default of --clip-cache-dir, relative to the ini file", default="")
    parser.addini("clip_executor", "Default of --clip-executor", default="")
    parser.addini("clip_shared_cache", "Whether the cache folder may be one that others may write", type="bool", default=False)
    parser.addini("clip_cache_size", "What the cache may grow to, such as 20GB, or none (default: 50GB)", default="")
    parser.addini("clip_mcm_tau", "Temperature of the MCM score in the ood suite (default: 1)", default="")
    parser.addini(
        "clip_corruptions", "Kinds of the corruptions suite, one per line (default: the 15 of ImageNet-C)", type="linelist", default=[]
    )
    parser.addini(
        "clip_corruptions_3d",
        "Kinds of the corruptions_3d suite, one per line (default: the six that follow depth)",
        type="linelist",
        default=[],
    )
    parser.addini("clip_corruption_images", "Clean images that each corruption is applied to (default: 95)", default="")
    parser.addini("clip_depth_model", "Default of --clip-depth-model, a folder relative to the ini file", default="")
    parser.addini(
        "clip_depth_output", "What the depth model says: inverse, metric, or auto, which asks its configuration (default: auto)", default=""
    )
    parser.addini("clip_dense_layer", "Layer of the correspondence suite, 0 the first, -1 the last (default: the deepest fit)", default="")
