"""The page of a study: what its template fills in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_clip import __version__
from pytest_clip.report.html.page import fill
from pytest_clip.report.html.svg import DASH, Figure, Table, number
from pytest_clip.study.html.forest import Row, forest
from pytest_clip.study.html.paths import watched
from pytest_clip.study.html.scatter import scatter
from pytest_clip.study.matched import Pair
from pytest_clip.study.straight import straight_said
from pytest_clip.study.study import Study, Told
from pytest_clip.study.told import Everything, counted

TEMPLATES = Path(__file__).parent / "templates"
TONES = {"supported": "pass", "contradicted": "fail", "cannot tell": "unjudged"}


@dataclass(frozen=True)
class Section:
    """A part of the page: lines of text, figures, tables with their titles."""

    anchor: str
    title: str
    lines: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[tuple[str, Table], ...] = ()


def render(told: Everything) -> str:
    """The page as one text; the same study gives the same bytes. It needs nothing beside itself and works without scripts."""
    counts = [(answer, sum(each.answer == answer for each in told.findings)) for answer in TONES]
    return fill(
        "study.html", more=TEMPLATES, title=told.title, counts=[each for each in counts if each[1]], findings=told.findings, tones=TONES,
        sections=_sections(told), version=__version__,
    )  # fmt: skip


def _sections(told: Everything) -> list[Section]:
    study = told.study
    paths = [figure for watch in told.watches if (figure := watched(watch)) is not None]
    follow = [Section("watch", "Fine-tuning", (), tuple(paths))] if paths else []
    if study is None:
        return follow
    made = [
        Section("lines", "Lines", (_lines_said(study),), tuple(scatter(study, shift, told.placed) for shift in study.ranges), _fits(study)),
        _effects(study),
        _seeds(study),
        _correlations(study),
        *follow,
        _pairs(study.pairs, told.uncompared),
        Section("models", "Models", (), (), (("Models and their factors", _models(study)),)),
    ]
    return [each for each in made if each.figures or each.tables]


def _lines_said(study: Study) -> str:
    clean = study.plan.clean
    return (
        f"Every number under shift against {clean}. A distance is that of a model from the line of all other families, at its own {clean}, "
        "with its 95 % interval over families and images. A line speaks only within its models, and only where no curve was seen."
    )


def _fits(study: Study) -> tuple[tuple[str, Table], ...]:
    rows = []
    for each in study.lines:
        what = (each.on, each.group or "all", " and ".join(each.clean), str(each.models), str(each.families))
        if each.slope is None:
            rows.append((*what, DASH, DASH, each.refused or ""))
        else:
            low, high = each.slope.interval
            rows.append(
                (*what, f"{each.slope.value:.2f} ({low:.2f} to {high:.2f})", f"{number(each.lowest)} to {number(each.highest)}", "")
            )
    curved = [
        (shift, "all", study.plan.clean, str(len(study.population)), DASH, DASH, DASH, straight_said(tried))
        for shift, (found, tried) in study.ranges.items()
        if found is None
    ]
    head = ("set", "group", "clean sets", "models", "families", "slope", "from, to", "why there is none")
    return (("Lines", Table(head, (*rows, *curved))),)


def _effects(study: Study) -> Section:
    rows = [_effect(each) for each in study.effects if each.effect.points is not None]
    head = ("set", "factor", "level", "against", "points", "families", "p (Holm)", "verdict", "why")
    table = Table(head, tuple(_effect_cells(each) for each in study.effects))
    said = (
        "Points at equal accuracy on the clean set, for a model of median accuracy there, 95 % interval over families (and images where "
        "outcomes are known). Grey: cannot tell."
    )
    figure = forest(rows, title="Effects at equal clean accuracy", said=said, unit="points", table=table)
    if figure is None:
        return Section(
            "effects",
            "Effects",
            ("No effect can be told; the table says why of each.",),
            (),
            (("Effects", table),) if study.effects else (),
        )
    return Section("effects", "Effects", (), (figure,))


def _effect(told: Told) -> Row:
    effect = told.effect
    value, low, high = (100 * each for each in effect.points or (0.0, 0.0, 0.0))
    name = f"{effect.question.on}: {effect.question.factor} {effect.level} - {effect.reference}"
    return Row(name, value, low, high, told.verdict != "cannot tell", f"{name}: {value:+.1f} ({low:+.1f} to {high:+.1f}): {told.verdict}")


def _effect_cells(told: Told) -> tuple[str, ...]:
    effect = told.effect
    points = DASH if effect.points is None else "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * each for each in effect.points))
    families = " and ".join(str(each) for each in effect.families if each)
    p = DASH if effect.p_holm is None else f"{effect.p_holm:.2g}"
    asked = (effect.question.on, effect.question.factor, effect.level, effect.reference)
    return (*asked, points, families or "0", p, told.verdict, told.why)


def _seeds(study: Study) -> Section:
    figures = []
    for gap, title, unit in ((True, "Gap to clean accuracy, over seeds", "logits"), (False, "Properties, over seeds", "points")):
        own = [each for each in study.seeded if each.gap == gap]
        rows, cells = [], []
        for each in own:
            name = f"{each.what}: {each.factor} {each.level} - {each.reference}"
            told = (each.what, each.factor, each.level, each.reference, f"{each.seeds[0]} and {each.seeds[1]}")
            if each.estimate is None:
                cells.append((*told, DASH, DASH, each.refused or ""))
                continue
            scale = 1 if gap else 100
            value, (low, high) = scale * each.estimate.value, (scale * end for end in each.estimate.interval)
            said = f"{value:+.2f} ({low:+.2f} to {high:+.2f})"
            rows.append(Row(name, value, low, high, each.sure, f"{name}: {said}"))
            cells.append((*told, said, DASH if each.p_holm is None else f"{each.p_holm:.2g}", "sure" if each.sure else ""))
        table = Table(("property", "factor", "level", "against", "seeds", unit, "p (Holm)", ""), tuple(cells))
        figure = forest(
            rows, title=title, said="Means over seeds, 95 % interval of seeds; filled: sure, p by Holm over all.", unit=unit, table=table
        )
        figures += [figure] if figure is not None else []
    return Section("seeds", "Seeds", ("Recipes that differ in one factor, trained with several seeds.",), tuple(figures))


def _correlations(study: Study) -> Section:
    rows, cells = [], []
    for each in study.correlations:
        name = f"{each.one} and {each.other}{f' within {each.within}' if each.within else ''}"
        if each.rho is None or each.interval is None:
            cells.append((name, DASH, str(each.models), str(each.lineages), each.refused or ""))
            continue
        low, high = each.interval
        rows.append(Row(name, each.rho, low, high, low > 0 or high < 0, f"{name}: {each.rho:.2f} ({low:.2f} to {high:.2f})"))
        cells.append((name, f"{each.rho:.2f} ({low:.2f} to {high:.2f})", str(each.models), str(each.lineages), ""))
    table = Table(("pair", "Spearman's rho", "models", "families", "why there is none"), tuple(cells))
    said = "Spearman's rho over models, each family counting once, 95 % interval over families; filled: it leaves out 0."
    figure = forest(rows, title="Rank correlations", said=said, unit="rho", table=table)
    plain = (("Rank correlations", table),) if figure is None and cells else ()
    return Section("correlations", "Correlations", (), (figure,) if figure is not None else (), plain)


def _pairs(pairs: Iterable[Pair], uncompared: int) -> Section:
    rows = []
    for pair in pairs:
        both = sum(each.found.change is not None for each in pair.changes)
        worse = ", ".join(f"{each.gate} ({each.found.change.drop:.4f})" for each in pair.worse[:8] if each.found.change is not None)
        more = f" and {len(pair.worse) - 8} more" if len(pair.worse) > 8 else ""
        rows.append(
            (
                pair.factor,
                f"{pair.first} ({pair.levels[0]})",
                f"{pair.second} ({pair.levels[1]})",
                f"{len(pair.worse)} of {both}",
                worse + more,
            )
        )
    head = ("factor", "first", "second", "worse in the second", "gates and their drops")
    lines = ("Image by image, p by Holm over all pairs and gates.",) + (
        (f"{counted(uncompared, 'more pair')} not compared.",) if uncompared else ()
    )
    return Section("pairs", "Pairs", lines, (), (("Runs that differ in one factor alone", Table(head, tuple(rows))),) if rows else ())


def _models(study: Study) -> Table:
    held = study.population
    columns = [name for name in held.factors if any(held.factors[name])]
    rows = [
        (
            name,
            held.lineages[at],
            *(held.factors[column][at] or DASH for column in columns),
            *(number(float(each[at])) if each[at] == each[at] else DASH for each in held.amounts.values()),
        )
        for at, name in enumerate(held.names)
    ]
    return Table(("model", "family", *columns, *held.amounts), tuple(rows))
