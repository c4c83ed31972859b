"""Building a model without noise: what libraries warn about while loading belongs into the report, once, and not into the user's run.

A user's `-W error` would otherwise turn a deprecation inside open_clip or timm into a failing gate.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("", "timm", "huggingface_hub", "transformers", "torch")


class _Notes(logging.Handler):
    def __init__(self, notes: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        self._notes.append(record.getMessage())


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Collect warnings and log records of level WARNING and above, as text, in the order they came, without repeats."""
    logged: list[str] = []
    notes: list[str] = []
    # The root logger needs a handler while open_clip logs through the `logging` module: without one, that call would install a permanent
    # handler on stderr for the whole session.
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    handler = _Notes(logged)
    for logger in loggers:
        logger.handlers = [handler]
        logger.propagate = False
    loggers[0].setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield notes
    finally:
        for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
        notes.extend(dict.fromkeys([*logged, *(str(warning.message) for warning in caught)]))


@contextmanager
def unswept() -> Iterator[None]:
    """No search for garbage meanwhile: what importing open_clip makes stays, and looking through it seven times is 1.0 of 6.7 s."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
