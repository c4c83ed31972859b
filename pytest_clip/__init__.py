"""Robustness gates for CLIP models as pytest cases.

This module is imported in every pytest session of every project that has the plugin installed, so it holds five names and imports nothing.
"""

__version__ = "0.1.0"


class ClipError(Exception):
    """Something the user can put right: the text says what, where (file, line, image) and the command or edit that fixes it.

    pytest shows it as one clear failure or usage error, the command line as one line on stderr with exit status 2. Never a traceback.
    """


class CacheError(ClipError):
    """The cache cannot be written or read back, which is the same for every gate that is still to come: the run ends with it."""


class ModelError(ClipError):
    """The model cannot be built or does not answer as a model must: said once, and its other gates that need an answer are not measured."""


class ClipWarning(UserWarning):
    """Something that makes a number worth a second look, though it could be measured."""


__all__ = ["CacheError", "ClipError", "ClipWarning", "ModelError", "__version__"]
