"""What tests showed behind their gates (`gates.evidence`), as strips of pictures behind a gate and as figures of its suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.report.html import reading
from pytest_clip.report.html.figures import pairs
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, Figure, Panel, Shot, Strip, Table, number

if TYPE_CHECKING:
    from pytest_clip.report.html.evidence import Shown

Told = Mapping[str, Any]
LONGEST = 240
"""Characters of a text below a picture."""


def cut(said: object) -> str:
    text = str(said)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def said(answer: object, sure: float | None) -> str:
    return cut(f"“{answer}”") if sure is None else f"{cut(f'“{answer}”')} {sure:.0%}"


# Behind a gate


def strips(shown: Shown, row: Row) -> list[Strip]:
    """Pictures behind a gate, of whatever kind its test showed."""
    return [*_example(shown, row), *_queries(shown, row), *_counterexamples(shown, row)]


def drawn(shown: Shown, row: Row) -> list[Figure]:
    """Drawings behind a gate."""
    found = _pairs(shown, [row], many=False)
    return [pairs.figure([(of, None, pair) for of, _, pair in found], title=f"Matches of {row['gate']}")] if found else []


def lacking(shown: Shown, row: Row) -> str:
    """Why nothing could be shown; empty where something was, or nobody asked."""
    told = shown.get("unshown", row)
    return "" if told is None else cut(told["reason"])


def _example(shown: Shown, row: Row) -> list[Strip]:
    told = shown.get("example", row)
    if told is None:
        return []
    shots = [
        Shot(
            shown.picture(step.get("picture")),
            (f"severity {step['severity']}" if step["severity"] else "without", said(step["answer"], step.get("confidence"))),
            "" if step["right"] else "bad",
        )
        for step in told["steps"]
    ]
    return [Strip(cut(f"{told['id']} ({told['truth']}) at each severity"), tuple(shots))]


def _query(shown: Shown, told: Told) -> tuple[Shot, ...]:
    def shot(seen: Told, word: str, mark: str) -> Shot:
        key = shown.picture(seen.get("picture"))
        named = (*([cut(seen["text"])] if key and seen["text"] else []), *([cut(seen["id"])] if seen["id"] else []))
        return Shot(key, (word, *named), mark, "" if key else cut(seen["text"]))

    return (
        shot(told["asked"], "asked with", ""),
        *(shot(each, "found first" if k == 0 else f"then, {k + 1}.", "bad") for k, each in enumerate(told["found"])),
        shot(told["wanted"], f"right: rank {told['rank']:,} of {told['of']:,}", "good"),
    )


def _queries(shown: Shown, row: Row) -> list[Strip]:
    told = shown.get("queries", row)
    if told is None or not told["queries"]:
        return []
    lines = [Strip("", _query(shown, query), joined=True) for query in told["queries"]]
    return [Strip("What was found in place of the answer", ()), *lines]


def _change(shown: Shown, image: Told) -> Strip:
    truth = (f"is {image['truth']}",) if image["truth"] else ()
    before, after = shown.picture(image.get("before")), shown.picture(image.get("after"))
    if not after:
        return Strip(
            "", (Shot(before, (cut(f"before: {image['was']}"), cut(f"after: {image['now']}"), *map(cut, truth), cut(image["id"])), "bad"),)
        )
    one = Shot(before, (cut(f"before: {image['was']}"), *map(cut, truth), cut(image["id"])))
    return Strip("", (one, Shot(after, (cut(f"after: {image['now']}"),), "bad")), joined=True)


def _counterexamples(shown: Shown, row: Row) -> list[Strip]:
    told = shown.get("counterexamples", row)
    if told is None or not told["images"]:
        return []
    title = cut(f"{told['changed']:,} of {told['of']:,} {told['what']}")
    return [Strip(title, ()), *(_change(shown, image) for image in told["images"])]


# In a suite


def queries(shown: Shown, rows: Sequence[Row], *, many: bool, on: str) -> list[Figure]:
    """The worst queries of each direction, of recall at 1."""
    found = []
    for row in rows:
        told = shown.get("queries", row)
        if told is None or not str(row["metric"]).endswith("recall_at_1") or not told["queries"]:
            continue
        way = "Captions that find their image latest" if str(row["metric"]).startswith("image") else "Images that find their caption latest"
        who = f", {row['model']}" if many else ""
        lines = tuple(Strip("", _query(shown, query), joined=True) for query in told["queries"])
        cells = tuple(
            (
                _name(query["asked"]),
                "; ".join(map(_name, query["found"])) or DASH,
                _name(query["wanted"]),
                str(query["rank"]),
                str(query["of"]),
            )
            for query in told["queries"]
        )
        table = Table(("asked with", "found instead", "the answer", "its rank", "of"), cells)
        text = "What was asked with, the first that was found in its place, and the answer with its rank."
        found.append(Figure(f"{way}: {row['slice']}{who}{on}", text, table=table, wide=True, strips=lines))
    return found


def _name(seen: Told) -> str:
    return cut(" ".join(each for each in (seen["id"], seen["text"]) if each)) or DASH


def counterexamples(shown: Shown, rows: Sequence[Row], *, many: bool, on: str) -> list[Figure]:
    """The surest counterexample of each property, before and after."""
    found = [(row, told) for row in rows if (told := shown.get("counterexamples", row)) is not None and told["images"]]
    if not found:
        return []
    panels = tuple(
        Panel(
            str(row["gate"]).partition("/")[2] + (f", {row['model']}" if many else ""),
            cut(f"{told['changed']:,} of {told['of']:,} {told['what']}"),
            link=reading.anchor(row, many=shown.many),
            strip=_change(shown, told["images"][0]),
        )
        for row, told in found
    )
    cells = tuple(
        (str(row["gate"]), cut(told["what"]), cut(image["id"]), cut(image["truth"]) or DASH, cut(image["was"]), cut(image["now"]))
        for row, told in found
        for image in told["images"]
    )
    text = "Of each property the image that is surest of another answer, before and after; the gate has more, and the numbers."
    table = Table(("gate", "what", "image", "is", "before", "after"), cells)
    return [Figure(f"Answers that should not have changed{on}", text, table=table, wide=True, panels=panels)]


def matches(shown: Shown, rows: Sequence[Row], *, many: bool, on: str) -> list[Figure]:
    """Pairs of pictures with matches, of one gate for each image set."""
    found = _pairs(shown, [row for row in rows if row["metric"] in ("recall_px", "pck_per_image")], many=many)
    return [pairs.figure(found, title=f"Matches, right and wrong{on}")] if found else []


def _pairs(shown: Shown, rows: Sequence[Row], *, many: bool) -> list[tuple[str, str | None, Told]]:
    found: list[tuple[str, str | None, Told]] = []
    for row in rows:
        for pair in (shown.get("pairs", row) or {}).get("pairs", ()):
            looked = {**pair, "id": cut(pair["id"]), "first": shown.picture(pair.get("first")), "second": shown.picture(pair.get("second"))}
            of = f"{row['slice']}, {row['model']}" if many else str(row["slice"])
            found.append((of, reading.anchor(row, many=shown.many), looked))
    return found


def examples(shown: Shown, rows: Sequence[Row]) -> dict[str, Told]:
    """By kind of corruption one image under it, of the first model that has one."""
    found: dict[str, Told] = {}
    for row in rows:
        kind = str(row["slice"]).partition("-")[0]
        if (told := shown.get("example", row)) is not None and kind not in found:
            steps = [{**step, "answer": cut(step["answer"]), "picture": shown.picture(step.get("picture"))} for step in told["steps"]]
            found[kind] = {**told, "id": cut(told["id"]), "truth": cut(told["truth"]), "steps": steps}
    return found


# Against a baseline


def gallery(shown: Shown, rows: Sequence[Row]) -> list[tuple[str, str, str, list[Strip]]]:
    """Anchor, name, a few words and strips of each gate that lost images: by class, and by what else they have in common."""
    found = []
    for row in rows:
        told = shown.get("flip_groups", row)
        if told is None or not told["groups"]:
            continue
        lines = [_group(shown, group) for group in told["groups"]]
        name = str(row["gate"]) + (f", {row['model']}, {row['data']}" if shown.many else "")
        named = ", ".join(f"{cut(group['value'])} {group['worse']}" for group in told["groups"] if group["fact"] == "class")
        text = f"{told['worse']:,} of {told['at_risk']:,} that were right are wrong{f': {named}' if named else ''}"
        found.append((reading.anchor(row, many=shown.many), name, text, lines))
    return found


def _group(shown: Shown, group: Told) -> Strip:
    shots = tuple(
        Shot(
            shown.picture(each.get("picture")),
            (
                cut(f"is {each['truth']}"),
                cut(f"before: {each['before']}"),
                f"now: {said(each['answer'], each.get('confidence'))}",
                cut(each["id"]),
            ),
            "bad",
        )
        for each in group["images"]
    )
    out = ", more than elsewhere" if group["stands_out"] else ""
    share = number(group["worse"] / group["at_risk"], 2) if group["at_risk"] else DASH
    return Strip(cut(f"{group['fact']} {group['value']}: {group['worse']} of {group['at_risk']} ({share}){out}"), shots)
