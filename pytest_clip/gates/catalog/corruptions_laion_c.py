"""What the suite `corruptions_laion_c` measures: LAION-C."""

from __future__ import annotations

from dataclasses import replace

from pytest_clip.gates.catalog.corruptions import over_kinds
from pytest_clip.gates.catalog.metric import Suite
from pytest_clip.views import catalog as views


def _without_alexnet(suite: Suite) -> Suite:
    """No errors of a reference model are known, and means exist only where all severities are asked for, or lie on disk."""
    kept = {key: metric for key, metric in suite.metrics.items() if not metric.imagenet}
    return replace(
        suite, metrics={key: each if key.endswith("/accuracy") else replace(each, particular=True) for key, each in kept.items()}
    )


SUITE = _without_alexnet(
    over_kinds(
        "corruptions_laion_c",
        "Accuracy under distortions that no photograph of the web shows (LAION-C), severity 1 unless asked for",
        views.STORED_LAION,
    )
)
