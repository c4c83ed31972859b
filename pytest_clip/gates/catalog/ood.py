"""What the suite `ood` measures: images of unknown classes."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Better, Metric, Need, Suite, Unit


def _ood(title: str, unit: Unit = "share", better: Better = "higher", chance: str | None = "0.5") -> Metric:
    return Metric(unit, better, ("role:ood",), title, chance)


SUITE = Suite(
    "ood",
    "Images of unknown classes score lower than images of known ones",
    {
        "ood/auroc": _ood("Area under the ROC curve of the MCM score"),
        "ood/aupr_in": _ood("Area under precision-recall of the MCM score, known classes positive", chance="share of known-class images"),
        "ood/aupr_out": _ood(
            "Area under precision-recall of the MCM score, unknown classes positive", chance="share of unknown-class images"
        ),
        "ood/fpr95_id_positive": _ood("Unknown images accepted when 95 % of known ones are accepted", better="lower", chance="0.95"),
        "ood/fpr95_ood_positive": _ood("Known images rejected when 95 % of unknown ones are rejected", better="lower", chance="0.95"),
        "ood/auroc_msp": _ood("Area under the ROC curve of the largest softmax probability at the model's own scale"),
        "ood/auroc_max_logit": _ood("Area under the ROC curve of the largest logit"),
        "ood/auroc_neglabel": _ood("Area under the ROC curve of the NegLabel score: known classes against words far from them"),
        "ood/auroc_gl_mcm": _ood("Area under the ROC curve of the GL-MCM score: the whole picture and its surest place"),
        "ood/auroc_energy": _ood("Area under the ROC curve of the energy score"),
    },
    (Need("ood/*", (), ("clean+labelled",)),),
)
