"""Classifiers that timm builds: `timm:NAME` with its published weights, `timm:NAME,PATH` with a checkpoint of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import checkpoint, classnames, hub, timm_file
from pytest_clip.models.build import pick_device
from pytest_clip.models.classifier import ImageClassifier
from pytest_clip.models.quiet import quiet
from pytest_clip.models.sight import Sight
from pytest_clip.models.spec import RANDOM
from pytest_clip.store import path_of

if TYPE_CHECKING:
    from pytest_clip.models.spec import ModelSpec


def load(
    spec: ModelSpec,
    *,
    device: str = "auto",
    precision: str = "fp32",
    compile: bool = False,
    classes: Path | None = None,
    prefix: str | None = None,
) -> ImageClassifier:
    """Build what `timm:NAME[,PATH]` names. `classes` is a file with the names of its classes, one a line in their order."""
    place = pick_device(device, precision)
    file = None if spec.pretrained in (None, RANDOM) else _file(spec, str(spec.pretrained), prefix)
    facts: dict[str, Any] = {"architecture": spec.name, "pretrained": spec.pretrained, **versions()}
    if file is None:
        module, sight = build(spec.name, classes=None, published=spec.pretrained is None)
        facts["pretrained"] = spec.pretrained or str(getattr(module, "pretrained_cfg", {}).get("tag") or "timm")
        outputs = int(getattr(module, "num_classes", 0))  # 0: timm has it as a feature extractor
        if spec.pretrained == RANDOM:
            facts["warnings"] = [f"{spec.text}: the weights are RANDOM (seed 0), every score is that of an untrained model"]
    else:
        outputs = file.classes
        module, sight = build(spec.name, classes=outputs, kwargs=file.kwargs, data=file.data)
        file.fit(module)
        facts |= {"pretrained": file.path.name, "checkpoint": file.facts, "warnings": checkpoint.told(file.path, file.facts, prefix)}
    if not outputs:
        raise ClipError(
            f"{spec.text} scores no classes: timm has it as a feature extractor; choose a tag such as NAME.in1k, or a checkpoint"
        )
    names = classnames.find(outputs, given=classes, beside=None if file is None else file.path.parent, model=spec.text)
    return classifier(module, sight, names, label=spec.label, device=place, precision=precision, compile=compile, facts=facts)


def _file(spec: ModelSpec, text: str, prefix: str | None) -> timm_file.TimmFile:
    _known(spec.name)
    import timm

    path = path_of(text)
    if not path.exists() and "/" not in text and "." not in text:
        raise ClipError(f"{spec.text}: there is no file {text!r}; a tag of timm is written with a dot, timm:{spec.name}.{text}")
    head = str(timm.get_pretrained_cfg_value(spec.name, "classifier") or "head")
    return timm_file.read(path, name=spec.name, head=head, prefix=prefix)


def build(
    name: str,
    *,
    classes: int | None,
    kwargs: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    published: bool = False,
) -> tuple[torch.nn.Module, Sight]:
    """timm's module, from a fixed seed or with its `published` weights, and its sight; `data` overrides its data config."""
    _known(name)
    import timm
    from timm.data import resolve_data_config

    how: dict[str, Any] = {**(kwargs or {}), **({} if classes is None else {"num_classes": classes})}
    try:
        with hub.cached_unless_reachable(), quiet(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            module: torch.nn.Module = timm.create_model(name, pretrained=published, **how)
    except Exception as error:  # anything that a constructor or a download can raise
        hint = f"; download its weights and write timm:{name},PATH, or timm:{name},{RANDOM} for a negative control" if published else ""
        raise ClipError(f"timm cannot build {name} ({type(error).__name__}: {' '.join(str(error).split())[:300]}){hint}") from error
    config = resolve_data_config(dict(data or {}), model=module)
    if config["input_size"][0] != 3:
        raise ClipError(f"timm:{name} takes pictures of {config['input_size'][0]} channels; only models of three are measured")
    return module, Sight(config)


def _known(name: str) -> None:
    with quiet():
        import timm
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        near = get_close_matches(architecture, timm.list_models(), n=4, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else 'python -c "import timm; print(timm.list_models())" lists names'
        raise ClipError(f"timm knows no architecture {architecture!r}; {hint}")
    if tag and name not in timm.list_models(f"{architecture}.*", pretrained=True):
        tags = [each.partition(".")[2] for each in timm.list_models(f"{architecture}.*", pretrained=True)]
        raise ClipError(f"timm knows no weights {tag!r} of {architecture}; it has {', '.join(tags) or 'none'}")


def classifier(
    module: torch.nn.Module,
    sight: Sight,
    names: Sequence[str],
    *,
    label: str,
    device: str,
    precision: str,
    compile: bool,
    facts: dict[str, Any],
) -> ImageClassifier:
    """The module, looked at once: it must give as many scores as there are names."""
    if compile:
        raise ClipError(f"--clip-compile is for image towers of open_clip; {label} runs without it, so leave it out")
    model = ImageClassifier(module, sight, names, label=label, device=device, precision=precision, facts=facts)
    found = tuple(model.class_scores(torch.zeros(1, 3, *sight.size)).shape)
    if found != (1, len(names)):
        raise ClipError(f"{label} answers one picture with scores {list(found)}, not with one for each of {len(names)} classes")
    return model


def versions() -> dict[str, Any]:
    """What answers depend on besides weights and torch."""
    import timm

    return {"timm": timm.__version__}
