"""Fine-tuning: does the fine-tuned model lie below the path of weights that leads to it?

`--clip-model=wise:BASE::TUNED::0:1:0.1` are eleven models between BASE and TUNED (WiSE-FT, Wortsman et al. 2022). Where one of them is
as good on clean images and better under a shift, the fine-tuning has given robustness away that it need not: the weights in between cost
nothing. As good is a clean accuracy of at least TUNED's less half a point. The more alphas, the less is missed between them. The
interval knows that the best was chosen by looking, and that clean accuracies are measured, too.
"""

import pytest

from pytest_clip.metrics import below_path
from pytest_clip.metrics.intervals import seed_from
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("finetune")


@pytest.mark.clip_gate("finetune/below_path")
def test_below_path(gate, clip_case, clip_path):
    """Accuracy under the shift of the best model of the path that is as good on clean images, minus that of the end of the path."""
    clean, shift = clip_path("clean"), clip_path(clip_case.slice)
    found = below_path.gap(clean.right, shift.right)
    nothing = clean.end.at_chance
    told = [{"alpha": alpha, "clean": round(c, 6), "shift": round(s, 6)} for alpha, c, s in zip(
        shift.alphas, clean.right.mean(0).tolist(), shift.right.mean(0).tolist(), strict=True
    )]  # fmt: skip
    gate(
        clip_case.gate, None if nothing else found.value, n=len(shift.right), reason=nothing,
        ci=None if nothing else lambda: below_path.interval(clean.right, shift.right, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes(
            "below_path", {"path": shift.right, "correct": shift.end.right}, shift.end.ids, params={"margin": below_path.MARGIN},
            others={"path": clean.right}, other_ids=clean.end.ids,
        ),
        conventions=shift.end.conventions | {
            "alphas": list(shift.alphas), "clean": f"clean, {len(clean.right)} images", "shift": clip_case.slice,
            "margin": below_path.MARGIN,
            "measured": {"best_alpha": shift.alphas[found.best], "as_good": [shift.alphas[k] for k in found.as_good], "path": told},
        },
    )  # fmt: skip
