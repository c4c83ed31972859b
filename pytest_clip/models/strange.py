"""What was named as a model and is none of ours, said in one sentence with the command that works. Light: headers and names are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import cures, known, tensors, trainer, wrappers
from pytest_clip.models.folders import CONFIG, WEIGHTS

_HEADS = ("head.weight", "fc.weight", "classifier.weight", "head.fc.weight")
"""Of a classifier of timm."""
_LARGEST = 16 << 20


def folder(path: Path, given: str) -> str | None:
    """What a folder is; None where nothing about it is known."""
    start = f"--clip-model={given!r}: {path}"
    if (path / trainer.PARAMS).is_file():
        return f"{start} is a run of open_clip's trainer; write --clip-model=run:{path}"
    if (path / CONFIG).is_file():
        return f"{start} is a folder with {CONFIG}; write --clip-model=local-dir:{path}"
    if (path / "adapter_config.json").is_file():
        base = _said(path / "adapter_config.json").get("base_model_name_or_path")
        return f"{start} is a PEFT adapter over {base}, not a whole model; write --clip-model=hf:{path}"
    said, files = _said(path / "config.json"), sorted(each for each in path.glob("*") if each.suffix in WEIGHTS)
    if isinstance(said.get("architecture"), str) and files:
        return f"{start} is a folder of timm ({said['architecture']}); write --clip-model=timm:{said['architecture']},{files[0]}"
    if isinstance(said.get("architectures"), list):
        return f"{start} is a folder of transformers ({', '.join(map(str, said['architectures'][:3]))}); write --clip-model=hf:{path}"
    runs = sorted(each.parent for each in path.glob(f"*/{trainer.PARAMS}"))
    if runs:
        return f"{start} holds {len(runs)} runs of open_clip's trainer; write --clip-model=run:{runs[0]} or another of them"
    return file(files[0], given) if len(files) == 1 else None


def file(path: Path, given: str) -> str | None:
    """What a file without an architecture is; None where nothing about it is known."""
    start = f"--clip-model={given!r}"
    if problem := outside(path):
        return f"{start}: {problem}"
    try:
        told = recognised(path)
    except ClipError as error:
        return f"{start}: {error}"
    if told is not None:
        return f"{start} names no architecture: {path} {told}"
    found = tensors.read(path)
    if found is None:
        return None
    told = known.dimensions(wrappers.unwrapped(found.state, path)[0]) or f"{len(found.state)} tensors, such as {next(iter(found.state))}"
    return (
        f"{start} names no architecture: {path} fits none that open_clip knows ({told}); "
        f"write the configuration that it was trained with: --clip-model=FILE.json,{path}"
    )


def outside(path: Path) -> str | None:
    """What the first bytes of a file say it is, if that is not a checkpoint."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if head.startswith(b"version https://git-lfs"):
        return f"{path} is a pointer of Git LFS, not the file itself; run: {cures.pulled(path)}"
    if path.suffix.lower() == ".onnx" or (head[:1] == b"\x08" and head[2:3] == b"\x12" and b"pytorch" in head):
        return f"{path} is an ONNX graph, which is run elsewhere; {_exported_from(path)}"
    return cures.script(path) if cures.is_script(path) else None


def _exported_from(path: Path) -> str:
    for other in sorted(each for each in path.absolute().parent.glob("*") if each.suffix in WEIGHTS):
        found = tensors.read(other)
        names = known.fitting(wrappers.unwrapped(found.state, other)[0]) if found is not None else ()
        if names:
            return f"write the checkpoint that it was exported from, perhaps --clip-model={names[0]},{other}"
    return "write the checkpoint that it was exported from, or return it from the hook pytest_clip_make_model (docs/writing_a_suite.md)"


def recognised(path: Path) -> str | None:
    """What the tensors of a file are, as the end of a sentence: the architecture that they fit, or whose they are; None if nobody's."""
    found = tensors.read(path)
    return None if found is None else whose(wrappers.unwrapped(found.state, path)[0], path, says=found.says)


def whose(state: known.State, path: Path, *, says: Mapping[str, str], prefix: str | None = None) -> str | None:
    """The same of names without what wrappers put before them; `prefix` has been taken off them, too."""
    more = f" --clip-strip-prefix={prefix}" if prefix else ""
    if names := known.fitting(state):
        return _fits(names, path, more)
    return _others(state, path, says) or (None if prefix else _prefixed(state, path)) or _half(state, path)


def _fits(names: tuple[str, ...], path: Path, more: str) -> str:
    first, rest = names[0], names[1:]
    if not rest:
        return f"fits {first} alone; write --clip-model={first},{path}{more}"
    if rest == (f"{first}-quickgelu",):
        return (
            f"fits {first} alone; write --clip-model={first},{path}{more}, or --clip-model={rest[0]},{path}{more} if it was trained "
            "with QuickGELU, which weights do not tell"
        )
    return (
        f"fits {len(names)} architectures: {', '.join(names)}; "
        f"write the one that it was trained as, such as --clip-model={first},{path}{more}"
    )


def _others(state: known.State, path: Path, says: Mapping[str, str]) -> str | None:
    """Weights of other libraries."""
    here = path.absolute().parent
    if any(".lora_A." in f".{key}" for key in state):
        return f"holds an adapter of PEFT, not a whole model; write --clip-model=hf:{here}"
    if any(key.startswith(("vision_model.", "text_model.")) for key in state):
        return f"holds weights of transformers; write --clip-model=hf:{here}, a folder as save_pretrained makes it"
    head = next((key for key in _HEADS if key in state), None)
    if head is not None and not any(key.startswith(("visual.", "text.", "token_embedding.")) for key in state):
        name = says.get("arch", "NAME")
        how = "" if name != "NAME" else ", NAME the architecture that it was trained as"
        return f"is a classifier of {state[head][0]} classes, not a dual encoder; write --clip-model=timm:{name},{path}{how}"
    return None


def _prefixed(state: known.State, path: Path) -> str | None:
    """A dual encoder that is a part of what was trained: its names begin with something."""
    common = wrappers.shared(list(state)) if len(state) > 1 else None
    for prefix in dict.fromkeys(
        [*([common] if common else []), *(key[: -len("logit_scale")] for key in state if key.endswith(".logit_scale"))]
    ):
        inner = wrappers.under(state, prefix)
        names = known.fitting(inner)
        if not names and "logit_scale" not in inner:
            continue
        whose = f"all its {len(state)} names begin" if len(inner) == len(state) else f"{len(inner)} of its {len(state)} names begin"
        write = f"--clip-model={names[0] if names else 'ARCHITECTURE'},{path} --clip-strip-prefix={prefix}"
        fits = f" and fit {', '.join(names)} without it" if names else ""
        return f"holds what a training wrapper saved (Lightning and others): {whose} with {prefix!r}{fits}; write {write}"
    return None


def _half(state: known.State, path: Path) -> str | None:
    """One tower alone."""
    image = {key for key in state if key.startswith("visual.")}
    text = {key for key in state if key.removeprefix("text.").startswith(("token_embedding.", "transformer.", "ln_final."))}
    bare = {"conv1.weight", "ln_pre.weight", "class_embedding"} <= set(state) or any(key.startswith("trunk.") for key in state)
    if bare and not image and "token_embedding.weight" not in state:
        tower, prefix = "image", "visual."
    elif image and not text:
        tower, prefix = "image", ""
    elif text and not image and any(key.endswith("token_embedding.weight") for key in state):
        tower, prefix = "text", ""
    else:
        return None
    return (
        f"holds an {tower} tower alone ({len(state)} tensors)".replace("an text", "a text")
        + f", and a dual encoder has two; put it into the checkpoint that has the other (OTHER.pt) once: {cures.joined(path, prefix)}"
    )


def _said(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8")) if file.stat().st_size < _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
