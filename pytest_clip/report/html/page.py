"""The whole page: what the template fills in, made from a record."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pytest_clip import __version__
from pytest_clip.report.html import gates, reading
from pytest_clip.report.html.evidence import Shown
from pytest_clip.report.html.gates import GateView, Titled
from pytest_clip.report.html.head import Head, head
from pytest_clip.report.html.listed import Listed, listed
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.reference import Meaning, meanings, rules, tables
from pytest_clip.report.html.suites import SuiteView, suites
from pytest_clip.report.html.svg import Table
from pytest_clip.report.html.wholes import Part, parts

WORST = 5
_CONTROL = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"}
_PICTURES = {**_CONTROL, 0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD)}
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """All that `templates/page.html` shows, in its order."""

    head: Head
    worst_title: str
    worst: tuple[GateView, ...]
    parts: tuple[Part, ...]
    listed: Listed
    suites: tuple[SuiteView, ...]
    rules: Table | None
    meanings: tuple[Meaning, ...]
    tables: tuple[Titled, ...]
    pictures: tuple[tuple[str, str], ...]
    version: str = __version__

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Anchor and name of what the page can be entered by."""
        found = [("worst", self.worst_title)] if self.worst else []
        found += [(part.anchor, part.title) for part in self.parts]
        found += [(suite.anchor, suite.name) for suite in self.suites]
        return [
            *found,
            *([("rules", "Rules")] if self.rules else []),
            *([("meanings", "Meanings")] if self.meanings else []),
            ("run", "This run"),
        ]


def render(record: Mapping[str, Any]) -> str:
    """The page that shows `record`, as one HTML text: the same record gives the same bytes.

    `record` is what `report.json.record` makes or `runs.shape` has checked. The page needs nothing beside itself: no network, no file.
    """
    return fill("page.html", page=page_of(record), icons=gates.ICONS, words=reading.WORDS)


def fill(template: str, *, more: Path | None = None, **shown: Any) -> str:
    """A page of the report's design: its styles and its script, by whose hashes alone the page's policy lets anything run or style."""
    style, script = ((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    held = {"style": Markup(style), "script": Markup(script), "style_hash": _hash(style), "script_hash": _hash(script)}
    return plain(environment(more).get_template(template).render(**shown, **held))


@cache
def environment(more: Path | None = None) -> Environment:
    """Templates of the report, and of the folder `more` before them."""
    made = Environment(
        loader=FileSystemLoader([*([more] if more else []), _TEMPLATES], encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["fragment"] = reading.fragment
    return made


def plain(text: str) -> str:
    """Without what no page may hold: control characters become their pictures, what is no Unicode its escape."""
    return text.translate(_PICTURES).encode("utf-8", "backslashreplace").decode("utf-8")


def page_of(record: Mapping[str, Any]) -> Page:
    rows: list[Row] = list(record["gates"])
    own = [row for row in rows if not row.get("role")]
    many = len(reading.pairs(own)) > 1
    shown = Shown.of(record)
    shown.many = many
    worst = reading.worst(own, WORST)
    red = any(row["verdict"] != "pass" for row in worst)
    return Page(
        head=head(record, own),
        worst_title=("The worst gate" if len(worst) == 1 else "The worst gates") if red else "Nearest to their bounds",
        worst=tuple(gates.view(row, many=many) for row in worst),
        parts=tuple(parts(record, rows, shown)),
        listed=listed(own, many=many),
        suites=tuple(suites(own, shown, many=many)),
        rules=rules(own),
        meanings=tuple(meanings(own)),
        tables=tuple(tables(record)),
        pictures=shown.used(),
    )


def _hash(text: str) -> str:
    """What the page's policy lets run and style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
