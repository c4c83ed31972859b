"""What stands behind the number of a gate, for reports: curves, and the images that it was lost on. It changes no number and no verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_clip.data.imageset import ImageSet
    from pytest_clip.extract.zeroshot import ZeroShot
    from pytest_clip.gates.measurement import Measurement
    from pytest_clip.metrics.outcomes import Outcomes

CLASSES, CONFUSED, FROM = 8, 4, "accuracy"
"""Classes of a confusion, what each is taken for, and the suite that has one."""


@dataclass(frozen=True)
class Evidence:
    """Of one gate: its `kind`, what is told, builtins only, and pictures as JPEG in base64 by the key that `told` names them with."""

    kind: str
    told: Mapping[str, Any]
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """Answers to the images of a set, row by row, where its pictures lie, and how many of them a gate may show."""

    answers: ZeroShot
    images: ImageSet
    cache: Path
    most: int

    def sure(self, row: int) -> float:
        """The probability of the answer to a row."""
        return float(self.answers.probabilities[row, int(_scores(self.answers)[row].argmax())])

    def told(self, row: int) -> dict[str, Any]:
        """The image of a row as a report names it, without its picture."""
        answers = self.answers
        answer = int(_scores(answers)[row].argmax())
        return {
            "id": answers.ids[row],
            "truth": answers.classes[int(answers.labels[row])],
            "answer": answers.classes[answer],
            "confidence": self.sure(row),
        }

    def shown(self, kind: str, rows: Sequence[int], more: Mapping[str, Any] | None = None) -> list[Evidence]:
        """Evidence that names these rows and shows them."""
        from pytest_clip.extract.thumbnails import thumbnail

        found, pictures = [], {}
        for row in rows[: self.most]:
            told, small = self.told(row), thumbnail(self.images, row, self.cache)
            if small is not None:
                pictures[small[0]] = small[1]
            found.append({**told, "picture": None if small is None else small[0], **(more or {})})
        return [Evidence(kind, {"images": found}, pictures)] if found else []


def of_numbers(measurement: Measurement) -> list[Evidence]:
    """Curves that the outcomes of a gate make, whoever measured it."""
    outcomes, gate = measurement.per_image, measurement.gate.metric_id
    if outcomes is None or measurement.value is None:
        return []
    if gate in ("calibration/ece", "calibration/ece_scaled") and outcomes.statistic == "ece":
        return [_reliability(outcomes)]
    return [_scored(outcomes)] if gate == "ood/auroc" and outcomes.statistic == "auroc" else []


def of_answers(measurement: Measurement, asked: Asked, flips: Mapping[str, Any] | None) -> list[Evidence]:
    """Confusion, worst mistakes, and what a baseline had right; of answers that are those of the gate, image by image."""
    answers = asked.answers
    wrong = [int(row) for row in (~answers.right).nonzero()[0] if answers.labels[row] >= 0]
    sure = [row for row in wrong if _mistaken(answers, row)]
    sure.sort(key=lambda row: (-float(answers.probabilities[row].max()), answers.ids[row]))
    found = _confusion(answers) if measurement.gate.suite == FROM else []
    found += asked.shown("mistakes", sure)
    if flips and flips.get("ids"):
        at = {name: row for row, name in enumerate(answers.ids)}
        found += asked.shown("flips", [at[name] for name in flips["ids"] if name in at], {"before": "right"})
    return found


def _scores(answers: ZeroShot) -> Any:
    return answers.cosines if answers.shares is None else answers.shares


def _mistaken(answers: ZeroShot, row: int) -> bool:
    """Whether another class scores highest: a tie with the right one is wrong as well, and is no other answer."""
    scores, right = _scores(answers)[row], (int(answers.labels[row]),) if answers.accepted is None else answers.accepted[row]
    return bool(scores.max() > max(scores[list(right)]))


def _confusion(answers: ZeroShot) -> list[Evidence]:
    """The classes that lose the largest share of their images, by their first label, and what those are taken for."""
    chosen, right, classes = _scores(answers).argmax(1), answers.right, answers.classes
    n = Counter(int(label) for label in answers.labels if label >= 0)
    wrong = Counter(int(label) for label, good in zip(answers.labels, right, strict=True) if label >= 0 and not good)
    worst = sorted(wrong, key=lambda label: (-wrong[label] / n[label], -wrong[label], label))[:CLASSES]
    told = []
    for label in worst:
        rows = [row for row in ((answers.labels == label) & ~right).nonzero()[0] if _mistaken(answers, int(row))]
        taken = Counter(classes[int(chosen[row])] for row in rows)
        most = sorted(taken.items(), key=lambda item: (-item[1], item[0]))[:CONFUSED]
        told.append({"name": classes[label], "n": n[label], "wrong": wrong[label], "taken_for": [list(each) for each in most]})
    return [Evidence("confusion", {"classes": told})] if told else []


def _reliability(outcomes: Outcomes) -> Evidence:
    from pytest_clip.metrics.calibration import reliability

    bins = int(outcomes.params.get("bins", 15))
    table = reliability(outcomes.arrays["confidence"], outcomes.arrays["correct"], bins=bins)
    columns = zip(table.low, table.high, table.count, table.confidence, table.accuracy, strict=True)
    names = ("low", "high", "n", "confidence", "accuracy")
    return Evidence("reliability", {"bins": [dict(zip(names, each, strict=True)) for each in columns]})


def _scored(outcomes: Outcomes) -> Evidence:
    from pytest_clip.metrics import ood_curve

    known, unknown = outcomes.arrays["score"], outcomes.others["score"]
    edges, inside, outside = ood_curve.histogram(known, unknown)
    points = {name: {**asdict(each), "at": list(each.at)} for name, each in ood_curve.fpr95(known, unknown).items()}
    curve = [list(point) for point in ood_curve.roc(known, unknown)]
    return Evidence("scores", {"roc": curve, "fpr95": points, "edges": list(edges), "known": list(inside), "unknown": list(outside)})


def rows(found: Sequence[Evidence]) -> list[dict[str, Any]]:
    """As a row of a gate carries it to the record: builtins only, which travel from an xdist worker."""
    return [{"kind": each.kind, "told": dict(each.told), "pictures": dict(each.pictures)} for each in found]


def record(gates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The `evidence` of the JSON record, of all rows of a run, in an order that does not depend on scheduling."""
    figures: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}
    for row in sorted(gates, key=lambda row: (row["model"], row["data"], row["gate"])):
        for each in row.get("evidence", ()):
            figures.append({"kind": each["kind"], **{key: row[key] for key in ("gate", "model", "data")}, **each["told"]})
            pictures |= each["pictures"]
    return {"figures": figures, "pictures": dict(sorted(pictures.items()))} if figures else {}
