"""Data sets: `load` gives the one that --clip-data names.

Modules of this package import each other by name and never the package, so that it can be read from the bottom up.
"""

from .dataset import Data, load, together
from .setinfo import SetInfo

__all__ = ["Data", "SetInfo", "load", "together"]
