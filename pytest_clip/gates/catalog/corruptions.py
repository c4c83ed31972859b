"""What the suite `corruptions` measures: ImageNet-C; and the same over other kinds, for `corruptions_3d`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pytest_clip.gates.catalog.metric import GUESS, STORED, Better, Metric, Need, Suite, Unit
from pytest_clip.views import catalog as views


def over_kinds(name: str, asks: str, kinds: tuple[str, ...]) -> Suite:
    """A suite of corruptions: the same metrics over other kinds."""

    def metric(unit: Unit, better: Better, title: str, chance: str | None = None, slices: tuple[str, ...] = (), **more: bool) -> Metric:
        return Metric(unit, better, ("clean",) if slices else (), title, chance, slices, **more)

    return Suite(
        name,
        asks,
        {
            f"{name}/accuracy": metric("share", "higher", "Accuracy under a corruption, mean of its severities", GUESS, _with_means(kinds)),
            f"{name}/mce_unnormalised": metric(
                "share", "lower", "Mean error over kinds and severities; no reference model", "1 - 1 / number of classes"
            ),
            f"{name}/relative_mce_unnormalised": metric("points", "lower", "Mean error over kinds and severities minus clean error"),
            f"{name}/mce": metric("ratio", "lower", "Mean corruption error on the published files, over AlexNet's", imagenet=True),
            f"{name}/relative_mce": metric(
                "ratio", "lower", "What corruption adds to errors, over what it adds to AlexNet's", imagenet=True
            ),
            f"{name}/largest_rise": metric("points", "lower", "Largest rise of accuracy from a severity to a later one", None, kinds),
        },
        (
            Need(f"{name}/*", ("labelled",), ("clean+labelled", f"role:{STORED}")),
            Need(f"{name}/relative_*", (), ("clean+labelled", "uncorrupted")),
        ),
    )


def _with_means(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Every kind at every severity, and the kind itself for their mean."""
    return tuple(name for kind in kinds for name in (*views.steps((kind,)), kind))


PORTRAITS = "studio"
"""The set of pictures that look like photographs: what a model that is not bundled is judged on first."""
ON_PORTRAITS = tuple(f"{kind}-3" for kind in ("gaussian_noise", "motion_blur", "snow", "contrast", "elastic_transform"))
"""One kind of each group of ImageNet-C and two digital ones, at the middle severity: 75 cells would be 40 % more passes a run."""


def _on_portraits(suite: Suite) -> Suite:
    """The suite with what corruption leaves of the answers to portraits."""
    on = partial(Metric, better="higher", over=(PORTRAITS,), slices=ON_PORTRAITS, particular=True)
    share = on("share", title="Accuracy on the portraits of studio under a corruption", chance=GUESS)
    kept = on("ratio", title="Accuracy on the portraits of studio under a corruption over that on the same portraits without it")
    added = {"corruptions/studio_accuracy": share, "corruptions/studio_relative_robustness": kept}
    return replace(suite, metrics={**suite.metrics, **added})


SUITE = _on_portraits(over_kinds("corruptions", "Accuracy under the corruptions of ImageNet-C at five severities", views.KINDS))
