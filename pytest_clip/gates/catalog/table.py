"""The files of the suites, put together. A new metric is in its suite's file; a new suite is a file beside them and a line here."""

from __future__ import annotations

from pytest_clip.gates.catalog.accuracy import SUITE as ACCURACY
from pytest_clip.gates.catalog.adversarial import SUITE as ADVERSARIAL
from pytest_clip.gates.catalog.calibration import SUITE as CALIBRATION
from pytest_clip.gates.catalog.checkpoint import SUITE as CHECKPOINT
from pytest_clip.gates.catalog.correspondence import SUITE as CORRESPONDENCE
from pytest_clip.gates.catalog.corruptions import SUITE as CORRUPTIONS
from pytest_clip.gates.catalog.corruptions_3d import SUITE as CORRUPTIONS_3D
from pytest_clip.gates.catalog.corruptions_laion_c import SUITE as CORRUPTIONS_LAION_C
from pytest_clip.gates.catalog.factors import SUITE as FACTORS
from pytest_clip.gates.catalog.finetune import SUITE as FINETUNE
from pytest_clip.gates.catalog.groups import SUITE as GROUPS
from pytest_clip.gates.catalog.lmm import SUITE as LMM
from pytest_clip.gates.catalog.metamorphic import SUITE as METAMORPHIC
from pytest_clip.gates.catalog.metric import Metric, Need, Suite
from pytest_clip.gates.catalog.mutants import SUITE as MUTANTS
from pytest_clip.gates.catalog.ood import SUITE as OOD
from pytest_clip.gates.catalog.prompts import SUITE as PROMPTS
from pytest_clip.gates.catalog.retrieval import SUITE as RETRIEVAL
from pytest_clip.gates.catalog.shape_bias import SUITE as SHAPE_BIAS
from pytest_clip.gates.catalog.typographic import SUITE as TYPOGRAPHIC

_SUITES: tuple[Suite, ...] = (  # in the order in which they are listed and run
    CHECKPOINT,
    ACCURACY,
    FACTORS,
    GROUPS,
    SHAPE_BIAS,
    TYPOGRAPHIC,
    PROMPTS,
    CORRESPONDENCE,
    CORRUPTIONS,
    CORRUPTIONS_3D,
    CORRUPTIONS_LAION_C,
    CALIBRATION,
    RETRIEVAL,
    METAMORPHIC,
    OOD,
    ADVERSARIAL,
    FINETUNE,
    LMM,
    MUTANTS,
)

#: What each suite asks, by its name.
SUITES: dict[str, str] = {suite.name: suite.asks for suite in _SUITES}
#: Every metric by its whole id.
CATALOG: dict[str, Metric] = {key: metric for suite in _SUITES for key, metric in suite.metrics.items()}
#: What data must have for them.
NEEDS: tuple[Need, ...] = tuple(need for suite in _SUITES for need in suite.needs)
