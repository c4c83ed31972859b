"""What the suite `corruptions_3d` measures: ImageNet-3DCC."""

from __future__ import annotations

from pytest_clip.gates.catalog.corruptions import over_kinds
from pytest_clip.views import catalog as views

SUITE = over_kinds(
    "corruptions_3d",
    "Accuracy under corruptions that follow the depth of the scene (ImageNet-3DCC) at five severities",
    views.KINDS_3D,
)
