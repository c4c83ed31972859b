"""What is said of a checkpoint that does not fit the model that was named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_clip.models import strange, tensors

if TYPE_CHECKING:
    from pytest_clip.models.checkpoint import Checkpoint

_SHOWN = 20

Pairs = Mapping[str, tuple[Any, Any]]
"""What the file has and what the model wants, by name."""


def told(checkpoint: Checkpoint, missing: list[str], unexpected: list[str], misshapen: Pairs, mistyped: Pairs, *, total: int) -> str:
    """All that is missing, unexpected, mis-shaped or mis-typed, and what else the file seems to be."""
    path = checkpoint.path
    counts = f"{len(missing)} of {total} weights missing, {len(unexpected)} unexpected, {len(misshapen)} mis-shaped"
    counts += f", {len(mistyped)} of another kind of number" if mistyped else ""
    lines = [f"{path} does not fit the model: {counts}"]
    lines += _listed("missing", missing)
    lines += _listed("unexpected", unexpected)
    lines += _listed("mis-shaped", [f"{key}: file {list(file)}, model {list(model)}" for key, (file, model) in misshapen.items()])
    lines += _listed("mis-typed", [f"{key}: file {file}, model {model}" for key, (file, model) in mistyped.items()])
    if left := sorted({"logit_scale", *missing}.intersection(checkpoint.facts.get("left_out", ()))):
        lines.append(f"  {', '.join(left)} is there, but is no tensor; save model.state_dict() as it is.")
    if prefix := _prefix(missing, unexpected):
        lines.append(f"  They are there under {prefix!r}: add --clip-strip-prefix={prefix}")
    elif (missing or unexpected or misshapen) and (whose := _whose(checkpoint)):
        lines.append(f"  {path.name} {whose}")
    elif any(key.endswith("positional_embedding") and "visual" in key for key in misshapen):
        lines.append("  It was trained at another image_size: use the architecture of that size (ViT-L-14-336 …), or a local-dir: whose")
        lines.append("  open_clip_config.json says so. Positions are not interpolated here, because that would be another model.")
    elif len(missing) == total:
        lines.append("  Nothing fits: is it another architecture, or the weights of one tower only?")
    return "\n".join(lines)


def _whose(checkpoint: Checkpoint) -> str | None:
    """What else the file is, where that can be told from its names and shapes."""
    shapes = {key: tuple(value.shape) for key, value in checkpoint.state.items()}
    beside = tensors.read(checkpoint.path)
    says = {} if beside is None else beside.says
    return strange.whose(shapes, checkpoint.path, says=says, prefix=checkpoint.facts.get("stripped"))


def _listed(what: str, entries: Iterable[str]) -> list[str]:
    entries = sorted(entries)
    more = [f"  … and {len(entries) - _SHOWN} more {what}"] if len(entries) > _SHOWN else []
    return [f"  {what}: {entry}" for entry in entries[:_SHOWN]] + more


def _prefix(missing: list[str], unexpected: list[str]) -> str | None:
    """What stands before at least half of the missing names among the unexpected ones."""
    wanted, counts = set(missing), Counter[str]()
    for key in unexpected:
        parts = key.split(".")
        counts.update(".".join(parts[:at]) + "." for at in range(1, len(parts)) if ".".join(parts[at:]) in wanted)
    [(prefix, n)] = counts.most_common(1) or [("", 0)]
    return prefix if 2 * n >= max(len(missing), 1) and n else None
