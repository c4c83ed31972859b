"""The answer to a damage that a model has no place for."""

from __future__ import annotations

from pytest_clip import ClipError


class InapplicableError(ClipError):
    """This damage cannot be done to this model; the text says why, and is what the report says."""
