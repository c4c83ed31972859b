"""One section a suite: its gates, the worst first, and the figures that its rows and its evidence make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_clip.gates.catalog import CATALOG, SUITES
from pytest_clip.gates.catalog.lmm import PROTOCOLS
from pytest_clip.report import order
from pytest_clip.report.html import gates, reading
from pytest_clip.report.html.evidence import Shown
from pytest_clip.report.html.figures import confusion, intervals, prompts, reliability, roc, severity, shape
from pytest_clip.report.html.figures.intervals import Before
from pytest_clip.report.html.gates import GateView
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.shown import counterexamples, examples, matches, queries
from pytest_clip.report.html.svg import Figure

Maker = Callable[[Sequence[Row], Shown, str], list[Figure]]


@dataclass(frozen=True)
class SuiteView:
    name: str
    asks: str
    tally: str
    figures: tuple[Figure, ...]
    gates: tuple[GateView, ...]

    @property
    def anchor(self) -> str:
        return reading.fragment(f"suite={self.name}")


def suites(rows: Sequence[Row], shown: Shown, *, many: bool) -> list[SuiteView]:
    """In the order of the catalog; those of a project after them."""
    names = sorted(
        {str(row["suite"]) for row in rows}, key=lambda name: (list(SUITES).index(name) if name in SUITES else len(SUITES), name)
    )
    return [_suite(name, [row for row in rows if row["suite"] == name], rows, shown, many) for name in names]


def _suite(name: str, own: Sequence[Row], rows: Sequence[Row], shown: Shown, many: bool) -> SuiteView:
    drawn: list[Figure] = []
    for data in dict.fromkeys(str(row["data"]) for row in own):
        on = f" on {data}" if len({row["data"] for row in rows}) > 1 else ""
        here = [row for row in rows if row["data"] == data]
        drawn += _FIGURES.get(name, _slices)([row for row in here if row["suite"] == name], shown, on)
        if name == "accuracy":
            drawn += _confusions(here, shown, on)
    ordered = order.worst_first(own)
    views = tuple(gates.view(row, many=many, shown=shown) for row in ordered)
    return SuiteView(name, SUITES.get(name, ""), ", ".join(f"{n:,} {word}" for _, word, n in reading.counts(own)), tuple(drawn), views)


def _of(rows: Sequence[Row], metric: str) -> list[Row]:
    return [row for row in rows if reading.metric(row) == metric]


def _slices(
    rows: Sequence[Row], shown: Shown, on: str, only: Sequence[str] = (), before: Before | None = None, told: str = ""
) -> list[Figure]:
    """The intervals of each metric that has several slices, or several models."""
    found = []
    for metric in dict.fromkeys(reading.metric(row) for row in rows):
        own = [row for row in _of(rows, metric) if row["value"] is not None]
        if (only and metric not in only) or len(own) < 2 or len({row["slice"] for row in own}) < 2:
            continue
        title = CATALOG[metric].title if metric in CATALOG else metric
        text, label = f"{title}. {HOW}{(told or AND_BEFORE) if before else ''}", metric.partition("/")[2].replace("_", " ")
        found.append(intervals.figure(own, title=f"{metric}{on}", text=text, label=label, before=before))
    return found


HOW = "Marks are values, lines their 95 % intervals, upright ticks the bounds of the rules."
AND_BEFORE = " Open marks are the same scenes without the factor."
AND_CLIP = " Open marks are the CLIP on the same pairs."


def _factors(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    lost = {(row["slice"], row["model"]): row["value"] for row in _of(rows, "factors/drop") if row["value"] is not None}
    known = [(row, lost.get((row["slice"], row["model"]))) for row in _of(rows, "factors/accuracy") if row["value"] is not None]
    before = {(str(row["slice"]), str(row["model"])): row["value"] + drop for row, drop in known if drop is not None}
    found = _slices(rows, shown, on, ("factors/accuracy",), before)
    return [*found, *_slices(rows, shown, on, ("factors/drop", "factors/error_ratio", "factors/effective_robustness"))]


def _corruptions(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    suite = str(rows[0]["suite"])
    own = _of(rows, f"{suite}/accuracy")
    clean = _without(rows, suite)
    text = "A panel a corruption: accuracy at severities 1 to 5 with 95 % intervals."
    text += " The dashed line is the same images without corruption." if clean else ""
    seen = examples(shown, own)
    if seen:
        one = next(iter(seen.values()))
        text += f" Below each curve the image {one['id']} ({one['truth']}): a frame with a cross where it is answered wrongly."
    found = severity.figure(own, title=f"Accuracy by severity{on}", text=text, clean=clean, examples=seen, many=shown.many)
    portraits = _slices(rows, shown, on, ("corruptions/studio_accuracy", "corruptions/studio_relative_robustness"))
    return [*([found] if found is not None else []), *portraits]


def _without(rows: Sequence[Row], suite: str) -> dict[str, float]:
    """By model, the accuracy on the same images without corruption: the relative mean error is the mean error less theirs."""
    error, added = (
        {str(row["model"]): row["value"] for row in _of(rows, f"{suite}/{metric}") if row["value"] is not None}
        for metric in ("mce_unnormalised", "relative_mce_unnormalised")
    )
    return {model: 1 - (error[model] - added[model]) for model in error if model in added}


def _calibration(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    found = []
    for row in _of(rows, "calibration/ece"):
        after = next(
            (each for each in _of(rows, "calibration/ece_scaled") if each["slice"] == row["slice"] and each["model"] == row["model"]), None
        )
        who = f", {row['model']}" if len({each["model"] for each in rows}) > 1 else ""
        for side in shown.sides:
            told = [None if each is None else side.get("reliability", each) for each in (row, after)]
            if told[0] is not None:
                found.append(reliability.figure(told[0], told[1], title=f"Reliability on {row['slice']}{who}{on}{side.of_run}"))
    return [*_slices(rows, shown, on, ("calibration/ece", "calibration/ece_scaled")), *found]


def _ood(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    found = []
    for row in _of(rows, "ood/auroc"):
        who = f", {row['model']}" if len({each["model"] for each in rows}) > 1 else ""
        for side, value in zip(shown.sides, (reading.value(row), reading.before(row)), strict=False):
            if (told := side.get("scores", row)) is not None:
                found.append(roc.figure(told, title=f"Known against {row['slice']}{who}{on}{side.of_run}: AUROC {value}"))
    return found or _slices(rows, shown, on, ("ood/auroc",))


def _shape_bias(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    found = shape.figure(_of(rows, "shape_bias/shape_bias"), title=f"Shape against texture{on}")
    return [found] if found is not None else []


def _prompts(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    told = (("prompts/accuracy_spread", "accuracy"), ("prompts/ece_spread", "calibration error"), ("prompts/auroc_spread", "AUROC, near"))
    found = [prompts.figure(_of(rows, metric), title=f"{label} under other words{on}", label=label) for metric, label in told]
    return [each for each in found if each is not None]


def _retrieval(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    many = len({row["model"] for row in rows}) > 1
    return [*_slices(rows, shown, on, ("retrieval/compositionality", "retrieval/paraphrase")), *queries(shown, rows, many=many, on=on)]


def _metamorphic(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    many = len({row["model"] for row in rows}) > 1
    return [*_slices(rows, shown, on), *counterexamples(shown, rows, many=many, on=on)]


def _correspondence(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    many = len({row["model"] for row in rows}) > 1
    return [*_slices(rows, shown, on), *matches(shown, rows, many=many, on=on)]


def _confusions(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    """What the classes that lose most are taken for, of every gate of the suite that tells."""
    many = len({row["model"] for row in rows}) > 1
    found = [(row, side, side.get("confusion", row)) for row in rows if row["suite"] == "accuracy" for side in shown.sides]
    return [
        confusion.figure(told, title=f"Classes that lose most: {row['slice']}{', ' + row['model'] if many else ''}{on}{side.of_run}")
        for row, side, told in found
        if told is not None
    ]


def _lmm(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    """The LMM beside the CLIP on the same pairs, image set by image set; then protocols, what it gains, repairs and breaks."""
    own = _of(rows, "lmm/accuracy")
    sets, protocols = ([row for row in own if (row["slice"] in PROTOCOLS) == wanted] for wanted in (False, True))
    clip: dict[tuple[str, str], float] = {}
    for row in _of(rows, "lmm/gain_over_clip"):
        told = row["conventions"].get("measured") or {}
        if told.get("clip") is not None:
            clip[str(row["slice"]), str(row["model"])] = told["clip"]
    found = _slices(sets, shown, f"{on}, the LMM beside the CLIP", ("lmm/accuracy",), clip, AND_CLIP)
    found += _slices(protocols, shown, f"{on} by protocol", ("lmm/accuracy",))
    return [*found, *_slices(rows, shown, on, ("lmm/gain_over_clip", "lmm/repairs", "lmm/breaks", "lmm/position_bias"))]


_FIGURES: dict[str, Maker] = {
    "lmm": _lmm,
    "factors": _factors,
    "corruptions": _corruptions,
    "corruptions_3d": _corruptions,
    "corruptions_laion_c": _corruptions,
    "calibration": _calibration,
    "ood": _ood,
    "shape_bias": _shape_bias,
    "prompts": _prompts,
    "retrieval": _retrieval,
    "metamorphic": _metamorphic,
    "correspondence": _correspondence,
}
