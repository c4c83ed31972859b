"""Image sets as seen through a perturbation: the 19 corruptions of ImageNet-C, the 12 of ImageNet-3DCC and four of LAION-C.

Light: torch is imported when an image is corrupted.
"""

from .catalog import EXTRA as EXTRA
from .catalog import GEOMETRIC as GEOMETRIC
from .catalog import GROUPS as GROUPS
from .catalog import GROUPS_3D as GROUPS_3D
from .catalog import IMAGENET_C as IMAGENET_C
from .catalog import KINDS as KINDS
from .catalog import KINDS_3D as KINDS_3D
from .catalog import KINDS_LAION as KINDS_LAION
from .catalog import SEVERITIES as SEVERITIES
from .catalog import VERSION as VERSION
from .corruption import corrupt as corrupt
from .corruption import corrupt_3d as corrupt_3d
from .corruption import corrupt_laion as corrupt_laion
from .corruption import corruption_view as corruption_view
from .view import Facts as Facts
from .view import View as View
