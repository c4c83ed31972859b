"""The smallest changes that change an answer, looked for along the gradient: APGD (Croce and Hein 2020, https://arxiv.org/abs/2003.01690).

L-infinity on pixels in [0, 1], after the resize and before normalisation, as RobustBench and the papers on robust CLIP have it. Attacked
pictures are no 8-bit pictures. Light: torch is imported when something is attacked.
"""

from .budgets import BUDGETS as BUDGETS
from .budgets import VERSION as VERSION
