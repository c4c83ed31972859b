"""The figures of each suite, made from its rows and its evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.catalog.lmm import PROTOCOLS
from pytest_clip.report.html import reading
from pytest_clip.report.html.evidence import Shown
from pytest_clip.report.html.figures import confusion, groups, intervals, prompts, reliability, roc, severity, shape
from pytest_clip.report.html.figures.intervals import Before
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.shown import counterexamples, examples, matches, queries
from pytest_clip.report.html.svg import Figure

Maker = Callable[[Sequence[Row], Shown, str], list[Figure]]


def figures(suite: str, rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    """Those of a suite, whose `rows` are of one data set; `on` says which one where there are several."""
    return _FIGURES.get(suite, _slices)(rows, shown, on)


def _of(rows: Sequence[Row], metric: str) -> list[Row]:
    return [row for row in rows if reading.metric(row) == metric]


def _slices(
    rows: Sequence[Row], shown: Shown, on: str, only: Sequence[str] = (), before: Before | None = None, told: str = ""
) -> list[Figure]:
    """The intervals of each metric that has several slices, or several models."""
    more = (told or AND_BEFORE) if before else ""
    metrics = [each for each in dict.fromkeys(reading.metric(row) for row in rows) if not only or each in only]
    return [each for metric in metrics for each in _drawn(_of(rows, metric), metric, on, before, more)]


def _drawn(rows: Sequence[Row], metric: str, on: str, before: Before | None = None, more: str = "") -> list[Figure]:
    """The intervals of `rows`, where they are of several slices."""
    own = [row for row in rows if row["value"] is not None]
    if len({row["slice"] for row in own}) < 2:
        return []
    title = CATALOG[metric].title if metric in CATALOG else metric
    text, label = f"{title}. {HOW}{more}", metric.partition("/")[2].replace("_", " ")
    return [intervals.figure(own, title=f"{metric}{on}", text=text, label=label, before=before)]


def _beside(rows: Sequence[Row], name: str) -> dict[tuple[str, str], float]:
    """By slice and model, what a gate measured beside its value."""
    return {(str(row["slice"]), str(row["model"])): told[name] for row in rows if name in (told := reading.measured(row))}


HOW = "Marks are values, lines their 95 % intervals, upright ticks the bounds of the rules."
AND_BEFORE = " Open marks are the same scenes without the factor."
AND_CLIP = " Open marks are the CLIP on the same pairs."
AND_CLEAN = " Open marks are the same images before the attack."
AND_BACKGROUND = " background_gap is what another class's background costs."


def _factors(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    dropped = {(row["slice"], row["model"]): row["value"] for row in _of(rows, "factors/drop") if row["value"] is not None}
    known = [(row, dropped.get((row["slice"], row["model"]))) for row in _of(rows, "factors/accuracy") if row["value"] is not None]
    before = {(str(row["slice"]), str(row["model"])): row["value"] + drop for row, drop in known if drop is not None}
    found = _slices(rows, shown, on, ("factors/accuracy",), before)
    lost = [*_of(rows, "factors/drop"), *_of(rows, "factors/background_gap")]
    found += _drawn(lost, "factors/drop", on, more=AND_BACKGROUND if lost and reading.metric(lost[-1]) != "factors/drop" else "")
    found += _slices(rows, shown, on, ("factors/error_ratio", "factors/effective_robustness"))
    return [*found, *counterexamples(shown, _of(rows, "factors/background_gap"), many=shown.many, on=f", before another background{on}")]


def _corruptions(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    suite = str(rows[0]["suite"])
    own = _of(rows, f"{suite}/accuracy")
    clean = _without(rows, suite)
    asked = severity.asked(own)
    text = f"A panel a corruption: accuracy at {severity.named(asked)} with 95 % intervals."
    text += " The dashed line is the same images without corruption." if clean else ""
    seen = examples(shown, own)
    if seen:
        one = next(iter(seen.values()))
        text += f" Below each curve the image {one['id']} ({one['truth']}): a frame with a cross where it is answered wrongly."
    title = f"Accuracy {'by' if len(asked) > 1 else 'at'} severity{f' {asked[0]}' if len(asked) == 1 else ''}{on}"
    found = severity.figure(own, title=title, text=text, clean=clean, examples=seen, many=shown.many)
    portraits = _slices(rows, shown, on, ("corruptions/studio_accuracy", "corruptions/studio_relative_robustness"))
    return [*([found] if found is not None else []), *portraits]


def _without(rows: Sequence[Row], suite: str) -> dict[str, float]:
    """By model, the accuracy on the same images without corruption: measured beside each, or the mean error less the relative one."""
    known = {str(row["model"]): told["without"] for row in _of(rows, f"{suite}/accuracy") if "without" in (told := reading.measured(row))}
    error, added = (
        {str(row["model"]): row["value"] for row in _of(rows, f"{suite}/{metric}") if row["value"] is not None}
        for metric in ("mce_unnormalised", "relative_mce_unnormalised")
    )
    return {model: 1 - (error[model] - added[model]) for model in error if model in added} | known


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
    asked = ("retrieval/compositionality", "retrieval/paraphrase", "retrieval/negation_accuracy")
    return [*_slices(rows, shown, on, asked), *queries(shown, rows, many=many, on=on)]


def _metamorphic(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    many = len({row["model"] for row in rows}) > 1
    return [*_slices(rows, shown, on), *counterexamples(shown, rows, many=many, on=on)]


def _typographic(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    return [*_slices(rows, shown, on), *counterexamples(shown, rows, many=shown.many, on=f", under a note{on}")]


def _adversarial(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    clean = _beside(_of(rows, "adversarial/robust_accuracy"), "clean")
    found = _slices(rows, shown, on, ("adversarial/robust_accuracy",), clean, AND_CLEAN)
    return [*found, *_slices(rows, shown, on, ("adversarial/smallest_break",))]


def _groups(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    """The gates of all columns beside each other, then the groups of each column."""
    worst = _of(rows, "groups/worst_accuracy")
    columns = dict.fromkeys(str(row["slice"]) for row in worst)
    each = [groups.figure([row for row in worst if row["slice"] == name], title=f"Accuracy by {name}{on}") for name in columns]
    return [*_slices(rows, shown, on), *(one for one in each if one is not None)]


def _correspondence(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    many = len({row["model"] for row in rows}) > 1
    return [*_slices(rows, shown, on), *matches(shown, rows, many=many, on=on)]


def _accuracy(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    """And what the classes that lose most are taken for, of every gate that tells."""
    many = len({row["model"] for row in rows}) > 1
    found = [(row, side, side.get("confusion", row)) for row in rows for side in shown.sides]
    confused = [
        confusion.figure(told, title=f"Classes that lose most: {row['slice']}{', ' + row['model'] if many else ''}{on}{side.of_run}")
        for row, side, told in found
        if told is not None
    ]
    return [*_slices(rows, shown, on), *confused]


def _lmm(rows: Sequence[Row], shown: Shown, on: str) -> list[Figure]:
    """The LMM beside the CLIP on the same pairs, image set by image set; then protocols, what it gains, repairs and breaks."""
    own = _of(rows, "lmm/accuracy")
    sets, protocols = ([row for row in own if (row["slice"] in PROTOCOLS) == wanted] for wanted in (False, True))
    clip = _beside(_of(rows, "lmm/gain_over_clip"), "clip")
    found = _slices(sets, shown, f"{on}, the LMM beside the CLIP", ("lmm/accuracy",), clip, AND_CLIP)
    found += _slices(protocols, shown, f"{on} by protocol", ("lmm/accuracy",))
    return [*found, *_slices(rows, shown, on, ("lmm/gain_over_clip", "lmm/repairs", "lmm/breaks", "lmm/position_bias"))]


_FIGURES: dict[str, Maker] = {
    "accuracy": _accuracy,
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
    "typographic": _typographic,
    "adversarial": _adversarial,
    "groups": _groups,
}
