"""Adversarial robustness: which right answers are left when somebody looks for the change of pixels that breaks them?

L-infinity on pixels in [0, 1], after the resize and before normalisation; prompts stay as they are; logits at the model's own scale.
APGD along the cross-entropy, then towards the nine likeliest wrong classes by the targeted ratio of logits (Croce and Hein 2020).
`linf-0.5` lets each value change by half of one of 255 levels. What an attack did not find may still be there, so every number is an upper
bound; more steps (ini `clip_adversarial_steps`, default 20) and images (`clip_adversarial_images`, default 190) bring it down and make it
surer.

Where gradients lead nowhere (a model that rounds on its way) no attack along them says anything, and nothing is measured.
"""

import numpy as np
import pytest

from pytest_clip.extract import attacked as under_attack
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.quantiles import quantile, quantile_interval
from pytest_clip.views.attacks import BUDGETS, VERSION
from pytest_clip.views.attacks.budgets import HALVINGS, LEVELS

pytestmark = pytest.mark.clip_suite("adversarial")

UNTIL = max(BUDGETS.values()) * LEVELS
"""Where the search for the smallest break ends."""
SHARES = {"p10": 0.1, "median": 0.5, "p90": 0.9}


@pytest.fixture
def attacked(clip_model, clip_data, clip_extraction, clip_settings):
    """The first clean images under attack."""
    if reason := under_attack.grouped(clip_data.images("clean")):
        pytest.skip(f"adversarial: {reason}")
    images, steps = clip_settings.adversarial_images, clip_settings.adversarial_steps
    return under_attack.attacked(clip_extraction, clip_model, clip_data, "clean", first=images, steps=steps)


@pytest.fixture
def told(attacked):
    """What a number of this suite depends on."""
    return attacked.answers.conventions | {
        "norm": "linf on [0, 1] before normalisation, no 8-bit pictures", "attacks": "apgd-ce, then apgd-t by dlr",
        "targets": attacked.targets, "steps": attacked.steps, "images": len(attacked.answers.ids), "attack_version": VERSION,
        "bound": "upper: what was not found may be there",
    }  # fmt: skip


@pytest.mark.clip_gate("adversarial/robust_accuracy")
def test_robust_accuracy(gate, clip_case, attacked, told):
    """Share of images that are answered rightly and stay so, whatever was tried within the budget."""
    answers = attacked.answers
    reason = answers.at_chance or attacked.blind()
    left = np.zeros(len(answers.ids), bool) if reason else attacked.survived(clip_case.slice)
    told |= {"eps": f"{BUDGETS[clip_case.slice] * LEVELS:g}/255", "measured": {"clean": round(float(answers.right.mean()), 6)}}
    gate.share(clip_case.gate, left, answers, conventions=told, reason=reason)


@pytest.mark.clip_gate("adversarial/smallest_break")
def test_smallest_break(gate, clip_case, attacked, told):
    """Of images that are answered rightly: the change, in levels of 255, that breaks a tenth, a half and nine tenths of them."""
    answers, share = attacked.answers, SHARES[clip_case.slice]
    reason = answers.at_chance or attacked.blind()
    rows = np.flatnonzero(answers.right)
    breaks = np.zeros(len(rows)) if reason else attacked.breaks()[rows]
    value = None if reason else min(quantile(breaks, share), UNTIL)
    told |= {"of": "right answers", "until": UNTIL, "halvings": HALVINGS}
    told |= {} if reason else {"measured": {"unbroken": round(float(np.isinf(breaks).mean()), 6)}}
    gate(
        clip_case.gate, value, n=len(rows), reason=reason, conventions=told,
        ci=None if reason else tuple(float(end) for end in np.clip(quantile_interval(breaks, share), 0, UNTIL)),
        per_image=None if reason else Outcomes(None, {"levels": breaks.clip(max=UNTIL)}, [answers.ids[row] for row in rows]),
    )  # fmt: skip
