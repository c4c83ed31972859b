"""What a view is: a name, a key for stored answers, and a function from pictures to pictures. Light: nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Facts:
    """What a view may know about a batch besides its pixels."""

    ids: tuple[str, ...]
    depth: Tensor | None = None
    """float32 [n, h, w], distance from the camera in the data set's own unit, at the pictures' size; None unless the view needs it"""


@dataclass(frozen=True)
class View:
    """An image set as seen through a perturbation of its pictures, at the model's input size, before normalisation."""

    name: str
    """`fog-3`: part of gate ids"""
    key: str
    """name, parameters and code version: everything that the pixels depend on besides picture, id and depth"""
    apply: Callable[[Tensor, Facts], Tensor]
    """uint8 [n, 3, h, w] to uint8 [n, 3, h, w] on the same device; what an image becomes never depends on its batch"""
    needs_depth: bool = False
