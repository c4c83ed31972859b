"""What the suite `prompts` measures: the wording of the prompts."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import GUESS, Better, Metric, Need, Suite, Unit

PROMPT_FAMILIES = ("templates", "paraphrases", "formats")


def _prompts(title: str, *, over: str = "clean", unit: Unit = "points", better: Better = "lower", chance: str | None = None) -> Metric:
    return Metric(unit, better, (over,), title, chance, PROMPT_FAMILIES)


SUITE = Suite(
    "prompts",
    "Numbers hardly depend on the wording of the prompts: how many, which sentence, its spelling",
    {
        "prompts/accuracy_spread": _prompts("Largest minus smallest accuracy over the prompt sets"),
        "prompts/accuracy_std": _prompts("Standard deviation of accuracy over the prompt sets"),
        "prompts/worst_accuracy": _prompts("Accuracy under the worst prompt set", unit="share", better="higher", chance=GUESS),
        "prompts/ece_spread": _prompts("Largest minus smallest calibration error over the prompt sets"),
        "prompts/ece_std": _prompts("Standard deviation of the calibration error over the prompt sets"),
        "prompts/auroc_spread": _prompts("Largest minus smallest AUROC (near, MCM) over the prompt sets", over="near"),
        "prompts/auroc_std": _prompts("Standard deviation of AUROC (near, MCM) over the prompt sets", over="near"),
    },
    (Need("prompts/*", ("labelled",), ("clean+labelled",)),),
)
