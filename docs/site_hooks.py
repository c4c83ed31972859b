"""For mkdocs: a link that leaves docs/ is told as the file's name, since the site has no such page; gates of suites.md have anchors."""

from __future__ import annotations

import re
from typing import Any


def inside(match: re.Match[str]) -> str:
    text, path = match.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"


def anchored(markdown: str) -> str:
    """With `<a id="suite/metric">` in the row of each metric, to which reports lead: `suites.html#accuracy/top1`."""
    from pytest_clip.gates.catalog import CATALOG

    suites: list[str] = []
    lines, told = [], False
    for line in markdown.splitlines(keepends=True):
        if line.startswith("## "):
            suites = line[3:].split(" and ")
        told = line.startswith("|") and (told or "| better |" in line)
        if told and line.startswith("| `"):
            first, bar, rest = line[2:].partition(" | ")
            names = re.findall(r"`(\w+)(?:\[[^`]*\])?`", first)
            line = (
                "| "
                + "".join(
                    f'<a id="{suite.strip()}/{name}"></a>' for suite in suites for name in names if f"{suite.strip()}/{name}" in CATALOG
                )
                + first
                + bar
                + rest
            )
        lines.append(line)
    return "".join(lines)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """As many `../` as the page lies deep, and one more, are the repository."""
    text = anchored(markdown) if page.file.src_uri == "suites.md" else markdown
    outside = r"\[([^\]]+)\]\(" + re.escape("../") * (page.file.src_uri.count("/") + 1) + r"([\w-][\w./-]*)(?:#[\w-]+)?\)"
    return re.sub(outside, inside, text)
