"""Short names of models that are safe inside node ids, and tell every model of a run apart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip.models.names import safe
from pytest_clip.store import path_of

if TYPE_CHECKING:
    from pytest_clip.models.spec import ModelSpec


def labels(specs: Iterable[ModelSpec]) -> tuple[str, ...]:
    """Labels that tell every model of a run apart: `runs/a/e12.pt` and `runs/b/e12.pt` get their folder, `a-e12.pt`, as well.

    Two specs that name the very same thing keep the same label.
    """
    specs = tuple(specs)
    chosen = [spec.label for spec in specs]
    for depth in range(2, 9):
        owners: dict[str, set[tuple[str, str, str | None]]] = {}
        for label, spec in zip(chosen, specs, strict=True):
            owners.setdefault(label, set()).add((spec.kind, spec.name, spec.pretrained))
        clashes = {label for label, who in owners.items() if len(who) > 1}
        if not clashes:
            break
        chosen = [label_of(spec, depth=depth) if label in clashes else label for label, spec in zip(chosen, specs, strict=True)]
    return tuple(chosen)


def label_of(spec: ModelSpec, *, depth: int) -> str:
    """The label of one model, with the last `depth` names of a path."""

    def tail(path: str) -> str:
        return "-".join(part for part in Path(path).parts[-depth:] if part != "/")

    if spec.kind == "wise":
        base, tuned = spec.between
        return safe(f"wise-{label_of(base, depth=depth)}-{label_of(tuned, depth=depth)}-{spec.pretrained}")
    if spec.kind == "hf-hub":
        return safe(spec.name.replace("/", "--"))
    if spec.kind == "run":
        run = safe(tail(str(path_of(spec.name).resolve())))
        if spec.pretrained is None:
            return run
        return f"{run},{safe(_epoch(spec.pretrained))}"
    name = spec.name
    if spec.kind == "hf" and not path_of(spec.name).exists():
        return safe(spec.name.replace("/", "--"))
    if spec.kind in ("hf", "local-dir"):
        name = tail(str(path_of(spec.name).resolve()))
    elif spec.kind == "config":
        name = Path(spec.name).stem
    if spec.pretrained is None:
        return safe(name)
    path = "/" in spec.pretrained or "\\" in spec.pretrained
    return f"{safe(name)},{safe(tail(spec.pretrained) if path else spec.pretrained)}"


def _epoch(pretrained: str) -> str:
    """`5` is `epoch_5`, and so is the path of that file."""
    return Path(pretrained).stem if "/" in pretrained or "." in pretrained else f"epoch_{pretrained}"
