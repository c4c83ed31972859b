"""What training wrappers put before and into the names of weights, and taking it off. Light."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pytest_clip import ClipError

T = TypeVar("T")

PREFIXES = ("module.", "_orig_mod.", "model.", "_forward_module.")
"""Before every name: DataParallel and its kin, torch.compile, Lightning, Lightning's DeepSpeed."""
_INNER = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.")
"""Anywhere in a name: FSDP, activation checkpointing and torch.compile of a part. No model calls a part of its own so."""


def unwrapped(state: Mapping[str, T], path: Path) -> tuple[dict[str, T], list[str]]:
    """`state` under the names of the model itself, and what was taken off them, in order."""
    state, gone = dict(state), []
    for _ in range(6):
        prefix = next((each for each in PREFIXES if state and all(key.startswith(each) and key != each for key in state)), None)
        inner = next((each for each in _INNER if any(f".{each}" in f".{key}" for key in state)), None)
        if prefix is None and inner is None:
            break
        before = len(state)
        if prefix is not None:
            state = {key.removeprefix(prefix): value for key, value in state.items()}
        else:
            assert inner is not None
            state = {f".{key}".replace(f".{inner}", ".").removeprefix("."): value for key, value in state.items()}
        gone.append(prefix or inner or "")
        if len(state) != before:
            raise ClipError(f"{path} holds some weights twice, with and without {gone[-1]!r} in their names; save model.state_dict()")
    return state, gone


def under(state: Mapping[str, T], prefix: str) -> dict[str, T]:
    """The part of `state` whose names begin with `prefix`, with or without its last dot, without it; nothing if there is none."""
    prefix = prefix if prefix.endswith(".") else f"{prefix}."
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix) and key != prefix}


def shared(names: list[str]) -> str | None:
    """The longest beginning, up to a dot, that all names share; None if they share none."""
    if not names:
        return None
    first, last = min(names).split("."), max(names).split(".")
    same = 0
    while same < min(len(first), len(last)) - 1 and first[same] == last[same]:
        same += 1
    return "".join(f"{part}." for part in first[:same]) or None
