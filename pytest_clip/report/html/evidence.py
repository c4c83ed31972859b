"""Evidence of a record as the page shows it: found by its gate, and the pictures that are really shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_clip.report.html import shown as behind
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import Shot, Strip

Told = Mapping[str, Any]


@dataclass
class Shown:
    """`figures` are the record's evidence by kind, gate, model and data; `pictures` its pictures by key; `asked` those shown.

    Where two runs are compared, `run` is the name of this one, and `earlier` is the same of the other.
    """

    figures: Mapping[tuple[str, str, str, str], Told]
    pictures: Mapping[str, str]
    asked: set[str] = field(default_factory=set)
    run: str = ""
    earlier: Shown | None = None
    many: bool = False
    """several models or data sets: places of gates say which"""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Shown:
        found, between = cls._of(record.get("evidence") or {}), record.get("comparison")
        if between and (between.get("evidence") or {}).get("figures"):
            found.run, found.earlier = str(between["second"]), cls._of(between["evidence"])
            found.earlier.run, found.earlier.asked = str(between["first"]), found.asked
            found.pictures = found.earlier.pictures = {**found.earlier.pictures, **found.pictures}
        return found

    @classmethod
    def _of(cls, held: Mapping[str, Any]) -> Shown:
        figures = {(each["kind"], each["gate"], each["model"], each["data"]): each for each in held.get("figures", ())}
        return cls(figures, held.get("pictures", {}))

    @property
    def sides(self) -> list[Shown]:
        """This run, and the one that it is compared with."""
        return [self, *([self.earlier] if self.earlier is not None else [])]

    @property
    def of_run(self) -> str:
        """For a title that both sides have."""
        return f", {self.run}" if self.run else ""

    def get(self, kind: str, row: Row) -> Told | None:
        return self.figures.get((kind, str(row["gate"]), str(row["model"]), str(row["data"])))

    def picture(self, key: Any) -> str:
        """The key of a picture that the record holds, which is remembered as shown; empty for another."""
        if not isinstance(key, str) or key not in self.pictures:
            return ""
        self.asked.add(key)
        return key

    def used(self) -> tuple[tuple[str, str], ...]:
        """Key and content of the pictures that were asked for, in the order of the record."""
        return tuple((key, data) for key, data in self.pictures.items() if key in self.asked)

    def strips(self, row: Row) -> list[Strip]:
        """The pictures behind one gate."""
        return [*(strip for side in self.sides for strip in _mistakes(side, row)), *_flips(self, row), *behind.strips(self, row)]


def _mistakes(shown: Shown, row: Row) -> Sequence[Strip]:
    told = shown.get("mistakes", row)
    shots = [
        Shot(shown.picture(each.get("picture")), (_said(each), behind.cut(f"is {each['truth']}"), behind.cut(each["id"])), "bad")
        for each in (told or {}).get("images", ())
    ]
    return [Strip(f"Worst mistakes{shown.of_run}: wrong and sure of it", tuple(shots))] if shots else []


def _said(each: Told) -> str:
    return behind.said(each["answer"], each.get("confidence"))


def _flips(shown: Shown, row: Row) -> Sequence[Strip]:
    told = shown.get("flips", row)
    shots = []
    for each in (told or {}).get("images", ()):
        lines = (behind.cut(f"is {each['truth']}"), behind.cut(f"before: {each['before']}"), f"now: {_said(each)}", behind.cut(each["id"]))
        shots.append(Shot(shown.picture(each.get("picture")), lines, "bad"))
    return [Strip("Right in the baseline, wrong now", tuple(shots))] if shots else []
