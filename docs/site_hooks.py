"""For mkdocs: a link that leaves docs/ is told as the file's name, since the site has no such page."""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([\w./-]+)(?:#[\w-]+)?\)")


def inside(match: re.Match[str]) -> str:
    text, path = match.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links of docs/*.md only: below, `../` is still in docs/."""
    return markdown if "/" in page.file.src_uri else OUTSIDE.sub(inside, markdown)
