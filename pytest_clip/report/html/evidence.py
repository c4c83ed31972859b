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
    """`figures` are the record's evidence by kind, gate, model and data; `pictures` its pictures by key; `asked` those shown."""

    figures: Mapping[tuple[str, str, str, str], Told]
    pictures: Mapping[str, str]
    asked: set[str] = field(default_factory=set)
    many: bool = False
    """several models or data sets: places of gates say which"""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Shown:
        held = record.get("evidence") or {}
        figures = {(each["kind"], each["gate"], each["model"], each["data"]): each for each in held.get("figures", ())}
        return cls(figures, held.get("pictures", {}))

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
        return [*_mistakes(self, row), *_flips(self, row), *behind.strips(self, row)]


def _mistakes(shown: Shown, row: Row) -> Sequence[Strip]:
    told = shown.get("mistakes", row)
    shots = [
        Shot(shown.picture(each.get("picture")), (_said(each), behind.cut(f"is {each['truth']}"), behind.cut(each["id"])), "bad")
        for each in (told or {}).get("images", ())
    ]
    return [Strip("Worst mistakes: wrong and sure of it", tuple(shots))] if shots else []


def _said(each: Told) -> str:
    return behind.said(each["answer"], each.get("confidence"))


def _flips(shown: Shown, row: Row) -> Sequence[Strip]:
    told = shown.get("flips", row)
    shots = []
    for each in (told or {}).get("images", ()):
        lines = (behind.cut(f"is {each['truth']}"), behind.cut(f"before: {each['before']}"), f"now: {_said(each)}", behind.cut(each["id"]))
        shots.append(Shot(shown.picture(each.get("picture")), lines, "bad"))
    return [Strip("Right in the baseline, wrong now", tuple(shots))] if shots else []
