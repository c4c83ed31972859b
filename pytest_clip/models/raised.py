"""What a library raised, as part of a sentence of ours."""

from __future__ import annotations


def raised(error: Exception, *, most: int = 200) -> str:
    """Its kind, and its text without line breaks and of at most so many characters."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:most]}"
