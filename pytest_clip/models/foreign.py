"""What transformers loads for us: files that say how, never code that does it, whatever those files ask for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from pytest_clip import ClipError

_DOORS = (
    ("transformers.dynamic_module_utils", "get_cached_module_file"),  # copies it to where Python looks for modules
    ("transformers.dynamic_module_utils", "get_class_in_module"),  # a Python file of the model's folder
    ("transformers.integrations.hub_kernels", "get_kernel"),  # a compiled library of a hub, as attention or as layers
)
"""Where transformers imports what is not installed, however it was asked to: by a keyword, a configuration, or that of a backbone."""
_SETTLED = (("transformers.dynamic_module_utils", "TIME_OUT_REMOTE_CODE", 0),)
"""Never the question `Do you wish to run the custom code?` in the middle of a run."""
_LARGEST = 16 << 20
_ALONE = threading.RLock()


class CodeError(ClipError):
    """A model asked for code of its own to be run."""


@contextmanager
def no_code() -> Iterator[None]:
    """Meanwhile transformers imports nothing that comes with a model; whoever asks for it gets a CodeError."""
    doors = [(module, name, _refuse) for module, name in _DOORS] if find_spec("transformers") is not None else []
    settled = _SETTLED if doors else ()
    with _ALONE, ExitStack() as stack:
        for module, name, value in (*doors, *settled):
            try:
                owner = import_module(module)
            except ImportError:  # versions without this way
                continue
            if hasattr(owner, name):
                stack.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, value)
        yield


def _refuse(*args: Any, **options: Any) -> NoReturn:
    raise CodeError(f"the model asks to run code that comes with it ({_shown(args)}), which is never done; use a model that needs none")


def refuse_code(folder: Path, *, shown: str, adapter: bool = False) -> None:
    """CodeError for a folder whose configurations ask for code, for the weights of another model, or, unless one is meant, for an adapter
    over other weights."""
    for file in sorted(folder.glob("*config.json")):
        try:
            if file.stat().st_size > _LARGEST:
                raise CodeError(f"{file} has {file.stat().st_size >> 20} MB, which is no configuration; {shown} is not loaded")
            said = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):  # transformers says what is wrong with it
            continue
        for key, value in _asked(said):
            raise CodeError(
                f"{shown} is refused: {file} asks with {key} = {_shown(value)} for code or weights from elsewhere, "
                "which are never loaded; use a model that needs none, or remove the line if it is not needed"
            )
    if not adapter and (folder / "adapter_config.json").exists():
        raise CodeError(
            f"{shown} is refused: {folder}/adapter_config.json is an adapter over the weights of another model; merge and save it"
        )


@contextmanager
def no_bars() -> Iterator[None]:
    """No progress bars of transformers while it loads."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _asked(said: object, *, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(said, list) and depth < 64:
        for each in said:
            yield from _asked(each, depth=depth + 1)
    if not isinstance(said, dict):
        return
    for key, value in said.items():
        names_a_place = "attn_implementation" in key and "/" in str(value)
        if value and (key in ("auto_map", "trust_remote_code", "use_pretrained_backbone", "custom_generate") or names_a_place):
            yield key, value
        elif depth < 64:
            yield from _asked(value, depth=depth + 1)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
