"""What a checkpoint holds, once it is read: where in it the weights are, under which names, and of what kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import cures, wrappers
from pytest_clip.models.cures import AVERAGED, PLAIN

# Scalars that OpenAI's TorchScript archives keep beside the weights; open_clip drops them too.
_NOT_WEIGHTS = ("n_averaged", "input_resolution", "context_length", "vocab_size")
_NOT_SEARCHED = ("optim", "sched", "scaler", "rng", "callbacks", "loops")
_DEEPEST, _SHOWN = 4, 20


def weights_in(content: object, path: Path, *, prefix: str | None = None) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The state dict inside `content`, its names without what wrappers put before them, and facts; ClipError that says what else it is.

    The plain weights are taken, and averaged ones only where there are no others. With a `prefix` only what is under it, if anything is.
    """
    if not isinstance(content, Mapping):
        raise ClipError(f"{path} holds a {type(content).__name__}, not weights; save model.state_dict() instead")
    found = [key for key in (*PLAIN, *AVERAGED) if _is_state(content.get(key))]
    container: tuple[str, ...] = (found[0],) if found else ()
    state: Mapping[Any, Any] = content[found[0]] if found else content
    facts: dict[str, Any] = {"taken": found[0], "also_there": found[1:]} if found else {"taken": "whole file"}
    if found and isinstance(content.get("epoch"), int):
        facts["epoch"] = content["epoch"]
    if not _is_state(state) or any(map(_is_state, state.values())):
        raise ClipError(_elsewhere(state, path, container))
    _check_names(state, path)
    tensors = {key: value for key, value in state.items() if isinstance(value, torch.Tensor) and key not in _NOT_WEIGHTS}
    if others := [key for key in state if not isinstance(state[key], torch.Tensor)]:
        facts["left_out"] = others[:_SHOWN]
    _check_kinds(tensors, path, container)
    return _unwrapped(tensors, facts, path, prefix), facts


def _is_state(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(entry, torch.Tensor) for entry in value.values())


def _elsewhere(state: Mapping[Any, Any], path: Path, container: tuple[str, ...]) -> str:
    """Where the weights are, if they are not where they are looked for."""
    places = [place for place in _states(state) if place]
    if not places:
        keys = ", ".join(map(str, list(state)[:_SHOWN])) or "nothing"
        return f"{path} holds no weights under {', '.join((*PLAIN, *AVERAGED))}; it holds: {keys}"
    told = ", ".join(".".join(place) for place in places[:_SHOWN])
    start = f"{path} holds its weights " + (f"in {container[0]} " if container else "")
    if len(places) == 1 and not _is_state(state):
        return f"{start}under {told}, where nobody else will look; save them alone once: {cures.moved(path, (*container, *places[0]))}"
    return f"{start}in parts ({told}); save them once under names that are joined by dots: {cures.flat(path, container)}"


def _states(value: object, *, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names of every mapping that holds tensors itself."""
    if not isinstance(value, Mapping) or len(at) > _DEEPEST:
        return
    if _is_state(value):
        yield at
    for key, entry in value.items():
        if isinstance(key, str) and (at or not any(word in key.lower() for word in _NOT_SEARCHED)):
            yield from _states(entry, at=(*at, key))


def _check_names(state: Mapping[Any, Any], path: Path) -> None:
    if odd := [key for key in state if not isinstance(key, str)]:
        raise ClipError(
            f"{path} holds {len(odd)} of {len(state)} weights under names that are no text ({', '.join(map(repr, odd[:3]))}), so "
            "nobody can say which is which; save model.state_dict()"
        )


def _check_kinds(tensors: Mapping[str, torch.Tensor], path: Path, container: tuple[str, ...]) -> None:
    """Every tensor holds its numbers, one by one."""
    kinds: dict[str, list[str]] = {}
    for key, value in tensors.items():
        if value.is_meta:
            kinds.setdefault("without numbers (on the device meta)", []).append(key)
        elif value.is_quantized:
            kinds.setdefault("quantised", []).append(key)
        elif value.is_nested:
            kinds.setdefault("nested", []).append(key)
        elif value.layout is not torch.strided:
            kinds.setdefault("sparse", []).append(key)
    for kind, keys in kinds.items():
        start = f"{path} holds {len(keys)} of {len(tensors)} weights that are {kind} ({', '.join(keys[:3])})"
        if kind.startswith("without") or kind == "nested":
            raise ClipError(f"{start}; save them where the model has its weights, as ordinary tensors")
        raise ClipError(f"{start}; save the numbers they stand for: {cures.dense(path, container)}")


def _unwrapped(tensors: dict[str, torch.Tensor], facts: dict[str, Any], path: Path, prefix: str | None) -> dict[str, torch.Tensor]:
    """Without what training wrappers put before and into names, and without `prefix`, which comes before or after that."""
    state = tensors
    if prefix is not None and (part := wrappers.under(tensors, prefix)):
        facts |= {"stripped": prefix, "beside": len(tensors) - len(part)}
        state = part
    state, gone = wrappers.unwrapped(state, path)
    if prefix is not None and "stripped" not in facts and (part := wrappers.under(state, prefix)):
        facts |= {"stripped": prefix, "beside": len(state) - len(part)}
        state, more = wrappers.unwrapped(part, path)
        gone += more
    if gone:
        facts["names_without"] = gone
    return state
