"""For mkdocs: a link that leaves docs/ is told as the file's name, since the site has no such page."""

from __future__ import annotations

import re
from typing import Any


def inside(match: re.Match[str]) -> str:
    text, path = match.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """As many `../` as the page lies deep, and one more, are the repository."""
    outside = r"\[([^\]]+)\]\(" + re.escape("../") * (page.file.src_uri.count("/") + 1) + r"([\w-][\w./-]*)(?:#[\w-]+)?\)"
    return re.sub(outside, inside, markdown)
