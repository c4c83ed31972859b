"""What the suite `correspondence` measures: places found again."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Metric, Suite

_CANDIDATES = "share of all places that count as right; measured, in the conventions"

SUITE = Suite(
    "correspondence",
    "Features of a place find the same point from another direction, and the same part of another instance",
    {
        "correspondence/recall_px": Metric(
            "share", "higher", ("role:viewpoint",), "Matched points within 8 of 128 pixels, by the angle between two views", _CANDIDATES
        ),
        "correspondence/recall_distance": Metric(
            "share",
            "higher",
            ("role:viewpoint",),
            "Matched points within a tenth of the object, by the angle between two views",
            _CANDIDATES,
        ),
        "correspondence/pck_per_image": Metric(
            "share", "higher", ("role:keypoints",), "Landmarks found on another instance, a tenth of its box allowed, by pair", _CANDIDATES
        ),
        "correspondence/pck_per_point": Metric(
            "share",
            "higher",
            ("role:keypoints",),
            "Landmarks found on another instance, a tenth of its box allowed, all alike",
            _CANDIDATES,
        ),
        "correspondence/pck_per_class": Metric(
            "share",
            "higher",
            ("spair*",),
            "Landmarks found within a tenth of the other instance's box, by class",
            _CANDIDATES,
            particular=True,
        ),
    },
)
